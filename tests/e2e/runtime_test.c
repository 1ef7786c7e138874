/* The real bootstrap against a Runtime API that behaves as Lambda's may. */
#include <json-c/json.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/cmocka_all.h"
#include "tests/support/stage.h"

#define DIRECT       "{\"message\":\"test\",\"session_id\":\"s-1\"}"
#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static const struct peer_answer answered[] = {{.status = 200, .body = stage_answer_body}};

static void an_event_in_chunks_is_answered(void **state)
{
    (void)state;
    static const struct stage_event events[] = {{.event = DIRECT, .how = {.chunked = true}}};
    struct stage stage;
    stage_open(&stage, events, COUNT(events), answered, 1, NULL);
    stage_wait_posts(&stage, 1);
    assert_string_equal(stage.posts[0].path, "/2018-06-01/runtime/invocation/request-1/response");
    assert_int_equal(stage_status(&stage, 0), 200);
    stage_close(&stage);
}

static void a_connection_cut_during_next_is_polled_again(void **state)
{
    (void)state;
    static const struct stage_event events[] = {
        {.event = DIRECT, .cut = true},
        {.event = DIRECT, .how = {.cut_in_body = true}},
        {.event = DIRECT, .how = {.status = 500}},
        {.event = DIRECT},
    };
    struct stage stage;
    stage_open(&stage, events, COUNT(events), answered, 1, NULL);
    stage_wait_posts(&stage, 1);
    assert_string_equal(stage.posts[0].path, "/2018-06-01/runtime/invocation/request-4/response");
    assert_int_equal(stage_status(&stage, 0), 200);
    assert_int_equal(child_count_lines(&stage.child, "polling again"), 3);
    stage_close(&stage);
}

static void a_next_that_fails_for_ever_ends_the_process(void **state)
{
    (void)state;
    static struct stage_event events[20];
    for (size_t i = 0; i < COUNT(events); i++)
        events[i] = (struct stage_event){.event = "{}", .how = {.status = 500}};
    struct stage stage;
    stage_open(&stage, events, COUNT(events), answered, 1, NULL);
    stage_wait_polls(&stage, 6);
    assert_int_equal(child_wait(&stage.child), 1);
    assert_int_equal(stage_polls(&stage), 6);
    assert_int_equal(stage_posts(&stage), 0);
    stage_close(&stage);
}

static void a_reply_that_is_refused_is_logged_and_the_next_event_answered(void **state)
{
    (void)state;
    static const int refusals[] = {410, 413, 400, 403};
    for (size_t i = 0; i < COUNT(refusals); i++) {
        const struct stage_event events[] = {{.event = DIRECT, .post_status = refusals[i]},
                                             {.event = DIRECT}};
        struct stage stage;
        stage_open(&stage, events, COUNT(events), answered, 1, NULL);
        stage_wait_posts(&stage, 2);
        assert_int_equal(stage_status(&stage, 1), 200);
        assert_string_equal(stage.posts[1].path,
                            "/2018-06-01/runtime/invocation/request-2/response");
        assert_int_equal(child_count_lines(&stage.child, "The Runtime API did not take the reply"),
                         1);
        stage_close(&stage);
    }
}

static void the_invocation_id_is_echoed_only_when_it_was_sent(void **state)
{
    (void)state;
    static const struct stage_event events[] = {
        {.event = DIRECT, .headers = "Lambda-Runtime-Invocation-Id: nonce-1\r\n"},
        {.event = DIRECT},
        {.event = DIRECT, .headers = "lambda-runtime-invocation-id:\r\n"},
    };
    struct stage stage;
    stage_open(&stage, events, COUNT(events), answered, 1, NULL);
    stage_wait_posts(&stage, 3);
    assert_string_equal(stage.posts[0].invocation_id, "nonce-1");
    assert_string_equal(stage.posts[1].invocation_id, "(absent)");
    assert_string_equal(stage.posts[2].invocation_id, "(absent)");
    stage_close(&stage);
}

static void sigterm_ends_an_idle_process_with_success(void **state)
{
    (void)state;
    static const struct stage_event events[] = {{.event = DIRECT}};
    struct stage stage;
    stage_open(&stage, events, COUNT(events), answered, 1, NULL);
    stage_wait_polls(&stage, 2);
    assert_int_equal(child_stop(&stage.child, SIGTERM), 0);
    stage_close(&stage);
}

static void bad_settings_are_told_to_lambda_and_end_the_start(void **state)
{
    (void)state;
    static const struct {
        const char *setting, *says;
    } cases[] = {
        {"BEDROCK_RATE_LIMIT=abc", "BEDROCK_RATE_LIMIT is \"abc\""},
        {"BEDROCK_RATE_LIMIT=-1", "from 1 to 100000"},
        {"BEDROCK_RATE_LIMIT=1e9", "BEDROCK_RATE_LIMIT is \"1e9\""},
        {"BEDROCK_RATE_LIMIT=nan", "BEDROCK_RATE_LIMIT is \"nan\""},
        {"AWS_CA_BUNDLE=/nonexistent.pem", "AWS_CA_BUNDLE"},
        {"AWS_REGION=us east", "BEDROCK_REGION"},
        {"BEDROCK_PROVIDER=claude", "must be anthropic, nova or openai"},
        {"AWS_ENDPOINT_URL_BEDROCK_RUNTIME=ftp://x", "must be http:// or https://"},
        {"BEDROCK_MAX_DELAY=0.5", "must not be below BEDROCK_BASE_DELAY"},
        {"BEDROCK_MODEL_ID=unknown.model-v1:0", "BEDROCK_PROVIDER"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        const char *const settings[] = {cases[i].setting, NULL};
        struct stage stage;
        stage_open(&stage, NULL, 0, answered, 1, settings);
        stage_wait_posts(&stage, 1);
        assert_int_equal(child_wait(&stage.child), 1);
        assert_int_equal(stage_posts(&stage), 1);
        assert_int_equal(stage_polls(&stage), 0);
        assert_string_equal(stage.posts[0].path, "/2018-06-01/runtime/init/error");
        assert_string_equal(stage.posts[0].error_type, "Runtime.InvalidConfig");
        struct json_object *body = json_tokener_parse(stage.posts[0].body);
        struct json_object *text = NULL;
        assert_true(json_object_object_get_ex(body, "errorMessage", &text));
        assert_non_null(strstr(json_object_get_string(text), cases[i].says));
        json_object_put(body);
        assert_int_equal(child_count_lines(&stage.child, "\"level\":\"FATAL\""), 1);
        stage_close(&stage);
    }
}

static void an_empty_variable_counts_as_unset(void **state)
{
    (void)state;
    static const struct stage_event events[] = {{.event = DIRECT}};
    static const char *const settings[] = {"BEDROCK_RATE_LIMIT=", "AGENT_RESPONSE_TIMEOUT=", NULL};
    struct stage stage;
    stage_open(&stage, events, COUNT(events), answered, 1, settings);
    stage_wait_posts(&stage, 1);
    assert_int_equal(stage_status(&stage, 0), 200);
    assert_int_equal(child_count_lines(&stage.child,
                                       "Bedrock throttling configuration: rate_limit=30 req/min, "
                                       "max_retries=10, app_retries=5"),
                     1);
    stage_close(&stage);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_event_in_chunks_is_answered),
        cmocka_unit_test(a_connection_cut_during_next_is_polled_again),
        cmocka_unit_test(a_next_that_fails_for_ever_ends_the_process),
        cmocka_unit_test(a_reply_that_is_refused_is_logged_and_the_next_event_answered),
        cmocka_unit_test(the_invocation_id_is_echoed_only_when_it_was_sent),
        cmocka_unit_test(sigterm_ends_an_idle_process_with_success),
        cmocka_unit_test(bad_settings_are_told_to_lambda_and_end_the_start),
        cmocka_unit_test(an_empty_variable_counts_as_unset),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
