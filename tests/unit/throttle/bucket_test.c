#include "throttle/bucket.h"

#include "base/os.h"
#include "tests/support/cmocka_all.h"

/* One request after another at these times, and how long each must wait. */
struct arrival {
    double at_s, wait_s;
};

static void play(struct bucket *bucket, const struct arrival *arrivals, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        int64_t now = ns_from_seconds(arrivals[i].at_s);
        int64_t expected = ns_from_seconds(arrivals[i].wait_s);
        assert_int_equal(bucket_wait_ns(bucket, now), expected);
        assert_int_equal(bucket_take(bucket, now), expected);
    }
}

#define PLAY(bucket, ...)                                                                          \
    play(bucket, (const struct arrival[]){__VA_ARGS__},                                            \
         sizeof((const struct arrival[]){__VA_ARGS__}) / sizeof(struct arrival))

static void a_full_bucket_lets_its_burst_go_at_once(void **state)
{
    (void)state;
    struct bucket bucket;
    bucket_init(&bucket, 60, 3, 0);
    PLAY(&bucket, {0, 0}, {0, 0}, {0, 0}, {0, 1}, {0, 2});
}

static void slots_are_given_in_order_of_asking(void **state)
{
    (void)state;
    struct bucket bucket;
    bucket_init(&bucket, 60, 1, 0);
    PLAY(&bucket, {0, 0}, {0.25, 0.75}, {0.5, 1.5}, {0.5, 2.5}, {3.5, 0.5});
}

static void an_idle_bucket_fills_to_its_capacity_and_no_further(void **state)
{
    (void)state;
    struct bucket bucket;
    bucket_init(&bucket, 60, 2, 0);
    PLAY(&bucket, {0, 0}, {0, 0}, {1e6, 0}, {1e6, 0}, {1e6, 1});
}

static void a_clock_that_jumps_back_counts_as_no_time(void **state)
{
    (void)state;
    struct bucket bucket;
    bucket_init(&bucket, 60, 1, ns_from_seconds(1000));
    PLAY(&bucket, {1000, 0}, {10, 1}, {10.5, 1.5}, {14, 0});
}

static void a_token_given_back_is_there_for_the_next(void **state)
{
    (void)state;
    struct bucket bucket;
    bucket_init(&bucket, 60, 1, 0);
    PLAY(&bucket, {0, 0}, {0, 1});
    bucket_give_back(&bucket);
    PLAY(&bucket, {0, 1});
}

static void a_lower_rate_keeps_tokens_up_to_the_new_capacity(void **state)
{
    (void)state;
    struct bucket bucket;
    bucket_init(&bucket, 60, 10, 0);
    PLAY(&bucket, {0, 0}, {0, 0}, {0, 0}); /* 7 left */
    bucket_set_rate(&bucket, 30, 2, 0);
    PLAY(&bucket, {0, 0}, {0, 0}, {0, 2}, {0, 4});
}

static void a_higher_rate_shortens_a_debt_of_as_many_tokens(void **state)
{
    (void)state;
    struct bucket bucket;
    bucket_init(&bucket, 30, 1, 0);
    PLAY(&bucket, {0, 0}, {0, 2}, {0, 4});
    bucket_set_rate(&bucket, 60, 1, 0);
    PLAY(&bucket, {0, 3});
}

static void no_window_sees_more_starts_than_rate_and_capacity_allow(void **state)
{
    (void)state;
    enum { REQUESTS = 2000 };
    static int64_t starts[REQUESTS];
    struct bucket bucket;
    bucket_init(&bucket, 90, 5, 0);
    uint64_t random = 7;
    int64_t now = 0;
    for (int i = 0; i < REQUESTS; i++) {
        random = random * UINT64_C(6364136223846793005) + 1;
        now += (int64_t)(random >> 34); /* 0 to 1.07 s */
        starts[i] = now + bucket_take(&bucket, now);
    }
    for (int i = 0; i < REQUESTS; i++) {
        for (int j = i; j < REQUESTS && j < i + 50; j++) {
            double minutes = (double)(starts[j] - starts[i]) / 60e9;
            assert_true(j - i + 1 <= 5 + 90 * minutes + 1e-6);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_full_bucket_lets_its_burst_go_at_once),
        cmocka_unit_test(slots_are_given_in_order_of_asking),
        cmocka_unit_test(an_idle_bucket_fills_to_its_capacity_and_no_further),
        cmocka_unit_test(a_clock_that_jumps_back_counts_as_no_time),
        cmocka_unit_test(a_token_given_back_is_there_for_the_next),
        cmocka_unit_test(a_lower_rate_keeps_tokens_up_to_the_new_capacity),
        cmocka_unit_test(a_higher_rate_shortens_a_debt_of_as_many_tokens),
        cmocka_unit_test(no_window_sees_more_starts_than_rate_and_capacity_allow),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
