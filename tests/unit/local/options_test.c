#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/os.h"
#include "local/options.h"
#include "tests/support/cmocka_all.h"

#define ARGUMENTS_MAX 40

/* Reads "a b c" as a command line, with a bootstrap that exists. */
static enum options_verdict read_line(struct options *options, const char *line, struct error *err)
{
    static char copy[512];
    char *argv[ARGUMENTS_MAX + 1] = {"local", "--bootstrap", "/bin/true"};
    int argc = 3;
    char *rest = NULL;
    (void)snprintf(copy, sizeof copy, "%s", line);
    for (char *word = strtok_r(copy, " ", &rest); word != NULL; word = strtok_r(NULL, " ", &rest))
        argv[argc++] = word;
    optind = 0; /* glibc: start anew */
    return options_read(options, argc, argv, err);
}

static void the_defaults_are_those_of_the_help(void **state)
{
    (void)state;
    struct options options;
    assert_int_equal(read_line(&options, "", NULL), OPTIONS_RUN);
    assert_int_equal(options.port, 8080);
    assert_string_equal(options.host, "127.0.0.1");
    assert_int_equal(options.sandboxes, 10);
    assert_int_equal(options.provisioned, 0);
    assert_int_equal(options.timeout_ns, 60 * NS_PER_S);
    assert_int_equal(options.gateway_timeout_ns, 30 * NS_PER_S);
    assert_false(options.bedrock_aws || options.freeze || options.quiet || options.keep_late);
    assert_true(options.rules.requests_per_minute == 0 && options.rules.fault == NULL);
    options_free(&options);
}

static void each_option_is_read(void **state)
{
    (void)state;
    struct options options;
    assert_int_equal(
        read_line(&options,
                  "--port 0 --sandboxes 3 --provisioned=2 --timeout 1.5 --freeze --env A=1 "
                  "--env B --fault ok --fault 500 --rpm 30",
                  NULL),
        OPTIONS_RUN);
    assert_int_equal(options.port, 0);
    assert_int_equal(options.sandboxes, 3);
    assert_int_equal(options.provisioned, 2);
    assert_int_equal(options.timeout_ns, 1500 * NS_PER_MS);
    assert_true(options.freeze);
    assert_int_equal(options.variable_count, 2);
    assert_string_equal(options.variables[0], "A=1");
    assert_string_equal(options.rules.fault, "ok,500");
    assert_true(options.rules.requests_per_minute == 30);
    options_free(&options);
    assert_int_equal(read_line(&options,
                               "--bedrock aws --auth container --keep-late --snapstart --no-trace "
                               "--quiet --log f --tpm 5 --quota sliding",
                               NULL),
                     OPTIONS_RUN);
    assert_true(options.bedrock_aws && options.keep_late && options.snapstart);
    assert_true(options.no_trace && options.quiet);
    assert_int_equal(options.auth, AUTH_CONTAINER);
    assert_string_equal(options.log_file, "f");
    assert_int_equal(options.rules.quota, QUOTA_SLIDING);
    options_free(&options);
}

static void what_is_wrong_is_named(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"--port x", "--port is \"x\""},
        {"--port 65536", "0 to 65535"},
        {"--port", "--port"},
        {"--sandboxes 0", "--sandboxes"},
        {"--provisioned 11", "more than --sandboxes"},
        {"--timeout 0", "--timeout"},
        {"--gateway-timeout 1e9", "--gateway-timeout"},
        {"--bedrock real", "fake or aws"},
        {"--auth none", "keys, bearer or container"},
        {"--fault nosuch", "nosuch"},
        {"--rpm -5", "rpm"},
        {"--latency 2-1", "latency"},
        {"--env =x", "--env"},
        {"--nosuch", "--nosuch"},
        {"extra", "extra"},
        {"--bootstrap /nosuch", "/nosuch"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct options options;
        struct error err = {0};
        assert_int_equal(read_line(&options, cases[i][0], &err), OPTIONS_WRONG);
        if (strstr(err.text, cases[i][1]) == NULL)
            fail_msg("\"%s\" is told as: %s", cases[i][0], err.text);
        options_free(&options);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_defaults_are_those_of_the_help),
        cmocka_unit_test(each_option_is_read),
        cmocka_unit_test(what_is_wrong_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
