#include "local/document.h"

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
