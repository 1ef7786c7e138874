/* Bad events and ten thousand messages: the process goes on and does not grow. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/cmocka_all.h"
#include "tests/support/stage.h"

#define DIRECT       "{\"message\":\"test\"}"
#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static const struct peer_answer answered[] = {{.status = 200, .body = stage_answer_body}};

/* No limit that matters, and a quiet log. */
static const char *const unlimited[] = {"BEDROCK_RATE_LIMIT=100000", "AWS_LAMBDA_LOG_LEVEL=FATAL",
                                        NULL};

static char *repeated(const char *head, char c, size_t count, const char *tail, size_t *length)
{
    size_t before = strlen(head);
    size_t after = strlen(tail);
    char *text = malloc(before + count + after + 1);
    assert_non_null(text);
    memcpy(text, head, before);
    memset(text + before, c, count);
    memcpy(text + before + count, tail, after + 1);
    *length = before + count + after;
    return text;
}

static void any_bytes_get_a_reply_and_the_process_goes_on(void **state)
{
    (void)state;
    size_t deep_length = 0;
    size_t large_length = 0;
    char *deep = repeated("", '[', 100000, "", &deep_length);
    char *large = repeated("{\"message\":\"", 'x', 6000000, "\"}", &large_length);
    const struct {
        struct stage_event event;
        int status;
    } cases[] = {
        {{.event = ""}, 400},
        {{.event = "null"}, 400},
        {{.event = "[]"}, 400},
        {{.event = "{}"}, 400},
        {{.event = "7"}, 400},
        {{.event = "\"text\""}, 400},
        {{.event = "{\"message\":"}, 400},
        {{.event = "{\"message\":7}"}, 400},
        {{.event = "{\"message\":{}}"}, 400},
        {{.event = "{\"message\":\"\"}"}, 400},
        {{.event = "{\"message\":\"x\",\"session_id\":[]}"}, 400},
        {{.event = "{\"message\":\"\xff\xfe\"}"}, 400},
        {{.event = "{\"message\":\"a\"}\0{}", .length = 18}, 400},
        {{.event = deep, .length = deep_length}, 400},
        {{.event = large, .length = large_length}, 200},
        {{.event = "{\"message\":7,\"message\":\"x\"}"}, 200},
        {{.event = "{\"version\":\"2.0\",\"rawPath\":\"/agent\",\"requestContext\":{\"http\":{"
                   "\"method\":\"POST\"}},\"isBase64Encoded\":true,\"body\":\"%%%\"}"},
         400},
        {{.event = "{\"version\":\"2.0\",\"rawPath\":7,\"requestContext\":{\"http\":[]},"
                   "\"headers\":7,\"body\":{}}"},
         400},
        {{.event = "{\"httpMethod\":\"POST\",\"path\":\"/agent\",\"headers\":null,\"body\":null,"
                   "\"requestContext\":7}"},
         400},
        {{.event = DIRECT}, 200},
    };
    static struct stage_event events[COUNT(cases)];
    for (size_t i = 0; i < COUNT(cases); i++)
        events[i] = cases[i].event;
    struct stage stage;
    stage_open(&stage, events, COUNT(cases), answered, 1, unlimited);
    stage_wait_posts(&stage, COUNT(cases));
    for (size_t i = 0; i < COUNT(cases); i++) {
        if (stage_status(&stage, i) != cases[i].status)
            print_error("case %zu\n", i);
        assert_int_equal(stage_status(&stage, i), cases[i].status);
    }
    stage_close(&stage);
    free(deep);
    free(large);
}

static void memory_stays_flat_over_ten_thousand_messages(void **state)
{
    (void)state;
    enum { MESSAGES = 10000, WARM = 100, GROWTH_MAX_KB = 256 };
    if (getenv("BOOTSTRAP_WRAPPER") != NULL)
        skip(); /* the memory would be the wrapper's */
    static struct stage_event events[MESSAGES];
    for (size_t i = 0; i < MESSAGES; i++)
        events[i] = (struct stage_event){.event = DIRECT};
    struct stage stage;
    stage_open(&stage, events, MESSAGES, answered, 1, unlimited);
    stage_wait_posts(&stage, WARM);
    long warm_kb = child_memory_kb(&stage.child, "VmRSS");
    stage_wait_posts(&stage, MESSAGES);
    long end_kb = child_memory_kb(&stage.child, "VmRSS");
    print_message("resident memory: %ld kB after %d messages, %ld kB after %d\n", warm_kb, WARM,
                  end_kb, MESSAGES);
    assert_true(warm_kb > 0 && end_kb - warm_kb <= GROWTH_MAX_KB);
    stage_close(&stage);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_bytes_get_a_reply_and_the_process_goes_on),
        cmocka_unit_test(memory_stays_flat_over_ten_thousand_messages),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
