#include "runtime/runtime.h"

#include <ctype.h>
#include <errno.h>
#include <json-c/json.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define API_VERSION        "2018-06-01"
#define EXTENSIONS_VERSION "2020-01-01"
#define CONNECT_TIMEOUT_NS NS_PER_S
#define NEXT_RETRIES       5
#define NEXT_FIRST_WAIT_NS (100 * NS_PER_MS)
#define SMALL_ANSWER_MAX   65536
#define URL_MAX            1024
#define TRACE_VARIABLE     "_X_AMZN_TRACE_ID"

static bool is_host_and_port(const char *api)
{
    const char *colon = strrchr(api, ':');
    if (colon == NULL || colon == api || colon[1] == '\0' ||
        colon[1 + strspn(colon + 1, "0123456789")])
        return false;
    for (const char *at = api; at < colon; at++)
        if (!isalnum((unsigned char)*at) && strchr(".-_[]:", *at) == NULL)
            return false;
    return true;
}

int runtime_init(struct runtime *runtime, const char *api, const struct http_transport *transport,
                 const struct os *os, struct error *err)
{
    *runtime = (struct runtime){0};
    if (api == NULL || api[0] == '\0')
        return error_set(err, ERROR_CONFIG,
                         "AWS_LAMBDA_RUNTIME_API is not set. Lambda sets it; on your own machine "
                         "`make run` does");
    if (strlen(api) > 255 || !is_host_and_port(api))
        return error_set(err, ERROR_CONFIG,
                         "AWS_LAMBDA_RUNTIME_API is \"%.64s\"; it must be host:port", api);
    (void)snprintf(runtime->api, sizeof runtime->api, "http://%s", api);
    runtime->transport = transport;
    runtime->os = os;
    return 0;
}

/* An id as a path label: what is not unreserved (RFC 3986) is percent-encoded. */
static int append_id(char *url, size_t size, const char *id)
{
    size_t length = strlen(url);
    for (; *id != '\0'; id++) {
        bool plain = isalnum((unsigned char)*id) || strchr("-._~", *id) != NULL;
        int n = snprintf(url + length, size - length, plain ? "%c" : "%%%02X", (unsigned char)*id);
        if (n < 0 || (size_t)n >= size - length)
            return -1;
        length += (size_t)n;
    }
    return 0;
}

static struct http_request get_request(const char *url)
{
    return (struct http_request){
        .method = "GET",
        .url = url,
        .connect_timeout_ns = CONNECT_TIMEOUT_NS,
        .max_body = RUNTIME_PAYLOAD_MAX,
    };
}

/* ---- next ---- */

static char *copy_header(const struct http_response *response, const char *name)
{
    size_t size = response->headers.length + 1;
    char *value = malloc(size);
    if (value == NULL || http_response_header(response, name, value, size))
        return value;
    free(value);
    return NULL;
}

/* Unix time from "1795435200123"; INT64_MAX when that is no such number. */
static int64_t deadline_from(const char *text)
{
    char *end = NULL;
    errno = 0;
    long long ms = strtoll(text, &end, 10);
    if (text[0] == '\0' || *end != '\0' || errno != 0 || ms < 0 || ms > INT64_MAX / NS_PER_MS)
        return INT64_MAX;
    return ms * NS_PER_MS;
}

/* Ids are sent back: one that does not fit must not be cut. */
static int read_id(const struct http_response *response, const char *name, char *out, size_t size,
                   struct error *err)
{
    char *value = copy_header(response, name);
    size_t length = value != NULL ? strlen(value) : 0;
    if (length < size)
        memcpy(out, value != NULL ? value : "", length + 1);
    free(value);
    if (length >= size)
        return error_set(err, ERROR_BAD_ANSWER, "%s is longer than %zu bytes", name, size - 1);
    return 0;
}

static int read_invocation(struct runtime_invocation *invocation, struct error *err)
{
    const struct http_response *response = &invocation->response;
    if (read_id(response, "Lambda-Runtime-Aws-Request-Id", invocation->request_id,
                sizeof invocation->request_id, err) != 0 ||
        read_id(response, "Lambda-Runtime-Invocation-Id", invocation->invocation_id,
                sizeof invocation->invocation_id, err) != 0)
        return -1;
    if (invocation->request_id[0] == '\0')
        return error_set(err, ERROR_BAD_ANSWER, "/next answered without a request id");
    char deadline[32] = "";
    http_response_header(response, "Lambda-Runtime-Deadline-Ms", deadline, sizeof deadline);
    invocation->deadline_wall_ns = deadline_from(deadline);
    http_response_header(response, "Lambda-Runtime-Invoked-Function-Arn", invocation->function_arn,
                         sizeof invocation->function_arn);
    http_response_header(response, "Lambda-Runtime-Trace-Id", invocation->trace_id,
                         sizeof invocation->trace_id);
    http_response_header(response, "Lambda-Runtime-Aws-Tenant-Id", invocation->tenant_id,
                         sizeof invocation->tenant_id);
    invocation->client_context = copy_header(response, "Lambda-Runtime-Client-Context");
    invocation->cognito_identity = copy_header(response, "Lambda-Runtime-Cognito-Identity");
    invocation->event = response->body.data != NULL ? response->body.data : "";
    invocation->event_length = response->body.length;
    return 0;
}

/* Keeps the response's memory for the next event. */
static void clear_invocation(struct runtime_invocation *invocation)
{
    struct http_response response = invocation->response;
    free(invocation->client_context);
    free(invocation->cognito_identity);
    *invocation = (struct runtime_invocation){.response = response};
}

void runtime_invocation_free(struct runtime_invocation *invocation)
{
    clear_invocation(invocation);
    http_response_free(&invocation->response);
}

/* One poll. ERROR_RUNTIME_GONE: polling again is useless. */
static int poll_next(const struct runtime *runtime, struct runtime_invocation *invocation,
                     struct error *err)
{
    char url[URL_MAX];
    (void)snprintf(url, sizeof url, "%s/" API_VERSION "/runtime/invocation/next", runtime->api);
    const struct http_request request = get_request(url);
    clear_invocation(invocation);
    if (http_send(runtime->transport, &request, &invocation->response, err) != 0)
        return -1;
    int status = invocation->response.status;
    if (status == 403)
        return error_set(err, ERROR_RUNTIME_GONE, "/next answered 403: not our turn any more");
    if (status != 200)
        return error_set(err, ERROR_BAD_ANSWER, "/next answered %d", status);
    return read_invocation(invocation, err);
}

/* The variable belongs to the process: with several workers it would be another one's. */
/* NOLINTBEGIN(concurrency-mt-unsafe): the one other thread is libcurl's, which only reads */
static void set_trace_variable(const struct runtime_invocation *invocation)
{
    if (getenv("AWS_LAMBDA_MAX_CONCURRENCY") != NULL)
        return;
    if (invocation->trace_id[0] != '\0')
        (void)setenv(TRACE_VARIABLE, invocation->trace_id, 1);
    else
        (void)unsetenv(TRACE_VARIABLE);
}
/* NOLINTEND(concurrency-mt-unsafe) */

int runtime_next(const struct runtime *runtime, struct runtime_invocation *invocation,
                 struct error *err)
{
    int64_t wait_ns = NEXT_FIRST_WAIT_NS;
    for (int retries = 0;; retries++) {
        if (poll_next(runtime, invocation, err) == 0) {
            set_trace_variable(invocation);
            return 0;
        }
        if (err->kind == ERROR_RUNTIME_GONE)
            return -1;
        if (retries == NEXT_RETRIES)
            break;
        os_sleep_ns(runtime->os, wait_ns);
        wait_ns *= 2;
    }
    struct error last = *err;
    return error_set(err, ERROR_RUNTIME_GONE, "/next failed %d times: %.200s", NEXT_RETRIES + 1,
                     last.text);
}

/* ---- posts ---- */

struct post {
    const char *url;
    const struct http_header *headers;
    size_t header_count;
    const char *body;
    size_t body_length;
};

/* The answer's errorType when it is a plain word, for the log. */
static void read_error_type(const struct http_response *response, char *out, size_t size)
{
    out[0] = '\0';
    if (response->body.length == 0)
        return;
    struct json_object *root = json_tokener_parse(response->body.data);
    struct json_object *type = NULL;
    if (json_object_is_type(root, json_type_object) &&
        json_object_object_get_ex(root, "errorType", &type) &&
        json_object_is_type(type, json_type_string)) {
        const char *word = json_object_get_string(type);
        if (word[strspn(word, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz.")] == '\0')
            (void)snprintf(out, size, " %.64s", word);
    }
    json_object_put(root);
}

static int judge(const struct http_response *response, struct error *err)
{
    if (response->status >= 200 && response->status < 300)
        return 0;
    char type[80];
    read_error_type(response, type, sizeof type);
    return error_set(err, response->status == 500 ? ERROR_RUNTIME_GONE : ERROR_RUNTIME_REFUSED,
                     "the Runtime API answered %d%s", response->status, type);
}

/* Once only: a post that was cut off may have arrived. */
static int send_post(const struct runtime *runtime, const struct post *post,
                     struct http_response *response, struct error *err)
{
    const struct http_request request = {
        .method = "POST",
        .url = post->url,
        .headers = post->headers,
        .header_count = post->header_count,
        .body = post->body,
        .body_length = post->body_length,
        .connect_timeout_ns = CONNECT_TIMEOUT_NS,
        .timeout_ns = RUNTIME_POST_TIMEOUT_NS,
        .max_body = SMALL_ANSWER_MAX,
    };
    if (http_send(runtime->transport, &request, response, err) != 0) {
        err->kind = ERROR_RUNTIME_REFUSED;
        return -1;
    }
    return judge(response, err);
}

static int send_plain_post(const struct runtime *runtime, const struct post *post,
                           struct error *err)
{
    struct http_response response = {0};
    int result = send_post(runtime, post, &response, err);
    http_response_free(&response);
    return result;
}

static int invocation_url(const struct runtime *runtime,
                          const struct runtime_invocation *invocation, const char *what, char *url,
                          struct error *err)
{
    (void)snprintf(url, URL_MAX, "%s/" API_VERSION "/runtime/invocation/", runtime->api);
    if (append_id(url, URL_MAX, invocation->request_id) != 0 ||
        strlen(url) + strlen(what) + 1 > URL_MAX)
        return error_set(err, ERROR_RUNTIME_REFUSED, "a request id that does not fit a URL");
    memcpy(url + strlen(url), what, strlen(what) + 1);
    return 0;
}

int runtime_respond(const struct runtime *runtime, const struct runtime_invocation *invocation,
                    const char *reply, size_t length, struct error *err)
{
    char url[URL_MAX];
    if (invocation_url(runtime, invocation, "/response", url, err) != 0)
        return -1;
    const struct http_header headers[] = {
        {"Content-Type", "application/json"},
        {"Lambda-Runtime-Invocation-Id", invocation->invocation_id},
    };
    const struct post post = {
        .url = url,
        .headers = headers,
        .header_count = invocation->invocation_id[0] != '\0' ? 2 : 1,
        .body = reply,
        .body_length = length,
    };
    return send_plain_post(runtime, &post, err);
}

/* ---- failures ---- */

/* Lambda takes (Runtime|Function)\.[A-Z][a-zA-Z]+ and makes anything else unknown. */
static const char *valid_type(const char *type)
{
    const char *name = NULL;
    if (strncmp(type, "Runtime.", 8) == 0)
        name = type + 8;
    else if (strncmp(type, "Function.", 9) == 0)
        name = type + 9;
    if (name == NULL || !isupper((unsigned char)name[0]) || name[1] == '\0')
        return "Runtime.Unknown";
    for (const char *at = name; *at != '\0'; at++)
        if (!isalpha((unsigned char)*at))
            return "Runtime.Unknown";
    return type;
}

static void add(struct json_object *object, const char *name, struct json_object *value)
{
    if (object != NULL && value != NULL)
        json_object_object_add(object, name, value);
    else
        json_object_put(value);
}

static struct json_object *error_body(const struct runtime_failure *failure, const char *type)
{
    struct json_object *body = json_object_new_object();
    add(body, "errorMessage", json_object_new_string(failure->message));
    add(body, "errorType", json_object_new_string(type));
    add(body, "stackTrace", json_object_new_array());
    return body;
}

/* What X-Ray shows as the cause. Source: Lambda's RIE, rapi/model/error_cause.go. */
static struct json_object *xray_cause(const struct runtime_failure *failure, const char *type)
{
    char folder[512];
    struct json_object *exception = json_object_new_object();
    add(exception, "type", json_object_new_string(type));
    add(exception, "message", json_object_new_string(failure->message));
    add(exception, "stack", json_object_new_array());
    struct json_object *exceptions = json_object_new_array();
    if (exceptions == NULL || json_object_array_add(exceptions, exception) != 0)
        json_object_put(exception);
    struct json_object *cause = json_object_new_object();
    if (getcwd(folder, sizeof folder) == NULL)
        folder[0] = '\0';
    add(cause, "working_directory", json_object_new_string(folder));
    add(cause, "exceptions", exceptions);
    add(cause, "paths", json_object_new_array());
    return cause;
}

static int post_failure(const struct runtime *runtime, const char *url,
                        const struct runtime_failure *failure, const char *invocation_id,
                        struct error *err)
{
    const char *type = valid_type(failure->type);
    int flags = JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE;
    struct json_object *body = error_body(failure, type);
    struct json_object *cause = xray_cause(failure, type);
    const char *text = json_object_to_json_string_ext(body, flags);
    const char *cause_text = json_object_to_json_string_ext(cause, flags);
    int result = -1;
    if (body == NULL || cause == NULL || text == NULL || cause_text == NULL) {
        error_set(err, ERROR_MEMORY, "no memory for an error report");
    } else {
        const struct http_header headers[] = {
            {"Content-Type", "application/json"},
            {"Lambda-Runtime-Function-Error-Type", type},
            {"Lambda-Runtime-Function-XRay-Error-Cause", cause_text},
            {"Lambda-Runtime-Invocation-Id", invocation_id},
        };
        const struct post post = {url, headers, invocation_id[0] != '\0' ? 4 : 3, text,
                                  strlen(text)};
        result = send_plain_post(runtime, &post, err);
    }
    json_object_put(cause);
    json_object_put(body);
    return result;
}

int runtime_fail(const struct runtime *runtime, const struct runtime_invocation *invocation,
                 const struct runtime_failure *failure, struct error *err)
{
    char url[URL_MAX];
    if (invocation_url(runtime, invocation, "/error", url, err) != 0)
        return -1;
    return post_failure(runtime, url, failure, invocation->invocation_id, err);
}

int runtime_fail_init(const struct runtime *runtime, const struct runtime_failure *failure,
                      struct error *err)
{
    char url[URL_MAX];
    (void)snprintf(url, sizeof url, "%s/" API_VERSION "/runtime/init/error", runtime->api);
    return post_failure(runtime, url, failure, "", err);
}

int runtime_fail_restore(const struct runtime *runtime, const struct runtime_failure *failure,
                         struct error *err)
{
    char url[URL_MAX];
    (void)snprintf(url, sizeof url, "%s/" API_VERSION "/runtime/restore/error", runtime->api);
    return post_failure(runtime, url, failure, "", err);
}

/* ---- waits at the start ---- */

static int wait_on(const struct runtime *runtime, const struct http_request *request,
                   struct error *err)
{
    struct http_response response = {0};
    int result = http_send(runtime->transport, request, &response, err);
    if (result == 0)
        result = judge(&response, err);
    http_response_free(&response);
    return result;
}

int runtime_wait_for_restore(const struct runtime *runtime, struct error *err)
{
    char url[URL_MAX];
    (void)snprintf(url, sizeof url, "%s/" API_VERSION "/runtime/restore/next", runtime->api);
    const struct http_request request = get_request(url);
    return wait_on(runtime, &request, err);
}

int runtime_extension_register(const struct runtime *runtime, char extension_id[128],
                               struct error *err)
{
    char url[URL_MAX];
    (void)snprintf(url, sizeof url, "%s/" EXTENSIONS_VERSION "/extension/register", runtime->api);
    const struct http_header headers[] = {
        {"Content-Type", "application/json"},
        {"Lambda-Extension-Name", "weir"},
    };
    static const char body[] = "{\"events\":[]}";
    const struct post post = {url, headers, 2, body, sizeof body - 1};
    struct http_response response = {0};
    int result = send_post(runtime, &post, &response, err);
    if (result == 0)
        result = read_id(&response, "Lambda-Extension-Identifier", extension_id, 128, err);
    if (result == 0 && extension_id[0] == '\0')
        result = error_set(err, ERROR_BAD_ANSWER, "an extension without an identifier");
    http_response_free(&response);
    return result;
}

int runtime_extension_park(const struct runtime *runtime, const char *extension_id,
                           struct error *err)
{
    char url[URL_MAX];
    (void)snprintf(url, sizeof url, "%s/" EXTENSIONS_VERSION "/extension/event/next", runtime->api);
    const struct http_header header = {"Lambda-Extension-Identifier", extension_id};
    struct http_request request = get_request(url);
    request.headers = &header;
    request.header_count = 1;
    return wait_on(runtime, &request, err);
}
