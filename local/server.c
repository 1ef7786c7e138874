#include "local/server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/os.h"
#include "local/clock.h"

#define CONNECTION_MEMORY 131072 /* the request's headers have to fit */
#define REPLY_MAX         67108864
#define REPLY_BLOCK       65536
#define DRIPS             10 /* pieces of a SERVER_DRIP body */

struct server {
    struct server_options options;
    struct MHD_Daemon *daemon;
    int port;
    int stop_fd; /* an eventfd, readable once the server stops */
};

/* One request and its reply, from the request line to the last byte. */
struct exchange {
    struct server *server;
    char *target; /* as on the wire; cut at "?" */
    struct buffer body;
    bool started, too_large, failed;
    struct http_header *headers;
    size_t header_count;
    struct server_request request;
    struct server_reply reply;
    size_t sendable; /* bytes of the reply's body that are sent */
};

const char *server_header(const struct server_request *request, const char *name)
{
    for (size_t i = 0; i < request->header_count; i++)
        if (strcasecmp(request->headers[i].name, name) == 0)
            return request->headers[i].value;
    return "";
}

int server_reply_header(struct server_reply *reply, const char *name, const char *value,
                        struct error *err)
{
    for (const char *at = value; *at != '\0'; at++)
        if (((unsigned char)*at < ' ' && *at != '\t') || *at == 0x7f)
            return error_set(err, ERROR_INVALID_REQUEST, "control character in header \"%s\"",
                             name);
    if (name[0] == '\0' || strpbrk(name, " \t\r\n:") != NULL)
        return error_set(err, ERROR_INVALID_REQUEST, "this is no header name");
    if (buffer_append_string(&reply->headers, name, err) != 0 ||
        buffer_append_string(&reply->headers, ": ", err) != 0 ||
        buffer_append_string(&reply->headers, value, err) != 0)
        return -1;
    return buffer_append_string(&reply->headers, "\n", err);
}

void server_reply_json(struct server_reply *reply, int status, const char *json)
{
    buffer_clear(&reply->headers);
    buffer_clear(&reply->body);
    reply->status = status;
    reply->manner = SERVER_WHOLE;
    if (server_reply_header(reply, "Content-Type", "application/json", NULL) != 0 ||
        buffer_append_string(&reply->body, json, NULL) != 0)
        reply->status = 500;
}

bool server_pause(const struct server_request *request, int64_t ns)
{
    int64_t now_ns = clock_now_ns();
    int64_t until_ns = ns < CLOCK_NEVER - now_ns ? now_ns + ns : CLOCK_NEVER;
    struct pollfd watched[] = {{.fd = request->fd, .events = POLLRDHUP},
                               {.fd = request->server->stop_fd, .events = POLLIN}};
    int ready = 0;
    do
        ready = poll(watched, 2, clock_poll_ms(until_ns));
    while ((ready < 0 && errno == EINTR) || (ready == 0 && clock_now_ns() < until_ns));
    return ready == 0;
}

/* --- the request ------------------------------------------------------------------------------ */

/* libmicrohttpd's first word about a request: the target, before it decodes anything. */
static void *exchange_new(void *context, const char *target, struct MHD_Connection *connection)
{
    (void)connection;
    struct exchange *x = calloc(1, sizeof *x);
    if (x == NULL)
        return NULL;
    x->server = context;
    x->target = strdup(target);
    buffer_init(&x->body, x->server->options.max_body);
    x->reply.status = 200;
    buffer_init(&x->reply.headers, CONNECTION_MEMORY);
    buffer_init(&x->reply.body, REPLY_MAX);
    return x;
}

static void exchange_free(void *context, struct MHD_Connection *connection, void **slot,
                          enum MHD_RequestTerminationCode why)
{
    (void)context;
    (void)connection;
    (void)why;
    struct exchange *x = *slot;
    *slot = NULL;
    if (x == NULL)
        return;
    if (x->reply.manner == SERVER_THEN_CLOSE)
        (void)shutdown(x->request.fd, SHUT_RDWR);
    free(x->target);
    free(x->headers);
    buffer_wipe(&x->body);
    buffer_free(&x->reply.headers);
    buffer_wipe(&x->reply.body);
    free(x);
}

static enum MHD_Result add_header(void *context, enum MHD_ValueKind kind, const char *name,
                                  const char *value)
{
    (void)kind;
    struct exchange *x = context;
    struct http_header *headers = realloc(x->headers, (x->header_count + 1) * sizeof *headers);
    if (headers == NULL)
        return MHD_NO;
    x->headers = headers;
    headers[x->header_count++] = (struct http_header){name, value != NULL ? value : ""};
    return MHD_YES;
}

static void describe_connection(struct MHD_Connection *connection, struct server_request *request)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    request->fd = info != NULL ? info->connect_fd : -1;
    info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    if (info == NULL || info->client_addr->sa_family != AF_INET)
        return;
    struct sockaddr_in address;
    memcpy(&address, info->client_addr, sizeof address);
    (void)inet_ntop(AF_INET, &address.sin_addr, request->peer, sizeof request->peer);
    request->peer_port = ntohs(address.sin_port);
}

static void describe_request(struct exchange *x, struct MHD_Connection *connection)
{
    (void)MHD_get_connection_values(connection, MHD_HEADER_KIND, add_header, x);
    char *query = strchr(x->target, '?');
    if (query != NULL)
        *query++ = '\0';
    x->request.path = x->target;
    x->request.query = query != NULL ? query : "";
    x->request.headers = x->headers;
    x->request.header_count = x->header_count;
    x->request.body = x->body.data != NULL ? x->body.data : "";
    x->request.body_length = x->body.length;
    x->request.too_large = x->too_large;
    x->request.server = x->server;
    describe_connection(connection, &x->request);
}

static void take_upload(struct exchange *x, const char *bytes, size_t count)
{
    if (x->too_large)
        return;
    if (buffer_append(&x->body, bytes, count, NULL) == 0)
        return;
    x->too_large = true;
    buffer_wipe(&x->body);
}

/* --- the reply -------------------------------------------------------------------------------- */

/* Hands bytes of the body to libmicrohttpd, slowly if so wished. */
static ssize_t send_more(void *context, uint64_t position, char *out, size_t room)
{
    struct exchange *x = context;
    const struct server_reply *reply = &x->reply;
    size_t at = (size_t)position;
    if (at >= x->sendable)
        return reply->manner == SERVER_HALF ? MHD_CONTENT_READER_END_WITH_ERROR
                                            : MHD_CONTENT_READER_END_OF_STREAM;
    size_t count = x->sendable - at;
    if (reply->manner == SERVER_DRIP) {
        size_t piece = (x->sendable + DRIPS - 1) / DRIPS;
        count = count < piece ? count : piece;
        if (!server_pause(&x->request, reply->drip_ns / DRIPS))
            return MHD_CONTENT_READER_END_WITH_ERROR;
    }
    count = count < room ? count : room;
    memcpy(out, reply->body.data + at, count);
    return (ssize_t)count;
}

static bool add_reply_headers(struct MHD_Response *response, char *lines)
{
    char *rest = NULL;
    for (char *line = strtok_r(lines, "\n", &rest); line != NULL;
         line = strtok_r(NULL, "\n", &rest)) {
        char *value = strstr(line, ": ");
        *value = '\0';
        /* libmicrohttpd knows no empty values. */
        if (value[2] != '\0' && MHD_add_response_header(response, line, value + 2) != MHD_YES)
            return false;
    }
    return true;
}

/* A broken reply needs no libmicrohttpd; MHD_NO closes the connection. */
static void break_off(const struct exchange *x)
{
    const struct sockaddr nobody = {.sa_family = AF_UNSPEC};
    if (x->reply.manner == SERVER_RESET)
        (void)connect(x->request.fd, &nobody, sizeof nobody); /* Linux sends a reset */
    if (x->reply.manner == SERVER_RAW)
        (void)!send(x->request.fd, x->reply.body.data, x->reply.body.length, MSG_NOSIGNAL);
}

static enum MHD_Result send_reply(struct exchange *x, struct MHD_Connection *connection)
{
    struct server_reply *reply = &x->reply;
    if (reply->manner == SERVER_CUT || reply->manner == SERVER_RESET ||
        reply->manner == SERVER_RAW) {
        break_off(x);
        return MHD_NO;
    }
    x->sendable = reply->manner == SERVER_HALF ? reply->body.length / 2 : reply->body.length;
    uint64_t size = reply->manner == SERVER_CHUNKED ? MHD_SIZE_UNKNOWN : reply->body.length;
    struct MHD_Response *response =
        MHD_create_response_from_callback(size, REPLY_BLOCK, send_more, x, NULL);
    if (response == NULL)
        return MHD_NO;
    if (reply->headers.length > 0 && !add_reply_headers(response, reply->headers.data)) {
        MHD_destroy_response(response);
        return MHD_NO;
    }
    enum MHD_Result result = MHD_queue_response(connection, (unsigned)reply->status, response);
    MHD_destroy_response(response);
    return result;
}

/* Called at the request's headers, for each piece of its body, and at its end. */
/* NOLINTNEXTLINE(readability-function-size): libmicrohttpd wants so many arguments */
static enum MHD_Result take_request(void *context, struct MHD_Connection *connection,
                                    const char *url, const char *method, const char *version,
                                    const char *upload, size_t *upload_size, void **slot)
{
    (void)context;
    (void)url;
    struct exchange *x = *slot;
    if (x == NULL || x->target == NULL)
        return MHD_NO;
    if (!x->started) {
        x->started = true;
        return MHD_YES;
    }
    if (*upload_size > 0) {
        take_upload(x, upload, *upload_size);
        *upload_size = 0;
        return MHD_YES;
    }
    x->request.method = method;
    x->request.protocol = version;
    describe_request(x, connection);
    x->server->options.handle(x->server->options.context, &x->request, &x->reply);
    return send_reply(x, connection);
}

/* --- the server ------------------------------------------------------------------------------- */

/* A socket that listens; its port is known before the first request may ask for it. */
static int listen_on(struct server *server, struct error *err)
{
    const struct server_options *options = &server->options;
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)options->port)};
    socklen_t size = sizeof address;
    const int yes = 1;
    if (inet_pton(AF_INET, options->host, &address.sin_addr) != 1)
        return error_set(err, ERROR_CONFIG, "\"%.64s\" is no IPv4 address", options->host);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) != 0 ||
        bind(fd, (const struct sockaddr *)&address, sizeof address) != 0 ||
        listen(fd, SOMAXCONN) != 0 || getsockname(fd, (struct sockaddr *)&address, &size) != 0) {
        (void)error_set(err, ERROR_CONFIG, "cannot listen on %s port %d: %s", options->host,
                        options->port, strerror(errno));
        if (fd >= 0)
            (void)close(fd);
        return -1;
    }
    server->port = ntohs(address.sin_port);
    return fd;
}

static int start_daemon(struct server *server, struct error *err)
{
    int fd = listen_on(server, err);
    if (fd < 0)
        return -1;
    server->daemon = MHD_start_daemon(
        MHD_USE_POLL_INTERNAL_THREAD | MHD_USE_THREAD_PER_CONNECTION, 0, NULL, NULL, take_request,
        server, MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_URI_LOG_CALLBACK, exchange_new, server,
        MHD_OPTION_NOTIFY_COMPLETED, exchange_free, NULL, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
        (size_t)CONNECTION_MEMORY, MHD_OPTION_END);
    if (server->daemon != NULL)
        return 0;
    (void)close(fd);
    return error_set(err, ERROR_INTERNAL, "cannot start a server");
}

struct server *server_start(const struct server_options *options, struct error *err)
{
    struct server *server = calloc(1, sizeof *server);
    if (server == NULL) {
        (void)error_set(err, ERROR_MEMORY, "no memory for a server");
        return NULL;
    }
    server->options = *options;
    server->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (server->stop_fd >= 0 && start_daemon(server, err) == 0)
        return server;
    if (server->stop_fd < 0)
        (void)error_set(err, ERROR_INTERNAL, "eventfd: %s", strerror(errno));
    server_stop(server);
    return NULL;
}

int server_port(const struct server *server)
{
    return server->port;
}

void server_stop(struct server *server)
{
    if (server == NULL)
        return;
    if (server->stop_fd >= 0)
        (void)eventfd_write(server->stop_fd, 1);
    if (server->daemon != NULL)
        MHD_stop_daemon(server->daemon);
    if (server->stop_fd >= 0)
        (void)close(server->stop_fd);
    free(server);
}
