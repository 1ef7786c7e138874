#include <stdlib.h>

#include "base/os.h"
#include "local/quota.h"
#include "tests/support/cmocka_all.h"

#define S(seconds) ((int64_t)(seconds)*NS_PER_S)

/* One step of a table in time: at that second take this much, or settle the step before to it. */
struct step {
    int64_t at_s;
    double take;
    int granted;
};

static void play(enum quota_kind kind, double per_minute, const struct step *steps, size_t count)
{
    struct quota quota;
    struct quota_ticket ticket;
    quota_init(&quota, kind, per_minute);
    for (size_t i = 0; i < count; i++)
        if (quota_take(&quota, S(1000 + steps[i].at_s), steps[i].take, &ticket) !=
            (steps[i].granted != 0))
            fail_msg("step %zu at %ld s", i, (long)steps[i].at_s);
    quota_free(&quota);
}

#define PLAY(kind, per_minute, ...)                                                                \
    do {                                                                                           \
        static const struct step steps[] = {__VA_ARGS__};                                          \
        play(kind, per_minute, steps, sizeof steps / sizeof steps[0]);                             \
    } while (0)

static void a_bucket_gives_its_burst_and_then_its_rate(void **state)
{
    (void)state;
    PLAY(QUOTA_BUCKET, 6, {0, 1, 1}, {0, 1, 1}, {0, 1, 1}, {0, 1, 1}, {0, 1, 1}, {0, 1, 1},
         {0, 1, 0}, {9, 1, 0}, {10, 1, 1}, {10, 1, 0}, {30, 1, 1}, {30, 1, 1}, {30, 1, 0});
}

static void a_bucket_never_holds_more_than_a_minute(void **state)
{
    (void)state;
    PLAY(QUOTA_BUCKET, 2, {0, 2, 1}, {3600, 1, 1}, {3600, 1, 1}, {3600, 1, 0});
}

static void a_sliding_window_counts_the_last_sixty_seconds(void **state)
{
    (void)state;
    PLAY(QUOTA_SLIDING, 2, {0, 1, 1}, {30, 1, 1}, {59, 1, 0}, {60, 1, 1}, {60, 1, 0}, {89, 1, 0},
         {90, 1, 1}, {119, 1, 0}, {200, 1, 1}, {200, 1, 1}, {200, 1, 0});
}

static void more_than_the_whole_quota_is_never_granted(void **state)
{
    (void)state;
    PLAY(QUOTA_BUCKET, 10, {0, 11, 0}, {100, 10, 1});
    PLAY(QUOTA_SLIDING, 10, {0, 11, 0}, {100, 10, 1});
}

static void without_a_limit_everything_is_granted(void **state)
{
    (void)state;
    PLAY(QUOTA_BUCKET, 0, {0, 1e9, 1}, {0, 1e9, 1});
    struct quota zeroed = {0};
    struct quota_ticket ticket;
    assert_true(quota_take(&zeroed, 0, 5, &ticket));
    quota_settle(&zeroed, 0, &ticket, 1);
    quota_free(&zeroed);
}

static void what_was_not_used_comes_back(void **state)
{
    (void)state;
    static const enum quota_kind kinds[] = {QUOTA_BUCKET, QUOTA_SLIDING};
    for (size_t i = 0; i < 2; i++) {
        struct quota quota;
        struct quota_ticket ticket;
        struct quota_ticket other;
        quota_init(&quota, kinds[i], 1000);
        assert_true(quota_take(&quota, S(1), 900, &ticket));
        assert_false(quota_take(&quota, S(1), 200, &other));
        quota_settle(&quota, S(1), &ticket, 100);
        assert_true(quota_take(&quota, S(1), 900, &other));
        assert_false(quota_take(&quota, S(1), 1, &ticket));
        quota_free(&quota);
    }
}

static void using_more_than_was_taken_makes_a_debt(void **state)
{
    (void)state;
    struct quota quota;
    struct quota_ticket ticket;
    quota_init(&quota, QUOTA_BUCKET, 60);
    assert_true(quota_take(&quota, S(1), 60, &ticket));
    quota_settle(&quota, S(1), &ticket, 90);
    assert_false(quota_take(&quota, S(31), 1, &ticket));
    assert_true(quota_take(&quota, S(32), 1, &ticket));
    quota_free(&quota);
}

static void settling_what_left_the_window_changes_nothing(void **state)
{
    (void)state;
    struct quota quota;
    struct quota_ticket old;
    struct quota_ticket ticket;
    quota_init(&quota, QUOTA_SLIDING, 10);
    assert_true(quota_take(&quota, S(0), 10, &old));
    assert_true(quota_take(&quota, S(60), 10, &ticket));
    quota_settle(&quota, S(60), &old, 0);
    assert_false(quota_take(&quota, S(61), 1, &ticket));
    quota_free(&quota);
}

static void the_window_keeps_its_order_when_it_grows_and_moves(void **state)
{
    (void)state;
    struct quota quota;
    struct quota_ticket ticket;
    quota_init(&quota, QUOTA_SLIDING, 100);
    for (int second = 0; second < 1000; second++) {
        bool granted = quota_take(&quota, S(second), 2, &ticket);
        int taken = second % 60; /* 50 fit into each minute, the first 50 of it */
        assert_int_equal(granted, taken < 50);
    }
    quota_free(&quota);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_bucket_gives_its_burst_and_then_its_rate),
        cmocka_unit_test(a_bucket_never_holds_more_than_a_minute),
        cmocka_unit_test(a_sliding_window_counts_the_last_sixty_seconds),
        cmocka_unit_test(more_than_the_whole_quota_is_never_granted),
        cmocka_unit_test(without_a_limit_everything_is_granted),
        cmocka_unit_test(what_was_not_used_comes_back),
        cmocka_unit_test(using_more_than_was_taken_makes_a_debt),
        cmocka_unit_test(settling_what_left_the_window_changes_nothing),
        cmocka_unit_test(the_window_keeps_its_order_when_it_grows_and_moves),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
