#ifndef BASE_BASE64_H
#define BASE_BASE64_H

#include "base/buffer.h"
#include "base/error.h"

/*
 * Appends what base64 `text` (RFC 4648 section 4: padded, no white space) stands for. Anything else
 * is ERROR_INVALID_REQUEST, and the buffer is then as it was.
 */
int base64_decode(struct buffer *out, const char *text, size_t length, struct error *err)
    __attribute__((warn_unused_result));

/* Appends the bytes as base64, padded, without line ends. */
int base64_encode(struct buffer *out, const void *bytes, size_t count, struct error *err)
    __attribute__((warn_unused_result));

#endif
