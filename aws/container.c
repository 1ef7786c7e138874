#include "aws/container.h"

#include <arpa/inet.h>
#include <json-c/json.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "aws/secret_file.h"
#include "base/buffer.h"

#define RELATIVE_HOST      "http://169.254.170.2"
#define URL_SIZE           2200 /* the longest setting, and the host */
#define TOKEN_MAX          16384
#define ANSWER_MAX         65536
#define ATTEMPTS_MAX       3
#define ATTEMPT_TIMEOUT_NS (5 * NS_PER_S)
#define PAUSE_NS           NS_PER_S
#define LONGEST_NS         (ATTEMPTS_MAX * (ATTEMPT_TIMEOUT_NS + PAUSE_NS))

/* --- where --- */

bool container_is_configured(const struct settings *settings)
{
    return settings->container_uri != NULL || settings->container_relative_uri != NULL;
}

/* Where keys may travel in the clear: this machine, or the two agents' addresses. */
static bool is_near(const char *host)
{
    struct in_addr v4;
    struct in6_addr v6;
    if (strcasecmp(host, "localhost") == 0)
        return true;
    if (inet_pton(AF_INET, host, &v4) == 1)
        return ntohl(v4.s_addr) >> 24 == 127 || strcmp(host, "169.254.170.2") == 0 ||
               strcmp(host, "169.254.170.23") == 0;
    if (inet_pton(AF_INET6, host, &v6) != 1)
        return false;
    struct in6_addr eks;
    (void)inet_pton(AF_INET6, "fd00:ec2::23", &eks);
    return IN6_IS_ADDR_LOOPBACK(&v6) || memcmp(&v6, &eks, sizeof eks) == 0;
}

/* The host of "host", "host:port", "[v6]" or "[v6]:port"; false when it is none of these. */
static bool split_host(const char *authority, size_t length, char host[256])
{
    bool bracketed = length > 0 && authority[0] == '[';
    const char *end = bracketed ? memchr(authority, ']', length) : memchr(authority, ':', length);
    if (bracketed && end == NULL)
        return false;
    const char *start = bracketed ? authority + 1 : authority;
    size_t host_length = end != NULL ? (size_t)(end - start) : length;
    if (host_length == 0 || host_length > 255)
        return false;
    (void)snprintf(host, 256, "%.*s", (int)host_length, start);
    const char *port = bracketed ? end + 1 : end;
    if (port == NULL || port == authority + length)
        return true;
    size_t rest = (size_t)(authority + length - port);
    return port[0] == ':' && strspn(port + 1, "0123456789") == rest - 1;
}

static int check_full_uri(const char *uri, struct error *err)
{
    static const char http[] = "http://";
    static const char https[] = "https://";
    char host[256];
    bool secure = strncmp(uri, https, strlen(https)) == 0;
    if (!secure && strncmp(uri, http, strlen(http)) != 0)
        return error_set(err, ERROR_CREDENTIALS,
                         "AWS_CONTAINER_CREDENTIALS_FULL_URI must start with http:// or https://");
    const char *authority = uri + strlen(secure ? https : http);
    if (!split_host(authority, strcspn(authority, "/?#"), host) || strpbrk(host, "@\\") != NULL)
        return error_set(err, ERROR_CREDENTIALS,
                         "AWS_CONTAINER_CREDENTIALS_FULL_URI has no usable host");
    if (secure || is_near(host))
        return 0;
    return error_set(err, ERROR_CREDENTIALS,
                     "AWS_CONTAINER_CREDENTIALS_FULL_URI names %.100s over http; it must be https, "
                     "or a loopback, ECS or EKS address",
                     host);
}

static int make_url(const struct settings *settings, char url[URL_SIZE], struct error *err)
{
    const char *relative = settings->container_relative_uri;
    const char *full = settings->container_uri;
    if (relative != NULL && relative[0] != '/')
        return error_set(err, ERROR_CREDENTIALS,
                         "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI must start with /");
    if (relative == NULL && check_full_uri(full, err) != 0)
        return -1;
    int length = snprintf(url, URL_SIZE, "%s%s", relative != NULL ? RELATIVE_HOST : "",
                          relative != NULL ? relative : full);
    if (length < 0 || length >= URL_SIZE)
        return error_set(err, ERROR_CREDENTIALS, "the container credentials URI is too long");
    return 0;
}

/* --- with which token --- */

/* `out` is to be wiped by the caller, failed or not; empty when there is no token. */
static int read_token(const struct settings *settings, struct buffer *out, struct error *err)
{
    const char *path = settings->container_token_file;
    bool found = true;
    int rc = 0;
    buffer_init(out, TOKEN_MAX);
    if (path != NULL)
        rc = secret_file_read(path, TOKEN_MAX, out, &found, err);
    if (path == NULL && settings->container_token != NULL)
        rc = buffer_append_string(out, settings->container_token, err);
    if (rc != 0)
        return -1;
    if (!found)
        return error_set(err, ERROR_CREDENTIALS,
                         "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE, %.100s, cannot be opened", path);
    for (size_t i = 0; i < out->length; i++)
        if ((unsigned char)out->data[i] < ' ' || out->data[i] == 0x7f)
            return error_set(err, ERROR_CREDENTIALS,
                             "the container authorization token has a line break or another "
                             "control character");
    return 0;
}

/* --- the answer --- */

/* "Z", "+01:00" or "-0130"; false when it is none of these. */
static bool parse_zone(const char *text, int64_t *offset_s)
{
    int hours = 0;
    int minutes = 0;
    *offset_s = 0;
    if (strcmp(text, "Z") == 0)
        return true;
    size_t length = strlen(text);
    bool colon = length == 6 && text[3] == ':';
    if ((text[0] != '+' && text[0] != '-') || !(length == 5 || colon) ||
        strspn(text + 1, "0123456789") != (colon ? 2 : 4))
        return false;
    if (sscanf(text + 1, colon ? "%2d:%2d" : "%2d%2d", &hours, &minutes) != 2)
        return false;
    *offset_s = (text[0] == '-' ? -1 : 1) * (hours * INT64_C(3600) + minutes * INT64_C(60));
    return hours < 24 && minutes < 60;
}

/* ISO 8601, seconds with or without a fraction, which is dropped. */
static bool parse_time(const char *text, int64_t *wall_ns)
{
    struct tm parts = {0};
    int64_t offset_s = 0;
    const char *rest = strptime(text, "%Y-%m-%dT%H:%M:%S", &parts);
    if (rest == NULL)
        return false;
    if (rest[0] == '.')
        rest += 1 + strspn(rest + 1, "0123456789");
    if (!parse_zone(rest, &offset_s) || parts.tm_year < 70)
        return false;
    *wall_ns = INT64_MAX;
    int64_t seconds = (int64_t)timegm(&parts) - offset_s;
    if (seconds < INT64_MAX / NS_PER_S)
        *wall_ns = seconds * NS_PER_S;
    return true;
}

static const char *text_of(struct json_object *answer, const char *name)
{
    struct json_object *value = NULL;
    if (!json_object_object_get_ex(answer, name, &value) ||
        !json_object_is_type(value, json_type_string))
        return NULL;
    const char *text = json_object_get_string(value);
    return text[0] != '\0' ? text : NULL;
}

static int read_keys(struct json_object *answer, struct credentials *out, struct error *err)
{
    const char *id = text_of(answer, "AccessKeyId");
    const char *secret = text_of(answer, "SecretAccessKey");
    const char *token = text_of(answer, "Token");
    const char *expiration = text_of(answer, "Expiration");
    if (id == NULL || secret == NULL)
        return error_set(err, ERROR_CREDENTIALS, "the container endpoint's answer has no keys");
    out->expires_wall_ns = INT64_MAX;
    if (expiration != NULL && !parse_time(expiration, &out->expires_wall_ns))
        return error_set(err, ERROR_CREDENTIALS,
                         "the container endpoint's answer has an Expiration that is no time");
    out->access_key_id = strdup(id);
    out->secret_access_key = strdup(secret);
    out->session_token = token != NULL ? strdup(token) : NULL;
    if (out->access_key_id == NULL || out->secret_access_key == NULL ||
        (token != NULL && out->session_token == NULL))
        return error_set(err, ERROR_MEMORY, "no memory for credentials");
    return 0;
}

/* json-c does not wipe what it frees. The strings are its own, and writable. */
static void wipe_answer(struct json_object *answer)
{
    static const char *const secrets[] = {"SecretAccessKey", "Token"};
    for (size_t i = 0; i < sizeof secrets / sizeof secrets[0]; i++) {
        const char *text = text_of(answer, secrets[i]);
        if (text != NULL)
            wipe((void *)(uintptr_t)text, strlen(text));
    }
}

static int parse_answer(const struct buffer *body, struct credentials *out, struct error *err)
{
    struct json_tokener *tokener = json_tokener_new();
    if (tokener == NULL)
        return error_set(err, ERROR_MEMORY, "no memory for a JSON parser");
    struct json_object *answer =
        json_tokener_parse_ex(tokener, body->data != NULL ? body->data : "", (int)body->length);
    int rc = -1;
    if (json_object_is_type(answer, json_type_object))
        rc = read_keys(answer, out, err);
    if (!json_object_is_type(answer, json_type_object))
        (void)error_set(err, ERROR_CREDENTIALS,
                        "the container endpoint's answer is no JSON object");
    if (json_object_is_type(answer, json_type_object))
        wipe_answer(answer);
    json_object_put(answer);
    wipe(tokener->pb->buf, (size_t)tokener->pb->size); /* where the parser put strings together */
    json_tokener_free(tokener);
    return rc;
}

/* --- asking --- */

struct ask {
    const struct container *container;
    char url[URL_SIZE];
    struct buffer token;
    int64_t deadline_ns;
    bool again; /* the latest failure may pass */
};

static int take_answer(struct ask *ask, const struct http_response *response,
                       struct credentials *out, struct error *err)
{
    ask->again = response->status == 429 || response->status >= 500;
    if (response->status != 200)
        return error_set(err, ERROR_CREDENTIALS, "the container endpoint answered with status %d",
                         response->status);
    if (parse_answer(&response->body, out, err) != 0)
        return -1;
    if (out->expires_wall_ns > os_wall_ns(ask->container->os))
        return 0;
    return error_set(err, ERROR_CREDENTIALS, "the container endpoint gave keys that have expired");
}

static int ask_once(struct ask *ask, struct credentials *out, struct error *err)
{
    int64_t left_ns = ask->deadline_ns - os_now_ns(ask->container->os);
    struct http_header headers[] = {{"Accept", "application/json"},
                                    {"Authorization", ask->token.data}};
    struct http_request request = {
        .method = "GET",
        .url = ask->url,
        .headers = headers,
        .header_count = ask->token.length > 0 ? 2 : 1,
        .timeout_ns = left_ns < ATTEMPT_TIMEOUT_NS ? left_ns : ATTEMPT_TIMEOUT_NS,
        .max_body = ANSWER_MAX,
    };
    ask->again = false;
    if (left_ns <= 0)
        return error_set(err, ERROR_CREDENTIALS, "no time is left to ask the container endpoint");
    struct http_response response = {0};
    struct error why = {0};
    int rc = http_send(ask->container->transport, &request, &response, &why);
    if (rc == 0)
        rc = take_answer(ask, &response, out, err);
    else {
        ask->again = why.kind == ERROR_CONNECTION || why.kind == ERROR_READ_TIMEOUT;
        (void)error_set(err, ERROR_CREDENTIALS, "the container endpoint: %.200s", why.text);
    }
    buffer_wipe(&response.body);
    http_response_free(&response);
    if (rc != 0)
        credentials_free(out);
    return rc;
}

static int ask_until(struct ask *ask, struct credentials *out, struct error *err)
{
    const struct os *os = ask->container->os;
    for (int attempt = 1;; attempt++) {
        if (ask_once(ask, out, err) == 0)
            return 0;
        int64_t left_ns = ask->deadline_ns - os_now_ns(os);
        if (!ask->again || attempt == ATTEMPTS_MAX || left_ns <= PAUSE_NS)
            return -1;
        os_sleep_ns(os, PAUSE_NS);
    }
}

int container_fetch(const struct container *container, int64_t timeout_ns, struct credentials *out,
                    struct error *err)
{
    if (timeout_ns > LONGEST_NS)
        timeout_ns = LONGEST_NS;
    struct ask ask = {.container = container, .deadline_ns = os_now_ns(container->os) + timeout_ns};
    *out = (struct credentials){0};
    if (make_url(container->settings, ask.url, err) != 0)
        return -1;
    int rc = read_token(container->settings, &ask.token, err);
    if (rc == 0)
        rc = ask_until(&ask, out, err);
    buffer_wipe(&ask.token);
    return rc;
}
