#include <stdlib.h>
#include <string.h>

#include "local/model.h"
#include "tests/support/cmocka_all.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define CLAUDE "global.anthropic.claude-sonnet-4-5-20250929-v1:0"
#define NOVA   "us.amazon.nova-lite-v1:0"
#define GPT    "openai.gpt-oss-120b-1:0"
#define OPAQUE "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abcdefghijkl"

#define VERSION "\"anthropic_version\":\"bedrock-2023-05-31\""
#define BLOCK   "[{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"test\"}]}]"
#define STRING  "[{\"role\":\"user\",\"content\":\"test\"}]"
#define BARE    "[{\"role\":\"user\",\"content\":[{\"text\":\"test\"}]}]"

static void each_family_is_understood(void **state)
{
    (void)state;
    static const struct {
        const char *id, *body;
        enum model_family family;
        int64_t max_tokens;
    } cases[] = {
        {CLAUDE, "{" VERSION ",\"max_tokens\":100,\"messages\":" BLOCK "}", MODEL_ANTHROPIC, 100},
        {CLAUDE, "{" VERSION ",\"max_tokens\":7,\"temperature\":0.5,\"messages\":" STRING "}",
         MODEL_ANTHROPIC, 7},
        {"arn:aws:bedrock:us-east-1:1:inference-profile/us.anthropic.claude-sonnet-4-v1:0",
         "{" VERSION ",\"max_tokens\":100,\"messages\":" BLOCK "}", MODEL_ANTHROPIC, 100},
        {NOVA, "{\"messages\":" BARE "}", MODEL_NOVA, 64000},
        {NOVA, "{\"messages\":" BARE ",\"inferenceConfig\":{\"maxTokens\":50}}", MODEL_NOVA, 50},
        {GPT, "{\"messages\":" STRING ",\"max_completion_tokens\":60}", MODEL_OPENAI, 60},
        {GPT,
         "{\"messages\":[{\"role\":\"system\",\"content\":\"be brief\"},"
         "{\"role\":\"user\",\"content\":\"test\"}]}",
         MODEL_OPENAI, 64000},
        {OPAQUE, "{" VERSION ",\"max_tokens\":100,\"messages\":" BLOCK "}", MODEL_ANTHROPIC, 100},
        {OPAQUE, "{\"messages\":" BARE ",\"inferenceConfig\":{\"maxTokens\":50}}", MODEL_NOVA, 50},
        {OPAQUE, "{\"messages\":" STRING ",\"max_completion_tokens\":60}", MODEL_OPENAI, 60},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct model_request request = {0};
        struct error err = {0};
        if (model_read(&request, cases[i].id, cases[i].body, strlen(cases[i].body), &err) != 0)
            fail_msg("case %zu: %s", i, err.text);
        assert_int_equal(request.family, cases[i].family);
        assert_int_equal(request.max_tokens, cases[i].max_tokens);
        assert_string_equal(request.text.data, "test");
        assert_string_equal(request.id, cases[i].id);
        model_request_free(&request);
    }
}

static void a_body_of_the_wrong_shape_is_refused_with_the_fields_name(void **state)
{
    (void)state;
    static const struct {
        const char *id, *body, *named;
    } cases[] = {
        {CLAUDE, "", "Malformed"},
        {CLAUDE, "[]", "Malformed"},
        {CLAUDE, "{\"max_tokens\":1,\"messages\":" BLOCK "}", "anthropic_version: Field required"},
        {CLAUDE, "{\"anthropic_version\":\"x\",\"max_tokens\":1,\"messages\":" BLOCK "}",
         "version"},
        {CLAUDE, "{" VERSION ",\"messages\":" BLOCK "}", "max_tokens: Field required"},
        {CLAUDE, "{" VERSION ",\"max_tokens\":0,\"messages\":" BLOCK "}", "max_tokens"},
        {CLAUDE, "{" VERSION ",\"max_tokens\":\"9\",\"messages\":" BLOCK "}", "max_tokens"},
        {CLAUDE, "{" VERSION ",\"max_tokens\":1}", "messages"},
        {CLAUDE, "{" VERSION ",\"max_tokens\":1,\"messages\":[]}", "messages"},
        {CLAUDE,
         "{" VERSION ",\"max_tokens\":1,\"messages\":[{\"role\":\"system\",\"content\":\"a\"}]}",
         "messages.0.role"},
        {CLAUDE,
         "{" VERSION ",\"max_tokens\":1,\"messages\":[{\"role\":\"user\",\"content\":\"\"}]}",
         "non-empty"},
        {CLAUDE, "{" VERSION ",\"max_tokens\":1,\"messages\":[{\"role\":\"user\",\"content\":[]}]}",
         "content"},
        {CLAUDE, "{" VERSION ",\"max_tokens\":1,\"messages\":" BARE "}", "only text"},
        {CLAUDE, "{" VERSION ",\"max_tokens\":1,\"temperature\":1.5,\"messages\":" BLOCK "}",
         "temperature"},
        {CLAUDE, "{" VERSION ",\"max_tokens\":1,\"system\":\"\",\"messages\":" BLOCK "}", "system"},
        {CLAUDE, "{" VERSION ",\"max_tokens\":1,\"model\":\"x\",\"messages\":" BLOCK "}",
         "extraneous key [model]"},
        {NOVA, "{\"messages\":" STRING "}", "content"},
        {NOVA, "{\"messages\":" BARE ",\"max_tokens\":5}", "extraneous key [max_tokens]"},
        {NOVA, "{\"messages\":" BARE ",\"inferenceConfig\":{\"maxTokens\":-1}}", "maxTokens"},
        {GPT, "{\"messages\":" STRING ",\"system\":\"x\"}", "extraneous key [system]"},
        {GPT, "{\"messages\":" STRING ",\"temperature\":\"hot\"}", "temperature"},
        {"meta.llama3-8b-instruct-v1:0", "{\"prompt\":\"x\"}", "model identifier is invalid"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct model_request request = {0};
        struct error err = {0};
        if (model_read(&request, cases[i].id, cases[i].body, strlen(cases[i].body), &err) == 0)
            fail_msg("case %zu is accepted", i);
        assert_int_equal(err.kind, ERROR_VALIDATION);
        if (strstr(err.text, cases[i].named) == NULL)
            fail_msg("case %zu: %s", i, err.text);
        assert_null(request.id);
    }
}

static void tokens_are_counted_from_all_texts(void **state)
{
    (void)state;
    struct model_request request = {0};
    static const char body[] =
        "{" VERSION ",\"max_tokens\":9,\"system\":\"12345678\",\"messages\":["
        "{\"role\":\"user\",\"content\":\"1234\"},{\"role\":\"assistant\",\"content\":\"12\"},"
        "{\"role\":\"user\",\"content\":\"123\"}]}";
    assert_int_equal(model_read(&request, CLAUDE, body, strlen(body), NULL), 0);
    assert_int_equal(request.input_tokens, 8 + 5); /* (8 + 4 + 2 + 3) / 4, rounded up */
    assert_string_equal(request.text.data, "123");
    model_request_free(&request);
}

static void newer_claude_models_burn_five_for_one(void **state)
{
    (void)state;
    static const struct {
        const char *id;
        enum model_family family;
        double burndown;
    } cases[] = {
        {CLAUDE, MODEL_ANTHROPIC, 5},
        {"us.anthropic.claude-3-7-sonnet-20250219-v1:0", MODEL_ANTHROPIC, 5},
        {"anthropic.claude-3-5-sonnet-20241022-v2:0", MODEL_ANTHROPIC, 1},
        {"anthropic.claude-3-haiku-20240307-v1:0", MODEL_ANTHROPIC, 1},
        {NOVA, MODEL_NOVA, 1},
        {GPT, MODEL_OPENAI, 1},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        char id[128];
        (void)strcpy(id, cases[i].id);
        struct model_request request = {.family = cases[i].family, .id = id};
        assert_true(model_burndown(&request) == cases[i].burndown);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_family_is_understood),
        cmocka_unit_test(a_body_of_the_wrong_shape_is_refused_with_the_fields_name),
        cmocka_unit_test(tokens_are_counted_from_all_texts),
        cmocka_unit_test(newer_claude_models_burn_five_for_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
