#ifndef HANDLER_METRICS_H
#define HANDLER_METRICS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/outcome.h"
#include "base/settings.h"
#include "handler/tally.h"

struct json_object;

/*
 * The metrics, one document in Embedded Metric Format (base/emf.h) for each invocation. The table
 * in metrics.c is the only place that names them; `bootstrap --print-metrics` prints it. What a
 * chat message has:
 *
 *   Requests = 1, and of the six Requests<Outcome> one is 1 and the others 0
 *   Throttles = ThrottlesByRequests + ThrottlesByTokens + ThrottlesByTokensPerDay
 *   Retries = the attempts after the first, of ModelCalls
 *   ModelLatency: one value for each attempt, at most 100; absent without an attempt
 *   InputTokens, OutputTokens: absent when the model did not say
 *   all others, 0 when nothing happened
 *
 * Any other invocation has RequestsOther = 1 and nothing else. The first one of a sandbox has
 * ColdStart = 1 and InitDuration too.
 */

/* An invocation that is over. */
struct metrics_invocation {
    bool is_chat; /* a chat message; otherwise only init_ns counts */
    enum request_outcome outcome;
    int64_t latency_ns;   /* from arrival to reply */
    int64_t remaining_ns; /* until the reply was due; below 0 counts as 0 */
    const struct tally *tally;
    int64_t init_ns; /* how long the start took, in a sandbox's first invocation; else negative */
};

/* "answered", ...; "other" when it is no chat message. */
const char *metrics_outcome_word(const struct metrics_invocation *invocation);

/* The document, to be put; NULL without memory. `settings` has the namespace and the dimensions. */
struct json_object *metrics_document(const struct metrics_invocation *invocation,
                                     const struct settings *settings, int64_t wall_ns);

/* The table: name, unit, and dimensions with commas between, separated by tabs. */
void metrics_print(FILE *out);

#endif
