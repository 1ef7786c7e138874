#ifndef LOCAL_INVOCATION_H
#define LOCAL_INVOCATION_H

#include <pthread.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/error.h"
#include "base/os.h"
#include "local/lambda.h"

/*
 * An event and what becomes of it; shared by who waits for it and the sandbox that has it. Belongs
 * to the lock of `struct lambda`, which the caller of these functions holds.
 */
struct invocation {
    int references;
    char request_id[OS_UUID_SIZE];
    char nonce[OS_UUID_SIZE]; /* Lambda-Runtime-Invocation-Id */
    char trace_id[128];
    struct buffer event;
    enum lambda_outcome outcome; /* OUTCOME_PENDING until it is known */
    struct buffer answer;
    int64_t model_ns;
    pthread_cond_t done;
};

/* With one reference, for invocation_drop(). */
struct invocation *invocation_new(const struct lambda_event *event, struct error *err);
void invocation_drop(struct invocation *invocation);

/* The first call decides the outcome and wakes who waits; later ones are ignored. */
void invocation_finish(struct invocation *invocation, enum lambda_outcome outcome);

/* The same with Lambda's own error as the answer. */
void invocation_fail(struct invocation *invocation, enum lambda_outcome outcome, const char *type,
                     const char *message);

#endif
