#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "aws/http.h"
#include "base/os.h"
#include "tests/support/loopback.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define TIMEOUT_NS   (20 * NS_PER_S)   /* of what must succeed */
#define SHORT_NS     (300 * NS_PER_MS) /* of what must run out */
#define BODY_MAX     65536
#define OK_REPLY     "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

/* --- helpers --- */

static struct http *new_client(const struct http_options *options)
{
    struct error err = {0};
    struct http *http = http_new(options, &err);
    assert_non_null(http);
    return http;
}

static struct http *new_plain_client(void)
{
    return new_client(&(struct http_options){.user_agent = "test/1", .no_proxy = true});
}

static struct loopback *serve(const struct loopback_script *scripts, size_t count,
                              struct loopback_tls *tls)
{
    return loopback_start(
        &(struct loopback_options){.scripts = scripts, .count = count, .tls = tls});
}

struct outcome {
    int rc;
    struct error err;
    struct http_response response;
};

static struct outcome send_with(struct http *http, const struct http_request *request)
{
    struct outcome outcome = {0};
    struct http_transport transport = http_transport(http);
    outcome.rc = http_send(&transport, request, &outcome.response, &outcome.err);
    return outcome;
}

static struct outcome get(struct http *http, const char *url, int64_t timeout_ns)
{
    struct http_request request = {
        .method = "GET", .url = url, .timeout_ns = timeout_ns, .max_body = BODY_MAX};
    return send_with(http, &request);
}

/* Sends and expects 200. */
static void get_ok(struct http *http, const char *url)
{
    struct outcome outcome = get(http, url, TIMEOUT_NS);
    if (outcome.rc != 0)
        fail_msg("%s", outcome.err.text);
    assert_int_equal(outcome.response.status, 200);
    http_response_free(&outcome.response);
}

static void get_fails(struct http *http, const char *url, int64_t timeout_ns, enum error_kind kind)
{
    struct outcome outcome = get(http, url, timeout_ns);
    assert_int_equal(outcome.rc, -1);
    assert_string_equal(error_word(outcome.err.kind), error_word(kind));
    assert_int_equal(outcome.response.status, 0);
    assert_int_equal(outcome.response.body.length, 0);
    http_response_free(&outcome.response);
}

/* --- answers --- */

struct answer_case {
    const char *name;
    struct loopback_reply reply;
    int status; /* 0: fails with `kind` */
    const char *headers;
    const char *body;
    enum error_kind kind;
    size_t max_body; /* 0: BODY_MAX */
};

/* clang-format off */
static const struct answer_case answer_cases[] = {
{"a body with a length", {.bytes = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-A: b\r\n\r\nhello"},
 .status = 200, .headers = "Content-Length: 5\nX-A: b\n", .body = "hello"},
{"a body byte by byte", {.bytes = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", .piece = 1},
 .status = 200, .headers = "Content-Length: 5\n", .body = "hello"},
{"chunks", {.bytes = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n"},
 .status = 200, .headers = "Transfer-Encoding: chunked\n", .body = "hello"},
{"chunks byte by byte", {.bytes = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nh\r\n4;x=y\r\nello\r\n0\r\n\r\n", .piece = 1},
 .status = 200, .headers = "Transfer-Encoding: chunked\n", .body = "hello"},
{"chunks in pieces of seven", {.bytes = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0005\r\nhello\r\n0\r\n\r\n", .piece = 7},
 .status = 200, .headers = "Transfer-Encoding: chunked\n", .body = "hello"},
{"trailers are not headers", {.bytes = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nX-Late: yes\r\n\r\n"},
 .status = 200, .headers = "Transfer-Encoding: chunked\n", .body = "ok"},
{"the body ends with the connection", {.bytes = "HTTP/1.1 200 OK\r\n\r\nhello", .then = LOOPBACK_CLOSE},
 .status = 200, .headers = "", .body = "hello"},
{"HTTP/1.0", {.bytes = "HTTP/1.0 200 OK\r\nA: b\r\n\r\nhello", .then = LOOPBACK_CLOSE}, .status = 200, .headers = "A: b\n", .body = "hello"},
{"no body", {.bytes = "HTTP/1.1 204 No Content\r\n\r\n"}, .status = 204, .headers = "", .body = ""},
{"an empty body", {.bytes = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"}, .status = 200, .headers = "Content-Length: 0\n", .body = ""},
{"100 Continue comes first", {.bytes = "HTTP/1.1 100 Continue\r\n\r\n" OK_REPLY}, .status = 200, .headers = "Content-Length: 2\n", .body = "ok"},
{"hints come first", {.bytes = "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 102 Processing\r\nA: b\r\n\r\n" OK_REPLY},
 .status = 200, .headers = "Content-Length: 2\n", .body = "ok"},
{"a throttle", {.bytes = "HTTP/1.1 429 Too Many Requests\r\nContent-Length: 2\r\n\r\n{}"}, .status = 429, .headers = "Content-Length: 2\n", .body = "{}"},
{"a server fault", {.bytes = "HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n"}, .status = 500, .headers = "Content-Length: 0\n", .body = ""},
{"a redirection is not followed", {.bytes = "HTTP/1.1 302 Found\r\nLocation: /there\r\nContent-Length: 0\r\n\r\n"},
 .status = 302, .headers = "Location: /there\nContent-Length: 0\n", .body = ""},
{"an empty header", {.bytes = "HTTP/1.1 200 OK\r\nX-Empty:\r\nContent-Length: 0\r\n\r\n"}, .status = 200, .headers = "X-Empty:\nContent-Length: 0\n", .body = ""},
{"bare line feeds", {.bytes = "HTTP/1.1 200 OK\nContent-Length: 2\n\nok"}, .status = 200, .headers = "Content-Length: 2\n", .body = "ok"},
{"the body is as large as may be", {.bytes = OK_REPLY}, .status = 200, .headers = "Content-Length: 2\n", .body = "ok", .max_body = 2},
{"the body is longer than may be", {.bytes = OK_REPLY}, .kind = ERROR_BAD_ANSWER, .max_body = 1},
{"chunks are more than may be", {.bytes = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n1\r\nb\r\n0\r\n\r\n"},
 .kind = ERROR_BAD_ANSWER, .max_body = 1},
{"an endless body", {.bytes = "HTTP/1.1 200 OK\r\n\r\n", .filler = 1 << 20, .then = LOOPBACK_HANG}, .kind = ERROR_BAD_ANSWER},
{"an endless header", {.bytes = "HTTP/1.1 200 OK\r\nA: ", .filler = 1 << 20, .then = LOOPBACK_HANG}, .kind = ERROR_BAD_ANSWER},
{"no HTTP", {.bytes = "SSH-2.0-OpenSSH_9.2 and so on\r\n\r\n", .then = LOOPBACK_CLOSE}, .kind = ERROR_BAD_ANSWER},
{"the body is cut", {.bytes = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel", .then = LOOPBACK_CLOSE}, .kind = ERROR_CONNECTION},
{"the chunks are cut", {.bytes = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", .then = LOOPBACK_CLOSE}, .kind = ERROR_CONNECTION},
{"a chunk is cut", {.bytes = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel", .then = LOOPBACK_CLOSE}, .kind = ERROR_CONNECTION},
{"the headers are cut", {.bytes = OK_REPLY, .length = 30, .then = LOOPBACK_CLOSE}, .kind = ERROR_CONNECTION},
{"the status line is cut", {.bytes = OK_REPLY, .length = 10, .then = LOOPBACK_CLOSE}, .kind = ERROR_CONNECTION},
{"nothing is answered", {.then = LOOPBACK_CLOSE}, .kind = ERROR_CONNECTION},
{"the connection is reset", {.then = LOOPBACK_RESET}, .kind = ERROR_CONNECTION},
{"only an interim answer", {.bytes = "HTTP/1.1 100 Continue\r\n\r\n", .then = LOOPBACK_CLOSE}, .kind = ERROR_CONNECTION},
};
/* clang-format on */

static void check_answer(const struct answer_case *c)
{
    struct loopback_script script = {.replies = {c->reply}, .count = 1};
    struct loopback *server = serve(&script, 1, NULL);
    struct http *http = new_plain_client();
    struct http_request request = {.method = "GET",
                                   .url = loopback_url(server),
                                   .timeout_ns = TIMEOUT_NS,
                                   .max_body = c->max_body > 0 ? c->max_body : BODY_MAX};
    struct outcome outcome = send_with(http, &request);
    print_message("%s: %s\n", c->name, outcome.rc == 0 ? "answered" : outcome.err.text);
    assert_int_equal(outcome.response.status, c->status);
    assert_int_equal(outcome.rc, c->status != 0 ? 0 : -1);
    if (c->status == 0) {
        assert_string_equal(error_word(outcome.err.kind), error_word(c->kind));
        assert_int_equal(loopback_connections(server), 1); /* nothing new is tried twice */
    } else {
        struct buffer *headers = &outcome.response.headers;
        assert_string_equal(headers->data != NULL ? headers->data : "", c->headers);
        assert_int_equal(outcome.response.body.length, strlen(c->body));
        assert_memory_equal(outcome.response.body.data, c->body, strlen(c->body));
    }
    http_response_free(&outcome.response);
    http_free(http);
    loopback_stop(server);
}

static void answers_are_read_to_their_end(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(answer_cases); i++)
        check_answer(&answer_cases[i]);
}

static void many_headers_above_the_ceiling_are_a_bad_answer(void **state)
{
    (void)state;
    struct buffer reply;
    buffer_init(&reply, 1 << 20);
    assert_int_equal(buffer_append_string(&reply, "HTTP/1.1 200 OK\r\n", NULL), 0);
    while (reply.length < 2 * HTTP_HEADERS_MAX)
        assert_int_equal(buffer_append_string(&reply, "X-Name: some value\r\n", NULL), 0);
    assert_int_equal(buffer_append_string(&reply, "Content-Length: 0\r\n\r\n", NULL), 0);
    struct answer_case c = {
        .name = "many headers", .reply = {.bytes = reply.data}, .kind = ERROR_BAD_ANSWER};
    check_answer(&c);
    buffer_free(&reply);
}

static void a_body_may_hold_any_bytes_in_any_chunks(void **state)
{
    (void)state;
    static const char body[] = "It was the best of times, it was the worst of times";
    for (size_t chunk = 1; chunk < sizeof body; chunk += 3) {
        struct buffer reply;
        buffer_init(&reply, 1 << 20);
        assert_int_equal(buffer_append_string(
                             &reply, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", NULL),
                         0);
        loopback_chunk(&reply, body, chunk);
        struct answer_case c = {.name = "chunks",
                                .reply = {.bytes = reply.data, .piece = chunk + 1},
                                .status = 200,
                                .headers = "Transfer-Encoding: chunked\n",
                                .body = body};
        check_answer(&c);
        buffer_free(&reply);
    }
}

static void a_failure_says_what_happened_without_payloads(void **state)
{
    (void)state;
    struct loopback_script script = {
        .replies = {{.bytes = "SECRET SECRET\r\n\r\n", .then = LOOPBACK_CLOSE}}, .count = 1};
    struct loopback *server = serve(&script, 1, NULL);
    struct http *http = new_plain_client();
    struct outcome outcome = get(http, loopback_url(server), TIMEOUT_NS);
    assert_int_equal(outcome.rc, -1);
    assert_non_null(strstr(outcome.err.text, strstr(loopback_url(server), "127.0.0.1")));
    assert_null(strstr(outcome.err.text, "SECRET"));
    http_response_free(&outcome.response);

    char url[100];
    (void)snprintf(url, sizeof url, "http://user:SECRET@%s/",
                   loopback_url(server) + strlen("http://"));
    outcome = get(http, url, TIMEOUT_NS);
    assert_int_equal(loopback_requests(server), 1);
    assert_int_equal(outcome.rc, -1);
    assert_int_equal(outcome.err.kind, ERROR_CONNECTION);
    assert_null(strstr(outcome.err.text, "SECRET"));
    http_response_free(&outcome.response);
    http_free(http);
    loopback_stop(server);
}

/* --- requests --- */

static const struct loopback_script always_ok = {.replies = {{.bytes = OK_REPLY}}, .count = 1};

static void a_request_goes_out_as_it_was_given(void **state)
{
    (void)state;
    struct loopback *server = serve(&always_ok, 1, NULL);
    struct http *http = new_plain_client();
    char url[200];
    (void)snprintf(url, sizeof url, "%s/model/a%%3A0%%2fb/../x/./invoke?b=2&a=%%7e",
                   loopback_url(server));
    struct http_header headers[] = {{"Content-Type", "application/json"}, {"X-Empty", ""}};
    struct http_request request = {.method = "POST",
                                   .url = url,
                                   .headers = headers,
                                   .header_count = COUNT(headers),
                                   .body = "{\"a\":1}",
                                   .body_length = 7,
                                   .timeout_ns = TIMEOUT_NS,
                                   .max_body = BODY_MAX};
    struct outcome outcome = send_with(http, &request);
    assert_int_equal(outcome.rc, 0);
    char expected[500];
    (void)snprintf(expected, sizeof expected,
                   "POST /model/a%%3A0%%2fb/../x/./invoke?b=2&a=%%7e HTTP/1.1\r\nHost: %s\r\n"
                   "User-Agent: test/1\r\nContent-Type: application/json\r\nX-Empty:\r\n"
                   "Content-Length: 7\r\n\r\n{\"a\":1}",
                   loopback_url(server) + strlen("http://"));
    assert_string_equal(loopback_request(server, 0), expected);
    http_response_free(&outcome.response);
    http_free(http);
    loopback_stop(server);
}

static void nothing_is_added_to_a_request_without_headers(void **state)
{
    (void)state;
    struct loopback *server = serve(&always_ok, 1, NULL);
    struct http *http = new_client(&(struct http_options){.no_proxy = true});
    static const char *const methods[] = {"GET", "POST"};
    for (size_t i = 0; i < COUNT(methods); i++) {
        struct http_request request = {.method = methods[i],
                                       .url = loopback_url(server),
                                       .timeout_ns = TIMEOUT_NS,
                                       .max_body = BODY_MAX};
        struct outcome outcome = send_with(http, &request);
        assert_int_equal(outcome.rc, 0);
        char expected[200];
        (void)snprintf(expected, sizeof expected, "%s / HTTP/1.1\r\nHost: %s\r\n%s\r\n", methods[i],
                       loopback_url(server) + strlen("http://"),
                       i == 1 ? "Content-Length: 0\r\n" : "");
        assert_string_equal(loopback_request(server, i), expected);
        http_response_free(&outcome.response);
    }
    http_free(http);
    loopback_stop(server);
}

static void a_large_body_does_not_wait_for_continue(void **state)
{
    (void)state;
    static char body[6 << 20];
    memset(body, 'a', sizeof body);
    struct loopback *server = serve(&always_ok, 1, NULL);
    struct http *http = new_plain_client();
    struct http_request request = {.method = "POST",
                                   .url = loopback_url(server),
                                   .body = body,
                                   .body_length = sizeof body,
                                   .timeout_ns = TIMEOUT_NS,
                                   .max_body = BODY_MAX};
    struct outcome outcome = send_with(http, &request);
    assert_int_equal(outcome.rc, 0);
    const char *sent = loopback_request(server, 0);
    assert_null(strstr(sent, "Expect"));
    assert_non_null(strstr(sent, "Content-Length: 6291456\r\n"));
    assert_int_equal(strlen(strstr(sent, "\r\n\r\n") + 4), sizeof body);
    http_response_free(&outcome.response);
    http_free(http);
    loopback_stop(server);
}

static void proxies_of_the_environment_are_used_unless_told_not_to(void **state)
{
    (void)state;
    struct loopback *proxy = serve(&always_ok, 1, NULL);
    struct loopback *server = serve(&always_ok, 1, NULL);
    assert_int_equal(setenv("http_proxy", loopback_url(proxy), 1), 0);
    for (int direct = 0; direct <= 1; direct++) {
        struct http *http = new_client(&(struct http_options){.no_proxy = direct != 0});
        get_ok(http, loopback_url(server));
        http_free(http);
        assert_int_equal(loopback_requests(proxy), 1);
        assert_int_equal(loopback_requests(server), direct);
    }
    assert_int_equal(unsetenv("http_proxy"), 0);
    loopback_stop(server);
    loopback_stop(proxy);
}

static void other_protocols_are_refused(void **state)
{
    (void)state;
    static const char *const urls[] = {"file:///etc/hostname", "ftp://127.0.0.1:1/", "127.0.0.1:1",
                                       "http://[::zz]/", ""};
    struct http *http = new_plain_client();
    for (size_t i = 0; i < COUNT(urls); i++)
        get_fails(http, urls[i], TIMEOUT_NS, ERROR_CONNECTION);
    http_free(http);
}

/* --- connections --- */

static void a_connection_is_kept(void **state)
{
    (void)state;
    struct loopback_script script = {
        .replies = {{.bytes = OK_REPLY},
                    {.bytes = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
                    {.bytes = OK_REPLY}},
        .count = 3};
    struct loopback *server = serve(&script, 1, NULL);
    struct http *http = new_plain_client();
    for (int i = 0; i < 4; i++)
        get_ok(http, loopback_url(server));
    assert_int_equal(loopback_connections(server), 1);
    assert_int_equal(loopback_requests(server), 4);
    http_free(http);
    loopback_stop(server);
}

static void dropped_connections_are_not_used_again(void **state)
{
    (void)state;
    struct loopback *server = serve(&always_ok, 1, NULL);
    struct http *http = new_plain_client();
    get_ok(http, loopback_url(server));
    http_drop_connections(http);
    get_ok(http, loopback_url(server));
    assert_int_equal(loopback_connections(server), 2);
    http_free(http);
    loopback_stop(server);
}

static void a_connection_closed_while_idle_is_opened_anew(void **state)
{
    (void)state;
    struct loopback_script scripts[] = {
        {.replies = {{.bytes = OK_REPLY, .then = LOOPBACK_CLOSE}}, .count = 1}, always_ok};
    struct loopback *server = serve(scripts, COUNT(scripts), NULL);
    struct http *http = new_plain_client();
    get_ok(http, loopback_url(server));
    loopback_wait_for_closed(server, 1);
    get_ok(http, loopback_url(server));
    assert_int_equal(loopback_connections(server), 2);
    assert_int_equal(loopback_requests(server), 2);
    http_free(http);
    loopback_stop(server);
}

/* A connection that answers once and then ends as `second` says; fresh ones are as `then`. */
struct dead_case {
    const char *name;
    struct loopback_reply second;
    struct loopback_script then;
    size_t body_length;
    int status; /* 0: ERROR_CONNECTION */
    size_t connections;
    size_t requests;
};

static char large_body[8 << 20];

/* clang-format off */
static const struct dead_case dead_cases[] = {
{"closed after reading the request", {.then = LOOPBACK_CLOSE}, {.replies = {{.bytes = OK_REPLY}}, .count = 1}, 10, 200, 2, 3},
{"reset after reading the request", {.then = LOOPBACK_RESET}, {.replies = {{.bytes = OK_REPLY}}, .count = 1}, 10, 200, 2, 3},
{"closed in the middle of a large body", {.early = true, .then = LOOPBACK_CLOSE}, {.replies = {{.bytes = OK_REPLY}}, .count = 1}, sizeof large_body, 200, 2, 3},
{"reset in the middle of a large body", {.early = true, .then = LOOPBACK_RESET}, {.replies = {{.bytes = OK_REPLY}}, .count = 1}, sizeof large_body, 200, 2, 3},
{"the second connection closes too", {.then = LOOPBACK_CLOSE}, {.replies = {{.then = LOOPBACK_CLOSE}}, .count = 1}, 10, 0, 2, 3},
{"the second connection is reset too", {.then = LOOPBACK_RESET}, {.replies = {{.then = LOOPBACK_RESET}}, .count = 1}, 10, 0, 2, 3},
{"the second connection is reset too, large body", {.early = true, .then = LOOPBACK_RESET}, {.replies = {{.early = true, .then = LOOPBACK_RESET}}, .count = 1}, sizeof large_body, 0, 2, 3},
{"closed after the status line", {.bytes = OK_REPLY, .length = 17, .then = LOOPBACK_CLOSE}, {.replies = {{.bytes = OK_REPLY}}, .count = 1}, 10, 0, 1, 2},
{"closed after an interim answer", {.bytes = "HTTP/1.1 100 Continue\r\n\r\n", .then = LOOPBACK_CLOSE}, {.replies = {{.bytes = OK_REPLY}}, .count = 1}, 10, 0, 1, 2},
{"reset in the middle of the answer", {.bytes = OK_REPLY, .length = 39, .then = LOOPBACK_CLOSE}, {.replies = {{.bytes = OK_REPLY}}, .count = 1}, 10, 0, 1, 2},
};
/* clang-format on */

static void check_dead(const struct dead_case *c, struct loopback_tls *tls)
{
    struct loopback_script scripts[] = {{.replies = {{.bytes = OK_REPLY}, c->second}, .count = 2},
                                        c->then};
    struct loopback *server = serve(scripts, COUNT(scripts), tls);
    struct http *http =
        new_client(&(struct http_options){.ca_file = tls != NULL ? tls->ca_file : NULL});
    get_ok(http, loopback_url(server));
    struct http_request request = {.method = "POST",
                                   .url = loopback_url(server),
                                   .body = large_body,
                                   .body_length = c->body_length,
                                   .timeout_ns = TIMEOUT_NS,
                                   .max_body = BODY_MAX};
    struct outcome outcome = send_with(http, &request);
    print_message("%s: %s\n", c->name, outcome.rc == 0 ? "answered" : outcome.err.text);
    assert_int_equal(outcome.response.status, c->status);
    if (c->status == 0)
        assert_int_equal(outcome.err.kind, ERROR_CONNECTION);
    assert_int_equal(loopback_connections(server), c->connections);
    assert_int_equal(loopback_requests(server), c->requests);
    http_response_free(&outcome.response);
    http_free(http);
    loopback_stop(server);
}

static void a_reused_dead_connection_is_tried_once_more(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(dead_cases); i++)
        check_dead(&dead_cases[i], NULL);
}

static void a_reused_dead_tls_connection_is_tried_once_more(void **state)
{
    (void)state;
    struct loopback_tls tls;
    loopback_tls_init(&tls, "IP:127.0.0.1");
    for (size_t i = 0; i < COUNT(dead_cases); i++)
        check_dead(&dead_cases[i], &tls);
    loopback_tls_free(&tls);
}

/* --- time --- */

static void a_server_that_does_not_answer_is_a_read_timeout(void **state)
{
    (void)state;
    static const struct loopback_reply silences[] = {
        {.then = LOOPBACK_HANG},
        {.bytes = OK_REPLY, .length = 10, .then = LOOPBACK_HANG},
        {.bytes = OK_REPLY, .length = 39, .then = LOOPBACK_HANG},
        {.bytes = "HTTP/1.1 100 Continue\r\n\r\n", .then = LOOPBACK_HANG},
    };
    for (size_t i = 0; i < COUNT(silences); i++) {
        struct loopback_script script = {.replies = {silences[i]}, .count = 1};
        struct loopback *server = serve(&script, 1, NULL);
        struct http *http = new_plain_client();
        get_fails(http, loopback_url(server), SHORT_NS, ERROR_READ_TIMEOUT);
        assert_int_equal(loopback_connections(server), 1);
        http_free(http);
        loopback_stop(server);
    }
}

static void a_kept_connection_that_does_not_answer_is_a_read_timeout(void **state)
{
    (void)state;
    struct loopback_script script = {.replies = {{.bytes = OK_REPLY}, {.then = LOOPBACK_HANG}},
                                     .count = 2};
    struct loopback *server = serve(&script, 1, NULL);
    struct http *http = new_plain_client();
    get_ok(http, loopback_url(server));
    get_fails(http, loopback_url(server), SHORT_NS, ERROR_READ_TIMEOUT);
    assert_int_equal(loopback_connections(server), 1);
    http_free(http);
    loopback_stop(server);
}

static void time_that_runs_out_while_connecting_is_a_connection_failure(void **state)
{
    (void)state;
    struct loopback_tls tls;
    loopback_tls_init(&tls, "IP:127.0.0.1");
    struct loopback_script mute = {.mute = true};
    struct loopback *server = serve(&mute, 1, &tls);
    struct http *http = new_client(&(struct http_options){.ca_file = tls.ca_file});
    get_fails(http, loopback_url(server), SHORT_NS, ERROR_CONNECTION);
    struct http_request request = {.method = "GET",
                                   .url = loopback_url(server),
                                   .connect_timeout_ns = SHORT_NS,
                                   .timeout_ns = TIMEOUT_NS,
                                   .max_body = BODY_MAX};
    struct outcome outcome = send_with(http, &request);
    assert_int_equal(outcome.rc, -1);
    assert_int_equal(outcome.err.kind, ERROR_CONNECTION);
    http_response_free(&outcome.response);
    http_free(http);
    loopback_stop(server);
    loopback_tls_free(&tls);
}

/* Were they rounded down to 0, which is "for ever" to libcurl, the test would hang. */
static void the_shortest_timeouts_are_still_timeouts(void **state)
{
    (void)state;
    static const int64_t timeouts_ns[] = {1, NS_PER_MS - 1, -1, INT64_MIN / 2};
    struct loopback_script script = {.replies = {{.then = LOOPBACK_HANG}}, .count = 1};
    struct loopback *server = serve(&script, 1, NULL);
    struct http *http = new_plain_client();
    for (size_t i = 0; i < COUNT(timeouts_ns); i++) {
        struct outcome outcome = get(http, loopback_url(server), timeouts_ns[i]);
        assert_int_equal(outcome.rc, -1);
        http_response_free(&outcome.response);
    }
    http_free(http);
    loopback_stop(server);
}

static void no_timeout_waits_for_the_answer(void **state)
{
    (void)state;
    struct loopback *server = serve(&always_ok, 1, NULL);
    struct http *http = new_plain_client();
    struct outcome outcome = get(http, loopback_url(server), 0);
    assert_int_equal(outcome.rc, 0);
    http_response_free(&outcome.response);
    http_free(http);
    loopback_stop(server);
}

static void a_refused_connection_is_a_connection_failure(void **state)
{
    (void)state;
    struct loopback *server = serve(&always_ok, 1, NULL);
    char url[64];
    (void)snprintf(url, sizeof url, "%s", loopback_url(server));
    loopback_stop(server);
    struct http *http = new_plain_client();
    get_fails(http, url, TIMEOUT_NS, ERROR_CONNECTION);
    http_free(http);
}

/* --- trust --- */

static void a_server_is_trusted_with_its_ca_file_only(void **state)
{
    (void)state;
    struct loopback_tls tls;
    struct loopback_tls other;
    loopback_tls_init(&tls, "IP:127.0.0.1");
    loopback_tls_init(&other, "IP:127.0.0.1");
    const struct {
        struct http_options options;
        bool trusted;
        size_t connections;
    } cases[] = {
        {{.ca_file = tls.ca_file}, true, 1},
        {{.ca_file = tls.ca_file, .trust = HTTP_TRUST_AMAZON}, true, 1},
        {{.ca_file = other.ca_file}, false, 1},
        {{.ca_file = other.ca_file, .trust = HTTP_TRUST_AMAZON}, false, 1},
        {{.ca_file = "/dev/null"}, false, 1},
        {{.trust = HTTP_TRUST_BUNDLE}, false, 1},
        {{.trust = HTTP_TRUST_AMAZON}, false, 2}, /* the Amazon roots, then the system's bundle */
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct loopback *server = serve(&always_ok, 1, &tls);
        struct http *http = new_client(&cases[i].options);
        if (cases[i].trusted)
            get_ok(http, loopback_url(server));
        if (!cases[i].trusted)
            get_fails(http, loopback_url(server), TIMEOUT_NS, ERROR_UNTRUSTED);
        assert_int_equal(loopback_requests(server), cases[i].trusted ? 1 : 0);
        assert_true(loopback_connections(server) <= cases[i].connections);
        http_free(http);
        loopback_stop(server);
    }
    loopback_tls_free(&other);
    loopback_tls_free(&tls);
}

static void the_systems_bundle_comes_after_the_amazon_roots_once(void **state)
{
    (void)state;
    struct loopback_tls tls;
    loopback_tls_init(&tls, "IP:127.0.0.1");
    struct loopback *server = serve(&always_ok, 1, &tls);
    struct http *http = new_client(&(struct http_options){.trust = HTTP_TRUST_AMAZON});
    get_fails(http, loopback_url(server), TIMEOUT_NS, ERROR_UNTRUSTED);
    loopback_wait_for_connections(server, 2);
    get_fails(http, loopback_url(server), TIMEOUT_NS, ERROR_UNTRUSTED);
    loopback_wait_for_connections(server, 3);
    assert_int_equal(loopback_connections(server), 3);
    http_free(http);
    loopback_stop(server);
    loopback_tls_free(&tls);
}

static void a_bundle_that_cannot_be_read_is_refused_at_the_start(void **state)
{
    (void)state;
    struct error err = {0};
    assert_null(http_new(&(struct http_options){.ca_file = "/nonexistent.pem"}, &err));
    assert_int_equal(err.kind, ERROR_CONFIG);
}

static void a_certificate_for_another_name_is_refused(void **state)
{
    (void)state;
    struct loopback_tls tls;
    loopback_tls_init(&tls, "DNS:elsewhere.example");
    struct loopback *server = serve(&always_ok, 1, &tls);
    struct http *http = new_client(&(struct http_options){.ca_file = tls.ca_file});
    get_fails(http, loopback_url(server), TIMEOUT_NS, ERROR_UNTRUSTED);
    assert_int_equal(loopback_requests(server), 0);
    http_free(http);
    loopback_stop(server);
    loopback_tls_free(&tls);
}

/* --- connecting ahead --- */

/* A request elsewhere waits for the connection being opened; so afterwards it is open. */
static void check_preconnect(struct loopback_tls *tls)
{
    struct loopback *server = serve(&always_ok, 1, tls);
    struct loopback *elsewhere = serve(&always_ok, 1, NULL);
    struct http *http =
        new_client(&(struct http_options){.ca_file = tls != NULL ? tls->ca_file : NULL});
    http_preconnect(http, loopback_url(server), TIMEOUT_NS);
    get_ok(http, loopback_url(elsewhere));
    loopback_wait_for_connections(server, 1);
    assert_int_equal(loopback_requests(server), 0);
    get_ok(http, loopback_url(server));
    get_ok(http, loopback_url(server));
    assert_int_equal(loopback_connections(server), 1);
    assert_int_equal(loopback_requests(server), 2);

    http_preconnect(http, loopback_url(server), TIMEOUT_NS); /* there is one already */
    get_ok(http, loopback_url(server));
    assert_int_equal(loopback_connections(server), 1);
    assert_int_equal(loopback_requests(server), 3);
    http_free(http);
    loopback_stop(elsewhere);
    loopback_stop(server);
}

static void a_connection_opened_ahead_carries_the_first_request(void **state)
{
    (void)state;
    check_preconnect(NULL);
}

static void a_tls_connection_opened_ahead_carries_the_first_request(void **state)
{
    (void)state;
    struct loopback_tls tls;
    loopback_tls_init(&tls, "IP:127.0.0.1");
    check_preconnect(&tls);
    loopback_tls_free(&tls);
}

static void a_failed_connection_ahead_is_silent(void **state)
{
    (void)state;
    struct loopback *server = serve(&always_ok, 1, NULL);
    struct http *http = new_plain_client();
    http_preconnect(http, "http://127.0.0.1:1/", TIMEOUT_NS);
    get_ok(http, loopback_url(server));
    http_free(http);
    loopback_stop(server);
}

static void a_connection_ahead_that_is_closed_again_is_replaced(void **state)
{
    (void)state;
    struct loopback_script scripts[] = {{.count = 0}, always_ok};
    struct loopback *server = serve(scripts, COUNT(scripts), NULL);
    struct http *http = new_plain_client();
    http_preconnect(http, loopback_url(server), TIMEOUT_NS);
    loopback_wait_for_closed(server, 1);
    get_ok(http, loopback_url(server));
    assert_int_equal(loopback_connections(server), 2);
    http_free(http);
    loopback_stop(server);
}

/* As servers do that say "408 Request Timeout" when nothing is asked for long. */
static void what_is_said_unasked_is_no_answer(void **state)
{
    (void)state;
    struct loopback_tls tls;
    loopback_tls_init(&tls, "IP:127.0.0.1");
    for (int secure = 0; secure <= 1; secure++) {
        struct loopback_script scripts[] = {
            {.greeting = "HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n"}, always_ok};
        struct loopback *server = serve(scripts, COUNT(scripts), secure ? &tls : NULL);
        struct http *http = new_client(&(struct http_options){.ca_file = tls.ca_file});
        http_preconnect(http, loopback_url(server), TIMEOUT_NS);
        loopback_wait_for_closed(server, 1);
        get_ok(http, loopback_url(server));
        assert_int_equal(loopback_connections(server), 2);
        http_free(http);
        loopback_stop(server);
    }
    loopback_tls_free(&tls);
}

static void a_connection_ahead_makes_nobody_wait_longer_than_they_want(void **state)
{
    (void)state;
    struct loopback_tls tls;
    loopback_tls_init(&tls, "IP:127.0.0.1");
    struct loopback_script mute = {.mute = true};
    struct loopback *server = serve(&mute, 1, &tls);
    struct loopback *elsewhere = serve(&always_ok, 1, NULL);
    struct http *http = new_client(&(struct http_options){.ca_file = tls.ca_file});
    http_preconnect(http, loopback_url(server), 3600 * NS_PER_S);
    http_preconnect(http, loopback_url(server), 3600 * NS_PER_S);
    get_fails(http, loopback_url(elsewhere), NS_PER_MS, ERROR_CONNECTION);
    assert_int_equal(loopback_requests(elsewhere), 0);
    http_free(http); /* ends it */
    loopback_stop(elsewhere);
    loopback_stop(server);
    loopback_tls_free(&tls);
}

static void freeing_a_client_ends_a_connection_ahead(void **state)
{
    (void)state;
    struct loopback_tls tls;
    loopback_tls_init(&tls, "IP:127.0.0.1");
    struct loopback_script mute = {.mute = true};
    struct loopback *server = serve(&mute, 1, &tls);
    struct http *http = new_client(&(struct http_options){.ca_file = tls.ca_file});
    http_preconnect(http, loopback_url(server), 3600 * NS_PER_S);
    loopback_wait_for_connections(server, 1);
    http_free(http);
    loopback_wait_for_closed(server, 1);
    loopback_stop(server);
    loopback_tls_free(&tls);
}

/* --- threads --- */

struct worker {
    pthread_t thread;
    struct http *http;
    const char *url;
    int answered;
};

static void *work(void *context)
{
    struct worker *worker = context;
    for (int i = 0; i < 25; i++) {
        struct outcome outcome = get(worker->http, worker->url, TIMEOUT_NS);
        if (outcome.rc == 0 && outcome.response.body.length == 2)
            worker->answered++;
        http_response_free(&outcome.response);
    }
    return NULL;
}

static void threads_are_served_one_after_another(void **state)
{
    (void)state;
    struct loopback *server = serve(&always_ok, 1, NULL);
    struct http *http = new_plain_client();
    struct worker workers[4];
    for (size_t i = 0; i < COUNT(workers); i++) {
        workers[i] = (struct worker){.http = http, .url = loopback_url(server)};
        assert_int_equal(pthread_create(&workers[i].thread, NULL, work, &workers[i]), 0);
    }
    for (size_t i = 0; i < COUNT(workers); i++) {
        pthread_join(workers[i].thread, NULL);
        assert_int_equal(workers[i].answered, 25);
    }
    assert_int_equal(loopback_connections(server), 1);
    assert_int_equal(loopback_requests(server), 100);
    http_free(http);
    loopback_stop(server);
}

static int start(void **state)
{
    (void)state;
    (void)alarm(300); /* what should have ended has not */
    static const char *const variables[] = {"http_proxy",  "https_proxy", "all_proxy", "no_proxy",
                                            "HTTPS_PROXY", "ALL_PROXY",   "NO_PROXY"};
    for (size_t i = 0; i < COUNT(variables); i++)
        (void)unsetenv(variables[i]);
    return http_global_init(NULL);
}

static int finish(void **state)
{
    (void)state;
    http_global_free();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_are_read_to_their_end),
        cmocka_unit_test(many_headers_above_the_ceiling_are_a_bad_answer),
        cmocka_unit_test(a_body_may_hold_any_bytes_in_any_chunks),
        cmocka_unit_test(a_failure_says_what_happened_without_payloads),
        cmocka_unit_test(a_request_goes_out_as_it_was_given),
        cmocka_unit_test(nothing_is_added_to_a_request_without_headers),
        cmocka_unit_test(a_large_body_does_not_wait_for_continue),
        cmocka_unit_test(proxies_of_the_environment_are_used_unless_told_not_to),
        cmocka_unit_test(other_protocols_are_refused),
        cmocka_unit_test(a_connection_is_kept),
        cmocka_unit_test(dropped_connections_are_not_used_again),
        cmocka_unit_test(a_connection_closed_while_idle_is_opened_anew),
        cmocka_unit_test(a_reused_dead_connection_is_tried_once_more),
        cmocka_unit_test(a_reused_dead_tls_connection_is_tried_once_more),
        cmocka_unit_test(a_server_that_does_not_answer_is_a_read_timeout),
        cmocka_unit_test(a_kept_connection_that_does_not_answer_is_a_read_timeout),
        cmocka_unit_test(time_that_runs_out_while_connecting_is_a_connection_failure),
        cmocka_unit_test(the_shortest_timeouts_are_still_timeouts),
        cmocka_unit_test(no_timeout_waits_for_the_answer),
        cmocka_unit_test(a_refused_connection_is_a_connection_failure),
        cmocka_unit_test(a_server_is_trusted_with_its_ca_file_only),
        cmocka_unit_test(the_systems_bundle_comes_after_the_amazon_roots_once),
        cmocka_unit_test(a_bundle_that_cannot_be_read_is_refused_at_the_start),
        cmocka_unit_test(a_certificate_for_another_name_is_refused),
        cmocka_unit_test(a_connection_opened_ahead_carries_the_first_request),
        cmocka_unit_test(a_tls_connection_opened_ahead_carries_the_first_request),
        cmocka_unit_test(a_failed_connection_ahead_is_silent),
        cmocka_unit_test(a_connection_ahead_that_is_closed_again_is_replaced),
        cmocka_unit_test(what_is_said_unasked_is_no_answer),
        cmocka_unit_test(a_connection_ahead_makes_nobody_wait_longer_than_they_want),
        cmocka_unit_test(freeing_a_client_ends_a_connection_ahead),
        cmocka_unit_test(threads_are_served_one_after_another),
    };
    return cmocka_run_group_tests(tests, start, finish);
}
