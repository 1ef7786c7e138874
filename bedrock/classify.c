#include "bedrock/classify.h"

#include <json-c/json.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/os.h"
#include "bedrock/json.h"

#define HINT_MAX_S (24 * 60 * 60)

#define ALPHANUMERIC "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

/*
 * "x.y.z#Name:http://..." -> "Name". What is no plain word, or does not fit, is none: it may go to
 * the log.
 */
static void clean_name(const char *raw, char *out, size_t size)
{
    size_t length = strcspn(raw, ":");
    for (size_t i = length; i > 0; i--) {
        if (raw[i - 1] == '#') {
            raw += i;
            length -= i;
            break;
        }
    }
    out[0] = '\0';
    if (length >= size || strspn(raw, ALPHANUMERIC) < length)
        return;
    memcpy(out, raw, length);
    out[length] = '\0';
}

static void find_name(const struct http_response *response, struct json_object *body, char *out,
                      size_t size)
{
    static const char *const members[] = {"code", "Code", "__type"};
    char header[512];
    out[0] = '\0';
    if (http_response_header(response, "x-amzn-errortype", header, sizeof header)) {
        clean_name(header, out, size);
        return;
    }
    for (size_t i = 0; out[0] == '\0' && i < sizeof members / sizeof members[0]; i++) {
        const char *raw = json_string_member(body, members[i]);
        if (raw != NULL)
            clean_name(raw, out, size);
    }
}

static const char *message_of(struct json_object *body)
{
    const char *message = json_string_member(body, "message");
    if (message == NULL)
        message = json_string_member(body, "Message");
    return message != NULL ? message : "";
}

/* One exception name for three quotas; the text tells them apart. */
static enum error_kind throttle_kind(const char *message)
{
    if (strcasestr(message, "too many tokens per day") != NULL)
        return ERROR_THROTTLED_DAY;
    if (strcasestr(message, "too many tokens") != NULL)
        return ERROR_THROTTLED_TOKENS;
    return ERROR_THROTTLED;
}

static enum error_kind model_error_kind(struct json_object *body)
{
    int64_t original = json_count_member(body, "originalStatusCode");
    return original >= 500 && original < 600 ? ERROR_MODEL_FAULT : ERROR_MODEL_ERROR;
}

static enum error_kind kind_by_status(int status)
{
    switch (status) {
    case 401:
    case 403:
        return ERROR_ACCESS_DENIED;
    case 404:
        return ERROR_NO_SUCH_MODEL;
    case 408:
        return ERROR_MODEL_TIMEOUT;
    case 409:
        return ERROR_CONFLICT;
    case 424:
        return ERROR_MODEL_ERROR;
    case 429:
        return ERROR_THROTTLED;
    case 503:
        return ERROR_UNAVAILABLE;
    default:
        break;
    }
    if (status >= 500 && status < 600)
        return ERROR_SERVER_FAULT;
    return status >= 400 && status < 500 ? ERROR_VALIDATION : ERROR_BAD_ANSWER;
}

static enum error_kind kind_of(const char *name, int status, struct json_object *body)
{
    enum error_kind kind = error_from_name(name);
    if (kind == ERROR_NONE)
        kind = kind_by_status(status);
    if (kind == ERROR_THROTTLED)
        return throttle_kind(message_of(body));
    if (kind == ERROR_MODEL_ERROR)
        return model_error_kind(body);
    return kind;
}

/* ---- hints ---- */

/* A finite, non-negative decimal number, or -1. */
static double number_from(const char *text)
{
    char *end = NULL;
    if (text[0] == '\0' || text[strspn(text, "0123456789.")] != '\0')
        return -1;
    double number = strtod(text, &end);
    return *end == '\0' && isfinite(number) ? number : -1;
}

static double seconds_until_date(const char *text, int64_t wall_ns)
{
    struct tm utc = {0};
    const char *end = strptime(text, "%a, %d %b %Y %H:%M:%S GMT", &utc);
    if (end == NULL || *end != '\0')
        return -1;
    return (double)timegm(&utc) - seconds_from_ns(wall_ns);
}

static double header_hint_s(const struct http_response *response, int64_t wall_ns)
{
    static const char *const in_ms[] = {"x-amz-retry-after", "retry-after-ms",
                                        "x-ms-retry-after-ms"};
    char value[64];
    double hint_s = -1;
    if (http_response_header(response, "retry-after", value, sizeof value))
        hint_s = fmax(number_from(value), seconds_until_date(value, wall_ns));
    for (size_t i = 0; i < sizeof in_ms / sizeof in_ms[0]; i++) {
        if (!http_response_header(response, in_ms[i], value, sizeof value))
            continue;
        double ms = number_from(value);
        hint_s = fmax(hint_s, ms >= 0 ? ms / 1000 : -1);
    }
    return hint_s;
}

/* {"exceptionMetadata":{"rudiMetadata":"{\"expectedQueueDelayInMs\":394460}"}}: JSON in a string.
 */
static double body_hint_s(struct json_object *body)
{
    struct json_object *metadata = json_member(body, "exceptionMetadata");
    const char *text = json_string_member(metadata, "rudiMetadata");
    if (text == NULL)
        return -1;
    struct json_object *inner = json_parse(text, strlen(text));
    int64_t ms = json_count_member(inner, "expectedQueueDelayInMs");
    json_object_put(inner);
    return ms >= 0 ? (double)ms / 1000 : -1;
}

static int64_t hint_ns(const struct http_response *response, struct json_object *body,
                       int64_t wall_ns)
{
    double hint_s = fmax(header_hint_s(response, wall_ns), body_hint_s(body));
    return hint_s >= 0 ? ns_from_seconds(fmin(hint_s, HINT_MAX_S)) : -1;
}

struct classification classify(const struct http_response *response, int64_t wall_ns)
{
    struct classification result = {0};
    struct json_object *body = json_parse(response->body.data, response->body.length);
    find_name(response, body, result.name, sizeof result.name);
    result.kind = kind_of(result.name, response->status, body);
    result.retry_hint_ns = hint_ns(response, body, wall_ns);
    json_object_put(body);
    return result;
}
