#ifndef TESTS_SUPPORT_LOOPBACK_H
#define TESTS_SUPPORT_LOOPBACK_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buffer.h"
#include "tests/support/loopback_tls.h"

/*
 * A server on 127.0.0.1 that plays scripts, byte for byte. Each connection has a thread and a
 * script of its own: read one request, send the next reply, go on as the reply says. What goes
 * wrong in the server itself aborts the test.
 */

enum loopback_then {
    LOOPBACK_NEXT,  /* read the next request */
    LOOPBACK_CLOSE, /* close, with close_notify when it is TLS */
    LOOPBACK_RESET, /* RST */
    LOOPBACK_HANG,  /* stay silent until the client goes away */
};

struct loopback_reply {
    const char *bytes; /* status line, headers, body, as they go out; NULL: nothing */
    size_t length;     /* cut after so many bytes; 0: strlen(bytes) */
    size_t filler;     /* so many more bytes, all 'x' */
    size_t piece;      /* bytes of one write; 0: all in one */
    bool early;        /* after the head of the request; its body is not read */
    enum loopback_then then;
};

#define LOOPBACK_REPLIES_MAX 8

struct loopback_script {
    bool mute;            /* accept the connection and do nothing with it, no TLS either */
    const char *greeting; /* sent before there is a request; NULL: nothing */
    struct loopback_reply replies[LOOPBACK_REPLIES_MAX];
    size_t count; /* when they run out the last is repeated; 0: close without reading */
};

struct loopback_options {
    const struct loopback_script *scripts; /* one a connection; the last is repeated; borrowed */
    size_t count;
    struct loopback_tls *tls; /* NULL: plain; borrowed */
};

struct loopback;

struct loopback *loopback_start(const struct loopback_options *options);
void loopback_stop(struct loopback *server);

/* "http://127.0.0.1:port", or https. */
const char *loopback_url(const struct loopback *server);

/* What happened so far. A request counts when it was read: whole, or its head when `early`. */
size_t loopback_connections(struct loopback *server);
size_t loopback_requests(struct loopback *server);

/* Wait, a minute at most. */
void loopback_wait_for_connections(struct loopback *server, size_t count);
void loopback_wait_for_closed(struct loopback *server, size_t count);

/* Request number `index`, from 0, as it came: head and body. "" when there was none. */
#define LOOPBACK_KEPT_MAX 32
const char *loopback_request(struct loopback *server, size_t index);

/* Appends `body` in chunked coding, chunks of `chunk` bytes, without trailers. */
void loopback_chunk(struct buffer *out, const char *body, size_t chunk);

#endif
