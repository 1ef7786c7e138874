#ifndef HANDLER_EVENT_H
#define HANDLER_EVENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/error.h"

struct json_object;

/* Where an event comes from; it decides the shape of the reply and the time there is. */
enum event_source {
    EVENT_DIRECT,       /* anything that is none of the others: the whole event is the request */
    EVENT_REST_API,     /* API Gateway, payload 1.0 */
    EVENT_HTTP_API,     /* API Gateway, payload 2.0 */
    EVENT_FUNCTION_URL, /* payload 2.0 too */
    EVENT_ALB,          /* Application Load Balancer */
    EVENT_SQS,
};

/* "rest-api", ... for logs. */
const char *event_source_name(enum event_source source);

/*
 * An event, read with tolerance: a field of a wrong type counts as absent, except where the
 * contract asks for it (the body). Strings are borrowed from `root`, which the event owns.
 */
struct event {
    enum event_source source;
    struct json_object *root;
    const char *method;       /* NULL: a direct invocation, or absent */
    const char *path;         /* without the stage; NULL: a direct invocation, or absent */
    const char *route;        /* the path of the route or resource that matched; NULL: none */
    bool multi_value_headers; /* ALB: the reply must have them too */
    int64_t gateway_wall_ns;  /* when the gateway took the request; 0: not told */
    struct buffer body;       /* decoded; empty for a direct invocation */
};

/*
 * Reads `bytes`. Fails with ERROR_INVALID_REQUEST, and a text that a caller may see, when they are
 * no JSON or the body is no string or no base64; `event` then still says what is known of the
 * source, for the shape of the reply. event_free() is due in any case.
 */
int event_read(struct event *event, const char *bytes, size_t length, struct error *err)
    __attribute__((warn_unused_result));
void event_free(struct event *event);

#endif
