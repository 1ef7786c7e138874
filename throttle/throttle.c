#include "throttle/throttle.h"

#include <math.h>

/*
 * States of a call:
 *
 *   NEEDS_TOKEN -> HAS_SLOT -> SENT -> DONE
 *        ^                      |--> REFUSED
 *        '------ BACKS_OFF <----'
 *
 * and REFUSED from wherever the deadline or the longest wait for a token says so.
 */

#define MINUTE_NS 60e9

static int64_t later(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static int64_t sooner(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

void throttle_init(struct throttle *throttle, const struct throttle_settings *settings,
                   int64_t now_ns)
{
    const struct send_rate_params cubic = {
        .scale = 0.4,
        .beta = 0.7,
        .window_ns = MINUTE_NS,
        .least = 1,
        .most = settings->per_minute,
    };
    throttle->settings = *settings;
    bucket_init(&throttle->bucket, settings->per_minute, settings->burst, now_ns);
    send_rate_init(&throttle->send_rate, &cubic, now_ns);
    retry_quota_init(&throttle->quota);
}

void throttle_begin(struct throttle_call *call, int64_t answer_by_ns, int64_t now_ns)
{
    *call = (struct throttle_call){
        .state = CALL_NEEDS_TOKEN, .began_ns = now_ns, .answer_by_ns = answer_by_ns};
}

/* The bucket follows the learned rate; what it may save up shrinks in proportion. */
static void follow_send_rate(struct throttle *throttle, int64_t now_ns)
{
    const struct throttle_settings *s = &throttle->settings;
    double rate = send_rate_now(&throttle->send_rate, now_ns);
    if (rate != throttle->bucket.per_minute)
        bucket_set_rate(&throttle->bucket, rate, fmax(1, s->burst * (rate / s->per_minute)),
                        now_ns);
}

/* How long a call with `budget_ns` from now to its deadline may wait for its token. */
static int64_t longest_wait_ns(const struct throttle *throttle, int64_t budget_ns)
{
    int64_t room_ns = later(0, budget_ns - throttle->settings.expected_ns);
    return sooner(throttle->settings.rate_timeout_ns, room_ns);
}

static int64_t budget_ns(const struct throttle_call *call, int64_t from_ns)
{
    if (call->answer_by_ns == THROTTLE_NO_DEADLINE)
        return THROTTLE_NO_DEADLINE;
    return call->answer_by_ns - from_ns;
}

/* Could an attempt start after so long, and the model still answer in time? */
static bool fits(const struct throttle *throttle, const struct throttle_call *call, int64_t wait_ns,
                 int64_t now_ns)
{
    return wait_ns <= later(0, budget_ns(call, now_ns) - throttle->settings.expected_ns);
}

/*
 * When the same request, with the time it had when it began, would be let in by the limiter; and
 * when Bedrock throttled, not before its own backoff would have ended.
 */
static int64_t retry_after_ns(const struct throttle *throttle, const struct throttle_call *call,
                              int64_t now_ns)
{
    int64_t patience_ns = longest_wait_ns(throttle, budget_ns(call, call->began_ns));
    int64_t token_ns = bucket_wait_ns(&throttle->bucket, now_ns) - patience_ns;
    int64_t stay_away_ns = call->failed_ns + call->failure_delay_ns - now_ns;
    return later(0, call->attempts > 0 ? later(token_ns, stay_away_ns) : token_ns);
}

static struct throttle_step refuse(const struct throttle *throttle, struct throttle_call *call,
                                   enum error_kind cause, int64_t now_ns)
{
    call->state = CALL_REFUSED;
    call->refusal = cause;
    return (struct throttle_step){
        .action = THROTTLE_REFUSE,
        .cause = cause,
        .retry_after_ns = retry_after_ns(throttle, call, now_ns),
        .token_wait_ns = bucket_wait_ns(&throttle->bucket, now_ns),
    };
}

/* The failure before a retry that cannot be made is what the caller should know. */
static enum error_kind cause_or(const struct throttle_call *call, enum error_kind otherwise)
{
    return call->attempts > 0 ? call->failure : otherwise;
}

static struct throttle_step take_token(struct throttle *throttle, struct throttle_call *call,
                                       int64_t now_ns)
{
    if (call->answer_by_ns <= now_ns)
        return refuse(throttle, call, cause_or(call, ERROR_DEADLINE), now_ns);
    int64_t wait_ns = bucket_wait_ns(&throttle->bucket, now_ns);
    if (wait_ns > 0 && wait_ns > longest_wait_ns(throttle, budget_ns(call, now_ns)))
        return refuse(throttle, call, cause_or(call, ERROR_RATE_LIMITED), now_ns);
    call->until_ns = now_ns + bucket_take(&throttle->bucket, now_ns);
    call->state = CALL_HAS_SLOT;
    return throttle_next(throttle, call, now_ns);
}

static struct throttle_step use_slot(struct throttle *throttle, struct throttle_call *call,
                                     int64_t now_ns)
{
    if (call->answer_by_ns <= now_ns) {
        bucket_give_back(&throttle->bucket);
        return refuse(throttle, call, cause_or(call, ERROR_DEADLINE), now_ns);
    }
    if (now_ns < call->until_ns)
        return (struct throttle_step){.action = THROTTLE_WAIT,
                                      .wait_ns = call->until_ns - now_ns,
                                      .reason = THROTTLE_FOR_TOKEN};
    call->state = CALL_SENT;
    return (struct throttle_step){.action = THROTTLE_SEND};
}

/* Layer 1 may retry so many times. */
static int sdk_retries(const struct throttle *throttle, enum error_retry retry)
{
    if (retry == RETRY_SDK_ONCE)
        return throttle->settings.sdk_retries < 1 ? throttle->settings.sdk_retries : 1;
    return throttle->settings.sdk_retries;
}

static struct throttle_step back_off(struct throttle *throttle, struct throttle_call *call,
                                     int64_t now_ns)
{
    if (call->told && now_ns >= call->until_ns) {
        call->state = CALL_NEEDS_TOKEN;
        return take_token(throttle, call, now_ns);
    }
    call->told = true;
    bool app = error_retry_class(call->failure) == RETRY_APP;
    return (struct throttle_step){
        .action = THROTTLE_WAIT,
        .wait_ns = later(0, call->until_ns - now_ns),
        .reason = app ? THROTTLE_FOR_APP : THROTTLE_FOR_SDK,
        .retry = app ? call->throttles : call->sdk_failures,
        .retries = 1 + (app ? throttle->settings.app_retries
                            : sdk_retries(throttle, error_retry_class(call->failure))),
    };
}

struct throttle_step throttle_next(struct throttle *throttle, struct throttle_call *call,
                                   int64_t now_ns)
{
    follow_send_rate(throttle, now_ns);
    switch (call->state) {
    case CALL_NEEDS_TOKEN:
        return take_token(throttle, call, now_ns);
    case CALL_HAS_SLOT:
        return use_slot(throttle, call, now_ns);
    case CALL_BACKS_OFF:
        return back_off(throttle, call, now_ns);
    case CALL_SENT:
        return (struct throttle_step){.action = THROTTLE_SEND};
    case CALL_DONE:
        return (struct throttle_step){.action = THROTTLE_DONE};
    case CALL_REFUSED:
        break;
    }
    return refuse(throttle, call, call->refusal, now_ns);
}

static void answered(struct throttle *throttle, struct throttle_call *call)
{
    retry_quota_reward(&throttle->quota, call->quota_taken);
    call->state = CALL_DONE;
}

static bool may_retry(struct throttle *throttle, struct throttle_call *call)
{
    call->quota_taken = false;
    switch (error_retry_class(call->failure)) {
    case RETRY_NEVER:
        return false;
    case RETRY_APP:
        return call->throttles <= throttle->settings.app_retries;
    case RETRY_SDK:
    case RETRY_SDK_ONCE:
        break;
    }
    if (call->sdk_failures > sdk_retries(throttle, error_retry_class(call->failure)))
        return false;
    call->quota_taken = retry_quota_take(&throttle->quota);
    return call->quota_taken;
}

/* The wait that the failure asks for. A quota that is spent is told from the top of the ladder. */
static int64_t delay_ns(const struct throttle *throttle, const struct throttle_call *call,
                        const struct throttle_outcome *outcome)
{
    const struct throttle_settings *s = &throttle->settings;
    enum error_retry retry = error_retry_class(outcome->kind);
    int64_t backoff_ns = 0;
    if (retry == RETRY_SDK || retry == RETRY_SDK_ONCE)
        backoff_ns = backoff_full_jitter_ns(&s->sdk, call->sdk_failures, outcome->draw);
    else if (retry == RETRY_APP)
        backoff_ns = backoff_added_jitter_ns(&s->app, call->throttles, outcome->draw);
    else
        backoff_ns = backoff_added_jitter_ns(&s->app, s->app_retries + 1, outcome->draw);
    return later(backoff_ns, outcome->retry_hint_ns);
}

static void count_failure(struct throttle_call *call, enum error_kind kind)
{
    enum error_retry retry = error_retry_class(kind);
    call->failure = kind;
    if (retry == RETRY_APP)
        call->throttles++;
    if (retry == RETRY_SDK || retry == RETRY_SDK_ONCE)
        call->sdk_failures++;
}

void throttle_report(struct throttle *throttle, struct throttle_call *call,
                     const struct throttle_outcome *outcome, int64_t now_ns)
{
    bool throttled = error_retry_class(outcome->kind) == RETRY_APP;
    send_rate_report(&throttle->send_rate, throttled, now_ns);
    follow_send_rate(throttle, now_ns);
    call->attempts++;
    if (outcome->kind == ERROR_NONE) {
        answered(throttle, call);
        return;
    }
    count_failure(call, outcome->kind);
    call->failed_ns = now_ns;
    call->told = false;
    call->failure_delay_ns = delay_ns(throttle, call, outcome);
    call->until_ns = now_ns + call->failure_delay_ns;
    int64_t token_ns = bucket_wait_ns(&throttle->bucket, now_ns);
    int64_t wait_ns = later(call->failure_delay_ns, token_ns);
    bool soon_enough = fits(throttle, call, wait_ns, now_ns) &&
                       token_ns - call->failure_delay_ns <= throttle->settings.rate_timeout_ns;
    call->state = CALL_REFUSED;
    call->refusal = outcome->kind;
    if (soon_enough && may_retry(throttle, call))
        call->state = CALL_BACKS_OFF;
}
