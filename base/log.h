#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stddef.h>
#include <stdint.h>

#include "base/os.h"

struct json_object;

/*
 * One JSON object a line, one write(2) a line:
 *   {"timestamp":"2026-11-23T12:00:00.000Z","level":"WARN","message":"...","requestId":"...",
 *    "session_id":"...", <fields>}
 * or the same as text (base/log_text.h), one line each too.
 * The messages that DESIGN.md section 7 lists are a contract. Names and numbers are logged, never
 * messages, prompts, answers, keys or tokens.
 */

enum log_level { LOG_TRACE, LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR, LOG_FATAL };

enum log_format { LOG_JSON, LOG_TEXT };

struct log {
    const struct os *os;
    int fd;
    enum log_level level; /* lines below it are dropped */
    enum log_format format;
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
 * LOG_TEXT for "Text" without case, which is what Lambda sets unless the function asks for JSON;
 * LOG_JSON for anything else, NULL included: dashboards read the fields.
 */
enum log_format log_format_from_name(const char *name);

/*
 * Writes a line. `fields` may be NULL when `count` is 0. A message of more than 1,023 bytes is cut;
 * bytes that are no UTF-8, such as the halves of a character that was cut, are written as '?'. A
 * line that cannot be written is lost.
 */
void log_line(const struct log_scope *scope, enum log_level level, const struct log_field *fields,
              size_t count, const char *format, ...) __attribute__((format(printf, 5, 6)));

/*
 * Writes a line of LOG_INFO that is also a metrics document (base/emf.h): one JSON object of the
 * line's members and then the document's, which is borrowed. As text, the line is written first and
 * the JSON object follows on a line of its own, since CloudWatch makes metrics of nothing else.
 * Metrics are no logs: the object is written whatever the level. (Lambda's own filter, set by the
 * function's ApplicationLogLevel, knows levels only; at INFO and lower it lets the object pass.)
 * Without a document, for want of memory, it is a plain line.
 */
void log_document(const struct log_scope *scope, struct json_object *document,
                  const struct log_field *fields, size_t count, const char *message);

/* The third and fourth arguments in one: log_line(scope, LOG_INFO, LOG_FIELDS(LOG_STRING("k", v)),
 * "x"). */
#define LOG_FIELDS(...)                                                                            \
    (struct log_field[]){__VA_ARGS__},                                                             \
        sizeof((struct log_field[]){__VA_ARGS__}) / sizeof(struct log_field)
#define LOG_NO_FIELDS NULL, 0

#endif
