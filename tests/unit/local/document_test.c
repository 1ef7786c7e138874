#include <stdlib.h>
#include <string.h>

#include "base/strict_json.h"
#include "local/document.h"
#include "tests/support/cmocka_all.h"

static void a_document_is_printed_without_needless_bytes(void **state)
{
    (void)state;
    static const char text[] = "{ \"a\" : \"x/y\" }";
    struct json_object *value = strict_json_parse(text, strlen(text), NULL);
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
    struct json_object *value = strict_json_parse(text, strlen(text), NULL);
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
        cmocka_unit_test(a_document_is_printed_without_needless_bytes),
        cmocka_unit_test(a_member_has_to_have_the_right_type),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
