#include "bedrock/answer.h"

#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "bedrock/json.h"
#include "tests/support/cmocka_all.h"

static void every_stop_has_a_word(void **state)
{
    (void)state;
    assert_string_equal(bedrock_stop_word(BEDROCK_STOP_END), "end_turn");
    assert_string_equal(bedrock_stop_word(BEDROCK_STOP_LENGTH), "max_tokens");
    assert_string_equal(bedrock_stop_word(BEDROCK_STOP_REFUSAL), "refusal");
    assert_string_equal(bedrock_stop_word(BEDROCK_STOP_OTHER), "other");
    assert_string_equal(bedrock_stop_word((enum bedrock_stop)99), "other");
}

static void texts_keep_their_zeros(void **state)
{
    (void)state;
    static const char json[] = "[{\"text\":\"a\\u0000b\"},{\"text\":\"\\u0000\"}]";
    struct json_object *blocks = json_parse(json, sizeof json - 1);
    struct bedrock_answer answer = {0};
    assert_int_equal(answer_read_blocks(blocks, &answer, NULL), 0);
    assert_int_equal(answer.text_length, 4);
    assert_memory_equal(answer.text, "a\0b\0", 5);
    free(answer.text);
    json_object_put(blocks);
}

static void half_a_character_is_replaced(void **state)
{
    (void)state;
    static const char json[] = "[{\"text\":\"\\ud83c\"}]";
    struct json_object *blocks = json_parse(json, sizeof json - 1);
    struct bedrock_answer answer = {0};
    assert_int_equal(answer_read_blocks(blocks, &answer, NULL), 0);
    assert_string_equal(answer.text, "\xef\xbf\xbd");
    free(answer.text);
    json_object_put(blocks);
}

static void no_text_is_an_empty_string(void **state)
{
    (void)state;
    struct json_object *blocks = json_object_new_array();
    struct bedrock_answer answer = {0};
    assert_int_equal(answer_read_blocks(blocks, &answer, NULL), 0);
    assert_string_equal(answer.text, "");
    assert_int_equal(answer.text_length, 0);
    free(answer.text);
    json_object_put(blocks);
}

static void a_stop_is_looked_up(void **state)
{
    (void)state;
    static const struct answer_stop_word table[] = {{"stop", BEDROCK_STOP_END},
                                                    {NULL, BEDROCK_STOP_OTHER}};
    static const struct {
        const char *json;
        int result;
        enum bedrock_stop stop;
    } cases[] = {
        {"\"stop\"", 0, BEDROCK_STOP_END}, {"\"Stop\"", 0, BEDROCK_STOP_OTHER},
        {"\"\"", 0, BEDROCK_STOP_OTHER},   {"null", 0, BEDROCK_STOP_OTHER},
        {"7", -1, BEDROCK_STOP_OTHER},     {"{}", -1, BEDROCK_STOP_OTHER},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct json_object *word = json_parse(cases[i].json, strlen(cases[i].json));
        enum bedrock_stop stop = BEDROCK_STOP_REFUSAL;
        assert_int_equal(answer_read_stop(word, table, &stop, NULL), cases[i].result);
        assert_int_equal(stop, cases[i].stop);
        json_object_put(word);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_stop_has_a_word),
        cmocka_unit_test(texts_keep_their_zeros),
        cmocka_unit_test(half_a_character_is_replaced),
        cmocka_unit_test(no_text_is_an_empty_string),
        cmocka_unit_test(a_stop_is_looked_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
