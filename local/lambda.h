#ifndef LOCAL_LAMBDA_H
#define LOCAL_LAMBDA_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/error.h"
#include "local/options.h"
#include "local/stats.h"

/*
 * The Lambda service: sandboxes, and events for them. A sandbox takes one event at a time. An event
 * goes to a sandbox without one, the lowest number first; when all have one, another is started, up
 * to a limit. A sandbox that fails, or ends, is replaced when the next event needs it.
 */
struct lambda;

/* What became of an event. X(KIND, word) */
#define LAMBDA_OUTCOMES(X)                                                                         \
    X(PENDING, "pending")     /* the caller waited no longer; the function goes on */              \
    X(RESPONSE, "response")   /* the function answered */                                          \
    X(ERROR, "error")         /* the function posted an error */                                   \
    X(CRASH, "crash")         /* the sandbox ended while it had the event */                       \
    X(TIMEOUT, "timeout")     /* the function's time-out */                                        \
    X(INIT, "init")           /* the sandbox did not start */                                      \
    X(TOO_LARGE, "too-large") /* the answer was larger than Lambda takes */                        \
    X(REFUSED, "refused")     /* all sandboxes were busy */                                        \
    X(STOPPED, "stopped")     /* this program ends */

enum lambda_outcome {
#define LAMBDA_ENUM(kind, word) OUTCOME_##kind,
    LAMBDA_OUTCOMES(LAMBDA_ENUM)
#undef LAMBDA_ENUM
};

const char *lambda_outcome_word(enum lambda_outcome outcome);

#define LAMBDA_PAYLOAD_MAX 6291556 /* bytes of an event and of an answer */

/* An event. Borrowed for the call. */
struct lambda_event {
    const char *bytes;
    size_t length;
    const char *trace_id; /* "": none */
    int64_t wait_ns;      /* how long the caller waits */
};

/* Zeroed before lambda_invoke(); freed by lambda_result_free(). */
struct lambda_result {
    enum lambda_outcome outcome;
    struct buffer answer; /* what was posted; for other outcomes Lambda's own error as JSON */
    char request_id[37];
    int64_t model_ns; /* how long the Bedrock stand-in worked on it */
};
void lambda_result_free(struct lambda_result *result);

/* `options` and `stats` are borrowed. */
struct lambda_setup {
    const struct options *options;
    struct stats *stats;
    int log_fd; /* where sandboxes write; -1: nowhere */
};

struct lambda *lambda_new(const struct lambda_setup *setup, struct error *err);

/* Sandboxes started from now on are told this port of the Bedrock stand-in. */
void lambda_use_stand_in(struct lambda *lambda, int port);

/* After supervisor_stop(), once it is empty. */
void lambda_free(struct lambda *lambda);

/* Hands an event to a sandbox and waits for what becomes of it. Any thread. */
int lambda_invoke(struct lambda *lambda, const struct lambda_event *event,
                  struct lambda_result *result, struct error *err)
    __attribute__((warn_unused_result));

/* The stand-in worked for `ns` on a request of that sandbox. Any thread. */
void lambda_add_model_time(struct lambda *lambda, int sandbox, int64_t ns);

/* JSON list of sandboxes: number, pid, state, invocations. Any thread. */
int lambda_print(struct lambda *lambda, struct buffer *out, struct error *err)
    __attribute__((warn_unused_result));

#endif
