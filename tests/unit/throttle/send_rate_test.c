#include "throttle/send_rate.h"

#include <math.h>

#include "base/os.h"
#include "tests/support/cmocka_all.h"

static const struct send_rate_params sdk = {
    .scale = 0.4, .beta = 0.7, .window_ns = 1e9, .least = 0.5, .most = INFINITY, .measured = true};

static const struct send_rate_params ours = {
    .scale = 0.4, .beta = 0.7, .window_ns = 60e9, .least = 1, .most = 30};

struct event {
    double at_s;
    bool throttled;
    double measured; /* negative: not checked */
    double rate;
};

static void play(struct send_rate *s, const struct event *events, size_t count, double tolerance)
{
    for (size_t i = 0; i < count; i++) {
        send_rate_report(s, events[i].throttled, ns_from_seconds(events[i].at_s));
        if (events[i].measured >= 0)
            assert_true(fabs(s->measured_rate - events[i].measured) < tolerance);
        assert_true(fabs(s->rate - events[i].rate) < tolerance);
    }
}

/* The specification's cases start after a throttle at 5 s from a rate of 10, nothing measured. */
static struct send_rate specified(void)
{
    struct send_rate s;
    send_rate_init(&s, &sdk, 0);
    s.enabled = true;
    s.w_max = 10;
    s.throttled_at = 5;
    s.measured_rate = INFINITY;
    return s;
}

static void golden_cubic_growth_as_in_the_sdk_specification(void **state)
{
    (void)state;
    struct send_rate s = specified();
    static const struct event events[] = {
        {5, false, -1, 7.0},
        {6, false, -1, 9.64893600966},
        {7, false, -1, 10.000030849917364},
        {8, false, -1, 10.453284520772092},
        {9, false, -1, 13.408697022224185},
        {10, false, -1, 21.26626835427364},
        {11, false, -1, 36.425998516920465},
    };
    play(&s, events, sizeof events / sizeof events[0], 1e-9);
}

static void golden_cubic_cuts_as_in_the_sdk_specification(void **state)
{
    (void)state;
    struct send_rate s = specified();
    static const struct event events[] = {
        {5, false, -1, 7.0},
        {6, false, -1, 9.64893600966},
        {7, true, -1, 6.754255206761999},
        {8, true, -1, 4.727978644733399},
        {9, false, -1, 6.606547753887045},
        {10, false, -1, 6.763279816944947},
        {11, false, -1, 7.598174833907107},
        {12, false, -1, 11.511232804773524},
    };
    play(&s, events, sizeof events / sizeof events[0], 1e-9);
}

static void golden_measured_rates_as_in_the_sdk_end_to_end_table(void **state)
{
    (void)state;
    struct send_rate s;
    send_rate_init(&s, &sdk, 0);
    static const struct event events[] = {
        {0.2, false, 0, 0.5},
        {0.4, false, 0, 0.5},
        {0.6, false, 4.8, 0.5},
        {0.8, false, 4.8, 0.5},
        {1.0, false, 4.16, 0.5},
        {1.2, false, 4.16, 0.6912},
        {1.4, false, 4.16, 1.0976},
        {1.6, false, 5.632, 1.6384},
        {1.8, false, 5.632, 2.3328},
        {2.0, true, 4.3264, 3.02848},
        {2.2, false, 4.3264, 3.486639},
        {2.4, false, 4.3264, 3.821874},
        {2.6, false, 5.66528, 4.053386},
        {2.8, false, 5.66528, 4.200373},
        {3.0, false, 4.333056, 4.282037},
        {3.2, true, 4.333056, 2.997426},
        {3.4, false, 4.333056, 3.452226},
    };
    play(&s, events, sizeof events / sizeof events[0], 1e-6);
}

static void the_rate_is_the_limit_until_the_first_throttle(void **state)
{
    (void)state;
    struct send_rate s;
    send_rate_init(&s, &ours, 0);
    send_rate_report(&s, false, NS_PER_S);
    assert_true(send_rate_now(&s, 2 * NS_PER_S) == 30);
}

static void a_throttle_cuts_and_minutes_bring_it_back(void **state)
{
    (void)state;
    struct send_rate s;
    send_rate_init(&s, &ours, 0);
    send_rate_report(&s, true, 0);
    double k_s = 60 * cbrt(30 * 0.3 / 0.4); /* 169 s */
    assert_true(fabs(send_rate_now(&s, 0) - 21) < 1e-9);
    assert_true(send_rate_now(&s, ns_from_seconds(10)) < 25);
    assert_true(send_rate_now(&s, ns_from_seconds(k_s / 2)) < 30);
    assert_true(fabs(send_rate_now(&s, ns_from_seconds(k_s)) - 30) < 1e-6);
    assert_true(send_rate_now(&s, ns_from_seconds(10 * k_s)) == 30);
}

static void throttles_without_end_leave_one_request_a_minute(void **state)
{
    (void)state;
    struct send_rate s;
    send_rate_init(&s, &ours, 0);
    for (int i = 0; i < 50; i++)
        send_rate_report(&s, true, i * NS_PER_MS);
    assert_true(send_rate_now(&s, NS_PER_S) == 1);
    assert_true(send_rate_now(&s, 600 * NS_PER_S) > 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(golden_cubic_growth_as_in_the_sdk_specification),
        cmocka_unit_test(golden_cubic_cuts_as_in_the_sdk_specification),
        cmocka_unit_test(golden_measured_rates_as_in_the_sdk_end_to_end_table),
        cmocka_unit_test(the_rate_is_the_limit_until_the_first_throttle),
        cmocka_unit_test(a_throttle_cuts_and_minutes_bring_it_back),
        cmocka_unit_test(throttles_without_end_leave_one_request_a_minute),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
