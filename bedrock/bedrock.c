#include "bedrock/bedrock.h"

#include <json-c/json.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "aws/sigv4.h"
#include "bedrock/answer.h"
#include "bedrock/classify.h"
#include "bedrock/family.h"
#include "bedrock/json.h"

#define SERVICE     "bedrock"
#define URL_MAX     8192
#define HEADERS_MAX 8
#define BEARER      "Bearer "

struct bedrock {
    const struct settings *settings;
    const struct http_transport *transport;
    struct credentials_provider *credentials;
    const struct os *os;
    const struct family *family;
    char *endpoint;   /* without a slash at its end */
    char *url;        /* of InvokeModel */
    char *host;       /* of the Host header */
    const char *path; /* in `url` */
    char *bearer;     /* secret; the Authorization header; NULL: sign */
};

static const char *domain_of(const char *region)
{
    static const struct {
        const char *prefix, *domain;
    } partitions[] = {
        {"cn-", "amazonaws.com.cn"},
        {"us-isob-", "sc2s.sgov.gov"},
        {"us-iso-", "c2s.ic.gov"},
    };
    for (size_t i = 0; i < sizeof partitions / sizeof partitions[0]; i++)
        if (strncmp(region, partitions[i].prefix, strlen(partitions[i].prefix)) == 0)
            return partitions[i].domain;
    return "amazonaws.com";
}

static char *copy_of(const struct buffer *buffer, struct error *err)
{
    char *copy = strdup(buffer->data != NULL ? buffer->data : "");
    if (copy == NULL)
        error_set(err, ERROR_MEMORY, "no memory for an address");
    return copy;
}

static int build_endpoint(struct bedrock *b, struct error *err)
{
    const char *given = b->settings->endpoint;
    char text[URL_MAX];
    int n = given != NULL ? snprintf(text, sizeof text, "%s", given)
                          : snprintf(text, sizeof text, "https://bedrock-runtime.%s.%s",
                                     b->settings->region, domain_of(b->settings->region));
    if (n < 0 || (size_t)n >= sizeof text)
        return error_set(err, ERROR_CONFIG, "the endpoint's address is too long");
    while (n > 0 && text[n - 1] == '/')
        text[--n] = '\0';
    b->endpoint = strdup(text);
    return b->endpoint != NULL ? 0 : error_set(err, ERROR_MEMORY, "no memory for an address");
}

/* As the client sends it: the port only when it is not the scheme's own. */
static int build_host(struct bedrock *b, struct error *err)
{
    /* NOLINTNEXTLINE(clang-analyzer-core.NonNullParamChecker): error_set() returns -1, never 0 */
    bool tls = strncmp(b->endpoint, "https://", 8) == 0;
    const char *host = b->endpoint + (tls ? 8 : 7);
    size_t length = strcspn(host, "/?#");
    if (length == 0 || memchr(host, '@', length) != NULL)
        return error_set(err, ERROR_CONFIG, "the endpoint's address has no plain host name");
    const char *own_port = tls ? ":443" : ":80";
    size_t port_length = strlen(own_port);
    if (length > port_length && strncmp(host + length - port_length, own_port, port_length) == 0)
        length -= port_length;
    b->host = strndup(host, length);
    return b->host != NULL ? 0 : error_set(err, ERROR_MEMORY, "no memory for an address");
}

static int build_url(struct bedrock *b, struct error *err)
{
    struct buffer url;
    buffer_init(&url, URL_MAX);
    int result = -1;
    if (buffer_append_string(&url, b->endpoint, err) == 0 &&
        buffer_append_string(&url, "/model/", err) == 0 &&
        sigv4_percent_encode(&url, b->settings->model_id, err) == 0 &&
        buffer_append_string(&url, "/invoke", err) == 0)
        b->url = copy_of(&url, err);
    if (b->url != NULL) {
        b->path = strchr(strstr(b->url, "://") + 3, '/');
        result = 0;
    }
    buffer_free(&url);
    return result;
}

static int build_bearer(struct bedrock *b, struct error *err)
{
    const char *token = b->settings->bearer_token;
    if (token == NULL)
        return 0;
    size_t size = sizeof BEARER + strlen(token);
    b->bearer = malloc(size);
    if (b->bearer == NULL)
        return error_set(err, ERROR_MEMORY, "no memory for the bearer token");
    (void)snprintf(b->bearer, size, BEARER "%s", token);
    return 0;
}

struct bedrock *bedrock_new(const struct settings *settings, const struct http_transport *transport,
                            struct credentials_provider *credentials, const struct os *os,
                            struct error *err)
{
    struct bedrock *b = calloc(1, sizeof *b);
    if (b == NULL) {
        error_set(err, ERROR_MEMORY, "no memory for the Bedrock client");
        return NULL;
    }
    b->settings = settings;
    b->transport = transport;
    b->credentials = credentials;
    b->os = os;
    b->family = family_of(settings, err);
    if (b->family != NULL && build_endpoint(b, err) == 0 && build_host(b, err) == 0 &&
        build_url(b, err) == 0 && build_bearer(b, err) == 0)
        return b;
    bedrock_free(b);
    return NULL;
}

void bedrock_free(struct bedrock *bedrock)
{
    if (bedrock == NULL)
        return;
    free(bedrock->endpoint);
    free(bedrock->url);
    free(bedrock->host);
    wipe_string(bedrock->bearer);
    free(bedrock);
}

const char *bedrock_endpoint(const struct bedrock *bedrock)
{
    return bedrock->endpoint;
}

void bedrock_result_free(struct bedrock_result *result)
{
    free(result->answer.text);
    *result = (struct bedrock_result){0};
}

/* ---- one attempt ---- */

struct attempt {
    struct bedrock *bedrock;
    const struct bedrock_call *call;
    int64_t ends_ns;
    const char *body;
    size_t body_length;
    struct http_header headers[HEADERS_MAX];
    size_t header_count;
    char sdk_request[64];
    struct credentials credentials;
    struct sigv4_signature signature;
};

static void add_header(struct attempt *a, const char *name, const char *value)
{
    a->headers[a->header_count++] = (struct http_header){name, value};
}

static int64_t time_left_ns(const struct attempt *a)
{
    return a->ends_ns - os_now_ns(a->bedrock->os);
}

static int sign(struct attempt *a, struct error *err)
{
    const struct bedrock *b = a->bedrock;
    const struct sigv4_request request = {
        .method = "POST",
        .host = b->host,
        .path = b->path,
        .headers = a->headers,
        .header_count = a->header_count,
        .body = a->body,
        .body_length = a->body_length,
    };
    const struct sigv4_scope scope = {b->settings->region, SERVICE, os_wall_ns(b->os)};
    if (credentials_get(b->credentials, time_left_ns(a), &a->credentials, err) != 0 ||
        sigv4_sign(&request, &scope, &a->credentials, &a->signature, err) != 0)
        return -1;
    add_header(a, "X-Amz-Date", a->signature.date);
    if (a->signature.token != NULL)
        add_header(a, "X-Amz-Security-Token", a->signature.token);
    add_header(a, "Authorization", a->signature.authorization);
    return 0;
}

/* The headers that are signed, the signature, and then those that are not. */
static int add_headers(struct attempt *a, struct error *err)
{
    add_header(a, "Accept", "application/json");
    add_header(a, "Content-Type", "application/json");
    if (a->bedrock->bearer != NULL)
        add_header(a, "Authorization", a->bedrock->bearer);
    else if (sign(a, err) != 0)
        return -1;
    (void)snprintf(a->sdk_request, sizeof a->sdk_request, "attempt=%d; max=%d", a->call->attempt,
                   a->call->max_attempts);
    add_header(a, "amz-sdk-invocation-id", a->call->invocation_id);
    add_header(a, "amz-sdk-request", a->sdk_request);
    return 0;
}

static int64_t sooner(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int send_request(struct attempt *a, struct http_response *response, struct error *err)
{
    const struct settings *s = a->bedrock->settings;
    int64_t left_ns = time_left_ns(a);
    if (left_ns <= 0)
        return error_set(err, ERROR_READ_TIMEOUT, "no time left to ask Bedrock");
    int64_t connect_ns = ns_from_seconds(s->connect_timeout_s);
    int64_t read_ns = ns_from_seconds(s->read_timeout_s);
    const struct http_request request = {
        .method = "POST",
        .url = a->bedrock->url,
        .headers = a->headers,
        .header_count = a->header_count,
        .body = a->body,
        .body_length = a->body_length,
        .connect_timeout_ns = sooner(connect_ns, left_ns),
        .timeout_ns = sooner(connect_ns + read_ns, left_ns),
        .max_body = ANSWER_MAX,
    };
    return http_send(a->bedrock->transport, &request, response, err);
}

/* The header's count when there is one, else the body's. */
static void read_count(const struct http_response *response, const char *name, int64_t *count)
{
    char text[32];
    char *end = NULL;
    if (!http_response_header(response, name, text, sizeof text))
        return;
    long long value = strtoll(text, &end, 10);
    if (*end == '\0' && value >= 0)
        *count = value;
}

static int read_answer(const struct attempt *a, const struct http_response *response,
                       struct bedrock_answer *answer, struct error *err)
{
    struct json_object *root = json_parse(response->body.data, response->body.length);
    if (root == NULL)
        return error_set(err, ERROR_BAD_ANSWER, "Bedrock's answer is no JSON");
    answer->input_tokens = -1;
    answer->output_tokens = -1;
    int result = a->bedrock->family->read_answer(root, answer, err);
    json_object_put(root);
    if (result != 0)
        return -1;
    read_count(response, "x-amzn-bedrock-input-token-count", &answer->input_tokens);
    read_count(response, "x-amzn-bedrock-output-token-count", &answer->output_tokens);
    if (answer->text_length == 0 && answer->stop == BEDROCK_STOP_END)
        return error_set(err, ERROR_EMPTY_ANSWER, "the model's answer has no text");
    return 0;
}

/* The service's own message stays out of the log: it may quote the prompt. */
static int read_failure(const struct attempt *a, const struct http_response *response,
                        struct bedrock_result *result, struct error *err)
{
    struct classification found = classify(response, os_wall_ns(a->bedrock->os));
    result->retry_hint_ns = found.retry_hint_ns;
    return error_set(err, found.kind, "Bedrock answered %d %s", response->status, found.name);
}

static int exchange(struct attempt *a, struct bedrock_result *result, struct error *err)
{
    struct http_response response = {0};
    int failed = add_headers(a, err) != 0 || send_request(a, &response, err) != 0 ? -1 : 0;
    if (failed == 0) {
        result->status = response.status;
        http_response_header(&response, "x-amzn-requestid", result->service_request_id,
                             sizeof result->service_request_id);
        failed = response.status == STATUS_OK ? read_answer(a, &response, &result->answer, err)
                                              : read_failure(a, &response, result, err);
    }
    http_response_free(&response);
    return failed;
}

int bedrock_invoke(struct bedrock *bedrock, const struct bedrock_call *call,
                   struct bedrock_result *result, struct error *err)
{
    *result = (struct bedrock_result){.retry_hint_ns = -1};
    if (call->message_length > INT_MAX)
        return error_set(err, ERROR_VALIDATION, "a message of %zu bytes", call->message_length);
    const struct family_prompt prompt = {bedrock->settings, call->message, call->message_length};
    struct json_object *body = bedrock->family->request(&prompt);
    if (body == NULL)
        return error_set(err, ERROR_MEMORY, "no memory for the request's body");
    struct attempt attempt = {
        .bedrock = bedrock,
        .call = call,
        .ends_ns = os_now_ns(bedrock->os) + call->timeout_ns,
    };
    int flags = JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE;
    attempt.body = json_object_to_json_string_length(body, flags, &attempt.body_length);
    int failed = attempt.body != NULL
                     ? exchange(&attempt, result, err)
                     : error_set(err, ERROR_MEMORY, "no memory for the request's body");
    sigv4_signature_free(&attempt.signature);
    credentials_free(&attempt.credentials);
    json_object_put(body);
    return failed;
}
