#include "base/os.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <time.h>

/* Wall time steps by milliseconds all the time; a freeze is longer than this. */
#define FREEZE_NS NS_PER_S

static struct {
    pthread_mutex_t lock;
    int64_t behind_ns; /* what CLOCK_BOOTTIME missed in freezes */
    int64_t synced_boot_ns;
    int64_t synced_wall_ns;
} real = {.lock = PTHREAD_MUTEX_INITIALIZER};

static int64_t read_clock(clockid_t id)
{
    struct timespec t = {0};
    if (clock_gettime(id, &t) != 0)
        abort(); /* both clocks exist on every Linux that Lambda or we run on */
    return (int64_t)t.tv_sec * NS_PER_S + t.tv_nsec;
}

static int64_t real_now_ns(void *context)
{
    (void)context;
    pthread_mutex_lock(&real.lock);
    int64_t now = read_clock(CLOCK_BOOTTIME) + real.behind_ns;
    pthread_mutex_unlock(&real.lock);
    return now;
}

static int64_t real_wall_ns(void *context)
{
    (void)context;
    return read_clock(CLOCK_REALTIME);
}

static void real_sleep_ns(void *context, int64_t ns)
{
    (void)context;
    if (ns <= 0)
        return;
    struct timespec left = {.tv_sec = (time_t)(ns / NS_PER_S), .tv_nsec = (long)(ns % NS_PER_S)};
    while (clock_nanosleep(CLOCK_MONOTONIC, 0, &left, &left) == EINTR)
        ;
}

static void real_random(void *context, void *out, size_t size)
{
    (void)context;
    unsigned char *at = out;
    while (size > 0) {
        ssize_t got = getrandom(at, size, 0);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            abort(); /* no predictable session ids, no unjittered retries */
        at += got;
        size -= (size_t)got;
    }
}

static void real_resync(void *context)
{
    (void)context;
    pthread_mutex_lock(&real.lock);
    int64_t boot = read_clock(CLOCK_BOOTTIME);
    int64_t wall = read_clock(CLOCK_REALTIME);
    if (real.synced_wall_ns != 0)
        real.behind_ns += os_missed_ns(boot - real.synced_boot_ns, wall - real.synced_wall_ns);
    real.synced_boot_ns = boot;
    real.synced_wall_ns = wall;
    pthread_mutex_unlock(&real.lock);
}

const struct os *os_real(void)
{
    static const struct os os = {
        .now_ns = real_now_ns,
        .wall_ns = real_wall_ns,
        .sleep_ns = real_sleep_ns,
        .random = real_random,
        .resync = real_resync,
    };
    return &os;
}

int64_t os_now_ns(const struct os *os)
{
    return os->now_ns(os->context);
}

int64_t os_wall_ns(const struct os *os)
{
    return os->wall_ns(os->context);
}

void os_sleep_ns(const struct os *os, int64_t ns)
{
    os->sleep_ns(os->context, ns);
}

int64_t os_missed_ns(int64_t clock_ns, int64_t wall_ns)
{
    int64_t missed_ns = wall_ns - clock_ns;
    return missed_ns > FREEZE_NS ? missed_ns : 0;
}

double os_draw(const struct os *os)
{
    uint64_t bits = 0;
    os->random(os->context, &bits, sizeof bits);
    return (double)(bits >> 11) * 0x1.0p-53;
}

void os_uuid(const struct os *os, char out[OS_UUID_SIZE])
{
    unsigned char b[16] = {0};
    os->random(os->context, b, sizeof b);
    b[6] = (unsigned char)((b[6] & 0x0f) | 0x40);
    b[8] = (unsigned char)((b[8] & 0x3f) | 0x80);
    char *at = out;
    for (int i = 0; i < 16; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            *at++ = '-';
        at += snprintf(at, 3, "%02x", b[i]);
    }
}

int64_t ns_from_seconds(double seconds)
{
    double ns = seconds * (double)NS_PER_S;
    if (ns >= 9.2e18)
        return INT64_MAX;
    if (ns <= -9.2e18)
        return INT64_MIN;
    return (int64_t)(ns + (ns < 0 ? -0.5 : 0.5));
}

double seconds_from_ns(int64_t ns)
{
    return (double)ns / (double)NS_PER_S;
}
