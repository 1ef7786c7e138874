#ifndef RUNTIME_CALL_H
#define RUNTIME_CALL_H

#include <stddef.h>

#include "aws/http.h"
#include "base/error.h"
#include "runtime/runtime.h"

/*
 * One exchange with the Runtime API or the Extensions API, and what its answer means. For the files
 * of runtime/ only.
 */

#define CALL_RUNTIME   "/2018-06-01/runtime"
#define CALL_EXTENSION "/2020-01-01/extension"

/* An event may be a little larger than Lambda says; the room costs nothing. */
#define CALL_ANSWER_MAX (RUNTIME_PAYLOAD_MAX + 65536)

/* Everything is borrowed for the time of the call. */
struct call {
    const char *path; /* what follows host:port, percent-encoded */
    const struct http_header *headers;
    size_t header_count;
    const char *body; /* of a POST; NULL: none */
    size_t body_length;
};

/*
 * GET, for as long as it takes. Fails with ERROR_RUNTIME_GONE on 403 (asking again is useless),
 * with ERROR_BAD_ANSWER on any other status but 200, and as the transport does.
 */
int call_wait(const struct runtime *runtime, const struct call *call,
              struct http_response *response, struct error *err)
    __attribute__((warn_unused_result));

/*
 * POST, bounded by RUNTIME_POST_TIMEOUT_NS and never repeated here: one that was cut off may have
 * arrived, and the transport does not tell it from one that was never sent. Succeeds on 200 and
 * 202. Fails with ERROR_RUNTIME_GONE on 500 and with ERROR_RUNTIME_REFUSED on everything else,
 * failures of the transport included.
 */
int call_post(const struct runtime *runtime, const struct call *call,
              struct http_response *response, struct error *err)
    __attribute__((warn_unused_result));

/* "/2018-06-01/runtime/invocation/{id}/{what}", whatever the id is made of. */
#define CALL_PATH_SIZE (sizeof CALL_RUNTIME "/invocation//response" + 3 * RUNTIME_ID_SIZE)
void call_invocation_path(char out[CALL_PATH_SIZE], const struct runtime_invocation *invocation,
                          const char *what);

#endif
