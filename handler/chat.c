#include "handler/chat.h"

#include <ctype.h>
#include <json-c/json.h>
#include <stdbool.h>
#include <string.h>

#include "base/strict_json.h"

static int read_session_id(struct chat_request *request, struct json_object *object,
                           struct error *err)
{
    struct json_object *value = NULL;
    if (!json_object_object_get_ex(object, "session_id", &value) || value == NULL)
        return 0;
    if (!json_object_is_type(value, json_type_string))
        return error_set(err, ERROR_INVALID_REQUEST, "session_id must be a string.");
    const char *text = json_object_get_string(value);
    size_t length = (size_t)json_object_get_string_len(value);
    if (length > CHAT_SESSION_ID_MAX)
        return error_set(err, ERROR_INVALID_REQUEST, "session_id is longer than %d bytes.",
                         CHAT_SESSION_ID_MAX);
    for (size_t i = 0; i < length; i++)
        if (iscntrl((unsigned char)text[i]))
            return error_set(err, ERROR_INVALID_REQUEST, "session_id has control characters.");
    if (length > 0)
        memcpy(request->session_id, text, length + 1);
    return 0;
}

static bool is_blank(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (!isspace((unsigned char)text[i]))
            return false;
    return true;
}

static int read_message(struct chat_request *request, struct json_object *object, struct error *err)
{
    struct json_object *value = NULL;
    if (!json_object_object_get_ex(object, "message", &value) || value == NULL)
        return error_set(err, ERROR_INVALID_REQUEST,
                         "There is no message: send {\"message\": \"...\"}.");
    if (!json_object_is_type(value, json_type_string))
        return error_set(err, ERROR_INVALID_REQUEST, "message must be a string.");
    request->message = json_object_get_string(value);
    request->message_length = (size_t)json_object_get_string_len(value);
    if (is_blank(request->message, request->message_length))
        return error_set(err, ERROR_INVALID_REQUEST, "message is empty.");
    return 0;
}

int chat_request_read(struct chat_request *request, const struct event *event, const struct os *os,
                      struct error *err)
{
    *request = (struct chat_request){0};
    os_uuid(os, request->session_id);
    struct json_object *object = event->root;
    if (event->source != EVENT_DIRECT) {
        request->root = strict_json_parse(event->body.data, event->body.length, err);
        object = request->root;
        if (object == NULL && err->kind == ERROR_INVALID_REQUEST)
            return error_set(err, ERROR_INVALID_REQUEST,
                             "The body is not JSON: send {\"message\": \"...\"}.");
        if (object == NULL)
            return -1;
    }
    if (!json_object_is_type(object, json_type_object))
        return error_set(err, ERROR_INVALID_REQUEST,
                         "The request is not a JSON object: send {\"message\": \"...\"}.");
    if (read_session_id(request, object, err) != 0)
        return -1;
    return read_message(request, object, err);
}

void chat_request_free(struct chat_request *request)
{
    json_object_put(request->root);
    *request = (struct chat_request){0};
}
