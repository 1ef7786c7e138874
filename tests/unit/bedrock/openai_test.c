#include "tests/support/cmocka_all.h"
#include "tests/support/family_cases.h"

static void the_request_is_a_chat_completion(void **state)
{
    (void)state;
    family_check_request(&family_openai, "openai.gpt-oss-120b-1:0", NULL,
                         "{\"messages\":[{\"role\":\"user\",\"content\":\"Hi \\\"you\\\"\"}],"
                         "\"max_completion_tokens\":100,\"temperature\":0.5}");
    family_check_request(&family_openai, "qwen.qwen3-32b-v1:0", "Be kind.",
                         "{\"messages\":[{\"role\":\"system\",\"content\":\"Be kind.\"},{\"role\":"
                         "\"user\",\"content\":\"Hi \\\"you\\\"\"}],\"max_tokens\":100,"
                         "\"temperature\":0.5}");
}

static void openais_newer_models_get_no_temperature(void **state)
{
    (void)state;
    static const char *const models[] = {
        "openai.gpt-5.6-sol", "us.openai.gpt-6-luna",
        "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.openai.gpt-5.6-sol"};
    for (size_t i = 0; i < sizeof models / sizeof models[0]; i++)
        family_check_request(&family_openai, models[i], NULL,
                             "{\"messages\":[{\"role\":\"user\",\"content\":\"Hi \\\"you\\\"\"}],"
                             "\"max_completion_tokens\":100}");
    family_check_request(
        &family_openai,
        "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/a1b2c3", NULL,
        "{\"messages\":[{\"role\":\"user\",\"content\":\"Hi \\\"you\\\"\"}],"
        "\"max_tokens\":100,\"temperature\":0.5}");
}

static void answers_are_read_whatever_their_stop(void **state)
{
    (void)state;
#define ANSWER(message, stop)                                                                      \
    "{\"choices\":[{\"index\":0,\"message\":" message ",\"finish_reason\":\"" stop                 \
    "\"}],\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":5}}"
    static const struct family_case cases[] = {
        {ANSWER("{\"content\":\"A\"}", "stop"), "A", BEDROCK_STOP_END, 3, 5},
        {ANSWER("{\"content\":[{\"type\":\"text\",\"text\":\"A\"},{\"text\":\"B\"}]}", "stop"),
         "AB", BEDROCK_STOP_END, 3, 5},
        {ANSWER("{\"content\":\"<reasoning>hm</reasoning>A\"}", "stop"), "A", BEDROCK_STOP_END, 3,
         5},
        {ANSWER("{\"content\":\"<reasoning>never ends\"}", "length"), "", BEDROCK_STOP_LENGTH, 3,
         5},
        {ANSWER(
             "{\"content\":\"\\n <reasoning>a</reasoning>\\n<reasoning>b</reasoning>\\n\\n A \"}",
             "stop"),
         "A ", BEDROCK_STOP_END, 3, 5},
        {ANSWER("{\"content\":[{\"type\":\"text\",\"text\":\"<reasoning>hm\"},{\"type\":\"text\","
                "\"text\":\"</reasoning>A\"}]}",
                "stop"),
         "A", BEDROCK_STOP_END, 3, 5},
        {ANSWER("{\"content\":\"<reasoning>hm</reasoning>\"}", "stop"), "", BEDROCK_STOP_END, 3, 5},
        {ANSWER("{\"content\":\"  A\"}", "stop"), "  A", BEDROCK_STOP_END, 3, 5},
        {ANSWER("{\"content\":\"<reason\"}", "stop"), "<reason", BEDROCK_STOP_END, 3, 5},
        {ANSWER("{\"content\":\"A <reasoning>\"}", "stop"), "A <reasoning>", BEDROCK_STOP_END, 3,
         5},
        {ANSWER("{\"content\":null,\"refusal\":\"I may not.\"}", "stop"), "I may not.",
         BEDROCK_STOP_REFUSAL, 3, 5},
        {ANSWER("{\"content\":\"A\",\"refusal\":null}", "stop"), "A", BEDROCK_STOP_END, 3, 5},
        {ANSWER("{\"content\":\"\"}", "content_filter"), "", BEDROCK_STOP_REFUSAL, 3, 5},
        {ANSWER("{\"content\":null}", "tool_calls"), "", BEDROCK_STOP_OTHER, 3, 5},
        {ANSWER("{}", "stop"), "", BEDROCK_STOP_END, 3, 5},
        {ANSWER("{\"content\":\"A\",\"refusal\":\"I may not.\"}", "stop"), "I may not.",
         BEDROCK_STOP_REFUSAL, 3, 5},
        {ANSWER("{\"content\":[]}", "stop"), "", BEDROCK_STOP_END, 3, 5},
        {ANSWER("{\"content\":\"A\"}", "something_new"), "A", BEDROCK_STOP_OTHER, 3, 5},
        /* Mistral's chat completion */
        {"{\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":\"A\"},"
         "\"stop_reason\":\"length\"}]}",
         "A", BEDROCK_STOP_LENGTH, -1, -1},
        /* text completions of Mistral and of DeepSeek */
        {"{\"outputs\":[{\"text\":\"A\",\"stop_reason\":\"stop\"}]}", "A", BEDROCK_STOP_END, -1,
         -1},
        {"{\"choices\":[{\"text\":\"A\",\"stop_reason\":\"length\"}]}", "A", BEDROCK_STOP_LENGTH,
         -1, -1},
        {ANSWER("\"A\"", "stop"), NULL, 0, 0, 0},
        {ANSWER("{\"content\":7}", "stop"), NULL, 0, 0, 0},
        {ANSWER("{\"content\":{}}", "stop"), NULL, 0, 0, 0},
        {"{\"choices\":[{\"message\":{\"content\":\"A\"},\"finish_reason\":1}]}", NULL, 0, 0, 0},
        {"{\"choices\":[7]}", NULL, 0, 0, 0},
        {"{\"choices\":[{\"text\":7}]}", NULL, 0, 0, 0},
        {"{\"outputs\":[]}", NULL, 0, 0, 0},
        {"{\"choices\":[]}", NULL, 0, 0, 0},
        {"{\"choices\":{\"message\":{}}}", NULL, 0, 0, 0},
        {"[]", NULL, 0, 0, 0},
    };
    family_check_answers(&family_openai, cases, sizeof cases / sizeof cases[0]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_request_is_a_chat_completion),
        cmocka_unit_test(openais_newer_models_get_no_temperature),
        cmocka_unit_test(answers_are_read_whatever_their_stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
