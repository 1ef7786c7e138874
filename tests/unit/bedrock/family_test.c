#include "bedrock/family.h"

#include <string.h>

#include "tests/support/cmocka_all.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static const struct family *find(const char *model_id, const char *provider, struct error *err)
{
    const struct settings settings = {.model_id = (char *)(uintptr_t)model_id,
                                      .provider = (char *)(uintptr_t)provider};
    return family_of(&settings, err);
}

static void a_model_id_tells_its_family(void **state)
{
    (void)state;
    static const struct {
        const char *model_id, *family;
    } cases[] = {
        {"anthropic.claude-3-haiku-20240307-v1:0", "anthropic"},
        {"us.anthropic.claude-sonnet-4-20250514-v1:0", "anthropic"},
        {"eu.anthropic.claude-sonnet-4-20250514-v1:0", "anthropic"},
        {"apac.anthropic.claude-sonnet-4-20250514-v1:0", "anthropic"},
        {"global.anthropic.claude-sonnet-4-5-20250929-v1:0", "anthropic"},
        {"us-gov.anthropic.claude-3-haiku-20240307-v1:0", "anthropic"},
        {"jp.anthropic.claude-sonnet-4-5-20250929-v1:0", "anthropic"},
        {"au.anthropic.claude-sonnet-4-5-20250929-v1:0", "anthropic"},
        {"ca.amazon.nova-lite-v1:0", "nova"},
        {"global.amazon.nova-2-lite-v1:0", "nova"},
        {"amazon.nova-lite-v1:0", "nova"},
        {"us.amazon.nova-pro-v1:0", "nova"},
        {"openai.gpt-oss-120b-1:0", "openai"},
        {"deepseek.v3-v1:0", "openai"},
        {"us.deepseek.r1-v1:0", "openai"},
        {"deepseek.v3.2", "openai"},
        {"qwen.qwen3-32b-v1:0", "openai"},
        {"mistral.mistral-large-2407-v1:0", "openai"},
        {"us.mistral.pixtral-large-2502-v1:0", "openai"},
        {"moonshot.kimi-k2-thinking", "openai"},
        {"moonshotai.kimi-k2.5", "openai"},
        {"minimax.minimax-m2", "openai"},
        {"google.gemma-3-27b-it", "openai"},
        {"arn:aws:bedrock:us-east-1::foundation-model/anthropic.claude-3-haiku-20240307-v1:0",
         "anthropic"},
        {"arn:aws:bedrock:us-east-1:123456789012:inference-profile/"
         "us.anthropic.claude-sonnet-4-20250514-v1:0",
         "anthropic"},
        {"arn:aws-us-gov:bedrock:us-gov-west-1::foundation-model/amazon.nova-lite-v1:0", "nova"},
        {"arn:aws-cn:bedrock:cn-north-1::foundation-model/qwen.qwen3-32b-v1:0", "openai"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct error err = {0};
        const struct family *family = find(cases[i].model_id, NULL, &err);
        assert_non_null(family);
        assert_string_equal(family->name, cases[i].family);
    }
}

static void what_cannot_be_told_asks_for_the_provider(void **state)
{
    (void)state;
    static const char *const unknown[] = {
        "amazon.titan-text-express-v1",
        "meta.llama3-8b-instruct-v1:0",
        "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/a1b2c3d4e5f6",
        "x",
        "anthropic",
        "not.us.anthropic.claude",
        "anthropicx.claude",
        ".",
        "",
        "arn:aws:bedrock:us-east-1:123456789012:provisioned-model/a1b2c3d4e5f6",
        "arn:aws:bedrock:us-east-1:123456789012:imported-model/anthropic.claude",
        "arn:aws:bedrock:us-east-1:123456789012",
        "arn:",
    };
    for (size_t i = 0; i < COUNT(unknown); i++) {
        struct error err = {0};
        assert_null(find(unknown[i], NULL, &err));
        assert_int_equal(err.kind, ERROR_CONFIG);
        assert_non_null(strstr(err.text, "BEDROCK_PROVIDER"));
    }
}

static void the_provider_overrides_the_id(void **state)
{
    (void)state;
    static const char *const providers[] = {"anthropic", "nova", "openai"};
    for (size_t i = 0; i < COUNT(providers); i++) {
        struct error err = {0};
        const struct family *family =
            find("arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/a1b2c3",
                 providers[i], &err);
        assert_non_null(family);
        assert_string_equal(family->name, providers[i]);
    }
}

static void a_provider_that_is_none_is_refused(void **state)
{
    (void)state;
    struct error err = {0};
    assert_null(find("anthropic.claude-3-haiku-20240307-v1:0", "Anthropic", &err));
    assert_int_equal(err.kind, ERROR_CONFIG);
    assert_non_null(strstr(err.text, "Anthropic"));
}

static void a_models_own_name_is_found_in_its_id(void **state)
{
    (void)state;
    static const struct {
        const char *id, *name;
    } cases[] = {
        {"anthropic.claude-x", "anthropic.claude-x"},
        {"eu.anthropic.claude-x", "anthropic.claude-x"},
        {"arn:aws:bedrock:eu-west-1:1:inference-profile/eu.openai.x-1:0", "openai.x-1:0"},
        {"arn:aws:bedrock:eu-west-1:1:application-inference-profile/abc", ""},
        {"meta.llama", "meta.llama"},
    };
    for (size_t i = 0; i < COUNT(cases); i++)
        assert_string_equal(family_model_name(cases[i].id), cases[i].name);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_model_id_tells_its_family),
        cmocka_unit_test(what_cannot_be_told_asks_for_the_provider),
        cmocka_unit_test(the_provider_overrides_the_id),
        cmocka_unit_test(a_provider_that_is_none_is_refused),
        cmocka_unit_test(a_models_own_name_is_found_in_its_id),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
