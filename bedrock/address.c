#include "bedrock/address.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "aws/sigv4.h"
#include "base/buffer.h"

#define URL_MAX 16384

#define LOWER        "abcdefghijklmnopqrstuvwxyz"
#define DIGITS       "0123456789"
#define REGION_CHARS LOWER DIGITS "-"
#define HOST_CHARS   LOWER "ABCDEFGHIJKLMNOPQRSTUVWXYZ" DIGITS "-._"
#define PATH_CHARS   HOST_CHARS "~!$&'()*+,;=:@%/"

static const char *domain_of(const char *region)
{
    static const struct {
        const char *prefix, *domain;
    } partitions[] = {
        {"cn-", "amazonaws.com.cn"},    {"eusc-", "amazonaws.eu"},
        {"us-iso-", "c2s.ic.gov"},      {"us-isob-", "sc2s.sgov.gov"},
        {"us-isof-", "csp.hci.ic.gov"}, {"eu-isoe-", "cloud.adc-e.uk"},
    };
    for (size_t i = 0; i < sizeof partitions / sizeof partitions[0]; i++)
        if (strncmp(region, partitions[i].prefix, strlen(partitions[i].prefix)) == 0)
            return partitions[i].domain;
    return "amazonaws.com";
}

/* It is signed, whatever the endpoint. */
static int check_region(const char *region, struct error *err)
{
    if (region[0] != '\0' && region[strspn(region, REGION_CHARS)] == '\0')
        return 0;
    return error_set(err, ERROR_CONFIG,
                     "BEDROCK_REGION is \"%.64s\"; it must be a Region like us-east-1", region);
}

static int append_region_endpoint(struct buffer *out, const char *region, struct error *err)
{
    if (buffer_append_string(out, "https://bedrock-runtime.", err) != 0 ||
        buffer_append_string(out, region, err) != 0 || buffer_append_string(out, ".", err) != 0)
        return -1;
    return buffer_append_string(out, domain_of(region), err);
}

/* Not shown: somebody may have put a password there. */
static int bad_endpoint(struct error *err)
{
    return error_set(err, ERROR_CONFIG,
                     "AWS_ENDPOINT_URL_BEDROCK_RUNTIME is no plain address: it must be http:// or "
                     "https://, a host, and perhaps a port and a path");
}

/* What a signature would have another opinion of than a server. */
static bool is_plain_path(const char *path)
{
    return path[strspn(path, PATH_CHARS)] == '\0' && strstr(path, "//") == NULL &&
           strstr(path, "/./") == NULL && strstr(path, "/../") == NULL;
}

/* The length of a port with its colon; -1 when that is none. */
static int port_length(const char *port, size_t length)
{
    if (length == 0)
        return 0;
    bool plain = length >= 2 && length <= 6 && port[0] == ':' && port[1] != '0' &&
                 strspn(port + 1, DIGITS) >= length - 1;
    return plain && strtol(port + 1, NULL, 10) <= 65535 ? (int)length : -1;
}

/* "[::1]", "127.0.0.1" or "name" at the start; 0 when there is none. */
static size_t host_length(const char *host)
{
    if (host[0] != '[')
        return strspn(host, HOST_CHARS);
    size_t length = 1 + strspn(host + 1, DIGITS "abcdefABCDEF:.");
    return host[length] == ']' ? length + 1 : 0;
}

static int find_host(struct address *a, struct error *err)
{
    bool tls = strncmp(a->url, "https://", 8) == 0;
    if (!tls && strncmp(a->url, "http://", 7) != 0)
        return bad_endpoint(err);
    const char *host = a->url + (tls ? 8 : 7);
    size_t authority = strcspn(host, "/");
    size_t length = host_length(host);
    if (length == 0 || length > authority || !is_plain_path(host + authority))
        return bad_endpoint(err);
    int port = port_length(host + length, authority - length);
    if (port < 0)
        return bad_endpoint(err);
    const char *own = tls ? ":443" : ":80";
    bool is_own = (size_t)port == strlen(own) && strncmp(host + length, own, (size_t)port) == 0;
    a->path = host + authority;
    a->host = strndup(host, is_own ? length : authority);
    return a->host != NULL ? 0 : error_set(err, ERROR_MEMORY, "no memory for an address");
}

static int build(struct address *a, const struct settings *s, struct buffer *url, struct error *err)
{
    if (check_region(s->region, err) != 0)
        return -1;
    if ((s->endpoint != NULL ? buffer_append_string(url, s->endpoint, err)
                             : append_region_endpoint(url, s->region, err)) != 0)
        return -1;
    while (url->length > 0 && url->data[url->length - 1] == '/')
        url->data[--url->length] = '\0';
    a->endpoint = strdup(url->data);
    if (buffer_append_string(url, "/model/", err) != 0 ||
        sigv4_percent_encode(url, s->model_id, err) != 0 ||
        buffer_append_string(url, "/invoke", err) != 0)
        return -1;
    a->url = strdup(url->data);
    if (a->endpoint == NULL || a->url == NULL)
        return error_set(err, ERROR_MEMORY, "no memory for an address");
    return find_host(a, err);
}

int address_init(struct address *address, const struct settings *settings, struct error *err)
{
    *address = (struct address){0};
    struct buffer url;
    buffer_init(&url, URL_MAX);
    int result = build(address, settings, &url, err);
    buffer_free(&url);
    if (result != 0)
        address_free(address);
    return result;
}

void address_free(struct address *address)
{
    free(address->endpoint);
    free(address->url);
    free(address->host);
    *address = (struct address){0};
}
