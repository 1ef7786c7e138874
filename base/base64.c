#include "base/base64.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

static int digit(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    if (c == '+')
        return 62;
    return c == '/' ? 63 : -1;
}

/* Four characters to one to three bytes; 0 when they are none. `last`: padding is allowed. */
static size_t decode_group(const char *in, bool last, unsigned char *out)
{
    size_t padding = 0;
    if (last && in[3] == '=')
        padding = in[2] == '=' ? 2 : 1;
    uint32_t bits = 0;
    for (size_t i = 0; i < 4; i++) {
        int value = i >= 4 - padding ? 0 : digit(in[i]);
        if (value < 0)
            return 0;
        bits = bits << 6 | (uint32_t)value;
    }
    if (padding > 0 && (bits & (padding == 2 ? 0xffffU : 0xffU)) != 0)
        return 0; /* bits that the padding says are not there */
    out[0] = (unsigned char)(bits >> 16);
    out[1] = (unsigned char)(bits >> 8);
    out[2] = (unsigned char)bits;
    return 3 - padding;
}

int base64_decode(struct buffer *out, const char *text, size_t length, struct error *err)
{
    size_t capacity = length / 4 * 3;
    unsigned char *bytes = malloc(capacity + 1);
    if (bytes == NULL)
        return error_set(err, ERROR_MEMORY, "no memory for %zu bytes", capacity);
    size_t count = 0;
    bool valid = length % 4 == 0;
    for (size_t at = 0; valid && at < length; at += 4) {
        size_t got = decode_group(text + at, at + 4 == length, bytes + count);
        valid = got > 0;
        count += got;
    }
    int result = valid ? buffer_append(out, bytes, count, err)
                       : error_set(err, ERROR_INVALID_REQUEST, "The body is not valid base64.");
    free(bytes);
    return result;
}

int base64_encode(struct buffer *out, const void *bytes, size_t count, struct error *err)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t capacity = (count + 2) / 3 * 4;
    char *text = malloc(capacity + 1);
    if (text == NULL)
        return error_set(err, ERROR_MEMORY, "no memory for %zu bytes", capacity);
    const unsigned char *in = bytes;
    char *at = text;
    for (size_t i = 0; i < count; i += 3, at += 4) {
        uint32_t bits = (uint32_t)in[i] << 16;
        bits |= i + 1 < count ? (uint32_t)in[i + 1] << 8 : 0;
        bits |= i + 2 < count ? in[i + 2] : 0;
        at[0] = digits[bits >> 18];
        at[1] = digits[bits >> 12 & 63];
        at[2] = digits[bits >> 6 & 63];
        at[3] = digits[bits & 63];
        if (i + 1 >= count)
            at[2] = '=';
        if (i + 2 >= count)
            at[3] = '=';
    }
    int result = buffer_append(out, text, capacity, err);
    free(text);
    return result;
}
