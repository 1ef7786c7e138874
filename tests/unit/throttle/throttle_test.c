#include "throttle/throttle.h"

#include <math.h>
#include <string.h>

#include "base/os.h"
#include "tests/support/cmocka_all.h"

#define S NS_PER_S

static struct throttle_settings defaults(void)
{
    return (struct throttle_settings){
        .per_minute = 30,
        .burst = 30,
        .rate_timeout_ns = 30 * S,
        .expected_ns = 2 * S,
        .sdk_retries = 10,
        .sdk = {1 * S, 60 * S},
        .app_retries = 5,
        .app = {2 * S, 30 * S},
    };
}

/* A caller in virtual time: waits pass at once, the model answers from a script. */
struct player {
    struct throttle throttle;
    struct throttle_call call;
    int64_t now_ns;
    int64_t latency_ns;
    double draw;
    int64_t hint_ns;
    const enum error_kind *script; /* the last one goes on for ever */
    size_t script_length;
    int sent;
    int64_t sent_at_ns[64];
    int64_t waited_ns[64]; /* each wait */
    enum throttle_reason reasons[64];
    int waits;
    struct throttle_step last;
};

static void player_init(struct player *p, const struct throttle_settings *settings)
{
    *p = (struct player){.now_ns = 1000 * S, .latency_ns = S / 10, .draw = 0.5, .hint_ns = -1};
    throttle_init(&p->throttle, settings, p->now_ns);
}

static void player_send(struct player *p)
{
    size_t at = (size_t)p->sent < p->script_length ? (size_t)p->sent : p->script_length - 1;
    const struct throttle_outcome outcome = {
        .kind = p->script[at], .retry_hint_ns = p->hint_ns, .draw = p->draw};
    p->sent_at_ns[p->sent++] = p->now_ns;
    p->now_ns += p->latency_ns;
    throttle_report(&p->throttle, &p->call, &outcome, p->now_ns);
}

/* Plays one call with so much time, and returns how it ended. */
static struct throttle_step play(struct player *p, int64_t budget_ns, const enum error_kind *script,
                                 size_t length)
{
    p->script = script;
    p->script_length = length;
    p->sent = 0;
    p->waits = 0;
    int64_t answer_by =
        budget_ns == THROTTLE_NO_DEADLINE ? THROTTLE_NO_DEADLINE : p->now_ns + budget_ns;
    throttle_begin(&p->call, answer_by, p->now_ns);
    for (int i = 0; i < 200; i++) {
        struct throttle_step step = throttle_next(&p->throttle, &p->call, p->now_ns);
        if (step.action == THROTTLE_DONE || step.action == THROTTLE_REFUSE)
            return step;
        if (step.action == THROTTLE_SEND) {
            player_send(p);
            continue;
        }
        assert_true(step.wait_ns > 0 || step.reason != THROTTLE_FOR_TOKEN);
        p->reasons[p->waits] = step.reason;
        p->waited_ns[p->waits++] = step.wait_ns;
        p->last = step;
        p->now_ns += step.wait_ns;
    }
    fail_msg("a call that never ends");
    return (struct throttle_step){0};
}

#define PLAY(p, budget, ...)                                                                       \
    play(p, budget, (const enum error_kind[]){__VA_ARGS__},                                        \
         sizeof((const enum error_kind[]){__VA_ARGS__}) / sizeof(enum error_kind))

static void an_answer_at_once_waits_for_nothing(void **state)
{
    (void)state;
    struct player p;
    struct throttle_settings settings = defaults();
    player_init(&p, &settings);
    assert_int_equal(PLAY(&p, 28 * S, ERROR_NONE).action, THROTTLE_DONE);
    assert_int_equal(p.sent, 1);
    assert_int_equal(p.waits, 0);
}

static void two_throttles_are_waited_out_by_layer_two(void **state)
{
    (void)state;
    struct player p;
    struct throttle_settings settings = defaults();
    player_init(&p, &settings);
    assert_int_equal(PLAY(&p, 28 * S, ERROR_THROTTLED, ERROR_THROTTLED_TOKENS, ERROR_NONE).action,
                     THROTTLE_DONE);
    assert_int_equal(p.sent, 3);
    assert_int_equal(p.waits, 2);
    assert_int_equal(p.waited_ns[0], 2500 * NS_PER_MS);
    assert_int_equal(p.waited_ns[1], 5000 * NS_PER_MS);
    assert_int_equal(p.reasons[0], THROTTLE_FOR_APP);
    assert_int_equal(p.last.retry, 2);
    assert_int_equal(p.last.retries, 6);
}

static void throttles_without_end_are_tried_six_times_when_there_is_time(void **state)
{
    (void)state;
    struct player p;
    struct throttle_settings settings = defaults();
    player_init(&p, &settings);
    struct throttle_step step = PLAY(&p, THROTTLE_NO_DEADLINE, ERROR_THROTTLED);
    assert_int_equal(step.action, THROTTLE_REFUSE);
    assert_int_equal(step.cause, ERROR_THROTTLED);
    assert_int_equal(p.sent, 6);
    assert_true(step.retry_after_ns >= 30 * S);
}

static void a_retry_that_does_not_fit_is_refused_before_it_waits(void **state)
{
    (void)state;
    struct player p;
    struct throttle_settings settings = defaults();
    player_init(&p, &settings);
    int64_t began = p.now_ns;
    struct throttle_step step = PLAY(&p, 28 * S, ERROR_THROTTLED);
    assert_int_equal(step.cause, ERROR_THROTTLED);
    assert_int_equal(p.sent, 4); /* 2.5 + 5 + 10 s; another 20 s would not fit */
    assert_true(p.now_ns - began < 18 * S);
    assert_int_equal(step.retry_after_ns, 20 * S);
}

static void the_layers_add_and_do_not_multiply(void **state)
{
    (void)state;
    struct player p;
    struct throttle_settings settings = defaults();
    settings.per_minute = 10000;
    settings.burst = 10000;
    player_init(&p, &settings);
    static const enum error_kind mixed[] = {
        ERROR_SERVER_FAULT, ERROR_THROTTLED,    ERROR_CONNECTION,  ERROR_THROTTLED,
        ERROR_SERVER_FAULT, ERROR_THROTTLED,    ERROR_CONNECTION,  ERROR_THROTTLED,
        ERROR_SERVER_FAULT, ERROR_THROTTLED,    ERROR_UNAVAILABLE, ERROR_MODEL_NOT_READY,
        ERROR_SERVER_FAULT, ERROR_SERVER_FAULT, ERROR_CONNECTION,  ERROR_SERVER_FAULT,
    };
    struct throttle_step step =
        play(&p, THROTTLE_NO_DEADLINE, mixed, sizeof mixed / sizeof mixed[0]);
    assert_int_equal(step.action, THROTTLE_REFUSE);
    assert_int_equal(p.sent, 1 + 10 + 5);
}

static void transient_failures_are_retried_by_layer_one_with_full_jitter(void **state)
{
    (void)state;
    static const enum error_kind kinds[] = {ERROR_SERVER_FAULT, ERROR_UNAVAILABLE, ERROR_CONNECTION,
                                            ERROR_MODEL_NOT_READY};
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        struct player p;
        struct throttle_settings settings = defaults();
        player_init(&p, &settings);
        assert_int_equal(PLAY(&p, 28 * S, kinds[i], kinds[i], ERROR_NONE).action, THROTTLE_DONE);
        assert_int_equal(p.sent, 3);
        assert_int_equal(p.waited_ns[0], S / 2);
        assert_int_equal(p.waited_ns[1], S);
        assert_int_equal(p.reasons[1], THROTTLE_FOR_SDK);
        assert_true(send_rate_now(&p.throttle.send_rate, p.now_ns) == 30);
    }
}

static void failures_that_stay_are_not_retried(void **state)
{
    (void)state;
    for (int kind = ERROR_NONE + 1; kind < ERROR_COUNT; kind++) {
        if (error_retry_class((enum error_kind)kind) != RETRY_NEVER)
            continue;
        struct player p;
        struct throttle_settings settings = defaults();
        player_init(&p, &settings);
        struct throttle_step step = PLAY(&p, 28 * S, (enum error_kind)kind);
        assert_int_equal(step.action, THROTTLE_REFUSE);
        assert_int_equal(step.cause, kind);
        assert_int_equal(p.sent, 1);
    }
}

static void a_model_fault_is_retried_once(void **state)
{
    (void)state;
    struct player p;
    struct throttle_settings settings = defaults();
    player_init(&p, &settings);
    assert_int_equal(PLAY(&p, 28 * S, ERROR_MODEL_FAULT).cause, ERROR_MODEL_FAULT);
    assert_int_equal(p.sent, 2);
    assert_int_equal(p.last.retries, 2);
}

static void an_outage_spends_the_retry_quota_and_no_more(void **state)
{
    (void)state;
    struct player p;
    struct throttle_settings settings = defaults();
    settings.per_minute = 10000;
    settings.burst = 10000;
    player_init(&p, &settings);
    int sent = 0;
    for (int i = 0; i < 20; i++) {
        PLAY(&p, THROTTLE_NO_DEADLINE, ERROR_SERVER_FAULT);
        sent += p.sent;
    }
    assert_int_equal(sent, 20 + 35);
}

static void a_success_gives_the_retry_quota_back(void **state)
{
    (void)state;
    struct player p;
    struct throttle_settings settings = defaults();
    player_init(&p, &settings);
    PLAY(&p, 28 * S, ERROR_SERVER_FAULT, ERROR_NONE);
    assert_int_equal(p.throttle.quota.available, RETRY_QUOTA_CAPACITY);
}

static void a_retry_whose_token_comes_too_late_is_refused_before_it_backs_off(void **state)
{
    (void)state;
    struct player p;
    struct throttle_settings settings = defaults();
    settings.per_minute = 6;
    settings.burst = 1;
    settings.rate_timeout_ns = 1 * S;
    player_init(&p, &settings);
    assert_int_equal(PLAY(&p, THROTTLE_NO_DEADLINE, ERROR_THROTTLED).cause, ERROR_THROTTLED);
    assert_int_equal(p.sent, 1);
    assert_int_equal(p.waits, 0);
}

static void every_attempt_takes_a_token(void **state)
{
    (void)state;
    struct player p;
    struct throttle_settings settings = defaults();
    settings.burst = 3;
    settings.sdk = (struct backoff){NS_PER_MS, NS_PER_MS};
    player_init(&p, &settings);
    p.latency_ns = 0;
    PLAY(&p, 28 * S, ERROR_SERVER_FAULT, ERROR_SERVER_FAULT, ERROR_SERVER_FAULT, ERROR_NONE);
    assert_int_equal(p.sent, 4);
    assert_true(p.sent_at_ns[2] - p.sent_at_ns[0] < S);
    assert_true(p.sent_at_ns[3] - p.sent_at_ns[0] >= 2 * S); /* the fourth waits for its token */
    assert_int_equal(p.reasons[p.waits - 1], THROTTLE_FOR_TOKEN);
}

static void a_hint_is_a_floor_for_the_wait(void **state)
{
    (void)state;
    struct player p;
    struct throttle_settings settings = defaults();
    player_init(&p, &settings);
    p.hint_ns = 7 * S;
    PLAY(&p, 28 * S, ERROR_THROTTLED, ERROR_NONE);
    assert_int_equal(p.waited_ns[0], 7 * S);
    p.hint_ns = S; /* below the backoff */
    PLAY(&p, 28 * S, ERROR_THROTTLED, ERROR_NONE);
    assert_int_equal(p.waited_ns[0], 2500 * NS_PER_MS);
}

static void a_hint_beyond_the_deadline_is_passed_on_to_the_caller(void **state)
{
    (void)state;
    struct player p;
    struct throttle_settings settings = defaults();
    player_init(&p, &settings);
    p.hint_ns = 90 * S;
    struct throttle_step step = PLAY(&p, 28 * S, ERROR_THROTTLED);
    assert_int_equal(p.sent, 1);
    assert_int_equal(step.retry_after_ns, 90 * S);
}

static void a_token_that_comes_too_late_is_refused_at_once_with_the_time_to_come_back(void **state)
{
    (void)state;
    struct player p;
    struct throttle_settings settings = defaults();
    settings.per_minute = 6;
    settings.burst = 1;
    settings.rate_timeout_ns = 1 * S;
    player_init(&p, &settings);
    PLAY(&p, 28 * S, ERROR_NONE);
    int64_t before = p.now_ns;
    struct throttle_step step = PLAY(&p, 28 * S, ERROR_NONE);
    assert_int_equal(step.cause, ERROR_RATE_LIMITED);
    assert_int_equal(p.sent, 0);
    assert_int_equal(p.now_ns, before);
    assert_int_equal(step.token_wait_ns, 9900 * NS_PER_MS);
    assert_int_equal(step.retry_after_ns, 8900 * NS_PER_MS);
    /* and the word is kept: a moment earlier is refused, then it is let in */
    p.now_ns += step.retry_after_ns - 1;
    assert_int_equal(PLAY(&p, 28 * S, ERROR_NONE).cause, ERROR_RATE_LIMITED);
    p.now_ns += 1;
    assert_int_equal(PLAY(&p, 28 * S, ERROR_NONE).action, THROTTLE_DONE);
}

static void the_deadline_bounds_the_wait_for_a_token(void **state)
{
    (void)state;
    struct player p;
    struct throttle_settings settings = defaults();
    settings.per_minute = 6;
    settings.burst = 1;
    player_init(&p, &settings);
    p.latency_ns = 0;
    PLAY(&p, 28 * S, ERROR_NONE);
    struct throttle_step step = PLAY(&p, 11 * S, ERROR_NONE); /* 10 s wait + 2 s model > 11 s */
    assert_int_equal(step.cause, ERROR_RATE_LIMITED);
    assert_int_equal(step.retry_after_ns, 1 * S);
    assert_int_equal(PLAY(&p, 12 * S, ERROR_NONE).action, THROTTLE_DONE);
    assert_int_equal(p.waited_ns[0], 10 * S);
}

static void a_call_that_comes_too_late_is_out_of_time(void **state)
{
    (void)state;
    struct player p;
    struct throttle_settings settings = defaults();
    player_init(&p, &settings);
    struct throttle_step step = PLAY(&p, 0, ERROR_NONE);
    assert_int_equal(step.cause, ERROR_DEADLINE);
    assert_int_equal(p.sent, 0);
}

static void a_sandbox_frozen_in_its_wait_gives_its_token_back(void **state)
{
    (void)state;
    struct throttle throttle;
    struct throttle_settings settings = defaults();
    settings.burst = 1;
    throttle_init(&throttle, &settings, 0);
    struct throttle_call first;
    struct throttle_call second;
    throttle_begin(&first, 28 * S, 0);
    assert_int_equal(throttle_next(&throttle, &first, 0).action, THROTTLE_SEND);
    throttle_begin(&second, 28 * S, 0);
    assert_int_equal(throttle_next(&throttle, &second, 0).wait_ns, 2 * S);
    int64_t tat = throttle.bucket.tat_ns;
    assert_int_equal(throttle_next(&throttle, &second, 3600 * S).cause, ERROR_DEADLINE);
    assert_int_equal(throttle.bucket.tat_ns, tat - 2 * S);
}

static void a_backoff_that_is_over_already_is_told_of_all_the_same(void **state)
{
    (void)state;
    struct player p;
    struct throttle_settings settings = defaults();
    player_init(&p, &settings);
    p.draw = 0; /* full jitter: no wait at all */
    assert_int_equal(PLAY(&p, 28 * S, ERROR_SERVER_FAULT, ERROR_NONE).action, THROTTLE_DONE);
    assert_int_equal(p.waits, 1);
    assert_int_equal(p.waited_ns[0], 0);
    assert_int_equal(p.reasons[0], THROTTLE_FOR_SDK);
}

static void a_wait_cut_short_goes_on(void **state)
{
    (void)state;
    struct throttle throttle;
    struct throttle_settings settings = defaults();
    settings.burst = 1;
    throttle_init(&throttle, &settings, 0);
    struct throttle_call call;
    throttle_begin(&call, 28 * S, 0);
    throttle_next(&throttle, &call, 0);
    throttle_begin(&call, 28 * S, 0);
    assert_int_equal(throttle_next(&throttle, &call, 0).wait_ns, 2 * S);
    assert_int_equal(throttle_next(&throttle, &call, S).wait_ns, S);
    assert_int_equal(throttle_next(&throttle, &call, 2 * S).action, THROTTLE_SEND);
}

static void throttles_slow_the_bucket_down_and_time_brings_it_back(void **state)
{
    (void)state;
    struct player p;
    struct throttle_settings settings = defaults();
    player_init(&p, &settings);
    PLAY(&p, 28 * S, ERROR_THROTTLED);
    assert_int_equal(p.sent, 4);
    assert_true(p.throttle.bucket.per_minute < 30 * 0.7 * 0.7);
    assert_true(p.throttle.bucket.capacity < 30 * 0.7 * 0.7);
    p.now_ns += 1800 * S;
    PLAY(&p, 28 * S, ERROR_NONE);
    assert_true(p.throttle.bucket.per_minute == 30);
    assert_true(p.throttle.bucket.capacity == 30);
}

static void a_burst_above_the_rate_comes_back_whole(void **state)
{
    (void)state;
    struct player p;
    struct throttle_settings settings = defaults();
    settings.burst = 100;
    player_init(&p, &settings);
    PLAY(&p, 28 * S, ERROR_THROTTLED, ERROR_NONE);
    assert_true(p.throttle.bucket.capacity < 80);
    p.now_ns += 1800 * S;
    PLAY(&p, 28 * S, ERROR_NONE);
    assert_true(p.throttle.bucket.capacity == 100);
}

static void a_retry_of_layer_two_is_not_paid_back_to_the_retry_quota(void **state)
{
    (void)state;
    struct player p;
    struct throttle_settings settings = defaults();
    player_init(&p, &settings);
    PLAY(&p, 28 * S, ERROR_SERVER_FAULT, ERROR_THROTTLED, ERROR_NONE);
    assert_int_equal(p.throttle.quota.available,
                     RETRY_QUOTA_CAPACITY - RETRY_QUOTA_COST + RETRY_QUOTA_REWARD);
}

static void daily_and_account_quotas_do_not_lower_the_rate(void **state)
{
    (void)state;
    struct player p;
    struct throttle_settings settings = defaults();
    player_init(&p, &settings);
    p.hint_ns = 3600 * S;
    struct throttle_step step = PLAY(&p, 28 * S, ERROR_THROTTLED_DAY);
    assert_int_equal(step.retry_after_ns, 3600 * S);
    p.hint_ns = -1;
    step = PLAY(&p, 28 * S, ERROR_QUOTA_EXCEEDED);
    assert_true(step.retry_after_ns >= 30 * S && step.retry_after_ns <= 45 * S);
    assert_true(p.throttle.bucket.per_minute == 30);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_answer_at_once_waits_for_nothing),
        cmocka_unit_test(two_throttles_are_waited_out_by_layer_two),
        cmocka_unit_test(throttles_without_end_are_tried_six_times_when_there_is_time),
        cmocka_unit_test(a_retry_that_does_not_fit_is_refused_before_it_waits),
        cmocka_unit_test(the_layers_add_and_do_not_multiply),
        cmocka_unit_test(transient_failures_are_retried_by_layer_one_with_full_jitter),
        cmocka_unit_test(failures_that_stay_are_not_retried),
        cmocka_unit_test(a_model_fault_is_retried_once),
        cmocka_unit_test(an_outage_spends_the_retry_quota_and_no_more),
        cmocka_unit_test(a_success_gives_the_retry_quota_back),
        cmocka_unit_test(a_retry_whose_token_comes_too_late_is_refused_before_it_backs_off),
        cmocka_unit_test(every_attempt_takes_a_token),
        cmocka_unit_test(a_hint_is_a_floor_for_the_wait),
        cmocka_unit_test(a_hint_beyond_the_deadline_is_passed_on_to_the_caller),
        cmocka_unit_test(a_token_that_comes_too_late_is_refused_at_once_with_the_time_to_come_back),
        cmocka_unit_test(the_deadline_bounds_the_wait_for_a_token),
        cmocka_unit_test(a_call_that_comes_too_late_is_out_of_time),
        cmocka_unit_test(a_sandbox_frozen_in_its_wait_gives_its_token_back),
        cmocka_unit_test(a_backoff_that_is_over_already_is_told_of_all_the_same),
        cmocka_unit_test(a_wait_cut_short_goes_on),
        cmocka_unit_test(throttles_slow_the_bucket_down_and_time_brings_it_back),
        cmocka_unit_test(a_burst_above_the_rate_comes_back_whole),
        cmocka_unit_test(a_retry_of_layer_two_is_not_paid_back_to_the_retry_quota),
        cmocka_unit_test(daily_and_account_quotas_do_not_lower_the_rate),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
