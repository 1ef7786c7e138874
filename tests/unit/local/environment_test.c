#include <stdlib.h>
#include <string.h>

#include "local/environment.h"
#include "tests/support/cmocka_all.h"

static char bootstrap[] = "/opt/weir/bootstrap";

static struct environment made(struct options *options, char *const *own)
{
    struct environment environment = {0};
    struct error err = {0};
    options->bootstrap = bootstrap;
    struct environment_facts facts = {.sandbox = 4,
                                      .runtime_api_port = 9001,
                                      .bedrock_port = 9002,
                                      .own = own,
                                      .options = options};
    if (environment_for_sandbox(&environment, &facts, &err) != 0)
        fail_msg("%s", err.text);
    return environment;
}

struct expected {
    const char *name, *value; /* NULL: not set */
};

static void expect(const struct environment *environment, const struct expected *cases)
{
    for (; cases->name != NULL; cases++) {
        const char *value = environment_get(environment, cases->name);
        if ((value == NULL) != (cases->value == NULL) ||
            (value != NULL && strcmp(value, cases->value) != 0))
            fail_msg("%s=%s", cases->name, value != NULL ? value : "(not set)");
    }
}

static char *const own[] = {"PATH=/home/me/bin",
                            "HOME=/home/me",
                            "SECRET=1",
                            "BEDROCK_RATE_LIMIT=5",
                            "AGENT_RESPONSE_TIMEOUT=3",
                            "AWS_LAMBDA_LOG_LEVEL=DEBUG",
                            "AWS_LAMBDA_FUNCTION_NAME=other",
                            "AWS_PROFILE=me",
                            "AWS_ACCESS_KEY_ID=mine",
                            "AWS_DEFAULT_REGION=eu-west-1",
                            NULL};

static void a_sandbox_finds_what_lambda_sets_and_nothing_else(void **state)
{
    (void)state;
    static const struct expected cases[] = {
        {"AWS_LAMBDA_RUNTIME_API", "127.0.0.1:9001"},
        {"LAMBDA_TASK_ROOT", "/opt/weir"},
        {"AWS_REGION", "us-east-1"},
        {"AWS_LAMBDA_FUNCTION_NAME", "weir-local"},
        {"AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand"},
        {"AWS_ENDPOINT_URL_BEDROCK_RUNTIME", "http://127.0.0.1:9002"},
        {"AWS_ACCESS_KEY_ID", "LOCALWEIRACCESSKEY00"},
        {"AWS_SESSION_TOKEN", "LocalWeir+Session/Token4=="},
        {"TZ", ":UTC"},
        {"BEDROCK_RATE_LIMIT", "5"},
        {"AGENT_RESPONSE_TIMEOUT", "3"},
        {"AWS_LAMBDA_LOG_LEVEL", "DEBUG"},
        {"PATH", "/usr/local/bin:/usr/bin/:/bin:/opt/bin"},
        {"AWS_EXECUTION_ENV", NULL},
        {"AWS_BEARER_TOKEN_BEDROCK", NULL},
        {"HOME", NULL},
        {"SECRET", NULL},
        {"AWS_PROFILE", NULL},
        {NULL, NULL},
    };
    struct options options = {0};
    struct environment environment = made(&options, own);
    expect(&environment, cases);
    environment_free(&environment);
}

static void the_real_bedrock_gets_the_callers_own_variables(void **state)
{
    (void)state;
    static const struct expected cases[] = {
        {"AWS_ENDPOINT_URL_BEDROCK_RUNTIME", NULL},
        {"AWS_SESSION_TOKEN", NULL},
        {"AWS_ACCESS_KEY_ID", "mine"},
        {"AWS_PROFILE", "me"},
        {"HOME", "/home/me"},
        {"AWS_REGION", "eu-west-1"},
        {"AWS_LAMBDA_FUNCTION_NAME", "weir-local"},
        {"SECRET", NULL},
        {NULL, NULL},
    };
    struct options options = {.bedrock_aws = true};
    struct environment environment = made(&options, own);
    expect(&environment, cases);
    environment_free(&environment);
}

static void a_region_that_is_named_beats_the_default_region(void **state)
{
    (void)state;
    char *const both[] = {"AWS_DEFAULT_REGION=eu-west-1", "AWS_REGION=ap-south-1", NULL};
    struct options options = {.bedrock_aws = true};
    struct environment environment = made(&options, both);
    assert_string_equal(environment_get(&environment, "AWS_REGION"), "ap-south-1");
    environment_free(&environment);
}

static void the_way_in_can_be_chosen(void **state)
{
    (void)state;
    static const struct expected bearer[] = {
        {"AWS_BEARER_TOKEN_BEDROCK", "bedrock-api-key-LocalWeir4"},
        {"AWS_ACCESS_KEY_ID", NULL},
        {NULL, NULL},
    };
    static const struct expected container[] = {
        {"AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://127.0.0.1:9001/2021-04-23/credentials"},
        {"AWS_CONTAINER_AUTHORIZATION_TOKEN", "LocalWeir+Session/Token4=="},
        {"AWS_ACCESS_KEY_ID", NULL},
        {NULL, NULL},
    };
    char *const nothing[] = {NULL};
    struct options options = {.auth = AUTH_BEARER};
    struct environment environment = made(&options, nothing);
    expect(&environment, bearer);
    environment_free(&environment);
    options.auth = AUTH_CONTAINER;
    environment = made(&options, nothing);
    expect(&environment, container);
    environment_free(&environment);
}

static void the_options_win(void **state)
{
    (void)state;
    static const struct expected cases[] = {
        {"BEDROCK_RATE_LIMIT", "9"}, {"AWS_REGION", "x"}, {"EMPTY", ""}, {"HOME", "/home/me"},
        {"UNKNOWN", NULL},           {"EQUALS", "a=b"},   {NULL, NULL},
    };
    const char *wishes[] = {"BEDROCK_RATE_LIMIT=9",
                            "AWS_REGION=y",
                            "AWS_REGION=x",
                            "EMPTY=",
                            "HOME",
                            "UNKNOWN",
                            "EQUALS=a=b"};
    struct options options = {.variables = wishes, .variable_count = 7};
    struct environment environment = made(&options, own);
    expect(&environment, cases);
    environment_free(&environment);
}

static void the_list_ends_with_null_and_has_each_name_once(void **state)
{
    (void)state;
    struct environment environment = {0};
    assert_int_equal(environment_set(&environment, "A", "1", NULL), 0);
    assert_int_equal(environment_set(&environment, "AB", "2", NULL), 0);
    assert_int_equal(environment_set(&environment, "A", "3", NULL), 0);
    assert_int_equal(environment.count, 2);
    assert_string_equal(environment.entries[0], "A=3");
    assert_string_equal(environment.entries[1], "AB=2");
    assert_null(environment.entries[2]);
    environment_free(&environment);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_sandbox_finds_what_lambda_sets_and_nothing_else),
        cmocka_unit_test(the_real_bedrock_gets_the_callers_own_variables),
        cmocka_unit_test(a_region_that_is_named_beats_the_default_region),
        cmocka_unit_test(the_way_in_can_be_chosen),
        cmocka_unit_test(the_options_win),
        cmocka_unit_test(the_list_ends_with_null_and_has_each_name_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
