#ifndef HANDLER_TALLY_H
#define HANDLER_TALLY_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "bedrock/bedrock.h"

/*
 * What is counted while a question is answered, for the metrics. A zeroed struct has counted
 * nothing.
 */

#define TALLY_LATENCIES_MAX 100 /* CloudWatch takes no more values of one metric */

/* Tokens, summed over the attempts that told; `told` of them. */
struct tally_tokens {
    int64_t sum;
    int told;
};

struct tally {
    int attempts; /* sent to Bedrock */
    int throttles_by_requests, throttles_by_tokens, throttles_by_tokens_per_day;
    int not_ready;
    int limiter_waits;
    int64_t limiter_wait_ns;
    int limiter_timeouts; /* refused because no token would have come in time */
    struct tally_tokens input, output;
    int64_t latencies_ns[TALLY_LATENCIES_MAX]; /* of the attempts, in their order, the first ones */
    size_t latency_count;
};

/* An attempt took `took_ns` and ended with `kind`, ERROR_NONE when it was answered. The tokens of
 * an answer that cannot be used count too: they were paid for. */
void tally_attempt(struct tally *tally, enum error_kind kind, int64_t took_ns,
                   const struct bedrock_answer *answer);

/* The limiter made the question wait. */
void tally_limiter_wait(struct tally *tally, int64_t wait_ns);

/* The question was refused with `kind`. */
void tally_refusal(struct tally *tally, enum error_kind kind);

#endif
