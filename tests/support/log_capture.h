#ifndef TESTS_SUPPORT_LOG_CAPTURE_H
#define TESTS_SUPPORT_LOG_CAPTURE_H

#include <stddef.h>

#include "base/log.h"

struct json_object;

/* A log that keeps what is written to it, in a file in memory. */
struct log_capture {
    struct log log; /* hand out &capture.log; every level is written */
};

void log_capture_open(struct log_capture *capture, const struct os *os);
void log_capture_close(struct log_capture *capture);

/* Forgets what was written so far. */
void log_capture_clear(struct log_capture *capture);

/* All of it; to be freed. */
char *log_capture_text(const struct log_capture *capture);

/*
 * The lines as an array of objects, to be put. A line that is no JSON, or no UTF-8, ends the test.
 */
struct json_object *log_capture_lines(const struct log_capture *capture);

/* How many lines contain `text`. */
size_t log_capture_count(const struct log_capture *capture, const char *text);

#endif
