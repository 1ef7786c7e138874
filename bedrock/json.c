#include "bedrock/json.h"

#include <json-c/json.h>

#include "base/strict_json.h"

struct json_object *json_member(struct json_object *object, const char *name)
{
    struct json_object *value = NULL;
    if (!json_object_is_type(object, json_type_object))
        return NULL;
    json_object_object_get_ex(object, name, &value);
    return value;
}

const char *json_string_member(struct json_object *object, const char *name)
{
    struct json_object *value = json_member(object, name);
    return json_object_is_type(value, json_type_string) ? json_object_get_string(value) : NULL;
}

int64_t json_count_member(struct json_object *object, const char *name)
{
    struct json_object *value = json_member(object, name);
    if (!json_object_is_type(value, json_type_int) || json_object_get_int64(value) < 0)
        return -1;
    return json_object_get_int64(value);
}

struct json_object *json_parse(const char *bytes, size_t length)
{
    return strict_json_parse(bytes, length, NULL);
}

bool json_put(struct json_object *object, const char *name, struct json_object *value)
{
    if (object != NULL && value != NULL && json_object_object_add(object, name, value) == 0)
        return true;
    json_object_put(value);
    return false;
}

bool json_push(struct json_object *array, struct json_object *value)
{
    if (array != NULL && value != NULL && json_object_array_add(array, value) == 0)
        return true;
    json_object_put(value);
    return false;
}

struct json_object *json_chat_message(const char *role, struct json_object *content)
{
    struct json_object *message = json_object_new_object();
    bool named = json_put(message, "role", json_object_new_string(role));
    if (json_put(message, "content", content) && named)
        return message;
    json_object_put(message);
    return NULL;
}

struct json_object *json_text_blocks(const char *text, size_t length, bool typed)
{
    struct json_object *blocks = json_object_new_array();
    struct json_object *block = json_object_new_object();
    bool whole = !typed || json_put(block, "type", json_object_new_string("text"));
    whole = json_put(block, "text", json_object_new_string_len(text, (int)length)) && whole;
    if (json_push(blocks, block) && whole)
        return blocks;
    json_object_put(blocks);
    return NULL;
}

int json_join_texts(struct json_object *blocks, struct buffer *out, struct error *err)
{
    if (!json_object_is_type(blocks, json_type_array))
        return 0;
    for (size_t i = 0; i < json_object_array_length(blocks); i++) {
        struct json_object *text = json_member(json_object_array_get_idx(blocks, i), "text");
        if (!json_object_is_type(text, json_type_string))
            continue;
        size_t length = (size_t)json_object_get_string_len(text);
        if (buffer_append(out, json_object_get_string(text), length, err) != 0)
            return -1;
    }
    return 0;
}
