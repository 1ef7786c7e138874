#include "aws/http.h"

#include <curl/curl.h>
#include <limits.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "aws/http_wire.h"
#include "aws/roots.h"
#include "aws/turn.h"
#include "base/os.h"

#if LIBCURL_VERSION_NUM < 0x075700
#error "libcurl 7.87.0 or later is needed (CURLOPT_QUICK_EXIT, CURLOPT_CA_CACHE_TIMEOUT)"
#endif

#define STOP_CHECK_MS 50 /* how soon a connection being opened ahead notices http_free() */

/* How long sent bytes may wait for an acknowledgement; a peer that reads slowly is not dead. */
#define UNACKNOWLEDGED_MS 10000

#define HOST_SIZE 264

struct http_wire {
    struct http_options options;
    const char *system_bundle; /* NULL: none found */
    bool use_bundle;           /* the Amazon roots did not verify a server once */
    CURLM *multi;              /* keeps the connections */
    CURL *easy;
    CURL *parked; /* holds a connection opened ahead; NULL: none */
    char parked_host[HOST_SIZE];
};

/* One exchange, and how far its latest attempt came. */
struct exchange {
    struct http_wire *wire;
    const struct http_wire_job *job;
    struct http_response *response;
    struct curl_slist *header_list;
    bool opened;             /* a socket was opened: the connection is not a kept one */
    bool connected;          /* the request is on its way */
    int64_t read_by_ns;      /* on turn_clock_ns(); the answer must be whole by then */
    bool in_block;           /* inside a block of header lines */
    bool answered;           /* a header line or a body byte arrived */
    int status;              /* 0: the header block of the final answer is not whole yet */
    enum error_kind refused; /* why a callback ended it */
    char detail[CURL_ERROR_SIZE];
};

/* Rounds up, since 0 would mean "for ever" to libcurl. */
static long milliseconds(int64_t ns)
{
    if (ns <= 0)
        return 1;
    int64_t ms = ns / NS_PER_MS + (ns % NS_PER_MS != 0);
    return ms < INT_MAX ? (long)ms : INT_MAX;
}

/* "host:port" of a URL. */
static void host_of(const char *url, char out[HOST_SIZE])
{
    const char *start = strstr(url, "://");
    start = start != NULL ? start + 3 : url;
    size_t length = strcspn(start, "/?#");
    const char *at = memchr(start, '@', length);
    if (at != NULL) { /* no user name, no password */
        length -= (size_t)(at + 1 - start);
        start = at + 1;
    }
    (void)snprintf(out, HOST_SIZE, "%.*s", (int)(length < HOST_SIZE ? length : HOST_SIZE - 1),
                   start);
}

/* --- what libcurl calls --- */

static int on_socket(void *context, curl_socket_t fd, curlsocktype purpose)
{
    (void)purpose;
    struct exchange *x = context;
    x->opened = true;
    x->connected = false;
    /* A kept connection can be dead without a sign, after a freeze say: then the kernel gives it
     * up, and we try again. */
    const unsigned ms = UNACKNOWLEDGED_MS;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &ms, sizeof ms);
    return CURL_SOCKOPT_OK;
}

/*
 * Connected, TLS included; the request comes next. A handle that has CONNECT_ONLY from the start
 * never shares its connection; one that gets it here has opened a plain connection, ends without
 * sending, and leaves it in the pool.
 */
static int on_ready(void *context, char *peer, char *local, int peer_port, int local_port)
{
    (void)peer, (void)local, (void)peer_port, (void)local_port;
    struct exchange *x = context;
    x->connected = true;
    if (x->job->request->read_timeout_ns > 0)
        x->read_by_ns = turn_deadline_ns(x->job->request->read_timeout_ns);
    if (!x->job->connect_only)
        return CURL_PREREQFUNC_OK;
    if (curl_easy_setopt(x->wire->easy, CURLOPT_CONNECT_ONLY, 1L) != CURLE_OK)
        return CURL_PREREQFUNC_ABORT;
    return CURL_PREREQFUNC_OK;
}

/* One line. Interim answers (1xx) come first, each a block of its own; trailers come last. */
static size_t on_header(char *line, size_t size, size_t count, void *context)
{
    struct exchange *x = context;
    size_t received = size * count;
    x->answered = true;
    if (x->status != 0)
        return received;
    if (!x->in_block) { /* the status line */
        x->in_block = true;
        buffer_clear(&x->response->headers);
        return received;
    }
    size_t length = received;
    while (length > 0 && (line[length - 1] == '\n' || line[length - 1] == '\r'))
        length--;
    if (length == 0) {
        long status = 0;
        (void)curl_easy_getinfo(x->wire->easy, CURLINFO_RESPONSE_CODE, &status);
        x->in_block = false;
        x->status = status >= 200 ? (int)status : 0;
        return received;
    }
    struct error err = {0};
    if (buffer_append(&x->response->headers, line, length, &err) == 0 &&
        buffer_append(&x->response->headers, "\n", 1, &err) == 0)
        return received;
    x->refused = err.kind;
    return 0;
}

static size_t on_body(char *bytes, size_t size, size_t count, void *context)
{
    struct exchange *x = context;
    struct error err = {0};
    x->answered = true;
    if (buffer_append(&x->response->body, bytes, size * count, &err) == 0)
        return size * count;
    x->refused = err.kind;
    return 0;
}

/* --- preparing an attempt --- */

static void free_header_list(struct curl_slist *list)
{
    for (struct curl_slist *at = list; at != NULL; at = at->next)
        wipe(at->data, strlen(at->data)); /* tokens and signatures */
    curl_slist_free_all(list);
}

static int add_line(struct curl_slist **list, const char *line, struct error *err)
{
    struct curl_slist *longer = curl_slist_append(*list, line);
    if (longer == NULL)
        return error_set(err, ERROR_MEMORY, "no memory for a header");
    *list = longer;
    return 0;
}

/* libcurl's spelling: "name: value", and "name;" for a header with no value. */
static int add_header(struct curl_slist **list, const struct http_header *header, struct error *err)
{
    bool empty = header->value[strspn(header->value, " \t")] == '\0';
    size_t size = strlen(header->name) + strlen(header->value) + sizeof ": ";
    char *line = malloc(size);
    if (line == NULL)
        return error_set(err, ERROR_MEMORY, "no memory for a header");
    (void)snprintf(line, size, "%s%s%s", header->name, empty ? ";" : ": ",
                   empty ? "" : header->value);
    int rc = add_line(list, line, err);
    wipe_string(line);
    return rc;
}

static bool has_header(const struct http_request *request, const char *name)
{
    for (size_t i = 0; i < request->header_count; i++)
        if (strcasecmp(request->headers[i].name, name) == 0)
            return true;
    return false;
}

/* What libcurl would add of its own accord is switched off by "name:". */
static int make_header_list(const struct http_request *request, struct curl_slist **list,
                            struct error *err)
{
    static const char *const unasked[] = {"Expect", "Accept", "Content-Type"};
    for (size_t i = 0; i < request->header_count; i++)
        if (add_header(list, &request->headers[i], err) != 0)
            return -1;
    for (size_t i = 0; i < sizeof unasked / sizeof unasked[0]; i++) {
        char line[32];
        (void)snprintf(line, sizeof line, "%s:", unasked[i]);
        if (!has_header(request, unasked[i]) && add_line(list, line, err) != 0)
            return -1;
    }
    return 0;
}

static unsigned set_trust(const struct http_wire *wire)
{
    CURL *easy = wire->easy;
    unsigned bad = 0;
    bad |= curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
    bad |= curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L);
    bad |= curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    bad |= curl_easy_setopt(easy, CURLOPT_CA_CACHE_TIMEOUT, -1L);
    const char *file = wire->options.ca_file;
    bool amazon = file == NULL && wire->options.trust == HTTP_TRUST_AMAZON && !wire->use_bundle;
    if (file == NULL && !amazon)
        file = wire->system_bundle;
    if (file != NULL)
        bad |= curl_easy_setopt(easy, CURLOPT_CAINFO, file);
    if (amazon) {
        struct curl_blob roots = {.data = (void *)(uintptr_t)roots_amazon_pem,
                                  .len = strlen(roots_amazon_pem),
                                  .flags = CURL_BLOB_NOCOPY};
        bad |= curl_easy_setopt(easy, CURLOPT_CAINFO_BLOB, &roots);
    }
    if (file != NULL || amazon) /* a directory built into libcurl would vouch for more */
        bad |= curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
    return bad;
}

static unsigned set_callbacks(struct exchange *x)
{
    CURL *easy = x->wire->easy;
    unsigned bad = 0;
    bad |= curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, x->detail);
    bad |= curl_easy_setopt(easy, CURLOPT_SOCKOPTFUNCTION, on_socket);
    bad |= curl_easy_setopt(easy, CURLOPT_SOCKOPTDATA, x);
    bad |= curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, on_ready);
    bad |= curl_easy_setopt(easy, CURLOPT_PREREQDATA, x);
    bad |= curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
    bad |= curl_easy_setopt(easy, CURLOPT_HEADERDATA, x);
    bad |= curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    bad |= curl_easy_setopt(easy, CURLOPT_WRITEDATA, x);
    return bad;
}

static unsigned set_limits(const struct exchange *x)
{
    CURL *easy = x->wire->easy;
    const struct http_request *request = x->job->request;
    int64_t left_ns =
        x->job->deadline_ns == TURN_NO_DEADLINE ? 0 : x->job->deadline_ns - turn_clock_ns();
    long whole_ms = x->job->deadline_ns == TURN_NO_DEADLINE ? 0 : milliseconds(left_ns);
    /* 0 means five minutes to libcurl, which is fine when there is no limit at all. */
    long connect_ms = whole_ms;
    if (request->connect_timeout_ns > 0)
        connect_ms = milliseconds(request->connect_timeout_ns);
    unsigned bad = 0;
    bad |= curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, whole_ms);
    bad |= curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, connect_ms);
    curl_off_t most = request->max_body < INT64_MAX ? (curl_off_t)request->max_body : INT64_MAX;
    bad |= curl_easy_setopt(easy, CURLOPT_MAXFILESIZE_LARGE, most);
    return bad;
}

static unsigned set_request(const struct exchange *x)
{
    CURL *easy = x->wire->easy;
    const struct http_request *request = x->job->request;
    bool post = request->body != NULL || strcmp(request->method, "POST") == 0;
    const char *body = request->body != NULL ? request->body : "";
    size_t length = request->body != NULL ? request->body_length : 0;
    unsigned bad = 0;
    bad |= curl_easy_setopt(easy, CURLOPT_URL, request->url);
    bad |= curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);
    bad |= curl_easy_setopt(easy, CURLOPT_HTTPHEADER, x->header_list);
    bad |= curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L);
    if (post) {
        bad |= curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)length);
        bad |= curl_easy_setopt(easy, CURLOPT_POSTFIELDS, body);
    }
    if (strcmp(request->method, post ? "POST" : "GET") != 0)
        bad |= curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request->method);
    return bad;
}

/* What holds for every exchange. */
static unsigned set_manners(const struct http_wire *wire)
{
    CURL *easy = wire->easy;
    unsigned bad = 0;
    bad |= curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    /* A name being looked up is not waited for when the time is over. */
    bad |= curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
    bad |= curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    bad |= curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    bad |= curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    bad |= curl_easy_setopt(easy, CURLOPT_DISALLOW_USERNAME_IN_URL, 1L);
    bad |= curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    if (wire->options.user_agent != NULL)
        bad |= curl_easy_setopt(easy, CURLOPT_USERAGENT, wire->options.user_agent);
    if (wire->options.no_proxy) {
        bad |= curl_easy_setopt(easy, CURLOPT_PROXY, "");
        bad |= curl_easy_setopt(easy, CURLOPT_NOPROXY, "*");
    }
    return bad;
}

/* --- attempts --- */

/* A handle that is taken out with CONNECT_ONLY on takes its connection with it. */
static void take_out(const struct http_wire *wire, CURL *easy)
{
    (void)curl_easy_setopt(easy, CURLOPT_CONNECT_ONLY, 0L);
    (void)curl_multi_remove_handle(wire->multi, easy);
    curl_easy_reset(easy); /* lets go of what was borrowed */
}

/*
 * TLS 1.3 servers send session tickets after the handshake, and libcurl 8 takes an idle connection
 * with something to read for a broken one. So the handle that opened it holds it, and reads the
 * tickets, until there is a request for that host. A read that finds anything else, or the end,
 * makes it useless.
 */
static bool read_tickets(CURL *easy)
{
    char byte = 0;
    size_t count = 0;
    return curl_easy_recv(easy, &byte, 1, &count) == CURLE_AGAIN;
}

static void let_go(struct http_wire *wire, bool usable)
{
    take_out(wire, wire->parked);
    curl_easy_cleanup(wire->parked);
    wire->parked = NULL;
    if (!usable)
        http_wire_renew(wire);
}

static void unpark(struct http_wire *wire)
{
    if (wire->parked != NULL)
        let_go(wire, read_tickets(wire->parked));
}

static void park(struct http_wire *wire, const char *url)
{
    CURL *next = curl_easy_init();
    if (next == NULL) {
        take_out(wire, wire->easy);
        return;
    }
    wire->parked = wire->easy;
    wire->easy = next;
    host_of(url, wire->parked_host);
    if (!read_tickets(wire->parked))
        let_go(wire, false);
}

/* How long the loop below may wait for the network before it looks around. */
static int patience_ms(const struct exchange *x)
{
    int longest_ms = x->job->connect_only ? STOP_CHECK_MS : 1000;
    if (x->read_by_ns == TURN_NO_DEADLINE)
        return longest_ms;
    long left_ms = milliseconds(x->read_by_ns - turn_clock_ns());
    return left_ms < longest_ms ? (int)left_ms : longest_ms;
}

static CURLcode perform(const struct exchange *x)
{
    CURLM *multi = x->wire->multi;
    CURL *easy = x->wire->easy;
    CURLcode code = CURLE_ABORTED_BY_CALLBACK;
    int running = 1;
    int messages = 0;
    if (curl_multi_add_handle(multi, easy) != CURLM_OK)
        return CURLE_FAILED_INIT;
    while (running > 0 && !atomic_load(x->job->stop)) {
        if (curl_multi_perform(multi, &running) != CURLM_OK)
            break;
        bool late = x->read_by_ns <= turn_clock_ns();
        if (running > 0 && late)
            code = CURLE_OPERATION_TIMEDOUT;
        if (running > 0 &&
            (late || curl_multi_poll(multi, NULL, 0, patience_ms(x), NULL) != CURLM_OK))
            break;
    }
    CURLMsg *message = curl_multi_info_read(multi, &messages);
    if (message != NULL && message->msg == CURLMSG_DONE)
        code = message->data.result;
    (void)curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, NULL);
    bool hold = x->job->connect_only && code == CURLE_OK;
    if (hold)
        park(x->wire, x->job->request->url);
    if (!hold)
        take_out(x->wire, easy);
    return code;
}

static CURLcode attempt(struct exchange *x, bool fresh)
{
    x->opened = x->connected = x->in_block = x->answered = false;
    x->status = 0;
    x->read_by_ns = TURN_NO_DEADLINE;
    x->refused = ERROR_NONE;
    x->detail[0] = '\0';
    buffer_clear(&x->response->headers);
    buffer_clear(&x->response->body);
    curl_easy_reset(x->wire->easy);
    unsigned bad = set_manners(x->wire) | set_trust(x->wire) | set_callbacks(x) | set_request(x) |
                   set_limits(x);
    bad |= curl_easy_setopt(x->wire->easy, CURLOPT_FRESH_CONNECT, fresh ? 1L : 0L);
    return bad == 0 ? perform(x) : CURLE_OUT_OF_MEMORY;
}

/*
 * A kept connection that turns out dead is nobody's failure, so it costs no retry. libcurl tries
 * again itself unless a whole line has been answered, except when it finds out in the middle of
 * sending a body.
 */
static bool found_dead(const struct exchange *x, CURLcode code)
{
    bool cut = code == CURLE_SEND_ERROR || code == CURLE_RECV_ERROR || code == CURLE_GOT_NOTHING;
    return cut && x->connected && !x->opened && !x->answered;
}

static CURLcode attempts(struct exchange *x)
{
    struct http_wire *wire = x->wire;
    CURLcode code = attempt(x, false);
    bool other_roots = wire->options.trust == HTTP_TRUST_AMAZON && wire->options.ca_file == NULL &&
                       !wire->use_bundle && wire->system_bundle != NULL;
    if (code == CURLE_PEER_FAILED_VERIFICATION && other_roots) {
        wire->use_bundle = true;
        code = attempt(x, false);
    }
    if (found_dead(x, code))
        code = attempt(x, true);
    return code;
}

static enum error_kind kind_of(const struct exchange *x, CURLcode code)
{
    if (x->refused == ERROR_MEMORY)
        return ERROR_MEMORY;
    if (x->refused != ERROR_NONE)
        return ERROR_BAD_ANSWER;
    switch (code) {
    case CURLE_OPERATION_TIMEDOUT:
        return x->connected ? ERROR_READ_TIMEOUT : ERROR_CONNECTION;
    case CURLE_OUT_OF_MEMORY: /* libcurl says so of a header line above its own ceiling, too */
        return x->connected && x->status == 0 ? ERROR_BAD_ANSWER : ERROR_MEMORY;
    case CURLE_UNSUPPORTED_PROTOCOL: /* of an answer that is no HTTP/1.x, too */
        return x->connected ? ERROR_BAD_ANSWER : ERROR_CONNECTION;
    case CURLE_FAILED_INIT:
        return ERROR_MEMORY;
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
        return ERROR_UNTRUSTED;
#if LIBCURL_VERSION_NUM >= 0x080600
    case CURLE_TOO_LARGE:
#endif
    case CURLE_FILESIZE_EXCEEDED:
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_BAD_CONTENT_ENCODING:
    case CURLE_TOO_MANY_REDIRECTS:
        return ERROR_BAD_ANSWER;
    default:
        return ERROR_CONNECTION;
    }
}

static int conclude(const struct exchange *x, CURLcode code, struct error *err)
{
    char host[HOST_SIZE];
    host_of(x->job->request->url, host);
    x->response->status = x->status;
    if (code == CURLE_OK && (x->status != 0 || x->job->connect_only))
        return 0;
    if (code == CURLE_OK)
        return error_set(err, ERROR_CONNECTION, "%s: closed without an answer", host);
    enum error_kind kind = kind_of(x, code);
    if (x->refused != ERROR_NONE || code == CURLE_FILESIZE_EXCEEDED)
        return error_set(err, kind,
                         "%s: the answer has more than %d bytes of headers or %zu of body", host,
                         HTTP_HEADERS_MAX, x->job->request->max_body);
    if (kind == ERROR_BAD_ANSWER)
        return error_set(err, kind, "%s: this is no HTTP (%s)", host, curl_easy_strerror(code));
    /* libcurl's own text names hosts and certificates; once connected it might quote the answer. */
    bool detailed = !x->connected && x->detail[0] != '\0';
    return error_set(err, kind, "%s: %s", host, detailed ? x->detail : curl_easy_strerror(code));
}

static void empty(struct http_response *response, size_t max_body)
{
    response->status = 0;
    response->headers.ceiling = HTTP_HEADERS_MAX;
    response->body.ceiling = max_body;
    buffer_clear(&response->headers);
    buffer_clear(&response->body);
}

int http_wire_run(struct http_wire *wire, const struct http_wire_job *job,
                  struct http_response *response, struct error *err)
{
    struct exchange x = {.wire = wire, .job = job, .response = response};
    char host[HOST_SIZE];
    host_of(job->request->url, host);
    if (job->connect_only || strcmp(host, wire->parked_host) == 0)
        unpark(wire);
    empty(response, job->request->max_body);
    int rc = make_header_list(job->request, &x.header_list, err);
    if (rc == 0)
        rc = conclude(&x, attempts(&x), err);
    free_header_list(x.header_list);
    if (rc != 0)
        empty(response, job->request->max_body);
    return rc;
}

/* --- the handles --- */

int http_global_init(struct error *err)
{
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        return error_set(err, ERROR_MEMORY, "libcurl does not start");
    (void)signal(SIGPIPE, SIG_IGN); /* a write to a closed connection is an error, not the end */
    return 0;
}

void http_global_free(void)
{
    curl_global_cleanup();
}

struct http_wire *http_wire_new(const struct http_options *options, struct error *err)
{
    if (options->ca_file != NULL && access(options->ca_file, R_OK) != 0) {
        (void)error_set(err, ERROR_CONFIG, "AWS_CA_BUNDLE is \"%.128s\", which cannot be read",
                        options->ca_file);
        return NULL;
    }
    struct http_wire *wire = calloc(1, sizeof *wire);
    if (wire == NULL) {
        (void)error_set(err, ERROR_MEMORY, "no memory for an HTTP client");
        return NULL;
    }
    wire->options = *options;
    wire->system_bundle = roots_system_bundle();
    wire->multi = curl_multi_init();
    wire->easy = curl_easy_init();
    if (wire->multi != NULL && wire->easy != NULL)
        return wire;
    (void)error_set(err, ERROR_MEMORY, "libcurl gives no handle");
    http_wire_free(wire);
    return NULL;
}

void http_wire_free(struct http_wire *wire)
{
    if (wire == NULL)
        return;
    if (wire->parked != NULL)
        take_out(wire, wire->parked);
    curl_easy_cleanup(wire->parked);
    curl_easy_cleanup(wire->easy);
    (void)curl_multi_cleanup(wire->multi);
    free(wire);
}

/* libcurl has no other way than a new pool. Without memory the old one stays. */
void http_wire_renew(struct http_wire *wire)
{
    unpark(wire);
    CURLM *multi = curl_multi_init();
    if (multi == NULL)
        return;
    (void)curl_multi_cleanup(wire->multi);
    wire->multi = multi;
}
