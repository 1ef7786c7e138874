#ifndef LOCAL_DOCUMENT_H
#define LOCAL_DOCUMENT_H

#include <json-c/json.h>
#include <stddef.h>

#include "base/buffer.h"
#include "base/error.h"

/* What base/strict_json.h reads, taken apart and written again. */

/* Appends the value as text without needless spaces and escapes. */
int document_print(struct json_object *value, struct buffer *out, struct error *err)
    __attribute__((warn_unused_result));

/* The member when it is there and of this type, else NULL. Borrowed. */
struct json_object *document_member(struct json_object *object, const char *name,
                                    enum json_type type);

#endif
