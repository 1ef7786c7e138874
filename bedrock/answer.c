#include "bedrock/answer.h"

#include <json-c/json.h>
#include <string.h>

#include "bedrock/json.h"

int answer_read_stop(struct json_object *word, const struct answer_stop_word *table,
                     enum bedrock_stop *stop, struct error *err)
{
    *stop = BEDROCK_STOP_OTHER;
    if (word == NULL)
        return 0;
    const char *text = json_text(word).bytes;
    if (text == NULL)
        return error_set(err, ERROR_BAD_ANSWER, "the model's reason to stop is no string");
    for (; table->word != NULL; table++)
        if (strcmp(table->word, text) == 0)
            *stop = table->stop;
    return 0;
}

static int append_block(struct json_object *block, struct buffer *out, struct error *err)
{
    if (!json_object_is_type(block, json_type_object))
        return error_set(err, ERROR_BAD_ANSWER, "a block of the model's answer is no object");
    const char *type = json_string_member(block, "type");
    if (type != NULL && strcmp(type, "text") != 0)
        return 0;
    struct json_object *value = NULL;
    if (!json_object_object_get_ex(block, "text", &value) && type == NULL)
        return 0;
    struct json_text text = json_text(value);
    if (text.bytes == NULL)
        return error_set(err, ERROR_BAD_ANSWER, "a text of the model's answer is no string");
    return buffer_append(out, text.bytes, text.length, err);
}

int answer_join_blocks(struct json_object *blocks, struct buffer *out, struct error *err)
{
    if (!json_object_is_type(blocks, json_type_array))
        return error_set(err, ERROR_BAD_ANSWER, "the model's answer has no content");
    for (size_t i = 0; i < json_object_array_length(blocks); i++)
        if (append_block(json_object_array_get_idx(blocks, i), out, err) != 0)
            return -1;
    return 0;
}

int answer_take_text(struct bedrock_answer *answer, struct buffer *buffer, struct error *err)
{
    if (buffer->data == NULL && buffer_append(buffer, "", 0, err) != 0)
        return -1;
    answer->text = buffer->data;
    answer->text_length = buffer->length;
    *buffer = (struct buffer){0};
    return 0;
}

int answer_read_blocks(struct json_object *blocks, struct bedrock_answer *answer, struct error *err)
{
    struct buffer text;
    buffer_init(&text, ANSWER_MAX);
    int result = answer_join_blocks(blocks, &text, err);
    if (result == 0)
        result = answer_take_text(answer, &text, err);
    buffer_free(&text);
    return result;
}

const char *bedrock_stop_word(enum bedrock_stop stop)
{
    switch (stop) {
    case BEDROCK_STOP_END:
        return "end_turn";
    case BEDROCK_STOP_LENGTH:
        return "max_tokens";
    case BEDROCK_STOP_REFUSAL:
        return "refusal";
    case BEDROCK_STOP_OTHER:
        break;
    }
    return "other";
}
