#ifndef HANDLER_REPLY_H
#define HANDLER_REPLY_H

#include <stdint.h>

#include "base/buffer.h"
#include "base/error.h"
#include "handler/event.h"

/*
 * The reply to a caller over HTTP, in the shape that the event's source expects:
 *   {"statusCode": 200, "headers": {...}, "body": "...", "isBase64Encoded": false}
 * An ALB gets `statusDescription` too, and `multiValueHeaders` instead of `headers` exactly when
 * its request had them. A direct invocation gets the same shape as API Gateway, so that the status
 * is there to see. Every reply carries Content-Type and the CORS headers.
 */

struct reply {
    int status;
    const char *allow; /* Allow header; NULL: none. Borrowed */
    int64_t
        retry_after_ns; /* Retry-After, in whole seconds, rounded up, at least 1; negative: none */
    struct json_object *body; /* owned; NULL: an empty body */
};

/*
 * {"error", "code", "request_id"} of the table's row for `kind`, and "retry_after" when it is not
 * negative. `sentence` replaces the table's when it is not NULL.
 */
int reply_error(struct reply *reply, enum error_kind kind, const char *sentence,
                const char *request_id, struct error *err) __attribute__((warn_unused_result));

/* Adds the Retry-After header and the member "retry_after". */
int reply_set_retry_after(struct reply *reply, int64_t retry_after_ns, struct error *err)
    __attribute__((warn_unused_result));

/* Appends the reply as JSON; ERROR_REPLY_TOO_LARGE above `out`'s ceiling. */
int reply_write(const struct reply *reply, const struct event *event, struct buffer *out,
                struct error *err) __attribute__((warn_unused_result));
void reply_free(struct reply *reply);

/* Adds a string, number or object to `object` and gives it away; ERROR_MEMORY when `value` is NULL
 * or cannot be added. */
int reply_add(struct json_object *object, const char *name, struct json_object *value,
              struct error *err) __attribute__((warn_unused_result));

#endif
