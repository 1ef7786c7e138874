#ifndef AWS_TURN_H
#define AWS_TURN_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

/*
 * Threads that take turns, and do not wait for one longer than they want to. Unlike a mutex, a turn
 * may be ended by another thread than the one that took it.
 */
struct turn {
    pthread_mutex_t lock;
    pthread_cond_t ended;
    bool taken;
};

#define TURN_NO_DEADLINE INT64_MAX

void turn_init(struct turn *turn);
void turn_free(struct turn *turn);

/* CLOCK_MONOTONIC, ns: the clock of the deadlines here. */
int64_t turn_clock_ns(void);

/* The deadline `timeout_ns` from now; TURN_NO_DEADLINE when that is beyond the clock. */
int64_t turn_deadline_ns(int64_t timeout_ns);

/* Waits until `deadline_ns` at most; a deadline that has passed asks without waiting. */
bool turn_take(struct turn *turn, int64_t deadline_ns) __attribute__((warn_unused_result));
void turn_end(struct turn *turn);

#endif
