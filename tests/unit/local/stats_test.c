#include <stdlib.h>
#include <string.h>

#include "base/os.h"
#include "base/strict_json.h"
#include "local/document.h"
#include "local/stats.h"
#include "tests/support/cmocka_all.h"

static struct json_object *printed(struct stats *stats,
                                   int (*print)(struct stats *, struct buffer *, struct error *))
{
    struct buffer out;
    buffer_init(&out, 100000);
    assert_int_equal(print(stats, &out, NULL), 0);
    struct json_object *value = strict_json_parse(out.data, out.length, NULL);
    assert_non_null(value);
    buffer_free(&out);
    return value;
}

static double number(struct json_object *object, const char *name)
{
    struct json_object *member = NULL;
    if (!json_object_object_get_ex(object, name, &member))
        fail_msg("there is no \"%s\"", name);
    return json_object_get_double(member);
}

static void messages_are_counted_by_what_callers_got(void **state)
{
    (void)state;
    static const struct stats_message messages[] = {
        {200, 900 * NS_PER_MS, 400 * NS_PER_MS},
        {204, 0, 0},
        {429, 2 * NS_PER_S, 0},
        {500, 0, NS_PER_S},
        {404, 0, 0},
        {503, 0, 0},
    };
    struct stats stats;
    stats_init(&stats);
    for (size_t i = 0; i < sizeof messages / sizeof messages[0]; i++)
        stats_add_message(&stats, &messages[i]);
    stats_add_other(&stats);
    stats_add(&stats, STATS_crashes);
    struct json_object *value = printed(&stats, stats_print);
    assert_true(number(value, "messages") == 6);
    assert_true(number(value, "answered") == 2);
    assert_true(number(value, "refused") == 1);
    assert_true(number(value, "errors") == 3);
    assert_true(number(value, "others") == 1);
    assert_true(number(value, "crashes") == 1);
    assert_true(number(value, "direct") == 0);
    assert_true(number(value, "waited_ms") == 2500);
    assert_true(number(value, "longest_wait_ms") == 2000);
    json_object_put(value);
    stats_free(&stats);
}

/* Begins and ends an attempt with this status. */
static void attempt(struct stats *stats, int status)
{
    struct stats_attempt attempt = {.at_ns = stats->start_ns + 5 * NS_PER_MS, .took_ns = -1};
    (void)strcpy(attempt.model, "m");
    struct stats_ticket ticket = stats_begin_attempt(stats, &attempt);
    attempt.status = status;
    attempt.took_ns = NS_PER_MS;
    stats_end_attempt(stats, ticket, &attempt);
}

static void attempts_are_listed_in_their_order(void **state)
{
    (void)state;
    struct stats stats;
    stats_init(&stats);
    attempt(&stats, 429);
    attempt(&stats, 200);
    struct stats_attempt unfinished = {.at_ns = stats.start_ns, .took_ns = -1};
    (void)stats_begin_attempt(&stats, &unfinished);
    struct json_object *list = printed(&stats, stats_print_attempts);
    assert_int_equal(json_object_array_length(list), 3);
    struct json_object *first = json_object_array_get_idx(list, 0);
    assert_true(number(first, "status") == 429);
    assert_true(number(first, "at_ms") == 5);
    assert_true(number(first, "took_ms") == 1);
    assert_true(number(json_object_array_get_idx(list, 1), "status") == 200);
    struct json_object *last = json_object_array_get_idx(list, 2);
    assert_null(document_member(last, "took_ms", json_type_double));
    json_object_put(list);
    struct json_object *value = printed(&stats, stats_print);
    assert_true(number(value, "model_attempts") == 3);
    assert_true(number(value, "model_answers") == 1);
    assert_true(number(value, "throttled") == 1);
    assert_true(number(value, "attempts_per_answer") == 3);
    json_object_put(value);
    stats_free(&stats);
}

static void an_attempt_that_ends_after_a_reset_is_not_listed(void **state)
{
    (void)state;
    struct stats stats;
    stats_init(&stats);
    struct stats_attempt old = {.at_ns = stats.start_ns, .took_ns = -1};
    struct stats_ticket ticket = stats_begin_attempt(&stats, &old);
    stats_reset(&stats);
    attempt(&stats, 200);
    old.status = 500;
    stats_end_attempt(&stats, ticket, &old);
    struct json_object *list = printed(&stats, stats_print_attempts);
    assert_int_equal(json_object_array_length(list), 1);
    assert_true(number(json_object_array_get_idx(list, 0), "status") == 200);
    json_object_put(list);
    stats_free(&stats);
}

static void a_reset_leaves_nothing(void **state)
{
    (void)state;
    struct stats stats;
    struct stats_message message = {200, NS_PER_S, 0};
    stats_init(&stats);
    stats_add_message(&stats, &message);
    stats_add(&stats, STATS_direct);
    attempt(&stats, 429);
    stats_reset(&stats);
    struct json_object *value = printed(&stats, stats_print);
    json_object_object_foreach(value, name, member)
    {
        if (strcmp(name, "uptime_ms") != 0 && json_object_get_double(member) != 0)
            fail_msg("%s is left", name);
    }
    json_object_put(value);
    stats_free(&stats);
}

static void forgetting_the_list_keeps_the_counters(void **state)
{
    (void)state;
    struct stats stats;
    stats_init(&stats);
    attempt(&stats, 200);
    stats_forget_attempts(&stats);
    struct json_object *list = printed(&stats, stats_print_attempts);
    assert_int_equal(json_object_array_length(list), 0);
    json_object_put(list);
    struct json_object *value = printed(&stats, stats_print);
    assert_true(number(value, "model_attempts") == 1);
    json_object_put(value);
    stats_free(&stats);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_are_counted_by_what_callers_got),
        cmocka_unit_test(attempts_are_listed_in_their_order),
        cmocka_unit_test(an_attempt_that_ends_after_a_reset_is_not_listed),
        cmocka_unit_test(a_reset_leaves_nothing),
        cmocka_unit_test(forgetting_the_list_keeps_the_counters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
