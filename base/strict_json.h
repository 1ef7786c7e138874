#ifndef BASE_STRICT_JSON_H
#define BASE_STRICT_JSON_H

#include <stddef.h>

#include "base/error.h"

struct json_object;

#define STRICT_JSON_DEPTH_MAX 64 /* arrays and objects in one another */

/*
 * Parses one JSON text as RFC 8259 has it: UTF-8, nothing after it, no deeper than
 * STRICT_JSON_DEPTH_MAX. Of members with the same name the last one counts; half a surrogate pair
 * is read as U+FFFD. `bytes` need no NUL.
 *
 * The strict mode of json-c differs from version to version: 0.16 takes NaN, Infinity and 'names',
 * 0.18 takes no text beyond ASCII (json-c issues 875 and 892). So what is strict is decided here.
 *
 * Returns NULL with ERROR_INVALID_REQUEST, and a text that a caller may see, for anything else and
 * for `null`; or with ERROR_MEMORY. To be put with json_object_put().
 */
struct json_object *strict_json_parse(const char *bytes, size_t length, struct error *err);

#endif
