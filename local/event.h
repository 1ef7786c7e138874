#ifndef LOCAL_EVENT_H
#define LOCAL_EVENT_H

#include <stdint.h>

#include "base/buffer.h"
#include "base/error.h"
#include "local/server.h"

/*
 * What an API Gateway HTTP API makes of a request and of a function's reply, payload format 2.0.
 * Pure. Sources: AWS, "API Gateway developer guide, working with AWS Lambda proxy integrations for
 * HTTP APIs"; that rawPath is percent-decoded and rawQueryString is not, and that only text and
 * JSON bodies are not base64, has been reported many times.
 */

/* What an event says besides the request. */
struct event_facts {
    const char *request_id; /* the gateway's */
    const char *trace_id;   /* value of X-Amzn-Trace-Id */
    int64_t wall_ns;        /* when the request came in, Unix time */
    int port;               /* of the gateway */
};

/* Appends the event. */
int event_write(const struct server_request *request, const struct event_facts *facts,
                struct buffer *out, struct error *err) __attribute__((warn_unused_result));

/*
 * Makes a reply of what the function returned. Without `statusCode`, JSON is a body of its own with
 * status 200. ERROR_BAD_ANSWER when the gateway would answer 500.
 */
int event_read_reply(const char *text, size_t length, struct server_reply *reply, struct error *err)
    __attribute__((warn_unused_result));

#endif
