#include "runtime/runtime.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/cmocka_all.h"
#include "tests/support/fake_http.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])
#define BASE         "http://127.0.0.1:9001/2018-06-01/runtime"
#define ID(id)       "Lambda-Runtime-Aws-Request-Id: " id "\n"
#define TRACE        "_X_AMZN_TRACE_ID"
#define CONCURRENCY  "AWS_LAMBDA_MAX_CONCURRENCY"

static struct fake_os fake_clock;
static struct fake_http http;
static struct runtime runtime;
static struct runtime_invocation invocation;
static struct error err;

static void play(const struct fake_answer *answers, size_t count)
{
    fake_os_init(&fake_clock);
    fake_http_init(&http, answers, count, &fake_clock);
    err = (struct error){0};
    assert_int_equal(
        runtime_init(&runtime, "127.0.0.1:9001", &http.transport, &fake_clock.os, NULL), 0);
}

static void stop(void)
{
    fake_http_free(&http);
    runtime_invocation_free(&invocation);
}

/* ---- init ---- */

static void an_address_is_host_and_port(void **state)
{
    (void)state;
    static const char *const good[] = {
        "127.0.0.1:9001", "localhost:80", "[::1]:9001", "runtime-api.lambda_local:65535", "a:1",
    };
    for (size_t i = 0; i < COUNT(good); i++) {
        struct runtime made;
        assert_int_equal(runtime_init(&made, good[i], &http.transport, &fake_clock.os, &err), 0);
        assert_memory_equal(made.api, "http://", 7);
        assert_string_equal(made.api + 7, good[i]);
    }
}

static void any_other_address_is_refused_with_a_clear_text(void **state)
{
    (void)state;
    static char long_address[300];
    memset(long_address, 'h', 253);
    memcpy(long_address + 253, ":443", 5); /* one more than fits */
    static const char malformed[] = "it must be host:port, without http://";
    static const char unset[] =
        "AWS_LAMBDA_RUNTIME_API is not set; Lambda sets it; try `make run` locally";
    const struct {
        const char *api, *says;
    } cases[] = {
        {NULL, unset},
        {"", unset},
        {"http://127.0.0.1:9001", malformed},
        {"127.0.0.1:9001/", malformed},
        {"127.0.0.1", malformed},
        {"127.0.0.1:", malformed},
        {":9001", malformed},
        {"127.0.0.1:0", malformed},
        {"127.0.0.1:65536", malformed},
        {"127.0.0.1:999999999999999999999", malformed},
        {"127.0.0.1:-1", malformed},
        {"127.0.0.1:+1", malformed},
        {"127.0.0.1:90a", malformed},
        {" 127.0.0.1:9001", malformed},
        {"127.0.0.1: 9001", malformed},
        {"127.0.0.1:9001 ", malformed},
        {"127.0.0.1:9001\n", malformed},
        {"local\thost:9001", malformed},
        {"user@host:9001", malformed},
        {"::1:9001", malformed},
        {"[::1:9001", malformed},
        {"[]:9001", malformed},
        {"h\xc3\xb6st:9001", malformed},
        {long_address, "AWS_LAMBDA_RUNTIME_API is longer than 256 bytes"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct runtime made;
        memset(&made, 0xff, sizeof made);
        err = (struct error){0};
        assert_int_equal(runtime_init(&made, cases[i].api, &http.transport, &fake_clock.os, &err),
                         -1);
        assert_int_equal(err.kind, ERROR_CONFIG);
        if (strstr(err.text, cases[i].says) == NULL)
            fail_msg("case %zu: %s", i, err.text);
        assert_null(made.transport);
    }
}

/* ---- next ---- */

static void an_event_is_waited_for_as_long_as_it_takes(void **state)
{
    (void)state;
    static const struct fake_answer answers[] = {{
        .status = 200,
        .headers = ID("r-1") "Lambda-Runtime-Deadline-Ms: 1795435260000\n",
        .body = "{\"message\":\"test\"}",
        .takes_ns = 3600 * NS_PER_S,
    }};
    play(answers, 1);
    assert_int_equal(runtime_next(&runtime, &invocation, &err), 0);
    assert_string_equal(http.sent[0].method, "GET");
    assert_string_equal(http.sent[0].url, BASE "/invocation/next");
    assert_string_equal(http.sent[0].headers, "");
    assert_true(http.sent[0].timeout_ns == 0);
    assert_string_equal(invocation.request_id, "r-1");
    assert_string_equal(invocation.event, "{\"message\":\"test\"}");
    assert_true(invocation.deadline_wall_ns == INT64_C(1795435260) * NS_PER_S);
    stop();
}

static void what_cannot_be_used_is_polled_again(void **state)
{
    (void)state;
    static const struct fake_answer useless[] = {
        {.failure = ERROR_CONNECTION},
        {.failure = ERROR_BAD_ANSWER}, /* larger than any event */
        {.failure = ERROR_MEMORY},
        {.status = 500, .body = "{\"errorType\":\"Runtime.TooManyIdleRuntimes\"}"},
        {.status = 404},
        {.status = 202, .headers = ID("r")},
        {.status = 200, .body = "{}"},
        {.status = 200, .headers = ID("a b"), .body = "{}"},
    };
    for (size_t i = 0; i < COUNT(useless); i++) {
        const struct fake_answer answers[] = {useless[i],
                                              {.status = 200, .headers = ID("r-2"), .body = "{}"}};
        play(answers, 2);
        assert_int_equal(runtime_next(&runtime, &invocation, &err), 0);
        assert_string_equal(invocation.request_id, "r-2");
        assert_int_equal(http.calls, 2);
        assert_true(fake_clock.slept_ns == 100 * NS_PER_MS);
        stop();
    }
}

static void polling_is_given_up_after_five_retries(void **state)
{
    (void)state;
    static const struct fake_answer answers[] = {{.status = 500}, {.failure = ERROR_CONNECTION}};
    static const int64_t at_ms[] = {0, 100, 300, 700, 1500, 3100};
    play(answers, 2);
    int64_t start_ns = fake_clock.now_ns;
    assert_int_equal(runtime_next(&runtime, &invocation, &err), -1);
    assert_int_equal(err.kind, ERROR_RUNTIME_GONE);
    assert_string_equal(err.text, "no event, try 6: scripted failure");
    assert_int_equal(http.calls, COUNT(at_ms));
    for (size_t i = 0; i < COUNT(at_ms); i++)
        assert_true(http.sent[i].at_ns == start_ns + at_ms[i] * NS_PER_MS);
    stop();
}

static void every_call_has_its_own_five_retries(void **state)
{
    (void)state;
    static const struct fake_answer bad = {.failure = ERROR_CONNECTION};
    static const struct fake_answer good = {.status = 200, .headers = ID("r"), .body = "{}"};
    const struct fake_answer answers[] = {bad, bad, bad, bad, bad, good,
                                          bad, bad, bad, bad, bad, good};
    play(answers, COUNT(answers));
    assert_int_equal(runtime_next(&runtime, &invocation, &err), 0);
    assert_int_equal(runtime_next(&runtime, &invocation, &err), 0);
    assert_int_equal(http.calls, 12);
    assert_true(fake_clock.slept_ns == 6200 * NS_PER_MS);
    stop();
}

static void a_403_ends_it_at_once(void **state)
{
    (void)state;
    static const struct fake_answer answers[] = {
        {.status = 403, .body = "{\"errorType\":\"InvalidStateTransition\"}"},
        {.status = 200, .headers = ID("r"), .body = "{}"}};
    play(answers, 2);
    assert_int_equal(runtime_next(&runtime, &invocation, &err), -1);
    assert_int_equal(err.kind, ERROR_RUNTIME_GONE);
    assert_string_equal(err.text,
                        "no event, try 1: the Runtime API answered 403 InvalidStateTransition");
    assert_int_equal(http.calls, 1);
    assert_int_equal(fake_clock.sleeps, 0);
    stop();
}

static void an_event_that_cannot_be_used_ever_does_not_loop(void **state)
{
    (void)state;
    static char event[RUNTIME_PAYLOAD_MAX + 65537 + 1];
    memset(event, ' ', sizeof event - 1);
    const struct fake_answer answers[] = {
        {.status = 200, .headers = ID("r"), .body = event, .body_length = sizeof event - 1}};
    play(answers, 1);
    assert_int_equal(runtime_next(&runtime, &invocation, &err), -1);
    assert_int_equal(err.kind, ERROR_RUNTIME_GONE);
    assert_int_equal(http.calls, 6);
    stop();
}

static void a_failure_leaves_nothing_of_an_event(void **state)
{
    (void)state;
    static const struct fake_answer answers[] = {
        {.status = 200, .headers = ID("r-1") "Lambda-Runtime-Client-Context: {}\n", .body = "{}"},
        {.status = 200, .headers = ID("r-2") "Lambda-Runtime-Invocation-Id: a b\n", .body = "{}"},
    };
    play(answers, 2);
    assert_int_equal(runtime_next(&runtime, &invocation, &err), 0);
    assert_int_equal(runtime_next(&runtime, &invocation, NULL), -1);
    assert_string_equal(invocation.request_id, "");
    assert_null(invocation.client_context);
    assert_null(invocation.event);
    stop();
    runtime_invocation_free(&invocation);
}

static void the_trace_variable_follows_the_event(void **state)
{
    (void)state;
    static const struct {
        const char *concurrency;
        const char *headers;
        const char *before, *after; /* NULL: unset */
    } cases[] = {
        {NULL, ID("r") "Lambda-Runtime-Trace-Id: Root=1\n", NULL, "Root=1"},
        {NULL, ID("r") "Lambda-Runtime-Trace-Id: Root=1\n", "Root=0", "Root=1"},
        {NULL, ID("r"), "Root=0", NULL},
        {NULL, ID("r") "Lambda-Runtime-Trace-Id:\n", "Root=0", NULL},
        {"", ID("r") "Lambda-Runtime-Trace-Id: Root=1\n", "Root=0", "Root=1"},
        {"8", ID("r") "Lambda-Runtime-Trace-Id: Root=1\n", "Root=0", "Root=0"},
        {"8", ID("r"), "Root=0", "Root=0"},
        {"8", ID("r") "Lambda-Runtime-Trace-Id: Root=1\n", NULL, NULL},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        const struct fake_answer answer = {.status = 200, .headers = cases[i].headers};
        assert_int_equal(unsetenv(TRACE), 0);
        assert_int_equal(unsetenv(CONCURRENCY), 0);
        if (cases[i].before != NULL)
            assert_int_equal(setenv(TRACE, cases[i].before, 1), 0);
        if (cases[i].concurrency != NULL)
            assert_int_equal(setenv(CONCURRENCY, cases[i].concurrency, 1), 0);
        play(&answer, 1);
        assert_int_equal(runtime_next(&runtime, &invocation, &err), 0);
        const char *after = getenv(TRACE);
        if ((after == NULL) != (cases[i].after == NULL) ||
            (after != NULL && strcmp(after, cases[i].after) != 0))
            fail_msg("case %zu: %s", i, after != NULL ? after : "(unset)");
        stop();
    }
    assert_int_equal(unsetenv(CONCURRENCY), 0);
}

/* ---- respond and fail ---- */

static void a_reply_goes_out_once_as_json(void **state)
{
    (void)state;
    static const struct fake_answer answers[] = {{.status = 202, .body = "{\"status\":\"OK\"}\n"}};
    static const char reply[] = "{\"a\":\"\0b\"}";
    play(answers, 1);
    strcpy(invocation.request_id, "r/1");
    assert_int_equal(runtime_respond(&runtime, &invocation, reply, sizeof reply - 1, &err), 0);
    assert_int_equal(http.calls, 1);
    assert_string_equal(http.sent[0].method, "POST");
    assert_string_equal(http.sent[0].url, BASE "/invocation/r%2F1/response");
    assert_string_equal(http.sent[0].headers, "Content-Type: application/json\n");
    assert_int_equal(http.sent[0].body_length, sizeof reply - 1);
    assert_memory_equal(http.sent[0].body, reply, sizeof reply - 1);
    assert_true(http.sent[0].timeout_ns == RUNTIME_POST_TIMEOUT_NS);
    stop();
}

static void the_invocation_id_is_sent_back_with_replies_and_failures(void **state)
{
    (void)state;
    static const struct fake_answer answers[] = {{.status = 202}};
    static const struct runtime_failure failure = {"Function.Other", "it broke"};
    play(answers, 1);
    strcpy(invocation.request_id, "r");
    strcpy(invocation.invocation_id, "nonce-1");
    assert_int_equal(runtime_respond(&runtime, &invocation, "{}", 2, &err), 0);
    assert_string_equal(http.sent[0].headers,
                        "Content-Type: application/json\nLambda-Runtime-Invocation-Id: nonce-1\n");
    assert_int_equal(runtime_fail(&runtime, &invocation, &failure, &err), 0);
    assert_non_null(strstr(http.sent[1].headers, "\nLambda-Runtime-Invocation-Id: nonce-1\n"));
    assert_int_equal(runtime_fail_init(&runtime, &failure, &err), 0);
    assert_null(strstr(http.sent[2].headers, "Invocation-Id"));
    stop();
}

static void a_refused_reply_is_not_the_end(void **state)
{
    (void)state;
    static const struct {
        struct fake_answer answer;
        enum error_kind kind;
    } cases[] = {
        {{.status = 400, .body = "{\"errorType\":\"InvalidRequestID\"}"}, ERROR_RUNTIME_REFUSED},
        {{.status = 403, .body = "{\"errorType\":\"InvalidStateTransition\"}"},
         ERROR_RUNTIME_REFUSED},
        {{.status = 410, .body = "{\"errorType\":\"InvokeTimeout\"}"}, ERROR_RUNTIME_REFUSED},
        {{.status = 413, .body = "{\"errorType\":\"RequestEntityTooLarge\"}"},
         ERROR_RUNTIME_REFUSED},
        {{.status = 500}, ERROR_RUNTIME_GONE},
        {{.failure = ERROR_CONNECTION}, ERROR_RUNTIME_REFUSED},
        {{.status = 202, .takes_ns = RUNTIME_POST_TIMEOUT_NS + 1}, ERROR_RUNTIME_REFUSED},
    };
    static const struct runtime_failure failure = {"Function.Other", "it broke"};
    for (size_t i = 0; i < COUNT(cases); i++) {
        play(&cases[i].answer, 1);
        strcpy(invocation.request_id, "r");
        assert_int_equal(runtime_respond(&runtime, &invocation, "{}", 2, &err), -1);
        assert_int_equal(err.kind, cases[i].kind);
        assert_int_equal(http.calls, 1);
        assert_int_equal(runtime_fail(&runtime, &invocation, &failure, &err), -1);
        assert_int_equal(err.kind, cases[i].kind);
        assert_int_equal(http.calls, 2);
        stop();
    }
}

static void a_failure_is_told_with_its_type_and_cause(void **state)
{
    (void)state;
    static const struct fake_answer answers[] = {{.status = 202}};
    static const struct runtime_failure failure = {"Function.OutOfMemory", "no memory"};
    static const char *const urls[] = {BASE "/invocation/r/error", BASE "/init/error",
                                       BASE "/restore/error"};
    play(answers, 1);
    strcpy(invocation.request_id, "r");
    assert_int_equal(runtime_fail(&runtime, &invocation, &failure, &err), 0);
    assert_int_equal(runtime_fail_init(&runtime, &failure, &err), 0);
    assert_int_equal(runtime_fail_restore(&runtime, &failure, &err), 0);
    assert_int_equal(http.calls, COUNT(urls));
    for (size_t i = 0; i < COUNT(urls); i++) {
        assert_string_equal(http.sent[i].method, "POST");
        assert_string_equal(http.sent[i].url, urls[i]);
        assert_string_equal(
            http.sent[i].body,
            "{\"errorMessage\":\"no memory\",\"errorType\":\"Function.OutOfMemory\","
            "\"stackTrace\":[]}");
        static const char start[] = "Content-Type: application/json\n"
                                    "Lambda-Runtime-Function-Error-Type: Function.OutOfMemory\n"
                                    "Lambda-Runtime-Function-XRay-Error-Cause: "
                                    "{\"working_directory\":\"";
        assert_memory_equal(http.sent[i].headers, start, sizeof start - 1);
        assert_non_null(
            strstr(http.sent[i].headers,
                   "\"exceptions\":[{\"type\":\"Function.OutOfMemory\",\"message\":\"no "
                   "memory\",\"stack\":[]}],\"paths\":[]}\n"));
    }
    stop();
}

/* ---- SnapStart ---- */

static void a_restore_is_waited_for(void **state)
{
    (void)state;
    static const struct fake_answer answers[] = {{.status = 200, .takes_ns = 3600 * NS_PER_S}};
    play(answers, 1);
    assert_int_equal(runtime_wait_for_restore(&runtime, &err), 0);
    assert_string_equal(http.sent[0].method, "GET");
    assert_string_equal(http.sent[0].url, BASE "/restore/next");
    assert_true(http.sent[0].timeout_ns == 0);
    stop();
}

static void a_restore_that_fails_is_the_end(void **state)
{
    (void)state;
    static const struct fake_answer answers[] = {
        {.status = 403}, {.status = 500}, {.status = 202}, {.failure = ERROR_CONNECTION}};
    for (size_t i = 0; i < COUNT(answers); i++) {
        play(&answers[i], 1);
        assert_int_equal(runtime_wait_for_restore(&runtime, &err), -1);
        assert_int_equal(err.kind, ERROR_RUNTIME_GONE);
        assert_int_equal(http.calls, 1);
        stop();
    }
}

/* ---- several workers ---- */

/* Answers a poll with an event of its caller's own number, and a reply by its path. */
struct echo {
    int number;
    int mixed_up;
};

static int echo_send(void *context, const struct http_request *request,
                     struct http_response *response, struct error *error)
{
    struct echo *echo = context;
    char id[32];
    (void)snprintf(id, sizeof id, "worker-%d", echo->number);
    if (strcmp(request->method, "POST") == 0 && strstr(request->url, id) == NULL)
        echo->mixed_up++;
    buffer_free(&response->headers);
    buffer_init(&response->headers, HTTP_HEADERS_MAX);
    response->status = 200;
    if (buffer_append_string(&response->headers, "Lambda-Runtime-Aws-Request-Id: ", error) != 0)
        return -1;
    return buffer_append_string(&response->headers, id, error);
}

static void *work(void *context)
{
    struct echo *echo = context;
    const struct http_transport transport = {.send = echo_send, .context = echo};
    struct runtime mine = runtime;
    mine.transport = &transport;
    struct runtime_invocation event = {0};
    for (int i = 0; i < 200; i++)
        if (runtime_next(&mine, &event, NULL) != 0 ||
            runtime_respond(&mine, &event, "{}", 2, NULL) != 0)
            echo->mixed_up++;
    runtime_invocation_free(&event);
    return NULL;
}

static void workers_do_not_mix_up_their_events(void **state)
{
    (void)state;
    static const struct fake_answer none = {.status = 500};
    pthread_t threads[4] = {0};
    struct echo echoes[COUNT(threads)] = {{0}};
    assert_int_equal(setenv(CONCURRENCY, "4", 1), 0);
    play(&none, 1);
    for (size_t i = 0; i < COUNT(threads); i++) {
        echoes[i].number = (int)i;
        assert_int_equal(pthread_create(&threads[i], NULL, work, &echoes[i]), 0);
    }
    for (size_t i = 0; i < COUNT(threads); i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_int_equal(echoes[i].mixed_up, 0);
    }
    assert_int_equal(unsetenv(CONCURRENCY), 0);
    stop();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_address_is_host_and_port),
        cmocka_unit_test(any_other_address_is_refused_with_a_clear_text),
        cmocka_unit_test(an_event_is_waited_for_as_long_as_it_takes),
        cmocka_unit_test(what_cannot_be_used_is_polled_again),
        cmocka_unit_test(polling_is_given_up_after_five_retries),
        cmocka_unit_test(every_call_has_its_own_five_retries),
        cmocka_unit_test(a_403_ends_it_at_once),
        cmocka_unit_test(an_event_that_cannot_be_used_ever_does_not_loop),
        cmocka_unit_test(a_failure_leaves_nothing_of_an_event),
        cmocka_unit_test(the_trace_variable_follows_the_event),
        cmocka_unit_test(a_reply_goes_out_once_as_json),
        cmocka_unit_test(the_invocation_id_is_sent_back_with_replies_and_failures),
        cmocka_unit_test(a_refused_reply_is_not_the_end),
        cmocka_unit_test(a_failure_is_told_with_its_type_and_cause),
        cmocka_unit_test(a_restore_is_waited_for),
        cmocka_unit_test(a_restore_that_fails_is_the_end),
        cmocka_unit_test(workers_do_not_mix_up_their_events),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
