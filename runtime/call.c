#include "runtime/call.h"

#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#include "base/strict_json.h"

#define CONNECT_TIMEOUT_NS NS_PER_S
#define POST_ANSWER_MAX    65536
#define URL_SIZE           1024

#define LETTERS    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
#define UNRESERVED LETTERS "0123456789-._~" /* RFC 3986 */

enum {
    STATUS_DONE = 200,
    STATUS_TAKEN = 202,
    STATUS_FORBIDDEN = 403,
    STATUS_BROKEN = 500, /* "Non-recoverable state. Runtime should exit promptly" */
};

/* The answer's errorType with a space before it, for the log; "" when it is no plain word. */
static void read_error_type(const struct http_response *response, char *out, size_t size)
{
    out[0] = '\0';
    if (response->body.length == 0)
        return;
    struct json_object *root = strict_json_parse(response->body.data, response->body.length, NULL);
    struct json_object *type = NULL;
    if (json_object_is_type(root, json_type_object) &&
        json_object_object_get_ex(root, "errorType", &type) &&
        json_object_is_type(type, json_type_string)) {
        const char *word = json_object_get_string(type);
        size_t length = strlen(word);
        if (length + 2 <= size && strspn(word, LETTERS ".") == length)
            (void)snprintf(out, size, " %s", word);
    }
    json_object_put(root);
}

static int refuse(const struct http_response *response, enum error_kind kind, struct error *err)
{
    char type[66];
    read_error_type(response, type, sizeof type);
    return error_set(err, kind, "the Runtime API answered %d%s", response->status, type);
}

/* `form` has what differs between GET and POST. */
static int exchange(const struct runtime *runtime, const struct call *call,
                    const struct http_request *form, struct http_response *response,
                    struct error *err)
{
    char url[URL_SIZE];
    int length = snprintf(url, sizeof url, "%s%s", runtime->api, call->path);
    if (length < 0 || (size_t)length >= sizeof url)
        return error_set(err, ERROR_INTERNAL, "a URL of %d bytes", length);
    struct http_request request = *form;
    request.url = url;
    request.headers = call->headers;
    request.header_count = call->header_count;
    request.connect_timeout_ns = CONNECT_TIMEOUT_NS;
    return http_send(runtime->transport, &request, response, err);
}

int call_wait(const struct runtime *runtime, const struct call *call,
              struct http_response *response, struct error *err)
{
    static const struct http_request form = {.method = "GET", .max_body = CALL_ANSWER_MAX};
    if (exchange(runtime, call, &form, response, err) != 0)
        return -1;
    if (response->status == STATUS_DONE)
        return 0;
    bool useless = response->status == STATUS_FORBIDDEN;
    return refuse(response, useless ? ERROR_RUNTIME_GONE : ERROR_BAD_ANSWER, err);
}

int call_post(const struct runtime *runtime, const struct call *call,
              struct http_response *response, struct error *err)
{
    const struct http_request form = {
        .method = "POST",
        .body = call->body,
        .body_length = call->body_length,
        .timeout_ns = RUNTIME_POST_TIMEOUT_NS,
        .max_body = POST_ANSWER_MAX,
    };
    struct error cause = {0};
    if (exchange(runtime, call, &form, response, &cause) != 0)
        return error_set(err, ERROR_RUNTIME_REFUSED, "%s", cause.text);
    if (response->status == STATUS_DONE || response->status == STATUS_TAKEN)
        return 0;
    bool broken = response->status == STATUS_BROKEN;
    return refuse(response, broken ? ERROR_RUNTIME_GONE : ERROR_RUNTIME_REFUSED, err);
}

void call_invocation_path(char out[CALL_PATH_SIZE], const struct runtime_invocation *invocation,
                          const char *what)
{
    char id[3 * RUNTIME_ID_SIZE];
    char *at = id;
    for (const char *c = invocation->request_id; *c != '\0'; c++) {
        bool plain = strchr(UNRESERVED, *c) != NULL;
        at += snprintf(at, 4, plain ? "%c" : "%%%02X", (unsigned char)*c);
    }
    *at = '\0';
    (void)snprintf(out, CALL_PATH_SIZE, CALL_RUNTIME "/invocation/%s/%s", id, what);
}
