#ifndef HANDLER_CHAT_H
#define HANDLER_CHAT_H

#include <stddef.h>

#include "base/error.h"
#include "base/os.h"
#include "handler/event.h"

/* {"message": "...", "session_id": "..."}: what a caller asks. */

#define CHAT_SESSION_ID_MAX 256 /* bytes */

struct chat_request {
    struct json_object *root; /* owned; NULL when it belongs to the event (direct invocation) */
    const char *message;      /* borrowed from the JSON */
    size_t message_length;
    char session_id[CHAT_SESSION_ID_MAX + 1]; /* the caller's; a new UUID when it gave none */
};

/*
 * Reads the request from the event's body, or from the event itself when it is a direct invocation.
 * Fails with ERROR_INVALID_REQUEST and a text that a caller may see: no JSON object, no message or
 * an empty one, a message or session_id that is no string, a session_id that is too long or has
 * control characters. `session_id` is filled in any case. chat_request_free() is due in any case.
 */
int chat_request_read(struct chat_request *request, const struct event *event, const struct os *os,
                      struct error *err) __attribute__((warn_unused_result));
void chat_request_free(struct chat_request *request);

#endif
