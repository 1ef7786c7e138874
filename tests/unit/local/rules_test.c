#include <stdlib.h>

#include "local/rules.h"
#include "tests/support/cmocka_all.h"

static void each_rule_is_set_by_its_name(void **state)
{
    (void)state;
    struct rules rules = {0};
    assert_int_equal(rules_set(&rules, "rpm", "30", NULL), 0);
    assert_int_equal(rules_set(&rules, "tpm", "2000.5", NULL), 0);
    assert_int_equal(rules_set(&rules, "quota", "sliding", NULL), 0);
    assert_int_equal(rules_set(&rules, "latency", "0.5-2", NULL), 0);
    assert_int_equal(rules_set(&rules, "fault", "throttle*2", NULL), 0);
    assert_true(rules.requests_per_minute == 30);
    assert_true(rules.tokens_per_minute == 2000.5);
    assert_int_equal(rules.quota, QUOTA_SLIDING);
    assert_true(rules.least_latency_s == 0.5 && rules.most_latency_s == 2);
    assert_string_equal(rules.fault, "throttle*2");
    assert_int_equal(rules_set(&rules, "latency", "3", NULL), 0);
    assert_true(rules.least_latency_s == 3 && rules.most_latency_s == 3);
    rules_free(&rules);
}

static void a_bad_rule_is_named_and_changes_nothing(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"rpm", "-1"},     {"rpm", ""},         {"rpm", "1e3"},      {"tpm", "many"},
        {"quota", "leak"}, {"latency", ""},     {"latency", "-1"},   {"latency", "2-1"},
        {"latency", "1-"}, {"latency", "1000"}, {"fault", "nosuch"}, {"speed", "1"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct rules rules = {.requests_per_minute = 5};
        struct error err = {0};
        assert_int_equal(rules_set(&rules, cases[i][0], cases[i][1], &err), -1);
        assert_int_equal(err.kind, ERROR_CONFIG);
        assert_true(rules.requests_per_minute == 5 && rules.tokens_per_minute == 0);
        assert_true(rules.least_latency_s == 0 && rules.most_latency_s == 0);
        assert_null(rules.fault);
        rules_free(&rules);
    }
}

static void fault_scripts_are_added_up(void **state)
{
    (void)state;
    struct rules rules = {0};
    assert_int_equal(rules_add_fault(&rules, "ok", NULL), 0);
    assert_int_equal(rules_add_fault(&rules, "500*2", NULL), 0);
    assert_string_equal(rules.fault, "ok,500*2");
    assert_int_equal(rules_add_fault(&rules, "nosuch", NULL), -1);
    assert_string_equal(rules.fault, "ok,500*2");
    assert_int_equal(rules_set(&rules, "fault", "", NULL), 0);
    assert_int_equal(rules_add_fault(&rules, "cut", NULL), 0);
    assert_string_equal(rules.fault, "cut");
    rules_free(&rules);
}

static void a_copy_is_its_own(void **state)
{
    (void)state;
    struct rules rules = {.requests_per_minute = 7};
    struct rules copy;
    assert_int_equal(rules_add_fault(&rules, "cut", NULL), 0);
    assert_int_equal(rules_copy(&copy, &rules, NULL), 0);
    rules_free(&rules);
    assert_string_equal(copy.fault, "cut");
    assert_true(copy.requests_per_minute == 7);
    rules_free(&copy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_rule_is_set_by_its_name),
        cmocka_unit_test(a_bad_rule_is_named_and_changes_nothing),
        cmocka_unit_test(fault_scripts_are_added_up),
        cmocka_unit_test(a_copy_is_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
