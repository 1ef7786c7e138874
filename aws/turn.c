#include "aws/turn.h"

#include <errno.h>
#include <time.h>

#include "base/os.h"

void turn_init(struct turn *turn)
{
    pthread_condattr_t attributes;
    pthread_mutex_init(&turn->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&turn->ended, &attributes);
    pthread_condattr_destroy(&attributes);
    turn->taken = false;
}

void turn_free(struct turn *turn)
{
    pthread_cond_destroy(&turn->ended);
    pthread_mutex_destroy(&turn->lock);
}

int64_t turn_clock_ns(void)
{
    struct timespec t = {0};
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * NS_PER_S + t.tv_nsec;
}

int64_t turn_deadline_ns(int64_t timeout_ns)
{
    int64_t now = turn_clock_ns();
    return timeout_ns < TURN_NO_DEADLINE - now ? now + timeout_ns : TURN_NO_DEADLINE;
}

static int wait(struct turn *turn, int64_t deadline_ns)
{
    if (deadline_ns == TURN_NO_DEADLINE)
        return pthread_cond_wait(&turn->ended, &turn->lock);
    struct timespec until = {.tv_sec = (time_t)(deadline_ns / NS_PER_S),
                             .tv_nsec = (long)(deadline_ns % NS_PER_S)};
    return pthread_cond_timedwait(&turn->ended, &turn->lock, &until);
}

bool turn_take(struct turn *turn, int64_t deadline_ns)
{
    pthread_mutex_lock(&turn->lock);
    while (turn->taken && wait(turn, deadline_ns) == 0)
        ;
    bool mine = !turn->taken;
    turn->taken = true;
    pthread_mutex_unlock(&turn->lock);
    return mine;
}

void turn_end(struct turn *turn)
{
    pthread_mutex_lock(&turn->lock);
    turn->taken = false;
    pthread_cond_signal(&turn->ended);
    pthread_mutex_unlock(&turn->lock);
}
