#ifndef THROTTLE_SEND_RATE_H
#define THROTTLE_SEND_RATE_H

#include <stdbool.h>
#include <stdint.h>

/*
 * An adaptive send rate: cut at each throttle, grown back by CUBIC (RFC 9438, in the form of the
 * AWS SDKs' adaptive retry mode). Rates are in requests per window, time is counted in windows:
 *
 *     throttle:  w_max = rate in use;  rate = beta * w_max;  last throttle = now
 *     later:     rate = scale * (t - k)^3 + w_max,   t = windows since the last throttle
 *                k = cbrt(w_max * (1 - beta) / scale): the rate is back at w_max when t = k
 *
 * Example, 30 requests a minute and a window of a minute: cut to 21, and back at 30 after
 * k = cbrt(30 * 0.3 / 0.4) = 2.8 minutes. With the SDKs' window of a second 0.5 requests a second
 * are back after 0.7 s, which at such rates is no slowing down at all.
 */
struct send_rate_params {
    double scale;     /* SDKs: 0.4 */
    double beta;      /* SDKs: 0.7 */
    double window_ns; /* SDKs: 1 s; ours: 1 min */
    double least;     /* floor, per window. SDKs: 0.5; ours: 1 */
    double most;      /* ceiling, per window: the configured limit. SDKs: none (INFINITY) */
    /*
     * The SDKs' way: cut from the rate measured from responses when that is lower, grow only at
     * responses, and to twice the measured rate at most. Without it a sandbox that has little to do
     * keeps the rate it may use, and the rate grows while nobody asks.
     */
    bool measured;
};

struct send_rate {
    struct send_rate_params params;
    bool enabled; /* there was a throttle */
    double w_max;
    double throttled_at; /* windows */
    double rate;         /* after the last response */
    double measured_rate;
    double meter_start; /* of the meter's current half window, windows */
    int64_t meter_count;
};

void send_rate_init(struct send_rate *send_rate, const struct send_rate_params *params,
                    int64_t now_ns);

/* A response came. A throttle cuts the rate; a response that is none may let it grow. */
void send_rate_report(struct send_rate *send_rate, bool throttled, int64_t now_ns);

/* Requests per window now; params.most until the first throttle. */
double send_rate_now(const struct send_rate *send_rate, int64_t now_ns);

#endif
