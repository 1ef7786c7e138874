#ifndef TESTS_SUPPORT_CLIENT_H
#define TESTS_SUPPORT_CLIENT_H

#include "aws/http.h"

/*
 * A client for servers on 127.0.0.1, for tests of local/. Each call fills `response`, which
 * client_stop() frees; a failure to send ends up in `failure`.
 */
struct client {
    int port;
    struct http *http;
    struct http_response response;
    struct error failure;
};

void client_start(struct client *client, int port);
void client_stop(struct client *client);

/* The status, or 0 when there was no reply. `headers` may be NULL when `count` is 0; `body` NULL:
 * GET. */
int client_call(struct client *client, const char *path, const struct http_header *headers,
                size_t count, const char *body);
int client_send(struct client *client, const char *path, const struct http_header *headers,
                size_t count, const void *body, size_t length);

/* Closes the kept connection: the client tries once more by itself when such a one is dead. */
void client_hang_up(struct client *client);

/* The reply's body, "" when there is none; a header of it, "" when absent (valid until the next).
 */
const char *client_body(const struct client *client);
const char *client_header(const struct client *client, const char *name);

#endif
