#include "bedrock/json.h"

#include <json-c/json.h>
#include <string.h>

#include "tests/support/cmocka_all.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static void only_whole_and_strict_json_is_parsed(void **state)
{
    (void)state;
    static const struct {
        const char *json;
        size_t length; /* 0: strlen() */
        bool fine;
    } cases[] = {
        {"{}", 0, true},          {" [1, 2.5, \"\\u00e9\"] \n", 0, true},
        {"7", 0, true},           {"\"\xc3\xa9\"", 0, true},
        {"", 0, false},           {" ", 0, false},
        {"{", 0, false},          {"{}{}", 0, false},
        {"{} x", 0, false},       {"['a']", 0, false},
        {"{\"a\":1,}", 0, false}, {"[1] // why", 0, false},
        {"\"\xc3\"", 0, false}, /* not UTF-8 */
        {"\"\xff\"", 0, false},   {"{}\0{}", 5, false},
        {"{\0}", 3, false},       {"<html>", 0, false},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        size_t length = cases[i].length > 0 ? cases[i].length : strlen(cases[i].json);
        struct json_object *root = json_parse(cases[i].json, length);
        if ((root != NULL) != cases[i].fine)
            print_error("case %zu: %s\n", i, cases[i].json);
        assert_int_equal(root != NULL, cases[i].fine);
        json_object_put(root);
    }
    assert_null(json_parse(NULL, 0));
}

static void depth_has_a_limit(void **state)
{
    (void)state;
    static char deep[200000];
    static const struct {
        size_t depth;
        bool fine;
    } cases[] = {{60, true}, {65, false}, {100000, false}};
    for (size_t i = 0; i < COUNT(cases); i++) {
        memset(deep, '[', cases[i].depth);
        memset(deep + cases[i].depth, ']', cases[i].depth);
        struct json_object *root = json_parse(deep, 2 * cases[i].depth);
        assert_int_equal(root != NULL, cases[i].fine);
        json_object_put(root);
    }
}

static void members_of_another_type_read_as_none(void **state)
{
    (void)state;
    static const char json[] = "{\"text\":\"a\\u0000b\",\"count\":5,\"part\":1.5,\"less\":-1,"
                               "\"huge\":99999999999999999999,\"list\":[\"x\"],\"none\":null}";
    struct json_object *root = json_parse(json, sizeof json - 1);
    assert_non_null(root);
    struct json_text text = json_text(json_member(root, "text"));
    assert_int_equal(text.length, 3);
    assert_memory_equal(text.bytes, "a\0b", 3);
    assert_null(json_text(json_member(root, "count")).bytes);
    assert_null(json_string_member(root, "count"));
    assert_null(json_string_member(root, "absent"));
    assert_null(json_string_member(NULL, "text"));
    assert_int_equal(json_count_member(root, "count"), 5);
    static const char *const no_counts[] = {"text", "part", "less",  "huge",
                                            "list", "none", "absent"};
    for (size_t i = 0; i < COUNT(no_counts); i++)
        assert_int_equal(json_count_member(root, no_counts[i]), -1);
    assert_true(json_number_member(root, "part") == 1.5);
    assert_true(json_number_member(root, "count") == 5);
    assert_true(json_number_member(root, "text") == -1);
    assert_string_equal(json_text(json_first(json_member(root, "list"))).bytes, "x");
    assert_null(json_first(root));
    assert_null(json_first(NULL));
    assert_null(json_member(json_member(root, "text"), "x"));
    json_object_put(root);
}

static void numbers_are_written_as_people_write_them(void **state)
{
    (void)state;
    static const struct {
        double number;
        const char *text;
    } cases[] = {{0.7, "0.7"}, {0, "0"}, {1, "1"}, {0.1, "0.1"}, {2, "2"}, {0.333, "0.333"}};
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct json_object *number = json_number(cases[i].number);
        assert_string_equal(json_object_to_json_string(number), cases[i].text);
        json_object_put(number);
    }
}

static void what_is_missing_is_noticed_when_it_is_added(void **state)
{
    (void)state;
    struct json_object *object = json_object_new_object();
    struct json_object *array = json_object_new_array();
    assert_false(json_put(object, "x", NULL));
    assert_false(json_put(NULL, "x", json_object_new_int(1)));
    assert_false(json_push(array, NULL));
    assert_false(json_push(NULL, json_object_new_int(1)));
    assert_null(json_chat_message("user", NULL));
    json_object_put(array);
    json_object_put(object);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_whole_and_strict_json_is_parsed),
        cmocka_unit_test(depth_has_a_limit),
        cmocka_unit_test(members_of_another_type_read_as_none),
        cmocka_unit_test(numbers_are_written_as_people_write_them),
        cmocka_unit_test(what_is_missing_is_noticed_when_it_is_added),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
