#include "runtime/report.h"

#include <json-c/json.h>
#include <string.h>
#include <unistd.h>

#include "tests/support/cmocka_all.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static void the_type_is_what_lambda_takes(void **state)
{
    (void)state;
    static const struct {
        const char *type, *sent;
    } cases[] = {
        {"Function.OutOfMemory", "Function.OutOfMemory"},
        {"Runtime.InvalidConfig", "Runtime.InvalidConfig"},
        {"Function.Ab", "Function.Ab"},
        {"Function.AB", "Function.AB"},
        {"Function.A", "Function.Unknown"}, /* one letter is too few */
        {"Function.", "Function.Unknown"},
        {"Function.bedrock", "Function.Unknown"},
        {"Function.Http500", "Function.Unknown"},
        {"Function.Two.Dots", "Function.Unknown"},
        {"Function.With_Line", "Function.Unknown"},
        {"Function.Line\r\nX: y", "Function.Unknown"},
        {"Runtime.", "Runtime.Unknown"},
        {"Runtime.x", "Runtime.Unknown"},
        {"Runtime.Ends ", "Runtime.Unknown"},
        {"Sandbox.Timedout", "Runtime.Unknown"},
        {"function.Name", "Runtime.Unknown"},
        {" Function.Name", "Runtime.Unknown"},
        {"unhandled", "Runtime.Unknown"},
        {"", "Runtime.Unknown"},
        {NULL, "Runtime.Unknown"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        const struct runtime_failure failure = {.type = cases[i].type, .message = "m"};
        struct report report;
        assert_int_equal(report_init(&report, &failure, NULL), 0);
        assert_string_equal(report.type, cases[i].sent);
        report_free(&report);
    }
}

static void the_body_is_json_with_an_empty_stack(void **state)
{
    (void)state;
    const struct runtime_failure failure = {"Runtime.InvalidConfig",
                                            "BEDROCK_RATE_LIMIT is \"a/b\\c\""};
    struct report report;
    assert_int_equal(report_init(&report, &failure, NULL), 0);
    assert_string_equal(report.body, "{\"errorMessage\":\"BEDROCK_RATE_LIMIT is \\\"a/b\\\\c\\\"\","
                                     "\"errorType\":\"Runtime.InvalidConfig\",\"stackTrace\":[]}");
    report_free(&report);
}

static struct json_object *member(struct json_object *object, const char *name)
{
    struct json_object *value = NULL;
    assert_true(json_object_object_get_ex(object, name, &value));
    return value;
}

static void the_cause_is_what_x_ray_shows(void **state)
{
    (void)state;
    char folder[512];
    assert_non_null(getcwd(folder, sizeof folder));
    const struct runtime_failure failure = {"Function.Other", "it broke"};
    struct report report;
    assert_int_equal(report_init(&report, &failure, NULL), 0);
    struct json_object *cause = json_tokener_parse(report.cause);
    assert_int_equal(json_object_object_length(cause), 3);
    assert_string_equal(json_object_get_string(member(cause, "working_directory")), folder);
    assert_int_equal(json_object_array_length(member(cause, "paths")), 0);
    struct json_object *exceptions = member(cause, "exceptions");
    assert_int_equal(json_object_array_length(exceptions), 1);
    assert_string_equal(json_object_to_json_string_ext(json_object_array_get_idx(exceptions, 0),
                                                       JSON_C_TO_STRING_PLAIN),
                        "{\"type\":\"Function.Other\",\"message\":\"it broke\",\"stack\":[]}");
    json_object_put(cause);
    report_free(&report);
}

static void nothing_unprintable_reaches_a_header(void **state)
{
    (void)state;
    const struct runtime_failure failure = {"Function.Other", "a\r\nX: y\x01\x7f\xc3\xbc\xff~"};
    struct report report;
    assert_int_equal(report_init(&report, &failure, NULL), 0);
    assert_non_null(strstr(report.cause, "\"a??X: y?????~\""));
    assert_non_null(strstr(report.body, "\"a??X: y?????~\""));
    report_free(&report);
}

static void a_long_message_is_cut(void **state)
{
    (void)state;
    static char message[100000];
    memset(message, 'x', sizeof message - 1);
    const struct runtime_failure failure = {"Function.Other", message};
    struct report report;
    assert_int_equal(report_init(&report, &failure, NULL), 0);
    struct json_object *body = json_tokener_parse(report.body);
    assert_int_equal(json_object_get_string_len(member(body, "errorMessage")), RUNTIME_MESSAGE_MAX);
    assert_true(strlen(report.cause) < 8192);
    json_object_put(body);
    report_free(&report);
}

static void no_message_is_an_empty_one(void **state)
{
    (void)state;
    const struct runtime_failure failure = {0};
    struct report report;
    assert_int_equal(report_init(&report, &failure, NULL), 0);
    assert_string_equal(
        report.body, "{\"errorMessage\":\"\",\"errorType\":\"Runtime.Unknown\",\"stackTrace\":[]}");
    report_free(&report);
}

static void an_empty_report_may_be_freed(void **state)
{
    (void)state;
    struct report report = {0};
    report_free(&report);
    report_free(&report);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_type_is_what_lambda_takes),
        cmocka_unit_test(the_body_is_json_with_an_empty_stack),
        cmocka_unit_test(the_cause_is_what_x_ray_shows),
        cmocka_unit_test(nothing_unprintable_reaches_a_header),
        cmocka_unit_test(a_long_message_is_cut),
        cmocka_unit_test(no_message_is_an_empty_one),
        cmocka_unit_test(an_empty_report_may_be_freed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
