#include "tests/support/sigv4_case.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "aws/sigv4.h"
#include "base/os.h"

#define HEADERS_MAX 64

static void must(int succeeded)
{
    if (!succeeded)
        abort();
}

static const char *text_of(struct json_object *request, const char *name)
{
    struct json_object *value = NULL;
    must(json_object_object_get_ex(request, name, &value));
    return json_object_get_string(value);
}

static int64_t number_of(struct json_object *request, const char *name, int64_t otherwise)
{
    struct json_object *value = NULL;
    if (!json_object_object_get_ex(request, name, &value))
        return otherwise;
    return json_object_get_int64(value);
}

static size_t read_headers(struct json_object *request, struct http_header headers[HEADERS_MAX])
{
    struct json_object *list = NULL;
    must(json_object_object_get_ex(request, "headers", &list));
    size_t count = json_object_array_length(list);
    must(count <= HEADERS_MAX);
    for (size_t i = 0; i < count; i++) {
        struct json_object *pair = json_object_array_get_idx(list, i);
        headers[i].name = json_object_get_string(json_object_array_get_idx(pair, 0));
        headers[i].value = json_object_get_string(json_object_array_get_idx(pair, 1));
    }
    return count;
}

static char *make_body(struct json_object *request, size_t *length)
{
    const char *block = text_of(request, "body");
    size_t size = strlen(block);
    size_t count = (size_t)number_of(request, "body_count", 1);
    char *body = malloc(size * count + 1);
    must(body != NULL);
    for (size_t i = 0; i < count; i++)
        memcpy(body + i * size, block, size);
    *length = size * count;
    return body;
}

static char *copy(const char *text)
{
    if (text == NULL)
        return NULL;
    char *out = strdup(text);
    must(out != NULL);
    return out;
}

char *sigv4_case_sign(struct json_object *request, struct error *err)
{
    struct http_header headers[HEADERS_MAX];
    struct sigv4_request unsigned_request = {
        .method = text_of(request, "method"),
        .host = text_of(request, "host"),
        .path = text_of(request, "path"),
        .query = text_of(request, "query"),
        .headers = headers,
        .header_count = read_headers(request, headers),
    };
    char *body = make_body(request, &unsigned_request.body_length);
    unsigned_request.body = body;
    struct sigv4_scope scope = {.region = text_of(request, "region"),
                                .service = text_of(request, "service"),
                                .wall_ns = number_of(request, "time_s", 0) * NS_PER_S};
    struct credentials credentials = {
        .access_key_id = copy(text_of(request, "access_key_id")),
        .secret_access_key = copy(text_of(request, "secret_access_key")),
        .session_token = copy(text_of(request, "session_token")),
    };
    struct sigv4_signature signature = {0};
    char *authorization = NULL;
    if (sigv4_sign(&unsigned_request, &scope, &credentials, &signature, err) == 0)
        authorization = copy(signature.authorization);
    sigv4_signature_free(&signature);
    credentials_free(&credentials);
    free(body);
    return authorization;
}
