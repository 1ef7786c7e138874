#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/os.h"
#include "local/clock.h"
#include "local/runtime_api.h"
#include "local/sandbox.h"
#include "tests/support/client.h"
#include "tests/support/cmocka_all.h"

#define API  "/2018-06-01/runtime"
#define NEXT API "/invocation/next"

/* A sandbox without a process: the test is the process. */
struct fixture {
    struct options options;
    struct stats stats;
    struct lambda *lambda;
    struct sandbox sandbox;
    struct client client;
    struct invocation *event; /* the one handed in last, with a reference of the test's */
};

static int start(void **state)
{
    static struct fixture fixture;
    fixture = (struct fixture){.options = {.sandboxes = 1, .timeout_ns = 60 * NS_PER_S}};
    stats_init(&fixture.stats);
    const struct lambda_setup setup = {
        .options = &fixture.options, .stats = &fixture.stats, .log_fd = -1};
    fixture.lambda = lambda_new(&setup, NULL);
    assert_non_null(fixture.lambda);
    fixture.sandbox = (struct sandbox){.lambda = fixture.lambda,
                                       .number = 1,
                                       .state = SANDBOX_STARTING,
                                       .deadline_ns = CLOCK_NEVER};
    clock_condition_init(&fixture.sandbox.changed);
    fixture.sandbox.runtime_api = runtime_api_start(&fixture.sandbox, NULL);
    assert_non_null(fixture.sandbox.runtime_api);
    client_start(&fixture.client, server_port(fixture.sandbox.runtime_api));
    *state = &fixture;
    return 0;
}

/* What either side wrote before is seen by the other one after. */
static void meet(struct fixture *fixture)
{
    pthread_mutex_lock(&fixture->lambda->lock);
    pthread_mutex_unlock(&fixture->lambda->lock);
}

static int post_bytes(struct fixture *fixture, const char *path, const char *body, size_t length)
{
    meet(fixture);
    int status = client_send(&fixture->client, path, NULL, 0, body, length);
    meet(fixture);
    return status;
}

/* `header` may be NULL; `body` NULL: GET. */
static int call(struct fixture *fixture, const char *path, const struct http_header *header,
                const char *body)
{
    meet(fixture);
    int status = client_call(&fixture->client, path, header, header != NULL ? 1 : 0, body);
    meet(fixture);
    return status;
}

static void drop_event(struct fixture *fixture)
{
    if (fixture->event != NULL)
        invocation_drop(fixture->event);
    fixture->event = NULL;
}

static int stop(void **state)
{
    struct fixture *fixture = *state;
    client_stop(&fixture->client);
    server_stop(fixture->sandbox.runtime_api);
    sandbox_release(&fixture->sandbox);
    drop_event(fixture);
    pthread_cond_destroy(&fixture->sandbox.changed);
    lambda_free(fixture->lambda);
    stats_free(&fixture->stats);
    return 0;
}

/* Assigns an event, as lambda.c does. */
static void hand_in(struct fixture *fixture, const char *bytes, size_t length)
{
    const struct lambda_event event = {.bytes = bytes, .length = length, .trace_id = "Root=1-2-3"};
    drop_event(fixture);
    fixture->event = invocation_new(&event, NULL);
    assert_non_null(fixture->event);
    pthread_mutex_lock(&fixture->lambda->lock);
    fixture->event->references++;
    fixture->sandbox.invocation = fixture->event;
    pthread_mutex_unlock(&fixture->lambda->lock);
}

/* Hands in an event and polls for it. */
static void deliver(struct fixture *fixture, const char *event)
{
    hand_in(fixture, event, strlen(event));
    assert_int_equal(call(fixture, NEXT, NULL, NULL), 200);
}

/* Posts to .../invocation/{id}/{what}. */
static int post(struct fixture *fixture, const char *id, const char *what, const char *body)
{
    char path[256];
    (void)snprintf(path, sizeof path, API "/invocation/%s/%s", id, what);
    const struct http_header header = {"Lambda-Runtime-Invocation-Id", fixture->event->nonce};
    return call(fixture, path, &header, body);
}

static void expect_type(struct fixture *fixture, const char *type)
{
    char part[128];
    (void)snprintf(part, sizeof part, "\"errorType\":\"%s\"", type);
    if (strstr(client_body(&fixture->client), part) == NULL)
        fail_msg("%s is not in %s", part, client_body(&fixture->client));
}

static void an_event_comes_with_lambdas_headers(void **state)
{
    struct fixture *fixture = *state;
    struct client *client = &fixture->client;
    deliver(fixture, "{\"a\":1}");
    assert_string_equal(client_body(client), "{\"a\":1}");
    assert_string_equal(client_header(client, "lambda-runtime-aws-request-id"),
                        fixture->event->request_id);
    assert_string_equal(client_header(client, "lambda-runtime-invocation-id"),
                        fixture->event->nonce);
    assert_string_equal(client_header(client, "lambda-runtime-trace-id"), "Root=1-2-3");
    assert_string_equal(client_header(client, "content-length"), "7");
    int64_t deadline_ms = strtoll(client_header(client, "lambda-runtime-deadline-ms"), NULL, 10);
    int64_t left_ms = deadline_ms - os_wall_ns(os_real()) / NS_PER_MS;
    assert_in_range(left_ms, 1, 60000);
    assert_int_equal(fixture->sandbox.state, SANDBOX_BUSY);
}

static void a_large_event_is_chunked(void **state)
{
    struct fixture *fixture = *state;
    size_t length = 1000000;
    char *event = malloc(length);
    assert_non_null(event);
    memset(event, 'x', length);
    hand_in(fixture, event, length);
    assert_int_equal(call(fixture, NEXT, NULL, NULL), 200);
    assert_string_equal(client_header(&fixture->client, "content-length"), "");
    assert_int_equal(fixture->client.response.body.length, length);
    assert_memory_equal(client_body(&fixture->client), event, length);
    free(event);
}

static void an_answer_is_taken_once(void **state)
{
    struct fixture *fixture = *state;
    deliver(fixture, "{}");
    assert_int_equal(post(fixture, fixture->event->request_id, "response", "answer"), 202);
    assert_string_equal(client_body(&fixture->client), "{\"status\":\"OK\"}\n");
    assert_int_equal(fixture->event->outcome, OUTCOME_RESPONSE);
    assert_string_equal(fixture->event->answer.data, "answer");
    assert_int_equal(post(fixture, fixture->event->request_id, "response", "again"), 403);
    expect_type(fixture, "InvalidStateTransition");
    assert_string_equal(fixture->event->answer.data, "answer");
}

static void a_wrong_id_is_refused_and_the_event_stays_open(void **state)
{
    struct fixture *fixture = *state;
    deliver(fixture, "{}");
    assert_int_equal(post(fixture, "wrong", "response", "answer"), 400);
    expect_type(fixture, "InvalidRequestID");
    char nonce[OS_UUID_SIZE];
    memcpy(nonce, fixture->event->nonce, sizeof nonce);
    (void)strcpy(fixture->event->nonce, "another delivery");
    char path[256];
    (void)snprintf(path, sizeof path, API "/invocation/%s/response", fixture->event->request_id);
    const struct http_header header = {"Lambda-Runtime-Invocation-Id", nonce};
    assert_int_equal(call(fixture, path, &header, "answer"), 400);
    assert_int_equal(fixture->event->outcome, OUTCOME_PENDING);
    assert_int_equal(post(fixture, fixture->event->request_id, "response", "answer"), 202);
}

static void an_answer_without_the_invocation_id_is_taken_and_counted(void **state)
{
    struct fixture *fixture = *state;
    char path[256];
    deliver(fixture, "{}");
    (void)snprintf(path, sizeof path, API "/invocation/%s/response", fixture->event->request_id);
    assert_int_equal(call(fixture, path, NULL, "answer"), 202);
    assert_int_equal(fixture->stats.counters[STATS_missing_invocation_ids], 1);
}

static void an_error_is_told_apart_from_an_answer(void **state)
{
    struct fixture *fixture = *state;
    deliver(fixture, "{}");
    assert_int_equal(post(fixture, fixture->event->request_id, "error", "{}"), 202);
    assert_int_equal(fixture->event->outcome, OUTCOME_ERROR);
}

static void an_answer_above_lambdas_limit_is_refused_for_good(void **state)
{
    struct fixture *fixture = *state;
    char path[256];
    size_t length = LAMBDA_PAYLOAD_MAX + 1;
    char *answer = malloc(length);
    assert_non_null(answer);
    memset(answer, 'x', length);
    deliver(fixture, "{}");
    (void)snprintf(path, sizeof path, API "/invocation/%s/response", fixture->event->request_id);
    assert_int_equal(post_bytes(fixture, path, answer, length), 413);
    expect_type(fixture, "RequestEntityTooLarge");
    assert_int_equal(fixture->event->outcome, OUTCOME_TOO_LARGE);
    assert_int_equal(post(fixture, fixture->event->request_id, "error", "{}"), 403);
    deliver(fixture, "{}");
    (void)snprintf(path, sizeof path, API "/invocation/%s/response", fixture->event->request_id);
    assert_int_equal(post_bytes(fixture, path, answer, length - 1), 202);
    free(answer);
}

static void a_late_answer_is_gone(void **state)
{
    struct fixture *fixture = *state;
    deliver(fixture, "{}");
    pthread_mutex_lock(&fixture->lambda->lock);
    invocation_fail(fixture->event, OUTCOME_TIMEOUT, "Sandbox.Timedout", "too late");
    pthread_mutex_unlock(&fixture->lambda->lock);
    assert_int_equal(post(fixture, fixture->event->request_id, "response", "answer"), 410);
    expect_type(fixture, "InvokeTimeout");
    assert_int_equal(fixture->stats.counters[STATS_late_answers], 1);
    deliver(fixture, "{}");
}

static void an_unanswered_event_is_delivered_again(void **state)
{
    struct fixture *fixture = *state;
    deliver(fixture, "{\"a\":1}");
    assert_int_equal(call(fixture, NEXT, NULL, NULL), 200);
    assert_string_equal(client_header(&fixture->client, "lambda-runtime-aws-request-id"),
                        fixture->event->request_id);
    assert_string_equal(client_body(&fixture->client), "{\"a\":1}");
    assert_int_equal(fixture->stats.counters[STATS_redeliveries], 1);
}

static void a_bad_response_mode_is_refused(void **state)
{
    struct fixture *fixture = *state;
    char path[256];
    deliver(fixture, "{}");
    (void)snprintf(path, sizeof path, API "/invocation/%s/response", fixture->event->request_id);
    const struct http_header header = {"Lambda-Runtime-Function-Response-Mode", "Streaming"};
    assert_int_equal(call(fixture, path, &header, "answer"), 400);
    expect_type(fixture, "InvalidFunctionResponseMode");
}

static void a_failed_start_is_kept_for_the_message(void **state)
{
    struct fixture *fixture = *state;
    const struct http_header header = {"Lambda-Runtime-Function-Error-Type",
                                       "Runtime.InvalidConfig"};
    assert_int_equal(call(fixture, API "/init/error", &header,
                          "{\"errorMessage\":\"X is 0\",\"errorType\":\"y\"}"),
                     202);
    assert_true(fixture->sandbox.init_failed);
    assert_string_equal(fixture->sandbox.init_error, "Runtime.InvalidConfig: X is 0");
    assert_int_equal(call(fixture, NEXT, NULL, NULL), 403);
}

static void error_types_that_lambda_does_not_know_become_unknown(void **state)
{
    struct fixture *fixture = *state;
    static const char *const cases[][2] = {
        {"unhandled", "Runtime.Unknown: no message"},
        {"Function.Not_This", "Function.Unknown: no message"},
        {"Function.This", "Function.This: no message"},
        {"Runtime.1", "Runtime.Unknown: no message"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct http_header header = {"Lambda-Runtime-Function-Error-Type", cases[i][0]};
        assert_int_equal(call(fixture, API "/init/error", &header, "no JSON"), 202);
        assert_string_equal(fixture->sandbox.init_error, cases[i][1]);
    }
}

static void the_start_is_over_with_the_first_next(void **state)
{
    struct fixture *fixture = *state;
    deliver(fixture, "{}");
    assert_int_equal(call(fixture, API "/init/error", NULL, "{}"), 403);
    assert_int_equal(call(fixture, API "/restore/next", NULL, NULL), 403);
    const struct http_header header = {"Lambda-Extension-Name", "x"};
    assert_int_equal(call(fixture, "/2020-01-01/extension/register", &header, "{\"events\":[]}"),
                     403);
}

static void a_restore_comes_with_the_first_event(void **state)
{
    struct fixture *fixture = *state;
    fixture->options.snapstart = true;
    hand_in(fixture, "{}", 2);
    assert_int_equal(call(fixture, API "/restore/next", NULL, NULL), 200);
    assert_string_equal(client_body(&fixture->client), "");
    assert_int_equal(call(fixture, NEXT, NULL, NULL), 200);
    assert_string_equal(client_body(&fixture->client), "{}");
}

static void an_extension_is_registered_once(void **state)
{
    struct fixture *fixture = *state;
    const struct http_header name = {"Lambda-Extension-Name", "sigterm"};
    static const char path[] = "/2020-01-01/extension/register";
    assert_int_equal(call(fixture, path, NULL, "{\"events\":[]}"), 400);
    assert_int_equal(call(fixture, path, &name, "{\"events\":[]}"), 200);
    assert_string_equal(client_header(&fixture->client, "lambda-extension-identifier"),
                        fixture->sandbox.extension_id);
    assert_int_equal(call(fixture, path, &name, "{\"events\":[]}"), 403);
    const struct http_header stranger = {"Lambda-Extension-Identifier", "x"};
    assert_int_equal(call(fixture, "/2020-01-01/extension/event/next", &stranger, NULL), 403);
}

static void credentials_are_for_who_has_the_token(void **state)
{
    struct fixture *fixture = *state;
    static const char path[] = "/2021-04-23/credentials";
    const struct http_header token = {"Authorization", "LocalWeir+Session/Token1=="};
    assert_int_equal(call(fixture, path, NULL, NULL), 404);
    assert_int_equal(call(fixture, path, &token, NULL), 200);
    assert_non_null(
        strstr(client_body(&fixture->client), "\"Token\":\"LocalWeir+Session/Token1==\""));
}

static void an_ended_sandbox_hears_nothing(void **state)
{
    struct fixture *fixture = *state;
    fixture->sandbox.state = SANDBOX_ENDING;
    assert_int_equal(call(fixture, NEXT, NULL, NULL), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_event_comes_with_lambdas_headers),
        TEST(a_large_event_is_chunked),
        TEST(an_answer_is_taken_once),
        TEST(a_wrong_id_is_refused_and_the_event_stays_open),
        TEST(an_answer_without_the_invocation_id_is_taken_and_counted),
        TEST(an_error_is_told_apart_from_an_answer),
        TEST(an_answer_above_lambdas_limit_is_refused_for_good),
        TEST(a_late_answer_is_gone),
        TEST(an_unanswered_event_is_delivered_again),
        TEST(a_bad_response_mode_is_refused),
        TEST(a_failed_start_is_kept_for_the_message),
        TEST(error_types_that_lambda_does_not_know_become_unknown),
        TEST(the_start_is_over_with_the_first_next),
        TEST(a_restore_comes_with_the_first_event),
        TEST(an_extension_is_registered_once),
        TEST(credentials_are_for_who_has_the_token),
        TEST(an_ended_sandbox_hears_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
