/* The metrics of whole invocations, from the documents that the agent writes. */
#include "handler/metrics.h"

#include <json-c/json.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/runtime.h"
#include "tests/support/agent_rig.h"
#include "tests/support/cmocka_all.h"
#include "tests/support/emf_shape.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])
#define S            NS_PER_S
#define MS           NS_PER_MS

#define HTTP(method, path, body)                                                                   \
    "{\"httpMethod\":\"" method "\",\"path\":\"" path                                              \
    "\",\"requestContext\":{\"requestTimeEpoch\":1795435200000},\"body\":" body "}"
#define QUESTION "\"{\\\"message\\\":\\\"a secret question\\\",\\\"session_id\\\":\\\"s-1\\\"}\""
#define POST     HTTP("POST", "/agent", QUESTION)
#define DIRECT   "{\"message\":\"a secret question\"}"
#define BATCH    "{\"Records\":[{\"eventSource\":\"aws:sqs\",\"messageId\":\"m-1\"}]}"

#define TOKENS         RIG_THROTTLE_WITH("", "Too many tokens, please wait before trying again.")
#define TOKENS_PER_DAY RIG_THROTTLE_WITH("", "Too many tokens per day, please wait.")
#define NOT_READY      RIG_FAILURE(429, "ModelNotReadyException")
#define UNUSABLE                                                                                   \
    {                                                                                              \
        .status = 200,                                                                             \
        .headers = "x-amzn-bedrock-input-token-count: 11\n"                                        \
                   "x-amzn-bedrock-output-token-count: 13\n",                                      \
        .body = "<html>",                                                                          \
    }
#define UNTOLD                                                                                     \
    {                                                                                              \
        .status = 200,                                                                             \
        .body = "{\"content\":[{\"type\":\"text\",\"text\":\"x\"}],\"stop_reason\":\"end_turn\"}", \
    }

/* The last document among the lines; to be put. */
static struct json_object *last_document(const struct agent_rig *rig)
{
    struct json_object *lines = log_capture_lines(&rig->capture);
    size_t count = json_object_array_length(lines);
    assert_true(count > 0);
    struct json_object *document = json_object_get(json_object_array_get_idx(lines, count - 1));
    json_object_put(lines);
    emf_assert_valid(document);
    return document;
}

static void handle(struct agent_rig *rig, const char *event)
{
    json_object_put(agent_rig_handle(rig, event, 60 * S));
}

/* As handle(), for several threads, with a reply of at most `ceiling` bytes. */
static int try_to_handle(struct agent_rig *rig, const char *event, size_t ceiling)
{
    const struct agent_invocation invocation = {.event = event,
                                                .event_length = strlen(event),
                                                .request_id = "r-1",
                                                .deadline_wall_ns = INT64_MAX};
    struct buffer reply;
    struct error err = {0};
    buffer_init(&reply, ceiling);
    int result = agent_handle(&rig->agent, &invocation, &reply, &err);
    buffer_free(&reply);
    return result;
}

static const char *text_of(struct json_object *document, const char *name)
{
    struct json_object *value = NULL;
    return json_object_object_get_ex(document, name, &value) ? json_object_get_string(value) : "";
}

#define ASKED "Requests=1 "
#define TOLD  " InputTokens=3 OutputTokens=5"

static const struct {
    const char *event;
    struct fake_answer answers[3];
    const char *settings[7];
    const char *outcome;
    const char *metrics;
} cases[] = {
    {POST, {RIG_ANSWER}, {0}, "answered", ASKED "RequestsAnswered=1 ModelCalls=1" TOLD},
    {DIRECT, {RIG_ANSWER}, {0}, "answered", ASKED "RequestsAnswered=1 ModelCalls=1" TOLD},
    {POST, {UNTOLD}, {0}, "answered", ASKED "RequestsAnswered=1 ModelCalls=1"},
    /* throttles by their kind */
    {POST,
     {RIG_THROTTLE, TOKENS, RIG_ANSWER},
     {0},
     "answered",
     ASKED "RequestsAnswered=1 ModelCalls=3 Retries=2 Throttles=2 ThrottlesByRequests=1 "
           "ThrottlesByTokens=1 RequestLatency=7500 RemainingBudget=20900" TOLD},
    {POST,
     {RIG_THROTTLE, RIG_THROTTLE, RIG_THROTTLE},
     {"BEDROCK_APP_RETRIES", "2"},
     "refused",
     ASKED "RequestsRefused=1 ModelCalls=3 Retries=2 Throttles=3 ThrottlesByRequests=3"},
    {POST,
     {TOKENS_PER_DAY},
     {0},
     "refused",
     ASKED "RequestsRefused=1 ModelCalls=1 Throttles=1 ThrottlesByTokensPerDay=1"},
    {POST,
     {RIG_FAILURE(400, "ServiceQuotaExceededException")},
     {0},
     "refused",
     ASKED "RequestsRefused=1 ModelCalls=1"},
    {POST,
     {NOT_READY, RIG_ANSWER},
     {0},
     "answered",
     ASKED "RequestsAnswered=1 ModelCalls=2 Retries=1 ModelNotReady=1" TOLD},
    /* the model's failures */
    {POST,
     {RIG_FAILURE(500, "InternalServerException"), RIG_CUT, RIG_ANSWER},
     {0},
     "answered",
     ASKED "RequestsAnswered=1 ModelCalls=3 Retries=2" TOLD},
    {POST,
     {RIG_FAILURE(403, "AccessDeniedException")},
     {0},
     "failed",
     ASKED "RequestsFailed=1 ModelCalls=1"},
    {POST,
     {RIG_FAILURE(408, "ModelTimeoutException")},
     {0},
     "timed_out",
     ASKED "RequestsTimedOut=1 ModelCalls=1"},
    {POST,
     {{.status = 200, .takes_ns = 3600 * S}},
     {0},
     "timed_out",
     ASKED "RequestsTimedOut=1 ModelCalls=1 RequestLatency=28400 RemainingBudget=0"},
    /* what was paid for without use */
    {POST,
     {UNUSABLE},
     {0},
     "failed",
     ASKED "RequestsFailed=1 ModelCalls=1 InputTokens=11 OutputTokens=13"},
    {POST,
     {RIG_ANSWER_WITH("", "end_turn")},
     {0},
     "failed",
     ASKED "RequestsFailed=1 ModelCalls=1" TOLD},
    /* the caller's fault */
    {HTTP("POST", "/agent", "\"{\""),
     {RIG_ANSWER},
     {0},
     "rejected",
     ASKED "RequestsRejected=1 RequestLatency=0 RemainingBudget=28400"},
    {HTTP("POST", "/agent", "5"), {RIG_ANSWER}, {0}, "rejected", ASKED "RequestsRejected=1"},
    {"no JSON", {RIG_ANSWER}, {0}, "rejected", ASKED "RequestsRejected=1"},
    /* no chat message */
    {HTTP("GET", "/health", "null"), {RIG_ANSWER}, {0}, "other", "RequestsOther=1"},
    {HTTP("GET", "/health", "5"), {RIG_ANSWER}, {0}, "other", "RequestsOther=1"},
    {HTTP("OPTIONS", "/agent", "null"), {RIG_ANSWER}, {0}, "other", "RequestsOther=1"},
    {HTTP("GET", "/agent", "null"), {RIG_ANSWER}, {0}, "other", "RequestsOther=1"},
    {HTTP("POST", "/nowhere", QUESTION), {RIG_ANSWER}, {0}, "other", "RequestsOther=1"},
    {HTTP("POST", "/nowhere", "5"), {RIG_ANSWER}, {0}, "other", "RequestsOther=1"},
    {"{\"version\":\"2.0\"}", {RIG_ANSWER}, {0}, "other", "RequestsOther=1"},
    {BATCH, {RIG_ANSWER}, {0}, "other", "RequestsOther=1"},
};

static size_t answer_count(size_t row)
{
    size_t count = 1;
    for (size_t i = 1; i < COUNT(cases[row].answers); i++)
        if (cases[row].answers[i].status != 0 || cases[row].answers[i].failure != ERROR_NONE)
            count = i + 1;
    return count;
}

static void an_invocation_is_counted_for_what_became_of_it(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct agent_rig rig;
        agent_rig_open(&rig, cases[i].answers, answer_count(i), cases[i].settings);
        rig.bench.os.draw = 0.5;
        handle(&rig, cases[i].event);
        struct json_object *document = last_document(&rig);
        emf_assert_counts(document, cases[i].metrics, cases[i].metrics);
        assert_string_equal(text_of(document, "outcome"), cases[i].outcome);
        assert_string_equal(text_of(document, "message"), "Request done");
        assert_string_equal(text_of(document, "level"), "INFO");
        assert_string_equal(text_of(document, "requestId"), "r-1");
        assert_null(strstr(json_object_to_json_string(document), "secret"));
        json_object_put(document);
        agent_rig_close(&rig);
    }
}

/* Every metric of the documents is in the table, as it stands there. */
static void what_is_declared_is_in_the_table(void **state)
{
    (void)state;
    static const struct fake_answer answers[] = {RIG_THROTTLE, RIG_ANSWER};
    struct agent_rig rig;
    agent_rig_open(&rig, answers, COUNT(answers), NULL);
    agent_started(&rig.agent, 5 * MS);
    handle(&rig, POST);
    struct json_object *document = last_document(&rig);
    char *table = emf_table();
    size_t rows = 0;
    size_t declared = 0;
    for (char *line = strtok(table, "\n"); line != NULL; line = strtok(NULL, "\n"), rows++) {
        char name[64] = "";
        char unit[64] = "";
        char dimensions[64] = "";
        assert_int_equal(sscanf(line, "%63[^\t]\t%63[^\t]\t%63s", name, unit, dimensions), 3);
        declared += emf_declares(document, name, unit, dimensions);
    }
    assert_int_equal(declared, emf_metric_count(document));
    assert_int_equal(declared, rows - 1); /* RequestsOther */
    free(table);
    json_object_put(document);
    agent_rig_close(&rig);
}

static void every_attempt_has_its_latency(void **state)
{
    (void)state;
    struct fake_answer answers[] = {RIG_THROTTLE, RIG_FAILURE(500, "InternalServerException"),
                                    RIG_ANSWER};
    answers[0].takes_ns = 1500;
    answers[1].takes_ns = 20 * MS;
    answers[2].takes_ns = 812400400;
    struct agent_rig rig;
    agent_rig_open(&rig, answers, COUNT(answers), NULL);
    handle(&rig, POST);
    struct json_object *document = last_document(&rig);
    assert_string_equal(text_of(document, "ModelLatency"), "[ 0.002, 20, 812.400 ]");
    assert_true(emf_declares(document, "ModelLatency", "Milliseconds", "function_name,model"));
    assert_string_equal(text_of(document, "function_name"), "unknown");
    assert_string_equal(text_of(document, "model"), "anthropic.claude-3-haiku-20240307-v1:0");
    json_object_put(document);
    agent_rig_close(&rig);
}

static void more_than_a_hundred_latencies_are_not_told(void **state)
{
    (void)state;
    static const struct fake_answer answers[] = {RIG_FAILURE(500, "InternalServerException")};
    static const char *const settings[] = {"BEDROCK_MAX_RETRIES",
                                           "100",
                                           "BEDROCK_BASE_DELAY",
                                           "0.001",
                                           "BEDROCK_MAX_DELAY",
                                           "0.001",
                                           "BEDROCK_RATE_LIMIT",
                                           "100000",
                                           NULL};
    struct agent_rig rig;
    struct json_object *latencies = NULL;
    agent_rig_open(&rig, answers, 1, settings);
    rig.agent.model.throttle.quota.available = 1000000;
    handle(&rig, DIRECT);
    struct json_object *document = last_document(&rig);
    emf_assert_counts(document, ASKED "RequestsFailed=1 ModelCalls=101 Retries=100",
                      "101 attempts");
    assert_true(json_object_object_get_ex(document, "ModelLatency", &latencies));
    assert_int_equal(json_object_array_length(latencies), 100);
    json_object_put(document);
    agent_rig_close(&rig);
}

static void waits_for_the_limiter_are_counted_and_its_refusals(void **state)
{
    (void)state;
    static const struct fake_answer answers[] = {RIG_ANSWER};
    static const char *const settings[] = {
        "BEDROCK_RATE_LIMIT", "60", "BEDROCK_BURST", "1", "BEDROCK_RATE_TIMEOUT", "1", NULL};
    static const char *const expected[] = {
        ASKED "RequestsAnswered=1 ModelCalls=1 RateLimiterWaitTime=0" TOLD,
        ASKED "RequestsAnswered=1 ModelCalls=1 RateLimiterWaits=1 RateLimiterWaitTime=1000 "
              "RequestLatency=1000" TOLD,
        ASKED "RequestsRefused=1 RateLimiterTimeouts=1 RateLimiterWaitTime=0 RequestLatency=0",
    };
    struct agent_rig rig;
    agent_rig_open(&rig, answers, 1, settings);
    for (size_t i = 0; i < COUNT(expected); i++) {
        if (i == 2)
            rig.agent.model.throttle.settings.rate_timeout_ns = 500 * MS;
        handle(&rig, DIRECT);
        struct json_object *document = last_document(&rig);
        emf_assert_counts(document, expected[i], expected[i]);
        json_object_put(document);
    }
    assert_int_equal(log_capture_count(&rig.capture, "\"message\":\"Rate limit exceeded\""), 1);
    agent_rig_close(&rig);
}

static void only_the_first_invocation_tells_of_the_start(void **state)
{
    (void)state;
    static const struct fake_answer answers[] = {RIG_ANSWER};
    static const char *const events[] = {POST, HTTP("GET", "/health", "null"), BATCH};
    for (size_t i = 0; i < COUNT(events); i++) {
        struct agent_rig rig;
        agent_rig_open(&rig, answers, 1, NULL);
        agent_started(&rig.agent, 1234567);
        handle(&rig, events[i]);
        struct json_object *document = last_document(&rig);
        assert_true(emf_number(document, "ColdStart") == 1);
        assert_true(emf_declares(document, "InitDuration", "Milliseconds", "function_name"));
        assert_string_equal(text_of(document, "InitDuration"), "1.235");
        assert_int_equal(emf_metric_count(document), i == 0 ? 24 : 3);
        json_object_put(document);
        handle(&rig, events[i]);
        document = last_document(&rig);
        assert_true(emf_number(document, "ColdStart") == -1);
        assert_true(emf_number(document, "InitDuration") == -1);
        json_object_put(document);
        agent_rig_close(&rig);
    }
}

static void *ask_for_health(void *context)
{
    struct agent_rig *rig = context;
    for (int i = 0; i < 20; i++)
        if (try_to_handle(rig, HTTP("GET", "/health", "null"), RUNTIME_PAYLOAD_MAX) != 0)
            return NULL;
    return rig;
}

static void of_several_threads_one_tells_of_the_start(void **state)
{
    (void)state;
    static const struct fake_answer answers[] = {RIG_ANSWER};
    struct agent_rig rig;
    pthread_t threads[4] = {0};
    agent_rig_open(&rig, answers, 1, NULL);
    rig.bench.os.os = *os_real(); /* the virtual one is for one thread */
    agent_started(&rig.agent, 0);
    for (size_t i = 0; i < COUNT(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, ask_for_health, &rig), 0);
    for (size_t i = 0; i < COUNT(threads); i++) {
        void *answered = NULL;
        assert_int_equal(pthread_join(threads[i], &answered), 0);
        assert_ptr_equal(answered, &rig);
    }
    assert_int_equal(log_capture_count(&rig.capture, "\"ColdStart\":1,\"InitDuration\":0,"), 1);
    assert_int_equal(log_capture_count(&rig.capture, "\"RequestsOther\":1,"), 80);
    agent_rig_close(&rig);
}

static void namespace_and_function_are_the_settings(void **state)
{
    (void)state;
    static const struct fake_answer answers[] = {RIG_ANSWER};
    static const char *const settings[] = {"AGENT_METRICS_NAMESPACE", "My/App",
                                           "AWS_LAMBDA_FUNCTION_NAME", "weir-prod", NULL};
    struct agent_rig rig;
    agent_rig_open(&rig, answers, 1, settings);
    rig.capture.log.level = LOG_ERROR; /* metrics are no logs */
    handle(&rig, POST);
    struct json_object *document = last_document(&rig);
    assert_string_equal(text_of(document, "function_name"), "weir-prod");
    assert_non_null(strstr(text_of(document, "_aws"), "\"Namespace\": \"My\\/App\""));
    json_object_put(document);
    agent_rig_close(&rig);
}

static void a_reply_that_could_not_be_made_is_a_failure(void **state)
{
    (void)state;
    static const struct fake_answer answers[] = {RIG_ANSWER};
    struct agent_rig rig;
    agent_rig_open(&rig, answers, 1, NULL);
    assert_int_equal(try_to_handle(&rig, POST, 10), -1);
    struct json_object *document = last_document(&rig);
    emf_assert_counts(document, ASKED "RequestsFailed=1 ModelCalls=1" TOLD, "no reply");
    assert_string_equal(text_of(document, "status"), "");
    json_object_put(document);
    agent_rig_close(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_invocation_is_counted_for_what_became_of_it),
        cmocka_unit_test(what_is_declared_is_in_the_table),
        cmocka_unit_test(every_attempt_has_its_latency),
        cmocka_unit_test(more_than_a_hundred_latencies_are_not_told),
        cmocka_unit_test(waits_for_the_limiter_are_counted_and_its_refusals),
        cmocka_unit_test(only_the_first_invocation_tells_of_the_start),
        cmocka_unit_test(of_several_threads_one_tells_of_the_start),
        cmocka_unit_test(namespace_and_function_are_the_settings),
        cmocka_unit_test(a_reply_that_could_not_be_made_is_a_failure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
