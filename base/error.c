#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"

struct row {
    const char *word;
    int status;
    enum error_retry retry;
    const char *code;
    const char *sentence;
    const char *names;
};

static const struct row table[ERROR_COUNT] = {
#define ERROR_ROW(kind, ...) [ERROR_##kind] = {__VA_ARGS__},
    ERROR_KINDS(ERROR_ROW)
#undef ERROR_ROW
};

static const struct row *row_of(enum error_kind kind)
{
    return &table[(unsigned)kind < ERROR_COUNT ? kind : ERROR_INTERNAL];
}

int error_set(struct error *err, enum error_kind kind, const char *format, ...)
{
    if (err == NULL)
        return -1;
    err->kind = kind;
    va_list args;
    va_start(args, format);
    (void)vsnprintf(err->text, sizeof err->text, format, args);
    va_end(args);
    utf8_mend(err->text, strlen(err->text));
    return -1;
}

const char *error_word(enum error_kind kind)
{
    return row_of(kind)->word;
}

int error_status(enum error_kind kind)
{
    return row_of(kind)->status;
}

/* The statuses we reply with; the last row is for any other. */
static const struct status_row {
    int status;
    const char *text;
    enum request_outcome outcome;
} statuses[] = {
    {STATUS_OK, "OK", REQUEST_ANSWERED},
    {STATUS_NO_CONTENT, "No Content", REQUEST_ANSWERED},
    {400, "Bad Request", REQUEST_REJECTED},
    {404, "Not Found", REQUEST_REJECTED},
    {405, "Method Not Allowed", REQUEST_REJECTED},
    {429, "Too Many Requests", REQUEST_REFUSED},
    {500, "Internal Server Error", REQUEST_FAILED},
    {503, "Service Unavailable", REQUEST_UNAVAILABLE},
    {504, "Gateway Timeout", REQUEST_TIMED_OUT},
    {0, "", REQUEST_FAILED},
};

static const struct status_row *status_row_of(int status)
{
    const struct status_row *row = statuses;
    while (row->status != status && row->status != 0)
        row++;
    return row;
}

const char *error_status_text(int status)
{
    return status_row_of(status)->text;
}

enum request_outcome error_outcome(int status)
{
    return status_row_of(status)->outcome;
}

enum error_retry error_retry_class(enum error_kind kind)
{
    return row_of(kind)->retry;
}

const char *error_code(enum error_kind kind)
{
    return row_of(kind)->code;
}

const char *error_sentence(enum error_kind kind)
{
    return row_of(kind)->sentence;
}

bool error_wants_retry_after(enum error_kind kind)
{
    return error_status(kind) == 429 || error_status(kind) == 503;
}

static int lists(const char *names, const char *name, size_t length)
{
    for (const char *at = names; *at != '\0'; at += strspn(at, " ")) {
        size_t n = strcspn(at, " ");
        if (n == length && memcmp(at, name, n) == 0)
            return 1;
        at += n;
    }
    return 0;
}

enum error_kind error_from_name(const char *name)
{
    size_t length = strlen(name);
    if (length == 0)
        return ERROR_NONE;
    for (int kind = 0; kind < ERROR_COUNT; kind++)
        if (lists(table[kind].names, name, length))
            return (enum error_kind)kind;
    return ERROR_NONE;
}
