#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <unistd.h>

#include <cmocka.h>

#include "aws/turn.h"
#include "base/os.h"

static void a_turn_is_one_threads(void **state)
{
    (void)state;
    struct turn turn;
    turn_init(&turn);
    assert_true(turn_take(&turn, 0));
    assert_false(turn_take(&turn, 0));
    assert_false(turn_take(&turn, -1));
    assert_false(turn_take(&turn, turn_clock_ns() + NS_PER_MS));
    turn_end(&turn);
    assert_true(turn_take(&turn, 0));
    turn_free(&turn);
}

struct adder {
    struct turn *turn;
    int64_t deadline_ns;
    int *sum;
    int missed;
};

static void *add(void *context)
{
    struct adder *adder = context;
    for (int i = 0; i < 1000; i++) {
        if (!turn_take(adder->turn, adder->deadline_ns)) {
            adder->missed++;
            continue;
        }
        (*adder->sum)++;
        turn_end(adder->turn);
    }
    return NULL;
}

static void everybody_who_waits_gets_a_turn(void **state)
{
    (void)state;
    struct turn turn;
    int sum = 0;
    pthread_t threads[4];
    struct adder adders[4];
    turn_init(&turn);
    for (int i = 0; i < 4; i++) {
        int64_t deadline = i % 2 == 0 ? TURN_NO_DEADLINE : turn_clock_ns() + 60 * NS_PER_S;
        adders[i] = (struct adder){.turn = &turn, .deadline_ns = deadline, .sum = &sum};
        assert_int_equal(pthread_create(&threads[i], NULL, add, &adders[i]), 0);
    }
    for (int i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(adders[i].missed, 0);
    }
    assert_int_equal(sum, 4000);
    turn_free(&turn);
}

static void *end(void *context)
{
    turn_end(context);
    return NULL;
}

static void a_turn_may_be_ended_by_another_thread(void **state)
{
    (void)state;
    struct turn turn;
    pthread_t thread;
    turn_init(&turn);
    assert_true(turn_take(&turn, 0));
    assert_int_equal(pthread_create(&thread, NULL, end, &turn), 0);
    assert_true(turn_take(&turn, TURN_NO_DEADLINE));
    pthread_join(thread, NULL);
    turn_free(&turn);
}

int main(void)
{
    (void)alarm(120); /* what should have ended has not */
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_turn_is_one_threads),
        cmocka_unit_test(everybody_who_waits_gets_a_turn),
        cmocka_unit_test(a_turn_may_be_ended_by_another_thread),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
