#include "bedrock/classify.h"

#include <json-c/json.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/os.h"
#include "bedrock/json.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

#define ALPHANUMERIC "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

/* ---- the exception's name ---- */

/* "x.y.z#Name:http://..." -> "Name". */
static void clean_name(const char *raw, char out[CLASSIFY_NAME_MAX + 1])
{
    size_t length = strcspn(raw, ":");
    const char *hash = memrchr(raw, '#', length);
    if (hash != NULL) {
        length -= (size_t)(hash + 1 - raw);
        raw = hash + 1;
    }
    while (length > 0 && *raw == ' ') {
        raw++;
        length--;
    }
    while (length > 0 && raw[length - 1] == ' ')
        length--;
    out[0] = '\0';
    if (length > CLASSIFY_NAME_MAX || strspn(raw, ALPHANUMERIC) < length)
        return;
    memcpy(out, raw, length);
    out[length] = '\0';
}

static void find_name(const struct http_response *response, struct json_object *body,
                      char out[CLASSIFY_NAME_MAX + 1])
{
    static const char *const members[] = {"code", "Code", "__type"};
    char header[1024];
    out[0] = '\0';
    if (http_response_header(response, "x-amzn-errortype", header, sizeof header)) {
        clean_name(header, out);
        return;
    }
    for (size_t i = 0; i < COUNT(members); i++) {
        const char *raw = json_string_member(body, members[i]);
        if (raw != NULL) {
            clean_name(raw, out);
            return;
        }
    }
}

/* ---- the message ---- */

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

/*
 * For an answer without a name. More of the text is asked for than throttle_kind() does: "too many
 * tokens" alone may also be said of a prompt that does not fit the model.
 */
static enum error_kind kind_by_message(const char *message)
{
    static const struct {
        const char *part;
        enum error_kind kind;
    } texts[] = {
        {"too many connections, please wait", ERROR_UNAVAILABLE},
        {"bedrock is unable to process your request", ERROR_UNAVAILABLE},
        {"too many tokens per day", ERROR_THROTTLED},
        {"too many tokens, please wait", ERROR_THROTTLED},
        {"too many requests, please wait", ERROR_THROTTLED},
        {"you have sent too many requests", ERROR_THROTTLED},
        {"due to exceeding the account quotas", ERROR_THROTTLED},
    };
    for (size_t i = 0; i < COUNT(texts); i++)
        if (strcasestr(message, texts[i].part) != NULL)
            return texts[i].kind;
    return ERROR_NONE;
}

/* Bedrock's own text may quote the prompt and is never passed on; this is. */
static const char *advice_for(const char *message)
{
    static const struct {
        const char *part, *advice;
    } texts[] = {
        {"with on-demand throughput", "set BEDROCK_MODEL_ID to an inference profile of the model"},
        {"model identifier is invalid", "BEDROCK_MODEL_ID is no model of this Region"},
        {"don't have access to the model", "the account has no access to the model"},
        {"maximum tokens you requested exceed", "BEDROCK_MAX_TOKENS is above the model's limit"},
    };
    for (size_t i = 0; i < COUNT(texts); i++)
        if (strcasestr(message, texts[i].part) != NULL)
            return texts[i].advice;
    return "";
}

/* ---- the kind ---- */

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

static enum error_kind model_error_kind(struct json_object *body)
{
    int64_t original = json_count_member(body, "originalStatusCode");
    return original >= 500 && original < 600 ? ERROR_MODEL_FAULT : ERROR_MODEL_ERROR;
}

static enum error_kind kind_of(const char *name, int status, struct json_object *body)
{
    const char *message = message_of(body);
    enum error_kind kind = error_from_name(name);
    if (kind == ERROR_NONE)
        kind = kind_by_message(message);
    if (kind == ERROR_NONE)
        kind = kind_by_status(status);
    if (kind == ERROR_THROTTLED)
        return throttle_kind(message);
    if (kind == ERROR_MODEL_ERROR)
        return model_error_kind(body);
    return kind;
}

/* ---- hints ---- */

/* A decimal number without a sign, or -1. */
static double number_from(const char *text)
{
    char *end = NULL;
    if (text[0] == '\0' || text[strspn(text, "0123456789.")] != '\0')
        return -1;
    double number = strtod(text, &end);
    return *end == '\0' && isfinite(number) ? number : -1;
}

/* The three forms of RFC 9110, section 5.6.7. */
static double seconds_until_date(const char *text, int64_t wall_ns)
{
    static const char *const forms[] = {"%a, %d %b %Y %H:%M:%S GMT", "%A, %d-%b-%y %H:%M:%S GMT",
                                        "%a %b %e %H:%M:%S %Y"};
    for (size_t i = 0; i < COUNT(forms); i++) {
        struct tm utc = {0};
        const char *end = strptime(text, forms[i], &utc);
        if (end != NULL && *end == '\0')
            return (double)timegm(&utc) - seconds_from_ns(wall_ns);
    }
    return -1;
}

static double header_hint_s(const struct http_response *response, int64_t wall_ns)
{
    static const char *const in_ms[] = {"x-amz-retry-after", "retry-after-ms",
                                        "x-ms-retry-after-ms"};
    char value[64];
    double hint_s = -1;
    if (http_response_header(response, "retry-after", value, sizeof value))
        hint_s = fmax(number_from(value), seconds_until_date(value, wall_ns));
    for (size_t i = 0; i < COUNT(in_ms); i++) {
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
    struct json_text text = json_text(json_member(metadata, "rudiMetadata"));
    struct json_object *inner = json_parse(text.bytes, text.length);
    double ms = json_number_member(inner, "expectedQueueDelayInMs");
    json_object_put(inner);
    return ms >= 0 && isfinite(ms) ? ms / 1000 : -1;
}

static int64_t hint_ns(const struct http_response *response, struct json_object *body,
                       int64_t wall_ns)
{
    double hint_s = fmax(header_hint_s(response, wall_ns), body_hint_s(body));
    return hint_s >= 0 ? ns_from_seconds(fmin(hint_s, CLASSIFY_HINT_MAX_S)) : -1;
}

struct classification classify(const struct http_response *response, int64_t wall_ns)
{
    struct classification result = {0};
    struct json_object *body = json_parse(response->body.data, response->body.length);
    find_name(response, body, result.name);
    result.kind = kind_of(result.name, response->status, body);
    result.retry_hint_ns = hint_ns(response, body, wall_ns);
    result.advice = advice_for(message_of(body));
    json_object_put(body);
    return result;
}
