#include "throttle/backoff.h"

int64_t backoff_ceiling_ns(const struct backoff *backoff, int retry)
{
    int64_t delay_ns = backoff->base_ns;
    for (int i = 1; i < retry && delay_ns < backoff->max_ns; i++)
        delay_ns = delay_ns > INT64_MAX / 2 ? INT64_MAX : delay_ns * 2;
    return delay_ns < backoff->max_ns ? delay_ns : backoff->max_ns;
}

int64_t backoff_full_jitter_ns(const struct backoff *backoff, int retry, double draw)
{
    return (int64_t)(draw * (double)backoff_ceiling_ns(backoff, retry));
}

int64_t backoff_added_jitter_ns(const struct backoff *backoff, int retry, double draw)
{
    int64_t ceiling_ns = backoff_ceiling_ns(backoff, retry);
    return ceiling_ns + (int64_t)(draw / 2 * (double)ceiling_ns);
}
