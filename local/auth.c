#include "local/auth.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "aws/sigv4.h"
#include "base/os.h"

#define SESSION_TOKEN    "LocalWeir+Session/Token%d=="
#define BEARER_TOKEN     "bedrock-api-key-LocalWeir%d"
#define SCHEME           "AWS4-HMAC-SHA256 "
#define SIGNATURE_AGE_NS (300 * NS_PER_S)
#define HEADERS_MAX      64

void auth_session_token(int sandbox, char out[AUTH_TOKEN_SIZE])
{
    (void)snprintf(out, AUTH_TOKEN_SIZE, SESSION_TOKEN, sandbox);
}

void auth_bearer_token(int sandbox, char out[AUTH_TOKEN_SIZE])
{
    (void)snprintf(out, AUTH_TOKEN_SIZE, BEARER_TOKEN, sandbox);
}

static const struct auth_refusal missing = {403, "MissingAuthenticationTokenException",
                                            "Missing Authentication Token"};
static const struct auth_refusal incomplete = {
    400, "IncompleteSignatureException",
    "The request signature does not conform to AWS standards."};
static const struct auth_refusal unknown = {
    403, "UnrecognizedClientException", "The security token included in the request is invalid."};
static const struct auth_refusal bad_bearer = {
    403, "AccessDeniedException", "Authentication failed: Please make sure your API Key is valid."};
static const struct auth_refusal expired = {
    403, "InvalidSignatureException",
    "Signature expired: the date of the request is not within five minutes of now."};
static const struct auth_refusal mismatch = {
    403, "InvalidSignatureException",
    "The request signature we calculated does not match the signature you provided. Check your AWS "
    "Secret Access Key and signing method. Consult the service documentation for details."};

static int refuse(struct auth_refusal *refusal, const struct auth_refusal *why)
{
    *refusal = *why;
    return -1;
}

/* The sandbox whose token this is, or -1. */
static int number_in(const char *token, void (*make)(int, char *))
{
    char expected[AUTH_TOKEN_SIZE];
    const char *digits = strpbrk(token, "0123456789");
    int number = digits != NULL && strnlen(digits, 10) < 10 ? (int)strtol(digits, NULL, 10) : -1;
    if (number < 0)
        return -1;
    make(number, expected);
    return strcmp(token, expected) == 0 ? number : -1;
}

/* What an Authorization header says; the parts point into a copy of it. */
struct claim {
    char text[4096];
    char *key_id, *region, *service;
    char *signed_headers; /* names joined by ";" */
    const char *signature;
};

/* The value of "name=value" among parts separated by commas; cuts it there. */
static char *part(char *text, const char *name)
{
    char *at = strstr(text, name);
    return at != NULL ? at + strlen(name) : NULL;
}

static int read_claim(const char *authorization, struct claim *claim)
{
    size_t length = strlen(authorization);
    if (length >= sizeof claim->text || strncmp(authorization, SCHEME, strlen(SCHEME)) != 0)
        return -1;
    memcpy(claim->text, authorization, length + 1);
    claim->key_id = part(claim->text, "Credential=");
    claim->signed_headers = part(claim->text, "SignedHeaders=");
    claim->signature = part(claim->text, "Signature=");
    if (claim->key_id == NULL || claim->signed_headers == NULL || claim->signature == NULL)
        return -1;
    for (char *at = claim->text; *at != '\0'; at++)
        if (*at == ',')
            *at = '\0';
    char *rest = NULL;
    claim->key_id = strtok_r(claim->key_id, "/", &rest);
    char *date = strtok_r(NULL, "/", &rest);
    claim->region = strtok_r(NULL, "/", &rest);
    claim->service = strtok_r(NULL, "/", &rest);
    const char *last = strtok_r(NULL, "/", &rest);
    if (date == NULL || last == NULL || strcmp(last, "aws4_request") != 0)
        return -1;
    return 0;
}

/* "20261123T120000Z" as Unix time, or -1. */
static int64_t read_date(const char *date)
{
    struct tm utc = {0};
    const char *end = strptime(date, "%Y%m%dT%H%M%SZ", &utc);
    if (end == NULL || *end != '\0')
        return -1;
    return (int64_t)timegm(&utc) * NS_PER_S;
}

static bool made_by_signer(const char *name)
{
    return strcasecmp(name, "host") == 0 || strcasecmp(name, "x-amz-date") == 0 ||
           strcasecmp(name, "x-amz-security-token") == 0;
}

/* The headers that were signed, less those the signer adds; -1 when one is not there. */
static int collect_headers(const struct server_request *request, char *names,
                           struct http_header *out, size_t *count)
{
    char *rest = NULL;
    *count = 0;
    for (char *name = strtok_r(names, ";", &rest); name != NULL;
         name = strtok_r(NULL, ";", &rest)) {
        if (made_by_signer(name))
            continue;
        if (*count == HEADERS_MAX)
            return -1;
        out[(*count)++] = (struct http_header){name, server_header(request, name)};
    }
    return 0;
}

/* Signs the request anew; whether the signature is the claim's. */
static bool matches(const struct server_request *request, struct claim *claim, int64_t wall_ns)
{
    struct http_header headers[HEADERS_MAX];
    size_t count = 0;
    if (collect_headers(request, claim->signed_headers, headers, &count) != 0)
        return false;
    char key[] = AUTH_ACCESS_KEY_ID;
    char secret[] = AUTH_SECRET_ACCESS_KEY;
    char token[AUTH_TOKEN_SIZE] = "";
    (void)snprintf(token, sizeof token, "%s", server_header(request, "x-amz-security-token"));
    struct credentials credentials = {.access_key_id = key,
                                      .secret_access_key = secret,
                                      .session_token = token,
                                      .expires_wall_ns = INT64_MAX};
    struct sigv4_request to_sign = {.method = request->method,
                                    .host = server_header(request, "host"),
                                    .path = request->path,
                                    .query = request->query,
                                    .headers = headers,
                                    .header_count = count,
                                    .body = request->body,
                                    .body_length = request->body_length};
    struct sigv4_scope scope = {
        .region = claim->region, .service = claim->service, .wall_ns = wall_ns};
    struct sigv4_signature signature = {0};
    if (sigv4_sign(&to_sign, &scope, &credentials, &signature, NULL) != 0)
        return false;
    const char *ours = strstr(signature.authorization, "Signature=");
    bool same = ours != NULL && strcmp(ours + strlen("Signature="), claim->signature) == 0;
    sigv4_signature_free(&signature);
    return same;
}

static int check_bearer(const char *token, struct auth_refusal *refusal)
{
    int number = number_in(token, auth_bearer_token);
    return number >= 0 ? number : refuse(refusal, &bad_bearer);
}

int auth_check(const struct server_request *request, int64_t wall_ns, struct auth_refusal *refusal)
{
    static const char bearer[] = "Bearer ";
    const char *authorization = server_header(request, "authorization");
    if (authorization[0] == '\0')
        return refuse(refusal, &missing);
    if (strncmp(authorization, bearer, strlen(bearer)) == 0)
        return check_bearer(authorization + strlen(bearer), refusal);
    struct claim claim;
    int64_t signed_ns = read_date(server_header(request, "x-amz-date"));
    if (read_claim(authorization, &claim) != 0 || signed_ns < 0)
        return refuse(refusal, &incomplete);
    int number = number_in(server_header(request, "x-amz-security-token"), auth_session_token);
    if (strcmp(claim.key_id, AUTH_ACCESS_KEY_ID) != 0 || number < 0)
        return refuse(refusal, &unknown);
    if (llabs(signed_ns - wall_ns) > SIGNATURE_AGE_NS)
        return refuse(refusal, &expired);
    if (strcmp(claim.service, "bedrock") != 0 || !matches(request, &claim, signed_ns))
        return refuse(refusal, &mismatch);
    return number;
}
