#include "runtime/runtime.h"

#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/cmocka_all.h"
#include "tests/support/fake_http.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])
#define ID           "Lambda-Runtime-Aws-Request-Id: r-1\n"

struct bench {
    struct fake_os os;
    struct fake_http http;
    struct runtime runtime;
    struct runtime_invocation invocation;
    struct error err;
};

static void bench_open(struct bench *b, const struct fake_answer *answers, size_t count)
{
    *b = (struct bench){0};
    fake_os_init(&b->os);
    fake_http_init(&b->http, answers, count, &b->os);
    assert_int_equal(
        runtime_init(&b->runtime, "127.0.0.1:9001", &b->http.transport, &b->os.os, &b->err), 0);
}

static void bench_close(struct bench *b)
{
    runtime_invocation_free(&b->invocation);
    fake_http_free(&b->http);
}

static void the_api_must_be_host_and_port(void **state)
{
    (void)state;
    static const struct {
        const char *api;
        int result;
    } cases[] = {
        {"127.0.0.1:9001", 0},
        {"localhost:80", 0},
        {"[::1]:80", 0},
        {NULL, -1},
        {"", -1},
        {"127.0.0.1", -1},
        {"http://host:80", -1},
        {"host:80/path", -1},
        {"host:", -1},
        {":80", -1},
        {"ho st:80", -1},
        {"host\r\nX:80", -1},
        {"host:8a", -1},
        {"user@host:80", -1},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct runtime runtime;
        struct error err = {0};
        assert_int_equal(runtime_init(&runtime, cases[i].api, NULL, NULL, &err), cases[i].result);
        assert_int_equal(err.kind, cases[i].result == 0 ? ERROR_NONE : ERROR_CONFIG);
    }
}

static void an_event_comes_with_its_context(void **state)
{
    (void)state;
    static const struct fake_answer answers[] = {
        {.status = 200,
         .headers = "lambda-runtime-aws-request-id: r-1\n"
                    "Lambda-Runtime-Deadline-Ms: 1795435260123\n"
                    "Lambda-Runtime-Invoked-Function-Arn: arn:aws:lambda:x\n"
                    "Lambda-Runtime-Trace-Id: Root=1-2;Sampled=1\n"
                    "Lambda-Runtime-Invocation-Id: nonce\n"
                    "Lambda-Runtime-Aws-Tenant-Id: tenant\n"
                    "Lambda-Runtime-Client-Context: {\"a\":1}\n"
                    "Lambda-Runtime-Cognito-Identity:\n",
         .body = "{\"x\":1}"}};
    struct bench b;
    bench_open(&b, answers, 1);
    assert_int_equal(runtime_next(&b.runtime, &b.invocation, &b.err), 0);
    assert_string_equal(b.http.sent[0].url,
                        "http://127.0.0.1:9001/2018-06-01/runtime/invocation/next");
    assert_string_equal(b.http.sent[0].method, "GET");
    assert_int_equal(b.http.sent[0].timeout_ns, 0);
    assert_string_equal(b.invocation.request_id, "r-1");
    assert_string_equal(b.invocation.invocation_id, "nonce");
    assert_string_equal(b.invocation.function_arn, "arn:aws:lambda:x");
    assert_string_equal(b.invocation.tenant_id, "tenant");
    assert_string_equal(b.invocation.client_context, "{\"a\":1}");
    assert_null(b.invocation.cognito_identity);
    assert_true(b.invocation.deadline_wall_ns == INT64_C(1795435260123) * NS_PER_MS);
    assert_int_equal(b.invocation.event_length, 7);
    assert_string_equal(b.invocation.event, "{\"x\":1}");
    assert_string_equal(getenv("_X_AMZN_TRACE_ID"), "Root=1-2;Sampled=1");
    bench_close(&b);
}

static void the_trace_variable_goes_with_the_header(void **state)
{
    (void)state;
    static const struct fake_answer answers[] = {{.status = 200, .headers = ID}};
    struct bench b;
    setenv("_X_AMZN_TRACE_ID", "of the last event", 1);
    bench_open(&b, answers, 1);
    assert_int_equal(runtime_next(&b.runtime, &b.invocation, &b.err), 0);
    assert_null(getenv("_X_AMZN_TRACE_ID"));
    setenv("_X_AMZN_TRACE_ID", "another worker's", 1);
    setenv("AWS_LAMBDA_MAX_CONCURRENCY", "8", 1);
    assert_int_equal(runtime_next(&b.runtime, &b.invocation, &b.err), 0);
    assert_string_equal(getenv("_X_AMZN_TRACE_ID"), "another worker's");
    unsetenv("AWS_LAMBDA_MAX_CONCURRENCY");
    unsetenv("_X_AMZN_TRACE_ID");
    bench_close(&b);
}

static void a_deadline_that_is_none_is_no_deadline(void **state)
{
    (void)state;
    static const char *const headers[] = {
        ID,
        ID "Lambda-Runtime-Deadline-Ms:\n",
        ID "Lambda-Runtime-Deadline-Ms: soon\n",
        ID "Lambda-Runtime-Deadline-Ms: -5\n",
        ID "Lambda-Runtime-Deadline-Ms: 99999999999999999999\n",
        ID "Lambda-Runtime-Deadline-Ms: 12x\n",
    };
    for (size_t i = 0; i < COUNT(headers); i++) {
        const struct fake_answer answer = {.status = 200, .headers = headers[i]};
        struct bench b;
        bench_open(&b, &answer, 1);
        assert_int_equal(runtime_next(&b.runtime, &b.invocation, &b.err), 0);
        assert_true(b.invocation.deadline_wall_ns == INT64_MAX);
        bench_close(&b);
    }
}

static void a_poll_that_fails_is_tried_five_times_more_with_growing_waits(void **state)
{
    (void)state;
    static const struct fake_answer failures[] = {
        {.failure = ERROR_CONNECTION},
        {.failure = ERROR_BAD_ANSWER},
        {.status = 500},
        {.status = 200}, /* no request id */
        {.status = 404},
    };
    for (size_t i = 0; i < COUNT(failures); i++) {
        struct bench b;
        bench_open(&b, &failures[i], 1);
        assert_int_equal(runtime_next(&b.runtime, &b.invocation, &b.err), -1);
        assert_int_equal(b.err.kind, ERROR_RUNTIME_GONE);
        assert_int_equal(b.http.calls, 6);
        assert_int_equal(b.os.slept_ns, (100 + 200 + 400 + 800 + 1600) * NS_PER_MS);
        bench_close(&b);
    }
}

static void an_event_after_failures_is_served_and_the_count_starts_anew(void **state)
{
    (void)state;
    static const struct fake_answer answers[] = {
        {.failure = ERROR_CONNECTION}, {.status = 500}, {.status = 200, .headers = ID, .body = "1"},
        {.failure = ERROR_CONNECTION}, {.status = 500}, {.status = 200, .headers = ID, .body = "2"},
    };
    struct bench b;
    bench_open(&b, answers, COUNT(answers));
    assert_int_equal(runtime_next(&b.runtime, &b.invocation, &b.err), 0);
    assert_string_equal(b.invocation.event, "1");
    assert_int_equal(runtime_next(&b.runtime, &b.invocation, &b.err), 0);
    assert_string_equal(b.invocation.event, "2");
    assert_int_equal(b.os.slept_ns, 2 * 300 * NS_PER_MS);
    bench_close(&b);
}

static void forbidden_ends_polling_at_once(void **state)
{
    (void)state;
    static const struct fake_answer answers[] = {{.status = 403}};
    struct bench b;
    bench_open(&b, answers, 1);
    assert_int_equal(runtime_next(&b.runtime, &b.invocation, &b.err), -1);
    assert_int_equal(b.err.kind, ERROR_RUNTIME_GONE);
    assert_int_equal(b.http.calls, 1);
    bench_close(&b);
}

static void an_id_that_is_too_long_to_echo_is_no_event(void **state)
{
    (void)state;
    char headers[512] = "Lambda-Runtime-Invocation-Id: ";
    memset(headers + strlen(headers), 'x', 200);
    strcat(headers, "\n" ID);
    const struct fake_answer answer = {.status = 200, .headers = headers};
    struct bench b;
    bench_open(&b, &answer, 1);
    assert_int_equal(runtime_next(&b.runtime, &b.invocation, &b.err), -1);
    assert_int_equal(b.http.calls, 6);
    bench_close(&b);
}

static void a_reply_is_posted_once_with_what_lambda_wants(void **state)
{
    (void)state;
    static const struct fake_answer answers[] = {
        {.status = 200, .headers = ID "Lambda-Runtime-Invocation-Id: nonce\n"}, {.status = 202}};
    struct bench b;
    bench_open(&b, answers, 2);
    assert_int_equal(runtime_next(&b.runtime, &b.invocation, &b.err), 0);
    assert_int_equal(runtime_respond(&b.runtime, &b.invocation, "{}", 2, &b.err), 0);
    const struct fake_sent *sent = &b.http.sent[1];
    assert_string_equal(sent->method, "POST");
    assert_string_equal(sent->url,
                        "http://127.0.0.1:9001/2018-06-01/runtime/invocation/r-1/response");
    assert_string_equal(sent->headers,
                        "Content-Type: application/json\nLambda-Runtime-Invocation-Id: nonce\n");
    assert_string_equal(sent->body, "{}");
    assert_true(sent->timeout_ns > 0 && sent->timeout_ns <= RUNTIME_POST_TIMEOUT_NS);
    bench_close(&b);
}

static void a_refused_reply_says_whether_to_go_on(void **state)
{
    (void)state;
    static const struct {
        struct fake_answer answer;
        enum error_kind kind;
    } cases[] = {
        {{.status = 400}, ERROR_RUNTIME_REFUSED},
        {{.status = 403}, ERROR_RUNTIME_REFUSED},
        {{.status = 410, .body = "{\"errorType\":\"InvokeTimeout\"}"}, ERROR_RUNTIME_REFUSED},
        {{.status = 413, .body = "{\"errorType\":7}"}, ERROR_RUNTIME_REFUSED},
        {{.status = 500, .body = "no JSON"}, ERROR_RUNTIME_GONE},
        {{.failure = ERROR_CONNECTION}, ERROR_RUNTIME_REFUSED},
        {{.failure = ERROR_READ_TIMEOUT}, ERROR_RUNTIME_REFUSED},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        const struct fake_answer answers[] = {{.status = 200, .headers = ID}, cases[i].answer};
        struct bench b;
        bench_open(&b, answers, 2);
        assert_int_equal(runtime_next(&b.runtime, &b.invocation, &b.err), 0);
        assert_int_equal(runtime_respond(&b.runtime, &b.invocation, "{}", 2, &b.err), -1);
        assert_int_equal(b.err.kind, cases[i].kind);
        assert_int_equal(b.http.calls, 2);
        bench_close(&b);
    }
}

static void an_odd_request_id_is_encoded_into_the_path(void **state)
{
    (void)state;
    static const struct fake_answer answers[] = {
        {.status = 200, .headers = "Lambda-Runtime-Aws-Request-Id: a/b?c#d e\n"}, {.status = 202}};
    struct bench b;
    bench_open(&b, answers, 2);
    assert_int_equal(runtime_next(&b.runtime, &b.invocation, &b.err), 0);
    assert_int_equal(runtime_respond(&b.runtime, &b.invocation, "", 0, &b.err), 0);
    assert_non_null(strstr(b.http.sent[1].url, "/invocation/a%2Fb%3Fc%23d%20e/response"));
    bench_close(&b);
}

static const char *text_member(struct json_object *object, const char *name)
{
    struct json_object *value = NULL;
    assert_true(json_object_object_get_ex(object, name, &value));
    return json_object_get_string(value);
}

static void a_failed_start_is_told_with_type_and_cause(void **state)
{
    (void)state;
    static const struct fake_answer answers[] = {{.status = 202}};
    static const struct runtime_failure failure = {"Runtime.InvalidConfig", "X is \"1\""};
    struct bench b;
    bench_open(&b, answers, 1);
    assert_int_equal(runtime_fail_init(&b.runtime, &failure, &b.err), 0);
    const struct fake_sent *sent = &b.http.sent[0];
    assert_string_equal(sent->url, "http://127.0.0.1:9001/2018-06-01/runtime/init/error");
    assert_non_null(
        strstr(sent->headers, "Lambda-Runtime-Function-Error-Type: Runtime.InvalidConfig\n"));
    assert_non_null(strstr(sent->headers, "Lambda-Runtime-Function-XRay-Error-Cause: {"));
    assert_null(strstr(sent->headers, "Invocation-Id"));
    struct json_object *body = json_tokener_parse(sent->body);
    assert_string_equal(text_member(body, "errorMessage"), "X is \"1\"");
    assert_string_equal(text_member(body, "errorType"), "Runtime.InvalidConfig");
    assert_string_equal(text_member(body, "stackTrace"), "[ ]");
    json_object_put(body);
    bench_close(&b);
}

static void a_type_that_lambda_would_not_take_becomes_unknown(void **state)
{
    (void)state;
    static const struct {
        const char *given, *sent;
    } cases[] = {
        {"Function.OutOfMemory", "Function.OutOfMemory"},
        {"Function.Error2", "Runtime.Unknown"},
        {"Function.a", "Runtime.Unknown"},
        {"Function.", "Runtime.Unknown"},
        {"Function.A", "Runtime.Unknown"},
        {"Other.Thing", "Runtime.Unknown"},
        {"Runtime.Two.Dots", "Runtime.Unknown"},
        {"", "Runtime.Unknown"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        static const struct fake_answer answers[] = {
            {.status = 200, .headers = ID "Lambda-Runtime-Invocation-Id: nonce\n"},
            {.status = 202}};
        const struct runtime_failure failure = {cases[i].given, "m"};
        struct bench b;
        bench_open(&b, answers, 2);
        assert_int_equal(runtime_next(&b.runtime, &b.invocation, &b.err), 0);
        assert_int_equal(runtime_fail(&b.runtime, &b.invocation, &failure, &b.err), 0);
        assert_non_null(strstr(b.http.sent[1].url, "/invocation/r-1/error"));
        assert_non_null(strstr(b.http.sent[1].headers, "Lambda-Runtime-Invocation-Id: nonce\n"));
        char header[128] = "Lambda-Runtime-Function-Error-Type: ";
        strcat(strcat(header, cases[i].sent), "\n");
        assert_non_null(strstr(b.http.sent[1].headers, header));
        bench_close(&b);
    }
}

static void the_extension_registers_and_parks(void **state)
{
    (void)state;
    static const struct fake_answer answers[] = {
        {.status = 200, .headers = "Lambda-Extension-Identifier: ext-1\n"}, {.status = 200}};
    struct bench b;
    char id[128];
    bench_open(&b, answers, 2);
    assert_int_equal(runtime_extension_register(&b.runtime, id, &b.err), 0);
    assert_string_equal(id, "ext-1");
    assert_string_equal(b.http.sent[0].url, "http://127.0.0.1:9001/2020-01-01/extension/register");
    assert_string_equal(b.http.sent[0].body, "{\"events\":[]}");
    assert_int_equal(runtime_extension_park(&b.runtime, id, &b.err), 0);
    assert_string_equal(b.http.sent[1].url,
                        "http://127.0.0.1:9001/2020-01-01/extension/event/next");
    assert_string_equal(b.http.sent[1].headers, "Lambda-Extension-Identifier: ext-1\n");
    assert_int_equal(b.http.sent[1].timeout_ns, 0);
    bench_close(&b);
}

static void an_extension_without_an_identifier_is_refused(void **state)
{
    (void)state;
    static const struct fake_answer answers[] = {{.status = 200}, {.status = 403}};
    struct bench b;
    char id[128];
    bench_open(&b, answers, 2);
    assert_int_equal(runtime_extension_register(&b.runtime, id, &b.err), -1);
    assert_int_equal(runtime_extension_register(&b.runtime, id, &b.err), -1);
    bench_close(&b);
}

static void a_restore_is_waited_for(void **state)
{
    (void)state;
    static const struct fake_answer answers[] = {{.status = 200}, {.status = 403}};
    struct bench b;
    bench_open(&b, answers, 2);
    assert_int_equal(runtime_wait_for_restore(&b.runtime, &b.err), 0);
    assert_string_equal(b.http.sent[0].url,
                        "http://127.0.0.1:9001/2018-06-01/runtime/restore/next");
    assert_int_equal(b.http.sent[0].timeout_ns, 0);
    assert_int_equal(runtime_wait_for_restore(&b.runtime, &b.err), -1);
    bench_close(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_api_must_be_host_and_port),
        cmocka_unit_test(an_event_comes_with_its_context),
        cmocka_unit_test(the_trace_variable_goes_with_the_header),
        cmocka_unit_test(a_deadline_that_is_none_is_no_deadline),
        cmocka_unit_test(a_poll_that_fails_is_tried_five_times_more_with_growing_waits),
        cmocka_unit_test(an_event_after_failures_is_served_and_the_count_starts_anew),
        cmocka_unit_test(forbidden_ends_polling_at_once),
        cmocka_unit_test(an_id_that_is_too_long_to_echo_is_no_event),
        cmocka_unit_test(a_reply_is_posted_once_with_what_lambda_wants),
        cmocka_unit_test(a_refused_reply_says_whether_to_go_on),
        cmocka_unit_test(an_odd_request_id_is_encoded_into_the_path),
        cmocka_unit_test(a_failed_start_is_told_with_type_and_cause),
        cmocka_unit_test(a_type_that_lambda_would_not_take_becomes_unknown),
        cmocka_unit_test(the_extension_registers_and_parks),
        cmocka_unit_test(an_extension_without_an_identifier_is_refused),
        cmocka_unit_test(a_restore_is_waited_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
