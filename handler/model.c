#include "handler/model.h"

#define DAY_NS (24 * 60 * 60 * NS_PER_S)

static struct throttle_settings throttle_settings(const struct settings *s)
{
    return (struct throttle_settings){
        .per_minute = s->rate_limit,
        .burst = s->burst,
        .rate_timeout_ns = ns_from_seconds(s->rate_timeout_s),
        .expected_ns = ns_from_seconds(s->expected_latency_s),
        .sdk_retries = s->max_retries,
        .sdk = {ns_from_seconds(s->base_delay_s), ns_from_seconds(s->max_delay_s)},
        .app_retries = s->app_retries,
        .app = {ns_from_seconds(s->app_base_delay_s), ns_from_seconds(s->app_max_delay_s)},
    };
}

int model_init(struct model *model, const struct settings *settings, struct bedrock *bedrock,
               const struct os *os, struct error *err)
{
    *model = (struct model){.os = os, .bedrock = bedrock};
    if (pthread_mutex_init(&model->lock, NULL) != 0)
        return error_set(err, ERROR_MEMORY, "no memory for a lock");
    struct throttle_settings throttle = throttle_settings(settings);
    throttle_init(&model->throttle, &throttle, os_now_ns(os));
    return 0;
}

void model_free(struct model *model)
{
    if (model->os != NULL)
        pthread_mutex_destroy(&model->lock);
    *model = (struct model){0};
}

/* One call in progress. */
struct asking {
    struct model *model;
    const struct model_question *question;
    struct model_outcome *outcome;
    struct error *err;
    struct throttle_call call;
    char invocation_id[OS_UUID_SIZE];
};

static struct throttle_step next_step(struct asking *a)
{
    pthread_mutex_lock(&a->model->lock);
    struct throttle_step step =
        throttle_next(&a->model->throttle, &a->call, os_now_ns(a->model->os));
    pthread_mutex_unlock(&a->model->lock);
    return step;
}

static void report(struct asking *a, const struct throttle_outcome *outcome)
{
    pthread_mutex_lock(&a->model->lock);
    throttle_report(&a->model->throttle, &a->call, outcome, os_now_ns(a->model->os));
    pthread_mutex_unlock(&a->model->lock);
}

static int64_t until_next_utc_day_ns(const struct os *os)
{
    return DAY_NS - os_wall_ns(os) % DAY_NS;
}

static int64_t time_left_ns(const struct asking *a)
{
    return a->question->answer_by_ns - os_now_ns(a->model->os);
}

/* What ran into the deadline is told as that, wherever in the exchange it happened. */
static enum error_kind kind_of_failure(const struct asking *a)
{
    bool cut_off = a->err->kind == ERROR_CONNECTION || a->err->kind == ERROR_READ_TIMEOUT ||
                   a->err->kind == ERROR_CREDENTIALS;
    return cut_off && time_left_ns(a) <= 0 ? ERROR_DEADLINE : a->err->kind;
}

static void send_attempt(struct asking *a)
{
    struct bedrock_result *result = &a->outcome->result;
    const struct throttle_settings *limits = &a->model->throttle.settings;
    const struct bedrock_call call = {
        .message = a->question->message,
        .message_length = a->question->message_length,
        .invocation_id = a->invocation_id,
        .attempt = ++a->outcome->attempts,
        .max_attempts = 1 + limits->sdk_retries + limits->app_retries,
        .timeout_ns = time_left_ns(a),
    };
    bedrock_result_free(result);
    struct throttle_outcome outcome = {.draw = os_draw(a->model->os), .retry_hint_ns = -1};
    int64_t began_ns = os_now_ns(a->model->os);
    if (bedrock_invoke(a->model->bedrock, &call, result, a->err) != 0) {
        outcome.kind = kind_of_failure(a);
        outcome.retry_hint_ns = result->retry_hint_ns;
        if (outcome.kind == ERROR_THROTTLED_DAY && outcome.retry_hint_ns < 0)
            outcome.retry_hint_ns = until_next_utc_day_ns(a->model->os);
    }
    tally_attempt(&a->outcome->tally, outcome.kind, os_now_ns(a->model->os) - began_ns,
                  &result->answer);
    report(a, &outcome);
}

static void log_wait(const struct asking *a, const struct throttle_step *step)
{
    const struct log_scope *scope = a->question->scope;
    double seconds = seconds_from_ns(step->wait_ns);
    if (step->reason == THROTTLE_FOR_TOKEN) {
        log_line(scope, LOG_INFO, LOG_FIELDS(LOG_NUMBER("wait_s", seconds)),
                 "Waiting %.2fs for the rate limiter", seconds);
        return;
    }
    seconds = seconds_from_ns(a->call.failure_delay_ns); /* from the failure on, not from now */
    log_line(scope, LOG_WARN,
             LOG_FIELDS(LOG_STRING("kind", error_word(a->call.failure)),
                        LOG_STRING("detail", a->err->text), LOG_NUMBER("wait_s", seconds),
                        LOG_STRING("service_request_id", a->outcome->result.service_request_id)),
             "%s error on attempt %d/%d, retrying in %.2fs",
             step->reason == THROTTLE_FOR_APP ? "Throttling" : "Transient", step->retry,
             step->retries, seconds);
}

static void wait_for(struct asking *a, const struct throttle_step *step)
{
    log_wait(a, step);
    os_sleep_ns(a->model->os, step->wait_ns);
    a->outcome->waited_ns += step->wait_ns;
    if (step->reason == THROTTLE_FOR_TOKEN)
        tally_limiter_wait(&a->outcome->tally, step->wait_ns);
}

static void log_rate_limited(const struct asking *a, const struct throttle_step *step)
{
    const struct log_scope *scope = a->question->scope;
    const struct throttle_settings *limits = &a->model->throttle.settings;
    if (step->token_wait_ns > limits->rate_timeout_ns)
        log_line(scope, LOG_WARN,
                 LOG_FIELDS(LOG_STRING("kind", error_word(step->cause)),
                            LOG_NUMBER("needed_wait_s", seconds_from_ns(step->token_wait_ns))),
                 "Rate limiter timeout after %.1fs", seconds_from_ns(limits->rate_timeout_ns));
    log_line(scope, LOG_WARN,
             LOG_FIELDS(LOG_STRING("kind", error_word(step->cause)),
                        LOG_NUMBER("needed_wait_s", seconds_from_ns(step->token_wait_ns)),
                        LOG_NUMBER("retry_after_s", seconds_from_ns(step->retry_after_ns))),
             "Rate limit exceeded");
}

static void log_refusal(const struct asking *a, const struct throttle_step *step)
{
    if (step->cause == ERROR_RATE_LIMITED) {
        log_rate_limited(a, step);
        return;
    }
    const struct log_field fields[] = {
        LOG_STRING("kind", error_word(step->cause)),
        LOG_STRING("detail", a->outcome->attempts > 0 ? a->err->text : NULL),
        LOG_INTEGER("attempts", a->outcome->attempts),
        LOG_INTEGER("bedrock_status", a->outcome->result.status),
        LOG_STRING("service_request_id", a->outcome->result.service_request_id),
    };
    size_t count = sizeof fields / sizeof fields[0];
    if (error_retry_class(step->cause) == RETRY_APP)
        log_line(a->question->scope, LOG_WARN, fields, count,
                 "Throttling error on attempt %d/%d, giving up", a->call.throttles,
                 a->model->throttle.settings.app_retries + 1);
    else
        log_line(a->question->scope, LOG_ERROR, fields, count, "Model call failed: %s",
                 error_word(step->cause));
}

static int give_up(struct asking *a, const struct throttle_step *step)
{
    log_refusal(a, step);
    tally_refusal(&a->outcome->tally, step->cause);
    a->outcome->retry_after_ns = step->retry_after_ns;
    a->err->kind = step->cause;
    return -1;
}

int model_ask(struct model *model, const struct model_question *question,
              struct model_outcome *outcome, struct error *err)
{
    *outcome = (struct model_outcome){0};
    *err = (struct error){0};
    struct asking a = {.model = model, .question = question, .outcome = outcome, .err = err};
    os_uuid(model->os, a.invocation_id);
    throttle_begin(&a.call, question->answer_by_ns, os_now_ns(model->os));
    for (;;) {
        struct throttle_step step = next_step(&a);
        switch (step.action) {
        case THROTTLE_WAIT:
            wait_for(&a, &step);
            break;
        case THROTTLE_SEND:
            send_attempt(&a);
            break;
        case THROTTLE_DONE:
            return 0;
        case THROTTLE_REFUSE:
            return give_up(&a, &step);
        }
    }
}

void model_outcome_free(struct model_outcome *outcome)
{
    bedrock_result_free(&outcome->result);
    *outcome = (struct model_outcome){0};
}
