#include "throttle/send_rate.h"

#include <math.h>

/* The SDKs' meter: responses counted in half windows, smoothed exponentially. */
#define METER_PER_WINDOW 2
#define METER_SMOOTHING  0.8

static double windows(const struct send_rate *s, int64_t now_ns)
{
    return (double)now_ns / s->params.window_ns;
}

void send_rate_init(struct send_rate *send_rate, const struct send_rate_params *params,
                    int64_t now_ns)
{
    *send_rate = (struct send_rate){.params = *params, .rate = params->least};
    send_rate->meter_start = floor(windows(send_rate, now_ns));
}

static void measure(struct send_rate *s, double now)
{
    double start = floor(now * METER_PER_WINDOW) / METER_PER_WINDOW;
    s->meter_count++;
    if (start <= s->meter_start)
        return;
    double current = (double)s->meter_count / (start - s->meter_start);
    s->measured_rate = METER_SMOOTHING * current + (1 - METER_SMOOTHING) * s->measured_rate;
    s->meter_start = start;
    s->meter_count = 0;
}

static double grown(const struct send_rate *s, double now)
{
    double k = cbrt(s->w_max * (1 - s->params.beta) / s->params.scale);
    double t = now - s->throttled_at - k;
    return s->params.scale * t * t * t + s->w_max;
}

static double clamp(const struct send_rate *s, double rate)
{
    return fmax(s->params.least, fmin(s->params.most, rate));
}

static double rate_in_use(const struct send_rate *s, int64_t now_ns)
{
    if (!s->params.measured)
        return send_rate_now(s, now_ns);
    return s->enabled ? fmin(s->measured_rate, s->rate) : s->measured_rate;
}

static void cut(struct send_rate *s, int64_t now_ns)
{
    s->w_max = rate_in_use(s, now_ns);
    s->throttled_at = windows(s, now_ns);
    s->enabled = true;
    s->rate = s->params.beta * s->w_max;
}

void send_rate_report(struct send_rate *send_rate, bool throttled, int64_t now_ns)
{
    double now = windows(send_rate, now_ns);
    measure(send_rate, now);
    if (throttled)
        cut(send_rate, now_ns);
    else
        send_rate->rate = grown(send_rate, now);
    if (send_rate->params.measured)
        send_rate->rate = fmin(send_rate->rate, 2 * send_rate->measured_rate);
    send_rate->rate = clamp(send_rate, send_rate->rate);
}

double send_rate_now(const struct send_rate *send_rate, int64_t now_ns)
{
    if (!send_rate->enabled)
        return send_rate->params.most;
    if (send_rate->params.measured)
        return send_rate->rate;
    return clamp(send_rate, grown(send_rate, windows(send_rate, now_ns)));
}
