#include "local/model.h"

#include <stdbool.h>
#include <string.h>

#include "local/document.h"

#define ECHO_MAX       1000     /* bytes of the message that are repeated */
#define REPLY_MAX      67108864 /* ceiling of a body */
#define REASONING_TEXT "The message is repeated, since this is no model."

/* The stop words of each family, by fault. */
struct stop_words {
    const char *end, *length, *refusal, *guardrail, *filtered, *tool;
};

static const struct stop_words stop_words[] = {
    [MODEL_ANTHROPIC] = {"end_turn", "max_tokens", "refusal", "guardrail_intervened", "refusal",
                         "tool_use"},
    [MODEL_NOVA] = {"end_turn", "max_tokens", "content_filtered", "guardrail_intervened",
                    "content_filtered", "tool_use"},
    [MODEL_OPENAI] = {"stop", "length", "content_filter", "guardrail_intervened", "content_filter",
                      "tool_calls"},
};

/* The length of `text` cut to at most `most` bytes, not inside a UTF-8 sequence. */
static size_t cut_length(const char *text, size_t length, size_t most)
{
    if (length <= most)
        return length;
    while (most > 0 && ((unsigned char)text[most] & 0xc0) == 0x80)
        most--;
    return most;
}

static enum fault_answer kind_of(const struct fault *fault)
{
    if (fault == NULL || fault->row->kind != FAULT_ANSWER)
        return ANSWER_PLAIN;
    return fault->row->answer;
}

/* What the model says. Returns whether it was cut at max_tokens, -1 on failure. */
static int say(const struct model_request *request, const struct fault *fault, struct buffer *text,
               struct error *err)
{
    enum fault_answer kind = kind_of(fault);
    if (kind == ANSWER_EMPTY || kind == ANSWER_TOOL_USE)
        return 0;
    if (kind == ANSWER_REFUSAL || kind == ANSWER_GUARDRAIL || kind == ANSWER_FILTERED)
        return buffer_append_string(text, "Sorry, I cannot help with this.", err);
    if (kind == ANSWER_HUGE) {
        static const char line[] = "All work and no play makes Jack a dull boy. ";
        size_t bytes = (size_t)fault->number;
        while (text->length < bytes) {
            size_t left = bytes - text->length;
            if (buffer_append(text, line, left < sizeof line - 1 ? left : sizeof line - 1, err) !=
                0)
                return -1;
        }
        return 0;
    }
    size_t echoed = cut_length(request->text.data, request->text.length, ECHO_MAX);
    if (buffer_append_string(text, "You said: ", err) != 0 ||
        buffer_append(text, request->text.data, echoed, err) != 0)
        return -1;
    if (echoed < request->text.length && buffer_append_string(text, "...", err) != 0)
        return -1;
    size_t most = request->max_tokens < REPLY_MAX / 4 ? (size_t)request->max_tokens * 4 : REPLY_MAX;
    size_t length = cut_length(text->data, text->length, most);
    bool cut = kind == ANSWER_MAX_TOKENS || length < text->length;
    text->length = length;
    text->data[length] = '\0';
    return cut ? 1 : 0;
}

static const char *stop_word(enum model_family family, enum fault_answer kind, bool cut)
{
    const struct stop_words *words = &stop_words[family];
    switch (kind) {
    case ANSWER_REFUSAL:
        return words->refusal;
    case ANSWER_GUARDRAIL:
        return words->guardrail;
    case ANSWER_FILTERED:
        return words->filtered;
    case ANSWER_TOOL_USE:
        return words->tool;
    default:
        return cut ? words->length : words->end;
    }
}

/* What goes into an answer of any family. */
struct parts {
    const char *id;
    enum fault_answer kind;
    const char *text;
    size_t length;
    const char *stop;
    int64_t input_tokens, output_tokens;
};

static void add(struct json_object *object, const char *name, struct json_object *value)
{
    json_object_object_add(object, name, value);
}

static void add_string(struct json_object *object, const char *name, const char *value)
{
    add(object, name, json_object_new_string(value));
}

static void add_count(struct json_object *object, const char *name, int64_t value)
{
    add(object, name, json_object_new_int64(value));
}

static struct json_object *text_block(const char *type, const char *text, size_t length)
{
    struct json_object *block = json_object_new_object();
    if (type != NULL)
        add_string(block, "type", type);
    add(block, "text", json_object_new_string_len(text, (int)length));
    return block;
}

/* The text as blocks: one, or two for ANSWER_MULTI_BLOCK, or none when there is no text. */
static void add_text_blocks(struct json_object *blocks, const char *type, const struct parts *parts)
{
    size_t first = parts->length;
    if (parts->kind == ANSWER_MULTI_BLOCK)
        first = cut_length(parts->text, parts->length, parts->length / 2);
    if (first > 0)
        json_object_array_add(blocks, text_block(type, parts->text, first));
    if (first < parts->length)
        json_object_array_add(blocks, text_block(type, parts->text + first, parts->length - first));
}

static struct json_object *anthropic(const struct parts *parts)
{
    struct json_object *blocks = json_object_new_array();
    if (parts->kind == ANSWER_REASONING) {
        struct json_object *thinking = json_object_new_object();
        add_string(thinking, "type", "thinking");
        add_string(thinking, "thinking", REASONING_TEXT);
        add_string(thinking, "signature", "c2lnbmF0dXJl");
        json_object_array_add(blocks, thinking);
    }
    add_text_blocks(blocks, "text", parts);
    if (parts->kind == ANSWER_TOOL_USE) {
        struct json_object *tool = json_object_new_object();
        add_string(tool, "type", "tool_use");
        add_string(tool, "id", "toolu_bdrk_01");
        add_string(tool, "name", "look_up");
        add(tool, "input", json_object_new_object());
        json_object_array_add(blocks, tool);
    }
    struct json_object *answer = json_object_new_object();
    add_string(answer, "model", parts->id);
    add_string(answer, "id", "msg_bdrk_01LocalStandIn");
    add_string(answer, "type", "message");
    add_string(answer, "role", "assistant");
    add(answer, "content", blocks);
    add_string(answer, "stop_reason", parts->stop);
    add(answer, "stop_sequence", NULL);
    if (parts->kind == ANSWER_NO_USAGE)
        return answer;
    struct json_object *usage = json_object_new_object();
    add_count(usage, "input_tokens", parts->input_tokens);
    add_count(usage, "cache_creation_input_tokens", 0);
    add_count(usage, "cache_read_input_tokens", 0);
    add_count(usage, "output_tokens", parts->output_tokens);
    add(answer, "usage", usage);
    return answer;
}

static struct json_object *nova(const struct parts *parts)
{
    struct json_object *blocks = json_object_new_array();
    if (parts->kind == ANSWER_REASONING) {
        struct json_object *content = json_object_new_object();
        add(content, "reasoningText", text_block(NULL, REASONING_TEXT, strlen(REASONING_TEXT)));
        struct json_object *reasoning = json_object_new_object();
        add(reasoning, "reasoningContent", content);
        json_object_array_add(blocks, reasoning);
    }
    add_text_blocks(blocks, NULL, parts);
    if (parts->kind == ANSWER_TOOL_USE) {
        struct json_object *tool = json_object_new_object();
        add_string(tool, "name", "look_up");
        add_string(tool, "toolUseId", "tooluse_01");
        add(tool, "input", json_object_new_object());
        struct json_object *block = json_object_new_object();
        add(block, "toolUse", tool);
        json_object_array_add(blocks, block);
    }
    struct json_object *message = json_object_new_object();
    add(message, "content", blocks);
    add_string(message, "role", "assistant");
    struct json_object *output = json_object_new_object();
    add(output, "message", message);
    struct json_object *answer = json_object_new_object();
    add(answer, "output", output);
    add_string(answer, "stopReason", parts->stop);
    if (parts->kind == ANSWER_NO_USAGE)
        return answer;
    struct json_object *usage = json_object_new_object();
    add_count(usage, "inputTokens", parts->input_tokens);
    add_count(usage, "outputTokens", parts->output_tokens);
    add_count(usage, "totalTokens", parts->input_tokens + parts->output_tokens);
    add_count(usage, "cacheReadInputTokenCount", 0);
    add_count(usage, "cacheWriteInputTokenCount", 0);
    add(answer, "usage", usage);
    return answer;
}

/* The assistant's message: a string mostly; parts for several blocks; null when there is no text.
 */
static struct json_object *openai_message(const struct parts *parts)
{
    struct json_object *message = json_object_new_object();
    add_string(message, "role", "assistant");
    if (parts->kind == ANSWER_MULTI_BLOCK) {
        struct json_object *blocks = json_object_new_array();
        add_text_blocks(blocks, "text", parts);
        add(message, "content", blocks);
        return message;
    }
    if (parts->kind == ANSWER_TOOL_USE) {
        struct json_object *function = json_object_new_object();
        add_string(function, "name", "look_up");
        add_string(function, "arguments", "{}");
        struct json_object *call = json_object_new_object();
        add_string(call, "id", "call_01");
        add_string(call, "type", "function");
        add(call, "function", function);
        struct json_object *calls = json_object_new_array();
        json_object_array_add(calls, call);
        add(message, "content", NULL);
        add(message, "tool_calls", calls);
        return message;
    }
    struct buffer text;
    buffer_init(&text, REPLY_MAX);
    int result = 0;
    if (parts->kind == ANSWER_REASONING)
        result = buffer_append_string(&text, "<reasoning>" REASONING_TEXT "</reasoning>", NULL);
    if (result == 0)
        result = buffer_append(&text, parts->text, parts->length, NULL);
    const char *content = result == 0 ? text.data : "";
    add(message, "content", json_object_new_string_len(content, (int)text.length));
    buffer_wipe(&text);
    return message;
}

static struct json_object *openai(const struct parts *parts)
{
    struct json_object *choice = json_object_new_object();
    add_count(choice, "index", 0);
    add(choice, "message", openai_message(parts));
    add_string(choice, "finish_reason", parts->stop);
    struct json_object *choices = json_object_new_array();
    json_object_array_add(choices, choice);
    struct json_object *answer = json_object_new_object();
    add_string(answer, "id", "chatcmpl-local");
    add_string(answer, "object", "chat.completion");
    add_count(answer, "created", 1800000000);
    add_string(answer, "model", parts->id);
    add(answer, "choices", choices);
    if (parts->kind == ANSWER_NO_USAGE)
        return answer;
    struct json_object *usage = json_object_new_object();
    add_count(usage, "prompt_tokens", parts->input_tokens);
    add_count(usage, "completion_tokens", parts->output_tokens);
    add_count(usage, "total_tokens", parts->input_tokens + parts->output_tokens);
    add(answer, "usage", usage);
    return answer;
}

int model_answer(const struct model_request *request, const struct fault *fault,
                 struct model_reply *reply, struct error *err)
{
    static struct json_object *(*const writers[])(const struct parts *) = {
        [MODEL_ANTHROPIC] = anthropic, [MODEL_NOVA] = nova, [MODEL_OPENAI] = openai};
    struct buffer text;
    buffer_init(&text, REPLY_MAX);
    buffer_init(&reply->body, REPLY_MAX);
    int said = say(request, fault, &text, err);
    struct json_object *answer = NULL;
    if (said >= 0) {
        enum fault_answer kind = kind_of(fault);
        reply->output_tokens = model_tokens(text.length);
        struct parts parts = {.id = request->id,
                              .kind = kind,
                              .text = text.data != NULL ? text.data : "",
                              .length = text.length,
                              .stop = stop_word(request->family, kind, said > 0),
                              .input_tokens = request->input_tokens,
                              .output_tokens = reply->output_tokens};
        answer = writers[request->family](&parts);
    }
    int result = said < 0 ? -1 : document_print(answer, &reply->body, err);
    json_object_put(answer);
    buffer_wipe(&text);
    return result;
}
