#include "runtime/delivery.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define FIELD(member)                                                                              \
    offsetof(struct runtime_invocation, member), sizeof(((struct runtime_invocation *)NULL)->member)

static const struct field {
    const char *header;
    size_t offset, size;
    bool is_id; /* sent back as it is */
} fields[] = {
    {"Lambda-Runtime-Aws-Request-Id", FIELD(request_id), true},
    {"Lambda-Runtime-Invocation-Id", FIELD(invocation_id), true},
    {"Lambda-Runtime-Invoked-Function-Arn", FIELD(function_arn), false},
    {"Lambda-Runtime-Trace-Id", FIELD(trace_id), false},
    {"Lambda-Runtime-Aws-Tenant-Id", FIELD(tenant_id), false},
};

#define LONGEST_FIELD 512

/* JSON may hold more than ASCII. */
static bool is_text(const char *value)
{
    for (; *value != '\0'; value++)
        if ((unsigned char)*value < ' ' || *value == 0x7f)
            return false;
    return true;
}

static bool is_visible_ascii(const char *value)
{
    for (; *value != '\0'; value++)
        if (*value <= ' ' || *value >= 0x7f)
            return false;
    return true;
}

/* Leaves `out` empty when there is no such header. False: it does not fit, or is no text. */
static bool read_value(const struct http_response *response, const char *header, char *out,
                       size_t size)
{
    char value[LONGEST_FIELD + 1]; /* one more, to see what is cut */
    out[0] = '\0';
    if (!http_response_header(response, header, value, sizeof value))
        return true;
    size_t length = strlen(value);
    if (length >= size || !is_text(value))
        return false;
    memcpy(out, value, length + 1);
    return true;
}

static int read_fields(struct runtime_invocation *invocation, struct error *err)
{
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        const struct field *field = &fields[i];
        char *out = (char *)invocation + field->offset;
        bool read = read_value(&invocation->response, field->header, out, field->size);
        if (field->is_id && (!read || !is_visible_ascii(out)))
            return error_set(err, ERROR_BAD_ANSWER,
                             "%s is not made of at most %zu visible ASCII characters",
                             field->header, field->size - 1);
    }
    if (invocation->request_id[0] == '\0')
        return error_set(err, ERROR_BAD_ANSWER, "an event without %s", fields[0].header);
    return 0;
}

/* "1795435200123"; INT64_MAX when that is no such number, or beyond what 64 bits of ns hold. */
static int64_t read_deadline(const struct http_response *response)
{
    char text[32];
    int64_t ms = 0;
    if (!read_value(response, "Lambda-Runtime-Deadline-Ms", text, sizeof text) || text[0] == '\0')
        return INT64_MAX;
    for (const char *at = text; *at != '\0'; at++) {
        if (*at < '0' || *at > '9')
            return INT64_MAX;
        ms = ms * 10 + (*at - '0');
        if (ms > INT64_MAX / NS_PER_MS)
            return INT64_MAX;
    }
    return ms * NS_PER_MS;
}

/* A header of any length. */
static int read_long(const struct http_response *response, const char *header, char **out,
                     struct error *err)
{
    char first[2];
    if (!http_response_header(response, header, first, sizeof first))
        return 0;
    size_t size = response->headers.length + 1;
    char *value = malloc(size);
    if (value == NULL)
        return error_set(err, ERROR_MEMORY, "no memory for %s", header);
    (void)http_response_header(response, header, value, size);
    if (is_text(value))
        *out = value;
    if (*out == NULL)
        free(value);
    return 0;
}

int delivery_read(struct runtime_invocation *invocation, struct error *err)
{
    const struct http_response *response = &invocation->response;
    if (read_fields(invocation, err) != 0 ||
        read_long(response, "Lambda-Runtime-Client-Context", &invocation->client_context, err) !=
            0 ||
        read_long(response, "Lambda-Runtime-Cognito-Identity", &invocation->cognito_identity,
                  err) != 0)
        return -1;
    invocation->deadline_wall_ns = read_deadline(response);
    invocation->event = response->body.data != NULL ? response->body.data : "";
    invocation->event_length = response->body.length;
    return 0;
}

void delivery_clear(struct runtime_invocation *invocation)
{
    struct http_response response = invocation->response;
    free(invocation->client_context);
    free(invocation->cognito_identity);
    *invocation = (struct runtime_invocation){.response = response};
}
