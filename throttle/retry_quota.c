#include "throttle/retry_quota.h"

void retry_quota_init(struct retry_quota *quota)
{
    quota->available = RETRY_QUOTA_CAPACITY;
}

bool retry_quota_take(struct retry_quota *quota)
{
    if (quota->available < RETRY_QUOTA_COST)
        return false;
    quota->available -= RETRY_QUOTA_COST;
    return true;
}

void retry_quota_reward(struct retry_quota *quota, bool retried)
{
    quota->available += retried ? RETRY_QUOTA_COST : RETRY_QUOTA_REWARD;
    if (quota->available > RETRY_QUOTA_CAPACITY)
        quota->available = RETRY_QUOTA_CAPACITY;
}
