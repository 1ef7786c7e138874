#ifndef LOCAL_SUPERVISOR_H
#define LOCAL_SUPERVISOR_H

#include <stdbool.h>
#include <stdint.h>

#include "local/lambda.h"

/*
 * What the main thread does for the Lambda service. It alone may call these, since the kernel ends
 * a sandbox when the thread that started it ends.
 */

/*
 * Starts the sandboxes that are wanted, takes note of those that ended, and kills those whose time
 * is up. Returns when it has to be called again (local/clock.h), at the latest; it is to be called
 * earlier when supervisor_wake_fd() is readable, and when a child has ended.
 */
int64_t supervisor_attend(struct lambda *lambda);
int supervisor_wake_fd(const struct lambda *lambda);

/* Provisioned sandboxes: 1 all ready, 0 not yet, -1 one did not start. */
int supervisor_ready(struct lambda *lambda);

/* Gives up all events and tells the sandboxes to end; then supervisor_attend() until it is empty.
 */
void supervisor_stop(struct lambda *lambda);
bool supervisor_is_empty(struct lambda *lambda);

#endif
