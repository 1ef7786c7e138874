#include "handler/model.h"

#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/agent_rig.h"
#include "tests/support/cmocka_all.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])
#define S            NS_PER_S
#define MS           NS_PER_MS
#define NO_DEADLINE  THROTTLE_NO_DEADLINE

/* One question, and what became of it. */
struct question {
    struct model_outcome outcome;
    struct error err;
    int64_t began_ns;
    int64_t took_ns;
};

static int ask(struct agent_rig *rig, int64_t budget_ns, struct question *q)
{
    static const char message[] = "a secret question";
    const struct log_scope scope = {&rig->capture.log, "r-1", "s-1"};
    int64_t began_ns = rig->bench.os.now_ns;
    const struct model_question question = {
        .scope = &scope,
        .message = message,
        .message_length = sizeof message - 1,
        .answer_by_ns = budget_ns == NO_DEADLINE ? NO_DEADLINE : began_ns + budget_ns,
    };
    *q = (struct question){.began_ns = began_ns};
    int result = model_ask(&rig->agent.model, &question, &q->outcome, &q->err);
    q->took_ns = rig->bench.os.now_ns - began_ns;
    assert_int_equal(log_capture_count(&rig->capture, "secret"), 0);
    assert_int_equal(log_capture_count(&rig->capture, "internals"), 0);
    assert_int_equal(log_capture_count(&rig->capture, "TOKEN"), 0);
    return result;
}

static void assert_logged(const struct agent_rig *rig, size_t times, const char *text)
{
    if (log_capture_count(&rig->capture, text) == times)
        return;
    fail_msg("not %zu times: %s\n%s", times, text, log_capture_text(&rig->capture));
}

static int64_t sent_after_ns(const struct agent_rig *rig, size_t request)
{
    return rig->bench.http.sent[request].at_ns - rig->bench.http.sent[0].at_ns;
}

static void an_answer_is_one_request(void **state)
{
    (void)state;
    static const struct fake_answer answers[] = {RIG_ANSWER};
    struct agent_rig rig;
    struct question q;
    agent_rig_open(&rig, answers, 1, NULL);
    assert_int_equal(ask(&rig, 28400 * MS, &q), 0);
    assert_string_equal(q.outcome.result.answer.text, "a secret answer");
    assert_int_equal(q.outcome.attempts, 1);
    assert_int_equal(q.outcome.waited_ns, 0);
    assert_int_equal(rig.bench.http.calls, 1);
    assert_int_equal(rig.bench.http.sent[0].timeout_ns, 28400 * MS);
    assert_logged(&rig, 0, "{");
    model_outcome_free(&q.outcome);
    agent_rig_close(&rig);
}

/* Layer 2 waits for 2 s, then 4 s, and up to half as much again. */
static const struct {
    double draw;
    int64_t first_ns, second_ns;
    const char *first, *second;
} throttled_twice[] = {
    {0, 2 * S, 4 * S, "1/6, retrying in 2.00s\"", "2/6, retrying in 4.00s\""},
    {0.5, 2500 * MS, 5 * S, "1/6, retrying in 2.50s\"", "2/6, retrying in 5.00s\""},
    {0.75, 2750 * MS, 5500 * MS, "1/6, retrying in 2.75s\"", "2/6, retrying in 5.50s\""},
    {1 - 0x1p-50, 3 * S, 6 * S, "1/6, retrying in 3.00s\"", "2/6, retrying in 6.00s\""},
};

static void two_throttles_are_waited_out(void **state)
{
    (void)state;
    static const struct fake_answer answers[] = {RIG_THROTTLE, RIG_THROTTLE, RIG_ANSWER};
    for (size_t i = 0; i < COUNT(throttled_twice); i++) {
        struct agent_rig rig;
        struct question q;
        agent_rig_open(&rig, answers, COUNT(answers), NULL);
        rig.bench.os.draw = throttled_twice[i].draw;
        assert_int_equal(ask(&rig, NO_DEADLINE, &q), 0);
        assert_int_equal(rig.bench.http.calls, 3);
        assert_int_equal(q.outcome.attempts, 3);
        int64_t first_ns = sent_after_ns(&rig, 1);
        int64_t second_ns = sent_after_ns(&rig, 2) - first_ns;
        assert_in_range(first_ns, throttled_twice[i].first_ns - 1, throttled_twice[i].first_ns);
        assert_in_range(second_ns, throttled_twice[i].second_ns - 1, throttled_twice[i].second_ns);
        assert_int_equal(q.outcome.waited_ns, first_ns + second_ns);
        assert_int_equal(rig.bench.os.sleeps, 2);
        assert_logged(&rig, 2, "\"message\":\"Throttling error on attempt ");
        assert_logged(&rig, 1, throttled_twice[i].first);
        assert_logged(&rig, 1, throttled_twice[i].second);
        assert_logged(&rig, 2, "\"session_id\":\"s-1\",\"kind\":\"throttled\"");
        model_outcome_free(&q.outcome);
        agent_rig_close(&rig);
    }
}

static void a_line_about_a_throttle_carries_the_numbers_behind_it(void **state)
{
    (void)state;
    static const struct fake_answer answers[] = {RIG_THROTTLE, RIG_ANSWER};
    struct agent_rig rig;
    struct question q;
    agent_rig_open(&rig, answers, COUNT(answers), NULL);
    rig.bench.os.draw = 0.75;
    assert_int_equal(ask(&rig, 60 * S, &q), 0);
    assert_logged(&rig, 1,
                  "{\"timestamp\":\"2026-11-23T12:00:00.000Z\",\"level\":\"WARN\",\"message\":"
                  "\"Throttling error on attempt 1/6, retrying in 2.75s\",\"requestId\":\"r-1\","
                  "\"session_id\":\"s-1\",\"kind\":\"throttled\",\"detail\":\"Bedrock answered 429 "
                  "ThrottlingException");
    assert_logged(&rig, 1, "\"wait_s\":2.750,\"service_request_id\":\"service-1\"}");
    model_outcome_free(&q.outcome);
    agent_rig_close(&rig);
}

static void throttles_without_end_end_after_six_attempts(void **state)
{
    (void)state;
    static const struct fake_answer answers[] = {RIG_THROTTLE};
    static const int64_t at_s[] = {0, 2, 6, 14, 30, 60};
    struct agent_rig rig;
    struct question q;
    agent_rig_open(&rig, answers, 1, NULL);
    rig.bench.os.draw = 0;
    assert_int_equal(ask(&rig, NO_DEADLINE, &q), -1);
    assert_int_equal(q.err.kind, ERROR_THROTTLED);
    assert_int_equal(rig.bench.http.calls, COUNT(at_s));
    for (size_t i = 0; i < COUNT(at_s); i++)
        assert_int_equal(sent_after_ns(&rig, i), at_s[i] * S);
    assert_true(q.outcome.retry_after_ns >= 30 * S);
    for (int i = 1; i <= 5; i++) {
        char line[64];
        (void)snprintf(line, sizeof line, "Throttling error on attempt %d/6, retrying in ", i);
        assert_logged(&rig, 1, line);
    }
    assert_logged(&rig, 1, "Throttling error on attempt 6/6, giving up");
    assert_logged(&rig, 6, "\"session_id\":\"s-1\"");
    model_outcome_free(&q.outcome);
    agent_rig_close(&rig);
}

/* Each attempt takes `latency_ns`; the model is expected to take 3 s. */
static const struct {
    int64_t budget_ns, latency_ns;
    double draw;
    size_t attempts;
} bounded[] = {
    {28400 * MS, 0, 0, 4},
    {28400 * MS, 0, 0.9, 4},
    {28400 * MS, 2 * S, 0, 4},
    {28400 * MS, 2 * S, 0.99, 3},
    {4900 * MS, 0, 0, 1},
    {4900 * MS, 0, 0.9, 1},
    {6 * S, 0, 0.5, 2},
    {5 * S, 0, 0, 2},
    {5 * S - 1, 0, 0, 1},
    {1 * S, 0, 0, 1},
    {1, 0, 0, 1},
};

static void no_wait_is_begun_that_leaves_too_little_time(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(bounded); i++) {
        struct fake_answer answer = RIG_THROTTLE;
        answer.takes_ns = bounded[i].latency_ns;
        struct agent_rig rig;
        struct question q;
        agent_rig_open(&rig, &answer, 1, NULL);
        rig.bench.os.draw = bounded[i].draw;
        assert_int_equal(ask(&rig, bounded[i].budget_ns, &q), -1);
        assert_int_equal(q.err.kind, ERROR_THROTTLED);
        assert_true(q.took_ns <= bounded[i].budget_ns);
        assert_true(q.outcome.retry_after_ns > 0);
        assert_int_equal(rig.bench.http.calls, bounded[i].attempts);
        assert_logged(&rig, 1, "/6, giving up");
        model_outcome_free(&q.outcome);
        agent_rig_close(&rig);
    }
}

static const struct {
    struct fake_answer answers[2];
    const char *word;
} transient[] = {
    {{RIG_FAILURE(500, "InternalServerException"), RIG_ANSWER}, "server_fault"},
    {{RIG_FAILURE(503, "ServiceUnavailableException"), RIG_ANSWER}, "service_unavailable"},
    {{RIG_FAILURE(429, "ModelNotReadyException"), RIG_ANSWER}, "model_not_ready"},
    {{{.status = 502, .body = "<html>the internals"}, RIG_ANSWER}, "server_fault"},
    {{RIG_CUT, RIG_ANSWER}, "connection_failed"},
    {{{.status = 424,
       .headers = "x-amzn-ErrorType: ModelErrorException\n",
       .body = "{\"originalStatusCode\":500}"},
      RIG_ANSWER},
     "model_fault"},
};

static void a_fault_that_passes_is_tried_again_by_layer_1(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(transient); i++) {
        struct agent_rig rig;
        struct question q;
        char kind[64];
        agent_rig_open(&rig, transient[i].answers, 2, NULL);
        rig.bench.os.draw = 0.25;
        assert_int_equal(ask(&rig, 28400 * MS, &q), 0);
        assert_int_equal(rig.bench.http.calls, 2);
        assert_int_equal(sent_after_ns(&rig, 1), 250 * MS);
        assert_logged(&rig, 1, "Transient error on attempt 1/");
        assert_logged(&rig, 1, ", retrying in 0.25s\"");
        (void)snprintf(kind, sizeof kind, "\"kind\":\"%s\"", transient[i].word);
        assert_logged(&rig, 1, kind);
        assert_logged(&rig, 0, "hrottl");
        model_outcome_free(&q.outcome);
        agent_rig_close(&rig);
    }
}

static void faults_without_end_end_after_eleven_attempts(void **state)
{
    (void)state;
    static const struct fake_answer answers[] = {RIG_FAILURE(500, "InternalServerException")};
    struct agent_rig rig;
    struct question q;
    agent_rig_open(&rig, answers, 1, NULL);
    rig.bench.os.draw = 0.5;
    assert_int_equal(ask(&rig, NO_DEADLINE, &q), -1);
    assert_int_equal(q.err.kind, ERROR_SERVER_FAULT);
    assert_int_equal(rig.bench.http.calls, 11);
    /* Half of 1, 2, 4, 8, 16, 32, and then of 60 seconds. */
    assert_int_equal(sent_after_ns(&rig, 10), (63 + 4 * 60) * S / 2);
    assert_logged(&rig, 1, "Transient error on attempt 10/11");
    assert_logged(&rig, 1, "\"Model call failed: server_fault\"");
    assert_logged(&rig, 1, "\"attempts\":11,\"bedrock_status\":500");
    assert_logged(&rig, 0, "hrottl");
    model_outcome_free(&q.outcome);
    agent_rig_close(&rig);
}

static void a_fault_of_the_models_own_is_tried_once_more(void **state)
{
    (void)state;
    static const struct fake_answer answers[] = {
        {.status = 424,
         .headers = "x-amzn-ErrorType: ModelErrorException\n",
         .body = "{\"originalStatusCode\":500}"}};
    struct agent_rig rig;
    struct question q;
    agent_rig_open(&rig, answers, 1, NULL);
    assert_int_equal(ask(&rig, NO_DEADLINE, &q), -1);
    assert_int_equal(q.err.kind, ERROR_MODEL_FAULT);
    assert_int_equal(rig.bench.http.calls, 2);
    model_outcome_free(&q.outcome);
    agent_rig_close(&rig);
}

static void the_layers_count_their_own_failures(void **state)
{
    (void)state;
    static const struct fake_answer answers[] = {RIG_THROTTLE,
                                                 RIG_FAILURE(500, "InternalServerException"),
                                                 RIG_THROTTLE, RIG_CUT, RIG_ANSWER};
    struct agent_rig rig;
    struct question q;
    agent_rig_open(&rig, answers, COUNT(answers), NULL);
    assert_int_equal(ask(&rig, NO_DEADLINE, &q), 0);
    assert_int_equal(rig.bench.http.calls, 5);
    assert_logged(&rig, 1, "Throttling error on attempt 1/6");
    assert_logged(&rig, 1, "Transient error on attempt 1/11");
    assert_logged(&rig, 1, "Throttling error on attempt 2/6");
    assert_logged(&rig, 1, "Transient error on attempt 2/11");
    model_outcome_free(&q.outcome);
    agent_rig_close(&rig);
}

static const struct {
    struct fake_answer answer;
    enum error_kind kind;
} hopeless[] = {
    {RIG_FAILURE(403, "AccessDeniedException"), ERROR_ACCESS_DENIED},
    {RIG_FAILURE(400, "ValidationException"), ERROR_VALIDATION},
    {RIG_FAILURE(404, "ResourceNotFoundException"), ERROR_NO_SUCH_MODEL},
    {RIG_FAILURE(408, "ModelTimeoutException"), ERROR_MODEL_TIMEOUT},
    {RIG_FAILURE(424, "ModelErrorException"), ERROR_MODEL_ERROR},
    {RIG_FAILURE(409, "ConflictException"), ERROR_CONFLICT},
    {RIG_FAILURE(400, "ServiceQuotaExceededException"), ERROR_QUOTA_EXCEEDED},
    {{.status = 200, .body = "<html>a secret"}, ERROR_BAD_ANSWER},
    {{.status = 200, .body = "{}"}, ERROR_BAD_ANSWER},
    {RIG_ANSWER_WITH("", "end_turn"), ERROR_EMPTY_ANSWER},
};

static void what_will_not_get_better_is_tried_once(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(hopeless); i++) {
        struct agent_rig rig;
        struct question q;
        char line[64];
        agent_rig_open(&rig, &hopeless[i].answer, 1, NULL);
        assert_int_equal(ask(&rig, NO_DEADLINE, &q), -1);
        assert_int_equal(q.err.kind, hopeless[i].kind);
        assert_int_equal(rig.bench.http.calls, 1);
        assert_int_equal(q.took_ns, 0);
        (void)snprintf(line, sizeof line,
                       "\"level\":\"ERROR\",\"message\":\"Model call failed: %s\"",
                       error_word(hopeless[i].kind));
        assert_logged(&rig, 1, line);
        model_outcome_free(&q.outcome);
        agent_rig_close(&rig);
    }
}

static const struct {
    struct fake_answer answer;
    int64_t budget_ns;
    int64_t took_ns;
    enum error_kind kind;
} hangs[] = {
    {{.takes_ns = 3600 * S}, 28400 * MS, 28400 * MS, ERROR_DEADLINE},
    {{.takes_ns = 3600 * S}, 1 * S, 1 * S, ERROR_DEADLINE},
    /* the connection breaks just then */
    {{.takes_ns = 5 * S, .failure = ERROR_CONNECTION}, 5 * S, 5 * S, ERROR_DEADLINE},
    /* BEDROCK_READ_TIMEOUT */
    {{.takes_ns = 3600 * S}, NO_DEADLINE, 120 * S, ERROR_READ_TIMEOUT},
    {{.takes_ns = 3600 * S}, 900 * S, 120 * S, ERROR_READ_TIMEOUT},
};

static void a_model_that_hangs_is_left_in_time_and_not_asked_again(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(hangs); i++) {
        struct agent_rig rig;
        struct question q;
        agent_rig_open(&rig, &hangs[i].answer, 1, NULL);
        assert_int_equal(ask(&rig, hangs[i].budget_ns, &q), -1);
        assert_int_equal(q.err.kind, hangs[i].kind);
        assert_int_equal(error_status(q.err.kind), 504);
        assert_int_equal(q.took_ns, hangs[i].took_ns);
        assert_int_equal(rig.bench.http.calls, 1);
        model_outcome_free(&q.outcome);
        agent_rig_close(&rig);
    }
}

static void a_question_that_is_too_late_is_not_sent(void **state)
{
    (void)state;
    static const struct fake_answer answers[] = {RIG_ANSWER};
    static const int64_t budgets_ns[] = {0, -1, -30 * S};
    for (size_t i = 0; i < COUNT(budgets_ns); i++) {
        struct agent_rig rig;
        struct question q;
        agent_rig_open(&rig, answers, 1, NULL);
        assert_int_equal(ask(&rig, budgets_ns[i], &q), -1);
        assert_int_equal(q.err.kind, ERROR_DEADLINE);
        assert_int_equal(rig.bench.http.calls, 0);
        assert_int_equal(q.took_ns, 0);
        model_outcome_free(&q.outcome);
        agent_rig_close(&rig);
    }
}

static void questions_beyond_the_burst_are_spaced_exactly(void **state)
{
    (void)state;
    static const struct fake_answer answers[] = {RIG_ANSWER};
    static const char *const settings[] = {"BEDROCK_RATE_LIMIT", "60", "BEDROCK_BURST", "1", NULL};
    struct agent_rig rig;
    agent_rig_open(&rig, answers, 1, settings);
    for (size_t i = 0; i < 10; i++) {
        struct question q;
        assert_int_equal(ask(&rig, 28400 * MS, &q), 0);
        assert_int_equal(sent_after_ns(&rig, i), (int64_t)i * S);
        assert_int_equal(q.outcome.waited_ns, i == 0 ? 0 : S);
        model_outcome_free(&q.outcome);
    }
    assert_logged(&rig, 9, "\"level\":\"INFO\",\"message\":\"Waiting 1.00s for the rate limiter\"");
    agent_rig_close(&rig);
}

static void a_question_that_would_wait_too_long_is_refused_at_once(void **state)
{
    (void)state;
    static const struct fake_answer answers[] = {RIG_ANSWER};
    static const char *const settings[] = {
        "BEDROCK_RATE_LIMIT", "6", "BEDROCK_BURST", "1", "BEDROCK_RATE_TIMEOUT", "1", NULL};
    struct agent_rig rig;
    struct question q;
    agent_rig_open(&rig, answers, 1, settings);
    assert_int_equal(ask(&rig, 28400 * MS, &q), 0);
    model_outcome_free(&q.outcome);
    assert_logged(&rig, 0, "{");
    assert_int_equal(ask(&rig, 28400 * MS, &q), -1);
    assert_int_equal(q.err.kind, ERROR_RATE_LIMITED);
    assert_int_equal(rig.bench.http.calls, 1);
    assert_int_equal(q.took_ns, 0);
    assert_int_equal(q.outcome.attempts, 0);
    assert_int_equal(q.outcome.retry_after_ns, 9 * S);
    assert_logged(
        &rig, 1,
        "\"level\":\"WARN\",\"message\":\"Rate limiter timeout after 1.0s\",\"requestId\":"
        "\"r-1\",\"session_id\":\"s-1\",\"kind\":\"rate_limited\",\"needed_wait_s\":10.000}");
    assert_logged(&rig, 1,
                  "\"level\":\"WARN\",\"message\":\"Rate limit exceeded\",\"requestId\":\"r-1\","
                  "\"session_id\":\"s-1\",\"kind\":\"rate_limited\",\"needed_wait_s\":10.000,"
                  "\"retry_after_s\":9.000}");
    model_outcome_free(&q.outcome);
    /* It told the truth: not a moment earlier, and then at once. */
    fake_os_advance(&rig.bench.os, 9 * S - 1);
    assert_int_equal(ask(&rig, 28400 * MS, &q), -1);
    model_outcome_free(&q.outcome);
    fake_os_advance(&rig.bench.os, 1);
    assert_int_equal(ask(&rig, 28400 * MS, &q), 0);
    assert_int_equal(q.outcome.waited_ns, S);
    model_outcome_free(&q.outcome);
    agent_rig_close(&rig);
}

static void a_refusal_for_want_of_time_is_no_timeout_of_the_limiter(void **state)
{
    (void)state;
    static const struct fake_answer answers[] = {RIG_ANSWER};
    static const char *const settings[] = {"BEDROCK_RATE_LIMIT", "6", "BEDROCK_BURST", "1", NULL};
    struct agent_rig rig;
    struct question q;
    agent_rig_open(&rig, answers, 1, settings);
    assert_int_equal(ask(&rig, 8 * S, &q), 0);
    model_outcome_free(&q.outcome);
    assert_int_equal(ask(&rig, 8 * S, &q), -1);
    assert_int_equal(q.err.kind, ERROR_RATE_LIMITED);
    assert_int_equal(q.outcome.retry_after_ns, 5 * S); /* 10 s, less the 8 - 3 it could wait */
    assert_logged(&rig, 0, "Rate limiter timeout");
    assert_logged(&rig, 1, "\"Rate limit exceeded\"");
    model_outcome_free(&q.outcome);
    agent_rig_close(&rig);
}

static const struct {
    struct fake_answer answer;
    int64_t hint_ns;
} hints[] = {
    {RIG_THROTTLE_WITH("Retry-After: 7\n", "Too many requests"), 7 * S},
    {RIG_THROTTLE_WITH("x-amz-retry-after: 7250\n", "Too many requests"), 7250 * MS},
    /* the backoff is longer */
    {RIG_THROTTLE_WITH("Retry-After: 1\n", "Too many requests"), 2 * S},
    {RIG_THROTTLE_WITH("Retry-After: 0\n", "Too many requests"), 2 * S},
    {RIG_THROTTLE_WITH("Retry-After: soon\n", "Too many requests"), 2 * S},
};

static void a_hint_is_a_floor_for_the_wait(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(hints); i++) {
        const struct fake_answer answers[] = {hints[i].answer, RIG_ANSWER};
        struct agent_rig rig;
        struct question q;
        char line[64];
        agent_rig_open(&rig, answers, COUNT(answers), NULL);
        rig.bench.os.draw = 0;
        assert_int_equal(ask(&rig, 28400 * MS, &q), 0);
        assert_int_equal(sent_after_ns(&rig, 1), hints[i].hint_ns);
        (void)snprintf(line, sizeof line, "retrying in %.2fs", seconds_from_ns(hints[i].hint_ns));
        assert_logged(&rig, 1, line);
        model_outcome_free(&q.outcome);
        agent_rig_close(&rig);
    }
}

static void a_hint_beyond_the_deadline_is_the_callers(void **state)
{
    (void)state;
    static const struct fake_answer answers[] = {
        RIG_THROTTLE_WITH("Retry-After: 45\n", "Too many requests"), RIG_ANSWER};
    struct agent_rig rig;
    struct question q;
    agent_rig_open(&rig, answers, COUNT(answers), NULL);
    assert_int_equal(ask(&rig, 28400 * MS, &q), -1);
    assert_int_equal(q.err.kind, ERROR_THROTTLED);
    assert_int_equal(rig.bench.http.calls, 1);
    assert_int_equal(q.took_ns, 0);
    assert_int_equal(q.outcome.retry_after_ns, 45 * S);
    model_outcome_free(&q.outcome);
    agent_rig_close(&rig);
}

static void a_quota_for_the_day_comes_back_with_the_day(void **state)
{
    (void)state;
    static const struct fake_answer answers[] = {
        RIG_THROTTLE_WITH("", "Too many tokens per day, please wait before trying again.")};
    static const struct fake_answer hinted[] = {
        RIG_THROTTLE_WITH("Retry-After: 60\n", "Too many tokens per day, please wait.")};
    struct agent_rig rig;
    struct question q;
    agent_rig_open(&rig, answers, 1, NULL);
    assert_int_equal(ask(&rig, NO_DEADLINE, &q), -1);
    assert_int_equal(q.err.kind, ERROR_THROTTLED_DAY);
    assert_int_equal(rig.bench.http.calls, 1);
    assert_int_equal(q.outcome.retry_after_ns, 12 * 3600 * S); /* it is noon */
    model_outcome_free(&q.outcome);
    agent_rig_close(&rig);
    agent_rig_open(&rig, hinted, 1, NULL);
    assert_int_equal(ask(&rig, NO_DEADLINE, &q), -1);
    assert_int_equal(q.outcome.retry_after_ns, 60 * S);
    model_outcome_free(&q.outcome);
    agent_rig_close(&rig);
}

static void tokens_per_minute_are_waited_for_like_requests(void **state)
{
    (void)state;
    static const struct fake_answer answers[] = {
        RIG_THROTTLE_WITH("", "Too many tokens, please wait before trying again."), RIG_ANSWER};
    struct agent_rig rig;
    struct question q;
    agent_rig_open(&rig, answers, COUNT(answers), NULL);
    assert_int_equal(ask(&rig, 28400 * MS, &q), 0);
    assert_logged(&rig, 1, "Throttling error on attempt 1/6, retrying in ");
    assert_logged(&rig, 1, "\"kind\":\"throttled_tokens\"");
    model_outcome_free(&q.outcome);
    agent_rig_close(&rig);
}

/* The value of a header that was sent; to be freed. */
static char *sent_header(const struct agent_rig *rig, size_t request, const char *name)
{
    const char *at = strstr(rig->bench.http.sent[request].headers, name);
    assert_non_null(at);
    at += strlen(name);
    return strndup(at, strcspn(at, "\n"));
}

static void attempts_of_one_question_are_numbered_and_share_an_id(void **state)
{
    (void)state;
    static const struct fake_answer answers[] = {RIG_CUT, RIG_THROTTLE, RIG_ANSWER};
    struct agent_rig rig;
    struct question q;
    char *ids[4];
    agent_rig_open(&rig, answers, COUNT(answers), NULL);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(ask(&rig, 28400 * MS, &q), 0);
        model_outcome_free(&q.outcome);
    }
    static const char *const numbers[] = {"attempt=1; max=16", "attempt=2; max=16",
                                          "attempt=3; max=16", "attempt=1; max=16"};
    for (size_t i = 0; i < COUNT(ids); i++) {
        char *number = sent_header(&rig, i, "amz-sdk-request: ");
        assert_string_equal(number, numbers[i]);
        free(number);
        ids[i] = sent_header(&rig, i, "amz-sdk-invocation-id: ");
        assert_int_equal(strlen(ids[i]), OS_UUID_SIZE - 1);
    }
    assert_string_equal(ids[0], ids[1]);
    assert_string_equal(ids[0], ids[2]);
    assert_string_not_equal(ids[0], ids[3]);
    for (size_t i = 0; i < COUNT(ids); i++)
        free(ids[i]);
    agent_rig_close(&rig);
}

static void retries_may_be_switched_off(void **state)
{
    (void)state;
    static const struct fake_answer failures[] = {RIG_THROTTLE, RIG_CUT};
    static const char *const settings[] = {"BEDROCK_MAX_RETRIES", "0", "BEDROCK_APP_RETRIES", "0",
                                           NULL};
    for (size_t i = 0; i < COUNT(failures); i++) {
        struct agent_rig rig;
        struct question q;
        agent_rig_open(&rig, &failures[i], 1, settings);
        assert_int_equal(ask(&rig, NO_DEADLINE, &q), -1);
        assert_int_equal(rig.bench.http.calls, 1);
        model_outcome_free(&q.outcome);
        agent_rig_close(&rig);
    }
}

static void zeroed_structs_may_be_freed(void **state)
{
    (void)state;
    struct model model = {0};
    struct model_outcome outcome = {0};
    model_free(&model);
    model_outcome_free(&outcome);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_answer_is_one_request),
        cmocka_unit_test(two_throttles_are_waited_out),
        cmocka_unit_test(a_line_about_a_throttle_carries_the_numbers_behind_it),
        cmocka_unit_test(throttles_without_end_end_after_six_attempts),
        cmocka_unit_test(no_wait_is_begun_that_leaves_too_little_time),
        cmocka_unit_test(a_fault_that_passes_is_tried_again_by_layer_1),
        cmocka_unit_test(faults_without_end_end_after_eleven_attempts),
        cmocka_unit_test(a_fault_of_the_models_own_is_tried_once_more),
        cmocka_unit_test(the_layers_count_their_own_failures),
        cmocka_unit_test(what_will_not_get_better_is_tried_once),
        cmocka_unit_test(a_model_that_hangs_is_left_in_time_and_not_asked_again),
        cmocka_unit_test(a_question_that_is_too_late_is_not_sent),
        cmocka_unit_test(questions_beyond_the_burst_are_spaced_exactly),
        cmocka_unit_test(a_question_that_would_wait_too_long_is_refused_at_once),
        cmocka_unit_test(a_refusal_for_want_of_time_is_no_timeout_of_the_limiter),
        cmocka_unit_test(a_hint_is_a_floor_for_the_wait),
        cmocka_unit_test(a_hint_beyond_the_deadline_is_the_callers),
        cmocka_unit_test(a_quota_for_the_day_comes_back_with_the_day),
        cmocka_unit_test(tokens_per_minute_are_waited_for_like_requests),
        cmocka_unit_test(attempts_of_one_question_are_numbered_and_share_an_id),
        cmocka_unit_test(retries_may_be_switched_off),
        cmocka_unit_test(zeroed_structs_may_be_freed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
