/*
 * Chat completions: OpenAI gpt-oss, DeepSeek, Qwen, Mistral. Sources: Bedrock user guide, "OpenAI
 * models", "DeepSeek models", "Qwen models", "Mistral AI chat completion".
 */
#include <json-c/json.h>
#include <string.h>

#include "bedrock/answer.h"
#include "bedrock/family.h"
#include "bedrock/json.h"

static const struct answer_stop_word stops[] = {
    {"stop", BEDROCK_STOP_END},
    {"length", BEDROCK_STOP_LENGTH},
    {"content_filter", BEDROCK_STOP_REFUSAL},
    {NULL, BEDROCK_STOP_OTHER},
};

/* OpenAI's own models take the newer name of the limit, the others the older one. */
static const char *limit_name(const char *model_id)
{
    return strstr(model_id, "openai.") != NULL ? "max_completion_tokens" : "max_tokens";
}

static struct json_object *openai_request(const struct family_prompt *prompt)
{
    const struct settings *s = prompt->settings;
    struct json_object *body = json_object_new_object();
    struct json_object *messages = json_object_new_array();
    bool whole = true;
    if (s->system_prompt != NULL)
        whole = json_push(messages,
                          json_chat_message("system", json_object_new_string(s->system_prompt)));
    struct json_object *content =
        json_object_new_string_len(prompt->message, (int)prompt->message_length);
    whole = json_push(messages, json_chat_message("user", content)) && whole;
    whole = json_put(body, "messages", messages) && whole;
    if (json_put(body, limit_name(s->model_id), json_object_new_int(s->max_tokens)) &&
        json_put(body, "temperature", json_object_new_double(s->temperature)) && whole)
        return body;
    json_object_put(body);
    return NULL;
}

/* gpt-oss on Bedrock puts what it thought before what it says. */
static void drop_reasoning(const char **text, size_t *length)
{
    static const char open[] = "<reasoning>";
    static const char close[] = "</reasoning>";
    if (*length < sizeof open - 1 || memcmp(*text, open, sizeof open - 1) != 0)
        return;
    const char *end = memmem(*text, *length, close, sizeof close - 1);
    const char *rest = end != NULL ? end + sizeof close - 1 : *text + *length;
    *length -= (size_t)(rest - *text);
    *text = rest;
}

static int append_content(struct json_object *content, struct buffer *out, struct error *err)
{
    if (!json_object_is_type(content, json_type_string))
        return json_join_texts(content, out, err);
    const char *text = json_object_get_string(content);
    size_t length = (size_t)json_object_get_string_len(content);
    drop_reasoning(&text, &length);
    return buffer_append(out, text, length, err);
}

static int read_text(struct json_object *message, struct bedrock_answer *answer, struct error *err)
{
    const char *refusal = json_string_member(message, "refusal");
    struct buffer text;
    buffer_init(&text, ANSWER_MAX);
    int result = append_content(json_member(message, "content"), &text, err);
    if (result == 0 && refusal != NULL && refusal[0] != '\0') {
        answer->stop = BEDROCK_STOP_REFUSAL;
        result = buffer_append_string(&text, refusal, err);
    }
    if (result == 0)
        result = answer_take_text(answer, &text, err);
    buffer_free(&text);
    return result;
}

static int openai_answer(struct json_object *root, struct bedrock_answer *answer, struct error *err)
{
    struct json_object *choices = json_member(root, "choices");
    struct json_object *choice = json_object_is_type(choices, json_type_array)
                                     ? json_object_array_get_idx(choices, 0)
                                     : NULL;
    struct json_object *message = json_member(choice, "message");
    if (!json_object_is_type(message, json_type_object))
        return error_set(err, ERROR_BAD_ANSWER, "a chat completion without a message");
    answer->stop = answer_stop(stops, json_string_member(choice, "finish_reason"));
    struct json_object *usage = json_member(root, "usage");
    answer->input_tokens = json_count_member(usage, "prompt_tokens");
    answer->output_tokens = json_count_member(usage, "completion_tokens");
    return read_text(message, answer, err);
}

const struct family family_openai = {
    .name = "openai", .request = openai_request, .read_answer = openai_answer};
