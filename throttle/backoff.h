#ifndef THROTTLE_BACKOFF_H
#define THROTTLE_BACKOFF_H

#include <stdint.h>

/*
 * How long to wait before a retry. `draw` is a uniform random number in [0, 1); `retry` counts
 * from 1.
 */
struct backoff {
    int64_t base_ns;
    int64_t max_ns; /* not below base_ns */
};

/* min(max, base * 2^(retry-1)) */
int64_t backoff_ceiling_ns(const struct backoff *backoff, int retry);

/* Layer 1, full jitter as in the AWS SDKs: draw * ceiling. */
int64_t backoff_full_jitter_ns(const struct backoff *backoff, int retry, double draw);

/* Layer 2: ceiling, and up to half as much again: ceiling * (1 + draw / 2). */
int64_t backoff_added_jitter_ns(const struct backoff *backoff, int retry, double draw);

#endif
