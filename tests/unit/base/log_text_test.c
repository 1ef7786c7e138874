#include "base/log_text.h"

#include <json-c/json.h>
#include <string.h>

#include "tests/support/cmocka_all.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

#define HEAD "\"timestamp\":\"2026-11-24T12:00:00.000Z\",\"level\":\"WARN\","

static const struct {
    const char *line, *text;
} lines[] = {
    {"{" HEAD "\"message\":\"Throttling error on attempt 2/6, retrying in 3.50s\",\"requestId\":"
     "\"r-1\",\"session_id\":\"s-1\",\"kind\":\"throttled\",\"wait_s\":3.500,\"attempts\":2}",
     "2026-11-24T12:00:00.000Z WARN r-1 Throttling error on attempt 2/6, retrying in 3.50s "
     "session_id=s-1 kind=throttled wait_s=3.500 attempts=2\n"},
    {"{" HEAD "\"message\":\"x\"}", "2026-11-24T12:00:00.000Z WARN - x\n"},
    {"{}", "- - - \n"},
    /* values with a quote, a space, an equals sign, a backslash, nothing */
    {"{\"message\":\"m\",\"a\":\"say \\\"x\\\"\",\"b\":\"c=d\",\"e\":\"\\\\\",\"f\":\"\"}",
     "- - - m a=\"say \\\"x\\\"\" b=\"c=d\" e=\"\\\\\" f=\"\"\n"},
    /* nothing ends the line before its end */
    {"{\"message\":\"one\\ntwo\\r\\t\\u0000three\",\"a\":\"x\\ny\",\"b\":\"x\\n y\"}",
     "- - - one\\ntwo\\r\\t a=x\\ny b=\"x\\n y\"\n"},
    {"{\"message\":\"\\u001b[31m \\u007f \\u0085 \\u009f \\u00a0\"}",
     "- - - \\u001b[31m \\u007f \\u0085 \\u009f \xc2\xa0\n"},
    {"{\"message\":\"caf\xc3\xa9 \xe2\x82\xac\",\"a\":\"caf\xc3\xa9\"}",
     "- - - caf\xc3\xa9 \xe2\x82\xac a=caf\xc3\xa9\n"},
    {"{\"requestId\":\"r 1\\n\",\"message\":\"m \\\"x\\\" a=b \\\\\"}",
     "- - \"r 1\\n\" m \"x\" a=b \\\n"},
    {"{\"message\":\"m\",\"a\":null,\"b\":true}", "- - - m a=\"\" b=true\n"},
};

static void a_line_is_one_line_of_text(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(lines); i++) {
        struct json_object *line = json_tokener_parse(lines[i].line);
        struct buffer out;
        struct error err = {0};
        assert_non_null(line);
        buffer_init(&out, 1000);
        assert_int_equal(log_text_append(line, &out, &err), 0);
        assert_string_equal(out.data, lines[i].text);
        assert_ptr_equal(strchr(out.data, '\n'), out.data + out.length - 1);
        buffer_free(&out);
        json_object_put(line);
    }
}

static void a_line_above_the_ceiling_fails(void **state)
{
    (void)state;
    struct json_object *line = json_tokener_parse(lines[0].line);
    for (size_t ceiling = 0; ceiling < strlen(lines[0].text); ceiling++) {
        struct buffer out;
        struct error err = {0};
        buffer_init(&out, ceiling);
        assert_int_equal(log_text_append(line, &out, &err), -1);
        assert_int_equal(err.kind, ERROR_REPLY_TOO_LARGE);
        buffer_free(&out);
    }
    json_object_put(line);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_is_one_line_of_text),
        cmocka_unit_test(a_line_above_the_ceiling_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
