#include "base/log_text.h"

#include <json-c/json.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static int append(struct buffer *out, const char *text, struct error *err)
{
    return buffer_append_string(out, text, err);
}

/* The control character at `at`, U+0000 to U+001F and U+007F to U+009F, or -1. */
static int control_at(const char *at)
{
    unsigned char first = (unsigned char)at[0];
    unsigned char second = first != '\0' ? (unsigned char)at[1] : 0;
    if (first < 0x20 || first == 0x7f)
        return first;
    return first == 0xc2 && second >= 0x80 && second < 0xa0 ? second : -1;
}

static int append_control(struct buffer *out, int control, struct error *err)
{
    char escaped[16];
    switch (control) {
    case '\n':
        return append(out, "\\n", err);
    case '\r':
        return append(out, "\\r", err);
    case '\t':
        return append(out, "\\t", err);
    default:
        (void)snprintf(escaped, sizeof escaped, "\\u%04x", (unsigned)control);
        return append(out, escaped, err);
    }
}

static int append_escaped(struct buffer *out, const char *text, bool quoted, struct error *err)
{
    for (const char *at = text; *at != '\0'; at++) {
        int control = control_at(at);
        int result = 0;
        if (control >= 0)
            result = append_control(out, control, err);
        else if (quoted && (*at == '"' || *at == '\\'))
            result = buffer_append(out, (const char[]){'\\', *at}, 2, err);
        else
            result = buffer_append(out, at, 1, err);
        if (result != 0)
            return -1;
        if (control >= 0x80)
            at++;
    }
    return 0;
}

static int append_value(struct buffer *out, const char *text, struct error *err)
{
    bool plain = text[0] != '\0' && text[strcspn(text, " \"\\=")] == '\0';
    if (plain)
        return append_escaped(out, text, false, err);
    if (append(out, "\"", err) != 0 || append_escaped(out, text, true, err) != 0)
        return -1;
    return append(out, "\"", err);
}

static const char *member(struct json_object *line, const char *name)
{
    struct json_object *value = NULL;
    return json_object_object_get_ex(line, name, &value) ? json_object_get_string(value) : NULL;
}

static int append_head(struct buffer *out, struct json_object *line, struct error *err)
{
    static const char *const names[] = {"timestamp", "level", "requestId"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const char *text = member(line, names[i]);
        if (append_value(out, text != NULL ? text : "-", err) != 0 || append(out, " ", err) != 0)
            return -1;
    }
    const char *message = member(line, "message");
    return append_escaped(out, message != NULL ? message : "", false, err);
}

static bool is_in_head(const char *name)
{
    return strcmp(name, "timestamp") == 0 || strcmp(name, "level") == 0 ||
           strcmp(name, "requestId") == 0 || strcmp(name, "message") == 0;
}

int log_text_append(struct json_object *line, struct buffer *out, struct error *err)
{
    if (append_head(out, line, err) != 0)
        return -1;
    json_object_object_foreach(line, name, value)
    {
        const char *text = json_object_get_string(value);
        if (is_in_head(name))
            continue;
        if (append(out, " ", err) != 0 || append(out, name, err) != 0 ||
            append(out, "=", err) != 0 || append_value(out, text != NULL ? text : "", err) != 0)
            return -1;
    }
    return append(out, "\n", err);
}
