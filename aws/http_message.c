#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "aws/http.h"

static bool is_token(const char *text)
{
    static const char token[] = "!#$%&'*+-.^_`|~0123456789"
                                "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    return text[0] != '\0' && text[strspn(text, token)] == '\0';
}

/* A line break in a value would be a header of somebody else's. */
static int check_request(const struct http_request *request, struct error *err)
{
    if (!is_token(request->method))
        return error_set(err, ERROR_INTERNAL, "the method is no HTTP token");
    for (size_t i = 0; i < request->header_count; i++) {
        const struct http_header *header = &request->headers[i];
        if (!is_token(header->name))
            return error_set(err, ERROR_INTERNAL, "the name of header %zu is no HTTP token", i);
        for (const char *at = header->value; *at != '\0'; at++)
            if (((unsigned char)*at < ' ' && *at != '\t') || *at == 0x7f)
                return error_set(err, ERROR_INTERNAL, "header %.64s has a control character",
                                 header->name);
    }
    return 0;
}

int http_send(const struct http_transport *transport, const struct http_request *request,
              struct http_response *response, struct error *err)
{
    if (check_request(request, err) != 0)
        return -1;
    return transport->send(transport->context, request, response, err);
}

void http_response_free(struct http_response *response)
{
    buffer_free(&response->headers);
    buffer_free(&response->body);
    *response = (struct http_response){0};
}

/* Copies `length` bytes without the spaces around them. Returns whether any are left. */
static bool copy_trimmed(const char *value, size_t length, char *out, size_t size)
{
    while (length > 0 && (value[0] == ' ' || value[0] == '\t')) {
        value++;
        length--;
    }
    while (length > 0 && (value[length - 1] == ' ' || value[length - 1] == '\t'))
        length--;
    if (length == 0)
        return false;
    if (size == 0)
        return true;
    size_t kept = length < size ? length : size - 1;
    memcpy(out, value, kept);
    out[kept] = '\0';
    return true;
}

bool http_response_header(const struct http_response *response, const char *name, char *out,
                          size_t size)
{
    if (size > 0)
        out[0] = '\0';
    size_t name_length = strlen(name);
    const char *line = response->headers.data != NULL ? response->headers.data : "";
    while (*line != '\0') {
        size_t length = strcspn(line, "\n");
        if (length > name_length && line[name_length] == ':' &&
            strncasecmp(line, name, name_length) == 0 &&
            copy_trimmed(line + name_length + 1, length - name_length - 1, out, size))
            return true;
        line += length;
        line += strspn(line, "\n");
    }
    return false;
}
