#include "handler/metrics.h"

#include "base/emf.h"
#include "base/os.h"

static const char *const dimension_names[] = {"function_name", "model"};

/* How many of them a metric has. */
enum { BY_FUNCTION = 1, BY_MODEL = 2 };

/* X(METRIC, name, unit, dimensions). The outcomes stand in the order of base/outcome.h. */
#define METRICS(X)                                                                                 \
    X(REQUESTS, "Requests", "Count", BY_FUNCTION)                                                  \
    X(ANSWERED, "RequestsAnswered", "Count", BY_FUNCTION)                                          \
    X(REFUSED, "RequestsRefused", "Count", BY_FUNCTION)                                            \
    X(TIMED_OUT, "RequestsTimedOut", "Count", BY_FUNCTION)                                         \
    X(REJECTED, "RequestsRejected", "Count", BY_FUNCTION)                                          \
    X(FAILED, "RequestsFailed", "Count", BY_FUNCTION)                                              \
    X(UNAVAILABLE, "RequestsUnavailable", "Count", BY_FUNCTION)                                    \
    X(OTHER, "RequestsOther", "Count", BY_FUNCTION)                                                \
    X(LATENCY, "RequestLatency", "Milliseconds", BY_FUNCTION)                                      \
    X(REMAINING, "RemainingBudget", "Milliseconds", BY_FUNCTION)                                   \
    X(THROTTLES, "Throttles", "Count", BY_FUNCTION)                                                \
    X(THROTTLES_REQUESTS, "ThrottlesByRequests", "Count", BY_FUNCTION)                             \
    X(THROTTLES_TOKENS, "ThrottlesByTokens", "Count", BY_FUNCTION)                                 \
    X(THROTTLES_DAY, "ThrottlesByTokensPerDay", "Count", BY_FUNCTION)                              \
    X(NOT_READY, "ModelNotReady", "Count", BY_FUNCTION)                                            \
    X(LIMITER_WAITS, "RateLimiterWaits", "Count", BY_FUNCTION)                                     \
    X(LIMITER_WAIT_TIME, "RateLimiterWaitTime", "Milliseconds", BY_FUNCTION)                       \
    X(LIMITER_TIMEOUTS, "RateLimiterTimeouts", "Count", BY_FUNCTION)                               \
    X(RETRIES, "Retries", "Count", BY_FUNCTION)                                                    \
    X(MODEL_CALLS, "ModelCalls", "Count", BY_FUNCTION)                                             \
    X(MODEL_LATENCY, "ModelLatency", "Milliseconds", BY_MODEL)                                     \
    X(INPUT_TOKENS, "InputTokens", "Count", BY_MODEL)                                              \
    X(OUTPUT_TOKENS, "OutputTokens", "Count", BY_MODEL)                                            \
    X(COLD_START, "ColdStart", "Count", BY_FUNCTION)                                               \
    X(INIT_DURATION, "InitDuration", "Milliseconds", BY_FUNCTION)

enum metric {
#define METRIC_ENUM(metric, ...) METRIC_##metric,
    METRICS(METRIC_ENUM)
#undef METRIC_ENUM
        METRIC_COUNT
};

static const struct row {
    const char *name, *unit;
    size_t dimension_count;
} table[METRIC_COUNT] = {
#define METRIC_ROW(metric, name, unit, dimensions) {name, unit, dimensions},
    METRICS(METRIC_ROW)
#undef METRIC_ROW
};

_Static_assert(METRIC_COUNT <= EMF_METRICS_MAX, "more metrics than a directive may have");
#define OUTCOME_HAS_METRIC(outcome, word)                                                          \
    _Static_assert((int)METRIC_ANSWERED + (int)REQUEST_##outcome == (int)METRIC_##outcome,         \
                   "outcomes and their metrics in one order");
REQUEST_OUTCOMES(OUTCOME_HAS_METRIC)
#undef OUTCOME_HAS_METRIC

const char *metrics_outcome_word(const struct metrics_invocation *invocation)
{
    static const char *const words[] = {
#define OUTCOME_WORD(outcome, word) word,
        REQUEST_OUTCOMES(OUTCOME_WORD)
#undef OUTCOME_WORD
    };
    return invocation->is_chat ? words[invocation->outcome] : "other";
}

/* The values of one invocation; those without are absent. */
struct values {
    double single[METRIC_COUNT];
    bool has[METRIC_COUNT];
    double latencies_ms[TALLY_LATENCIES_MAX];
    size_t latency_count;
};

static void set(struct values *values, enum metric metric, double value)
{
    values->single[metric] = value;
    values->has[metric] = true;
}

static double ms(int64_t ns)
{
    return ns > 0 ? (double)ns / (double)NS_PER_MS : 0;
}

static void set_model(struct values *values, const struct tally *tally)
{
    int throttles = tally->throttles_by_requests + tally->throttles_by_tokens +
                    tally->throttles_by_tokens_per_day;
    set(values, METRIC_THROTTLES, throttles);
    set(values, METRIC_THROTTLES_REQUESTS, tally->throttles_by_requests);
    set(values, METRIC_THROTTLES_TOKENS, tally->throttles_by_tokens);
    set(values, METRIC_THROTTLES_DAY, tally->throttles_by_tokens_per_day);
    set(values, METRIC_NOT_READY, tally->not_ready);
    set(values, METRIC_LIMITER_WAITS, tally->limiter_waits);
    set(values, METRIC_LIMITER_WAIT_TIME, ms(tally->limiter_wait_ns));
    set(values, METRIC_LIMITER_TIMEOUTS, tally->limiter_timeouts);
    set(values, METRIC_RETRIES, tally->attempts > 1 ? tally->attempts - 1 : 0);
    set(values, METRIC_MODEL_CALLS, tally->attempts);
    if (tally->input.told > 0)
        set(values, METRIC_INPUT_TOKENS, (double)tally->input.sum);
    if (tally->output.told > 0)
        set(values, METRIC_OUTPUT_TOKENS, (double)tally->output.sum);
    for (size_t i = 0; i < tally->latency_count; i++)
        values->latencies_ms[i] = ms(tally->latencies_ns[i]);
    values->latency_count = tally->latency_count;
}

static void set_chat(struct values *values, const struct metrics_invocation *invocation)
{
    set(values, METRIC_REQUESTS, 1);
    for (int outcome = 0; outcome < REQUEST_OUTCOME_COUNT; outcome++)
        set(values, (enum metric)((int)METRIC_ANSWERED + outcome),
            outcome == (int)invocation->outcome);
    set(values, METRIC_LATENCY, ms(invocation->latency_ns));
    set(values, METRIC_REMAINING, ms(invocation->remaining_ns));
    set_model(values, invocation->tally);
}

static struct json_object *new_document(const struct values *values,
                                        const struct settings *settings, int64_t wall_ns)
{
    const struct emf_dimension dimensions[] = {
        {dimension_names[0], settings->function_name},
        {dimension_names[1], settings->model_id},
    };
    struct emf_metric metrics[METRIC_COUNT];
    for (size_t i = 0; i < METRIC_COUNT; i++)
        metrics[i] = (struct emf_metric){.name = table[i].name,
                                         .unit = table[i].unit,
                                         .dimension_count = table[i].dimension_count,
                                         .values = &values->single[i],
                                         .count = values->has[i]};
    metrics[METRIC_MODEL_LATENCY].is_list = true;
    metrics[METRIC_MODEL_LATENCY].values = values->latencies_ms;
    metrics[METRIC_MODEL_LATENCY].count = values->latency_count;
    const struct emf_document document = {
        .name_space = settings->metrics_namespace,
        .wall_ns = wall_ns,
        .dimensions = dimensions,
        .dimension_count = sizeof dimensions / sizeof dimensions[0],
        .metrics = metrics,
        .metric_count = METRIC_COUNT,
    };
    return emf_new(&document);
}

struct json_object *metrics_document(const struct metrics_invocation *invocation,
                                     const struct settings *settings, int64_t wall_ns)
{
    struct values values = {0};
    if (invocation->is_chat)
        set_chat(&values, invocation);
    else
        set(&values, METRIC_OTHER, 1);
    if (invocation->init_ns >= 0) {
        set(&values, METRIC_COLD_START, 1);
        set(&values, METRIC_INIT_DURATION, ms(invocation->init_ns));
    }
    return new_document(&values, settings, wall_ns);
}

void metrics_print(FILE *out)
{
    for (size_t i = 0; i < METRIC_COUNT; i++)
        (void)fprintf(out, "%s\t%s\t%s%s%s\n", table[i].name, table[i].unit, dimension_names[0],
                      table[i].dimension_count > 1 ? "," : "",
                      table[i].dimension_count > 1 ? dimension_names[1] : "");
}
