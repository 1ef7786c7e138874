#include "base/buffer.h"

#include <stdlib.h>
#include <string.h>

#define FIRST_CAPACITY 256

void buffer_init(struct buffer *buffer, size_t ceiling)
{
    *buffer = (struct buffer){.ceiling = ceiling};
}

void buffer_free(struct buffer *buffer)
{
    free(buffer->data);
    buffer->data = NULL;
    buffer->length = 0;
    buffer->capacity = 0;
}

void buffer_wipe(struct buffer *buffer)
{
    if (buffer->data != NULL)
        wipe(buffer->data, buffer->capacity);
    buffer_free(buffer);
}

void buffer_clear(struct buffer *buffer)
{
    buffer->length = 0;
    if (buffer->data != NULL)
        buffer->data[0] = '\0';
}

static int reserve(struct buffer *buffer, size_t needed, struct error *err)
{
    if (needed <= buffer->capacity)
        return 0;
    size_t capacity = buffer->capacity > 0 ? buffer->capacity : FIRST_CAPACITY;
    while (capacity < needed)
        capacity *= 2;
    /* Not realloc: what moves may be a secret, and would stay behind. */
    char *data = malloc(capacity);
    if (data == NULL)
        return error_set(err, ERROR_MEMORY, "no memory for a buffer of %zu bytes", capacity);
    if (buffer->data != NULL) {
        memcpy(data, buffer->data, buffer->length + 1);
        wipe(buffer->data, buffer->capacity);
        free(buffer->data);
    }
    buffer->data = data;
    buffer->capacity = capacity;
    return 0;
}

int buffer_append(struct buffer *buffer, const void *bytes, size_t count, struct error *err)
{
    if (count > buffer->ceiling - buffer->length)
        return error_set(err, ERROR_REPLY_TOO_LARGE, "more than %zu bytes", buffer->ceiling);
    if (reserve(buffer, buffer->length + count + 1, err) != 0)
        return -1;
    if (count > 0)
        memcpy(buffer->data + buffer->length, bytes, count);
    buffer->length += count;
    buffer->data[buffer->length] = '\0';
    return 0;
}

int buffer_append_string(struct buffer *buffer, const char *string, struct error *err)
{
    return buffer_append(buffer, string, strlen(string), err);
}

void wipe(void *memory, size_t size)
{
    explicit_bzero(memory, size);
}

void wipe_string(char *string)
{
    if (string == NULL)
        return;
    wipe(string, strlen(string));
    free(string);
}
