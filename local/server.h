#ifndef LOCAL_SERVER_H
#define LOCAL_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "aws/http.h"
#include "base/buffer.h"
#include "base/error.h"

/*
 * An HTTP/1.1 server with a thread for each connection, so that a handler may block. server.c is
 * the only file that knows libmicrohttpd.
 */

struct server;

/* A whole request. Borrowed for the time of the handler. */
struct server_request {
    const char *method;
    const char *protocol;              /* "HTTP/1.1" */
    const char *path;                  /* as on the wire, without the query */
    const char *query;                 /* as on the wire, without "?"; "" when there is none */
    const struct http_header *headers; /* as received, in their order */
    size_t header_count;
    const char *body; /* `body_length` bytes and a NUL */
    size_t body_length;
    bool too_large; /* the body was longer than max_body; it is empty then */
    char peer[64];  /* address */
    int peer_port;
    struct server *server;
    int fd; /* of the connection */
};

/* The first header of that name, found without case; "" when there is none. */
const char *server_header(const struct server_request *request, const char *name);

/* How the reply goes out. */
enum server_manner {
    SERVER_WHOLE,      /* with Content-Length */
    SERVER_CHUNKED,    /* without */
    SERVER_DRIP,       /* with Content-Length, the body spread over `drip_ns` */
    SERVER_HALF,       /* closed after half the body */
    SERVER_THEN_CLOSE, /* whole, then closed without having said so */
    SERVER_CUT,        /* closed without a byte */
    SERVER_RESET,      /* the same with a TCP reset */
    SERVER_RAW,        /* the body alone, no HTTP; then closed */
};

/* What the handler fills. */
struct server_reply {
    int status; /* 200 unless set */
    enum server_manner manner;
    int64_t drip_ns;
    struct buffer headers; /* "name: value\n" lines; see server_reply_header() */
    struct buffer body;
};

/* Adds a header. A value with control characters is ERROR_INVALID_REQUEST. */
int server_reply_header(struct server_reply *reply, const char *name, const char *value,
                        struct error *err);

/* Makes the reply this status with a JSON body; what was in it before is gone. */
void server_reply_json(struct server_reply *reply, int status, const char *json);

/*
 * Waits `ns` at most. Ends early, with false, when the caller closes the connection or the server
 * stops.
 */
bool server_pause(const struct server_request *request, int64_t ns);

struct server_options {
    const char *host; /* numeric IPv4 address */
    int port;         /* 0: any */
    size_t max_body;  /* longer ones are read, and thrown away */
    void (*handle)(void *context, const struct server_request *request, struct server_reply *reply);
    void *context;
};

/* `context` is borrowed for the server's life. ERROR_CONFIG when the address cannot be bound. */
struct server *server_start(const struct server_options *options, struct error *err);

int server_port(const struct server *server);

/* Ends server_pause()s, waits for the handlers that run and frees the server. NULL is fine. */
void server_stop(struct server *server);

#endif
