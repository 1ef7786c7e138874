#ifndef THROTTLE_RETRY_QUOTA_H
#define THROTTLE_RETRY_QUOTA_H

#include <stdbool.h>

/*
 * The AWS SDKs' retry quota, "retry behavior 2.1" of 2026 (SDK reference guide, "Retry
 * behavior": 500 tokens, 14 a retry): what a
 * sandbox may spend on retries while successes stay away, so that an outage is not met with ten
 * times the load. A success pays back: what the call's last retry cost, or 1 when there was none.
 */
#define RETRY_QUOTA_CAPACITY 500
#define RETRY_QUOTA_COST     14
#define RETRY_QUOTA_REWARD   1

struct retry_quota {
    int available;
};

void retry_quota_init(struct retry_quota *quota);

/* Takes the cost of one retry; false, and takes nothing, when there is not enough. */
bool retry_quota_take(struct retry_quota *quota);

/* A call succeeded. `retried`: its last retry was paid from this quota. */
void retry_quota_reward(struct retry_quota *quota, bool retried);

#endif
