#ifndef LOCAL_MODEL_H
#define LOCAL_MODEL_H

#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/error.h"
#include "local/fault.h"

/*
 * The three families of models: reads an InvokeModel body as strictly as Bedrock does and writes
 * the family's own answer, which repeats the message. Pure. Sources: AWS, "Amazon Bedrock user
 * guide, inference request parameters": Anthropic Claude Messages, Amazon Nova, OpenAI.
 */

enum model_family { MODEL_ANTHROPIC, MODEL_NOVA, MODEL_OPENAI };

/* A request that was understood. Zeroed before model_read(); freed by model_request_free(). */
struct model_request {
    enum model_family family;
    char *id;             /* model id as the caller wrote it, percent-decoded */
    struct buffer text;   /* text of the last message */
    int64_t input_tokens; /* estimated */
    int64_t max_tokens;   /* the model's longest answer when the caller did not say */
};

void model_request_free(struct model_request *request);

/*
 * `id` is the percent-decoded model id or ARN. The family is found in it; for the opaque ARN of an
 * application inference profile, in the body. Fails with ERROR_VALIDATION and the text that Bedrock
 * would send, which names fields only.
 */
int model_read(struct model_request *request, const char *id, const char *body, size_t length,
               struct error *err) __attribute__((warn_unused_result));

/* What the family answers. `fault` may be NULL. */
struct model_reply {
    struct buffer body;
    int64_t output_tokens;
};

int model_answer(const struct model_request *request, const struct fault *fault,
                 struct model_reply *reply, struct error *err) __attribute__((warn_unused_result));

/* Output tokens count this much against a quota (AWS: token burndown; 5 for Claude 3.7 and later).
 */
double model_burndown(const struct model_request *request);

/* A rough count: four bytes a token, rounded up. */
int64_t model_tokens(size_t bytes);

#endif
