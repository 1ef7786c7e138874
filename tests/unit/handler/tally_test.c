#include "handler/tally.h"

#include "tests/support/cmocka_all.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static const struct bedrock_answer untold = {.input_tokens = -1, .output_tokens = -1};

static const struct {
    enum error_kind kind;
    int requests, tokens, day, not_ready;
} kinds[] = {
    {ERROR_NONE, 0, 0, 0, 0},
    {ERROR_THROTTLED, 1, 0, 0, 0},
    {ERROR_THROTTLED_TOKENS, 0, 1, 0, 0},
    {ERROR_THROTTLED_DAY, 0, 0, 1, 0},
    {ERROR_MODEL_NOT_READY, 0, 0, 0, 1},
    {ERROR_QUOTA_EXCEEDED, 0, 0, 0, 0},
    {ERROR_SERVER_FAULT, 0, 0, 0, 0},
    {ERROR_DEADLINE, 0, 0, 0, 0},
};

static void an_attempt_counts_by_its_kind(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(kinds); i++) {
        struct tally tally = {0};
        tally_attempt(&tally, kinds[i].kind, 5, &untold);
        assert_int_equal(tally.attempts, 1);
        assert_int_equal(tally.throttles_by_requests, kinds[i].requests);
        assert_int_equal(tally.throttles_by_tokens, kinds[i].tokens);
        assert_int_equal(tally.throttles_by_tokens_per_day, kinds[i].day);
        assert_int_equal(tally.not_ready, kinds[i].not_ready);
        assert_int_equal(tally.latency_count, 1);
        assert_int_equal(tally.latencies_ns[0], 5);
        assert_int_equal(tally.input.told + tally.output.told, 0);
    }
}

static void tokens_are_summed_over_those_who_told(void **state)
{
    (void)state;
    const struct bedrock_answer answers[] = {
        {.input_tokens = 3, .output_tokens = -1},
        {.input_tokens = -1, .output_tokens = 0},
        {.input_tokens = 4, .output_tokens = -1},
    };
    struct tally tally = {0};
    for (size_t i = 0; i < COUNT(answers); i++)
        tally_attempt(&tally, ERROR_BAD_ANSWER, 1, &answers[i]);
    assert_int_equal(tally.input.sum, 7);
    assert_int_equal(tally.input.told, 2);
    assert_int_equal(tally.output.sum, 0);
    assert_int_equal(tally.output.told, 1);
}

static void the_first_hundred_latencies_are_kept(void **state)
{
    (void)state;
    struct tally tally = {0};
    for (int i = 0; i < 150; i++)
        tally_attempt(&tally, ERROR_SERVER_FAULT, i, &untold);
    assert_int_equal(tally.attempts, 150);
    assert_int_equal(tally.latency_count, TALLY_LATENCIES_MAX);
    assert_int_equal(tally.latencies_ns[99], 99);
}

static void waits_and_refusals_of_the_limiter_are_counted(void **state)
{
    (void)state;
    struct tally tally = {0};
    tally_limiter_wait(&tally, 5);
    tally_limiter_wait(&tally, 7);
    tally_refusal(&tally, ERROR_RATE_LIMITED);
    tally_refusal(&tally, ERROR_THROTTLED);
    assert_int_equal(tally.limiter_waits, 2);
    assert_int_equal(tally.limiter_wait_ns, 12);
    assert_int_equal(tally.limiter_timeouts, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_attempt_counts_by_its_kind),
        cmocka_unit_test(tokens_are_summed_over_those_who_told),
        cmocka_unit_test(the_first_hundred_latencies_are_kept),
        cmocka_unit_test(waits_and_refusals_of_the_limiter_are_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
