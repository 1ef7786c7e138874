#include "handler/tally.h"

static void add_tokens(struct tally_tokens *tokens, int64_t count)
{
    if (count < 0)
        return;
    tokens->sum += count;
    tokens->told++;
}

void tally_attempt(struct tally *tally, enum error_kind kind, int64_t took_ns,
                   const struct bedrock_answer *answer)
{
    tally->attempts++;
    tally->throttles_by_requests += kind == ERROR_THROTTLED;
    tally->throttles_by_tokens += kind == ERROR_THROTTLED_TOKENS;
    tally->throttles_by_tokens_per_day += kind == ERROR_THROTTLED_DAY;
    tally->not_ready += kind == ERROR_MODEL_NOT_READY;
    add_tokens(&tally->input, answer->input_tokens);
    add_tokens(&tally->output, answer->output_tokens);
    if (tally->latency_count < TALLY_LATENCIES_MAX)
        tally->latencies_ns[tally->latency_count++] = took_ns;
}

void tally_limiter_wait(struct tally *tally, int64_t wait_ns)
{
    tally->limiter_waits++;
    tally->limiter_wait_ns += wait_ns;
}

void tally_refusal(struct tally *tally, enum error_kind kind)
{
    tally->limiter_timeouts += kind == ERROR_RATE_LIMITED;
}
