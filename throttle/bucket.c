#include "throttle/bucket.h"

#define MINUTE_NS 60e9

static int64_t later(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static void set_shape(struct bucket *bucket, double per_minute, double capacity)
{
    bucket->per_minute = per_minute;
    bucket->capacity = capacity;
    bucket->increment_ns = (int64_t)(MINUTE_NS / per_minute + 0.5);
    bucket->tolerance_ns = (int64_t)((capacity - 1) * (double)bucket->increment_ns);
}

void bucket_init(struct bucket *bucket, double per_minute, double capacity, int64_t now_ns)
{
    set_shape(bucket, per_minute, capacity);
    bucket->tat_ns = now_ns;
    bucket->seen_ns = now_ns;
}

/* The theoretical arrival time as seen from `now`: a clock that went back takes it along. */
static int64_t tat_at(const struct bucket *bucket, int64_t now_ns)
{
    if (now_ns >= bucket->seen_ns)
        return bucket->tat_ns;
    return bucket->tat_ns - (bucket->seen_ns - now_ns);
}

static void see(struct bucket *bucket, int64_t now_ns)
{
    bucket->tat_ns = tat_at(bucket, now_ns);
    bucket->seen_ns = now_ns;
}

void bucket_set_rate(struct bucket *bucket, double per_minute, double capacity, int64_t now_ns)
{
    see(bucket, now_ns);
    double backlog_ns = (double)(later(bucket->tat_ns, now_ns) - now_ns);
    double tokens = bucket->capacity - backlog_ns / (double)bucket->increment_ns;
    set_shape(bucket, per_minute, capacity);
    /* More tokens than the new capacity give a time in the past, which counts as full. */
    bucket->tat_ns = now_ns + (int64_t)((capacity - tokens) * (double)bucket->increment_ns);
}

int64_t bucket_wait_ns(const struct bucket *bucket, int64_t now_ns)
{
    return later(0, tat_at(bucket, now_ns) - bucket->tolerance_ns - now_ns);
}

int64_t bucket_take(struct bucket *bucket, int64_t now_ns)
{
    see(bucket, now_ns);
    int64_t wait_ns = bucket_wait_ns(bucket, now_ns);
    bucket->tat_ns = later(bucket->tat_ns, now_ns) + bucket->increment_ns;
    return wait_ns;
}

void bucket_give_back(struct bucket *bucket)
{
    bucket->tat_ns -= bucket->increment_ns;
}
