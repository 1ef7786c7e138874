#include "local/quota.h"

#include <stdlib.h>
#include <string.h>

#include "base/os.h"

#define MINUTE_NS (60 * NS_PER_S)

/* Sums of doubles: a billionth of a unit is no reason to refuse. */
#define EPSILON 1e-9

void quota_init(struct quota *quota, enum quota_kind kind, double per_minute)
{
    *quota = (struct quota){.kind = kind, .per_minute = per_minute, .level = per_minute};
}

void quota_free(struct quota *quota)
{
    free(quota->entries);
    *quota = (struct quota){0};
}

static void refill(struct quota *quota, int64_t now_ns)
{
    double minutes = (double)(now_ns - quota->level_at_ns) / (double)MINUTE_NS;
    quota->level_at_ns = now_ns;
    quota->level += minutes * quota->per_minute;
    if (quota->level > quota->per_minute)
        quota->level = quota->per_minute;
}

static void forget(struct quota *quota, int64_t now_ns)
{
    while (quota->count > 0 && now_ns - quota->entries[quota->first].at_ns >= MINUTE_NS) {
        quota->first++;
        quota->count--;
        quota->dropped++;
    }
}

static double sum(const struct quota *quota)
{
    double total = 0;
    for (size_t i = 0; i < quota->count; i++)
        total += quota->entries[quota->first + i].amount;
    return total;
}

static bool make_room(struct quota *quota)
{
    if (quota->first > 0 && quota->first + quota->count == quota->capacity) {
        memmove(quota->entries, quota->entries + quota->first,
                quota->count * sizeof *quota->entries);
        quota->first = 0;
    }
    if (quota->first + quota->count < quota->capacity)
        return true;
    size_t capacity = quota->capacity > 0 ? 2 * quota->capacity : 64;
    struct quota_entry *entries = realloc(quota->entries, capacity * sizeof *entries);
    if (entries == NULL)
        return false;
    quota->entries = entries;
    quota->capacity = capacity;
    return true;
}

static bool take_sliding(struct quota *quota, int64_t now_ns, struct quota_ticket *ticket)
{
    forget(quota, now_ns);
    if (sum(quota) + ticket->amount > quota->per_minute + EPSILON || !make_room(quota))
        return false;
    ticket->number = quota->dropped + quota->count;
    quota->entries[quota->first + quota->count] =
        (struct quota_entry){.at_ns = now_ns, .amount = ticket->amount};
    quota->count++;
    return true;
}

bool quota_take(struct quota *quota, int64_t now_ns, double amount, struct quota_ticket *ticket)
{
    *ticket = (struct quota_ticket){.amount = amount};
    if (quota->per_minute <= 0)
        return true;
    if (quota->kind == QUOTA_SLIDING)
        return take_sliding(quota, now_ns, ticket);
    refill(quota, now_ns);
    if (quota->level + EPSILON < amount)
        return false;
    quota->level -= amount;
    return true;
}

void quota_settle(struct quota *quota, int64_t now_ns, const struct quota_ticket *ticket,
                  double amount)
{
    if (quota->per_minute <= 0)
        return;
    if (quota->kind == QUOTA_BUCKET) {
        refill(quota, now_ns);
        quota->level += ticket->amount - amount;
        return;
    }
    forget(quota, now_ns);
    if (ticket->number < quota->dropped)
        return;
    quota->entries[quota->first + (ticket->number - quota->dropped)].amount = amount;
}
