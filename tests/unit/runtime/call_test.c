#include "runtime/call.h"

#include <stdio.h>
#include <string.h>

#include "tests/support/cmocka_all.h"
#include "tests/support/fake_http.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static struct fake_os fake_clock;
static struct fake_http http;
static struct runtime runtime;
static struct http_response response;
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
    http_response_free(&response);
}

static void a_wait_has_no_time_out_and_room_for_the_largest_event(void **state)
{
    (void)state;
    static char event[RUNTIME_PAYLOAD_MAX + 1];
    memset(event, ' ', RUNTIME_PAYLOAD_MAX);
    const struct fake_answer answer = {.status = 200,
                                       .body = event,
                                       .body_length = RUNTIME_PAYLOAD_MAX,
                                       .takes_ns = 14 * 24 * 3600 * NS_PER_S};
    static const struct http_header header = {"A", "b"};
    static const struct call call = {.path = "/x", .headers = &header, .header_count = 1};
    play(&answer, 1);
    assert_int_equal(call_wait(&runtime, &call, &response, &err), 0);
    assert_int_equal(response.body.length, RUNTIME_PAYLOAD_MAX);
    assert_string_equal(http.sent[0].method, "GET");
    assert_string_equal(http.sent[0].url, "http://127.0.0.1:9001/x");
    assert_string_equal(http.sent[0].headers, "A: b\n");
    assert_true(http.sent[0].timeout_ns == 0);
    assert_true(http.sent[0].connect_timeout_ns == NS_PER_S);
    assert_int_equal(http.sent[0].body_length, 0);
    stop();
}

static void a_wait_succeeds_on_200_only(void **state)
{
    (void)state;
    static const struct {
        int status;
        enum error_kind kind;
    } cases[] = {
        {200, ERROR_NONE},       {202, ERROR_BAD_ANSWER}, {204, ERROR_BAD_ANSWER},
        {302, ERROR_BAD_ANSWER}, {400, ERROR_BAD_ANSWER}, {403, ERROR_RUNTIME_GONE},
        {404, ERROR_BAD_ANSWER}, {429, ERROR_BAD_ANSWER}, {500, ERROR_BAD_ANSWER},
        {503, ERROR_BAD_ANSWER},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        const struct fake_answer answer = {.status = cases[i].status};
        play(&answer, 1);
        int rc = call_wait(&runtime, &(struct call){.path = "/x"}, &response, &err);
        assert_int_equal(rc, cases[i].kind == ERROR_NONE ? 0 : -1);
        assert_int_equal(err.kind, cases[i].kind);
        stop();
    }
}

static void a_wait_fails_as_the_transport_does(void **state)
{
    (void)state;
    static const enum error_kind kinds[] = {ERROR_CONNECTION, ERROR_BAD_ANSWER, ERROR_MEMORY};
    for (size_t i = 0; i < COUNT(kinds); i++) {
        const struct fake_answer answer = {.failure = kinds[i]};
        play(&answer, 1);
        assert_int_equal(call_wait(&runtime, &(struct call){.path = "/x"}, &response, &err), -1);
        assert_int_equal(err.kind, kinds[i]);
        stop();
    }
}

static void a_post_is_bounded(void **state)
{
    (void)state;
    const struct fake_answer answer = {.status = 202, .takes_ns = 3600 * NS_PER_S};
    const struct call call = {.path = "/x", .body = "{}", .body_length = 2};
    play(&answer, 1);
    int64_t start_ns = fake_clock.now_ns;
    assert_int_equal(call_post(&runtime, &call, &response, &err), -1);
    assert_int_equal(err.kind, ERROR_RUNTIME_REFUSED);
    assert_true(fake_clock.now_ns - start_ns == RUNTIME_POST_TIMEOUT_NS);
    assert_true(http.sent[0].connect_timeout_ns == NS_PER_S);
    assert_string_equal(http.sent[0].method, "POST");
    assert_string_equal(http.sent[0].body, "{}");
    assert_int_equal(http.calls, 1);
    stop();
}

static void a_status_says_whether_to_go_on(void **state)
{
    (void)state;
    static const struct {
        int status;
        enum error_kind kind;
    } cases[] = {
        {200, ERROR_NONE},
        {202, ERROR_NONE},
        {204, ERROR_RUNTIME_REFUSED},
        {301, ERROR_RUNTIME_REFUSED},
        {400, ERROR_RUNTIME_REFUSED},
        {403, ERROR_RUNTIME_REFUSED},
        {404, ERROR_RUNTIME_REFUSED},
        {410, ERROR_RUNTIME_REFUSED},
        {413, ERROR_RUNTIME_REFUSED},
        {429, ERROR_RUNTIME_REFUSED},
        {500, ERROR_RUNTIME_GONE},
        {502, ERROR_RUNTIME_REFUSED},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        const struct fake_answer answer = {.status = cases[i].status};
        play(&answer, 1);
        int rc = call_post(&runtime, &(struct call){.path = "/x"}, &response, &err);
        assert_int_equal(rc, cases[i].kind == ERROR_NONE ? 0 : -1);
        assert_int_equal(err.kind, cases[i].kind);
        assert_int_equal(http.calls, 1);
        stop();
    }
}

static void a_post_that_fails_on_the_way_is_not_repeated(void **state)
{
    (void)state;
    static const enum error_kind kinds[] = {ERROR_CONNECTION, ERROR_READ_TIMEOUT, ERROR_BAD_ANSWER,
                                            ERROR_MEMORY};
    for (size_t i = 0; i < COUNT(kinds); i++) {
        const struct fake_answer answer = {.failure = kinds[i]};
        play(&answer, 1);
        assert_int_equal(call_post(&runtime, &(struct call){.path = "/x"}, &response, &err), -1);
        assert_int_equal(err.kind, ERROR_RUNTIME_REFUSED);
        assert_string_equal(err.text, "scripted failure");
        assert_int_equal(http.calls, 1);
        assert_int_equal(fake_clock.sleeps, 0);
        stop();
    }
}

static void lambdas_error_type_is_named_when_it_is_a_word(void **state)
{
    (void)state;
    static const struct {
        const char *body, *text;
    } cases[] = {
        {"{\"errorMessage\":\"Exceeded maximum allowed payload size (6291556 bytes).\","
         "\"errorType\":\"RequestEntityTooLarge\"}",
         "the Runtime API answered 413 RequestEntityTooLarge"},
        {"{\"errorType\":\"Runtime.Unknown\"}", "the Runtime API answered 413 Runtime.Unknown"},
        {"{\"errorType\":\"a b\"}", "the Runtime API answered 413"},
        {"{\"errorType\":\"\\n\"}", "the Runtime API answered 413"},
        {"{\"errorType\":\"aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffgggg\"}",
         "the Runtime API answered 413 "
         "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffgggg"},
        {"{\"errorType\":\"aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffggggg\"}",
         "the Runtime API answered 413"},
        {"{\"errorType\":7}", "the Runtime API answered 413"},
        {"{\"errorType\":null}", "the Runtime API answered 413"},
        {"[\"errorType\"]", "the Runtime API answered 413"},
        {"\"errorType\"", "the Runtime API answered 413"},
        {"{\"errorType\":", "the Runtime API answered 413"},
        {"", "the Runtime API answered 413"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        const struct fake_answer answer = {.status = 413, .body = cases[i].body};
        play(&answer, 1);
        assert_int_equal(call_post(&runtime, &(struct call){.path = "/x"}, &response, &err), -1);
        assert_string_equal(err.text, cases[i].text);
        stop();
    }
}

static void an_id_becomes_one_label_of_the_path(void **state)
{
    (void)state;
    static const struct {
        const char *id, *label;
    } cases[] = {
        {"8476a536-e9f4-11e8-9739-2dfe598c3fcd", "8476a536-e9f4-11e8-9739-2dfe598c3fcd"},
        {"aZ09-._~", "aZ09-._~"},
        {"../?#%&=+:@", "..%2F%3F%23%25%26%3D%2B%3A%40"},
        {"\"<>\\^`{|}", "%22%3C%3E%5C%5E%60%7B%7C%7D"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct runtime_invocation invocation = {0};
        char path[CALL_PATH_SIZE];
        char expected[256];
        (void)snprintf(invocation.request_id, sizeof invocation.request_id, "%s", cases[i].id);
        call_invocation_path(path, &invocation, "error");
        (void)snprintf(expected, sizeof expected, "/2018-06-01/runtime/invocation/%s/error",
                       cases[i].label);
        assert_string_equal(path, expected);
    }
}

static void the_longest_id_and_address_fit(void **state)
{
    (void)state;
    const struct fake_answer answer = {.status = 202};
    struct runtime_invocation invocation = {0};
    char path[CALL_PATH_SIZE];
    play(&answer, 1);
    char api[257];
    memset(api, 'h', 252);
    memcpy(api + 252, ":443", 5);
    assert_int_equal(runtime_init(&runtime, api, &http.transport, &fake_clock.os, NULL), 0);
    memset(invocation.request_id, '/', sizeof invocation.request_id - 1);
    call_invocation_path(path, &invocation, "response");
    assert_int_equal(call_post(&runtime, &(struct call){.path = path}, &response, &err), 0);
    assert_int_equal(strlen(http.sent[0].url), 7 + 256 + 31 + 3 * 127 + 9);
    assert_string_equal(http.sent[0].url + strlen(http.sent[0].url) - 12, "%2F/response");
    stop();
}

static void a_path_that_is_too_long_is_not_sent(void **state)
{
    (void)state;
    const struct fake_answer answer = {.status = 202};
    static char path[1100];
    memset(path, '/', sizeof path - 1);
    play(&answer, 1);
    assert_int_equal(call_wait(&runtime, &(struct call){.path = path}, &response, &err), -1);
    assert_int_equal(err.kind, ERROR_INTERNAL);
    assert_int_equal(http.calls, 0);
    stop();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_wait_has_no_time_out_and_room_for_the_largest_event),
        cmocka_unit_test(a_wait_succeeds_on_200_only),
        cmocka_unit_test(a_wait_fails_as_the_transport_does),
        cmocka_unit_test(a_post_is_bounded),
        cmocka_unit_test(a_status_says_whether_to_go_on),
        cmocka_unit_test(a_post_that_fails_on_the_way_is_not_repeated),
        cmocka_unit_test(lambdas_error_type_is_named_when_it_is_a_word),
        cmocka_unit_test(an_id_becomes_one_label_of_the_path),
        cmocka_unit_test(the_longest_id_and_address_fit),
        cmocka_unit_test(a_path_that_is_too_long_is_not_sent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
