#include "base/log.h"

#include <errno.h>
#include <json-c/json.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#include "base/utf8.h"

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

static void write_line(int fd, struct json_object *line)
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

void log_line(const struct log_scope *scope, enum log_level level, const struct log_field *fields,
              size_t count, const char *format, ...)
{
    const struct log *log = scope->log;
    if (level < log->level)
        return;
    struct json_object *line = json_object_new_object();
    if (line == NULL)
        return;
    char now[64];
    timestamp(log->os, now, sizeof now);
    char message[MESSAGE_MAX];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(message, sizeof message, format, args);
    va_end(args);
    add_string(line, "timestamp", now);
    add_string(line, "level", level_names[level]);
    add_string(line, "message", message);
    add_string(line, "requestId", scope->request_id);
    add_string(line, "session_id", scope->session_id);
    for (size_t i = 0; i < count; i++)
        add_field(line, &fields[i]);
    write_line(log->fd, line);
    json_object_put(line);
}
