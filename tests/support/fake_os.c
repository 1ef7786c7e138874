#include "tests/support/fake_os.h"

#include <string.h>

static int64_t fake_now(void *context)
{
    return ((struct fake_os *)context)->now_ns;
}

static int64_t fake_wall(void *context)
{
    return ((struct fake_os *)context)->wall_ns;
}

static void fake_sleep(void *context, int64_t ns)
{
    struct fake_os *fake = context;
    if (ns <= 0)
        return;
    fake->sleeps++;
    fake->slept_ns += ns;
    fake_os_advance(fake, ns);
}

static void fake_random(void *context, void *out, size_t size)
{
    struct fake_os *fake = context;
    if (fake->draw >= 0 && size == sizeof(uint64_t)) {
        uint64_t bits = (uint64_t)(fake->draw * 0x1.0p53) << 11;
        memcpy(out, &bits, sizeof bits);
        return;
    }
    unsigned char *bytes = out;
    for (size_t i = 0; i < size; i++) {
        fake->state = fake->state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        bytes[i] = (unsigned char)(fake->state >> 56);
    }
}

static void fake_resync(void *context)
{
    ((struct fake_os *)context)->resyncs++;
}

void fake_os_init(struct fake_os *fake)
{
    *fake = (struct fake_os){
        .now_ns = 1000 * NS_PER_S,
        .wall_ns = INT64_C(1795435200) * NS_PER_S,
        .draw = -1,
        .state = 42,
        .os = {.now_ns = fake_now,
               .wall_ns = fake_wall,
               .sleep_ns = fake_sleep,
               .random = fake_random,
               .resync = fake_resync},
    };
    fake->os.context = fake;
}

void fake_os_advance(struct fake_os *fake, int64_t ns)
{
    fake->now_ns += ns;
    fake->wall_ns += ns;
}
