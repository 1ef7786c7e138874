#include "handler/event.h"

#include <json-c/json.h>
#include <string.h>

#include "base/base64.h"
#include "base/os.h"
#include "base/strict_json.h"

#define BODY_MAX (8U << 20) /* above what an event can hold */

const char *event_source_name(enum event_source source)
{
    static const char *const names[] = {"direct",       "rest-api", "http-api",
                                        "function-url", "alb",      "sqs"};
    return names[source];
}

static struct json_object *member(struct json_object *object, const char *name)
{
    struct json_object *value = NULL;
    if (!json_object_is_type(object, json_type_object))
        return NULL;
    json_object_object_get_ex(object, name, &value);
    return value;
}

static const char *string_member(struct json_object *object, const char *name)
{
    struct json_object *value = member(object, name);
    return json_object_is_type(value, json_type_string) ? json_object_get_string(value) : NULL;
}

static bool is_function_url(struct json_object *context)
{
    const char *domain = string_member(context, "domainName");
    return domain != NULL && strstr(domain, ".lambda-url.") != NULL;
}

static bool is_sqs(struct json_object *root)
{
    struct json_object *records = member(root, "Records");
    if (!json_object_is_type(records, json_type_array) || json_object_array_length(records) == 0)
        return false;
    const char *source = string_member(json_object_array_get_idx(records, 0), "eventSource");
    return source != NULL && strcmp(source, "aws:sqs") == 0;
}

static enum event_source source_of(struct json_object *root)
{
    struct json_object *context = member(root, "requestContext");
    const char *version = string_member(root, "version");
    if ((version != NULL && strcmp(version, "2.0") == 0) || member(context, "http") != NULL)
        return is_function_url(context) ? EVENT_FUNCTION_URL : EVENT_HTTP_API;
    if (member(context, "elb") != NULL)
        return EVENT_ALB;
    if (string_member(root, "httpMethod") != NULL)
        return EVENT_REST_API;
    return is_sqs(root) ? EVENT_SQS : EVENT_DIRECT;
}

/* An HTTP API with a named stage puts it before the path: "/prod/agent". */
static const char *without_stage(const char *path, const char *stage)
{
    if (path == NULL || stage == NULL || path[0] != '/')
        return path;
    size_t length = strlen(stage);
    if (length == 0 || strncmp(path + 1, stage, length) != 0)
        return path;
    const char *rest = path + 1 + length;
    if (*rest == '\0')
        return "/";
    return *rest == '/' ? rest : path;
}

static int64_t epoch_ms(struct json_object *context, const char *name)
{
    struct json_object *value = member(context, name);
    if (!json_object_is_type(value, json_type_int))
        return 0;
    int64_t ms = json_object_get_int64(value);
    return ms > 0 && ms < INT64_MAX / NS_PER_MS ? ms * NS_PER_MS : 0;
}

static void read_payload_2(struct event *event, struct json_object *context)
{
    struct json_object *http = member(context, "http");
    event->method = string_member(http, "method");
    const char *path = string_member(event->root, "rawPath");
    if (path == NULL)
        path = string_member(http, "path");
    event->path = without_stage(path, string_member(context, "stage"));
    const char *route = string_member(event->root, "routeKey"); /* "POST /agent" */
    event->route = route != NULL ? strchr(route, '/') : NULL;
    event->gateway_wall_ns = epoch_ms(context, "timeEpoch");
}

static void read_payload_1(struct event *event, struct json_object *context)
{
    event->method = string_member(event->root, "httpMethod");
    event->path = string_member(event->root, "path");
    if (string_member(event->root, "version") != NULL) /* an HTTP API's, with the stage in it */
        event->path = without_stage(event->path, string_member(context, "stage"));
    event->route = string_member(event->root, "resource");
    event->gateway_wall_ns = epoch_ms(context, "requestTimeEpoch");
    struct json_object *headers = member(event->root, "multiValueHeaders");
    event->multi_value_headers = json_object_is_type(headers, json_type_object);
}

static int read_body(struct event *event, struct error *err)
{
    struct json_object *body = member(event->root, "body");
    if (body == NULL)
        return 0;
    if (!json_object_is_type(body, json_type_string))
        return error_set(err, ERROR_INVALID_REQUEST, "The body of the event is not a string.");
    const char *text = json_object_get_string(body);
    size_t length = (size_t)json_object_get_string_len(body);
    struct json_object *flag = member(event->root, "isBase64Encoded");
    if (json_object_is_type(flag, json_type_boolean) && json_object_get_boolean(flag))
        return base64_decode(&event->body, text, length, err);
    return buffer_append(&event->body, text, length, err);
}

int event_read(struct event *event, const char *bytes, size_t length, struct error *err)
{
    *event = (struct event){.source = EVENT_DIRECT};
    buffer_init(&event->body, BODY_MAX);
    event->root = strict_json_parse(bytes, length, err);
    if (event->root == NULL)
        return -1;
    struct json_object *context = member(event->root, "requestContext");
    event->source = source_of(event->root);
    if (event->source == EVENT_DIRECT || event->source == EVENT_SQS)
        return 0;
    if (event->source == EVENT_HTTP_API || event->source == EVENT_FUNCTION_URL)
        read_payload_2(event, context);
    else
        read_payload_1(event, context);
    return read_body(event, err);
}

void event_free(struct event *event)
{
    json_object_put(event->root);
    buffer_free(&event->body);
    *event = (struct event){0};
}
