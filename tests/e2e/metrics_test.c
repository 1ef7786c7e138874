/* What the real bootstrap writes: metrics documents and text lines. */
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/cmocka_all.h"
#include "tests/support/emf_shape.h"
#include "tests/support/stage.h"

#define DIRECT       "{\"message\":\"a secret question\",\"session_id\":\"s-1\"}"
#define HEALTH       "{\"httpMethod\":\"GET\",\"path\":\"/health\",\"requestContext\":{}}"
#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static const struct peer_answer answers[] = {
    {.status = 429,
     .headers = "x-amzn-ErrorType: ThrottlingException\r\n",
     .body = "{\"message\":\"Too many tokens, please wait before trying again.\"}"},
    {.status = 200, .body = stage_answer_body},
};

static const struct stage_event events[] = {{.event = DIRECT}, {.event = HEALTH}};

/* Plays the events and gives the lines that were written; to be freed. */
static char *play(const char *format, const char *level)
{
    const char *const settings[] = {"BEDROCK_APP_BASE_DELAY=0.01",
                                    "BEDROCK_APP_MAX_DELAY=0.01",
                                    "AWS_LAMBDA_FUNCTION_NAME=weir-test",
                                    "AGENT_METRICS_NAMESPACE=Test/Weir",
                                    format,
                                    level,
                                    NULL};
    struct stage stage;
    stage_open(&stage, events, COUNT(events), answers, COUNT(answers), settings);
    stage_wait_posts(&stage, 2);
    assert_int_equal(stage_status(&stage, 0), 200);
    stage_wait_polls(&stage, 3); /* the lines are written before the next event is asked for */
    char *output = child_output(&stage.child);
    stage_close(&stage);
    assert_null(strstr(output, "secret"));
    return output;
}

static size_t count(const char *output, const char *text)
{
    size_t times = 0;
    for (const char *at = strstr(output, text); at != NULL; at = strstr(at + 1, text))
        times++;
    return times;
}

/* The how manieth document, from 0, of the lines that are JSON and have one; to be put. */
static struct json_object *document_of(const char *output, size_t skip)
{
    for (const char *at = output; *at != '\0'; at += strcspn(at, "\n"), at += *at == '\n') {
        char *line = strndup(at, strcspn(at, "\n"));
        struct json_object *object = line[0] == '{' ? json_tokener_parse(line) : NULL;
        free(line);
        if (json_object_object_get_ex(object, "_aws", NULL) && skip-- == 0)
            return object;
        json_object_put(object);
    }
    return NULL;
}

static const char *text_of(struct json_object *document, const char *name)
{
    struct json_object *value = NULL;
    return json_object_object_get_ex(document, name, &value) ? json_object_get_string(value) : "";
}

static void assert_documents(const char *output)
{
    struct json_object *chat = document_of(output, 0);
    struct json_object *health = document_of(output, 1);
    assert_non_null(chat);
    assert_non_null(health);
    assert_null(document_of(output, 2));
    emf_assert_valid(chat);
    emf_assert_valid(health);
    emf_assert_counts(chat,
                      "Requests=1 RequestsAnswered=1 ModelCalls=2 Retries=1 Throttles=1 "
                      "ThrottlesByTokens=1 InputTokens=3 OutputTokens=2 ColdStart=1",
                      "chat");
    emf_assert_counts(health, "RequestsOther=1", "health");
    assert_string_equal(text_of(chat, "message"), "Request done");
    assert_string_equal(text_of(chat, "level"), "INFO");
    assert_string_equal(text_of(chat, "requestId"), "request-1");
    assert_string_equal(text_of(chat, "session_id"), "s-1");
    assert_string_equal(text_of(chat, "function_name"), "weir-test");
    assert_true(emf_declares(chat, "InitDuration", "Milliseconds", "function_name"));
    assert_int_equal(count(output, "\"Namespace\":\"Test/Weir\""), 3);
    json_object_put(chat);
    json_object_put(health);
}

static void as_json_each_line_is_an_object(void **state)
{
    (void)state;
    static const char *const formats[] = {"AWS_LAMBDA_LOG_FORMAT=JSON",
                                          "AWS_LAMBDA_LOG_FORMAT=json", "AWS_LAMBDA_LOG_FORMAT="};
    for (size_t i = 0; i < COUNT(formats); i++) {
        char *output = play(formats[i], "AWS_LAMBDA_LOG_LEVEL=INFO");
        assert_int_equal(count(output, "\n{"), count(output, "\n") - 1);
        assert_documents(output);
        assert_int_equal(count(output, "\"Request done\""), 2);
        assert_int_equal(count(output, "\"Throttling error on attempt 1/6, retrying in 0.01s\""),
                         1);
        free(output);
    }
}

static void as_text_the_documents_stand_on_lines_of_their_own(void **state)
{
    (void)state;
    char *output = play("AWS_LAMBDA_LOG_FORMAT=Text", "AWS_LAMBDA_LOG_LEVEL=INFO");
    assert_documents(output);
    assert_int_equal(count(output, "\n{"), 2);
    assert_int_equal(count(output, " INFO - Bedrock throttling configuration: rate_limit=30 "
                                   "req/min, max_retries=10, app_retries=5 "),
                     1);
    assert_int_equal(count(output, " WARN request-1 Throttling error on attempt 1/6, retrying in "
                                   "0.01s session_id=s-1 kind=throttled_tokens detail=\"Bedrock "),
                     1);
    assert_int_equal(count(output, " INFO request-1 Request done session_id=s-1 source=direct "
                                   "outcome=answered duration_s="),
                     1);
    assert_int_equal(count(output, " INFO request-2 Request done source=rest-api outcome=other "),
                     1);
    free(output);
}

static void a_level_hides_lines_but_no_metrics(void **state)
{
    (void)state;
    static const char *const formats[] = {"AWS_LAMBDA_LOG_FORMAT=JSON",
                                          "AWS_LAMBDA_LOG_FORMAT=Text"};
    for (size_t i = 0; i < COUNT(formats); i++) {
        char *output = play(formats[i], "AWS_LAMBDA_LOG_LEVEL=ERROR");
        assert_documents(output);
        assert_int_equal(count(output, "\n"), 2);
        free(output);
    }
}

static void settings_that_make_no_sense_are_told_as_text_too(void **state)
{
    (void)state;
    static const char *const settings[] = {"AWS_LAMBDA_LOG_FORMAT=Text",
                                           "AGENT_METRICS_NAMESPACE=AWS/Lambda", NULL};
    struct stage stage;
    stage_open(&stage, NULL, 0, answers, 1, settings);
    assert_int_equal(child_wait(&stage.child), 1);
    assert_int_equal(
        child_count_lines(&stage.child, " FATAL - AGENT_METRICS_NAMESPACE is \"AWS/Lambda\"; it "),
        1);
    stage_close(&stage);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_json_each_line_is_an_object),
        cmocka_unit_test(as_text_the_documents_stand_on_lines_of_their_own),
        cmocka_unit_test(a_level_hides_lines_but_no_metrics),
        cmocka_unit_test(settings_that_make_no_sense_are_told_as_text_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
