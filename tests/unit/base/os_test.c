#include "base/os.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "tests/support/cmocka_all.h"
#include "tests/support/fake_os.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])
#define S            NS_PER_S
#define HOUR         (3600 * NS_PER_S)

/*
 * What the real one asks of the C library goes through here: clocks can be moved, sleeps are
 * counted and take no time, and both sleeping and random bytes can be interrupted.
 */
static struct {
    int64_t boot_ahead_ns;
    int64_t wall_ahead_ns;
    int interruptions; /* so many of the next calls are interrupted */
    int calls;
    int64_t slept_ns;
    size_t most_bytes; /* of one getrandom(); 0: no limit */
} kernel;

int clock_gettime(clockid_t id, struct timespec *t)
{
    int result = (int)syscall(SYS_clock_gettime, id, t);
    int64_t ahead_ns = id == CLOCK_BOOTTIME ? kernel.boot_ahead_ns : 0;
    if (id == CLOCK_REALTIME)
        ahead_ns = kernel.wall_ahead_ns;
    int64_t ns = (int64_t)t->tv_sec * S + t->tv_nsec + ahead_ns;
    *t = (struct timespec){.tv_sec = (time_t)(ns / S), .tv_nsec = (long)(ns % S)};
    return result;
}

/* Interrupted after a quarter of the time. */
int clock_nanosleep(clockid_t id, int flags, const struct timespec *wanted, struct timespec *left)
{
    int64_t ns = (int64_t)wanted->tv_sec * S + wanted->tv_nsec;
    assert_int_equal(flags, 0);
    assert_int_equal(id, CLOCK_MONOTONIC);
    assert_in_range(wanted->tv_nsec, 0, S - 1);
    kernel.calls++;
    if (kernel.interruptions == 0) {
        kernel.slept_ns += ns;
        return 0;
    }
    kernel.interruptions--;
    kernel.slept_ns += ns / 4;
    ns -= ns / 4;
    *left = (struct timespec){.tv_sec = (time_t)(ns / S), .tv_nsec = (long)(ns % S)};
    return EINTR;
}

ssize_t getrandom(void *out, size_t size, unsigned flags)
{
    kernel.calls++;
    if (kernel.interruptions > 0) {
        kernel.interruptions--;
        errno = EINTR;
        return -1;
    }
    if (kernel.most_bytes > 0 && size > kernel.most_bytes)
        size = kernel.most_bytes;
    return syscall(SYS_getrandom, out, size, flags);
}

static int no_tricks(void **state)
{
    (void)state;
    memset(&kernel, 0, sizeof kernel);
    return 0;
}

static int64_t kernel_ns(clockid_t id)
{
    struct timespec t;
    (void)clock_gettime(id, &t);
    return (int64_t)t.tv_sec * S + t.tv_nsec;
}

static void the_clocks_are_those_of_the_kernel(void **state)
{
    (void)state;
    const struct os *os = os_real();
    int64_t boot_before = kernel_ns(CLOCK_BOOTTIME);
    int64_t now = os_now_ns(os);
    assert_true(now >= boot_before && now <= kernel_ns(CLOCK_BOOTTIME));
    int64_t wall_before = kernel_ns(CLOCK_REALTIME);
    int64_t wall = os_wall_ns(os);
    assert_true(wall >= wall_before && wall <= kernel_ns(CLOCK_REALTIME));
}

static const struct {
    int64_t clock_ns, wall_ns, missed_ns;
} gaps[] = {
    {0, 0, 0},
    {5 * S, 5 * S, 0},
    {5 * S, 6 * S, 0},
    {5 * S, 6 * S + 1, S + 1},
    {5 * S, 5 * S + HOUR, HOUR},
    {0, 24 * 365 * HOUR, 24 * 365 * HOUR},
    /* wall time that stood still or went back */
    {5 * S, 0, 0},
    {5 * S, -HOUR, 0},
    {0, INT64_MIN + 1, 0},
};

static void only_wall_time_that_ran_ahead_by_more_than_a_second_was_missed(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(gaps); i++)
        assert_int_equal(os_missed_ns(gaps[i].clock_ns, gaps[i].wall_ns), gaps[i].missed_ns);
}

static int64_t behind_ns(const struct os *os)
{
    int64_t before = kernel_ns(CLOCK_BOOTTIME);
    int64_t behind = os_now_ns(os) - kernel_ns(CLOCK_BOOTTIME);
    int64_t lost = kernel_ns(CLOCK_BOOTTIME) - before; /* by reading clocks */
    assert_in_range(lost, 0, S);
    return behind + lost;
}

static void a_freeze_that_the_clock_did_not_see_is_caught_up_with_once(void **state)
{
    (void)state;
    const struct os *os = os_real();
    int64_t before = os_now_ns(os);
    os->resync(os->context);
    os->resync(os->context);
    assert_in_range(behind_ns(os), 0, S);
    kernel.wall_ahead_ns = HOUR;
    assert_in_range(behind_ns(os), 0, S);
    os->resync(os->context);
    assert_in_range(behind_ns(os), HOUR, HOUR + 2 * S);
    os->resync(os->context);
    assert_in_range(behind_ns(os), HOUR, HOUR + 2 * S);
    kernel.wall_ahead_ns = 0;
    os->resync(os->context);
    assert_in_range(behind_ns(os), HOUR, HOUR + 2 * S);
    kernel.wall_ahead_ns = 2 * HOUR;
    os->resync(os->context);
    assert_in_range(behind_ns(os), 3 * HOUR, 3 * HOUR + 4 * S);
    /* A freeze that CLOCK_BOOTTIME did see needs nothing. */
    kernel.wall_ahead_ns += HOUR;
    kernel.boot_ahead_ns += HOUR;
    os->resync(os->context);
    assert_in_range(behind_ns(os), 3 * HOUR, 3 * HOUR + 4 * S);
    assert_true(os_now_ns(os) - before >= 4 * HOUR);
}

static void a_sleep_lasts_its_time_whatever_interrupts_it(void **state)
{
    (void)state;
    const struct os *os = os_real();
    os_sleep_ns(os, 3 * S + 5);
    assert_int_equal(kernel.slept_ns, 3 * S + 5);
    no_tricks(NULL);
    kernel.interruptions = 3;
    os_sleep_ns(os, 2 * S + 7);
    assert_int_equal(kernel.slept_ns, 2 * S + 7);
    assert_int_equal(kernel.calls, 4);
}

static void sleeping_for_no_time_returns_at_once(void **state)
{
    (void)state;
    os_sleep_ns(os_real(), 0);
    os_sleep_ns(os_real(), -5 * S);
    os_sleep_ns(os_real(), INT64_MIN);
    assert_int_equal(kernel.calls, 0);
}

static void random_bytes_come_whole_however_the_kernel_gives_them(void **state)
{
    (void)state;
    unsigned char bytes[64] = {0};
    kernel.interruptions = 2;
    kernel.most_bytes = 7;
    os_real()->random(NULL, bytes, sizeof bytes);
    assert_int_equal(kernel.calls, 2 + (64 + 6) / 7);
    /* A tail of zeros is as likely as a hit by a meteorite. */
    static const unsigned char zeros[16];
    assert_memory_not_equal(bytes + 48, zeros, sizeof zeros);
}

static void a_draw_is_at_least_zero_and_below_one(void **state)
{
    (void)state;
    double least = 1;
    double most = 0;
    for (int i = 0; i < 10000; i++) {
        double draw = os_draw(os_real());
        assert_true(draw >= 0 && draw < 1);
        least = draw < least ? draw : least;
        most = draw > most ? draw : most;
    }
    assert_true(least < 0.01 && most > 0.99);
}

static void random_ones(void *context, void *out, size_t size)
{
    (void)context;
    memset(out, 0xff, size);
}

static void the_largest_draw_is_still_below_one(void **state)
{
    (void)state;
    const struct os os = {.random = random_ones};
    assert_true(os_draw(&os) < 1);
    assert_true(os_draw(&os) > 0.9999999999999998);
}

static void a_uuid_has_the_shape_of_version_4(void **state)
{
    (void)state;
    for (int i = 0; i < 1000; i++) {
        char uuid[OS_UUID_SIZE];
        os_uuid(os_real(), uuid);
        assert_int_equal(strlen(uuid), 36);
        for (size_t at = 0; at < 36; at++) {
            bool dash = at == 8 || at == 13 || at == 18 || at == 23;
            if (dash)
                assert_int_equal(uuid[at], '-');
            else
                assert_true(isdigit((unsigned char)uuid[at]) ||
                            (uuid[at] >= 'a' && uuid[at] <= 'f'));
        }
        assert_int_equal(uuid[14], '4');
        assert_non_null(strchr("89ab", uuid[19]));
    }
}

static void all_other_bits_of_a_uuid_are_random(void **state)
{
    (void)state;
    struct os os = {.random = random_ones};
    char uuid[OS_UUID_SIZE];
    os_uuid(&os, uuid);
    assert_string_equal(uuid, "ffffffff-ffff-4fff-bfff-ffffffffffff");
}

static void no_two_uuids_are_the_same(void **state)
{
    (void)state;
    static char uuids[500][OS_UUID_SIZE];
    for (size_t i = 0; i < COUNT(uuids); i++) {
        os_uuid(os_real(), uuids[i]);
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(uuids[i], uuids[j]);
    }
}

static const struct {
    double seconds;
    int64_t ns;
} durations[] = {
    {0, 0},
    {1, S},
    {28.5, 28500 * NS_PER_MS},
    {0.001, NS_PER_MS},
    {0.1, 100 * NS_PER_MS}, /* not representable: rounded, not cut */
    {1e-9, 1},
    {0.6e-9, 1},
    {0.4e-9, 0},
    {-1.5, -1500 * NS_PER_MS},
    {1e10, INT64_MAX},
    {1e300, INT64_MAX},
    {-1e10, INT64_MIN},
};

static void seconds_become_nanoseconds_that_saturate(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(durations); i++)
        assert_int_equal(ns_from_seconds(durations[i].seconds), durations[i].ns);
    assert_true(seconds_from_ns(28500 * NS_PER_MS) == 28.5);
}

static void the_clock_of_tests_moves_by_sleeping(void **state)
{
    (void)state;
    struct fake_os fake;
    fake_os_init(&fake);
    int64_t now = os_now_ns(&fake.os);
    int64_t wall = os_wall_ns(&fake.os);
    os_sleep_ns(&fake.os, 90 * S);
    os_sleep_ns(&fake.os, -S);
    assert_int_equal(os_now_ns(&fake.os), now + 90 * S);
    assert_int_equal(os_wall_ns(&fake.os), wall + 90 * S);
    assert_int_equal(fake.sleeps, 1);
    fake.draw = 0.5;
    assert_true(os_draw(&fake.os) == 0.5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(the_clocks_are_those_of_the_kernel, no_tricks),
        cmocka_unit_test(only_wall_time_that_ran_ahead_by_more_than_a_second_was_missed),
        cmocka_unit_test_setup(a_freeze_that_the_clock_did_not_see_is_caught_up_with_once,
                               no_tricks),
        cmocka_unit_test_setup(a_sleep_lasts_its_time_whatever_interrupts_it, no_tricks),
        cmocka_unit_test_setup(sleeping_for_no_time_returns_at_once, no_tricks),
        cmocka_unit_test_setup(random_bytes_come_whole_however_the_kernel_gives_them, no_tricks),
        cmocka_unit_test_setup(a_draw_is_at_least_zero_and_below_one, no_tricks),
        cmocka_unit_test(the_largest_draw_is_still_below_one),
        cmocka_unit_test_setup(a_uuid_has_the_shape_of_version_4, no_tricks),
        cmocka_unit_test(all_other_bits_of_a_uuid_are_random),
        cmocka_unit_test(no_two_uuids_are_the_same),
        cmocka_unit_test(seconds_become_nanoseconds_that_saturate),
        cmocka_unit_test(the_clock_of_tests_moves_by_sleeping),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
