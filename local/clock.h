#ifndef LOCAL_CLOCK_H
#define LOCAL_CLOCK_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

/* Time and bounded waits on one clock, CLOCK_MONOTONIC. */

#define CLOCK_NEVER INT64_MAX

int64_t clock_now_ns(void);

/* A condition whose waits are timed by this clock. */
void clock_condition_init(pthread_cond_t *condition);

/* Waits until woken, for nothing perhaps, or until `at_ns`; false once that time has come. */
bool clock_wait_until(pthread_cond_t *condition, pthread_mutex_t *lock, int64_t at_ns);

/* Milliseconds from now to `at_ns` for poll(): rounded up, at least 0; -1 for CLOCK_NEVER. */
int clock_poll_ms(int64_t at_ns);

#endif
