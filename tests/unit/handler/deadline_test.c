#include "handler/deadline.h"

#include "tests/support/cmocka_all.h"
#include "tests/support/fake_os.h"
#include "throttle/throttle.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])
#define S            NS_PER_S
#define MS           NS_PER_MS
#define NONE         INT64_MAX
#define LONGEST      (900 * NS_PER_S) /* what is left when nothing sets a deadline */

/* All times are relative to now. */
struct times {
    enum event_source source;
    int64_t gateway_ns; /* its stamp; NONE: it gave none */
    int64_t lambda_ns;  /* Lambda's deadline; NONE: there is none */
    double timeout_s;   /* AGENT_RESPONSE_TIMEOUT; negative: unset */
    int64_t left_ns;    /* to answer in; NONE: no deadline */
};

static void assert_left(const struct times *t, size_t row)
{
    struct fake_os os;
    fake_os_init(&os);
    const struct settings settings = {.response_timeout_s = t->timeout_s < 0 ? 28.5 : t->timeout_s,
                                      .response_timeout_set = t->timeout_s >= 0};
    const struct event event = {.source = t->source,
                                .gateway_wall_ns =
                                    t->gateway_ns == NONE ? 0 : os.wall_ns + t->gateway_ns};
    int64_t lambda_ns = t->lambda_ns == NONE ? INT64_MAX : os.wall_ns + t->lambda_ns;
    int64_t by_ns = deadline_of(&event, lambda_ns, &settings, &os.os);
    int64_t left_ns = by_ns - os.now_ns == LONGEST ? NONE : by_ns - os.now_ns;
    if (left_ns != t->left_ns)
        fail_msg("row %zu: %lld ns are left, not %lld", row, (long long)left_ns,
                 (long long)t->left_ns);
}

static void assert_all(const struct times *rows, size_t count)
{
    for (size_t i = 0; i < count; i++)
        assert_left(&rows[i], i);
}

static void the_gateway_hangs_up_whatever_lambda_allows(void **state)
{
    (void)state;
    static const struct times rows[] = {
        {EVENT_REST_API, NONE, NONE, -1, 28400 * MS},
        {EVENT_REST_API, NONE, 60 * S, -1, 28400 * MS},
        {EVENT_HTTP_API, NONE, 60 * S, -1, 28400 * MS},
        {EVENT_REST_API, NONE, 29 * S, -1, 28400 * MS},
        {EVENT_REST_API, NONE, 20 * S, -1, 19500 * MS},
        {EVENT_REST_API, NONE, 60 * S, 50, 49900 * MS},
    };
    assert_all(rows, COUNT(rows));
}

static void nobody_hangs_up_on_the_other_sources(void **state)
{
    (void)state;
    static const enum event_source sources[] = {EVENT_DIRECT, EVENT_FUNCTION_URL, EVENT_ALB,
                                                EVENT_SQS};
    for (size_t i = 0; i < COUNT(sources); i++) {
        assert_left(&(struct times){sources[i], NONE, NONE, -1, NONE}, i);
        assert_left(&(struct times){sources[i], NONE, 60 * S, -1, 59500 * MS}, i);
        assert_left(&(struct times){sources[i], NONE, 900 * S, -1, 899500 * MS}, i);
    }
}

static void a_response_timeout_that_is_set_counts_for_every_source(void **state)
{
    (void)state;
    static const enum event_source sources[] = {EVENT_DIRECT,       EVENT_REST_API, EVENT_HTTP_API,
                                                EVENT_FUNCTION_URL, EVENT_ALB,      EVENT_SQS};
    for (size_t i = 0; i < COUNT(sources); i++) {
        assert_left(&(struct times){sources[i], NONE, 60 * S, 5, 4900 * MS}, i);
        assert_left(&(struct times){sources[i], NONE, 3 * S, 5, 2500 * MS}, i);
        assert_left(&(struct times){sources[i], NONE, 60 * S, 0, 59500 * MS}, i);
        assert_left(&(struct times){sources[i], NONE, NONE, 0, NONE}, i);
    }
}

static void time_since_the_gateway_took_the_request_has_passed(void **state)
{
    (void)state;
    static const struct times rows[] = {
        {EVENT_REST_API, 0, 60 * S, -1, 28400 * MS},
        {EVENT_REST_API, -2 * S, 60 * S, -1, 26400 * MS},
        {EVENT_HTTP_API, -28 * S, 60 * S, -1, 400 * MS},
        {EVENT_FUNCTION_URL, -2 * S, 60 * S, 10, 7900 * MS},
        /* too late already */
        {EVENT_HTTP_API, -28500 * MS, 60 * S, -1, 0},
        {EVENT_HTTP_API, -40 * S, 60 * S, -1, -11500 * MS},
        {EVENT_HTTP_API, -60 * S, 60 * S, -1, -31500 * MS},
        /* the gateway's clock is ahead */
        {EVENT_REST_API, 3 * S, 60 * S, -1, 28400 * MS},
        {EVENT_REST_API, 60 * S, 60 * S, -1, 28400 * MS},
    };
    assert_all(rows, COUNT(rows));
}

static void a_stamp_of_another_minute_is_a_test_events(void **state)
{
    (void)state;
    static const struct times rows[] = {
        {EVENT_REST_API, -60 * S - 1, 60 * S, -1, 28400 * MS},
        {EVENT_REST_API, 60 * S + 1, 60 * S, -1, 28400 * MS},
        {EVENT_HTTP_API, -365 * 86400 * S, 60 * S, -1, 28400 * MS},
        {EVENT_HTTP_API, 365 * 86400 * S, 60 * S, -1, 28400 * MS},
    };
    assert_all(rows, COUNT(rows));
}

static void a_margin_takes_a_quarter_of_the_time_at_most(void **state)
{
    (void)state;
    static const struct times rows[] = {
        {EVENT_DIRECT, NONE, 2 * S, -1, 1500 * MS},
        {EVENT_DIRECT, NONE, 1 * S, -1, 750 * MS},
        {EVENT_DIRECT, NONE, 100 * MS, -1, 75 * MS},
        {EVENT_DIRECT, NONE, NONE, 0.4, 300 * MS},
        {EVENT_DIRECT, NONE, NONE, 0.2, 150 * MS},
        {EVENT_DIRECT, NONE, 0, -1, 0},
        {EVENT_DIRECT, NONE, -5 * S, -1, -5 * S},
        {EVENT_DIRECT, NONE, -60 * S, -1, -60 * S},
        {EVENT_DIRECT, NONE, 1, -1, 1},
    };
    assert_all(rows, COUNT(rows));
}

static void a_lambda_deadline_long_past_is_none(void **state)
{
    (void)state;
    static const struct times rows[] = {
        {EVENT_DIRECT, NONE, -60 * S - 1, -1, NONE},
        {EVENT_DIRECT, NONE, -86400 * S, -1, NONE},
        {EVENT_REST_API, NONE, -86400 * S, -1, 28400 * MS},
    };
    assert_all(rows, COUNT(rows));
}

static void deadlines_at_the_ends_of_time_do_not_overflow(void **state)
{
    (void)state;
    struct fake_os os;
    fake_os_init(&os);
    const struct settings settings = {0};
    const struct event event = {.source = EVENT_DIRECT, .gateway_wall_ns = INT64_MAX / 2};
    assert_int_equal(deadline_of(&event, INT64_MIN, &settings, &os.os), os.now_ns + LONGEST);
    assert_true(deadline_of(&event, INT64_MAX - 1, &settings, &os.os) > os.now_ns);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_gateway_hangs_up_whatever_lambda_allows),
        cmocka_unit_test(nobody_hangs_up_on_the_other_sources),
        cmocka_unit_test(a_response_timeout_that_is_set_counts_for_every_source),
        cmocka_unit_test(time_since_the_gateway_took_the_request_has_passed),
        cmocka_unit_test(a_stamp_of_another_minute_is_a_test_events),
        cmocka_unit_test(a_margin_takes_a_quarter_of_the_time_at_most),
        cmocka_unit_test(a_lambda_deadline_long_past_is_none),
        cmocka_unit_test(deadlines_at_the_ends_of_time_do_not_overflow),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
