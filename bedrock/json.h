#ifndef BEDROCK_JSON_H
#define BEDROCK_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/error.h"

struct json_object;

/*
 * Small helpers over json-c. Reading: a member that is absent, or of another type, reads as NULL,
 * "" or -1. Writing: a value is given away; when anything is missing for lack of memory, json_put()
 * returns false and the value is freed.
 */
struct json_object *json_member(struct json_object *object, const char *name);
const char *json_string_member(struct json_object *object, const char *name); /* NULL: no string */
int64_t json_count_member(struct json_object *object, const char *name);      /* -1: no number */

/* As strict_json_parse(), NULL for whatever reason. */
struct json_object *json_parse(const char *bytes, size_t length);

bool json_put(struct json_object *object, const char *name, struct json_object *value);
bool json_push(struct json_object *array, struct json_object *value);

/* {"role": role, "content": content}; NULL without memory. */
struct json_object *json_chat_message(const char *role, struct json_object *content);
/* [{"type": "text", "text": text}] or, without the type, [{"text": text}]. */
struct json_object *json_text_blocks(const char *text, size_t length, bool typed);

/* Appends the strings named `text` of an array of blocks; other blocks are passed over. */
int json_join_texts(struct json_object *blocks, struct buffer *out, struct error *err)
    __attribute__((warn_unused_result));

#endif
