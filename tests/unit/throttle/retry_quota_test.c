#include "throttle/retry_quota.h"

#include "tests/support/cmocka_all.h"

static int takes_until_refused(struct retry_quota *quota)
{
    int takes = 0;
    while (retry_quota_take(quota))
        takes++;
    return takes;
}

static void five_hundred_tokens_pay_for_thirty_five_retries(void **state)
{
    (void)state;
    struct retry_quota quota;
    retry_quota_init(&quota);
    assert_int_equal(takes_until_refused(&quota), 35);
    assert_int_equal(quota.available, 10);
}

static void a_refused_take_costs_nothing(void **state)
{
    (void)state;
    struct retry_quota quota = {.available = 13};
    assert_false(retry_quota_take(&quota));
    assert_int_equal(quota.available, 13);
}

static void a_success_after_a_retry_pays_that_retry_back(void **state)
{
    (void)state;
    struct retry_quota quota = {.available = 14};
    assert_true(retry_quota_take(&quota));
    retry_quota_reward(&quota, true);
    assert_int_equal(quota.available, 14);
}

static void a_plain_success_pays_one_and_never_above_the_capacity(void **state)
{
    (void)state;
    struct retry_quota quota = {.available = 499};
    retry_quota_reward(&quota, false);
    assert_int_equal(quota.available, 500);
    retry_quota_reward(&quota, true);
    assert_int_equal(quota.available, 500);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(five_hundred_tokens_pay_for_thirty_five_retries),
        cmocka_unit_test(a_refused_take_costs_nothing),
        cmocka_unit_test(a_success_after_a_retry_pays_that_retry_back),
        cmocka_unit_test(a_plain_success_pays_one_and_never_above_the_capacity),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
