#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stddef.h>
#include <stdint.h>

#include "base/os.h"

/*
 * One JSON object a line, one write(2) a line:
 *   {"timestamp":"2026-11-23T12:00:00.000Z","level":"WARN","message":"...","requestId":"...",
 *    "session_id":"...", <fields>}
 * The messages that DESIGN.md section 7 lists are a contract. Names and numbers are logged, never
 * messages, prompts, answers, keys or tokens.
 */

enum log_level { LOG_TRACE, LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR, LOG_FATAL };

struct log {
    const struct os *os;
    int fd;
    enum log_level level; /* lines below it are dropped */
};

/* Whom a line is about. Either may be NULL and is then left out. Strings are borrowed. */
struct log_scope {
    const struct log *log;
    const char *request_id;
    const char *session_id;
};

struct log_field {
    const char *name;
    enum { LOG_FIELD_STRING, LOG_FIELD_INTEGER, LOG_FIELD_NUMBER } type;
    const char *string; /* NULL: the field is left out; more than 1,024 bytes are cut */
    int64_t integer;
    double number; /* to three decimals; what is no number is left out */
};

/* clang-format off */
#define LOG_STRING(key, value)  ((struct log_field){.name = (key), .type = LOG_FIELD_STRING, .string = (value)})
#define LOG_INTEGER(key, value) ((struct log_field){.name = (key), .type = LOG_FIELD_INTEGER, .integer = (value)})
#define LOG_NUMBER(key, value)  ((struct log_field){.name = (key), .type = LOG_FIELD_NUMBER, .number = (value)})
/* clang-format on */

/* "info", "WARN", ... without case; LOG_INFO for anything else, NULL included. */
enum log_level log_level_from_name(const char *name);

/*
 * Writes a line. `fields` may be NULL when `count` is 0. A message of more than 1,023 bytes is cut;
 * bytes that are no UTF-8, such as the halves of a character that was cut, are written as '?'. A
 * line that cannot be written is lost.
 */
void log_line(const struct log_scope *scope, enum log_level level, const struct log_field *fields,
              size_t count, const char *format, ...) __attribute__((format(printf, 5, 6)));

/* The third and fourth arguments in one: log_line(scope, LOG_INFO, LOG_FIELDS(LOG_STRING("k", v)),
 * "x"). */
#define LOG_FIELDS(...)                                                                            \
    (struct log_field[]){__VA_ARGS__},                                                             \
        sizeof((struct log_field[]){__VA_ARGS__}) / sizeof(struct log_field)
#define LOG_NO_FIELDS NULL, 0

#endif
