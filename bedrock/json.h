#ifndef BEDROCK_JSON_H
#define BEDROCK_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct json_object;

/*
 * Small helpers over json-c.
 *
 * Reading: what is absent, or of another type, reads as NULL or -1, and may be asked on: members of
 * NULL are NULL. Strings may hold U+0000, so they come with their length.
 *
 * Writing: a value is given away. When it is NULL for lack of memory, or cannot be added, the
 * functions return false or NULL, and what they were given is freed.
 */

/* As strict_json_parse(), NULL for whatever reason. */
struct json_object *json_parse(const char *bytes, size_t length);

struct json_object *json_member(struct json_object *object, const char *name);
struct json_object *json_first(struct json_object *array);
const char *json_string_member(struct json_object *object, const char *name); /* up to U+0000 */
double json_number_member(struct json_object *object, const char *name);      /* -1: none */
int64_t json_count_member(struct json_object *object, const char *name); /* -1: no whole number */

/* `bytes` is NULL when there is no string. Borrowed from the value. */
struct json_text {
    const char *bytes;
    size_t length;
};
struct json_text json_text(struct json_object *value);

bool json_put(struct json_object *object, const char *name, struct json_object *value);
bool json_push(struct json_object *array, struct json_object *value);

/* As people write it: 0.7, not 0.69999999999999996. */
struct json_object *json_number(double number);

/* {"role": role, "content": content} */
struct json_object *json_chat_message(const char *role, struct json_object *content);
/* [{"type": "text", "text": text}] or, without the type, [{"text": text}]. */
struct json_object *json_text_blocks(const char *text, size_t length, bool typed);

#endif
