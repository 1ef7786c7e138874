#ifndef BEDROCK_FAMILY_H
#define BEDROCK_FAMILY_H

#include <stddef.h>

#include "base/error.h"
#include "base/settings.h"
#include "bedrock/bedrock.h"

/*
 * A model family: the JSON that its models take as the body of InvokeModel, and the JSON they
 * answer with. Sources: Bedrock user guide, "Inference request parameters and response fields" and
 * "API compatibility".
 */

struct json_object;

struct family_prompt {
    const struct settings *settings; /* model_id, max_tokens, temperature, system_prompt */
    const char *message;
    size_t message_length; /* up to INT_MAX */
};

struct family {
    const char *name; /* as in BEDROCK_PROVIDER */
    /* Builds the body; NULL without memory. To be put by the caller. */
    struct json_object *(*request)(const struct family_prompt *prompt);
    /*
     * Reads an answer: text, stop and the counts of tokens (-1: not told). ERROR_BAD_ANSWER when it
     * has another shape; the text is then NULL.
     */
    int (*read_answer)(struct json_object *root, struct bedrock_answer *answer, struct error *err);
};

/*
 * Anthropic Messages. The input tokens are those that were neither read from nor written to a
 * cache, as the field has it; nothing here asks for caching. The temperature is sent to the Claude
 * models that take one (up to 4.6); later ones refuse a request that has it, so models that are not
 * known get none.
 */
extern const struct family family_anthropic;

/* Amazon Nova, all generations. */
extern const struct family family_nova;

/*
 * Chat completions: gpt-oss, DeepSeek V3, Qwen, Mistral, Kimi, MiniMax, Gemma. A refusal in words
 * is the text of the answer; reasoning in front of the text is dropped. OpenAI's models take the
 * limit as "max_completion_tokens", the others as "max_tokens"; OpenAI's models after gpt-oss
 * refuse a temperature and get none. Answers in the shapes of DeepSeek's and Mistral's text
 * completions are read, too.
 */
extern const struct family family_openai;

/*
 * The family of `settings->model_id`, also behind us., eu., apac., global. and the like, and in
 * ARNs of foundation models and inference profiles; BEDROCK_PROVIDER overrides it. ERROR_CONFIG and
 * NULL when it cannot be told, as for the ARN of an application inference profile.
 */
const struct family *family_of(const struct settings *settings, struct error *err);

/*
 * The model's own name in an id: "anthropic.claude-..." in "us.anthropic.claude-..." and in the ARN
 * of either; "" when the ARN does not tell.
 */
const char *family_model_name(const char *model_id);

#endif
