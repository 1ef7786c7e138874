/*
 * What the program makes of a request or an answer, for tests/botocore/compare.py to hold against
 * botocore. Reads one JSON object a line from stdin and writes one for each to stdout; bytes are
 * hex.
 *
 *   {"do":"sign", method, host, path, query, headers, body, region, service, key, secret, token,
 * at}
 *       -> {date, authorization}
 *   {"do":"invoke", settings, message, at, answer: {status, headers, body}}
 *       -> {method, url, sent_headers, sent_body, kind, retry}
 *   {"do":"name", answer: {status, headers, body}} -> {name, kind, retry}
 *   {"do":"kind", name} -> {kind, retry}
 */
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "aws/sigv4.h"
#include "bedrock/bedrock.h"
#include "bedrock/classify.h"
#include "tests/support/fake_http.h"

#define HEADERS_MAX 32

static void must(int ok, const char *what)
{
    if (ok)
        return;
    (void)fprintf(stderr, "compare: %s\n", what);
    exit(1);
}

static struct json_object *member(struct json_object *object, const char *name)
{
    struct json_object *value = NULL;
    json_object_object_get_ex(object, name, &value);
    return value;
}

/* NULL when absent. */
static const char *text(struct json_object *object, const char *name)
{
    struct json_object *value = member(object, name);
    return value != NULL ? json_object_get_string(value) : NULL;
}

static void *bytes(struct json_object *object, const char *name, size_t *length)
{
    const char *hex = text(object, name);
    must(hex != NULL, name);
    *length = strlen(hex) / 2;
    char *out = calloc(1, *length + 1);
    must(out != NULL, "no memory");
    for (size_t i = 0; i < *length; i++) {
        const char digits[] = {hex[2 * i], hex[2 * i + 1], '\0'};
        out[i] = (char)strtoul(digits, NULL, 16);
    }
    return out;
}

static void add_bytes(struct json_object *to, const char *name, const void *from, size_t length)
{
    char *hex = calloc(2, length + 1);
    must(hex != NULL, "no memory");
    for (size_t i = 0; i < length; i++)
        (void)snprintf(hex + 2 * i, 3, "%02x", ((const unsigned char *)from)[i]);
    json_object_object_add(to, name, json_object_new_string(hex));
    free(hex);
}

static void add_text(struct json_object *to, const char *name, const char *value)
{
    json_object_object_add(to, name, json_object_new_string(value));
}

static void add_kind(struct json_object *to, enum error_kind kind)
{
    static const char *const words[] = {[RETRY_NEVER] = "never",
                                        [RETRY_SDK] = "sdk",
                                        [RETRY_SDK_ONCE] = "once",
                                        [RETRY_APP] = "app"};
    add_text(to, "kind", error_word(kind));
    add_text(to, "retry", words[error_retry_class(kind)]);
}

static void sign(struct json_object *task, struct json_object *reply)
{
    struct http_header headers[HEADERS_MAX];
    struct json_object *list = member(task, "headers");
    size_t count = json_object_array_length(list);
    must(count <= HEADERS_MAX, "too many headers");
    for (size_t i = 0; i < count; i++) {
        struct json_object *pair = json_object_array_get_idx(list, i);
        headers[i].name = json_object_get_string(json_object_array_get_idx(pair, 0));
        headers[i].value = json_object_get_string(json_object_array_get_idx(pair, 1));
    }
    struct sigv4_request request = {
        .method = text(task, "method"),
        .host = text(task, "host"),
        .path = text(task, "path"),
        .query = text(task, "query"),
        .headers = headers,
        .header_count = count,
    };
    void *body = bytes(task, "body", &request.body_length);
    request.body = body;
    const struct sigv4_scope scope = {.region = text(task, "region"),
                                      .service = text(task, "service"),
                                      .wall_ns =
                                          json_object_get_int64(member(task, "at")) * NS_PER_S};
    struct credentials credentials = {.access_key_id = strdup(text(task, "key")),
                                      .secret_access_key = strdup(text(task, "secret"))};
    if (text(task, "token") != NULL)
        credentials.session_token = strdup(text(task, "token"));
    struct sigv4_signature signature = {0};
    struct error err = {0};
    must(sigv4_sign(&request, &scope, &credentials, &signature, &err) == 0, err.text);
    add_text(reply, "date", signature.date);
    add_text(reply, "authorization", signature.authorization);
    sigv4_signature_free(&signature);
    credentials_free(&credentials);
    free(body);
}

static void name(struct json_object *task, struct json_object *reply)
{
    struct json_object *answer = member(task, "answer");
    const char *headers = text(answer, "headers");
    size_t length = 0;
    char *body = bytes(answer, "body", &length);
    struct http_response response = {.status = json_object_get_int(member(answer, "status"))};
    buffer_init(&response.headers, HTTP_HEADERS_MAX);
    buffer_init(&response.body, length);
    must(buffer_append_string(&response.headers, headers, NULL) == 0, "headers");
    must(buffer_append(&response.body, body, length, NULL) == 0, "body");
    struct classification found = classify(&response, 0);
    add_text(reply, "name", found.name);
    add_kind(reply, found.kind);
    http_response_free(&response);
    free(body);
}

static const char *setting(void *context, const char *variable)
{
    return text(context, variable);
}

static void ask(struct json_object *task, struct fake_http *fake, const struct settings *settings,
                struct error *err)
{
    struct credentials_provider *credentials =
        credentials_provider_new(settings, &fake->transport, &fake->os->os, err);
    must(credentials != NULL, err->text);
    struct bedrock *bedrock =
        bedrock_new(settings, &fake->transport, credentials, &fake->os->os, err);
    must(bedrock != NULL, err->text);
    const char *message = text(task, "message");
    const struct bedrock_call call = {.message = message,
                                      .message_length = strlen(message),
                                      .invocation_id = "00000000-0000-4000-8000-000000000000",
                                      .attempt = 1,
                                      .max_attempts = 3,
                                      .timeout_ns = 60 * NS_PER_S};
    struct bedrock_result result = {0};
    if (bedrock_invoke(bedrock, &call, &result, err) == 0)
        err->kind = ERROR_NONE;
    bedrock_result_free(&result);
    bedrock_free(bedrock);
    credentials_provider_free(credentials);
}

static void invoke(struct json_object *task, struct json_object *reply)
{
    struct fake_os os;
    fake_os_init(&os);
    os.wall_ns = json_object_get_int64(member(task, "at")) * NS_PER_S;
    struct json_object *scripted = member(task, "answer");
    struct fake_answer answer = {.status = json_object_get_int(member(scripted, "status")),
                                 .headers = text(scripted, "headers")};
    char *body = bytes(scripted, "body", &answer.body_length);
    answer.body = body;
    struct fake_http fake;
    fake_http_init(&fake, &answer, 1, &os);
    struct settings settings;
    struct error err = {0};
    const struct settings_source source = {.get = setting, .context = member(task, "settings")};
    must(settings_load(&settings, source, &err) == 0, err.text);
    ask(task, &fake, &settings, &err);
    must(fake.calls == 1, "not one request was sent");
    add_text(reply, "method", fake.sent[0].method);
    add_text(reply, "url", fake.sent[0].url);
    add_text(reply, "sent_headers", fake.sent[0].headers);
    add_bytes(reply, "sent_body", fake.sent[0].body, fake.sent[0].body_length);
    add_kind(reply, err.kind);
    settings_free(&settings);
    fake_http_free(&fake);
    free(body);
}

int main(void)
{
    char *line = NULL;
    size_t size = 0;
    while (getline(&line, &size, stdin) > 0) {
        struct json_object *task = json_tokener_parse(line);
        must(task != NULL, "no JSON");
        struct json_object *reply = json_object_new_object();
        const char *what = text(task, "do");
        if (strcmp(what, "sign") == 0)
            sign(task, reply);
        else if (strcmp(what, "invoke") == 0)
            invoke(task, reply);
        else if (strcmp(what, "name") == 0)
            name(task, reply);
        else
            add_kind(reply, error_from_name(text(task, "name")));
        (void)printf("%s\n", json_object_to_json_string_ext(reply, JSON_C_TO_STRING_PLAIN));
        (void)fflush(stdout);
        json_object_put(reply);
        json_object_put(task);
    }
    free(line);
    return 0;
}
