#include "handler/deadline.h"

#include <stdbool.h>

#define LONGEST_NS       (15 * 60 * NS_PER_S) /* a Lambda function runs no longer */
#define STALE_NS         (60 * NS_PER_S)
#define LAMBDA_MARGIN_NS (500 * NS_PER_MS)
#define REPLY_MARGIN_NS  (100 * NS_PER_MS)

static int64_t sooner(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* A margin may take a quarter of the time at most: functions with a time-out of a second exist. */
static int64_t less_margin(int64_t left_ns, int64_t margin_ns)
{
    return left_ns <= 0 ? left_ns : left_ns - sooner(margin_ns, left_ns / 4);
}

static int64_t lambda_left_ns(int64_t deadline_wall_ns, int64_t wall_ns)
{
    if (deadline_wall_ns == INT64_MAX || deadline_wall_ns < wall_ns - STALE_NS)
        return INT64_MAX;
    return less_margin(deadline_wall_ns - wall_ns, LAMBDA_MARGIN_NS);
}

/* How long ago the gateway took the request. */
static int64_t age_ns(const struct event *event, int64_t wall_ns)
{
    int64_t age = wall_ns - event->gateway_wall_ns;
    bool stale = age > STALE_NS || age < -STALE_NS;
    return stale || age < 0 ? 0 : age;
}

static int64_t response_left_ns(const struct event *event, const struct settings *settings,
                                int64_t wall_ns)
{
    bool gateway = event->source == EVENT_REST_API || event->source == EVENT_HTTP_API;
    if ((!gateway && !settings->response_timeout_set) || settings->response_timeout_s <= 0)
        return INT64_MAX;
    int64_t timeout_ns = ns_from_seconds(settings->response_timeout_s);
    return less_margin(timeout_ns - age_ns(event, wall_ns), REPLY_MARGIN_NS);
}

int64_t deadline_of(const struct event *event, int64_t lambda_deadline_wall_ns,
                    const struct settings *settings, const struct os *os)
{
    int64_t wall_ns = os_wall_ns(os);
    int64_t left_ns = sooner(lambda_left_ns(lambda_deadline_wall_ns, wall_ns),
                             response_left_ns(event, settings, wall_ns));
    return os_now_ns(os) + sooner(left_ns, LONGEST_NS);
}
