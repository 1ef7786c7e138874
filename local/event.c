#include "local/event.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "base/base64.h"
#include "base/os.h"
#include "base/strict_json.h"
#include "local/document.h"
#include "local/text.h"

#define EVENT_MAX 33554432
#define NAMES_MAX 8192

#define ACCOUNT_ID "123456789012"
#define API_ID     "local"
#define STAGE      "$default"

/* --- the event -------------------------------------------------------------------------------- */

static void add_string(struct json_object *object, const char *name, const char *value)
{
    json_object_object_add(object, name, json_object_new_string(value));
}

/* A JSON string of bytes that may be no UTF-8; what is none becomes "?". */
static struct json_object *clean_string(const char *bytes, size_t length)
{
    if (text_is_utf8(bytes, length))
        return json_object_new_string_len(bytes, (int)length);
    char *copy = malloc(length);
    if (copy == NULL)
        return NULL;
    for (size_t i = 0; i < length; i++)
        copy[i] = (char)((unsigned char)bytes[i] < 0x80 ? bytes[i] : '?');
    struct json_object *string = json_object_new_string_len(copy, (int)length);
    free(copy);
    return string;
}

/* Adds a member, or appends ",value" to the one that is there. */
static int join(struct json_object *object, const char *name, const struct buffer *value,
                struct error *err)
{
    struct json_object *before = NULL;
    struct buffer whole;
    buffer_init(&whole, EVENT_MAX);
    int result = 0;
    if (json_object_object_get_ex(object, name, &before)) {
        result = buffer_append_string(&whole, json_object_get_string(before), err);
        if (result == 0)
            result = buffer_append(&whole, ",", 1, err);
    }
    if (result == 0)
        result = buffer_append(&whole, value->data != NULL ? value->data : "", value->length, err);
    if (result == 0)
        json_object_object_add(object, name, clean_string(whole.data, whole.length));
    buffer_free(&whole);
    return result;
}

static int add_header(struct json_object *headers, const struct http_header *header,
                      struct error *err)
{
    struct buffer name;
    struct buffer value;
    buffer_init(&name, NAMES_MAX);
    buffer_init(&value, EVENT_MAX);
    int result = buffer_append_string(&name, header->name, err);
    for (size_t i = 0; i < name.length; i++)
        name.data[i] = (char)tolower((unsigned char)name.data[i]);
    if (result == 0)
        result = buffer_append_string(&value, header->value, err);
    if (result == 0)
        result = join(headers, name.data, &value, err);
    buffer_free(&name);
    buffer_wipe(&value);
    return result;
}

/* "a=1; b=2" becomes two elements. */
static void add_cookies(struct json_object *cookies, const char *value)
{
    while (*value != '\0') {
        value += strspn(value, "; ");
        size_t length = strcspn(value, ";");
        if (length > 0)
            json_object_array_add(cookies, clean_string(value, length));
        value += length;
    }
}

/* The request's headers and those the gateway adds. */
static int add_headers(struct json_object *event, const struct server_request *request,
                       const struct event_facts *facts, struct error *err)
{
    struct json_object *headers = json_object_new_object();
    struct json_object *cookies = json_object_new_array();
    int result = 0;
    for (size_t i = 0; i < request->header_count && result == 0; i++) {
        const struct http_header *header = &request->headers[i];
        if (strcasecmp(header->name, "cookie") == 0)
            add_cookies(cookies, header->value);
        else
            result = add_header(headers, header, err);
    }
    char port[16];
    (void)snprintf(port, sizeof port, "%d", facts->port);
    add_string(headers, "x-forwarded-for", request->peer);
    add_string(headers, "x-forwarded-port", port);
    add_string(headers, "x-forwarded-proto", "http");
    if (facts->trace_id[0] != '\0')
        add_string(headers, "x-amzn-trace-id", facts->trace_id);
    if (json_object_array_length(cookies) > 0)
        json_object_object_add(event, "cookies", cookies);
    else
        json_object_put(cookies);
    json_object_object_add(event, "headers", headers);
    return result;
}

static int add_parameter(struct json_object *parameters, const char *pair, size_t length,
                         struct error *err)
{
    const char *equals = memchr(pair, '=', length);
    size_t name_length = equals != NULL ? (size_t)(equals - pair) : length;
    size_t value_at = equals != NULL ? name_length + 1 : length;
    struct buffer name;
    struct buffer value;
    buffer_init(&name, NAMES_MAX);
    buffer_init(&value, EVENT_MAX);
    int result = text_percent_decode(pair, name_length, true, &name, err);
    if (result == 0)
        result = text_percent_decode(pair + value_at, length - value_at, true, &value, err);
    if (result == 0 && name.length > 0 && text_is_utf8(name.data, name.length))
        result = join(parameters, name.data, &value, err);
    buffer_free(&name);
    buffer_wipe(&value);
    return result;
}

static int add_query(struct json_object *event, const char *query, struct error *err)
{
    json_object_object_add(event, "rawQueryString", clean_string(query, strlen(query)));
    if (query[0] == '\0')
        return 0;
    struct json_object *parameters = json_object_new_object();
    int result = 0;
    for (const char *at = query; *at != '\0' && result == 0; at += strspn(at, "&")) {
        size_t length = strcspn(at, "&");
        if (length > 0)
            result = add_parameter(parameters, at, length, err);
        at += length;
    }
    json_object_object_add(event, "queryStringParameters", parameters);
    return result;
}

static struct json_object *decoded_path(const char *path)
{
    struct buffer decoded;
    buffer_init(&decoded, EVENT_MAX);
    struct json_object *string = NULL;
    if (text_percent_decode(path, strlen(path), false, &decoded, NULL) == 0)
        string = clean_string(decoded.data != NULL ? decoded.data : "", decoded.length);
    buffer_free(&decoded);
    return string;
}

static void add_context(struct json_object *event, const struct server_request *request,
                        const struct event_facts *facts)
{
    const char *agent = server_header(request, "user-agent");
    const char *host = server_header(request, "host");
    struct json_object *http = json_object_new_object();
    add_string(http, "method", request->method);
    json_object_object_add(http, "path", decoded_path(request->path));
    add_string(http, "protocol", request->protocol);
    add_string(http, "sourceIp", request->peer);
    json_object_object_add(http, "userAgent", clean_string(agent, strlen(agent)));

    char stamp[64] = "";
    time_t seconds = (time_t)(facts->wall_ns / NS_PER_S);
    struct tm utc = {0};
    gmtime_r(&seconds, &utc);
    (void)strftime(stamp, sizeof stamp, "%d/%b/%Y:%H:%M:%S +0000", &utc);

    struct json_object *context = json_object_new_object();
    add_string(context, "accountId", ACCOUNT_ID);
    add_string(context, "apiId", API_ID);
    json_object_object_add(context, "domainName", clean_string(host, strlen(host)));
    add_string(context, "domainPrefix", API_ID);
    json_object_object_add(context, "http", http);
    add_string(context, "requestId", facts->request_id);
    add_string(context, "routeKey", STAGE);
    add_string(context, "stage", STAGE);
    add_string(context, "time", stamp);
    json_object_object_add(context, "timeEpoch", json_object_new_int64(facts->wall_ns / NS_PER_MS));
    json_object_object_add(event, "requestContext", context);
}

/* Text and JSON go as they are; so does a body of an unknown type. */
static bool is_text_type(const char *type)
{
    size_t length = strcspn(type, "; ");
    if (length == 0 || strncasecmp(type, "text/", 5) == 0)
        return true;
    static const char *const types[] = {"application/json", "application/xml",
                                        "application/javascript"};
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
        if (length == strlen(types[i]) && strncasecmp(type, types[i], length) == 0)
            return true;
    return length > 5 && (strncasecmp(type + length - 5, "+json", 5) == 0 ||
                          strncasecmp(type + length - 4, "+xml", 4) == 0);
}

static int add_body(struct json_object *event, const struct server_request *request,
                    struct error *err)
{
    bool text = is_text_type(server_header(request, "content-type")) &&
                text_is_utf8(request->body, request->body_length);
    if (request->body_length > 0 && text)
        json_object_object_add(
            event, "body", json_object_new_string_len(request->body, (int)request->body_length));
    if (request->body_length > 0 && !text) {
        struct buffer encoded;
        buffer_init(&encoded, EVENT_MAX);
        if (base64_encode(&encoded, request->body, request->body_length, err) != 0)
            return -1;
        json_object_object_add(event, "body",
                               json_object_new_string_len(encoded.data, (int)encoded.length));
        buffer_wipe(&encoded);
    }
    json_object_object_add(event, "isBase64Encoded",
                           json_object_new_boolean(request->body_length > 0 && !text));
    return 0;
}

int event_write(const struct server_request *request, const struct event_facts *facts,
                struct buffer *out, struct error *err)
{
    struct json_object *event = json_object_new_object();
    add_string(event, "version", "2.0");
    add_string(event, "routeKey", STAGE);
    json_object_object_add(event, "rawPath", decoded_path(request->path));
    int result = add_query(event, request->query, err);
    if (result == 0)
        result = add_headers(event, request, facts, err);
    add_context(event, request, facts);
    if (result == 0)
        result = add_body(event, request, err);
    if (result == 0)
        result = document_print(event, out, err);
    json_object_put(event);
    return result;
}

/* --- the reply -------------------------------------------------------------------------------- */

static int malformed(const char *what, struct error *err)
{
    return error_set(err, ERROR_BAD_ANSWER, "the function's reply has a bad %s", what);
}

/* Headers that the gateway sets itself. */
static bool is_own(const char *name)
{
    return strcasecmp(name, "content-length") == 0 || strcasecmp(name, "connection") == 0 ||
           strcasecmp(name, "transfer-encoding") == 0 || strcasecmp(name, "date") == 0;
}

static int read_headers(struct json_object *answer, struct server_reply *reply, struct error *err)
{
    struct json_object *headers = NULL;
    bool typed = false;
    if (json_object_object_get_ex(answer, "headers", &headers) && headers != NULL) {
        if (!json_object_is_type(headers, json_type_object))
            return malformed("headers", err);
        json_object_object_foreach(headers, name, value)
        {
            bool scalar = value != NULL && !json_object_is_type(value, json_type_object) &&
                          !json_object_is_type(value, json_type_array);
            if (!scalar)
                return malformed("header value", err);
            typed = typed || strcasecmp(name, "content-type") == 0;
            if (!is_own(name) &&
                server_reply_header(reply, name, json_object_get_string(value), NULL) != 0)
                return malformed("header", err);
        }
    }
    if (typed)
        return 0;
    return server_reply_header(reply, "content-type", "text/plain;charset=UTF-8", err);
}

static int read_cookies(struct json_object *answer, struct server_reply *reply, struct error *err)
{
    struct json_object *cookies = NULL;
    if (!json_object_object_get_ex(answer, "cookies", &cookies) || cookies == NULL)
        return 0;
    if (!json_object_is_type(cookies, json_type_array))
        return malformed("list of cookies", err);
    for (size_t i = 0; i < json_object_array_length(cookies); i++) {
        struct json_object *cookie = json_object_array_get_idx(cookies, i);
        if (!json_object_is_type(cookie, json_type_string) ||
            server_reply_header(reply, "set-cookie", json_object_get_string(cookie), NULL) != 0)
            return malformed("cookie", err);
    }
    return 0;
}

static int read_body(struct json_object *answer, struct server_reply *reply, struct error *err)
{
    struct json_object *body = NULL;
    struct json_object *encoded = NULL;
    if (!json_object_object_get_ex(answer, "body", &body) || body == NULL)
        return 0;
    if (!json_object_is_type(body, json_type_string))
        return malformed("body", err);
    const char *text = json_object_get_string(body);
    size_t length = (size_t)json_object_get_string_len(body);
    (void)json_object_object_get_ex(answer, "isBase64Encoded", &encoded);
    if (encoded != NULL && !json_object_is_type(encoded, json_type_boolean))
        return malformed("isBase64Encoded", err);
    if (!json_object_get_boolean(encoded))
        return buffer_append(&reply->body, text, length, err);
    if (base64_decode(&reply->body, text, length, NULL) != 0)
        return malformed("base64 body", err);
    return 0;
}

/* A reply without a status code is the body itself; a JSON string is its text. */
static int read_bare(struct json_object *answer, const char *text, size_t length,
                     struct server_reply *reply, struct error *err)
{
    if (server_reply_header(reply, "content-type", "application/json", err) != 0)
        return -1;
    if (json_object_is_type(answer, json_type_string))
        return buffer_append(&reply->body, json_object_get_string(answer),
                             (size_t)json_object_get_string_len(answer), err);
    return buffer_append(&reply->body, text, length, err);
}

int event_read_reply(const char *text, size_t length, struct server_reply *reply, struct error *err)
{
    struct json_object *answer = strict_json_parse(text, length, NULL);
    struct json_object *status = NULL;
    bool has_status = json_object_is_type(answer, json_type_object) &&
                      json_object_object_get_ex(answer, "statusCode", &status);
    int result = 0;
    reply->status = 200;
    if (answer == NULL) {
        result = malformed("JSON text", err);
    } else if (!has_status) {
        result = read_bare(answer, text, length, reply, err);
    } else {
        int code = json_object_get_int(status);
        reply->status = code;
        if (!json_object_is_type(status, json_type_int) || code < 200 || code > 599)
            result = malformed("statusCode", err);
        if (result == 0)
            result = read_headers(answer, reply, err);
        if (result == 0)
            result = read_cookies(answer, reply, err);
        if (result == 0)
            result = read_body(answer, reply, err);
    }
    json_object_put(answer);
    return result;
}
