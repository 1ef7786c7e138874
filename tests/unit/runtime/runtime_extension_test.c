#include <string.h>

#include "runtime/runtime.h"
#include "tests/support/cmocka_all.h"
#include "tests/support/fake_http.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])
#define BASE         "http://127.0.0.1:9001/2020-01-01/extension"

#define TEN            "0123456789"
#define CHARACTERS_120 TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN

static struct fake_os fake_clock;
static struct fake_http http;
static struct runtime runtime;
static struct error err;

static void play(const struct fake_answer *answers, size_t count)
{
    fake_os_init(&fake_clock);
    fake_http_init(&http, answers, count, &fake_clock);
    err = (struct error){0};
    assert_int_equal(
        runtime_init(&runtime, "127.0.0.1:9001", &http.transport, &fake_clock.os, NULL), 0);
}

static void an_extension_for_no_events_is_registered(void **state)
{
    (void)state;
    static const struct fake_answer answer = {
        .status = 200,
        .headers = "lambda-extension-identifier: 11111111-2222-3333-4444-555555555555\n",
        .body = "{\"functionName\":\"f\"}"};
    char id[RUNTIME_ID_SIZE];
    play(&answer, 1);
    assert_int_equal(runtime_extension_register(&runtime, id, &err), 0);
    assert_string_equal(id, "11111111-2222-3333-4444-555555555555");
    assert_string_equal(http.sent[0].method, "POST");
    assert_string_equal(http.sent[0].url, BASE "/register");
    assert_string_equal(http.sent[0].headers,
                        "Content-Type: application/json\nLambda-Extension-Name: weir\n");
    assert_string_equal(http.sent[0].body, "{\"events\":[]}");
    assert_true(http.sent[0].timeout_ns > 0);
    fake_http_free(&http);
}

static void an_identifier_is_whole_or_none(void **state)
{
    (void)state;
    static const struct {
        struct fake_answer answer;
        enum error_kind kind;
    } cases[] = {
        {{.status = 200, .headers = "Lambda-Extension-Identifier: " CHARACTERS_120 "1234567\n"},
         ERROR_NONE},
        {{.status = 200, .headers = "Lambda-Extension-Identifier: " CHARACTERS_120 "12345678\n"},
         ERROR_RUNTIME_REFUSED},
        {{.status = 200, .headers = "Lambda-Extension-Identifier:\n"}, ERROR_RUNTIME_REFUSED},
        {{.status = 200}, ERROR_RUNTIME_REFUSED},
        {{.status = 403, .headers = "Lambda-Extension-Identifier: x\n"}, ERROR_RUNTIME_REFUSED},
        {{.status = 500}, ERROR_RUNTIME_GONE},
        {{.failure = ERROR_CONNECTION}, ERROR_RUNTIME_REFUSED},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        char id[RUNTIME_ID_SIZE] = "before";
        play(&cases[i].answer, 1);
        int rc = runtime_extension_register(&runtime, id, &err);
        assert_int_equal(rc, cases[i].kind == ERROR_NONE ? 0 : -1);
        assert_int_equal(err.kind, cases[i].kind);
        assert_int_equal(strlen(id), rc == 0 ? 127 : 0);
        assert_int_equal(http.calls, 1);
        fake_http_free(&http);
    }
}

static void parking_blocks_without_a_time_out(void **state)
{
    (void)state;
    static const struct fake_answer answer = {.status = 200, .takes_ns = 14 * 24 * 3600 * NS_PER_S};
    play(&answer, 1);
    assert_int_equal(runtime_extension_park(&runtime, "id-1", &err), 0);
    assert_string_equal(http.sent[0].method, "GET");
    assert_string_equal(http.sent[0].url, BASE "/event/next");
    assert_string_equal(http.sent[0].headers, "Lambda-Extension-Identifier: id-1\n");
    assert_true(http.sent[0].timeout_ns == 0);
    fake_http_free(&http);
}

static void parking_that_fails_says_so(void **state)
{
    (void)state;
    static const struct fake_answer answers[] = {
        {.status = 403, .body = "{\"errorType\":\"Extension.UnknownExtensionIdentifier\"}"},
        {.status = 500},
        {.failure = ERROR_CONNECTION}};
    for (size_t i = 0; i < COUNT(answers); i++) {
        play(&answers[i], 1);
        assert_int_equal(runtime_extension_park(&runtime, "id-1", &err), -1);
        assert_int_equal(err.kind, ERROR_RUNTIME_GONE);
        assert_int_equal(http.calls, 1);
        fake_http_free(&http);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_extension_for_no_events_is_registered),
        cmocka_unit_test(an_identifier_is_whole_or_none),
        cmocka_unit_test(parking_blocks_without_a_time_out),
        cmocka_unit_test(parking_that_fails_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
