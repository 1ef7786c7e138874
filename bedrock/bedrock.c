#include "bedrock/bedrock.h"

#include <ctype.h>
#include <json-c/json.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "aws/sigv4.h"
#include "bedrock/address.h"
#include "bedrock/answer.h"
#include "bedrock/classify.h"
#include "bedrock/family.h"
#include "bedrock/json.h"

#define SERVICE     "bedrock"
#define BEARER      "Bearer "
#define BODY_MAX    25000000 /* bytes that InvokeModel takes */
#define HEADERS_MAX 8

struct bedrock {
    const struct settings *settings;
    const struct http_transport *transport;
    struct credentials_provider *credentials;
    const struct os *os;
    const struct family *family;
    struct address address;
    char *bearer; /* secret; the Authorization header; NULL: sign */
};

static int build_bearer(struct bedrock *b, struct error *err)
{
    const char *token = b->settings->bearer_token;
    if (token == NULL)
        return 0;
    for (const char *at = token; *at != '\0'; at++)
        if (*at <= ' ' || *at > '~')
            return error_set(err, ERROR_CONFIG,
                             "AWS_BEARER_TOKEN_BEDROCK has a character that no token has (a space, "
                             "a line break?)");
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
    if (b->family != NULL && address_init(&b->address, settings, err) == 0 &&
        build_bearer(b, err) == 0)
        return b;
    bedrock_free(b);
    return NULL;
}

void bedrock_free(struct bedrock *bedrock)
{
    if (bedrock == NULL)
        return;
    address_free(&bedrock->address);
    wipe_string(bedrock->bearer);
    free(bedrock);
}

const char *bedrock_endpoint(const struct bedrock *bedrock)
{
    return bedrock->address.endpoint;
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

static int out_of_time(struct error *err)
{
    return error_set(err, ERROR_READ_TIMEOUT, "no time left to ask Bedrock");
}

static int sign(struct attempt *a, struct error *err)
{
    const struct bedrock *b = a->bedrock;
    const struct sigv4_request request = {
        .method = "POST",
        .host = b->address.host,
        .path = b->address.path,
        .headers = a->headers,
        .header_count = a->header_count,
        .body = a->body,
        .body_length = a->body_length,
    };
    if (credentials_get(b->credentials, time_left_ns(a), &a->credentials, err) != 0)
        return -1;
    /* Now, not earlier: getting credentials may have taken a while. */
    const struct sigv4_scope scope = {b->settings->region, SERVICE, os_wall_ns(b->os)};
    if (sigv4_sign(&request, &scope, &a->credentials, &a->signature, err) != 0)
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
    if (time_left_ns(a) <= 0)
        return out_of_time(err);
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
        return out_of_time(err);
    const struct http_request request = {
        .method = "POST",
        .url = a->bedrock->address.url,
        .headers = a->headers,
        .header_count = a->header_count,
        .body = a->body,
        .body_length = a->body_length,
        .connect_timeout_ns = sooner(ns_from_seconds(s->connect_timeout_s), left_ns),
        .read_timeout_ns = sooner(ns_from_seconds(s->read_timeout_s), left_ns),
        .timeout_ns = left_ns,
        .max_body = ANSWER_MAX,
    };
    return http_send(a->bedrock->transport, &request, response, err);
}

/* The header's count when there is a sensible one, else the body's. */
static void read_count(const struct http_response *response, const char *name, int64_t *count)
{
    char text[32];
    if (!http_response_header(response, name, text, sizeof text))
        return;
    size_t length = strlen(text);
    if (length <= 15 && strspn(text, "0123456789") == length)
        *count = strtoll(text, NULL, 10);
}

/* An account may have guardrails for all its requests. */
static bool guardrail_intervened(struct json_object *root)
{
    const char *action = json_string_member(root, "amazon-bedrock-guardrailAction");
    return action != NULL && strcmp(action, "INTERVENED") == 0;
}

static int read_body(const struct attempt *a, struct json_object *root,
                     struct bedrock_answer *answer, struct error *err)
{
    if (a->bedrock->family->read_answer(root, answer, err) != 0)
        return -1;
    if (guardrail_intervened(root))
        answer->stop = BEDROCK_STOP_REFUSAL;
    if (answer->text_length > 0 || answer->stop != BEDROCK_STOP_END)
        return 0;
    free(answer->text);
    answer->text = NULL;
    return error_set(err, ERROR_EMPTY_ANSWER, "the model's answer has no text");
}

static int read_answer(const struct attempt *a, const struct http_response *response,
                       struct bedrock_answer *answer, struct error *err)
{
    struct json_object *root = json_parse(response->body.data, response->body.length);
    int result = root != NULL ? read_body(a, root, answer, err)
                              : error_set(err, ERROR_BAD_ANSWER, "Bedrock's answer is no JSON");
    json_object_put(root);
    read_count(response, "x-amzn-bedrock-input-token-count", &answer->input_tokens);
    read_count(response, "x-amzn-bedrock-output-token-count", &answer->output_tokens);
    return result;
}

/* The service's own message stays out of the log: it may quote the prompt. */
static int read_failure(const struct attempt *a, const struct http_response *response,
                        struct bedrock_result *result, struct error *err)
{
    struct classification found = classify(response, os_wall_ns(a->bedrock->os));
    result->retry_hint_ns = found.retry_hint_ns;
    return error_set(err, found.kind, "Bedrock answered %d %s (request %s)%s%s", response->status,
                     found.name[0] != '\0' ? found.name : "without a name",
                     result->service_request_id[0] != '\0' ? result->service_request_id : "unknown",
                     found.advice[0] != '\0' ? "; " : "", found.advice);
}

/* Only as it should be: it goes to the log. */
static void read_request_id(const struct http_response *response, struct bedrock_result *result)
{
    char *id = result->service_request_id;
    http_response_header(response, "x-amzn-requestid", id, sizeof result->service_request_id);
    for (const char *at = id; *at != '\0'; at++)
        if (!isalnum((unsigned char)*at) && *at != '-') {
            id[0] = '\0';
            return;
        }
}

static int exchange(struct attempt *a, struct bedrock_result *result, struct error *err)
{
    struct http_response response = {0};
    int failed = add_headers(a, err) != 0 || send_request(a, &response, err) != 0 ? -1 : 0;
    if (failed == 0) {
        result->status = response.status;
        read_request_id(&response, result);
        failed = response.status == STATUS_OK ? read_answer(a, &response, &result->answer, err)
                                              : read_failure(a, &response, result, err);
    }
    http_response_free(&response);
    return failed;
}

/* A sentence for the caller. */
static int too_long(struct error *err)
{
    return error_set(err, ERROR_INVALID_REQUEST, "The message is too long.");
}

static int send_body(struct attempt *a, struct json_object *body, struct bedrock_result *result,
                     struct error *err)
{
    int flags = JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE;
    a->body = json_object_to_json_string_length(body, flags, &a->body_length);
    if (a->body == NULL)
        return error_set(err, ERROR_MEMORY, "no memory for the request's body");
    if (a->body_length > BODY_MAX)
        return too_long(err);
    int failed = exchange(a, result, err);
    sigv4_signature_free(&a->signature);
    credentials_free(&a->credentials);
    return failed;
}

int bedrock_invoke(struct bedrock *bedrock, const struct bedrock_call *call,
                   struct bedrock_result *result, struct error *err)
{
    *result = (struct bedrock_result){.answer = {.input_tokens = -1, .output_tokens = -1},
                                      .retry_hint_ns = -1};
    int64_t now_ns = os_now_ns(bedrock->os);
    struct attempt attempt = {
        .bedrock = bedrock,
        .call = call,
        .ends_ns = now_ns + sooner(call->timeout_ns, INT64_MAX - now_ns),
    };
    if (call->message_length > BODY_MAX) /* JSON makes it no shorter */
        return too_long(err);
    const struct family_prompt prompt = {bedrock->settings, call->message, call->message_length};
    struct json_object *body = bedrock->family->request(&prompt);
    if (body == NULL)
        return error_set(err, ERROR_MEMORY, "no memory for the request's body");
    int failed = send_body(&attempt, body, result, err);
    json_object_put(body);
    return failed;
}
