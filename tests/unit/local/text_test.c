#include <stdlib.h>
#include <string.h>

#include "local/text.h"
#include "tests/support/cmocka_all.h"

static void utf8_is_told_from_other_bytes(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t count;
        int valid;
    } cases[] = {
        {"", 0, 1},
        {"plain", 5, 1},
        {"\0", 1, 1},
        {"\xc3\xa9", 2, 1},
        {"\xe2\x82\xac", 3, 1},
        {"\xf0\x9f\x98\x80", 4, 1},
        {"\xf4\x8f\xbf\xbf", 4, 1},
        {"\x80", 1, 0},
        {"\xc3", 1, 0},
        {"\xc3(", 2, 0},
        {"\xe2\x82", 2, 0},
        {"\xff\xfe", 2, 0},
        {"\xc0\x80", 2, 0},         /* overlong */
        {"\xe0\x80\xaf", 3, 0},     /* overlong */
        {"\xed\xa0\x80", 3, 0},     /* surrogate */
        {"\xf4\x90\x80\x80", 4, 0}, /* beyond Unicode */
        {"ok then \xf5", 9, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        if (text_is_utf8(cases[i].bytes, cases[i].count) != (cases[i].valid != 0))
            fail_msg("case %zu", i);
}

static void escapes_are_decoded(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool plus;
        const char *decoded;
    } cases[] = {
        {"a%20b", false, "a b"}, {"%3A%3a%2F", false, "::/"}, {"a+b", false, "a+b"},
        {"a+b", true, "a b"},    {"100%", false, "100%"},     {"%zz%2", false, "%zz%2"},
        {"%%41", false, "%A"},   {"%2541", false, "%41"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct buffer out;
        buffer_init(&out, 100);
        assert_int_equal(
            text_percent_decode(cases[i].text, strlen(cases[i].text), cases[i].plus, &out, NULL),
            0);
        assert_string_equal(out.data, cases[i].decoded);
        buffer_free(&out);
    }
}

static void decoding_stops_at_the_ceiling(void **state)
{
    (void)state;
    struct buffer out;
    buffer_init(&out, 3);
    assert_int_equal(text_percent_decode("abcd", 4, false, &out, NULL), -1);
    buffer_free(&out);
}

static void numbers_are_plain_decimals_in_range(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int valid;
    } cases[] = {{"0", 1},  {"10", 1}, {"2.5", 1}, {".5", 1},  {"10.1", 0}, {"-1", 0},   {"", 0},
                 {" 1", 0}, {"1 ", 0}, {"1e1", 0}, {"0x1", 0}, {"nan", 0},  {"1.2.3", 0}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        double number = -7;
        bool valid = text_number(cases[i].text, 0, 10, &number);
        if (valid != (cases[i].valid != 0) || (!valid && number != -7))
            fail_msg("\"%s\"", cases[i].text);
    }
}

static void integers_have_no_fraction(void **state)
{
    (void)state;
    long number = 0;
    assert_true(text_integer("12", 0, 12, &number));
    assert_int_equal(number, 12);
    assert_false(text_integer("1.0", 0, 12, &number));
    assert_false(text_integer("13", 0, 12, &number));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(utf8_is_told_from_other_bytes),
        cmocka_unit_test(escapes_are_decoded),
        cmocka_unit_test(decoding_stops_at_the_ceiling),
        cmocka_unit_test(numbers_are_plain_decimals_in_range),
        cmocka_unit_test(integers_have_no_fraction),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
