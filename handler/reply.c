#include "handler/reply.h"

#include <json-c/json.h>
#include <stdio.h>

#include "base/os.h"

static const struct {
    const char *name, *value;
} common_headers[] = {
    {"Content-Type", "application/json"},
    {"Access-Control-Allow-Origin", "*"},
    {"Access-Control-Allow-Methods", "GET,POST,OPTIONS"},
    {"Access-Control-Allow-Headers",
     "Authorization,Content-Type,X-Amz-Date,X-Amz-Security-Token,X-Api-Key,X-Priority"},
    {"Access-Control-Expose-Headers", "Retry-After"},
    {"Access-Control-Max-Age", "3600"},
};

int reply_add(struct json_object *object, const char *name, struct json_object *value,
              struct error *err)
{
    if (object != NULL && value != NULL && json_object_object_add(object, name, value) == 0)
        return 0;
    json_object_put(value);
    return error_set(err, ERROR_MEMORY, "no memory for the reply's %s", name);
}

static int add_string(struct json_object *object, const char *name, const char *value,
                      struct error *err)
{
    return reply_add(object, name, json_object_new_string(value), err);
}

int reply_error(struct reply *reply, enum error_kind kind, const char *sentence,
                const char *request_id, struct error *err)
{
    *reply = (struct reply){.status = error_status(kind), .retry_after_ns = -1};
    reply->body = json_object_new_object();
    if (add_string(reply->body, "error", sentence != NULL ? sentence : error_sentence(kind), err) !=
            0 ||
        add_string(reply->body, "code", error_code(kind), err) != 0)
        return -1;
    return add_string(reply->body, "request_id", request_id, err);
}

static int64_t whole_seconds(int64_t ns)
{
    int64_t seconds = ns / NS_PER_S + (ns % NS_PER_S > 0);
    return seconds < 1 ? 1 : seconds;
}

int reply_set_retry_after(struct reply *reply, int64_t retry_after_ns, struct error *err)
{
    reply->retry_after_ns = retry_after_ns;
    return reply_add(reply->body, "retry_after",
                     json_object_new_int64(whole_seconds(retry_after_ns)), err);
}

static int add_header(struct json_object *headers, bool multi, const char *name, const char *value,
                      struct error *err)
{
    if (!multi)
        return add_string(headers, name, value, err);
    struct json_object *values = json_object_new_array();
    struct json_object *only = json_object_new_string(value);
    if (values == NULL || only == NULL || json_object_array_add(values, only) != 0) {
        json_object_put(values);
        json_object_put(only);
        return error_set(err, ERROR_MEMORY, "no memory for the reply's %s", name);
    }
    return reply_add(headers, name, values, err);
}

static int write_headers(const struct reply *reply, struct json_object *headers, bool multi,
                         struct error *err)
{
    for (size_t i = 0; i < sizeof common_headers / sizeof common_headers[0]; i++)
        if (add_header(headers, multi, common_headers[i].name, common_headers[i].value, err) != 0)
            return -1;
    if (reply->allow != NULL && add_header(headers, multi, "Allow", reply->allow, err) != 0)
        return -1;
    if (reply->retry_after_ns < 0)
        return 0;
    char seconds[32];
    (void)snprintf(seconds, sizeof seconds, "%lld",
                   (long long)whole_seconds(reply->retry_after_ns));
    return add_header(headers, multi, "Retry-After", seconds, err);
}

static int build(const struct reply *reply, const struct event *event, struct json_object *root,
                 struct error *err)
{
    bool alb = event->source == EVENT_ALB;
    bool multi = alb && event->multi_value_headers;
    if (reply_add(root, "statusCode", json_object_new_int(reply->status), err) != 0)
        return -1;
    if (alb) {
        char description[64];
        (void)snprintf(description, sizeof description, "%d %s", reply->status,
                       error_status_text(reply->status));
        if (add_string(root, "statusDescription", description, err) != 0)
            return -1;
    }
    struct json_object *headers = json_object_new_object();
    if (reply_add(root, multi ? "multiValueHeaders" : "headers", headers, err) != 0 ||
        write_headers(reply, headers, multi, err) != 0)
        return -1;
    size_t length = 0;
    int flags = JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE;
    const char *body =
        reply->body != NULL ? json_object_to_json_string_length(reply->body, flags, &length) : "";
    if (body == NULL)
        return error_set(err, ERROR_MEMORY, "no memory for the reply's text");
    if (reply_add(root, "body", json_object_new_string_len(body, (int)length), err) != 0)
        return -1;
    return reply_add(root, "isBase64Encoded", json_object_new_boolean(0), err);
}

int reply_write(const struct reply *reply, const struct event *event, struct buffer *out,
                struct error *err)
{
    struct json_object *root = json_object_new_object();
    int result = build(reply, event, root, err);
    size_t length = 0;
    int flags = JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE;
    const char *text = result == 0 ? json_object_to_json_string_length(root, flags, &length) : NULL;
    if (result == 0 && text == NULL)
        result = error_set(err, ERROR_MEMORY, "no memory for the reply");
    if (result == 0)
        result = buffer_append(out, text, length, err);
    json_object_put(root);
    return result;
}

void reply_free(struct reply *reply)
{
    json_object_put(reply->body);
    *reply = (struct reply){0};
}
