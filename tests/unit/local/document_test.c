#include <stdlib.h>
#include <string.h>

#include "local/document.h"
#include "tests/support/cmocka_all.h"

static void only_whole_documents_are_read(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t length;
        int valid;
    } cases[] = {
        {"{}", 2, 1},       {"[1,2]", 5, 1},   {"5", 1, 1},      {"-1.5e3", 6, 1},
        {"\"a\"", 3, 1},    {"true", 4, 1},    {" {} \n", 5, 1}, {"", 0, 0},
        {"{", 1, 0},        {"{} x", 4, 0},    {"{}{}", 4, 0},   {"{}\0", 3, 0},
        {"{}\0{}", 5, 0},   {"nothing", 7, 0}, {"'a'", 3, 0},    {"{\"a\":1,}", 8, 0},
        {"\"\xff\"", 3, 0}, {"null", 4, 0},    {"\"a", 2, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct error err = {0};
        struct json_object *value = document_parse(cases[i].text, cases[i].length, &err);
        if ((value != NULL) != (cases[i].valid != 0))
            fail_msg("case %zu: %s", i, cases[i].text);
        assert_int_equal(err.kind, value != NULL ? ERROR_NONE : ERROR_INVALID_REQUEST);
        json_object_put(value);
    }
}

static void a_document_is_printed_without_needless_bytes(void **state)
{
    (void)state;
    static const char text[] = "{ \"a\" : \"x/y\" }";
    struct json_object *value = document_parse(text, strlen(text), NULL);
    struct buffer out;
    buffer_init(&out, 100);
    assert_int_equal(document_print(value, &out, NULL), 0);
    assert_string_equal(out.data, "{\"a\":\"x/y\"}");
    buffer_free(&out);
    json_object_put(value);
}

static void a_member_has_to_have_the_right_type(void **state)
{
    (void)state;
    static const char text[] = "{\"a\":1,\"b\":null}";
    struct json_object *value = document_parse(text, strlen(text), NULL);
    assert_non_null(document_member(value, "a", json_type_int));
    assert_null(document_member(value, "a", json_type_string));
    assert_null(document_member(value, "b", json_type_string));
    assert_null(document_member(value, "c", json_type_int));
    assert_null(document_member(NULL, "a", json_type_int));
    json_object_put(value);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_whole_documents_are_read),
        cmocka_unit_test(a_document_is_printed_without_needless_bytes),
        cmocka_unit_test(a_member_has_to_have_the_right_type),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
