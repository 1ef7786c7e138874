#ifndef TESTS_SUPPORT_SIGV4_CASE_H
#define TESTS_SUPPORT_SIGV4_CASE_H

#include <json-c/json.h>

#include "base/error.h"

/*
 * A request to sign, as tests/golden/sigv4.json has it:
 *   {"name", "method", "host", "path", "query", "headers": [[name, value], ...], "body",
 *    "body_count": how often the body is repeated (1 when absent), "access_key_id",
 *    "secret_access_key", "session_token": string or null, "region", "service", "time_s",
 *    "authorization": what is expected, not read here}
 */

/* Signs it. Returns the Authorization header, for free(); NULL with `err` filled. Aborts when the
 * case is not what it should be. */
char *sigv4_case_sign(struct json_object *request, struct error *err);

#endif
