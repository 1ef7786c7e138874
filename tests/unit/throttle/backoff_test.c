#include "throttle/backoff.h"

#include "base/os.h"
#include "tests/support/cmocka_all.h"

static const struct backoff doubling = {2 * NS_PER_S, 30 * NS_PER_S};

static void the_ceiling_doubles_up_to_the_maximum(void **state)
{
    (void)state;
    static const int64_t seconds[] = {2, 4, 8, 16, 30, 30};
    for (int retry = 1; retry <= 6; retry++)
        assert_int_equal(backoff_ceiling_ns(&doubling, retry), seconds[retry - 1] * NS_PER_S);
}

static void the_ceiling_does_not_overflow(void **state)
{
    (void)state;
    const struct backoff huge = {1, INT64_MAX};
    assert_int_equal(backoff_ceiling_ns(&huge, 1000), INT64_MAX);
}

static void full_jitter_draws_between_nothing_and_the_ceiling(void **state)
{
    (void)state;
    assert_int_equal(backoff_full_jitter_ns(&doubling, 2, 0.0), 0);
    assert_int_equal(backoff_full_jitter_ns(&doubling, 2, 0.25), NS_PER_S);
    assert_in_range(backoff_full_jitter_ns(&doubling, 2, 0.999999), 3 * NS_PER_S, 4 * NS_PER_S - 1);
}

static void added_jitter_draws_between_the_ceiling_and_half_as_much_again(void **state)
{
    (void)state;
    assert_int_equal(backoff_added_jitter_ns(&doubling, 1, 0.0), 2 * NS_PER_S);
    assert_int_equal(backoff_added_jitter_ns(&doubling, 1, 0.5), 2500 * NS_PER_MS);
    assert_int_equal(backoff_added_jitter_ns(&doubling, 5, 0.5), 37500 * NS_PER_MS);
    assert_in_range(backoff_added_jitter_ns(&doubling, 2, 0.999999), 4 * NS_PER_S,
                    6 * NS_PER_S - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_ceiling_doubles_up_to_the_maximum),
        cmocka_unit_test(the_ceiling_does_not_overflow),
        cmocka_unit_test(full_jitter_draws_between_nothing_and_the_ceiling),
        cmocka_unit_test(added_jitter_draws_between_the_ceiling_and_half_as_much_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
