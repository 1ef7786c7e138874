/*
 * Chat completions. Sources: Bedrock user guide, "OpenAI models", "Mistral AI chat completion",
 * "Mistral AI text completion", "DeepSeek models"; OpenAI API reference, "The chat completion
 * object".
 */
#include <json-c/json.h>
#include <string.h>

#include "bedrock/answer.h"
#include "bedrock/family.h"
#include "bedrock/json.h"

static const struct answer_stop_word stops[] = {
    {"stop", BEDROCK_STOP_END},
    {"length", BEDROCK_STOP_LENGTH},
    {"model_length", BEDROCK_STOP_LENGTH},
    {"content_filter", BEDROCK_STOP_REFUSAL},
    {NULL, BEDROCK_STOP_OTHER},
};

static bool is_openai(const char *model_id)
{
    return strncmp(family_model_name(model_id), "openai.", 7) == 0;
}

static bool takes_temperature(const char *model_id)
{
    return !is_openai(model_id) || strstr(model_id, "gpt-oss") != NULL;
}

static struct json_object *openai_messages(const struct family_prompt *prompt)
{
    const char *system = prompt->settings->system_prompt;
    struct json_object *messages = json_object_new_array();
    bool whole = true;
    if (system != NULL)
        whole = json_push(messages, json_chat_message("system", json_object_new_string(system)));
    struct json_object *content =
        json_object_new_string_len(prompt->message, (int)prompt->message_length);
    if (json_push(messages, json_chat_message("user", content)) && whole)
        return messages;
    json_object_put(messages);
    return NULL;
}

static struct json_object *openai_request(const struct family_prompt *prompt)
{
    const struct settings *s = prompt->settings;
    const char *limit = is_openai(s->model_id) ? "max_completion_tokens" : "max_tokens";
    struct json_object *body = json_object_new_object();
    bool whole = json_put(body, "messages", openai_messages(prompt));
    whole = json_put(body, limit, json_object_new_int(s->max_tokens)) && whole;
    if (takes_temperature(s->model_id))
        whole = json_put(body, "temperature", json_number(s->temperature)) && whole;
    if (whole)
        return body;
    json_object_put(body);
    return NULL;
}

static size_t spaces_at(const char *text, size_t length)
{
    size_t n = 0;
    while (n < length && memchr(" \t\r\n", text[n], 4) != NULL)
        n++;
    return n;
}

/* InvokeModel puts what gpt-oss and Kimi thought before what they say. */
static void drop_reasoning(struct buffer *text)
{
    static const char open[] = "<reasoning>";
    static const char close[] = "</reasoning>";
    size_t dropped = 0;
    while (text->length > dropped) {
        const char *rest = text->data + dropped;
        size_t length = text->length - dropped;
        size_t at = spaces_at(rest, length);
        if (length - at < strlen(open) || memcmp(rest + at, open, strlen(open)) != 0)
            break;
        const char *end = memmem(rest + at, length - at, close, strlen(close));
        dropped = end != NULL ? (size_t)(end - text->data) + strlen(close) : text->length;
        dropped += spaces_at(text->data + dropped, text->length - dropped);
    }
    if (dropped == 0)
        return;
    text->length -= dropped;
    memmove(text->data, text->data + dropped, text->length + 1); /* with the NUL */
}

/* A string, or an array of parts. A message that only asks for tools has none. */
static int append_content(struct json_object *content, struct buffer *out, struct error *err)
{
    struct json_text text = json_text(content);
    if (content != NULL && text.bytes == NULL)
        return answer_join_blocks(content, out, err);
    return buffer_append(out, text.bytes, text.length, err);
}

static int append_message(struct json_object *message, struct buffer *out,
                          struct bedrock_answer *answer, struct error *err)
{
    struct json_text refusal = json_text(json_member(message, "refusal"));
    if (refusal.length > 0) {
        answer->stop = BEDROCK_STOP_REFUSAL;
        return buffer_append(out, refusal.bytes, refusal.length, err);
    }
    if (append_content(json_member(message, "content"), out, err) != 0)
        return -1;
    drop_reasoning(out);
    return 0;
}

static int append_choice(struct json_object *choice, struct buffer *out,
                         struct bedrock_answer *answer, struct error *err)
{
    struct json_object *message = json_member(choice, "message");
    if (json_object_is_type(message, json_type_object))
        return append_message(message, out, answer, err);
    struct json_text text = json_text(json_member(choice, "text"));
    if (text.bytes == NULL)
        return error_set(err, ERROR_BAD_ANSWER, "the model's answer has no message");
    return buffer_append(out, text.bytes, text.length, err);
}

static int openai_answer(struct json_object *root, struct bedrock_answer *answer, struct error *err)
{
    struct json_object *usage = json_member(root, "usage");
    answer->input_tokens = json_count_member(usage, "prompt_tokens");
    answer->output_tokens = json_count_member(usage, "completion_tokens");
    struct json_object *choice = json_first(json_member(root, "choices"));
    if (choice == NULL)
        choice = json_first(json_member(root, "outputs"));
    struct json_object *reason = json_member(choice, "finish_reason");
    if (reason == NULL)
        reason = json_member(choice, "stop_reason");
    if (answer_read_stop(reason, stops, &answer->stop, err) != 0)
        return -1;
    struct buffer text;
    buffer_init(&text, ANSWER_MAX);
    int result = append_choice(choice, &text, answer, err);
    if (result == 0)
        result = answer_take_text(answer, &text, err);
    buffer_free(&text);
    return result;
}

const struct family family_openai = {
    .name = "openai", .request = openai_request, .read_answer = openai_answer};
