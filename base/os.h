#ifndef BASE_OS_H
#define BASE_OS_H

#include <stddef.h>
#include <stdint.h>

/*
 * The one seam to the operating system: clock, wall time, sleep and random. The program runs on
 * os_real(); tests run on a fake whose sleep moves its own clock (tests/support/fake_os.h).
 * All functions may be called from several threads at once.
 */

#define NS_PER_MS INT64_C(1000000)
#define NS_PER_S  INT64_C(1000000000)

struct os {
    /* Time since boot, ns; goes on while the machine is suspended; never goes back. */
    int64_t (*now_ns)(void *context);
    /* Unix time, ns. */
    int64_t (*wall_ns)(void *context);
    /* Sleeps the whole time, signals or not. Zero or less returns at once. */
    void (*sleep_ns)(void *context, int64_t ns);
    /* Fills `out` with random bytes that nobody can predict. */
    void (*random)(void *context, void *out, size_t size);
    /*
     * To be called when an invocation arrives, since the sandbox may have been frozen until now: if
     * wall time has run ahead of now_ns() since the last call, now_ns() catches up by
     * os_missed_ns().
     */
    void (*resync)(void *context);
    void *context;
};

/* The real one: CLOCK_BOOTTIME, CLOCK_REALTIME, clock_nanosleep, getrandom. */
const struct os *os_real(void);

int64_t os_now_ns(const struct os *os);
int64_t os_wall_ns(const struct os *os);
void os_sleep_ns(const struct os *os, int64_t ns);

/*
 * How far a clock is behind that went on by `clock_ns` while wall time went on by `wall_ns`: what a
 * freeze hid from it. Nothing up to a second, for wall time is set right by such steps; and nothing
 * when wall time went back or stood still.
 */
int64_t os_missed_ns(int64_t clock_ns, int64_t wall_ns);

/* A uniform draw from [0, 1). */
double os_draw(const struct os *os);

/* A random version 4 UUID (RFC 9562) with its terminating NUL. */
#define OS_UUID_SIZE 37
void os_uuid(const struct os *os, char out[OS_UUID_SIZE]);

/* Seconds, as settings have them, in ns; saturates at about 292 years. */
int64_t ns_from_seconds(double seconds);
double seconds_from_ns(int64_t ns);

#endif
