#ifndef AWS_HTTP_H
#define AWS_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/error.h"

/*
 * One HTTP/1.1 exchange at a time, with keep-alive. The one seam to the network: everything that
 * talks HTTP takes a `struct http_transport *`; in the program it is a `struct http` (http.c, the
 * only file that knows libcurl), in tests an array of answers (tests/support/fake_http.h).
 */

struct http_header {
    const char *name;
    const char *value; /* "" sends the header with no value */
};

/* Everything is borrowed for the time of the call. */
struct http_request {
    const char *method; /* "GET", "POST" */
    const char *url;    /* sent as it is: path percent-encoded by the caller, dots not squashed */
    const struct http_header *headers;
    size_t header_count;
    const void *body; /* NULL: none */
    size_t body_length;
    int64_t connect_timeout_ns; /* name, TCP and TLS; 0: no limit of its own */
    int64_t read_timeout_ns;    /* from when the request is sent to the whole answer; 0: no limit
                                   of its own */
    int64_t timeout_ns;         /* the whole exchange; 0: none (only /next wants that); negative:
                                   no time is left */
    size_t max_body;            /* ceiling of the answer's body, bytes */
};

#define HTTP_HEADERS_MAX 65536 /* ceiling of the answer's header block, bytes */

/* Zeroed before the first use; may be used again; owned by the caller. */
struct http_response {
    int status;
    struct buffer headers; /* "name: value\n" lines of the final answer, as received */
    struct buffer body;
};

void http_response_free(struct http_response *response);

/*
 * The value of header `name`, found without case, spaces trimmed, copied into `out` (cut to fit).
 * Returns true when the header is there and not empty: an empty header counts as absent.
 */
bool http_response_header(const struct http_response *response, const char *name, char *out,
                          size_t size);

struct http_transport {
    /*
     * Returns 0 with any status of the server's, or -1:
     *   ERROR_UNTRUSTED     no certificate we trust vouches for the server; trying again is useless
     *   ERROR_CONNECTION    could not connect (refused, name, TLS, connect time-out), or the
     *                       connection broke before the answer was whole
     *   ERROR_READ_TIMEOUT  connected, and `timeout_ns` went by
     *   ERROR_BAD_ANSWER    larger than max_body, or no HTTP
     *   ERROR_MEMORY
     * The response is then empty, with status 0. `err->text` says what happened with host names at
     * most, no payload.
     */
    int (*send)(void *context, const struct http_request *request, struct http_response *response,
                struct error *err);
    void *context;
};

/*
 * Sends. A method or header that is no HTTP, one with a line break say, is ERROR_INTERNAL and not
 * sent. Nothing is added to the headers but Host, User-Agent and Content-Length.
 */
int http_send(const struct http_transport *transport, const struct http_request *request,
              struct http_response *response, struct error *err)
    __attribute__((warn_unused_result));

/* Which certificates vouch for a server. Verification is always on. */
enum http_trust {
    HTTP_TRUST_BUNDLE, /* `ca_file` if given, else the system's bundle */
    HTTP_TRUST_AMAZON, /* the Amazon roots compiled in; the system's bundle when they do not do */
};

struct http_options {
    const char *user_agent; /* "name/version"; borrowed */
    enum http_trust trust;
    const char
        *ca_file;  /* AWS_CA_BUNDLE; borrowed; NULL: see trust. ERROR_CONFIG when unreadable */
    bool no_proxy; /* true: never a proxy, whatever the environment says */
};

/*
 * A client with its own connection pool. Calls from several threads are served one after another;
 * the time a call waits for its turn counts.
 *
 * A kept connection that turns out dead before a line of the answer came costs nothing: the request
 * is sent once more, on a fresh connection, within the same time-out.
 */
struct http;

/* Process-wide, before any thread starts and after all have ended. Ignores SIGPIPE from then on. */
int http_global_init(struct error *err) __attribute__((warn_unused_result));
void http_global_free(void);

struct http *http_new(const struct http_options *options, struct error *err);
void http_free(struct http *http); /* NULL is fine; ends a running http_preconnect() */
struct http_transport http_transport(struct http *http);

/*
 * Opens a connection to the server of `url` in a thread of its own and keeps it for the next
 * http_send(), which waits for it. Sends no request. A failure is silent: the next http_send()
 * tries for itself.
 */
void http_preconnect(struct http *http, const char *url, int64_t connect_timeout_ns);

/* The next http_send() starts with new connections, e.g. after a snapshot was restored. */
void http_drop_connections(struct http *http);

#endif
