#include "base/utf8.h"

#include <string.h>

#include "tests/support/cmocka_all.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static const struct {
    const char *bytes;
    size_t length; /* of the bytes */
    size_t first;  /* of the character they begin with */
    const char *mended;
} cases[] = {
    {"", 0, 0, ""},
    {"a", 1, 1, "a"},
    {"\0z", 2, 1, "\0z"},
    {"\x7f", 1, 1, "\x7f"},
    {"\xc2\x80", 2, 2, "\xc2\x80"},
    {"\xdf\xbf", 2, 2, "\xdf\xbf"},
    {"\xe0\xa0\x80", 3, 3, "\xe0\xa0\x80"},
    {"\xec\xbf\xbf", 3, 3, "\xec\xbf\xbf"},
    {"\xed\x9f\xbf", 3, 3, "\xed\x9f\xbf"},
    {"\xee\x80\x80", 3, 3, "\xee\x80\x80"},
    {"\xef\xbf\xbf", 3, 3, "\xef\xbf\xbf"},
    {"\xf0\x90\x80\x80", 4, 4, "\xf0\x90\x80\x80"},
    {"\xf3\xbf\xbf\xbf", 4, 4, "\xf3\xbf\xbf\xbf"},
    {"\xf4\x8f\xbf\xbf", 4, 4, "\xf4\x8f\xbf\xbf"},
    /* continuation bytes, and bytes that never occur */
    {"\x80", 1, 0, "?"},
    {"\xbfz", 2, 0, "?z"},
    {"\xff\xfe", 2, 0, "??"},
    {"\xf5\x80\x80\x80", 4, 0, "????"},
    /* overlong */
    {"\xc0\x80", 2, 0, "??"},
    {"\xc1\xbf", 2, 0, "??"},
    {"\xe0\x9f\xbf", 3, 0, "???"},
    {"\xf0\x8f\xbf\xbf", 4, 0, "????"},
    /* surrogates, and above U+10FFFF */
    {"\xed\xa0\x80", 3, 0, "???"},
    {"\xed\xbf\xbf", 3, 0, "???"},
    {"\xf4\x90\x80\x80", 4, 0, "????"},
    /* cut short, or broken by what follows */
    {"\xc3", 1, 0, "?"},
    {"\xe2\x82", 2, 0, "??"},
    {"\xf0\x9f\x98", 3, 0, "???"},
    {"\xc3z", 2, 0, "?z"},
    {"\xe2\x82z", 3, 0, "??z"},
    {"\xe2z\x82", 3, 0, "?z?"},
    {"\xf0\x9f\x98z", 4, 0, "???z"},
    {"\xf0\x9fz\x80", 4, 0, "??z?"},
    {"\xe2\x82\xc0", 3, 0, "???"},
    {"\xf0\x9f\x98\xff", 4, 0, "????"},
    /* among others */
    {"a\xc3\xa9z", 4, 1, "a\xc3\xa9z"},
    {"a\xc3", 2, 1, "a?"},
    {"\xc3\xa9\xc3", 3, 2, "\xc3\xa9?"},
};

static void a_character_has_the_length_that_its_bytes_say(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++)
        assert_int_equal(utf8_character(cases[i].bytes, cases[i].length), cases[i].first);
}

static void bytes_are_valid_when_nothing_is_to_be_mended(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        bool same = memcmp(cases[i].bytes, cases[i].mended, cases[i].length) == 0;
        assert_int_equal(utf8_is_valid(cases[i].bytes, cases[i].length), same);
    }
}

static void mending_replaces_bytes_of_no_character_and_keeps_the_others(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        char bytes[8];
        memcpy(bytes, cases[i].bytes, cases[i].length);
        utf8_mend(bytes, cases[i].length);
        assert_memory_equal(bytes, cases[i].mended, cases[i].length);
        assert_true(utf8_is_valid(bytes, cases[i].length));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_character_has_the_length_that_its_bytes_say),
        cmocka_unit_test(bytes_are_valid_when_nothing_is_to_be_mended),
        cmocka_unit_test(mending_replaces_bytes_of_no_character_and_keeps_the_others),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
