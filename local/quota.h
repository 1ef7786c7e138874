#ifndef LOCAL_QUOTA_H
#define LOCAL_QUOTA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * A quota of so many units a minute, as a service may enforce it. Pure: time is an argument and
 * never goes back; no locks. A zeroed struct has no limit and may be freed.
 *
 * QUOTA_BUCKET   a token bucket that holds `per_minute` units, full at first, and gains that many a
 *                minute: after a quiet minute twice the quota can go within 60 s.
 * QUOTA_SLIDING  never more than `per_minute` units in any 60 s.
 */
enum quota_kind { QUOTA_BUCKET, QUOTA_SLIDING };

struct quota_entry {
    int64_t at_ns;
    double amount;
};

struct quota {
    enum quota_kind kind;
    double per_minute; /* 0: no limit */
    /* bucket */
    double level;
    int64_t level_at_ns;
    /* sliding: what was taken in the last minute, oldest first */
    struct quota_entry *entries;
    size_t first, count, capacity;
    uint64_t dropped; /* entries that are no longer in the minute */
};

/* What was taken, to be settled later. */
struct quota_ticket {
    uint64_t number;
    double amount;
};

void quota_init(struct quota *quota, enum quota_kind kind, double per_minute);
void quota_free(struct quota *quota);

/* Takes `amount` and fills `ticket`, or returns false and takes nothing. */
bool quota_take(struct quota *quota, int64_t now_ns, double amount, struct quota_ticket *ticket);

/* Corrects what was taken to `amount`, once. More than is left puts the quota into debt. */
void quota_settle(struct quota *quota, int64_t now_ns, const struct quota_ticket *ticket,
                  double amount);

#endif
