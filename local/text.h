#ifndef LOCAL_TEXT_H
#define LOCAL_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buffer.h"
#include "base/error.h"

/* Small things about text. Pure. */

/* Whether the bytes are UTF-8 (RFC 3629: no surrogates, nothing overlong). */
bool text_is_utf8(const char *bytes, size_t count);

/* Appends `text` with %xx decoded, and "+" as a space if `plus`. A "%" that is no escape stays. */
int text_percent_decode(const char *text, size_t length, bool plus, struct buffer *out,
                        struct error *err) __attribute__((warn_unused_result));

/* A decimal number, nothing around it, from `least` to `most`. */
bool text_number(const char *text, double least, double most, double *out);

/* The same for whole numbers. */
bool text_integer(const char *text, long least, long most, long *out);

#endif
