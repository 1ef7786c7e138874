#include "tests/support/loopback.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define CONNECTIONS_MAX 64
#define REQUEST_MAX     (64 * 1024 * 1024)
#define PATIENCE_S      60

struct connection {
    struct loopback *server;
    const struct loopback_script *script;
    pthread_t thread;
    int fd; /* -1 once closed; guarded by the server's lock */
    SSL *ssl;
};

struct loopback {
    struct loopback_options options;
    char url[64];
    int fd;
    pthread_t thread;
    pthread_mutex_t lock; /* guards what follows */
    pthread_cond_t changed;
    size_t connection_count;
    size_t closed;
    size_t request_count;
    struct buffer kept[LOOPBACK_KEPT_MAX];
    struct connection connections[CONNECTIONS_MAX];
};

static void must(int succeeded)
{
    if (!succeeded)
        abort();
}

/* --- bytes --- */

static ssize_t receive(struct connection *c, char *into, size_t size)
{
    if (c->ssl == NULL)
        return recv(c->fd, into, size, 0);
    int got = SSL_read(c->ssl, into, (int)size);
    return got > 0 ? got : -1;
}

/* A client that has gone away is no failure of the server. */
static bool transmit(struct connection *c, const char *bytes, size_t length)
{
    while (length > 0) {
        ssize_t sent = c->ssl == NULL ? send(c->fd, bytes, length, MSG_NOSIGNAL)
                                      : SSL_write(c->ssl, bytes, (int)length);
        if (sent <= 0)
            return false;
        bytes += sent;
        length -= (size_t)sent;
    }
    return true;
}

static bool transmit_pieces(struct connection *c, const char *bytes, size_t length, size_t piece)
{
    if (piece == 0)
        piece = length;
    while (length > 0) {
        size_t now = length < piece ? length : piece;
        if (!transmit(c, bytes, now))
            return false;
        bytes += now;
        length -= now;
    }
    return true;
}

static void send_reply(struct connection *c, const struct loopback_reply *reply)
{
    char block[4096];
    memset(block, 'x', sizeof block);
    size_t length = reply->length;
    if (length == 0 && reply->bytes != NULL)
        length = strlen(reply->bytes);
    bool going = transmit_pieces(c, reply->bytes, length, reply->piece);
    for (size_t left = reply->filler; going && left > 0;) {
        size_t now = left < sizeof block ? left : sizeof block;
        going = transmit_pieces(c, block, now, reply->piece);
        left -= now;
    }
}

/* --- requests --- */

static size_t content_length(const char *head)
{
    const char *found = strcasestr(head, "\r\ncontent-length:");
    return found != NULL ? strtoul(found + sizeof "\r\ncontent-length:" - 1, NULL, 10) : 0;
}

static bool read_more(struct connection *c, struct buffer *request)
{
    char bytes[16384];
    ssize_t got = receive(c, bytes, sizeof bytes);
    if (got <= 0)
        return false;
    must(buffer_append(request, bytes, (size_t)got, NULL) == 0);
    return true;
}

static void note_request(struct loopback *server, struct buffer *request)
{
    pthread_mutex_lock(&server->lock);
    if (server->request_count < LOOPBACK_KEPT_MAX) {
        buffer_free(&server->kept[server->request_count]);
        server->kept[server->request_count] = *request;
        *request = (struct buffer){0};
    }
    server->request_count++;
    pthread_cond_broadcast(&server->changed);
    pthread_mutex_unlock(&server->lock);
    buffer_free(request);
}

/* Reads a whole request, or its head only, and no byte of the next: clients here do not pipeline.
 */
static bool read_request(struct connection *c, bool head_only)
{
    struct buffer request;
    buffer_init(&request, REQUEST_MAX);
    const char *end = NULL;
    while (end == NULL) {
        if (!read_more(c, &request)) {
            buffer_free(&request);
            return false;
        }
        end = strstr(request.data, "\r\n\r\n");
    }
    size_t whole = (size_t)(end - request.data) + 4;
    if (!head_only)
        whole += content_length(request.data);
    bool going = true;
    while (going && request.length < whole)
        going = read_more(c, &request);
    note_request(c->server, &request);
    return going;
}

/* --- connections --- */

static void hang(struct connection *c)
{
    char bytes[4096];
    ssize_t got = 1;
    while (got > 0)
        got = recv(c->fd, bytes, sizeof bytes, 0);
}

static void serve_requests(struct connection *c, enum loopback_then *end)
{
    const struct loopback_script *script = c->script;
    *end = LOOPBACK_CLOSE;
    for (size_t i = 0; script->count > 0; i++) {
        const struct loopback_reply *reply =
            &script->replies[i < script->count ? i : script->count - 1];
        if (!read_request(c, reply->early))
            return;
        send_reply(c, reply);
        *end = reply->then;
        if (reply->then != LOOPBACK_NEXT)
            return;
    }
}

static bool shake_hands(struct connection *c)
{
    if (c->server->options.tls == NULL)
        return true;
    c->ssl = SSL_new(c->server->options.tls->context);
    must(c->ssl != NULL && SSL_set_fd(c->ssl, c->fd));
    return SSL_accept(c->ssl) == 1;
}

static void close_connection(struct connection *c, enum loopback_then how)
{
    if (how == LOOPBACK_RESET) {
        struct linger at_once = {.l_onoff = 1};
        must(setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once) == 0);
    }
    if (c->ssl != NULL && how == LOOPBACK_CLOSE)
        (void)SSL_shutdown(c->ssl);
    SSL_free(c->ssl);
    pthread_mutex_lock(&c->server->lock);
    (void)close(c->fd);
    c->fd = -1;
    c->server->closed++;
    pthread_cond_broadcast(&c->server->changed);
    pthread_mutex_unlock(&c->server->lock);
}

static void *serve(void *context)
{
    struct connection *c = context;
    enum loopback_then end = c->script->mute ? LOOPBACK_HANG : LOOPBACK_RESET;
    if (!c->script->mute && shake_hands(c)) {
        if (c->script->greeting != NULL)
            (void)transmit(c, c->script->greeting, strlen(c->script->greeting));
        serve_requests(c, &end);
    }
    if (end == LOOPBACK_HANG)
        hang(c);
    close_connection(c, end);
    return NULL;
}

/* Signals are for the test. SIGPIPE may come from OpenSSL's writes. */
static void start_thread(pthread_t *thread, void *(*run)(void *), void *context)
{
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    must(pthread_create(thread, NULL, run, context) == 0);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

static void *accept_all(void *context)
{
    struct loopback *server = context;
    for (;;) {
        int fd = accept(server->fd, NULL, NULL);
        if (fd < 0)
            return NULL;
        int on = 1;
        must(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) == 0);
        pthread_mutex_lock(&server->lock);
        size_t i = server->connection_count;
        must(i < CONNECTIONS_MAX);
        struct connection *c = &server->connections[i];
        size_t last = server->options.count - 1;
        *c = (struct connection){
            .server = server, .script = &server->options.scripts[i < last ? i : last], .fd = fd};
        start_thread(&c->thread, serve, c);
        server->connection_count++;
        pthread_cond_broadcast(&server->changed);
        pthread_mutex_unlock(&server->lock);
    }
}

/* --- the server --- */

struct loopback *loopback_start(const struct loopback_options *options)
{
    must(options->count > 0);
    struct loopback *server = calloc(1, sizeof *server);
    must(server != NULL);
    server->options = *options;
    pthread_mutex_init(&server->lock, NULL);
    pthread_cond_init(&server->changed, NULL);
    server->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t size = sizeof address;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    must(server->fd >= 0);
    must(bind(server->fd, (struct sockaddr *)&address, size) == 0);
    must(listen(server->fd, CONNECTIONS_MAX) == 0);
    must(getsockname(server->fd, (struct sockaddr *)&address, &size) == 0);
    (void)snprintf(server->url, sizeof server->url, "%s://127.0.0.1:%d",
                   options->tls != NULL ? "https" : "http", ntohs(address.sin_port));
    start_thread(&server->thread, accept_all, server);
    return server;
}

void loopback_stop(struct loopback *server)
{
    must(shutdown(server->fd, SHUT_RDWR) == 0); /* ends accept() */
    pthread_join(server->thread, NULL);
    (void)close(server->fd);
    pthread_mutex_lock(&server->lock);
    for (size_t i = 0; i < server->connection_count; i++)
        if (server->connections[i].fd >= 0)
            (void)shutdown(server->connections[i].fd, SHUT_RDWR);
    pthread_mutex_unlock(&server->lock);
    for (size_t i = 0; i < server->connection_count; i++)
        pthread_join(server->connections[i].thread, NULL);
    for (size_t i = 0; i < LOOPBACK_KEPT_MAX; i++)
        buffer_free(&server->kept[i]);
    pthread_cond_destroy(&server->changed);
    pthread_mutex_destroy(&server->lock);
    free(server);
}

const char *loopback_url(const struct loopback *server)
{
    return server->url;
}

static size_t read_counter(struct loopback *server, const size_t *counter)
{
    pthread_mutex_lock(&server->lock);
    size_t value = *counter;
    pthread_mutex_unlock(&server->lock);
    return value;
}

size_t loopback_connections(struct loopback *server)
{
    return read_counter(server, &server->connection_count);
}

size_t loopback_requests(struct loopback *server)
{
    return read_counter(server, &server->request_count);
}

static void wait_for(struct loopback *server, const size_t *counter, size_t count)
{
    struct timespec until = {0};
    must(clock_gettime(CLOCK_REALTIME, &until) == 0);
    until.tv_sec += PATIENCE_S;
    pthread_mutex_lock(&server->lock);
    while (*counter < count)
        must(pthread_cond_timedwait(&server->changed, &server->lock, &until) == 0);
    pthread_mutex_unlock(&server->lock);
}

void loopback_wait_for_connections(struct loopback *server, size_t count)
{
    wait_for(server, &server->connection_count, count);
}

void loopback_wait_for_closed(struct loopback *server, size_t count)
{
    wait_for(server, &server->closed, count);
}

const char *loopback_request(struct loopback *server, size_t index)
{
    pthread_mutex_lock(&server->lock);
    const char *text = index < LOOPBACK_KEPT_MAX ? server->kept[index].data : NULL;
    pthread_mutex_unlock(&server->lock);
    return text != NULL ? text : "";
}

void loopback_chunk(struct buffer *out, const char *body, size_t chunk)
{
    size_t left = strlen(body);
    while (left > 0) {
        size_t now = left < chunk ? left : chunk;
        char size[32];
        (void)snprintf(size, sizeof size, "%zx\r\n", now);
        must(buffer_append_string(out, size, NULL) == 0);
        must(buffer_append(out, body, now, NULL) == 0);
        must(buffer_append_string(out, "\r\n", NULL) == 0);
        body += now;
        left -= now;
    }
    must(buffer_append_string(out, "0\r\n\r\n", NULL) == 0);
}
