#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "aws/http.h"
#include "tests/support/fake_http.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const char headers[] = "Content-Type: application/json\n"
                              "X-Spaces: \t two words \t\n"
                              "X-Empty:\n"
                              "X-Blank:   \n"
                              "Retry-After:7\n"
                              "X-Twice: first\n"
                              "X-Twice: second\n"
                              "X-Late:\n"
                              "X-Late: there\n"
                              "X-Colon: a:b\n"
                              "X-Last: z";

static const struct {
    const char *name;
    bool found;
    const char *value;
} lookups[] = {
    {"content-type", true, "application/json"},
    {"CONTENT-TYPE", true, "application/json"},
    {"x-spaces", true, "two words"},
    {"retry-after", true, "7"},
    {"x-twice", true, "first"},
    {"x-late", true, "there"},
    {"x-colon", true, "a:b"},
    {"x-last", true, "z"},
    {"x-empty", false, ""},
    {"x-blank", false, ""},
    {"content", false, ""},
    {"content-type:", false, ""},
    {"application/json", false, ""},
    {"x-none", false, ""},
};

static void headers_are_found_without_case_and_trimmed(void **state)
{
    (void)state;
    struct http_response response = {0};
    buffer_init(&response.headers, sizeof headers);
    assert_int_equal(buffer_append_string(&response.headers, headers, NULL), 0);
    for (size_t i = 0; i < COUNT(lookups); i++) {
        char value[32] = "untouched";
        bool found = http_response_header(&response, lookups[i].name, value, sizeof value);
        print_message("%s\n", lookups[i].name);
        assert_int_equal(found, lookups[i].found);
        assert_string_equal(value, lookups[i].value);
    }
    http_response_free(&response);
}

static void a_value_is_cut_to_fit(void **state)
{
    (void)state;
    struct http_response response = {0};
    buffer_init(&response.headers, sizeof headers);
    assert_int_equal(buffer_append_string(&response.headers, headers, NULL), 0);
    char value[5];
    assert_true(http_response_header(&response, "content-type", value, sizeof value));
    assert_string_equal(value, "appl");
    char exact[9];
    assert_true(http_response_header(&response, "x-spaces", exact, sizeof exact));
    assert_string_equal(exact, "two word");
    http_response_free(&response);
}

static void an_empty_response_has_no_headers(void **state)
{
    (void)state;
    struct http_response response = {0};
    char value[8];
    assert_false(http_response_header(&response, "x", value, sizeof value));
    http_response_free(&response);
}

static const struct {
    const char *method;
    struct http_header header;
    bool sent;
} requests[] = {
    {"GET", {"X-Name", "value"}, true},
    {"GET", {"X-Name", ""}, true},
    {"GET", {"X-Name", "tab\tand caf\xc3\xa9"}, true},
    {"GET", {"X-Name", "a\r\nX-Other: b"}, false},
    {"GET", {"X-Name", "a\n"}, false},
    {"GET", {"X-Name", "a\x7f"}, false},
    {"GET", {"X-Name", "\x01"}, false},
    {"GET", {"", "value"}, false},
    {"GET", {"X Name", "value"}, false},
    {"GET", {"X-Name:", "value"}, false},
    {"GET", {"X-Name\r\nX-Other", "value"}, false},
    {"GET / HTTP/1.1\r\nX", {"X-Name", "value"}, false},
    {"", {"X-Name", "value"}, false},
};

static void a_header_that_would_break_the_request_is_not_sent(void **state)
{
    (void)state;
    static const struct fake_answer ok = {.status = 200};
    for (size_t i = 0; i < COUNT(requests); i++) {
        struct fake_http fake;
        fake_http_init(&fake, &ok, 1, NULL);
        struct http_request request = {.method = requests[i].method,
                                       .url = "http://127.0.0.1/",
                                       .headers = &requests[i].header,
                                       .header_count = 1};
        struct http_response response = {0};
        struct error err = {0};
        int rc = http_send(&fake.transport, &request, &response, &err);
        print_message("%zu: %s\n", i, err.text);
        assert_int_equal(rc, requests[i].sent ? 0 : -1);
        assert_int_equal(fake.calls, requests[i].sent ? 1 : 0);
        if (!requests[i].sent)
            assert_int_equal(err.kind, ERROR_INTERNAL);
        assert_null(strstr(err.text, "X-Other: b"));
        http_response_free(&response);
        fake_http_free(&fake);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(headers_are_found_without_case_and_trimmed),
        cmocka_unit_test(a_value_is_cut_to_fit),
        cmocka_unit_test(an_empty_response_has_no_headers),
        cmocka_unit_test(a_header_that_would_break_the_request_is_not_sent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
