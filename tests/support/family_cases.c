#include "tests/support/family_cases.h"

#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/cmocka_all.h"

void family_check_answers(const struct family *family, const struct family_case *cases,
                          size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct bedrock_answer answer = {.input_tokens = -1, .output_tokens = -1};
        struct error err = {0};
        struct json_object *root = json_tokener_parse(cases[i].json);
        int result = family->read_answer(root, &answer, &err);
        json_object_put(root);
        if ((result == 0) != (cases[i].text != NULL))
            print_error("case %zu: %s\n", i, cases[i].json);
        if (cases[i].text == NULL) {
            assert_int_equal(result, -1);
            assert_int_equal(err.kind, ERROR_BAD_ANSWER);
            assert_null(answer.text);
            continue;
        }
        assert_int_equal(result, 0);
        assert_string_equal(answer.text, cases[i].text);
        assert_int_equal(answer.text_length, strlen(cases[i].text));
        assert_int_equal(answer.stop, cases[i].stop);
        assert_int_equal(answer.input_tokens, cases[i].input_tokens);
        assert_int_equal(answer.output_tokens, cases[i].output_tokens);
        free(answer.text);
    }
}

void family_check_request(const struct family *family, const char *model_id,
                          const char *system_prompt, const char *json)
{
    const struct settings settings = {
        .model_id = (char *)(uintptr_t)model_id,
        .max_tokens = 100,
        .temperature = 0.5,
        .system_prompt = (char *)(uintptr_t)system_prompt,
    };
    static const char message[] = "Hi \"you\"";
    const struct family_prompt prompt = {&settings, message, sizeof message - 1};
    struct json_object *body = family->request(&prompt);
    struct json_object *expected = json_tokener_parse(json);
    assert_non_null(expected);
    assert_string_equal(json_object_to_json_string(body), json_object_to_json_string(expected));
    json_object_put(expected);
    json_object_put(body);
}
