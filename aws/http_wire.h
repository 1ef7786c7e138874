#ifndef AWS_HTTP_WIRE_H
#define AWS_HTTP_WIRE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "aws/http.h"

/*
 * Between http_client.c, which shares a client among threads, and http.c, which speaks to libcurl.
 * Not for others. A wire is used by one thread at a time.
 */
struct http_wire;

struct http_wire *http_wire_new(const struct http_options *options, struct error *err);
void http_wire_free(struct http_wire *wire);

/* Closes the connections. */
void http_wire_renew(struct http_wire *wire);

struct http_wire_job {
    const struct http_request *request; /* its timeout_ns is not looked at */
    int64_t deadline_ns;                /* on turn_clock_ns(); or TURN_NO_DEADLINE */
    bool connect_only;                  /* connect, send nothing, keep the connection */
    const atomic_bool *stop; /* looked at often when `connect_only`, else once a second */
};

/* As http_transport's send(). With `connect_only`, 0 and status 0 when connected. */
int http_wire_run(struct http_wire *wire, const struct http_wire_job *job,
                  struct http_response *response, struct error *err)
    __attribute__((warn_unused_result));

#endif
