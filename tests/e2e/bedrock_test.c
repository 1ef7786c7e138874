/* The real bootstrap against a Bedrock that fails in all the ways it has. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/cmocka_all.h"
#include "tests/support/stage.h"

#define DIRECT       "{\"message\":\"a secret question\",\"session_id\":\"s-1\"}"
#define COUNT(array) (sizeof(array) / sizeof(array)[0])

#define OK                                                                                         \
    {                                                                                              \
        .status = 200, .body = stage_answer_body                                                   \
    }
#define THROTTLED                                                                                  \
    {                                                                                              \
        .status = 429,                                                                             \
        .headers = "x-amzn-ErrorType: ThrottlingException:http://internal.amazon.com/coral/\r\n",  \
        .body = "{\"message\":\"Too many requests, please wait before trying again.\"}"            \
    }
#define SERVER_FAULT                                                                               \
    {                                                                                              \
        .status = 500, .headers = "x-amzn-ErrorType: InternalServerException\r\n",                 \
        .body = "{\"message\":\"internals of node 17\"}"                                           \
    }
#define DENIED                                                                                     \
    {                                                                                              \
        .status = 403, .headers = "x-amzn-ErrorType: AccessDeniedException\r\n",                   \
        .body = "{\"message\":\"User arn:aws:iam::123456789012:role/x is not authorized\"}"        \
    }
#define INVALID                                                                                    \
    {                                                                                              \
        .status = 400, .headers = "x-amzn-ErrorType: ValidationException\r\n",                     \
        .body = "{\"message\":\"Malformed input request\"}"                                        \
    }

/* Backoffs of milliseconds, so that the real waits are short. */
static const char *const quick[] = {
    "BEDROCK_APP_BASE_DELAY=0.01", "BEDROCK_APP_MAX_DELAY=0.2", "BEDROCK_BASE_DELAY=0.01",
    "BEDROCK_MAX_DELAY=0.02",      "AWS_LAMBDA_LOG_LEVEL=INFO", NULL,
};

static const struct stage_event one[] = {{.event = DIRECT}};
static const struct stage_event two[] = {{.event = DIRECT}, {.event = DIRECT}};

static void assert_no_payloads(const struct stage *stage)
{
    static const char *const forbidden[] = {
        "secret question", "Hello.", "token+/=", "internals of node", "wJalr", "Malformed input"};
    for (size_t i = 0; i < COUNT(forbidden); i++)
        assert_int_equal(child_count_lines(&stage->child, forbidden[i]), 0);
}

static void two_throttles_and_then_an_answer(void **state)
{
    (void)state;
    static const struct peer_answer answers[] = {THROTTLED, THROTTLED, OK};
    struct stage stage;
    stage_open(&stage, one, 1, answers, COUNT(answers), quick);
    stage_wait_posts(&stage, 1);
    assert_int_equal(stage_status(&stage, 0), 200);
    assert_int_equal(stage.model_count, 3);
    assert_int_equal(
        child_count_lines(&stage.child, "Throttling error on attempt 1/6, retrying in 0.01s"), 1);
    assert_int_equal(
        child_count_lines(&stage.child, "Throttling error on attempt 2/6, retrying in 0.0"), 1);
    assert_true(stage.models[1].at_ns - stage.models[0].at_ns >= 10 * 1000000);
    assert_true(stage.models[2].at_ns - stage.models[1].at_ns >= 20 * 1000000);
    assert_int_equal(child_count_lines(&stage.child, "\"session_id\":\"s-1\""), 3);
    assert_no_payloads(&stage);
    stage_close(&stage);
}

static void throttles_without_end_become_429_with_a_time_to_come_back(void **state)
{
    (void)state;
    static const struct peer_answer answers[] = {THROTTLED};
    struct stage stage;
    stage_open(&stage, one, 1, answers, COUNT(answers), quick);
    stage_wait_posts(&stage, 1);
    assert_int_equal(stage_status(&stage, 0), 429);
    assert_int_equal(stage.model_count, 6);
    char *retry_after = stage_header(&stage, 0, "Retry-After");
    char *member = stage_body_member(&stage, 0, "retry_after");
    assert_true(atoi(retry_after) >= 1);
    assert_string_equal(retry_after, member);
    free(member);
    free(retry_after);
    stage_close(&stage);
}

static void transient_failures_are_retried_without_a_word_of_throttling(void **state)
{
    (void)state;
    static const struct peer_answer answers[] = {SERVER_FAULT, {.status = 0}, OK};
    struct stage stage;
    stage_open(&stage, one, 1, answers, COUNT(answers), quick);
    stage_wait_posts(&stage, 1);
    assert_int_equal(stage_status(&stage, 0), 200);
    assert_int_equal(child_count_lines(&stage.child, "Throttling error"), 0);
    assert_true(child_count_lines(&stage.child, "Transient error on attempt 1/11") == 1);
    assert_no_payloads(&stage);
    stage_close(&stage);
}

static void a_half_answer_is_asked_for_again(void **state)
{
    (void)state;
    static const struct peer_answer answers[] = {
        {.status = 200, .body = stage_answer_body, .cut_in_body = true}, OK};
    struct stage stage;
    stage_open(&stage, one, 1, answers, COUNT(answers), quick);
    stage_wait_posts(&stage, 1);
    assert_int_equal(stage_status(&stage, 0), 200);
    assert_int_equal(stage.model_count, 2);
    stage_close(&stage);
}

static void faults_without_end_become_500_without_internals(void **state)
{
    (void)state;
    static const struct {
        struct peer_answer answer;
        size_t attempts;
    } cases[] = {{SERVER_FAULT, 11}, {DENIED, 1}, {INVALID, 1}};
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct stage stage;
        stage_open(&stage, one, 1, &cases[i].answer, 1, quick);
        stage_wait_posts(&stage, 1);
        assert_int_equal(stage_status(&stage, 0), 500);
        assert_int_equal(stage.model_count, cases[i].attempts);
        assert_null(strstr(stage.posts[0].body, "node 17"));
        assert_null(strstr(stage.posts[0].body, "arn:aws"));
        assert_null(strstr(stage.posts[0].body, "Exception"));
        assert_no_payloads(&stage);
        stage_close(&stage);
    }
}

static void a_hanging_model_becomes_504_and_the_next_message_is_answered(void **state)
{
    (void)state;
    static const struct peer_answer answers[] = {{.hang = true}, OK};
    static const char *const settings[] = {"AGENT_RESPONSE_TIMEOUT=0.5", NULL};
    struct stage stage;
    stage_open(&stage, two, 2, answers, COUNT(answers), settings);
    stage_wait_posts(&stage, 2);
    assert_int_equal(stage_status(&stage, 0), 504);
    assert_int_equal(stage_status(&stage, 1), 200);
    stage_close(&stage);
}

static void the_read_timeout_ends_an_attempt_before_the_deadline(void **state)
{
    (void)state;
    static const struct peer_answer answers[] = {{.hang = true}, OK};
    static const char *const settings[] = {"BEDROCK_READ_TIMEOUT=0.2",
                                           "BEDROCK_CONNECT_TIMEOUT=600", NULL};
    struct stage stage;
    stage_open(&stage, two, 2, answers, COUNT(answers), settings);
    stage_wait_posts(&stage, 2);
    assert_int_equal(stage_status(&stage, 0), 504);
    assert_int_equal(child_count_lines(&stage.child, "Model call failed: read_timeout"), 1);
    assert_int_equal(stage_status(&stage, 1), 200);
    stage_close(&stage);
}

static void a_short_lambda_deadline_becomes_504_too(void **state)
{
    (void)state;
    static const struct peer_answer answers[] = {{.hang = true}};
    static const struct stage_event hurried[] = {{.event = DIRECT, .deadline_ms = 800}};
    struct stage stage;
    stage_open(&stage, hurried, 1, answers, COUNT(answers), NULL);
    stage_wait_posts(&stage, 1);
    assert_int_equal(stage_status(&stage, 0), 504);
    stage_close(&stage);
}

static void a_message_beyond_the_limit_is_refused_and_nothing_is_sent(void **state)
{
    (void)state;
    static const struct peer_answer answers[] = {OK};
    static const char *const settings[] = {"BEDROCK_RATE_LIMIT=6", "BEDROCK_BURST=1",
                                           "BEDROCK_RATE_TIMEOUT=1", NULL};
    struct stage stage;
    stage_open(&stage, two, 2, answers, 1, settings);
    stage_wait_posts(&stage, 2);
    assert_int_equal(stage_status(&stage, 0), 200);
    assert_int_equal(stage_status(&stage, 1), 429);
    assert_int_equal(stage.model_count, 1);
    char *retry_after = stage_header(&stage, 1, "Retry-After");
    assert_in_range(atoi(retry_after), 1, 10); /* 9 or 10, unless this machine was held up */
    free(retry_after);
    assert_int_equal(child_count_lines(&stage.child, "Rate limit exceeded"), 1);
    assert_int_equal(child_count_lines(&stage.child, "Rate limiter timeout after 1.0s"), 1);
    stage_close(&stage);
}

static void signed_requests_go_to_the_encoded_path(void **state)
{
    (void)state;
    static const struct peer_answer answers[] = {OK};
    static const char *const settings[] = {
        "BEDROCK_MODEL_ID=arn:aws:bedrock:us-east-1:123456789012:inference-profile/"
        "us.anthropic.claude-sonnet-4-20250514-v1:0",
        NULL};
    struct stage stage;
    stage_open(&stage, one, 1, answers, 1, settings);
    stage_wait_posts(&stage, 1);
    assert_string_equal(stage.models[0].path,
                        "/model/arn%3Aaws%3Abedrock%3Aus-east-1%3A123456789012%3Ainference-profile"
                        "%2Fus.anthropic.claude-sonnet-4-20250514-v1%3A0/invoke");
    assert_non_null(strstr(stage.models[0].authorization, "AWS4-HMAC-SHA256 Credential=AKIDEX"));
    stage_close(&stage);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_throttles_and_then_an_answer),
        cmocka_unit_test(throttles_without_end_become_429_with_a_time_to_come_back),
        cmocka_unit_test(transient_failures_are_retried_without_a_word_of_throttling),
        cmocka_unit_test(a_half_answer_is_asked_for_again),
        cmocka_unit_test(faults_without_end_become_500_without_internals),
        cmocka_unit_test(a_hanging_model_becomes_504_and_the_next_message_is_answered),
        cmocka_unit_test(the_read_timeout_ends_an_attempt_before_the_deadline),
        cmocka_unit_test(a_short_lambda_deadline_becomes_504_too),
        cmocka_unit_test(a_message_beyond_the_limit_is_refused_and_nothing_is_sent),
        cmocka_unit_test(signed_requests_go_to_the_encoded_path),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
