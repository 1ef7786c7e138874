#ifndef LOCAL_GATEWAY_H
#define LOCAL_GATEWAY_H

#include "local/bedrock_fake.h"
#include "local/lambda.h"
#include "local/server.h"
#include "local/stats.h"

/*
 * The port that callers see: an API Gateway HTTP API whose $default route is the function, and
 * under
 * /_local/ this program's own paths (control.h). Like the real one it answers by itself
 *   413  a request above 10 MB, or an event above what Lambda takes
 *   500  the function failed, or its reply is malformed
 *   503  it did not answer in time, or all sandboxes were busy
 */
struct gateway {
    const struct options *options;
    struct lambda *lambda;
    struct stats *stats;
    struct bedrock_fake *bedrock; /* NULL: the real one */
};

#define GATEWAY_REQUEST_MAX 10485760

/* The server's handler; `context` is a struct gateway. */
void gateway_handle(void *context, const struct server_request *request,
                    struct server_reply *reply);

#endif
