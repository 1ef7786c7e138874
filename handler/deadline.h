#ifndef HANDLER_DEADLINE_H
#define HANDLER_DEADLINE_H

#include <stdint.h>

#include "base/os.h"
#include "base/settings.h"
#include "handler/event.h"

/*
 * Until when an event must be answered, on os_now_ns(): the earliest of the Lambda deadline and of
 * the response time-out counted from the gateway's own time stamp, each less a margin for the
 * reply's way back. A stamp more than a minute away from now is a test event's, and the arrival
 * counts; a Lambda deadline that passed more than a minute ago counts as none. When nothing sets
 * one, it is the quarter of an hour that a Lambda function may run.
 */
int64_t deadline_of(const struct event *event, int64_t lambda_deadline_wall_ns,
                    const struct settings *settings, const struct os *os);

#endif
