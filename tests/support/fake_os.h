#ifndef TESTS_SUPPORT_FAKE_OS_H
#define TESTS_SUPPORT_FAKE_OS_H

#include "base/os.h"

/*
 * A virtual clock: sleeping moves it, at once. Random bytes come from a small generator with a
 * fixed seed; set `draw` to a number in [0, 1) to make every os_draw() return it.
 */
struct fake_os {
    int64_t now_ns;
    int64_t wall_ns;
    int64_t slept_ns; /* sum of all sleeps */
    int sleeps;
    int resyncs;
    double draw; /* negative: random */
    uint64_t state;
    struct os os; /* hand out &fake.os */
};

/* Starts at now = 1,000 s and wall = 2026-11-23T12:00:00Z. Do not move the struct afterwards. */
void fake_os_init(struct fake_os *fake);

/* Lets time pass. */
void fake_os_advance(struct fake_os *fake, int64_t ns);

#endif
