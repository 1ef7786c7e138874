#ifndef BEDROCK_FAMILY_H
#define BEDROCK_FAMILY_H

#include <stddef.h>

#include "base/buffer.h"
#include "base/error.h"
#include "base/settings.h"
#include "bedrock/bedrock.h"

/*
 * A model family: the JSON that its models take as the body of InvokeModel, and the JSON they
 * answer with. Sources: Bedrock user guide, "Inference request parameters and response fields".
 */

struct json_object;

struct family_prompt {
    const struct settings *settings; /* max_tokens, temperature, system_prompt, model_id */
    const char *message;
    size_t message_length;
};

struct family {
    const char *name; /* as in BEDROCK_PROVIDER */
    /* Builds the body; NULL without memory. To be put by the caller. */
    struct json_object *(*request)(const struct family_prompt *prompt);
    /* Reads an answer; ERROR_BAD_ANSWER when it has another shape. Counts stay when not told. */
    int (*read_answer)(struct json_object *root, struct bedrock_answer *answer, struct error *err);
};

extern const struct family family_anthropic; /* Anthropic Messages */
extern const struct family family_nova;      /* Amazon Nova */
extern const struct family family_openai; /* chat completions: gpt-oss, DeepSeek, Qwen, Mistral */

/*
 * The family of `settings->model_id`, also behind us., eu., apac., global. and the like, and in
 * ARNs of foundation models and inference profiles; BEDROCK_PROVIDER overrides it. ERROR_CONFIG and
 * NULL when it cannot be told, as for the ARN of an application inference profile.
 */
const struct family *family_of(const struct settings *settings, struct error *err);

#endif
