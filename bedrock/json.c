#include "bedrock/json.h"

#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#include "base/strict_json.h"

#define COUNT_MAX                                                                                  \
    INT64_C(1000000000000000) /* json-c cuts greater numbers, and nobody counts so far */

struct json_object *json_parse(const char *bytes, size_t length)
{
    return strict_json_parse(bytes, length, NULL);
}

struct json_object *json_member(struct json_object *object, const char *name)
{
    struct json_object *value = NULL;
    if (!json_object_is_type(object, json_type_object))
        return NULL;
    json_object_object_get_ex(object, name, &value);
    return value;
}

struct json_object *json_first(struct json_object *array)
{
    if (!json_object_is_type(array, json_type_array) || json_object_array_length(array) == 0)
        return NULL;
    return json_object_array_get_idx(array, 0);
}

struct json_text json_text(struct json_object *value)
{
    if (!json_object_is_type(value, json_type_string))
        return (struct json_text){0};
    return (struct json_text){json_object_get_string(value),
                              (size_t)json_object_get_string_len(value)};
}

const char *json_string_member(struct json_object *object, const char *name)
{
    return json_text(json_member(object, name)).bytes;
}

double json_number_member(struct json_object *object, const char *name)
{
    struct json_object *value = json_member(object, name);
    if (!json_object_is_type(value, json_type_int) && !json_object_is_type(value, json_type_double))
        return -1;
    return json_object_get_double(value);
}

int64_t json_count_member(struct json_object *object, const char *name)
{
    struct json_object *value = json_member(object, name);
    if (!json_object_is_type(value, json_type_int))
        return -1;
    int64_t count = json_object_get_int64(value);
    return count >= 0 && count <= COUNT_MAX ? count : -1;
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

struct json_object *json_number(double number)
{
    char text[32];
    (void)snprintf(text, sizeof text, "%.15g", number);
    return json_object_new_double_s(number, text);
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
