#include "base/log.h"

#include <errno.h>
#include <json-c/json.h>
#include <math.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/log_text.h"
#include "base/utf8.h"

#define TEXT_MAX    (1U << 20)
#define MESSAGE_MAX 1024
#define STRING_MAX  1024
#define NUMBER_MAX  320 /* digits of any double, and three decimals */

static const char *const level_names[] = {"TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"};

enum log_level log_level_from_name(const char *name)
{
    for (int level = LOG_TRACE; name != NULL && level <= LOG_FATAL; level++)
        if (strcasecmp(name, level_names[level]) == 0)
            return (enum log_level)level;
    return LOG_INFO;
}

enum log_format log_format_from_name(const char *name)
{
    return name != NULL && strcasecmp(name, "text") == 0 ? LOG_TEXT : LOG_JSON;
}

static void timestamp(const struct os *os, char *out, size_t size)
{
    int64_t wall = os_wall_ns(os);
    time_t seconds = (time_t)(wall / NS_PER_S);
    struct tm utc = {0};
    gmtime_r(&seconds, &utc);
    char whole[32] = "";
    (void)strftime(whole, sizeof whole, "%Y-%m-%dT%H:%M:%S", &utc);
    (void)snprintf(out, size, "%s.%03dZ", whole, (int)(wall % NS_PER_S / NS_PER_MS));
}

static void add_string(struct json_object *line, const char *name, const char *value)
{
    if (value == NULL)
        return;
    char text[STRING_MAX];
    size_t length = strnlen(value, sizeof text);
    memcpy(text, value, length);
    utf8_mend(text, length);
    json_object_object_add(line, name, json_object_new_string_len(text, (int)length));
}

static void add_field(struct json_object *line, const struct log_field *field)
{
    switch (field->type) {
    case LOG_FIELD_STRING:
        add_string(line, field->name, field->string);
        return;
    case LOG_FIELD_INTEGER:
        json_object_object_add(line, field->name, json_object_new_int64(field->integer));
        return;
    case LOG_FIELD_NUMBER: {
        if (!isfinite(field->number))
            return;              /* JSON has no word for it */
        char digits[NUMBER_MAX]; /* three decimals: times in seconds to the millisecond */
        (void)snprintf(digits, sizeof digits, "%.3f", field->number);
        json_object_object_add(line, field->name, json_object_new_double_s(field->number, digits));
        return;
    }
    }
}

static void write_whole(int fd, const char *bytes, size_t count)
{
    while (count > 0) {
        ssize_t wrote = write(fd, bytes, count);
        if (wrote < 0 && errno == EINTR)
            continue;
        if (wrote <= 0)
            return;
        bytes += wrote;
        count -= (size_t)wrote;
    }
}

static void write_json(int fd, struct json_object *line)
{
    size_t length = 0;
    int flags = JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE;
    const char *text = json_object_to_json_string_length(line, flags, &length);
    char *whole = text != NULL ? malloc(length + 1) : NULL;
    if (whole == NULL)
        return;
    memcpy(whole, text, length);
    whole[length] = '\n';
    write_whole(fd, whole, length + 1);
    free(whole);
}

static void write_text(int fd, struct json_object *line)
{
    struct buffer text;
    buffer_init(&text, TEXT_MAX);
    if (log_text_append(line, &text, NULL) == 0)
        write_whole(fd, text.data, text.length);
    buffer_free(&text);
}

/* What a line says. */
struct entry {
    const struct log_scope *scope;
    enum log_level level;
    const char *message;
    const struct log_field *fields;
    size_t count;
};

/* To be put; NULL without memory. */
static struct json_object *new_line(const struct entry *entry)
{
    struct json_object *line = json_object_new_object();
    if (line == NULL)
        return NULL;
    char now[64];
    timestamp(entry->scope->log->os, now, sizeof now);
    add_string(line, "timestamp", now);
    add_string(line, "level", level_names[entry->level]);
    add_string(line, "message", entry->message);
    add_string(line, "requestId", entry->scope->request_id);
    add_string(line, "session_id", entry->scope->session_id);
    for (size_t i = 0; i < entry->count; i++)
        add_field(line, &entry->fields[i]);
    return line;
}

static bool add_members(struct json_object *line, struct json_object *document)
{
    json_object_object_foreach(document, name, value)
    {
        if (json_object_object_add(line, name, json_object_get(value)) == 0)
            continue;
        json_object_put(value);
        return false;
    }
    return true;
}

static void write_entry(const struct entry *entry, struct json_object *document)
{
    const struct log *log = entry->scope->log;
    bool wanted = entry->level >= log->level;
    struct json_object *line = wanted || document != NULL ? new_line(entry) : NULL;
    if (line == NULL)
        return;
    if (wanted && log->format == LOG_TEXT)
        write_text(log->fd, line);
    bool measured = document != NULL && add_members(line, document);
    if (measured || (wanted && log->format == LOG_JSON))
        write_json(log->fd, line);
    json_object_put(line);
}

void log_line(const struct log_scope *scope, enum log_level level, const struct log_field *fields,
              size_t count, const char *format, ...)
{
    char message[MESSAGE_MAX];
    va_list args;
    if (level < scope->log->level)
        return;
    va_start(args, format);
    (void)vsnprintf(message, sizeof message, format, args);
    va_end(args);
    write_entry(&(struct entry){scope, level, message, fields, count}, NULL);
}

void log_document(const struct log_scope *scope, struct json_object *document,
                  const struct log_field *fields, size_t count, const char *message)
{
    write_entry(&(struct entry){scope, LOG_INFO, message, fields, count}, document);
}
