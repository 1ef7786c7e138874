/*
 * Anthropic Messages on Bedrock. Source: Bedrock user guide, "Anthropic Claude Messages API".
 */
#include <json-c/json.h>

#include "bedrock/answer.h"
#include "bedrock/family.h"
#include "bedrock/json.h"

static const struct answer_stop_word stops[] = {
    {"end_turn", BEDROCK_STOP_END},      {"stop_sequence", BEDROCK_STOP_END},
    {"max_tokens", BEDROCK_STOP_LENGTH}, {"model_context_window_exceeded", BEDROCK_STOP_LENGTH},
    {"refusal", BEDROCK_STOP_REFUSAL},   {NULL, BEDROCK_STOP_OTHER},
};

static struct json_object *anthropic_request(const struct family_prompt *prompt)
{
    const struct settings *s = prompt->settings;
    struct json_object *body = json_object_new_object();
    struct json_object *messages = json_object_new_array();
    struct json_object *content = json_text_blocks(prompt->message, prompt->message_length, true);
    bool whole = json_push(messages, json_chat_message("user", content));
    whole = json_put(body, "anthropic_version", json_object_new_string("bedrock-2023-05-31")) &&
            json_put(body, "max_tokens", json_object_new_int(s->max_tokens)) &&
            json_put(body, "temperature", json_object_new_double(s->temperature)) && whole;
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
    struct json_object *content = json_member(root, "content");
    if (!json_object_is_type(content, json_type_array))
        return error_set(err, ERROR_BAD_ANSWER, "an Anthropic answer without content");
    struct buffer text;
    buffer_init(&text, ANSWER_MAX);
    if (json_join_texts(content, &text, err) != 0 || answer_take_text(answer, &text, err) != 0) {
        buffer_free(&text);
        return -1;
    }
    struct json_object *usage = json_member(root, "usage");
    answer->stop = answer_stop(stops, json_string_member(root, "stop_reason"));
    answer->input_tokens = json_count_member(usage, "input_tokens");
    answer->output_tokens = json_count_member(usage, "output_tokens");
    return 0;
}

const struct family family_anthropic = {
    .name = "anthropic", .request = anthropic_request, .read_answer = anthropic_answer};
