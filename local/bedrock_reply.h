#ifndef LOCAL_BEDROCK_REPLY_H
#define LOCAL_BEDROCK_REPLY_H

#include <stdbool.h>

#include "local/fault.h"
#include "local/model.h"
#include "local/server.h"

/* How Bedrock words what it sends. Writes into a reply; waits for nothing. */

struct bedrock_error {
    int status;
    const char *type;    /* exception name; NULL: no x-amzn-ErrorType */
    const char *message; /* UTF-8 */
};

void bedrock_reply_error(struct server_reply *reply, const struct bedrock_error *error);

/* Whether the fault comes instead of the model, so that neither quota nor latency count. */
bool bedrock_reply_is_instead(const struct fault *fault);

/* What such a fault sends. FAULT_HANG is the caller's: nothing is sent. */
void bedrock_reply_fault(struct server_reply *reply, const struct fault *fault, const char *model);

/* The model's answer; `fault` may shape it, and may be NULL. */
struct bedrock_answer_facts {
    const struct fault *fault;
    int64_t input_tokens, output_tokens, latency_ms;
};
void bedrock_reply_answer(struct server_reply *reply, struct model_reply *answer,
                          const struct bedrock_answer_facts *facts);

/* Headers that every reply carries, and those the fault's modifiers ask for. */
void bedrock_reply_finish(struct server_reply *reply, const struct fault *fault);

#endif
