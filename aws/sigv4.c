#include "aws/sigv4.h"

#include <ctype.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/os.h"

#define ALGORITHM      "AWS4-HMAC-SHA256"
#define HASH_SIZE      32
#define HEX_SIZE       (2 * HASH_SIZE + 1)
#define CANONICAL_MAX  (8U << 20) /* a path, a query and headers, all of ours */
#define HEADERS_MAX    64
#define PARAMETERS_MAX 256

static int no_crypto(struct error *err)
{
    return error_set(err, ERROR_INTERNAL, "OpenSSL cannot compute SHA-256");
}

static void to_hex(const unsigned char *bytes, char out[HEX_SIZE])
{
    for (size_t i = 0; i < HASH_SIZE; i++)
        (void)snprintf(out + 2 * i, 3, "%02x", bytes[i]);
}

static int sha256_hex(const void *bytes, size_t length, char out[HEX_SIZE], struct error *err)
{
    unsigned char hash[HASH_SIZE];
    if (EVP_Digest(length > 0 ? bytes : "", length, hash, NULL, EVP_sha256(), NULL) != 1)
        return no_crypto(err);
    to_hex(hash, out);
    return 0;
}

static int hmac(const unsigned char *key, size_t key_length, const char *text,
                unsigned char out[HASH_SIZE], struct error *err)
{
    unsigned int length = 0;
    if (HMAC(EVP_sha256(), key, (int)key_length, (const unsigned char *)text, strlen(text), out,
             &length) == NULL ||
        length != HASH_SIZE)
        return no_crypto(err);
    return 0;
}

int sigv4_percent_encode(struct buffer *out, const char *text, struct error *err)
{
    for (; *text != '\0'; text++) {
        unsigned char c = (unsigned char)*text;
        char encoded[4] = {(char)c};
        if (!isalnum(c) && strchr("-._~", c) == NULL)
            (void)snprintf(encoded, sizeof encoded, "%%%02X", c);
        if (buffer_append_string(out, encoded, err) != 0)
            return -1;
    }
    return 0;
}

/* ---- the canonical request ---- */

/*
 * Removes ".", ".." and empty segments in place, as AWS's signers do for every service but S3 (RFC
 * 3986 section 5.2.4, and slashes in a row count as one).
 */
static void normalise_path(char *path)
{
    size_t length = strlen(path);
    bool slash_at_end = length > 0 && path[length - 1] == '/';
    char *out = path;
    for (const char *at = path; *at != '\0';) {
        at += strspn(at, "/");
        size_t n = strcspn(at, "/");
        if (n == 2 && memcmp(at, "..", 2) == 0) {
            while (out > path && *--out != '/')
                ;
        } else if (n > 0 && !(n == 1 && *at == '.')) {
            *out++ = '/';
            memmove(out, at, n);
            out += n;
        }
        at += n;
    }
    if (out == path || slash_at_end)
        *out++ = '/';
    *out = '\0';
}

/* Encodes each segment between slashes once more. */
static int append_path(struct buffer *out, const char *wire_path, struct error *err)
{
    size_t length = strlen(wire_path);
    char *path = malloc(length + 2);
    if (path == NULL)
        return error_set(err, ERROR_MEMORY, "no memory for a path");
    memcpy(path, wire_path, length + 1);
    normalise_path(path);
    int result = 0;
    for (const char *at = path; result == 0 && *at != '\0'; at++) {
        char one[2] = {*at};
        result =
            *at == '/' ? buffer_append_string(out, one, err) : sigv4_percent_encode(out, one, err);
    }
    free(path);
    return result;
}

struct parameter {
    const char *text;
    size_t name_length, length;
};

static int compare_bytes(const char *a, size_t a_length, const char *b, size_t b_length)
{
    size_t shorter = a_length < b_length ? a_length : b_length;
    int order = memcmp(a, b, shorter);
    if (order != 0)
        return order;
    return (a_length > b_length) - (a_length < b_length);
}

static int compare_parameters(const void *left, const void *right)
{
    const struct parameter *a = left;
    const struct parameter *b = right;
    int order = compare_bytes(a->text, a->name_length, b->text, b->name_length);
    if (order != 0)
        return order;
    return compare_bytes(a->text + a->name_length, a->length - a->name_length,
                         b->text + b->name_length, b->length - b->name_length);
}

static int split_query(const char *query, struct parameter *parameters, size_t *count,
                       struct error *err)
{
    *count = 0;
    while (*query != '\0') {
        size_t length = strcspn(query, "&");
        if (*count == PARAMETERS_MAX)
            return error_set(err, ERROR_INTERNAL, "more than %d parameters", PARAMETERS_MAX);
        const char *equals = memchr(query, '=', length);
        size_t name_length = equals != NULL ? (size_t)(equals - query) : length;
        if (length > 0)
            parameters[(*count)++] = (struct parameter){query, name_length, length};
        query += length + (query[length] == '&');
    }
    return 0;
}

/* The wire's encoding stays; parameters are sorted, and one without a value gets an empty one. */
static int append_query(struct buffer *out, const char *query, struct error *err)
{
    struct parameter parameters[PARAMETERS_MAX];
    size_t count = 0;
    if (query == NULL)
        return 0;
    if (split_query(query, parameters, &count, err) != 0)
        return -1;
    qsort(parameters, count, sizeof parameters[0], compare_parameters);
    for (size_t i = 0; i < count; i++) {
        const struct parameter *p = &parameters[i];
        if ((i > 0 && buffer_append_string(out, "&", err) != 0) ||
            buffer_append(out, p->text, p->length, err) != 0 ||
            (p->name_length == p->length && buffer_append_string(out, "=", err) != 0))
            return -1;
    }
    return 0;
}

struct signed_header {
    char *name; /* lower case; owned */
    const char *value;
    size_t order; /* of duplicates */
};

struct signed_headers {
    struct signed_header list[HEADERS_MAX];
    size_t count;
};

static int add_header(struct signed_headers *headers, const char *name, const char *value,
                      struct error *err)
{
    if (headers->count == HEADERS_MAX)
        return error_set(err, ERROR_INTERNAL, "more than %d headers", HEADERS_MAX);
    char *lower = strdup(name);
    if (lower == NULL)
        return error_set(err, ERROR_MEMORY, "no memory for a header");
    for (char *at = lower; *at != '\0'; at++)
        *at = (char)tolower((unsigned char)*at);
    headers->list[headers->count] = (struct signed_header){lower, value, headers->count};
    headers->count++;
    return 0;
}

static void free_headers(struct signed_headers *headers)
{
    for (size_t i = 0; i < headers->count; i++)
        free(headers->list[i].name);
}

static int compare_headers(const void *left, const void *right)
{
    const struct signed_header *a = left;
    const struct signed_header *b = right;
    int order = strcmp(a->name, b->name);
    return order != 0 ? order : (a->order > b->order) - (a->order < b->order);
}

static int collect_headers(struct signed_headers *headers, const struct sigv4_request *request,
                           const struct credentials *credentials, const char *date,
                           struct error *err)
{
    for (size_t i = 0; i < request->header_count; i++)
        if (add_header(headers, request->headers[i].name, request->headers[i].value, err) != 0)
            return -1;
    if (add_header(headers, "host", request->host, err) != 0 ||
        add_header(headers, "x-amz-date", date, err) != 0)
        return -1;
    if (credentials->session_token != NULL &&
        add_header(headers, "x-amz-security-token", credentials->session_token, err) != 0)
        return -1;
    qsort(headers->list, headers->count, sizeof headers->list[0], compare_headers);
    return 0;
}

/* Without spaces at its ends, and with one for many between. */
static int append_value(struct buffer *out, const char *value, struct error *err)
{
    bool first = true;
    for (const char *at = value + strspn(value, " \t"); *at != '\0'; at += strspn(at, " \t")) {
        size_t length = strcspn(at, " \t");
        if ((!first && buffer_append_string(out, " ", err) != 0) ||
            buffer_append(out, at, length, err) != 0)
            return -1;
        first = false;
        at += length;
    }
    return 0;
}

static bool repeats(const struct signed_headers *headers, size_t i)
{
    return i > 0 && strcmp(headers->list[i].name, headers->list[i - 1].name) == 0;
}

static int append_headers(struct buffer *out, const struct signed_headers *headers,
                          struct error *err)
{
    for (size_t i = 0; i < headers->count; i++) {
        const struct signed_header *header = &headers->list[i];
        if (repeats(headers, i)) {
            if (buffer_append_string(out, ",", err) != 0)
                return -1;
        } else if ((i > 0 && buffer_append_string(out, "\n", err) != 0) ||
                   buffer_append_string(out, header->name, err) != 0 ||
                   buffer_append_string(out, ":", err) != 0) {
            return -1;
        }
        if (append_value(out, header->value, err) != 0)
            return -1;
    }
    return buffer_append_string(out, "\n\n", err);
}

static int append_names(struct buffer *out, const struct signed_headers *headers, struct error *err)
{
    for (size_t i = 0; i < headers->count; i++)
        if (!repeats(headers, i) && ((i > 0 && buffer_append_string(out, ";", err) != 0) ||
                                     buffer_append_string(out, headers->list[i].name, err) != 0))
            return -1;
    return 0;
}

static int append_canonical(struct buffer *out, const struct sigv4_request *request,
                            const struct signed_headers *headers, struct error *err)
{
    char body_hash[HEX_SIZE];
    if (sha256_hex(request->body, request->body_length, body_hash, err) != 0 ||
        buffer_append_string(out, request->method, err) != 0 ||
        buffer_append_string(out, "\n", err) != 0 || append_path(out, request->path, err) != 0 ||
        buffer_append_string(out, "\n", err) != 0 || append_query(out, request->query, err) != 0 ||
        buffer_append_string(out, "\n", err) != 0 || append_headers(out, headers, err) != 0 ||
        append_names(out, headers, err) != 0 || buffer_append_string(out, "\n", err) != 0)
        return -1;
    return buffer_append_string(out, body_hash, err);
}

/* ---- the signature ---- */

static int derive_key(const struct sigv4_scope *scope, const char *secret, const char *day,
                      unsigned char key[HASH_SIZE], struct error *err)
{
    size_t length = strlen(secret) + 4;
    char *first = malloc(length + 1);
    if (first == NULL)
        return error_set(err, ERROR_MEMORY, "no memory for a key");
    (void)snprintf(first, length + 1, "AWS4%s", secret);
    int result = hmac((const unsigned char *)first, length, day, key, err);
    wipe_string(first);
    if (result != 0 || hmac(key, HASH_SIZE, scope->region, key, err) != 0 ||
        hmac(key, HASH_SIZE, scope->service, key, err) != 0)
        return -1;
    return hmac(key, HASH_SIZE, "aws4_request", key, err);
}

struct key_input {
    const struct sigv4_scope *scope;
    const char *secret;
    const char *date;
    const char *scope_text; /* "20261123/us-east-1/bedrock/aws4_request" */
};

static int compute(const struct key_input *input, const struct buffer *canonical,
                   char out[HEX_SIZE], struct error *err)
{
    char hash[HEX_SIZE];
    char text[1024];
    char day[9];
    unsigned char key[HASH_SIZE];
    unsigned char signature[HASH_SIZE];
    if (sha256_hex(canonical->data, canonical->length, hash, err) != 0)
        return -1;
    (void)snprintf(day, sizeof day, "%.8s", input->date);
    (void)snprintf(text, sizeof text, ALGORITHM "\n%s\n%s\n%s", input->date, input->scope_text,
                   hash);
    int result = derive_key(input->scope, input->secret, day, key, err);
    if (result == 0)
        result = hmac(key, HASH_SIZE, text, signature, err);
    wipe(key, sizeof key);
    if (result == 0)
        to_hex(signature, out);
    return result;
}

static void format_date(int64_t wall_ns, char out[17])
{
    time_t seconds = (time_t)(wall_ns / NS_PER_S);
    struct tm utc = {0};
    gmtime_r(&seconds, &utc);
    (void)strftime(out, 17, "%Y%m%dT%H%M%SZ", &utc);
}

struct authorization {
    const char *access_key_id, *scope_text, *names, *hex;
};

static int write_authorization(struct sigv4_signature *signature, const struct authorization *parts,
                               struct error *err)
{
    static const char format[] = ALGORITHM " Credential=%s/%s, SignedHeaders=%s, Signature=%s";
    size_t size = sizeof format + strlen(parts->access_key_id) + strlen(parts->scope_text) +
                  strlen(parts->names) + HEX_SIZE;
    signature->authorization = malloc(size);
    if (signature->authorization == NULL)
        return error_set(err, ERROR_MEMORY, "no memory for a signature");
    (void)snprintf(signature->authorization, size, format, parts->access_key_id, parts->scope_text,
                   parts->names, parts->hex);
    return 0;
}

/* What goes through all the steps of one signature. */
struct signing {
    const struct sigv4_request *request;
    const struct sigv4_scope *scope;
    const struct credentials *credentials;
    struct signed_headers headers;
    struct buffer canonical; /* holds the session token: wiped */
    struct buffer names;
};

static int run(struct signing *s, struct sigv4_signature *signature, struct error *err)
{
    char hex[HEX_SIZE];
    char scope_text[256];
    int n = snprintf(scope_text, sizeof scope_text, "%.8s/%s/%s/aws4_request", signature->date,
                     s->scope->region, s->scope->service);
    if (n < 0 || (size_t)n >= sizeof scope_text)
        return error_set(err, ERROR_INTERNAL, "a region or service that is too long");
    if (collect_headers(&s->headers, s->request, s->credentials, signature->date, err) != 0 ||
        append_canonical(&s->canonical, s->request, &s->headers, err) != 0 ||
        append_names(&s->names, &s->headers, err) != 0)
        return -1;
    const struct key_input input = {s->scope, s->credentials->secret_access_key, signature->date,
                                    scope_text};
    if (compute(&input, &s->canonical, hex, err) != 0)
        return -1;
    const struct authorization parts = {s->credentials->access_key_id, scope_text, s->names.data,
                                        hex};
    return write_authorization(signature, &parts, err);
}

int sigv4_sign(const struct sigv4_request *request, const struct sigv4_scope *scope,
               const struct credentials *credentials, struct sigv4_signature *signature,
               struct error *err)
{
    *signature = (struct sigv4_signature){.token = credentials->session_token};
    struct signing signing = {.request = request, .scope = scope, .credentials = credentials};
    buffer_init(&signing.canonical, CANONICAL_MAX);
    buffer_init(&signing.names, CANONICAL_MAX);
    format_date(scope->wall_ns, signature->date);
    int result = run(&signing, signature, err);
    buffer_wipe(&signing.canonical);
    buffer_free(&signing.names);
    free_headers(&signing.headers);
    if (result != 0)
        sigv4_signature_free(signature);
    return result;
}

void sigv4_signature_free(struct sigv4_signature *signature)
{
    wipe_string(signature->authorization);
    *signature = (struct sigv4_signature){0};
}
