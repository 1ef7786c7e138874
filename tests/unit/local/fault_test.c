#include <stdlib.h>
#include <string.h>

#include "local/fault.h"
#include "local/fault_table.h"
#include "tests/support/cmocka_all.h"

/* The names of the next faults, joined by spaces; "-" when the script is over. */
static void expect(struct fault_script *script, const char *names)
{
    char seen[512] = "";
    size_t count = 1;
    for (const char *at = names; *at != '\0'; at++)
        count += *at == ' ' ? 1 : 0;
    for (size_t i = 0; i < count; i++) {
        const struct fault *fault = fault_script_next(script);
        if (i > 0)
            (void)strcat(seen, " ");
        (void)strcat(seen, fault != NULL ? fault->row->name : "-");
    }
    assert_string_equal(seen, names);
}

static struct fault_script parsed(const char *text)
{
    struct fault_script script = {0};
    struct error err = {0};
    if (fault_script_add(&script, text, &err) != 0)
        fail_msg("%s", err.text);
    return script;
}

static void a_script_is_played_in_order_and_then_is_over(void **state)
{
    (void)state;
    struct fault_script script = parsed("throttle*2, ok ,500,cut");
    expect(&script, "throttle throttle ok 500 cut - -");
    fault_script_free(&script);
}

static void a_star_alone_repeats_for_ever(void **state)
{
    (void)state;
    struct fault_script script = parsed("ok,hang*,500");
    expect(&script, "ok hang hang hang hang hang");
    fault_script_free(&script);
}

static void a_rewound_script_starts_again(void **state)
{
    (void)state;
    struct fault_script script = parsed("500*2,cut");
    expect(&script, "500");
    fault_script_rewind(&script);
    expect(&script, "500 500 cut -");
    fault_script_rewind(&script);
    expect(&script, "500 500 cut -");
    fault_script_free(&script);
}

static void scripts_are_joined(void **state)
{
    (void)state;
    struct fault_script script = parsed("ok");
    assert_int_equal(fault_script_add(&script, "", NULL), 0);
    assert_int_equal(fault_script_add(&script, "500", NULL), 0);
    expect(&script, "ok 500 -");
    fault_script_free(&script);
}

static void an_empty_script_is_over_at_once(void **state)
{
    (void)state;
    struct fault_script zeroed = {0};
    expect(&zeroed, "-");
    fault_script_free(&zeroed);
}

static void numbers_and_modifiers_are_read(void **state)
{
    (void)state;
    struct fault_script script = parsed(
        "slow=1.5,throttle:retry-after=7:after=0.25*3,503-hint=394460,503:retry-after-ms=90");
    const struct fault *fault = fault_script_next(&script);
    assert_true(fault->number == 1.5);
    assert_int_equal(fault->retry_after_s, -1);
    assert_int_equal(fault->retry_after_ms, -1);
    fault = fault_script_next(&script);
    assert_int_equal(fault->retry_after_s, 7);
    assert_true(fault->after_s == 0.25);
    assert_int_equal(fault->times, 3);
    (void)fault_script_next(&script);
    (void)fault_script_next(&script);
    fault = fault_script_next(&script);
    assert_true(fault->number == 394460);
    fault = fault_script_next(&script);
    assert_int_equal(fault->retry_after_ms, 90);
    fault_script_free(&script);
}

static void a_number_that_is_left_out_is_the_tables(void **state)
{
    (void)state;
    struct fault_script script = parsed("slow,status");
    assert_true(fault_script_next(&script)->number == 3);
    assert_true(fault_script_next(&script)->number == 529);
    fault_script_free(&script);
}

static void a_bad_item_is_named_and_changes_nothing(void **state)
{
    (void)state;
    static const struct {
        const char *text, *named;
    } cases[] = {
        {"ok,nosuch", "\"nosuch\""},
        {"throttle*0", "\"*0\""},
        {"throttle*-1", "\"*-1\""},
        {"throttle*1.5", "\"*1.5\""},
        {"throttle**", "\"**\""},
        {"slow=", "slow="},
        {"slow=-1", "slow=-1"},
        {"slow=1e9", "slow=1e9"},
        {"slow=901", "slow=901"},
        {"slow=nan", "slow=nan"},
        {"ok=1", "\"ok\" takes no number"},
        {"throttle:", "\"\""},
        {"throttle:retry-after", "retry-after"},
        {"throttle:retry-after=1.5", "retry-after"},
        {"throttle:later=3", "later"},
        {"ok,,ok", "0 bytes"},
        {"ok,", "0 bytes"},
        {"*", "\"\""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct fault_script script = parsed("500");
        struct error err = {0};
        assert_int_equal(fault_script_add(&script, cases[i].text, &err), -1);
        assert_int_equal(err.kind, ERROR_CONFIG);
        if (strstr(err.text, cases[i].named) == NULL)
            fail_msg("\"%s\" is told as: %s", cases[i].text, err.text);
        expect(&script, "500 -");
        fault_script_free(&script);
    }
}

static void an_item_without_end_is_refused(void **state)
{
    (void)state;
    char text[4096];
    struct fault_script script = {0};
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    assert_int_equal(fault_script_add(&script, text, NULL), -1);
    fault_script_free(&script);
}

static void every_name_is_understood_and_is_there_once(void **state)
{
    (void)state;
    for (const struct fault_row *row = fault_table; row->name != NULL; row++) {
        struct fault_script script = parsed(row->name);
        assert_ptr_equal(fault_script_next(&script)->row, row);
        fault_script_free(&script);
    }
}

/* Bedrock's own 429 for tokens has 63 bytes: {"message":"..."}. */
static void the_text_for_tokens_is_bedrocks(void **state)
{
    (void)state;
    struct fault_script script = parsed("tokens");
    const struct fault_row *row = fault_script_next(&script)->row;
    assert_int_equal(strlen(row->message) + strlen("{\"message\":\"\"}"), 63);
    assert_int_equal(row->status, 429);
    assert_string_equal(row->type, "ThrottlingException");
    fault_script_free(&script);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_script_is_played_in_order_and_then_is_over),
        cmocka_unit_test(a_star_alone_repeats_for_ever),
        cmocka_unit_test(a_rewound_script_starts_again),
        cmocka_unit_test(scripts_are_joined),
        cmocka_unit_test(an_empty_script_is_over_at_once),
        cmocka_unit_test(numbers_and_modifiers_are_read),
        cmocka_unit_test(a_number_that_is_left_out_is_the_tables),
        cmocka_unit_test(a_bad_item_is_named_and_changes_nothing),
        cmocka_unit_test(an_item_without_end_is_refused),
        cmocka_unit_test(every_name_is_understood_and_is_there_once),
        cmocka_unit_test(the_text_for_tokens_is_bedrocks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
