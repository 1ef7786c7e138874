/*
 * Anthropic Messages on Bedrock. Source: Bedrock user guide, "Anthropic Claude Messages API"; on
 * the temperature: Anthropic, "Migration guide".
 */
#include <json-c/json.h>
#include <string.h>

#include "bedrock/answer.h"
#include "bedrock/family.h"
#include "bedrock/json.h"

static const struct answer_stop_word stops[] = {
    {"end_turn", BEDROCK_STOP_END},      {"stop_sequence", BEDROCK_STOP_END},
    {"max_tokens", BEDROCK_STOP_LENGTH}, {"model_context_window_exceeded", BEDROCK_STOP_LENGTH},
    {"refusal", BEDROCK_STOP_REFUSAL},   {NULL, BEDROCK_STOP_OTHER},
};

/* The models that take a temperature; there will be no more of them. */
static bool takes_temperature(const char *model_id)
{
    static const char *const models[] = {
        "anthropic.claude-v2",          "anthropic.claude-instant",
        "anthropic.claude-3-",          "anthropic.claude-opus-4-2025",
        "anthropic.claude-opus-4-1-",   "anthropic.claude-opus-4-5-",
        "anthropic.claude-opus-4-6",    "anthropic.claude-sonnet-4-2025",
        "anthropic.claude-sonnet-4-5-", "anthropic.claude-sonnet-4-6",
        "anthropic.claude-haiku-4-5-",
    };
    const char *name = family_model_name(model_id);
    for (size_t i = 0; i < sizeof models / sizeof models[0]; i++)
        if (strncmp(name, models[i], strlen(models[i])) == 0)
            return true;
    return false;
}

static struct json_object *anthropic_request(const struct family_prompt *prompt)
{
    const struct settings *s = prompt->settings;
    struct json_object *body = json_object_new_object();
    struct json_object *messages = json_object_new_array();
    struct json_object *content = json_text_blocks(prompt->message, prompt->message_length, true);
    bool whole = json_push(messages, json_chat_message("user", content));
    whole = json_put(body, "anthropic_version", json_object_new_string("bedrock-2023-05-31")) &&
            json_put(body, "max_tokens", json_object_new_int(s->max_tokens)) && whole;
    if (takes_temperature(s->model_id))
        whole = json_put(body, "temperature", json_number(s->temperature)) && whole;
    if (s->system_prompt != NULL)
        whole = json_put(body, "system", json_object_new_string(s->system_prompt)) && whole;
    if (json_put(body, "messages", messages) && whole)
        return body;
    json_object_put(body);
    return NULL;
}

static int anthropic_answer(struct json_object *root, struct bedrock_answer *answer,
                            struct error *err)
{
    struct json_object *usage = json_member(root, "usage");
    answer->input_tokens = json_count_member(usage, "input_tokens");
    answer->output_tokens = json_count_member(usage, "output_tokens");
    if (answer_read_stop(json_member(root, "stop_reason"), stops, &answer->stop, err) != 0)
        return -1;
    return answer_read_blocks(json_member(root, "content"), answer, err);
}

const struct family family_anthropic = {
    .name = "anthropic", .request = anthropic_request, .read_answer = anthropic_answer};
