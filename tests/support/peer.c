#include "tests/support/peer.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#define CONNECTIONS_MAX 256
#define HEADERS_MAX     65536
#define BODY_MAX        (16U << 20)

struct connection {
    struct peer *peer;
    int fd;
    pthread_t thread;
};

struct peer {
    peer_handler handler;
    void *context;
    int listener;
    int port;
    int stop[2]; /* a pipe: readable when all must end */
    pthread_t acceptor;
    struct connection connections[CONNECTIONS_MAX];
    size_t count;
};

static void must(bool ok, const char *what)
{
    if (ok)
        return;
    perror(what);
    abort();
}

/* False when the peer is being freed. */
static bool wait_readable(const struct peer *peer, int fd)
{
    struct pollfd fds[2] = {{.fd = fd, .events = POLLIN}, {.fd = peer->stop[0], .events = POLLIN}};
    if (poll(fds, 2, -1) < 0)
        return false;
    return fds[1].revents == 0;
}

static ssize_t read_some(const struct connection *c, char *out, size_t size)
{
    return wait_readable(c->peer, c->fd) ? recv(c->fd, out, size, 0) : -1;
}

static bool write_all(int fd, const char *bytes, size_t count)
{
    while (count > 0) {
        ssize_t wrote = send(fd, bytes, count, MSG_NOSIGNAL);
        if (wrote <= 0)
            return false;
        bytes += wrote;
        count -= (size_t)wrote;
    }
    return true;
}

bool peer_header(const struct peer_request *request, const char *name, char *out, size_t size)
{
    size_t length = strlen(name);
    for (const char *line = request->headers; *line != '\0'; line = strstr(line, "\r\n") + 2) {
        if (strncasecmp(line, name, length) != 0 || line[length] != ':')
            continue;
        const char *value = line + length + 1;
        value += strspn(value, " ");
        (void)snprintf(out, size, "%.*s", (int)strcspn(value, "\r"), value);
        return true;
    }
    return false;
}

/* Reads up to the empty line; returns how many bytes of the body came along, or -1. */
static ssize_t read_head(const struct connection *c, char *head, size_t size, char **body)
{
    size_t length = 0;
    for (;;) {
        ssize_t got = read_some(c, head + length, size - 1 - length);
        if (got <= 0)
            return -1;
        length += (size_t)got;
        head[length] = '\0';
        char *end = strstr(head, "\r\n\r\n");
        if (end == NULL)
            continue;
        end[2] = '\0';
        *body = end + 4;
        return (ssize_t)(length - (size_t)(*body - head));
    }
}

static bool read_body(const struct connection *c, struct peer_request *request, const char *first,
                      size_t have)
{
    char value[32] = "0";
    peer_header(request, "Content-Length", value, sizeof value);
    request->body_length = strtoul(value, NULL, 10);
    must(request->body_length <= BODY_MAX, "a body that large");
    request->body = calloc(1, request->body_length + 1);
    must(request->body != NULL, "calloc");
    if (have > request->body_length)
        return false;
    memcpy(request->body, first, have);
    while (have < request->body_length) {
        ssize_t got = read_some(c, request->body + have, request->body_length - have);
        if (got <= 0)
            return false;
        have += (size_t)got;
    }
    return true;
}

static bool send_chunked(int fd, const char *body, size_t length)
{
    char size[32];
    (void)snprintf(size, sizeof size, "%zx\r\n", length);
    bool sent = length == 0 || (write_all(fd, size, strlen(size)) && write_all(fd, body, length) &&
                                write_all(fd, "\r\n", 2));
    return sent && write_all(fd, "0\r\n\r\n", 5);
}

/* True when the connection stays open. */
static bool send_answer(const struct connection *c, const struct peer_answer *answer)
{
    if (answer->hang)
        (void)wait_readable(c->peer, c->peer->stop[0]);
    if (answer->hang || answer->status == 0)
        return false;
    const char *body = answer->body != NULL ? answer->body : "";
    size_t length = answer->body_length > 0 ? answer->body_length : strlen(body);
    char framing[64] = "Transfer-Encoding: chunked\r\n";
    if (!answer->chunked)
        (void)snprintf(framing, sizeof framing, "Content-Length: %zu\r\n", length);
    char head[4096];
    int n = snprintf(head, sizeof head, "HTTP/1.1 %d X\r\n%s%s%s\r\n", answer->status, framing,
                     answer->headers != NULL ? answer->headers : "",
                     answer->close ? "Connection: close\r\n" : "");
    if (!write_all(c->fd, head, (size_t)n))
        return false;
    if (answer->cut_in_body)
        return write_all(c->fd, body, length / 2) && false;
    bool sent =
        answer->chunked ? send_chunked(c->fd, body, length) : write_all(c->fd, body, length);
    return sent && !answer->close;
}

static bool serve_one(const struct connection *c)
{
    static _Thread_local char head[HEADERS_MAX];
    char *first = NULL;
    ssize_t have = read_head(c, head, sizeof head, &first);
    if (have < 0)
        return false;
    struct peer_request request = {0};
    must(sscanf(head, "%15s %2047s", request.method, request.path) == 2, "a request line");
    request.headers = strstr(head, "\r\n") + 2;
    bool open = read_body(c, &request, first, (size_t)have);
    if (open) {
        struct peer_answer answer = {0};
        c->peer->handler(c->peer->context, &request, &answer);
        open = send_answer(c, &answer);
    }
    free(request.body);
    return open;
}

static void *serve_connection(void *context)
{
    const struct connection *c = context;
    while (serve_one(c))
        ;
    shutdown(c->fd, SHUT_RDWR);
    return NULL;
}

static void *accept_connections(void *context)
{
    struct peer *peer = context;
    while (wait_readable(peer, peer->listener)) {
        int fd = accept(peer->listener, NULL, NULL);
        must(fd >= 0 && peer->count < CONNECTIONS_MAX, "accept");
        int on = 1;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        struct connection *c = &peer->connections[peer->count++];
        *c = (struct connection){.peer = peer, .fd = fd};
        must(pthread_create(&c->thread, NULL, serve_connection, c) == 0, "pthread_create");
    }
    return NULL;
}

struct peer *peer_new(peer_handler handler, void *context)
{
    struct peer *peer = calloc(1, sizeof *peer);
    must(peer != NULL && pipe(peer->stop) == 0, "peer_new");
    peer->handler = handler;
    peer->context = context;
    peer->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    must(bind(peer->listener, (struct sockaddr *)&address, length) == 0 &&
             listen(peer->listener, 64) == 0 &&
             getsockname(peer->listener, (struct sockaddr *)&address, &length) == 0,
         "listen");
    peer->port = ntohs(address.sin_port);
    must(pthread_create(&peer->acceptor, NULL, accept_connections, peer) == 0, "pthread_create");
    return peer;
}

int peer_port(const struct peer *peer)
{
    return peer->port;
}

void peer_free(struct peer *peer)
{
    must(write(peer->stop[1], "x", 1) == 1, "write");
    pthread_join(peer->acceptor, NULL);
    for (size_t i = 0; i < peer->count; i++) {
        pthread_join(peer->connections[i].thread, NULL);
        close(peer->connections[i].fd);
    }
    close(peer->listener);
    close(peer->stop[0]);
    close(peer->stop[1]);
    free(peer);
}
