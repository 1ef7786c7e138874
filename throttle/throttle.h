#ifndef THROTTLE_THROTTLE_H
#define THROTTLE_THROTTLE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "throttle/backoff.h"
#include "throttle/bucket.h"
#include "throttle/retry_quota.h"
#include "throttle/send_rate.h"

/*
 * When may a model call go, and when again. Pure decisions: it is told the time and given random
 * draws; it reads no clock, does not sleep, and does no I/O, so the same code runs in Lambda, in
 * tests and under a virtual clock. The caller's loop:
 *
 *     throttle_begin(&call, answer_by, now);
 *     for (;;) {
 *         struct throttle_step step = throttle_next(&throttle, &call, now);
 *         THROTTLE_WAIT    sleep step.wait_ns
 *         THROTTLE_SEND    send one attempt, then throttle_report() what happened
 *         THROTTLE_DONE    answered
 *         THROTTLE_REFUSE  tell the caller step.cause, and to come back after step.retry_after_ns
 *     }
 *
 * Rules (docs/bedrock-throttling-mitigation.md has the reasons):
 *  - The deadline comes first. A wait after which less than the expected model time would be left
 *    is not begun: the call is refused at once, with the time to come back.
 *  - Every attempt takes a token, retries too. A token is waited for once, in order of asking.
 *  - A failure is retried by one layer, the one that the table in base/error.h names.
 *  - A hint of the service's is a floor for the wait.
 *  - Throttles lower the send rate, which grows back by CUBIC; not-ready and 5xx do not.
 *
 * Times are in ns of one clock that does not stop while the sandbox is frozen. `struct throttle` is
 * shared by all calls of a sandbox: with several threads, the caller locks around these functions.
 */

#define THROTTLE_NO_DEADLINE INT64_MAX

struct throttle_settings {
    double per_minute;       /* BEDROCK_RATE_LIMIT */
    double burst;            /* BEDROCK_BURST */
    int64_t rate_timeout_ns; /* longest wait for a token */
    int64_t expected_ns;     /* time that a model call is expected to take */
    int sdk_retries;         /* layer 1: at most so many retries of transient failures */
    struct backoff sdk;
    int app_retries; /* layer 2: at most so many retries of throttles */
    struct backoff app;
};

struct throttle {
    struct throttle_settings settings;
    struct bucket bucket;
    struct send_rate send_rate;
    struct retry_quota quota;
};

/* One call of the model, retries and all. */
struct throttle_call {
    enum {
        CALL_NEEDS_TOKEN,
        CALL_HAS_SLOT,
        CALL_SENT,
        CALL_BACKS_OFF,
        CALL_DONE,
        CALL_REFUSED
    } state;
    int64_t began_ns;
    int64_t answer_by_ns;
    int64_t until_ns; /* of the slot, or of the backoff */
    int attempts;     /* sent and reported */
    int sdk_failures;
    int throttles;
    bool told;                /* of the backoff: the caller knows of it */
    bool quota_taken;         /* the last retry was paid from the retry quota */
    enum error_kind failure;  /* of the last attempt */
    int64_t failure_delay_ns; /* how long a throttled caller should stay away, from failed_ns */
    int64_t failed_ns;
    enum error_kind refusal;
};

enum throttle_action { THROTTLE_WAIT, THROTTLE_SEND, THROTTLE_DONE, THROTTLE_REFUSE };

enum throttle_reason {
    THROTTLE_FOR_TOKEN, /* the limiter's turn has not come */
    THROTTLE_FOR_SDK,   /* layer 1 backs off */
    THROTTLE_FOR_APP,   /* layer 2 backs off */
};

struct throttle_step {
    enum throttle_action action;
    /* THROTTLE_WAIT: each backoff is told of once at least, with 0 when it is over already */
    int64_t wait_ns;
    enum throttle_reason reason;
    int retry;   /* for a backoff: the how manieth failure of its layer this is, from 1 ... */
    int retries; /* ... of so many tries that the layer makes at most: retries + 1 */
    /* THROTTLE_REFUSE */
    enum error_kind cause;
    int64_t retry_after_ns; /* from now; the earliest at which the same request would be let in */
    int64_t token_wait_ns;  /* ERROR_RATE_LIMITED: the wait that was too long */
};

/* What became of an attempt. */
struct throttle_outcome {
    enum error_kind kind;  /* ERROR_NONE: answered */
    int64_t retry_hint_ns; /* the service's own word when to come back; negative: none */
    double draw;           /* uniform in [0, 1), for the jitter */
};

void throttle_init(struct throttle *throttle, const struct throttle_settings *settings,
                   int64_t now_ns);

/* A new call that must be answered by `answer_by_ns`, or THROTTLE_NO_DEADLINE. */
void throttle_begin(struct throttle_call *call, int64_t answer_by_ns, int64_t now_ns);

struct throttle_step throttle_next(struct throttle *throttle, struct throttle_call *call,
                                   int64_t now_ns);

/* After THROTTLE_SEND, exactly once. */
void throttle_report(struct throttle *throttle, struct throttle_call *call,
                     const struct throttle_outcome *outcome, int64_t now_ns);

#endif
