/*
 * Amazon Nova. Sources: Amazon Nova user guide, "Complete request schema" and "Using the Invoke
 * API".
 */
#include <json-c/json.h>
#include <string.h>

#include "bedrock/answer.h"
#include "bedrock/family.h"
#include "bedrock/json.h"

static const struct answer_stop_word stops[] = {
    {"end_turn", BEDROCK_STOP_END},
    {"stop_sequence", BEDROCK_STOP_END},
    {"max_tokens", BEDROCK_STOP_LENGTH},
    {"model_context_window_exceeded", BEDROCK_STOP_LENGTH},
    {"content_filtered", BEDROCK_STOP_REFUSAL},
    {"guardrail_intervened", BEDROCK_STOP_REFUSAL},
    {NULL, BEDROCK_STOP_OTHER},
};

static struct json_object *inference_config(const struct settings *s)
{
    struct json_object *config = json_object_new_object();
    if (json_put(config, "maxTokens", json_object_new_int(s->max_tokens)) &&
        json_put(config, "temperature", json_number(s->temperature)))
        return config;
    json_object_put(config);
    return NULL;
}

static struct json_object *nova_request(const struct family_prompt *prompt)
{
    const char *system = prompt->settings->system_prompt;
    struct json_object *body = json_object_new_object();
    struct json_object *messages = json_object_new_array();
    struct json_object *content = json_text_blocks(prompt->message, prompt->message_length, false);
    bool whole = json_push(messages, json_chat_message("user", content));
    whole = json_put(body, "schemaVersion", json_object_new_string("messages-v1")) && whole;
    if (system != NULL)
        whole = json_put(body, "system", json_text_blocks(system, strlen(system), false)) && whole;
    whole = json_put(body, "messages", messages) && whole;
    if (json_put(body, "inferenceConfig", inference_config(prompt->settings)) && whole)
        return body;
    json_object_put(body);
    return NULL;
}

static int nova_answer(struct json_object *root, struct bedrock_answer *answer, struct error *err)
{
    struct json_object *usage = json_member(root, "usage");
    answer->input_tokens = json_count_member(usage, "inputTokens");
    answer->output_tokens = json_count_member(usage, "outputTokens");
    if (answer_read_stop(json_member(root, "stopReason"), stops, &answer->stop, err) != 0)
        return -1;
    struct json_object *message = json_member(json_member(root, "output"), "message");
    return answer_read_blocks(json_member(message, "content"), answer, err);
}

const struct family family_nova = {
    .name = "nova", .request = nova_request, .read_answer = nova_answer};
