#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/base64.h"

static const char *const vectors[][2] = {
    /* RFC 4648, section 10 */
    {"", ""},
    {"f", "Zg=="},
    {"fo", "Zm8="},
    {"foo", "Zm9v"},
    {"foob", "Zm9vYg=="},
    {"fooba", "Zm9vYmE="},
    {"foobar", "Zm9vYmFy"},
    {"\xff\xfe\xfb", "//77"},
};

static void the_vectors_of_the_standard_hold_both_ways(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++) {
        struct buffer out;
        buffer_init(&out, 100);
        assert_int_equal(base64_encode(&out, vectors[i][0], strlen(vectors[i][0]), NULL), 0);
        assert_string_equal(out.data, vectors[i][1]);
        buffer_clear(&out);
        assert_int_equal(base64_decode(&out, vectors[i][1], strlen(vectors[i][1]), NULL), 0);
        assert_string_equal(out.data, vectors[i][0]);
        buffer_free(&out);
    }
}

static void anything_else_is_refused_and_changes_nothing(void **state)
{
    (void)state;
    static const char *const cases[] = {"Zg",   "Zg=",  "Z===", "====",     "Zm9v\n", "Zm 9",
                                        "Zm-_", "Zh==", "Zm9=", "Zg==Zg==", "=m9v"};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct buffer out;
        struct error err = {0};
        buffer_init(&out, 100);
        assert_int_equal(buffer_append_string(&out, "x", NULL), 0);
        if (base64_decode(&out, cases[i], strlen(cases[i]), &err) == 0)
            fail_msg("\"%s\" is accepted", cases[i]);
        assert_int_equal(err.kind, ERROR_INVALID_REQUEST);
        assert_string_equal(out.data, "x");
        buffer_free(&out);
    }
}

static void the_ceiling_holds(void **state)
{
    (void)state;
    struct buffer out;
    buffer_init(&out, 7);
    assert_int_equal(base64_encode(&out, "foobar", 6, NULL), -1);
    buffer_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_vectors_of_the_standard_hold_both_ways),
        cmocka_unit_test(anything_else_is_refused_and_changes_nothing),
        cmocka_unit_test(the_ceiling_holds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
