#include "aws/sigv4.h"

#include <ctype.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "base/os.h"

#define HASH_SIZE 32
#define HEX_SIZE  (2 * HASH_SIZE + 1)
/* Far more than a request line and headers may have; the body goes in as its hash only. */
#define CANONICAL_MAX (1024 * 1024)

struct job {
    const struct sigv4_request *request;
    const struct sigv4_scope *scope;
    const struct credentials *credentials;
    struct sigv4_signature *signature;
    char day[9];
    char where[256];     /* "20261123/us-east-1/bedrock/aws4_request" */
    struct buffer text;  /* the canonical request; secret, as it has the token */
    struct buffer names; /* of its headers: "accept;host;x-amz-date" */
};

/* --- hashes --- */

static void to_hex(const unsigned char hash[HASH_SIZE], char out[HEX_SIZE])
{
    for (size_t i = 0; i < HASH_SIZE; i++)
        (void)snprintf(out + 2 * i, 3, "%02x", hash[i]);
}

static int hash_hex(const void *bytes, size_t length, char out[HEX_SIZE], struct error *err)
{
    unsigned char hash[EVP_MAX_MD_SIZE] = {0};
    if (EVP_Digest(bytes, length, hash, NULL, EVP_sha256(), NULL) != 1)
        return error_set(err, ERROR_INTERNAL, "OpenSSL cannot compute SHA-256");
    to_hex(hash, out);
    return 0;
}

static int mac(const void *key, size_t key_length, const char *text, unsigned char out[HASH_SIZE],
               struct error *err)
{
    if (HMAC(EVP_sha256(), key, (int)key_length, (const unsigned char *)text, strlen(text), out,
             NULL) == NULL)
        return error_set(err, ERROR_INTERNAL, "OpenSSL cannot compute HMAC-SHA-256");
    return 0;
}

/* --- path --- */

static bool is_unreserved(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_' || c == '~';
}

static int encode(struct buffer *out, const char *text, size_t length, struct error *err)
{
    for (size_t i = 0; i < length; i++) {
        char triplet[4];
        (void)snprintf(triplet, sizeof triplet, "%%%02X", (unsigned char)text[i]);
        bool plain = is_unreserved(text[i]);
        if (buffer_append(out, plain ? &text[i] : triplet, plain ? 1 : 3, err) != 0)
            return -1;
    }
    return 0;
}

int sigv4_percent_encode(struct buffer *out, const char *text, struct error *err)
{
    return encode(out, text, strlen(text), err);
}

/* Takes the last segment off again, down to `start`, where the path begins. */
static void drop_segment(struct buffer *out, size_t start)
{
    while (out->length > start && out->data[out->length - 1] != '/')
        out->length--;
    if (out->length > start)
        out->length--;
    out->data[out->length] = '\0';
}

static int add_segment(struct buffer *out, const char *segment, size_t length, struct error *err)
{
    if (buffer_append_string(out, "/", err) != 0)
        return -1;
    return encode(out, segment, length, err);
}

/* Empty and "." segments go, ".." takes one with it (RFC 3986, 5.2.4); the rest is encoded again.
 */
static int add_path(struct buffer *out, const char *path, struct error *err)
{
    size_t start = out->length;
    size_t length = 0;
    for (const char *at = path; *at != '\0'; at += length) {
        at += strspn(at, "/");
        length = strcspn(at, "/");
        if (length == 0 || (length == 1 && at[0] == '.'))
            continue;
        if (length == 2 && at[0] == '.' && at[1] == '.') {
            drop_segment(out, start);
            continue;
        }
        if (add_segment(out, at, length, err) != 0)
            return -1;
    }
    bool slash_at_end = path[0] != '\0' && path[strlen(path) - 1] == '/';
    if (slash_at_end || out->length == start)
        return buffer_append_string(out, "/", err);
    return 0;
}

/* --- query --- */

struct parameter {
    const char *text; /* "name=value" or "name" */
    size_t name_length;
    size_t length;
};

static int compare_bytes(const char *a, size_t a_length, const char *b, size_t b_length)
{
    int order = memcmp(a, b, a_length < b_length ? a_length : b_length);
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

static int add_parameters(struct buffer *out, const struct parameter *parameters, size_t count,
                          struct error *err)
{
    for (size_t i = 0; i < count; i++) {
        const struct parameter *p = &parameters[i];
        if (i > 0 && buffer_append_string(out, "&", err) != 0)
            return -1;
        if (buffer_append(out, p->text, p->length, err) != 0)
            return -1;
        if (p->name_length == p->length && buffer_append_string(out, "=", err) != 0)
            return -1;
    }
    return 0;
}

static size_t split_query(const char *query, struct parameter *parameters)
{
    size_t count = 0;
    for (const char *at = query;; at++) {
        size_t length = strcspn(at, "&");
        const char *equals = memchr(at, '=', length);
        parameters[count++] =
            (struct parameter){.text = at,
                               .name_length = equals != NULL ? (size_t)(equals - at) : length,
                               .length = length};
        at += length;
        if (*at == '\0')
            return count;
    }
}

static int add_query(struct buffer *out, const char *query, struct error *err)
{
    if (query == NULL || query[0] == '\0')
        return 0;
    size_t most = 1;
    for (const char *at = query; *at != '\0'; at++)
        most += *at == '&';
    struct parameter *parameters = calloc(most, sizeof *parameters);
    if (parameters == NULL)
        return error_set(err, ERROR_MEMORY, "no memory for %zu query parameters", most);
    size_t count = split_query(query, parameters);
    qsort(parameters, count, sizeof *parameters, compare_parameters);
    int rc = add_parameters(out, parameters, count, err);
    free(parameters);
    return rc;
}

/* --- headers --- */

/* By name without case; equal names stay in their order, which their addresses tell. */
static int compare_headers(const void *left, const void *right)
{
    const struct http_header *a = *(const struct http_header *const *)left;
    const struct http_header *b = *(const struct http_header *const *)right;
    int order = strcasecmp(a->name, b->name);
    if (order != 0)
        return order;
    return (a > b) - (a < b);
}

static int add_lower(struct buffer *out, const char *name, struct error *err)
{
    for (const char *at = name; *at != '\0'; at++) {
        char lower = (char)tolower((unsigned char)*at);
        if (buffer_append(out, &lower, 1, err) != 0)
            return -1;
    }
    return 0;
}

/* Spaces around the value go, those inside become one each. */
static int add_trimmed(struct buffer *out, const char *value, struct error *err)
{
    static const char spaces[] = " \t\n\v\f\r";
    const char *at = value + strspn(value, spaces);
    while (*at != '\0') {
        size_t length = strcspn(at, spaces);
        if (buffer_append(out, at, length, err) != 0)
            return -1;
        at += length;
        at += strspn(at, spaces);
        if (*at != '\0' && buffer_append_string(out, " ", err) != 0)
            return -1;
    }
    return 0;
}

static int add_header(struct job *job, const struct http_header *header, bool repeated,
                      struct error *err)
{
    if (repeated) {
        if (buffer_append_string(&job->text, ",", err) != 0)
            return -1;
        return add_trimmed(&job->text, header->value, err);
    }
    if (job->names.length > 0 && (buffer_append_string(&job->text, "\n", err) != 0 ||
                                  buffer_append_string(&job->names, ";", err) != 0))
        return -1;
    if (add_lower(&job->text, header->name, err) != 0 ||
        add_lower(&job->names, header->name, err) != 0 ||
        buffer_append_string(&job->text, ":", err) != 0)
        return -1;
    return add_trimmed(&job->text, header->value, err);
}

static int add_headers(struct job *job, const struct http_header *headers, size_t count,
                       struct error *err)
{
    const struct http_header **sorted = calloc(count, sizeof(struct http_header *));
    if (sorted == NULL)
        return error_set(err, ERROR_MEMORY, "no memory for %zu headers", count);
    for (size_t i = 0; i < count; i++)
        sorted[i] = &headers[i];
    /* NOLINTNEXTLINE(bugprone-sizeof-expression): they are pointers */
    qsort(sorted, count, sizeof *sorted, compare_headers);
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < count; i++) {
        bool repeated = i > 0 && strcasecmp(sorted[i - 1]->name, sorted[i]->name) == 0;
        rc = add_header(job, sorted[i], repeated, err);
    }
    free(sorted);
    return rc;
}

/* The caller's headers and ours. */
static int add_all_headers(struct job *job, struct error *err)
{
    const struct sigv4_request *request = job->request;
    size_t count = request->header_count;
    struct http_header *all = calloc(count + 3, sizeof *all);
    if (all == NULL)
        return error_set(err, ERROR_MEMORY, "no memory for %zu headers", count);
    for (size_t i = 0; i < count; i++)
        all[i] = request->headers[i];
    all[count++] = (struct http_header){"host", request->host};
    all[count++] = (struct http_header){"x-amz-date", job->signature->date};
    if (job->signature->token != NULL)
        all[count++] = (struct http_header){"x-amz-security-token", job->signature->token};
    int rc = add_headers(job, all, count, err);
    free(all);
    return rc;
}

/* --- the signature --- */

/*
 * Lines: method, path, query, one line a header, an empty one, the names of the headers, the hash
 * of the body.
 */
static int add_request(struct job *job, struct error *err)
{
    const struct sigv4_request *request = job->request;
    struct buffer *text = &job->text;
    char body_hash[HEX_SIZE];
    if (hash_hex(request->body, request->body_length, body_hash, err) != 0)
        return -1;
    if (buffer_append_string(text, request->method, err) != 0 ||
        buffer_append_string(text, "\n", err) != 0 || add_path(text, request->path, err) != 0 ||
        buffer_append_string(text, "\n", err) != 0 || add_query(text, request->query, err) != 0 ||
        buffer_append_string(text, "\n", err) != 0)
        return -1;
    if (add_all_headers(job, err) != 0)
        return -1;
    if (buffer_append_string(text, "\n\n", err) != 0 ||
        buffer_append(text, job->names.data, job->names.length, err) != 0 ||
        buffer_append_string(text, "\n", err) != 0)
        return -1;
    return buffer_append_string(text, body_hash, err);
}

static int set_date(struct job *job, struct error *err)
{
    time_t seconds = (time_t)(job->scope->wall_ns / NS_PER_S);
    struct tm utc = {0};
    char *date = job->signature->date;
    if (job->scope->wall_ns < 0 || gmtime_r(&seconds, &utc) == NULL)
        return error_set(err, ERROR_INTERNAL, "the clock's date cannot be signed");
    (void)strftime(date, sizeof job->signature->date, "%Y%m%dT%H%M%SZ", &utc);
    (void)snprintf(job->day, sizeof job->day, "%.8s", date);
    int length = snprintf(job->where, sizeof job->where, "%s/%s/%s/aws4_request", job->day,
                          job->scope->region, job->scope->service);
    if (length < 0 || (size_t)length >= sizeof job->where)
        return error_set(err, ERROR_INTERNAL, "the Region or service name is too long to sign");
    return 0;
}

static int derive_key(const struct job *job, unsigned char key[HASH_SIZE], struct error *err)
{
    const char *secret = job->credentials->secret_access_key;
    const char *const steps[] = {job->day, job->scope->region, job->scope->service, "aws4_request"};
    size_t size = strlen(secret) + sizeof "AWS4";
    char *start = malloc(size);
    if (start == NULL)
        return error_set(err, ERROR_MEMORY, "no memory for a signing key");
    (void)snprintf(start, size, "AWS4%s", secret);
    int rc = mac(start, size - 1, steps[0], key, err);
    for (size_t i = 1; rc == 0 && i < sizeof steps / sizeof steps[0]; i++) {
        unsigned char next[HASH_SIZE];
        rc = mac(key, HASH_SIZE, steps[i], next, err);
        memcpy(key, next, HASH_SIZE);
        wipe(next, sizeof next);
    }
    wipe_string(start);
    return rc;
}

static int sign(const struct job *job, char signature[HEX_SIZE], struct error *err)
{
    char request_hash[HEX_SIZE];
    char to_sign[512];
    unsigned char key[HASH_SIZE];
    unsigned char hash[HASH_SIZE];
    if (hash_hex(job->text.data, job->text.length, request_hash, err) != 0)
        return -1;
    (void)snprintf(to_sign, sizeof to_sign, "AWS4-HMAC-SHA256\n%s\n%s\n%s", job->signature->date,
                   job->where, request_hash);
    int rc = derive_key(job, key, err);
    if (rc == 0)
        rc = mac(key, sizeof key, to_sign, hash, err);
    wipe(key, sizeof key);
    if (rc == 0)
        to_hex(hash, signature);
    return rc;
}

static int write_authorization(const struct job *job, struct error *err)
{
    static const char format[] =
        "AWS4-HMAC-SHA256 Credential=%s/%s, SignedHeaders=%s, Signature=%s";
    const char *id = job->credentials->access_key_id;
    char signature[HEX_SIZE];
    if (sign(job, signature, err) != 0)
        return -1;
    size_t size =
        sizeof format + strlen(id) + strlen(job->where) + job->names.length + sizeof signature;
    char *text = malloc(size);
    if (text == NULL)
        return error_set(err, ERROR_MEMORY, "no memory for a signature");
    (void)snprintf(text, size, format, id, job->where, job->names.data, signature);
    job->signature->authorization = text;
    return 0;
}

static int check_credentials(const struct credentials *credentials, struct error *err)
{
    if (credentials->access_key_id == NULL || credentials->secret_access_key == NULL)
        return error_set(err, ERROR_CREDENTIALS, "there are no keys to sign with");
    if (credentials->session_token != NULL && strlen(credentials->session_token) > SIGV4_TOKEN_MAX)
        return error_set(err, ERROR_CREDENTIALS, "the session token has more than %d bytes",
                         SIGV4_TOKEN_MAX);
    return 0;
}

int sigv4_sign(const struct sigv4_request *request, const struct sigv4_scope *scope,
               const struct credentials *credentials, struct sigv4_signature *signature,
               struct error *err)
{
    struct job job = {
        .request = request, .scope = scope, .credentials = credentials, .signature = signature};
    *signature = (struct sigv4_signature){.token = credentials->session_token};
    if (check_credentials(credentials, err) != 0)
        return -1;
    buffer_init(&job.text, CANONICAL_MAX);
    buffer_init(&job.names, CANONICAL_MAX);
    int rc = set_date(&job, err);
    if (rc == 0)
        rc = add_request(&job, err);
    if (rc == 0)
        rc = write_authorization(&job, err);
    buffer_wipe(&job.text);
    buffer_free(&job.names);
    return rc;
}

void sigv4_signature_free(struct sigv4_signature *signature)
{
    wipe_string(signature->authorization);
    wipe(signature, sizeof *signature);
}
