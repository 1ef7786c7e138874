#include "base/strict_json.h"

#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/cmocka_all.h"

#define COUNT(array)  (sizeof(array) / sizeof(array)[0])
#define BYTES(string) (string), sizeof(string) - 1

/* A copy without a byte after it, so that a sanitizer sees who reads too far. */
static struct json_object *parse(const char *bytes, size_t length, struct error *err)
{
    char *copy = malloc(length > 0 ? length : 1);
    assert_non_null(copy);
    memcpy(copy, bytes, length);
    struct json_object *root = strict_json_parse(copy, length, err);
    free(copy);
    return root;
}

static const struct {
    const char *bytes;
    size_t length;
    const char *plain; /* as json-c writes it */
} good[] = {
    {BYTES("{}"), "{}"},
    {BYTES(" \t\r\n{ } \n"), "{}"},
    {BYTES("[]"), "[]"},
    {BYTES("[ 1 , 2 ]"), "[1,2]"},
    {BYTES("{\"a\":{\"b\":[true,false,null]}}"), "{\"a\":{\"b\":[true,false,null]}}"},
    {BYTES("{ \"a\" : 1 , \"b\" : 2 }"), "{\"a\":1,\"b\":2}"},
    {BYTES("true"), "true"},
    {BYTES("false"), "false"},
    {BYTES("\"x\""), "\"x\""},
    {BYTES("\"\""), "\"\""},
    {BYTES("5"), "5"},
    {BYTES("5 "), "5"},
    {BYTES("-0.5"), "-0.5"},
    {BYTES("1e5"), "1e5"},
    {BYTES("1E+5"), "1E+5"},
    {BYTES("10.25e-3"), "10.25e-3"},
    {BYTES("[0,-1,9223372036854775807]"), "[0,-1,9223372036854775807]"},
    {BYTES("{\"\":1}"), "{\"\":1}"},
    /* the last of two members counts */
    {BYTES("{\"a\":1,\"a\":2}"), "{\"a\":2}"},
    /* text */
    {BYTES("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\""), "\"\\\"\\\\/\\b\\f\\n\\r\\t\""},
    {BYTES("\"\x7f\""), "\"\x7f\""},
    {BYTES("\"gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80\""),
     "\"gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80\""},
    {BYTES("{\"\xc3\xa9\":1}"), "{\"\xc3\xa9\":1}"},
    {BYTES("\"\\u00e9\\u20AC\\ud83d\\uDE00\""), "\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\""},
    {BYTES("\"a\\u0000b\""), "\"a\\u0000b\""},
    /* half a surrogate pair */
    {BYTES("\"\\ud800\""), "\"\xef\xbf\xbd\""},
    {BYTES("\"\\udc00x\""), "\"\xef\xbf\xbdx\""},
    {BYTES("\"\\ud800\\u0041\""), "\"\xef\xbf\xbd"
                                  "A\""},
};

static void json_is_parsed(void **state)
{
    (void)state;
    int flags = JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE;
    for (size_t i = 0; i < COUNT(good); i++) {
        struct error err = {0};
        struct json_object *root = parse(good[i].bytes, good[i].length, &err);
        if (root == NULL)
            fail_msg("%s: %s", good[i].bytes, err.text);
        assert_string_equal(json_object_to_json_string_ext(root, flags), good[i].plain);
        json_object_put(root);
    }
}

static const struct {
    const char *bytes;
    size_t length;
    int at; /* the byte where it goes wrong */
} bad[] = {
    {BYTES(" "), 1},
    {BYTES("x"), 0},
    {BYTES("\xef\xbb\xbf{}"), 0},
    {BYTES("\xc2\xa0{}"), 0},
    {BYTES("\x0b{}"), 0},
    {BYTES("\x01{}"), 0},
    /* ends too early */
    {BYTES("{"), 1},
    {BYTES("{\"a\""), 4},
    {BYTES("{\"a\":"), 5},
    {BYTES("{\"a\":1"), 6},
    {BYTES("{\"a\":1,"), 7},
    {BYTES("["), 1},
    {BYTES("[[]"), 3},
    {BYTES("\""), 1},
    {BYTES("\"abc"), 4},
    {BYTES("\"abc\\"), 5},
    {BYTES("\"\\u12\""), 5},
    {BYTES("-"), 1},
    {BYTES("1."), 2},
    {BYTES("1e"), 2},
    {BYTES("1e+"), 3},
    {BYTES("tru"), 0},
    /* something after it */
    {BYTES("{}{}"), 2},
    {BYTES("{}x"), 2},
    {BYTES("{},"), 2},
    {BYTES("1 2"), 2},
    {BYTES("{}//x"), 2},
    {BYTES("truex"), 4},
    /* a NUL is a byte like any other */
    {BYTES("{}\0"), 2},
    {BYTES("{}\0{}"), 2},
    {BYTES("\0{}"), 0},
    {BYTES("\"a\0b\""), 2},
    {BYTES("{\"a\0b\":1}"), 3},
    /* commas, colons, brackets */
    {BYTES("[1,]"), 3},
    {BYTES("[,1]"), 1},
    {BYTES("[1 2]"), 3},
    {BYTES("{,}"), 1},
    {BYTES("{\"a\":1,}"), 7},
    {BYTES("{\"a\" 1}"), 5},
    {BYTES("{\"a\":1 \"b\":2}"), 7},
    {BYTES("{\"a\"}"), 4},
    {BYTES("{1:2}"), 1},
    {BYTES("[}"), 1},
    {BYTES("{\"a\":1]"), 6},
    {BYTES("[\"a\"\"b\"]"), 4},
    /* other languages' */
    {BYTES("{a:1}"), 1},
    {BYTES("{'a':1}"), 1},
    {BYTES("['a']"), 1},
    {BYTES("/**/{}"), 0},
    {BYTES("True"), 0},
    {BYTES("TRUE"), 0},
    {BYTES("Null"), 0},
    {BYTES("NaN"), 0},
    {BYTES("nan"), 0},
    {BYTES("{\"a\":NaN}"), 5},
    {BYTES("[Infinity]"), 1},
    {BYTES("[-Infinity]"), 2},
    {BYTES("undefined"), 0},
    /* numbers */
    {BYTES("[+1]"), 1},
    {BYTES("[.5]"), 1},
    {BYTES("[1.]"), 3},
    {BYTES("[01]"), 2},
    {BYTES("[00]"), 2},
    {BYTES("[-01]"), 3},
    {BYTES("[0x10]"), 2},
    {BYTES("[--1]"), 2},
    {BYTES("[1-2]"), 2},
    {BYTES("[1.2.3]"), 4},
    {BYTES("[1e5.5]"), 4},
    {BYTES("[1e]"), 3},
    /* text */
    {BYTES("\"\\x\""), 2},
    {BYTES("\"\\u12g4\""), 5},
    {BYTES("\"\\U0041\""), 2},
    {BYTES("\"a\nb\""), 2},
    {BYTES("\"a\tb\""), 2},
    {BYTES("\"\x1f\""), 1},
    {BYTES("\"\xff\""), 1},
    {BYTES("\"\xc3\""), 1},
    {BYTES("\"\xc0\x80\""), 1},
    {BYTES("\"\xed\xa0\x80\""), 1},
    {BYTES("\"\xf4\x90\x80\x80\""), 1},
    {BYTES("\"\xe2\x82"), 1},
};

static void anything_else_is_refused_at_the_byte_where_it_goes_wrong(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++) {
        struct error err = {0};
        char text[64];
        struct json_object *root = parse(bad[i].bytes, bad[i].length, &err);
        if (root != NULL)
            fail_msg("%s is not refused", bad[i].bytes);
        (void)snprintf(text, sizeof text, "This is not JSON from byte %d on.", bad[i].at);
        assert_int_equal(err.kind, ERROR_INVALID_REQUEST);
        assert_string_equal(err.text, text);
    }
}

static void nothing_and_null_are_no_value(void **state)
{
    (void)state;
    struct error err = {0};
    assert_null(strict_json_parse(NULL, 0, &err));
    assert_int_equal(err.kind, ERROR_INVALID_REQUEST);
    assert_string_equal(err.text, "The JSON is empty.");
    assert_null(parse(BYTES(" null "), &err));
    assert_int_equal(err.kind, ERROR_INVALID_REQUEST);
    assert_string_equal(err.text, "The JSON is null.");
    assert_null(strict_json_parse("x", 1, NULL));
}

/* Arrays and objects in turn, `depth` deep, around "1". */
static char *nested(int depth)
{
    char *text = calloc(1, (size_t)depth * 7 + 2);
    assert_non_null(text);
    for (int i = 0; i < depth; i++)
        strcat(text, i % 2 ? "{\"a\":" : "[");
    strcat(text, "1");
    for (int i = depth - 1; i >= 0; i--)
        strcat(text, i % 2 ? "}" : "]");
    return text;
}

static void json_may_be_deep_but_not_without_end(void **state)
{
    (void)state;
    static const int depths[] = {1, 63, 64, 65, 66, 5000};
    for (size_t i = 0; i < COUNT(depths); i++) {
        struct error err = {0};
        char *text = nested(depths[i]);
        struct json_object *root = parse(text, strlen(text), &err);
        assert_int_equal(root != NULL, depths[i] <= STRICT_JSON_DEPTH_MAX);
        if (root == NULL)
            assert_string_equal(err.text, "The JSON is deeper than 64.");
        json_object_put(root);
        free(text);
    }
}

static void many_beside_one_another_are_not_deep(void **state)
{
    (void)state;
    char text[512] = "[";
    struct error err = {0};
    for (int i = 0; i < 100; i++)
        strcat(text, i % 2 ? "{}," : "[],");
    strcat(text, "[]]");
    struct json_object *root = parse(text, strlen(text), &err);
    assert_non_null(root);
    assert_int_equal(json_object_array_length(root), 101);
    json_object_put(root);
}

static void the_longest_event_is_parsed(void **state)
{
    (void)state;
    size_t length = 6U << 20;
    char *text = malloc(length);
    assert_non_null(text);
    memset(text, 'x', length);
    text[0] = '"';
    text[length - 1] = '"';
    struct error err = {0};
    struct json_object *root = strict_json_parse(text, length, &err);
    assert_non_null(root);
    assert_int_equal(json_object_get_string_len(root), length - 2);
    json_object_put(root);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(json_is_parsed),
        cmocka_unit_test(anything_else_is_refused_at_the_byte_where_it_goes_wrong),
        cmocka_unit_test(nothing_and_null_are_no_value),
        cmocka_unit_test(json_may_be_deep_but_not_without_end),
        cmocka_unit_test(many_beside_one_another_are_not_deep),
        cmocka_unit_test(the_longest_event_is_parsed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
