#ifndef HANDLER_MODEL_H
#define HANDLER_MODEL_H

#include <pthread.h>
#include <stdint.h>

#include "base/error.h"
#include "base/log.h"
#include "base/os.h"
#include "base/settings.h"
#include "bedrock/bedrock.h"
#include "handler/tally.h"
#include "throttle/throttle.h"

/*
 * The model behind the throttle: asks throttle/ what to do next, sleeps, sends through bedrock/,
 * and reports what happened. This is the one loop that waits. Safe from several threads.
 */
struct model {
    const struct os *os;
    struct bedrock *bedrock;
    pthread_mutex_t lock; /* of the throttle */
    struct throttle throttle;
};

/* `bedrock` and `os` are borrowed. */
int model_init(struct model *model, const struct settings *settings, struct bedrock *bedrock,
               const struct os *os, struct error *err) __attribute__((warn_unused_result));
void model_free(struct model *model);

/* All borrowed. */
struct model_question {
    const struct log_scope *scope;
    const char *message;
    size_t message_length;
    int64_t answer_by_ns; /* on os_now_ns() */
};

struct model_outcome {
    struct bedrock_result result; /* of the last attempt; result.answer when model_ask() gave 0 */
    int attempts;                 /* sent to Bedrock */
    int64_t waited_ns;            /* for tokens and backoffs */
    int64_t retry_after_ns;       /* on failure: when the same question would be let in, from now */
    struct tally tally;           /* for the metrics */
};

/* Returns 0 with an answer, or -1 with the kind to reply with. model_outcome_free() in any case. */
int model_ask(struct model *model, const struct model_question *question,
              struct model_outcome *outcome, struct error *err) __attribute__((warn_unused_result));
void model_outcome_free(struct model_outcome *outcome);

#endif
