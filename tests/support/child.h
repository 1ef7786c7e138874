#ifndef TESTS_SUPPORT_CHILD_H
#define TESTS_SUPPORT_CHILD_H

#include <stddef.h>
#include <sys/types.h>

/*
 * A program under test. Its output (stdout and stderr) is collected; it dies with the test. With
 * BOOTSTRAP_WRAPPER set ("valgrind ... "), it is started behind those words.
 */
struct child {
    pid_t pid;
    int output; /* a file in memory */
};

/* `path` with arguments and environment, both ended by NULL; the first argument is the name. */
void child_start(struct child *child, const char *path, const char *const *arguments,
                 const char *const *environment);

/* Waits for its end. Returns its exit status, or 128 + the signal that ended it. Fails the test
 * after a minute. */
int child_wait(struct child *child);

/* Sends a signal, waits, and closes. */
int child_stop(struct child *child, int signal_number);

/* What it has written so far; to be freed. */
char *child_output(const struct child *child);

/* How many lines of the output contain `text`. */
int child_count_lines(const struct child *child, const char *text);

/* "VmRSS" or another row of /proc/PID/status, kB. */
long child_memory_kb(const struct child *child, const char *row);

void child_free(struct child *child);

#endif
