#include <stdlib.h>
#include <string.h>

#include "base/strict_json.h"
#include "local/document.h"
#include "local/model.h"
#include "tests/support/cmocka_all.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* The answer of a family to `message` under a fault script of one item, "" for none. */
static struct json_object *answer(enum model_family family, const char *message, const char *script,
                                  int64_t max_tokens, int64_t *output_tokens)
{
    char id[] = "model";
    struct fault_script faults = {0};
    struct model_reply reply = {0};
    struct model_request request = {
        .family = family, .id = id, .input_tokens = 9, .max_tokens = max_tokens};
    buffer_init(&request.text, 100000);
    assert_int_equal(buffer_append_string(&request.text, message, NULL), 0);
    assert_int_equal(fault_script_add(&faults, script, NULL), 0);
    assert_int_equal(model_answer(&request, fault_script_next(&faults), &reply, NULL), 0);
    struct json_object *value = strict_json_parse(reply.body.data, reply.body.length, NULL);
    assert_non_null(value);
    if (output_tokens != NULL)
        *output_tokens = reply.output_tokens;
    buffer_free(&reply.body);
    buffer_free(&request.text);
    fault_script_free(&faults);
    return value;
}

/* Parts of an answer, found by "a.0.b". */
static const char *at(struct json_object *value, const char *path)
{
    while (*path != '\0' && value != NULL) {
        char name[64];
        size_t length = strcspn(path, ".");
        memcpy(name, path, length);
        name[length] = '\0';
        struct json_object *next = NULL;
        if (json_object_is_type(value, json_type_array))
            next = json_object_array_get_idx(value, (size_t)atoi(name));
        else if (!json_object_object_get_ex(value, name, &next))
            next = NULL;
        value = next;
        path += length + (path[length] == '.' ? 1 : 0);
    }
    return value != NULL ? json_object_get_string(value) : "absent";
}

struct shape {
    const char *text, *second, *stop, *input, *output;
};

static const struct shape shapes[] = {
    [MODEL_ANTHROPIC] = {"content.0.text", "content.1.text", "stop_reason", "usage.input_tokens",
                         "usage.output_tokens"},
    [MODEL_NOVA] = {"output.message.content.0.text", "output.message.content.1.text", "stopReason",
                    "usage.inputTokens", "usage.outputTokens"},
    [MODEL_OPENAI] = {"choices.0.message.content", "choices.0.message.content.1.text",
                      "choices.0.finish_reason", "usage.prompt_tokens", "usage.completion_tokens"},
};

static void each_family_repeats_the_message(void **state)
{
    (void)state;
    static const char *const stops[] = {"end_turn", "end_turn", "stop"};
    for (int family = MODEL_ANTHROPIC; family <= MODEL_OPENAI; family++) {
        int64_t tokens = 0;
        struct json_object *value = answer((enum model_family)family, "test", "", 100, &tokens);
        assert_string_equal(at(value, shapes[family].text), "You said: test");
        assert_string_equal(at(value, shapes[family].stop), stops[family]);
        assert_string_equal(at(value, shapes[family].input), "9");
        assert_string_equal(at(value, shapes[family].output), "4");
        assert_int_equal(tokens, 4);
        json_object_put(value);
    }
}

static void a_fault_shapes_the_answer(void **state)
{
    (void)state;
    static const struct {
        const char *fault;
        enum model_family family;
        const char *path, *expected;
    } cases[] = {
        {"empty", MODEL_ANTHROPIC, "content", "[ ]"},
        {"empty", MODEL_NOVA, "output.message.content", "[ ]"},
        {"empty", MODEL_OPENAI, "choices.0.message.content", ""},
        {"empty", MODEL_ANTHROPIC, "stop_reason", "end_turn"},
        {"refusal", MODEL_ANTHROPIC, "stop_reason", "refusal"},
        {"refusal", MODEL_NOVA, "stopReason", "content_filtered"},
        {"refusal", MODEL_OPENAI, "choices.0.finish_reason", "content_filter"},
        {"guardrail", MODEL_ANTHROPIC, "stop_reason", "guardrail_intervened"},
        {"max-tokens", MODEL_ANTHROPIC, "stop_reason", "max_tokens"},
        {"max-tokens", MODEL_NOVA, "stopReason", "max_tokens"},
        {"max-tokens", MODEL_OPENAI, "choices.0.finish_reason", "length"},
        {"tool-use", MODEL_ANTHROPIC, "content.0.type", "tool_use"},
        {"tool-use", MODEL_NOVA, "stopReason", "tool_use"},
        {"tool-use", MODEL_OPENAI, "choices.0.message.content", "absent"},
        {"multi-block", MODEL_ANTHROPIC, "content.0.text", "You sa"},
        {"multi-block", MODEL_ANTHROPIC, "content.1.text", "id: hi"},
        {"multi-block", MODEL_NOVA, "output.message.content.1.text", "id: hi"},
        {"multi-block", MODEL_OPENAI, "choices.0.message.content.1.text", "id: hi"},
        {"reasoning", MODEL_ANTHROPIC, "content.0.type", "thinking"},
        {"reasoning", MODEL_ANTHROPIC, "content.1.text", "You said: hi"},
        {"reasoning", MODEL_NOVA, "output.message.content.1.text", "You said: hi"},
        {"no-usage", MODEL_ANTHROPIC, "usage", "absent"},
        {"no-usage", MODEL_NOVA, "usage", "absent"},
        {"no-usage", MODEL_OPENAI, "usage", "absent"},
        {"no-counts", MODEL_ANTHROPIC, "usage.input_tokens", "9"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct json_object *value = answer(cases[i].family, "hi", cases[i].fault, 100, NULL);
        assert_string_equal(at(value, cases[i].path), cases[i].expected);
        json_object_put(value);
    }
}

static void an_answer_ends_at_max_tokens(void **state)
{
    (void)state;
    struct json_object *value = answer(MODEL_ANTHROPIC, "test", "", 2, NULL);
    assert_string_equal(at(value, "content.0.text"), "You said");
    assert_string_equal(at(value, "stop_reason"), "max_tokens");
    json_object_put(value);
}

static void a_text_is_never_cut_inside_a_character(void **state)
{
    (void)state;
    struct json_object *value = answer(MODEL_ANTHROPIC, "\xe2\x82\xac\xe2\x82\xac", "", 3, NULL);
    assert_string_equal(at(value, "content.0.text"), "You said: ");
    json_object_put(value);
}

static void a_long_message_is_not_repeated_whole(void **state)
{
    (void)state;
    char message[3001];
    memset(message, 'x', sizeof message - 1);
    message[sizeof message - 1] = '\0';
    struct json_object *value = answer(MODEL_ANTHROPIC, message, "", 1000000, NULL);
    assert_int_equal(strlen(at(value, "content.0.text")), strlen("You said: ") + 1000 + 3);
    assert_string_equal(at(value, "stop_reason"), "end_turn");
    json_object_put(value);
}

static void a_huge_answer_has_as_many_bytes_as_asked_for(void **state)
{
    (void)state;
    struct json_object *value = answer(MODEL_NOVA, "hi", "huge=12345", 100, NULL);
    assert_int_equal(strlen(at(value, shapes[MODEL_NOVA].text)), 12345);
    json_object_put(value);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_family_repeats_the_message),
        cmocka_unit_test(a_fault_shapes_the_answer),
        cmocka_unit_test(an_answer_ends_at_max_tokens),
        cmocka_unit_test(a_text_is_never_cut_inside_a_character),
        cmocka_unit_test(a_long_message_is_not_repeated_whole),
        cmocka_unit_test(a_huge_answer_has_as_many_bytes_as_asked_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
