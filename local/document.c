#include "local/document.h"

#define DEPTH_MAX 64

struct json_object *document_parse(const char *text, size_t length, struct error *err)
{
    struct json_tokener *tokener = json_tokener_new_ex(DEPTH_MAX);
    if (tokener == NULL || length >= INT32_MAX) {
        json_tokener_free(tokener);
        (void)error_set(err, ERROR_MEMORY, "cannot read %zu bytes of JSON", length);
        return NULL;
    }
    json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
    struct json_object *value = json_tokener_parse_ex(tokener, text, (int)length);
    if (json_tokener_get_error(tokener) == json_tokener_continue)
        value = json_tokener_parse_ex(tokener, "", 1); /* the end: a number may need to be told */
    else if (value != NULL && json_tokener_get_parse_end(tokener) != length) {
        json_object_put(value); /* it stopped at a NUL */
        value = NULL;
    }
    json_tokener_free(tokener);
    if (value == NULL)
        (void)error_set(err, ERROR_INVALID_REQUEST, "not a JSON document");
    return value;
}

int document_print(struct json_object *value, struct buffer *out, struct error *err)
{
    size_t length = 0;
    int flags = JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE;
    const char *text = json_object_to_json_string_length(value, flags, &length);
    if (text == NULL)
        return error_set(err, ERROR_MEMORY, "no memory for JSON");
    return buffer_append(out, text, length, err);
}

struct json_object *document_member(struct json_object *object, const char *name,
                                    enum json_type type)
{
    struct json_object *member = NULL;
    if (!json_object_is_type(object, json_type_object))
        return NULL;
    if (!json_object_object_get_ex(object, name, &member))
        return NULL;
    return json_object_is_type(member, type) ? member : NULL;
}
