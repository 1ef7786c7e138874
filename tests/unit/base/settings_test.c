#include "base/settings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "tests/support/cmocka_all.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

struct variable {
    const char *name, *value;
};

#define VARIABLES_MAX 4

/* An environment: an array of VARIABLES_MAX, a NULL name ends it earlier. */
static const char *get(void *context, const char *variable)
{
    const struct variable *at = context;
    for (int i = 0; i < VARIABLES_MAX && at[i].name != NULL; i++)
        if (strcmp(at[i].name, variable) == 0)
            return at[i].value;
    return NULL;
}

static int load(struct settings *settings, const struct variable *variables, struct error *err)
{
    struct variable copy[VARIABLES_MAX];
    memcpy(copy, variables, sizeof copy);
    return settings_load(settings, (struct settings_source){get, copy}, err);
}

static char *printed(const struct settings *settings)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    assert_non_null(out);
    if (settings != NULL)
        settings_print(settings, out);
    else
        settings_print_markdown(out);
    (void)fclose(out);
    return text;
}

static void assert_printed(const struct variable *variables, const char *line)
{
    struct settings settings;
    struct error err = {0};
    char wanted[512];
    if (load(&settings, variables, &err) != 0)
        fail_msg("%s", err.text);
    char *text = printed(&settings);
    (void)snprintf(wanted, sizeof wanted, "\n%s\n", line);
    if (strstr(text, wanted) == NULL && strncmp(text, line, strlen(line)) != 0)
        fail_msg("%s is not in\n%s", line, text);
    free(text);
    settings_free(&settings);
}

static void assert_refused(const struct variable *variables, const char *text)
{
    struct settings settings;
    struct error err = {0};
    int result = load(&settings, variables, &err);
    if (result == 0)
        fail_msg("%s=%s is not refused", variables[0].name, variables[0].value);
    assert_int_equal(err.kind, ERROR_CONFIG);
    assert_string_equal(err.text, text);
    assert_null(settings.model_id);
}

static void without_variables_everything_has_its_default(void **state)
{
    (void)state;
    static const struct variable none[VARIABLES_MAX];
    struct settings settings;
    struct error err = {0};
    assert_int_equal(load(&settings, none, &err), 0);
    char *text = printed(&settings);
    assert_string_equal(text, "BEDROCK_MODEL_ID=global.anthropic.claude-sonnet-4-5-20250929-v1:0\n"
                              "BEDROCK_PROVIDER=\n"
                              "BEDROCK_REGION=us-east-1\n"
                              "BEDROCK_MAX_TOKENS=4096\n"
                              "BEDROCK_TEMPERATURE=0\n"
                              "BEDROCK_SYSTEM_PROMPT=\n"
                              "BEDROCK_RATE_LIMIT=30\n"
                              "BEDROCK_BURST=30\n"
                              "BEDROCK_RATE_TIMEOUT=30\n"
                              "BEDROCK_MAX_RETRIES=10\n"
                              "BEDROCK_BASE_DELAY=1\n"
                              "BEDROCK_MAX_DELAY=60\n"
                              "BEDROCK_APP_RETRIES=5\n"
                              "BEDROCK_APP_BASE_DELAY=2\n"
                              "BEDROCK_APP_MAX_DELAY=30\n"
                              "BEDROCK_CONNECT_TIMEOUT=10\n"
                              "BEDROCK_READ_TIMEOUT=120\n"
                              "BEDROCK_EXPECTED_LATENCY=3\n"
                              "AGENT_RESPONSE_TIMEOUT=28.5\n"
                              "AGENT_ENABLE_SIGTERM=false\n"
                              "AGENT_METRICS_NAMESPACE=Weir\n"
                              "AWS_ENDPOINT_URL_BEDROCK_RUNTIME=\n"
                              "AWS_CA_BUNDLE=\n"
                              "AWS_BEARER_TOKEN_BEDROCK=\n"
                              "AWS_ACCESS_KEY_ID=\n"
                              "AWS_SECRET_ACCESS_KEY=\n"
                              "AWS_SESSION_TOKEN=\n"
                              "AWS_CONTAINER_CREDENTIALS_FULL_URI=\n"
                              "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI=\n"
                              "AWS_CONTAINER_AUTHORIZATION_TOKEN=\n"
                              "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE=\n"
                              "AWS_PROFILE=default\n"
                              "AWS_SHARED_CREDENTIALS_FILE=\n"
                              "AWS_CONFIG_FILE=\n"
                              "HOME=\n"
                              "AWS_LAMBDA_RUNTIME_API=\n"
                              "AWS_LAMBDA_INITIALIZATION_TYPE=\n"
                              "AWS_LAMBDA_FUNCTION_NAME=unknown\n"
                              "AWS_LAMBDA_LOG_LEVEL=INFO\n"
                              "AWS_LAMBDA_LOG_FORMAT=JSON\n");
    assert_null(settings.provider);
    assert_null(settings.endpoint);
    assert_false(settings.response_timeout_set);
    free(text);
    settings_free(&settings);
}

/* What is set, and the line that shows it. */
static const struct {
    struct variable variables[VARIABLES_MAX];
    const char *line;
} taken[] = {
    {{{"BEDROCK_MODEL_ID", "us.amazon.nova-pro-v1:0"}}, "BEDROCK_MODEL_ID=us.amazon.nova-pro-v1:0"},
    {{{"BEDROCK_PROVIDER", "nova"}}, "BEDROCK_PROVIDER=nova"},
    {{{"BEDROCK_REGION", "eu-central-1"}}, "BEDROCK_REGION=eu-central-1"},
    {{{"BEDROCK_MAX_TOKENS", "1"}}, "BEDROCK_MAX_TOKENS=1"},
    {{{"BEDROCK_TEMPERATURE", "0.7"}}, "BEDROCK_TEMPERATURE=0.7"},
    {{{"BEDROCK_SYSTEM_PROMPT", "Be brief."}}, "BEDROCK_SYSTEM_PROMPT=Be brief."},
    {{{"BEDROCK_RATE_LIMIT", "60"}}, "BEDROCK_RATE_LIMIT=60"},
    {{{"BEDROCK_RATE_TIMEOUT", "0"}}, "BEDROCK_RATE_TIMEOUT=0"},
    {{{"BEDROCK_MAX_RETRIES", "0"}}, "BEDROCK_MAX_RETRIES=0"},
    {{{"BEDROCK_BASE_DELAY", "0.25"}}, "BEDROCK_BASE_DELAY=0.25"},
    {{{"BEDROCK_MAX_DELAY", "1"}}, "BEDROCK_MAX_DELAY=1"},
    {{{"BEDROCK_APP_RETRIES", "100"}}, "BEDROCK_APP_RETRIES=100"},
    {{{"BEDROCK_APP_BASE_DELAY", "30"}}, "BEDROCK_APP_BASE_DELAY=30"},
    {{{"BEDROCK_APP_MAX_DELAY", "2"}}, "BEDROCK_APP_MAX_DELAY=2"},
    {{{"BEDROCK_CONNECT_TIMEOUT", "3.5"}}, "BEDROCK_CONNECT_TIMEOUT=3.5"},
    {{{"BEDROCK_READ_TIMEOUT", "60"}}, "BEDROCK_READ_TIMEOUT=60"},
    {{{"BEDROCK_EXPECTED_LATENCY", "0"}}, "BEDROCK_EXPECTED_LATENCY=0"},
    {{{"AGENT_RESPONSE_TIMEOUT", "0"}}, "AGENT_RESPONSE_TIMEOUT=0"},
    {{{"AGENT_ENABLE_SIGTERM", "TRUE"}}, "AGENT_ENABLE_SIGTERM=true"},
    {{{"AGENT_ENABLE_SIGTERM", "false"}}, "AGENT_ENABLE_SIGTERM=false"},
    {{{"AGENT_METRICS_NAMESPACE", "My.App-1_a/b#c:AWS/"}},
     "AGENT_METRICS_NAMESPACE=My.App-1_a/b#c:AWS/"},
    {{{"AGENT_METRICS_NAMESPACE", "AWS"}}, "AGENT_METRICS_NAMESPACE=AWS"},
    {{{"AWS_PROFILE", "dev"}}, "AWS_PROFILE=dev"},
    {{{"AWS_LAMBDA_LOG_LEVEL", "DEBUG"}}, "AWS_LAMBDA_LOG_LEVEL=DEBUG"},
    {{{"AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"}}, "AWS_ACCESS_KEY_ID=AKIDEXAMPLE"},
    /* other ways to write a number */
    {{{"BEDROCK_MAX_RETRIES", "1e1"}}, "BEDROCK_MAX_RETRIES=10"},
    {{{"BEDROCK_MAX_RETRIES", "+007"}}, "BEDROCK_MAX_RETRIES=7"},
    {{{"BEDROCK_MAX_RETRIES", "5.0"}}, "BEDROCK_MAX_RETRIES=5"},
    {{{"BEDROCK_BASE_DELAY", ".5"}}, "BEDROCK_BASE_DELAY=0.5"},
    /* empty is unset */
    {{{"BEDROCK_RATE_LIMIT", ""}}, "BEDROCK_RATE_LIMIT=30"},
    {{{"AWS_PROFILE", ""}}, "AWS_PROFILE=default"},
    {{{"AGENT_ENABLE_SIGTERM", ""}}, "AGENT_ENABLE_SIGTERM=false"},
    {{{"BEDROCK_REGION", ""}, {"AWS_REGION", "eu-west-1"}}, "BEDROCK_REGION=eu-west-1"},
    /* the burst is the rate limit */
    {{{"BEDROCK_RATE_LIMIT", "12.5"}}, "BEDROCK_BURST=12.5"},
    {{{"BEDROCK_RATE_LIMIT", "60"}, {"BEDROCK_BURST", "1"}}, "BEDROCK_BURST=1"},
    {{{"BEDROCK_BURST", "3"}}, "BEDROCK_BURST=3"},
    {{{"BEDROCK_BURST", "3"}}, "BEDROCK_RATE_LIMIT=30"},
    /* fallbacks */
    {{{"AWS_REGION", "eu-west-1"}}, "BEDROCK_REGION=eu-west-1"},
    {{{"AWS_DEFAULT_REGION", "eu-west-2"}}, "BEDROCK_REGION=eu-west-2"},
    {{{"AWS_REGION", "eu-west-1"}, {"AWS_DEFAULT_REGION", "eu-west-2"}},
     "BEDROCK_REGION=eu-west-1"},
    {{{"AWS_REGION", ""}, {"AWS_DEFAULT_REGION", "eu-west-2"}}, "BEDROCK_REGION=eu-west-2"},
    {{{"BEDROCK_REGION", "sa-east-1"}, {"AWS_REGION", "eu-west-1"}}, "BEDROCK_REGION=sa-east-1"},
    {{{"AWS_ENDPOINT_URL", "http://127.0.0.1:4566"}},
     "AWS_ENDPOINT_URL_BEDROCK_RUNTIME=http://127.0.0.1:4566"},
    {{{"AWS_ENDPOINT_URL_BEDROCK_RUNTIME", "https://bedrock.example.com"},
      {"AWS_ENDPOINT_URL", "http://127.0.0.1:4566"}},
     "AWS_ENDPOINT_URL_BEDROCK_RUNTIME=https://bedrock.example.com"},
    {{{"SSL_CERT_FILE", "/etc/a.pem"}}, "AWS_CA_BUNDLE=/etc/a.pem"},
    {{{"AWS_CA_BUNDLE", "/etc/b.pem"}, {"SSL_CERT_FILE", "/etc/a.pem"}},
     "AWS_CA_BUNDLE=/etc/b.pem"},
};

static void what_is_set_is_in_force(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(taken); i++)
        assert_printed(taken[i].variables, taken[i].line);
}

static const struct number {
    const char *name;
    const char *least, *most, *below, *above; /* below and above: just out of range */
    struct variable other;                    /* to be set too, for most */
    const char *range;
} numbers[] = {
    {"BEDROCK_MAX_TOKENS",
     "1",
     "1000000",
     "0",
     "1000001",
     {0},
     "an integer from 1 to 1000000 tokens"},
    {"BEDROCK_TEMPERATURE", "0", "2", "-0.01", "2.01", {0}, "a number from 0 to 2"},
    {"BEDROCK_RATE_LIMIT",
     "1",
     "100000",
     "0.99",
     "100001",
     {0},
     "a number from 1 to 100000 requests/min"},
    {"BEDROCK_BURST", "1", "100000", "0", "100001", {0}, "a number from 1 to 100000 requests"},
    {"BEDROCK_RATE_TIMEOUT", "0", "900", "-1", "900.1", {0}, "a number from 0 to 900 s"},
    {"BEDROCK_MAX_RETRIES", "0", "100", "-1", "101", {0}, "an integer from 0 to 100 retries"},
    {"BEDROCK_BASE_DELAY",
     "0.001",
     "900",
     "0.0009",
     "901",
     {"BEDROCK_MAX_DELAY", "3600"},
     "a number from 0.001 to 900 s"},
    {"BEDROCK_MAX_DELAY", "1", "3600", "0", "3601", {0}, "a number from 0.001 to 3600 s"},
    {"BEDROCK_APP_RETRIES", "0", "100", "-1", "101", {0}, "an integer from 0 to 100 retries"},
    {"BEDROCK_APP_BASE_DELAY",
     "0.001",
     "900",
     "0",
     "901",
     {"BEDROCK_APP_MAX_DELAY", "3600"},
     "a number from 0.001 to 900 s"},
    {"BEDROCK_APP_MAX_DELAY", "2", "3600", "0", "3601", {0}, "a number from 0.001 to 3600 s"},
    {"BEDROCK_CONNECT_TIMEOUT", "0.01", "900", "0", "900.5", {0}, "a number from 0.01 to 900 s"},
    {"BEDROCK_READ_TIMEOUT", "0.01", "900", "0", "901", {0}, "a number from 0.01 to 900 s"},
    {"BEDROCK_EXPECTED_LATENCY", "0", "900", "-0.5", "901", {0}, "a number from 0 to 900 s"},
    {"AGENT_RESPONSE_TIMEOUT", "0", "900", "-0.001", "901", {0}, "a number from 0 to 900 s"},
};

static void a_number_may_be_anything_in_its_range(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(numbers); i++) {
        const struct number *n = &numbers[i];
        char line[128];
        (void)snprintf(line, sizeof line, "%s=%s", n->name, n->least);
        assert_printed((struct variable[VARIABLES_MAX]){{n->name, n->least}}, line);
        (void)snprintf(line, sizeof line, "%s=%s", n->name, n->most);
        assert_printed((struct variable[VARIABLES_MAX]){{n->name, n->most}, n->other}, line);
    }
}

static void assert_number_refused(const struct number *n, const char *value)
{
    char text[256];
    (void)snprintf(text, sizeof text, "%s is \"%s\"; it must be %s", n->name, value, n->range);
    assert_refused((struct variable[VARIABLES_MAX]){{n->name, value}}, text);
}

static void a_number_out_of_its_range_is_refused_with_name_value_and_range(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(numbers); i++) {
        assert_number_refused(&numbers[i], numbers[i].below);
        assert_number_refused(&numbers[i], numbers[i].above);
    }
}

static const char *const no_numbers[] = {
    "abc", "-1", "1e9", "nan",   "NaN", "inf",    "-inf", "infinity", "0x10",
    " 5",  "5 ", "5\n", "5s",    "1,5", "1_0",    "1e",   "1e5e",     "--5",
    "5-",  ".",  "-",   "1.2.3", "e",   "1e-999", "5%",   "٥",        " ",
};

static void what_is_no_number_is_refused_with_name_value_and_range(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(numbers); i++)
        for (size_t j = 0; j < COUNT(no_numbers); j++)
            assert_number_refused(&numbers[i], no_numbers[j]);
}

static void an_integer_has_no_fraction(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(numbers); i++)
        if (strncmp(numbers[i].range, "an integer", 10) == 0)
            assert_number_refused(&numbers[i], "5.5");
}

#define TIMES_16(text)                                                                             \
    text text text text text text text text text text text text text text text text

#define NAMESPACE_RULE "it must be of letters, digits and .-_/#: and not begin with AWS/ or a colon"

static const struct {
    struct variable variables[VARIABLES_MAX];
    const char *text;
} refused[] = {
    {{{"BEDROCK_BASE_DELAY", "61"}},
     "BEDROCK_MAX_DELAY is \"60\"; it must not be below BEDROCK_BASE_DELAY, which is 61"},
    {{{"BEDROCK_MAX_DELAY", "0.5"}},
     "BEDROCK_MAX_DELAY is \"0.5\"; it must not be below BEDROCK_BASE_DELAY, which is 1"},
    {{{"BEDROCK_APP_BASE_DELAY", "30.5"}},
     "BEDROCK_APP_MAX_DELAY is \"30\"; it must not be below BEDROCK_APP_BASE_DELAY, which is 30.5"},
    {{{"BEDROCK_APP_MAX_DELAY", "1"}},
     "BEDROCK_APP_MAX_DELAY is \"1\"; it must not be below BEDROCK_APP_BASE_DELAY, which is 2"},
    {{{"AGENT_ENABLE_SIGTERM", "1"}}, "AGENT_ENABLE_SIGTERM is \"1\"; it must be true or false"},
    {{{"AGENT_ENABLE_SIGTERM", "yes"}},
     "AGENT_ENABLE_SIGTERM is \"yes\"; it must be true or false"},
    {{{"AWS_LAMBDA_LOG_LEVEL", "seventeen letters"}},
     "AWS_LAMBDA_LOG_LEVEL has 17 bytes; it may have 16"},
    {{{"AGENT_METRICS_NAMESPACE", "AWS/Lambda"}},
     "AGENT_METRICS_NAMESPACE is \"AWS/Lambda\"; " NAMESPACE_RULE},
    {{{"AGENT_METRICS_NAMESPACE", ":x"}}, "AGENT_METRICS_NAMESPACE is \":x\"; " NAMESPACE_RULE},
    {{{"AGENT_METRICS_NAMESPACE", "my app"}},
     "AGENT_METRICS_NAMESPACE is \"my app\"; " NAMESPACE_RULE},
    {{{"AGENT_METRICS_NAMESPACE", TIMES_16("1234567890123456")}},
     "AGENT_METRICS_NAMESPACE has 256 bytes; it may have 255"},
    {{{"BEDROCK_SYSTEM_PROMPT", "caf\xe9"}}, "BEDROCK_SYSTEM_PROMPT is not UTF-8"},
    {{{"AWS_REGION", "\xff"}}, "AWS_REGION is not UTF-8"},
    /* the variable that was read is named, not the one it stands in for */
    {{{"AWS_REGION", TIMES_16("12345")}}, "AWS_REGION has 80 bytes; it may have 64"},
    {{{"AWS_DEFAULT_REGION", TIMES_16("12345")}},
     "AWS_DEFAULT_REGION has 80 bytes; it may have 64"},
    {{{"BEDROCK_RATE_LIMIT", "0"}},
     "BEDROCK_RATE_LIMIT is \"0\"; it must be a number from 1 to 100000 requests/min"},
    /* a long value is cut, between characters or not */
    {{{"BEDROCK_RATE_LIMIT", TIMES_16("abc")}},
     "BEDROCK_RATE_LIMIT is \"abcabcabcabcabcabcabcabcabcabcab\"; it must be a number from 1 to "
     "100000 requests/min"},
    {{{"BEDROCK_RATE_LIMIT", "x" TIMES_16("\xc3\xa9")}},
     "BEDROCK_RATE_LIMIT is \"x\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9"
     "\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9?\"; it must be a number from 1 to "
     "100000 requests/min"},
};

static void what_makes_no_sense_is_refused_with_its_name(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(refused); i++) {
        assert_refused(refused[i].variables, refused[i].text);
        assert_true(utf8_is_valid(refused[i].text, strlen(refused[i].text)));
    }
}

static void equal_delays_are_fine(void **state)
{
    (void)state;
    static const struct variable equal[VARIABLES_MAX] = {{"BEDROCK_BASE_DELAY", "5"},
                                                         {"BEDROCK_MAX_DELAY", "5"},
                                                         {"BEDROCK_APP_BASE_DELAY", "0.5"},
                                                         {"BEDROCK_APP_MAX_DELAY", "0.5"}};
    assert_printed(equal, "BEDROCK_APP_MAX_DELAY=0.5");
}

static void a_response_timeout_that_is_set_is_known_from_the_default(void **state)
{
    (void)state;
    static const struct {
        const char *value;
        bool set;
    } cases[] = {{"28.5", true}, {"0", true}, {"", false}, {NULL, false}};
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct settings settings;
        struct error err = {0};
        const struct variable variables[VARIABLES_MAX] = {
            {"AGENT_RESPONSE_TIMEOUT", cases[i].value}};
        assert_int_equal(load(&settings, variables, &err), 0);
        assert_int_equal(settings.response_timeout_set, cases[i].set);
        settings_free(&settings);
    }
}

static void a_secret_is_kept_and_never_shown(void **state)
{
    (void)state;
    static const char *const secrets[] = {"AWS_BEARER_TOKEN_BEDROCK", "AWS_SECRET_ACCESS_KEY",
                                          "AWS_SESSION_TOKEN", "AWS_CONTAINER_AUTHORIZATION_TOKEN"};
    for (size_t i = 0; i < COUNT(secrets); i++) {
        const struct variable variables[VARIABLES_MAX] = {{secrets[i], "hush-hush"}};
        struct settings settings;
        struct error err = {0};
        char line[128];
        assert_int_equal(load(&settings, variables, &err), 0);
        char *text = printed(&settings);
        (void)snprintf(line, sizeof line, "\n%s=(set)\n", secrets[i]);
        assert_non_null(strstr(text, line));
        assert_null(strstr(text, "hush"));
        free(text);
        settings_free(&settings);
    }
}

static void a_secret_that_is_too_long_is_not_told(void **state)
{
    (void)state;
    static const struct variable variables[VARIABLES_MAX] = {
        {"AWS_SECRET_ACCESS_KEY", TIMES_16(TIMES_16("hush"))}};
    assert_refused(variables, "AWS_SECRET_ACCESS_KEY has 1024 bytes; it may have 256");
}

static void a_line_break_in_a_value_begins_no_line(void **state)
{
    (void)state;
    static const struct variable variables[VARIABLES_MAX] = {
        {"BEDROCK_SYSTEM_PROMPT", "one\nBEDROCK_RATE_LIMIT=9\r\t\xc3\xa9"}};
    assert_printed(variables, "BEDROCK_SYSTEM_PROMPT=one\\nBEDROCK_RATE_LIMIT=9\\x0d\\x09\xc3\xa9");
}

static void the_settings_of_the_program_come_from_its_environment(void **state)
{
    (void)state;
    struct settings settings;
    struct error err = {0};
    assert_int_equal(setenv("BEDROCK_RATE_LIMIT", "77", 1), 0);
    assert_int_equal(settings_load(&settings, settings_from_environment(), &err), 0);
    assert_true(settings.rate_limit == 77);
    settings_free(&settings);
    unsetenv("BEDROCK_RATE_LIMIT");
    settings_free(&settings);
}

/* The names of all variables, from what is printed. */
static void the_page_has_a_row_for_every_variable(void **state)
{
    (void)state;
    static const struct variable none[VARIABLES_MAX];
    struct settings settings;
    struct error err = {0};
    assert_int_equal(load(&settings, none, &err), 0);
    char *page = printed(NULL);
    char *text = printed(&settings);
    int rows = 0;
    for (char *line = strtok(text, "\n"); line != NULL; line = strtok(NULL, "\n"), rows++) {
        char start[128];
        (void)snprintf(start, sizeof start, "\n| `%.*s` | ", (int)strcspn(line, "="), line);
        if (strstr(page, start) == NULL)
            fail_msg("%s is not in the page", line);
    }
    assert_int_equal(rows, 40);
    free(text);
    free(page);
    settings_free(&settings);
}

static void the_page_is_a_table_of_five_columns(void **state)
{
    (void)state;
    char *page = printed(NULL);
    assert_non_null(
        strstr(page, "\n| `BEDROCK_RATE_LIMIT` | number, 1 to 100000 | `30` | requests/min | "));
    assert_non_null(strstr(page, "\n| `BEDROCK_BURST` | number, 1 to 100000 | "
                                 "= `BEDROCK_RATE_LIMIT` | requests | "));
    int rows = 0;
    for (char *line = strtok(page, "\n"); line != NULL; line = strtok(NULL, "\n")) {
        if (line[0] != '|')
            continue;
        int bars = 0;
        for (char *at = line; *at != '\0'; at++)
            bars += *at == '|';
        assert_int_equal(bars, 6);
        rows++;
    }
    assert_int_equal(rows, 40 + 2);
    free(page);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_variables_everything_has_its_default),
        cmocka_unit_test(what_is_set_is_in_force),
        cmocka_unit_test(a_number_may_be_anything_in_its_range),
        cmocka_unit_test(a_number_out_of_its_range_is_refused_with_name_value_and_range),
        cmocka_unit_test(what_is_no_number_is_refused_with_name_value_and_range),
        cmocka_unit_test(an_integer_has_no_fraction),
        cmocka_unit_test(what_makes_no_sense_is_refused_with_its_name),
        cmocka_unit_test(equal_delays_are_fine),
        cmocka_unit_test(a_response_timeout_that_is_set_is_known_from_the_default),
        cmocka_unit_test(a_secret_is_kept_and_never_shown),
        cmocka_unit_test(a_secret_that_is_too_long_is_not_told),
        cmocka_unit_test(a_line_break_in_a_value_begins_no_line),
        cmocka_unit_test(the_settings_of_the_program_come_from_its_environment),
        cmocka_unit_test(the_page_has_a_row_for_every_variable),
        cmocka_unit_test(the_page_is_a_table_of_five_columns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
