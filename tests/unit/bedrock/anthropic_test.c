#include "tests/support/cmocka_all.h"
#include "tests/support/family_cases.h"

#define MODEL "anthropic.claude-3-haiku-20240307-v1:0"

#define VERSION     "\"anthropic_version\":\"bedrock-2023-05-31\",\"max_tokens\":100"
#define TEMPERATURE "\"temperature\":0.5"
#define MESSAGES                                                                                   \
    "\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"text\","                            \
    "\"text\":\"Hi \\\"you\\\"\"}]}]"

static void the_request_is_a_messages_body(void **state)
{
    (void)state;
    family_check_request(&family_anthropic, MODEL, NULL,
                         "{" VERSION "," TEMPERATURE "," MESSAGES "}");
    family_check_request(&family_anthropic, MODEL, "Be kind.",
                         "{" VERSION "," TEMPERATURE ",\"system\":\"Be kind.\"," MESSAGES "}");
}

static void a_temperature_goes_to_models_that_take_one(void **state)
{
    (void)state;
    static const struct {
        const char *model_id;
        bool temperature;
    } cases[] = {
        {"anthropic.claude-v2:1", true},
        {"anthropic.claude-instant-v1", true},
        {"anthropic.claude-3-haiku-20240307-v1:0", true},
        {"us.anthropic.claude-3-7-sonnet-20250219-v1:0", true},
        {"anthropic.claude-opus-4-20250514-v1:0", true},
        {"anthropic.claude-opus-4-1-20250805-v1:0", true},
        {"eu.anthropic.claude-sonnet-4-20250514-v1:0", true},
        {"global.anthropic.claude-sonnet-4-5-20250929-v1:0", true},
        {"global.anthropic.claude-haiku-4-5-20251001-v1:0", true},
        {"global.anthropic.claude-opus-4-5-20251101-v1:0", true},
        {"us.anthropic.claude-opus-4-6-v1", true},
        {"us.anthropic.claude-sonnet-4-6", true},
        {"arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.anthropic.claude-sonnet-4-6",
         true},
        {"us.anthropic.claude-opus-4-7", false},
        {"global.anthropic.claude-opus-4-8", false},
        {"us.anthropic.claude-opus-5", false},
        {"anthropic.claude-sonnet-5", false},
        {"us.anthropic.claude-haiku-5-5", false},
        {"us.anthropic.claude-fable-5-1", false},
        {"arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.anthropic.claude-opus-4-7",
         false},
        {"arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/a1b2c3", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        family_check_request(&family_anthropic, cases[i].model_id, NULL,
                             cases[i].temperature ? "{" VERSION "," TEMPERATURE "," MESSAGES "}"
                                                  : "{" VERSION "," MESSAGES "}");
}

static void answers_are_read_whatever_their_stop(void **state)
{
    (void)state;
#define USAGE "\"usage\":{\"input_tokens\":3,\"output_tokens\":5}"
    static const struct family_case cases[] = {
        {"{\"content\":[{\"type\":\"text\",\"text\":\"A\"}],\"stop_reason\":\"end_turn\"," USAGE
         "}",
         "A", BEDROCK_STOP_END, 3, 5},
        {"{\"content\":[{\"type\":\"text\",\"text\":\"A\"},{\"type\":\"thinking\",\"thinking\":"
         "\"x\"},{\"type\":\"text\",\"text\":\"B\"}],\"stop_reason\":\"stop_sequence\"," USAGE "}",
         "AB", BEDROCK_STOP_END, 3, 5},
        {"{\"content\":[{\"type\":\"text\",\"text\":\"A\"}],\"stop_reason\":\"max_tokens\"}", "A",
         BEDROCK_STOP_LENGTH, -1, -1},
        {"{\"content\":[],\"stop_reason\":\"model_context_window_exceeded\"}", "",
         BEDROCK_STOP_LENGTH, -1, -1},
        {"{\"content\":[],\"stop_reason\":\"refusal\"," USAGE "}", "", BEDROCK_STOP_REFUSAL, 3, 5},
        {"{\"content\":[{\"type\":\"tool_use\"}],\"stop_reason\":\"tool_use\"}", "",
         BEDROCK_STOP_OTHER, -1, -1},
        {"{\"content\":[],\"stop_reason\":\"end_turn\"}", "", BEDROCK_STOP_END, -1, -1},
        {"{\"content\":[{\"type\":\"redacted_thinking\",\"text\":\"x\"},{}],\"stop_reason\":"
         "\"pause_turn\"}",
         "", BEDROCK_STOP_OTHER, -1, -1},
        {"{\"content\":[{\"type\":\"text\",\"text\":\"A\"}],\"stop_reason\":null}", "A",
         BEDROCK_STOP_OTHER, -1, -1},
        {"{\"content\":[{\"text\":\"A\"}],\"usage\":{\"input_tokens\":-4,\"output_tokens\":\"9\"}}",
         "A", BEDROCK_STOP_OTHER, -1, -1},
        {"{\"content\":[],\"usage\":{\"input_tokens\":99999999999999999999,\"output_tokens\":1.5}}",
         "", BEDROCK_STOP_OTHER, -1, -1},
        {"{\"content\":[],\"usage\":7}", "", BEDROCK_STOP_OTHER, -1, -1},
        {"{\"content\":[],\"stop_reason\":7}", NULL, 0, 0, 0},
        {"{\"content\":[7]}", NULL, 0, 0, 0},
        {"{\"content\":[null]}", NULL, 0, 0, 0},
        {"{\"content\":[[]]}", NULL, 0, 0, 0},
        {"{\"content\":[{\"type\":\"text\",\"text\":\"A\"},{\"type\":\"text\"}]}", NULL, 0, 0, 0},
        {"{\"content\":[{\"type\":\"text\",\"text\":8}]}", NULL, 0, 0, 0},
        {"{\"content\":[{\"type\":\"text\",\"text\":null}]}", NULL, 0, 0, 0},
        {"{\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\"}}", NULL, 0, 0, 0},
        {"{\"content\":\"A\"}", NULL, 0, 0, 0},
        {"{}", NULL, 0, 0, 0},
        {"[]", NULL, 0, 0, 0},
        {"7", NULL, 0, 0, 0},
    };
    family_check_answers(&family_anthropic, cases, sizeof cases / sizeof cases[0]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_request_is_a_messages_body),
        cmocka_unit_test(a_temperature_goes_to_models_that_take_one),
        cmocka_unit_test(answers_are_read_whatever_their_stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
