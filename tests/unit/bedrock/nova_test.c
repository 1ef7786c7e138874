#include "tests/support/cmocka_all.h"
#include "tests/support/family_cases.h"

#define MODEL "us.amazon.nova-lite-v1:0"

static void the_request_is_a_nova_body(void **state)
{
    (void)state;
    family_check_request(&family_nova, MODEL, NULL,
                         "{\"schemaVersion\":\"messages-v1\",\"messages\":[{\"role\":\"user\","
                         "\"content\":[{\"text\":\"Hi \\\"you\\\"\"}]}],\"inferenceConfig\":{"
                         "\"maxTokens\":100,\"temperature\":0.5}}");
    family_check_request(
        &family_nova, MODEL, "Be kind.",
        "{\"schemaVersion\":\"messages-v1\",\"system\":[{\"text\":\"Be kind.\"}],"
        "\"messages\":[{\"role\":\"user\",\"content\":[{\"text\":\"Hi \\\"you\\\"\""
        "}]}],\"inferenceConfig\":{\"maxTokens\":100,\"temperature\":0.5}}");
}

static void answers_are_read_whatever_their_stop(void **state)
{
    (void)state;
#define ANSWER(blocks, stop)                                                                       \
    "{\"output\":{\"message\":{\"role\":\"assistant\",\"content\":[" blocks                        \
    "]}},\"stopReason\":\"" stop "\",\"usage\":{\"inputTokens\":3,\"outputTokens\":5}}"
    static const struct family_case cases[] = {
        {ANSWER("{\"text\":\"A\"},{\"text\":\"B\"}", "end_turn"), "AB", BEDROCK_STOP_END, 3, 5},
        {ANSWER("{\"text\":\"A\"}", "max_tokens"), "A", BEDROCK_STOP_LENGTH, 3, 5},
        {ANSWER("{\"text\":\"A\"}", "content_filtered"), "A", BEDROCK_STOP_REFUSAL, 3, 5},
        {ANSWER("", "guardrail_intervened"), "", BEDROCK_STOP_REFUSAL, 3, 5},
        {ANSWER("{\"toolUse\":{}}", "tool_use"), "", BEDROCK_STOP_OTHER, 3, 5},
        {ANSWER("", "end_turn"), "", BEDROCK_STOP_END, 3, 5},
        {ANSWER("{\"reasoningContent\":{\"reasoningText\":{\"text\":\"x\"}}},{\"text\":\"A\"}",
                "stop_sequence"),
         "A", BEDROCK_STOP_END, 3, 5},
        {ANSWER("", "model_context_window_exceeded"), "", BEDROCK_STOP_LENGTH, 3, 5},
        {ANSWER("", "malformed_tool_use"), "", BEDROCK_STOP_OTHER, 3, 5},
        {"{\"output\":{\"message\":{\"content\":[{\"text\":\"A\"}]}}}", "A", BEDROCK_STOP_OTHER, -1,
         -1},
        {ANSWER("7", "end_turn"), NULL, 0, 0, 0},
        {ANSWER("{\"text\":7}", "end_turn"), NULL, 0, 0, 0},
        {"{\"output\":{\"message\":{\"content\":[]}},\"stopReason\":[]}", NULL, 0, 0, 0},
        {"{\"output\":{\"message\":{\"content\":{}}}}", NULL, 0, 0, 0},
        {"{\"output\":[]}", NULL, 0, 0, 0},
        {"null", NULL, 0, 0, 0},
    };
    family_check_answers(&family_nova, cases, sizeof cases / sizeof cases[0]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_request_is_a_nova_body),
        cmocka_unit_test(answers_are_read_whatever_their_stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
