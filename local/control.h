#ifndef LOCAL_CONTROL_H
#define LOCAL_CONTROL_H

#include "local/gateway.h"

/*
 * This program's own paths, for tests and the curious; --help lists them. A POST answers with a
 * JSON object, 400 with {"error"} when what was posted is wrong.
 */
#define CONTROL_PREFIX "/_local/"

void control_handle(struct gateway *gateway, const struct server_request *request,
                    struct server_reply *reply);

#endif
