#include "handler/agent.h"

#include <json-c/json.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/strict_json.h"
#include "runtime/runtime.h"
#include "tests/support/agent_rig.h"
#include "tests/support/cmocka_all.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])
#define S            NS_PER_S
#define MS           NS_PER_MS

#define REST(method, path, body)                                                                   \
    "{\"httpMethod\":\"" method "\",\"path\":\"" path                                              \
    "\",\"requestContext\":{\"requestTimeEpoch\":"                                                 \
    "1795435200000},\"body\":" body "}"
#define QUESTION "\"{\\\"message\\\":\\\"a secret question\\\",\\\"session_id\\\":\\\"s-1\\\"}\""
#define POST     REST("POST", "/agent", QUESTION)
#define DIRECT   "{\"message\":\"a secret question\",\"session_id\":\"s-1\"}"

/* One event, and what became of it. */
struct scene {
    struct agent_rig rig;
    struct json_object *reply, *body;
    int status;
    int64_t took_ns;
};

static void play(struct scene *scene, const char *event, int64_t deadline_ns)
{
    int64_t began_ns = scene->rig.bench.os.now_ns;
    json_object_put(scene->body);
    json_object_put(scene->reply);
    scene->reply = agent_rig_handle(&scene->rig, event, deadline_ns);
    scene->body = rig_body(scene->reply);
    scene->status = rig_status(scene->reply);
    scene->took_ns = scene->rig.bench.os.now_ns - began_ns;
    assert_int_equal(log_capture_count(&scene->rig.capture, "secret"), 0);
    assert_int_equal(log_capture_count(&scene->rig.capture, "internals"), 0);
    assert_null(strstr(json_object_to_json_string(scene->reply), "internals"));
}

static void open_scene(struct scene *scene, const struct fake_answer *answers, size_t count,
                       const char *const *settings)
{
    *scene = (struct scene){0};
    agent_rig_open(&scene->rig, answers, count, settings);
}

static void close_scene(struct scene *scene)
{
    json_object_put(scene->body);
    json_object_put(scene->reply);
    agent_rig_close(&scene->rig);
}

static const char *text(const struct scene *scene, const char *name)
{
    struct json_object *value = NULL;
    json_object_object_get_ex(scene->body, name, &value);
    return json_object_is_type(value, json_type_string) ? json_object_get_string(value) : "";
}

static size_t logged(const struct scene *scene, const char *line)
{
    return log_capture_count(&scene->rig.capture, line);
}

/* Header and member say the same, in whole seconds. */
static int64_t retry_after(const struct scene *scene)
{
    struct json_object *member = NULL;
    const char *header = rig_header(scene->reply, "Retry-After");
    assert_non_null(header);
    assert_true(json_object_object_get_ex(scene->body, "retry_after", &member));
    assert_true(json_object_is_type(member, json_type_int));
    assert_int_equal(strtoll(header, NULL, 10), json_object_get_int64(member));
    return json_object_get_int64(member);
}

static void a_question_is_answered_with_its_session(void **state)
{
    (void)state;
    static const struct fake_answer answers[] = {RIG_ANSWER};
    struct scene scene;
    open_scene(&scene, answers, 1, NULL);
    play(&scene, POST, 60 * S);
    assert_int_equal(scene.status, 200);
    assert_string_equal(json_object_to_json_string_ext(scene.body, JSON_C_TO_STRING_PLAIN),
                        "{\"session_id\":\"s-1\",\"message\":\"a secret answer\",\"model\":"
                        "\"anthropic.claude-3-haiku-20240307-v1:0\",\"stop_reason\":\"end_turn\","
                        "\"usage\":{\"input_tokens\":3,\"output_tokens\":5}}");
    assert_int_equal(logged(&scene, "\"message\":\"Request done\",\"requestId\":\"r-1\","
                                    "\"session_id\":\"s-1\",\"source\":\"rest-api\","
                                    "\"outcome\":\"answered\",\"duration_s\":0.000,"
                                    "\"attempts\":1,\"waited_s\":0.000,\"status\":200,"),
                     1);
    assert_int_equal(scene.rig.bench.os.resyncs, 1);
    close_scene(&scene);
}

static void two_throttles_and_then_an_answer_are_an_answer(void **state)
{
    (void)state;
    static const struct fake_answer answers[] = {RIG_THROTTLE, RIG_THROTTLE, RIG_ANSWER};
    struct scene scene;
    open_scene(&scene, answers, COUNT(answers), NULL);
    scene.rig.bench.os.draw = 0.5;
    play(&scene, POST, 60 * S);
    assert_int_equal(scene.status, 200);
    assert_int_equal(scene.rig.bench.http.calls, 3);
    assert_int_equal(scene.took_ns, 7500 * MS);
    assert_int_equal(logged(&scene, "\"message\":\"Throttling error on attempt 1/6, retrying in "
                                    "2.50s\",\"requestId\":\"r-1\",\"session_id\":\"s-1\""),
                     1);
    assert_int_equal(logged(&scene, "\"message\":\"Throttling error on attempt 2/6, retrying in "
                                    "5.00s\",\"requestId\":\"r-1\",\"session_id\":\"s-1\""),
                     1);
    close_scene(&scene);
}

/* Each attempt takes `latency_ns`. Behind a REST API there are 28.4 s, less what Lambda gives. */
static const struct {
    struct fake_answer answer;
    int64_t latency_ns;
    int64_t lambda_ns;
    const char *settings[3];
    int64_t within_ns;
    int status;
    const char *code;
} endless[] = {
    {RIG_THROTTLE, 0, 60 * S, {0}, 28400 * MS, 429, "throttled"},
    {RIG_THROTTLE, 3 * S, 60 * S, {0}, 28400 * MS, 429, "throttled"},
    {RIG_THROTTLE, 0, 10 * S, {0}, 9500 * MS, 429, "throttled"},
    {RIG_THROTTLE, 0, 60 * S, {"AGENT_RESPONSE_TIMEOUT", "5"}, 4900 * MS, 429, "throttled"},
    {RIG_THROTTLE, 1 * S, 60 * S, {"AGENT_RESPONSE_TIMEOUT", "5"}, 4900 * MS, 429, "throttled"},
    {RIG_FAILURE(500, "InternalServerException"),
     0,
     60 * S,
     {0},
     28400 * MS,
     500,
     "model_unavailable"},
    {RIG_FAILURE(503, "ServiceUnavailableException"),
     2 * S,
     60 * S,
     {0},
     28400 * MS,
     500,
     "model_unavailable"},
    {RIG_CUT, 0, 60 * S, {0}, 28400 * MS, 500, "model_unavailable"},
    {RIG_FAILURE(500, "InternalServerException"),
     0,
     60 * S,
     {"AGENT_RESPONSE_TIMEOUT", "5"},
     4900 * MS,
     500,
     "model_unavailable"},
    {{.failure = ERROR_CONNECTION}, 3600 * S, 60 * S, {0}, 28400 * MS, 504, "timeout"},
    {{.failure = ERROR_CONNECTION}, 3600 * S, 20 * S, {0}, 19500 * MS, 504, "timeout"},
    {{.failure = ERROR_CONNECTION}, 3600 * S, 3 * S, {0}, 2500 * MS, 504, "timeout"},
    {{.failure = ERROR_CONNECTION},
     3600 * S,
     60 * S,
     {"AGENT_RESPONSE_TIMEOUT", "5"},
     4900 * MS,
     504,
     "timeout"},
};

static void whatever_does_not_end_is_told_before_the_line_is_cut(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(endless) * 3; i++) {
        size_t at = i / 3;
        struct fake_answer answer = endless[at].answer;
        struct scene scene;
        answer.takes_ns = endless[at].latency_ns;
        open_scene(&scene, &answer, 1, endless[at].settings);
        scene.rig.bench.os.draw = (double)(i % 3) * 0.49;
        play(&scene, POST, endless[at].lambda_ns);
        assert_int_equal(scene.status, endless[at].status);
        assert_string_equal(text(&scene, "code"), endless[at].code);
        assert_string_equal(text(&scene, "request_id"), "r-1");
        assert_in_range(scene.took_ns, 0, endless[at].within_ns);
        if (scene.status == 429)
            assert_in_range(scene.rig.bench.http.calls, 1, 6);
        if (scene.status == 429)
            assert_in_range(retry_after(&scene), 1, 120);
        else
            assert_null(rig_header(scene.reply, "Retry-After"));
        close_scene(&scene);
    }
}

static void a_fault_that_passes_is_not_called_a_throttle(void **state)
{
    (void)state;
    static const struct fake_answer answers[][2] = {
        {RIG_FAILURE(500, "InternalServerException"), RIG_ANSWER}, {RIG_CUT, RIG_ANSWER}};
    for (size_t i = 0; i < COUNT(answers); i++) {
        struct scene scene;
        open_scene(&scene, answers[i], 2, NULL);
        play(&scene, POST, 60 * S);
        assert_int_equal(scene.status, 200);
        assert_int_equal(logged(&scene, "Transient error on attempt 1/11, retrying in "), 1);
        assert_int_equal(logged(&scene, "hrottling"), 0);
        close_scene(&scene);
    }
}

static const struct {
    struct fake_answer answer;
    int status;
    const char *code;
} failures[] = {
    {RIG_FAILURE(403, "AccessDeniedException"), 500, "internal_error"},
    {RIG_FAILURE(400, "ValidationException"), 500, "internal_error"},
    {RIG_FAILURE(404, "ResourceNotFoundException"), 500, "internal_error"},
    {RIG_FAILURE(408, "ModelTimeoutException"), 504, "timeout"},
    {RIG_FAILURE(424, "ModelErrorException"), 500, "model_error"},
    {{.status = 200, .body = "the internals"}, 500, "model_error"},
    {RIG_ANSWER_WITH("", "end_turn"), 500, "empty_answer"},
};

static void what_will_not_get_better_is_told_at_once_without_the_internals(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(failures); i++) {
        struct scene scene;
        open_scene(&scene, &failures[i].answer, 1, NULL);
        play(&scene, POST, 60 * S);
        assert_int_equal(scene.status, failures[i].status);
        assert_string_equal(text(&scene, "code"), failures[i].code);
        assert_int_equal(scene.rig.bench.http.calls, 1);
        assert_int_equal(scene.took_ns, 0);
        assert_int_equal(json_object_object_length(scene.body), 3);
        assert_null(strstr(text(&scene, "error"), "Exception"));
        assert_null(rig_header(scene.reply, "Retry-After"));
        close_scene(&scene);
    }
}

static void a_rate_limit_spaces_questions_exactly(void **state)
{
    (void)state;
    static const struct fake_answer answers[] = {RIG_ANSWER};
    static const char *const settings[] = {"BEDROCK_RATE_LIMIT", "60", "BEDROCK_BURST", "1", NULL};
    struct scene scene;
    open_scene(&scene, answers, 1, settings);
    for (int i = 0; i < 4; i++) {
        play(&scene, DIRECT, 60 * S);
        assert_int_equal(scene.status, 200);
        assert_int_equal(scene.took_ns, i == 0 ? 0 : S);
    }
    close_scene(&scene);
}

static void a_question_above_the_rate_limit_is_told_when_to_come_back(void **state)
{
    (void)state;
    static const struct fake_answer answers[] = {RIG_ANSWER};
    static const char *const settings[] = {
        "BEDROCK_RATE_LIMIT", "6", "BEDROCK_BURST", "1", "BEDROCK_RATE_TIMEOUT", "1", NULL};
    struct scene scene;
    open_scene(&scene, answers, 1, settings);
    play(&scene, POST, 60 * S);
    assert_int_equal(scene.status, 200);
    play(&scene, POST, 60 * S);
    assert_int_equal(scene.status, 429);
    assert_string_equal(text(&scene, "code"), "rate_limited");
    assert_int_equal(retry_after(&scene), 9);
    assert_int_equal(scene.rig.bench.http.calls, 1);
    assert_int_equal(logged(&scene, "\"message\":\"Rate limit exceeded\",\"requestId\":\"r-1\","
                                    "\"session_id\":\"s-1\""),
                     1);
    assert_int_equal(logged(&scene, "\"message\":\"Rate limiter timeout after 1.0s\","
                                    "\"requestId\":\"r-1\",\"session_id\":\"s-1\""),
                     1);
    fake_os_advance(&scene.rig.bench.os, retry_after(&scene) * S);
    play(&scene, DIRECT, 60 * S);
    assert_int_equal(scene.status, 200);
    close_scene(&scene);
}

static const struct {
    struct fake_answer answer;
    int64_t retry_after;
    const char *code;
} hints[] = {
    {RIG_THROTTLE_WITH("Retry-After: 45\n", "Too many requests"), 45, "throttled"},
    {RIG_THROTTLE_WITH("x-amz-retry-after: 45001\n", "Too many requests"), 46, "throttled"},
    {RIG_THROTTLE_WITH("", "Too many tokens per day, please wait before trying again."), 43200,
     "daily_quota"},
};

static void the_services_own_word_when_to_come_back_reaches_the_caller(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(hints); i++) {
        struct scene scene;
        open_scene(&scene, &hints[i].answer, 1, NULL);
        play(&scene, POST, 60 * S);
        assert_int_equal(scene.status, 429);
        assert_int_equal(retry_after(&scene), hints[i].retry_after);
        assert_string_equal(text(&scene, "code"), hints[i].code);
        assert_int_equal(scene.rig.bench.http.calls, 1);
        close_scene(&scene);
    }
}

static const struct {
    struct fake_answer answer;
    const char *message, *stop_reason;
} stops[] = {
    {RIG_ANSWER_WITH("I would rather not.", "refusal"), "I would rather not.", "refusal"},
    {RIG_ANSWER_WITH("", "refusal"), "", "refusal"},
    {RIG_ANSWER_WITH("Once upon a", "max_tokens"), "Once upon a", "max_tokens"},
    {RIG_ANSWER_WITH("", "max_tokens"), "", "max_tokens"},
    {RIG_ANSWER_WITH("x", "something_new"), "x", "other"},
};

static void an_answer_that_is_not_whole_says_why(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(stops); i++) {
        struct scene scene;
        char line[128];
        open_scene(&scene, &stops[i].answer, 1, NULL);
        play(&scene, POST, 60 * S);
        assert_int_equal(scene.status, 200);
        assert_string_equal(text(&scene, "message"), stops[i].message);
        assert_string_equal(text(&scene, "stop_reason"), stops[i].stop_reason);
        (void)snprintf(line, sizeof line, "\"message\":\"The answer is not whole: %s\"",
                       stops[i].stop_reason);
        assert_int_equal(logged(&scene, line), 1);
        close_scene(&scene);
    }
}

static void counts_that_were_not_told_are_left_out(void **state)
{
    (void)state;
    static const struct fake_answer answers[] = {
        {.status = 200,
         .body =
             "{\"content\":[{\"type\":\"text\",\"text\":\"x\"}],\"stop_reason\":\"end_turn\"}"}};
    struct scene scene;
    struct json_object *usage = NULL;
    open_scene(&scene, answers, 1, NULL);
    play(&scene, POST, 60 * S);
    assert_true(json_object_object_get_ex(scene.body, "usage", &usage));
    assert_int_equal(json_object_object_length(usage), 0);
    close_scene(&scene);
}

static void a_session_that_is_not_named_is_made_up(void **state)
{
    (void)state;
    static const struct fake_answer answers[] = {RIG_ANSWER};
    struct scene scene;
    char line[128];
    open_scene(&scene, answers, 1, NULL);
    play(&scene, "{\"message\":\"a secret question\"}", 60 * S);
    assert_int_equal(strlen(text(&scene, "session_id")), OS_UUID_SIZE - 1);
    (void)snprintf(line, sizeof line, "\"session_id\":\"%s\"", text(&scene, "session_id"));
    assert_int_equal(logged(&scene, line), 1);
    close_scene(&scene);
}

static const struct {
    const char *event;
    int status;
    const char *allow;
} routes[] = {
    {REST("POST", "/agent", QUESTION), 200, NULL},
    {REST("POST", "/agent/", QUESTION), 200, NULL},
    {REST("POST", "/agent//", QUESTION), 404, NULL},
    {REST("POST", "/agent/x", QUESTION), 404, NULL},
    {REST("POST", "/agentx", QUESTION), 404, NULL},
    {REST("POST", "/Agent", QUESTION), 404, NULL},
    {REST("POST", "agent", QUESTION), 404, NULL},
    {REST("POST", "", QUESTION), 404, NULL},
    {REST("GET", "/health", "null"), 200, NULL},
    {REST("GET", "/health/", "null"), 200, NULL},
    {REST("GET", "/agent", "null"), 405, "OPTIONS, POST"},
    {REST("DELETE", "/agent", "null"), 405, "OPTIONS, POST"},
    {REST("post", "/agent", QUESTION), 405, "OPTIONS, POST"},
    {REST("POST", "/health", "null"), 405, "GET, OPTIONS"},
    {REST("HEAD", "/health", "null"), 405, "GET, OPTIONS"},
    {REST("OPTIONS", "/agent", "null"), 204, NULL},
    {REST("OPTIONS", "/anything", "null"), 204, NULL},
    /* a base path before the path */
    {"{\"httpMethod\":\"POST\",\"path\":\"/v1/agent\",\"resource\":\"/agent\",\"body\":" QUESTION
     "}",
     200, NULL},
    {"{\"httpMethod\":\"POST\",\"path\":\"/nothing\",\"resource\":\"/agent\",\"body\":" QUESTION
     "}",
     404, NULL},
    {"{\"httpMethod\":\"POST\",\"path\":\"/health\",\"resource\":\"/agent\",\"body\":" QUESTION "}",
     405, "GET, OPTIONS"},
    /* neither method nor path */
    {"{\"version\":\"2.0\"}", 404, NULL},
    {"{\"version\":\"2.0\",\"rawPath\":\"/agent\"}", 405, "OPTIONS, POST"},
};

static void paths_and_methods_lead_where_they_should(void **state)
{
    (void)state;
    static const struct fake_answer answers[] = {RIG_ANSWER};
    for (size_t i = 0; i < COUNT(routes); i++) {
        struct scene scene;
        open_scene(&scene, answers, 1, NULL);
        play(&scene, routes[i].event, 60 * S);
        const char *allow = rig_header(scene.reply, "Allow");
        if (scene.status != routes[i].status)
            fail_msg("%s: %d", routes[i].event, scene.status);
        assert_string_equal(allow != NULL ? allow : "",
                            routes[i].allow != NULL ? routes[i].allow : "");
        close_scene(&scene);
    }
}

static const struct {
    const char *event;
    const char *error;
} bad[] = {
    {"", "The JSON is empty."},
    {"null", "The JSON is null."},
    {"<html>", "This is not JSON from byte 0 on."},
    {"{\"message\":\"\xff\"}", "This is not JSON from byte 12 on."},
    {"[]", "The request is not a JSON object: send {\"message\": \"...\"}."},
    {"{}", "There is no message: send {\"message\": \"...\"}."},
    {REST("POST", "/agent", "\"{\""), "The body is not JSON: send {\"message\": \"...\"}."},
    {REST("POST", "/agent", "null"), "The body is not JSON: send {\"message\": \"...\"}."},
    {REST("POST", "/agent", "5"), "The body of the event is not a string."},
    {REST("POST", "/nowhere", "5"), "The body of the event is not a string."},
};

static void what_is_wrong_with_a_request_is_told_to_its_sender(void **state)
{
    (void)state;
    static const struct fake_answer answers[] = {RIG_ANSWER};
    struct scene scene;
    open_scene(&scene, answers, 1, NULL);
    for (size_t i = 0; i < COUNT(bad); i++) {
        play(&scene, bad[i].event, 60 * S);
        assert_int_equal(scene.status, 400);
        assert_string_equal(text(&scene, "error"), bad[i].error);
        assert_string_equal(text(&scene, "code"), "invalid_request");
        assert_string_equal(text(&scene, "request_id"), "r-1");
        assert_string_equal(rig_header(scene.reply, "Access-Control-Allow-Origin"), "*");
    }
    assert_int_equal(scene.rig.bench.http.calls, 0);
    close_scene(&scene);
}

static void a_request_that_waited_too_long_at_the_gateway_is_not_sent(void **state)
{
    (void)state;
    static const struct fake_answer answers[] = {RIG_ANSWER};
    struct scene scene;
    open_scene(&scene, answers, 1, NULL);
    fake_os_advance(&scene.rig.bench.os, 40 * S); /* after the event's stamp */
    play(&scene, POST, 60 * S);
    assert_int_equal(scene.status, 504);
    assert_int_equal(scene.rig.bench.http.calls, 0);
    fake_os_advance(&scene.rig.bench.os, 40 * S); /* so old is nothing but a test event */
    play(&scene, POST, 60 * S);
    assert_int_equal(scene.status, 200);
    close_scene(&scene);
}

/* Quotes take four bytes each in a reply's body. */
static void a_reply_that_lambda_would_refuse_is_replaced(void **state)
{
    (void)state;
    static const char before[] = "{\"content\":[{\"type\":\"text\",\"text\":\"";
    static const char after[] = "\"}],\"stop_reason\":\"end_turn\"}";
    static const struct {
        size_t quotes;
        int status;
    } cases[] = {{1500000, 200}, {1600000, 500}};
    for (size_t i = 0; i < COUNT(cases); i++) {
        size_t length = sizeof before - 1 + cases[i].quotes * 2 + sizeof after - 1;
        char *body = malloc(length + 1);
        assert_non_null(body);
        memcpy(body, before, sizeof before - 1);
        for (size_t q = 0; q < cases[i].quotes; q++)
            memcpy(body + sizeof before - 1 + q * 2, "\\\"", 2);
        memcpy(body + length - (sizeof after - 1), after, sizeof after);
        const struct fake_answer answer = {.status = 200, .body = body};
        struct scene scene;
        open_scene(&scene, &answer, 1, NULL);
        play(&scene, POST, 60 * S);
        assert_int_equal(scene.status, cases[i].status);
        if (scene.status == 500) {
            assert_string_equal(text(&scene, "code"), "reply_too_large");
            assert_int_equal(logged(&scene, "\"The reply is larger than Lambda takes\""), 1);
            assert_int_equal(logged(&scene, "\"status\":500"), 1);
        }
        close_scene(&scene);
        free(body);
    }
}

static void a_reply_that_cannot_even_be_replaced_is_a_failure(void **state)
{
    (void)state;
    static const struct fake_answer answers[] = {RIG_ANSWER};
    struct agent_rig rig;
    struct buffer reply;
    struct error err = {0};
    const struct agent_invocation invocation = {.event = POST,
                                                .event_length = sizeof POST - 1,
                                                .request_id = "r-1",
                                                .deadline_wall_ns = INT64_MAX};
    agent_rig_open(&rig, answers, 1, NULL);
    buffer_init(&reply, 10);
    assert_int_equal(agent_handle(&rig.agent, &invocation, &reply, &err), -1);
    assert_int_equal(err.kind, ERROR_REPLY_TOO_LARGE);
    buffer_free(&reply);
    agent_rig_close(&rig);
}

static void a_batch_is_handed_back_whatever_its_ids_are(void **state)
{
    (void)state;
    static const struct fake_answer answers[] = {RIG_ANSWER};
    struct agent_rig rig;
    agent_rig_open(&rig, answers, 1, NULL);
    struct json_object *reply = agent_rig_handle(
        &rig,
        "{\"Records\":[{\"eventSource\":\"aws:sqs\",\"messageId\":\"m-1\"},{\"messageId\":5},"
        "{\"messageId\":null},{},7,{\"messageId\":\"m-\\u00e9\"}]}",
        60 * S);
    assert_string_equal(json_object_to_json_string_ext(reply, JSON_C_TO_STRING_PLAIN),
                        "{\"batchItemFailures\":[{\"itemIdentifier\":\"m-1\"},{\"itemIdentifier\":"
                        "\"\"},{\"itemIdentifier\":\"\"},{\"itemIdentifier\":\"\"},"
                        "{\"itemIdentifier\":\"\"},{\"itemIdentifier\":\"m-\xc3\xa9\"}]}");
    assert_int_equal(rig.bench.http.calls, 0);
    assert_int_equal(log_capture_count(&rig.capture, "\"level\":\"ERROR\""), 1);
    json_object_put(reply);
    agent_rig_close(&rig);
}

/* Flips, drops and doubles bytes of an event, the same ones each time. */
static size_t spoil(const struct os *os, const char *event, char *out)
{
    size_t length = strlen(event);
    size_t kept = 0;
    for (size_t i = 0; i < length; i++) {
        unsigned char dice[2];
        os->random(os->context, dice, sizeof dice);
        out[kept] = event[i];
        if (dice[0] < 3)
            out[kept] = (char)dice[1];
        kept++;
        if (dice[0] == 3)
            kept--;
        if (dice[0] == 4)
            out[kept++] = event[i];
    }
    return kept;
}

static void any_bytes_get_a_reply(void **state)
{
    (void)state;
    static const struct fake_answer answers[] = {RIG_ANSWER};
    static const char *const seeds[] = {
        POST, DIRECT, "{\"version\":\"2.0\",\"rawPath\":\"/agent\",\"body\":\"{}\"}",
        "{\"Records\":[{\"eventSource\":\"aws:sqs\",\"messageId\":\"m\"}]}"};
    static const char *const settings[] = {"BEDROCK_RATE_LIMIT", "100000", NULL};
    struct agent_rig rig;
    struct fake_os dice;
    fake_os_init(&dice);
    agent_rig_open(&rig, answers, 1, settings);
    for (size_t i = 0; i < 2000; i++) {
        char event[1024];
        size_t length = spoil(&dice.os, seeds[i % COUNT(seeds)], event);
        const struct agent_invocation invocation = {.event = event,
                                                    .event_length = length,
                                                    .request_id = "r-1",
                                                    .deadline_wall_ns = INT64_MAX};
        struct buffer reply;
        struct error err = {0};
        buffer_init(&reply, RUNTIME_PAYLOAD_MAX);
        assert_int_equal(agent_handle(&rig.agent, &invocation, &reply, &err), 0);
        struct json_object *root = strict_json_parse(reply.data, reply.length, &err);
        if (root == NULL)
            fail_msg("%.*s: %s", (int)length, event, err.text);
        json_object_put(root);
        buffer_free(&reply);
    }
    assert_int_equal(log_capture_count(&rig.capture, "\"_aws\":{\"Timestamp\":"), 2000);
    agent_rig_close(&rig);
}

static int send_at_once(void *context, const struct http_request *request,
                        struct http_response *response, struct error *err)
{
    static const struct fake_answer answer = RIG_ANSWER;
    (void)context;
    response->status = answer.status;
    buffer_init(&response->headers, HTTP_HEADERS_MAX);
    buffer_init(&response->body, request->max_body);
    return buffer_append_string(&response->body, answer.body, err);
}

static void *ask_often(void *context)
{
    struct agent_rig *rig = context;
    for (int i = 0; i < 50; i++) {
        const struct agent_invocation invocation = {.event = POST,
                                                    .event_length = sizeof POST - 1,
                                                    .request_id = "r-1",
                                                    .deadline_wall_ns = INT64_MAX};
        struct buffer reply;
        struct error err = {0};
        buffer_init(&reply, RUNTIME_PAYLOAD_MAX);
        bool answered = agent_handle(&rig->agent, &invocation, &reply, &err) == 0 &&
                        strstr(reply.data, "\"statusCode\":200") != NULL;
        buffer_free(&reply);
        if (!answered)
            return NULL;
    }
    return rig;
}

static void several_threads_may_ask_at_once(void **state)
{
    (void)state;
    static const struct fake_answer answers[] = {RIG_ANSWER};
    static const char *const settings[] = {"BEDROCK_RATE_LIMIT", "100000", NULL};
    struct agent_rig rig;
    pthread_t threads[4] = {0};
    agent_rig_open(&rig, answers, 1, settings);
    rig.bench.os.os = *os_real(); /* the virtual ones are for one thread */
    rig.bench.http.transport.send = send_at_once;
    for (size_t i = 0; i < COUNT(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, ask_often, &rig), 0);
    for (size_t i = 0; i < COUNT(threads); i++) {
        void *answered = NULL;
        assert_int_equal(pthread_join(threads[i], &answered), 0);
        assert_ptr_equal(answered, &rig);
    }
    assert_int_equal(log_capture_count(&rig.capture, "\"Request done\""), 200);
    agent_rig_close(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_question_is_answered_with_its_session),
        cmocka_unit_test(two_throttles_and_then_an_answer_are_an_answer),
        cmocka_unit_test(whatever_does_not_end_is_told_before_the_line_is_cut),
        cmocka_unit_test(a_fault_that_passes_is_not_called_a_throttle),
        cmocka_unit_test(what_will_not_get_better_is_told_at_once_without_the_internals),
        cmocka_unit_test(a_rate_limit_spaces_questions_exactly),
        cmocka_unit_test(a_question_above_the_rate_limit_is_told_when_to_come_back),
        cmocka_unit_test(the_services_own_word_when_to_come_back_reaches_the_caller),
        cmocka_unit_test(an_answer_that_is_not_whole_says_why),
        cmocka_unit_test(counts_that_were_not_told_are_left_out),
        cmocka_unit_test(a_session_that_is_not_named_is_made_up),
        cmocka_unit_test(paths_and_methods_lead_where_they_should),
        cmocka_unit_test(what_is_wrong_with_a_request_is_told_to_its_sender),
        cmocka_unit_test(a_request_that_waited_too_long_at_the_gateway_is_not_sent),
        cmocka_unit_test(a_reply_that_lambda_would_refuse_is_replaced),
        cmocka_unit_test(a_reply_that_cannot_even_be_replaced_is_a_failure),
        cmocka_unit_test(a_batch_is_handed_back_whatever_its_ids_are),
        cmocka_unit_test(any_bytes_get_a_reply),
        cmocka_unit_test(several_threads_may_ask_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
