#include "runtime/report.h"

#include <json-c/json.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CAPITALS "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define LETTERS  CAPITALS "abcdefghijklmnopqrstuvwxyz"

#define FUNCTION_PREFIX "Function."
#define RUNTIME_PREFIX  "Runtime."

static bool starts_with(const char *text, const char *start)
{
    return strncmp(text, start, strlen(start)) == 0;
}

static bool is_reason(const char *text)
{
    size_t length = strlen(text);
    return length >= 2 && strspn(text, CAPITALS) >= 1 && strspn(text, LETTERS) == length;
}

/* Lambda takes (Runtime|Function)\.[A-Z][a-zA-Z]+ and makes of anything else what is made here. */
static const char *valid_type(const char *type)
{
    if (type == NULL)
        return "Runtime.Unknown";
    bool function = starts_with(type, FUNCTION_PREFIX);
    if (function && is_reason(type + strlen(FUNCTION_PREFIX)))
        return type;
    if (starts_with(type, RUNTIME_PREFIX) && is_reason(type + strlen(RUNTIME_PREFIX)))
        return type;
    return function ? "Function.Unknown" : "Runtime.Unknown";
}

/* The cause goes into a header, so nothing that a header may not hold. */
static void copy_printable(char *out, size_t size, const char *text)
{
    size_t length = 0;
    for (; text != NULL && text[length] != '\0' && length + 1 < size; length++) {
        bool printable = text[length] >= ' ' && text[length] < 0x7f;
        out[length] = '?';
        if (printable)
            out[length] = text[length];
    }
    out[length] = '\0';
}

/* Owns `value` from here on. */
static bool add(struct json_object *object, const char *name, struct json_object *value)
{
    if (value != NULL && json_object_object_add(object, name, value) == 0)
        return true;
    json_object_put(value);
    return false;
}

/* As JSON text for the caller to free; NULL unless `complete`. Releases `object`. */
static char *serialise(struct json_object *object, bool complete)
{
    int flags = JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE;
    const char *text = complete ? json_object_to_json_string_ext(object, flags) : NULL;
    char *copy = text != NULL ? strdup(text) : NULL;
    json_object_put(object);
    return copy;
}

static char *make_body(const char *type, const char *message)
{
    struct json_object *body = json_object_new_object();
    bool complete = body != NULL && add(body, "errorMessage", json_object_new_string(message)) &&
                    add(body, "errorType", json_object_new_string(type)) &&
                    add(body, "stackTrace", json_object_new_array());
    return serialise(body, complete);
}

static struct json_object *make_exceptions(const char *type, const char *message)
{
    struct json_object *list = json_object_new_array();
    struct json_object *exception = json_object_new_object();
    bool complete = list != NULL && exception != NULL &&
                    add(exception, "type", json_object_new_string(type)) &&
                    add(exception, "message", json_object_new_string(message)) &&
                    add(exception, "stack", json_object_new_array());
    if (complete && json_object_array_add(list, exception) == 0)
        return list;
    json_object_put(exception);
    json_object_put(list);
    return NULL;
}

static char *make_cause(const char *type, const char *message)
{
    char path[512];
    char folder[sizeof path] = "";
    if (getcwd(path, sizeof path) != NULL)
        copy_printable(folder, sizeof folder, path);
    struct json_object *cause = json_object_new_object();
    bool complete = cause != NULL &&
                    add(cause, "working_directory", json_object_new_string(folder)) &&
                    add(cause, "exceptions", make_exceptions(type, message)) &&
                    add(cause, "paths", json_object_new_array());
    return serialise(cause, complete);
}

int report_init(struct report *report, const struct runtime_failure *failure, struct error *err)
{
    char message[RUNTIME_MESSAGE_MAX + 1];
    copy_printable(message, sizeof message, failure->message);
    const char *type = valid_type(failure->type);
    *report = (struct report){
        .type = type, .body = make_body(type, message), .cause = make_cause(type, message)};
    if (report->body != NULL && report->cause != NULL)
        return 0;
    report_free(report);
    return error_set(err, ERROR_MEMORY, "no memory for the report of a failure");
}

void report_free(struct report *report)
{
    free(report->body);
    free(report->cause);
    *report = (struct report){0};
}
