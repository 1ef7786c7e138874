#include "tests/support/cmocka_all.h"
#include "tests/support/family_cases.h"

#define MODEL "anthropic.claude-3-haiku-20240307-v1:0"

static void the_request_is_a_messages_body(void **state)
{
    (void)state;
    family_check_request(&family_anthropic, MODEL, NULL,
                         "{\"anthropic_version\":\"bedrock-2023-05-31\",\"max_tokens\":100,"
                         "\"temperature\":0.5,\"messages\":[{\"role\":\"user\",\"content\":"
                         "[{\"type\":\"text\",\"text\":\"Hi \\\"you\\\"\"}]}]}");
    family_check_request(&family_anthropic, MODEL, "Be kind.",
                         "{\"anthropic_version\":\"bedrock-2023-05-31\",\"max_tokens\":100,"
                         "\"temperature\":0.5,\"system\":\"Be kind.\",\"messages\":[{\"role\":"
                         "\"user\",\"content\":[{\"type\":\"text\",\"text\":\"Hi \\\"you\\\"\"}]}"
                         "]}");
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
        {"{\"content\":[7,null,{\"text\":8}],\"usage\":{\"input_tokens\":-4,\"output_tokens\":\"9\""
         "}}",
         "", BEDROCK_STOP_OTHER, -1, -1},
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
        cmocka_unit_test(answers_are_read_whatever_their_stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
