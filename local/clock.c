#include "local/clock.h"

#include <limits.h>
#include <stdlib.h>
#include <time.h>

#include "base/os.h"

int64_t clock_now_ns(void)
{
    struct timespec t = {0};
    if (clock_gettime(CLOCK_MONOTONIC, &t) != 0)
        abort();
    return (int64_t)t.tv_sec * NS_PER_S + t.tv_nsec;
}

void clock_condition_init(pthread_cond_t *condition)
{
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(condition, &attributes);
    pthread_condattr_destroy(&attributes);
}

bool clock_wait_until(pthread_cond_t *condition, pthread_mutex_t *lock, int64_t at_ns)
{
    if (clock_now_ns() >= at_ns)
        return false;
    if (at_ns == CLOCK_NEVER) {
        pthread_cond_wait(condition, lock);
        return true;
    }
    struct timespec at = {.tv_sec = (time_t)(at_ns / NS_PER_S),
                          .tv_nsec = (long)(at_ns % NS_PER_S)};
    (void)pthread_cond_timedwait(condition, lock, &at);
    return clock_now_ns() < at_ns;
}

int clock_poll_ms(int64_t at_ns)
{
    if (at_ns == CLOCK_NEVER)
        return -1;
    int64_t left_ns = at_ns - clock_now_ns();
    if (left_ns <= 0)
        return 0;
    int64_t ms = (left_ns + NS_PER_MS - 1) / NS_PER_MS;
    return ms > INT_MAX ? INT_MAX : (int)ms;
}
