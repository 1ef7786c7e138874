#ifndef TESTS_SUPPORT_PEER_H
#define TESTS_SUPPORT_PEER_H

#include <stdbool.h>
#include <stddef.h>

/*
 * A small HTTP/1.1 server on 127.0.0.1 for end-to-end tests: a thread per connection, keep-alive.
 * What to answer is asked of a function, which may also ask for the faults that real servers have.
 */

struct peer_request {
    char method[16];
    char path[2048]; /* with the query, as on the wire */
    char *headers;   /* "Name: value\r\n" lines, as on the wire */
    char *body;
    size_t body_length;
};

/* The value of a header, found without case, copied into `out`; false when absent. */
bool peer_header(const struct peer_request *request, const char *name, char *out, size_t size);

struct peer_answer {
    int status;          /* 0: close the connection without a byte */
    const char *headers; /* "Name: value\r\n" lines; NULL: none */
    const char *body;    /* borrowed until the answer is sent */
    size_t body_length;  /* 0: strlen(body) */
    bool chunked;
    bool cut_in_body; /* send the header and half of the body, then close */
    bool hang;        /* say nothing until peer_free() */
    bool close;       /* close after the answer */
};

/* Called in a connection's thread; calls of different connections may overlap. */
typedef void (*peer_handler)(void *context, const struct peer_request *request,
                             struct peer_answer *answer);

struct peer;

/* Listens on a free port. Fails the test when it cannot. */
struct peer *peer_new(peer_handler handler, void *context);
int peer_port(const struct peer *peer);

/* Closes all connections and waits for their threads. */
void peer_free(struct peer *peer);

#endif
