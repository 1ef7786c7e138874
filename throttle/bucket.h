#ifndef THROTTLE_BUCKET_H
#define THROTTLE_BUCKET_H

#include <stdint.h>

/*
 * A token bucket kept as GCRA (generic cell rate algorithm, ITU-T I.371): one time stamp, the
 * theoretical arrival time (tat), instead of a token count. A caller reserves its future slot and
 * sleeps once; who reserves first goes first.
 *
 *     increment = minute / rate            time in which one token comes back
 *     tolerance = (capacity - 1) * increment
 *     a request at `now` may start at   max(now, tat - tolerance)
 *     and leaves behind                 tat = max(now, tat) + increment
 *
 * Example: 60 a minute, capacity 2. At 0 s: starts at 0, tat 1. At 0 s: starts at 0, tat 2. At 0 s:
 * starts at 1, tat 3.
 *
 * Time is an argument, in ns of any one clock. A clock that jumps forward fills the bucket and no
 * more; one that jumps back counts as no time at all.
 */
struct bucket {
    double per_minute;
    double capacity;
    int64_t increment_ns;
    int64_t tolerance_ns;
    int64_t tat_ns;
    int64_t seen_ns; /* the latest `now` */
};

/* Full. `per_minute` above 0, `capacity` at least 1. */
void bucket_init(struct bucket *bucket, double per_minute, double capacity, int64_t now_ns);

/* Keeps the tokens there are, up to the new capacity; debts stay debts of as many tokens. */
void bucket_set_rate(struct bucket *bucket, double per_minute, double capacity, int64_t now_ns);

/* How long a request that comes now would have to wait for its token; takes nothing. */
int64_t bucket_wait_ns(const struct bucket *bucket, int64_t now_ns);

/* Takes a token for a request that comes now; returns how long it must wait before it goes. */
int64_t bucket_take(struct bucket *bucket, int64_t now_ns);

/* Puts back a token that was taken and not used. */
void bucket_give_back(struct bucket *bucket);

#endif
