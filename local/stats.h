#ifndef LOCAL_STATS_H
#define LOCAL_STATS_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/buffer.h"
#include "base/error.h"

/*
 * What happened: counters, and the list of model requests without what was in them. Safe from
 * several threads.
 */

/* Things that are counted one by one. X(name, meaning) */
#define STATS_COUNTERS(X)                                                                          \
    X(direct, "events handed in at /_local/invoke")                                                \
    X(no_sandbox, "messages refused since all sandboxes were busy")                                \
    X(gateway_timeouts, "callers the gateway did not let wait any longer")                         \
    X(function_timeouts, "invocations that exceeded the function's time-out")                      \
    X(crashes, "sandboxes that ended while they had an event")                                     \
    X(init_failures, "sandboxes that did not start")                                               \
    X(late_answers, "answers posted after the function's time-out")                                \
    X(sandboxes_started, "sandboxes started")                                                      \
    X(redeliveries, "events delivered again")                                                      \
    X(missing_invocation_ids, "answers without the invocation id of their event")

enum stats_counter {
#define STATS_ENUM(name, meaning) STATS_##name,
    STATS_COUNTERS(STATS_ENUM)
#undef STATS_ENUM
        STATS_COUNT
};

/* A message: a POST from outside and the reply to it. */
struct stats_message {
    int status;
    int64_t took_ns;  /* from its arrival to the reply */
    int64_t model_ns; /* of that, the time the stand-in worked on it */
};

/* A model request. Strings are cut to fit. */
struct stats_attempt {
    int64_t at_ns;   /* monotonic */
    int64_t took_ns; /* -1: not over yet */
    char model[256];
    char fault[32];         /* the fault's name; "" without */
    char invocation_id[64]; /* amz-sdk-invocation-id */
    char sdk_request[64];   /* amz-sdk-request */
    int status;             /* 0: no reply, or not yet */
    int sandbox;            /* 0: no sandbox, or unknown */
    int peer_port;          /* tells connections apart */
    int64_t input_tokens, output_tokens, max_tokens;
};

struct stats {
    pthread_mutex_t lock;
    int64_t start_ns;
    uint64_t counters[STATS_COUNT];
    uint64_t messages, answered, refused, errors, others;
    int64_t waited_ns, longest_wait_ns;
    uint64_t attempts, model_answers, throttles;
    struct stats_attempt *list; /* the first STATS_LIST_MAX */
    size_t count, capacity;
    uint64_t generation; /* of the list: it changes when the list is emptied */
};

#define STATS_LIST_MAX 100000

void stats_init(struct stats *stats);
void stats_free(struct stats *stats);

/* Everything to zero, the list empty. */
void stats_reset(struct stats *stats);

/* The list empty, the counters as they are. */
void stats_forget_attempts(struct stats *stats);

void stats_add(struct stats *stats, enum stats_counter counter);
void stats_add_message(struct stats *stats, const struct stats_message *message);

/* A request that was no message (other methods than POST). */
void stats_add_other(struct stats *stats);

/* Where an attempt is kept, for stats_end_attempt(). */
struct stats_ticket {
    uint64_t generation;
    size_t index;
};

struct stats_ticket stats_begin_attempt(struct stats *stats, const struct stats_attempt *attempt);

/* Replaces the attempt, once it is over, and counts its status. */
void stats_end_attempt(struct stats *stats, struct stats_ticket ticket,
                       const struct stats_attempt *attempt);

/* JSON: an object with all counters; a list of attempts, oldest first. */
int stats_print(struct stats *stats, struct buffer *out, struct error *err)
    __attribute__((warn_unused_result));
int stats_print_attempts(struct stats *stats, struct buffer *out, struct error *err)
    __attribute__((warn_unused_result));

/* For people, at the end. `model_known`: the stand-in was used, so that attempts were seen. */
void stats_print_summary(struct stats *stats, bool model_known, FILE *out);

#endif
