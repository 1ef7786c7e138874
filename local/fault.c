#include "local/fault.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "local/fault_table.h"
#include "local/text.h"

#define ITEM_MAX        128
#define SCRIPT_MAX      10000
#define TIMES_MAX       1000000000
#define SECONDS_MAX     900.0
#define RETRY_AFTER_MAX 1000000000

void fault_script_free(struct fault_script *script)
{
    free(script->items);
    *script = (struct fault_script){0};
}

static const struct fault_row *row_named(const char *name)
{
    for (const struct fault_row *row = fault_table; row->name != NULL; row++)
        if (strcmp(row->name, name) == 0)
            return row;
    return NULL;
}

/* Cuts `text` at the first `mark`; what follows it, or NULL when there is none. */
static char *cut_at(char *text, char mark)
{
    char *at = strchr(text, mark);
    if (at != NULL)
        *at++ = '\0';
    return at;
}

static int read_modifier(struct fault *fault, char *text, struct error *err)
{
    const char *cut = cut_at(text, '=');
    const char *value = cut != NULL ? cut : "";
    if (strcmp(text, "retry-after") == 0 &&
        text_integer(value, 0, RETRY_AFTER_MAX, &fault->retry_after_s))
        return 0;
    if (strcmp(text, "retry-after-ms") == 0 &&
        text_integer(value, 0, RETRY_AFTER_MAX, &fault->retry_after_ms))
        return 0;
    if (strcmp(text, "after") == 0 && text_number(value, 0, SECONDS_MAX, &fault->after_s))
        return 0;
    return error_set(err, ERROR_CONFIG,
                     "fault modifier \"%.32s\": it must be retry-after=SECONDS, "
                     "retry-after-ms=MS or after=SECONDS",
                     text);
}

static int read_times(struct fault *fault, const char *times, struct error *err)
{
    fault->times = times != NULL ? FAULT_FOR_EVER : 1;
    if (times == NULL || times[0] == '\0')
        return 0;
    if (!text_integer(times, 1, TIMES_MAX, &fault->times))
        return error_set(err, ERROR_CONFIG, "fault repetition \"*%.32s\": it must be *N or *",
                         times);
    return 0;
}

static int read_value(struct fault *fault, const char *value, struct error *err)
{
    const struct fault_row *row = fault->row;
    fault->number = row->initial;
    if (value == NULL)
        return 0;
    if (row->unit == NULL)
        return error_set(err, ERROR_CONFIG, "fault \"%s\" takes no number", row->name);
    if (!text_number(value, row->least, row->most, &fault->number))
        return error_set(err, ERROR_CONFIG,
                         "fault \"%s=%.32s\": it must be a number from %.10g to %.10g %s",
                         row->name, value, row->least, row->most, row->unit);
    return 0;
}

/* One item, without spaces around it. */
static int read_item(struct fault *fault, char *text, struct error *err)
{
    *fault = (struct fault){.retry_after_s = -1, .retry_after_ms = -1};
    char *times = cut_at(text, '*');
    char *modifier = cut_at(text, ':');
    char *value = cut_at(text, '=');
    fault->row = row_named(text);
    if (fault->row == NULL)
        return error_set(err, ERROR_CONFIG, "there is no fault \"%.64s\"; --help lists them", text);
    if (read_times(fault, times, err) != 0 || read_value(fault, value, err) != 0)
        return -1;
    while (modifier != NULL) {
        char *next = cut_at(modifier, ':');
        if (read_modifier(fault, modifier, err) != 0)
            return -1;
        modifier = next;
    }
    return 0;
}

static int append(struct fault_script *script, const struct fault *fault, struct error *err)
{
    if (script->count >= SCRIPT_MAX)
        return error_set(err, ERROR_CONFIG, "a fault script has at most %d items", SCRIPT_MAX);
    struct fault *items = realloc(script->items, (script->count + 1) * sizeof *items);
    if (items == NULL)
        return error_set(err, ERROR_MEMORY, "no memory for a fault script");
    script->items = items;
    script->items[script->count++] = *fault;
    return 0;
}

static int add_item(struct fault_script *script, const char *start, size_t length,
                    struct error *err)
{
    while (length > 0 && isspace((unsigned char)*start)) {
        start++;
        length--;
    }
    while (length > 0 && isspace((unsigned char)start[length - 1]))
        length--;
    char text[ITEM_MAX];
    if (length == 0 || length >= sizeof text)
        return error_set(err, ERROR_CONFIG, "a fault script has an item of %zu bytes", length);
    memcpy(text, start, length);
    text[length] = '\0';
    struct fault fault;
    if (read_item(&fault, text, err) != 0)
        return -1;
    return append(script, &fault, err);
}

int fault_script_add(struct fault_script *script, const char *text, struct error *err)
{
    size_t before = script->count;
    if (text[strspn(text, " \t")] == '\0')
        return 0;
    for (const char *at = text;; at++) {
        size_t length = strcspn(at, ",");
        if (add_item(script, at, length, err) != 0) {
            script->count = before;
            return -1;
        }
        at += length;
        if (*at == '\0')
            return 0;
    }
}

const struct fault *fault_script_next(struct fault_script *script)
{
    if (script->at >= script->count)
        return NULL;
    const struct fault *fault = &script->items[script->at];
    if (fault->times == FAULT_FOR_EVER)
        return fault;
    script->used++;
    if (script->used >= fault->times) {
        script->at++;
        script->used = 0;
    }
    return fault;
}

void fault_script_rewind(struct fault_script *script)
{
    script->at = 0;
    script->used = 0;
}

void fault_print_names(FILE *out)
{
    for (const struct fault_row *row = fault_table; row->name != NULL; row++) {
        char name[ITEM_MAX];
        if (row->unit != NULL)
            (void)snprintf(name, sizeof name, "%s[=%s]", row->name, row->unit);
        else
            (void)snprintf(name, sizeof name, "%s", row->name);
        if (row->meaning != NULL)
            (void)fprintf(out, "  %-28s %s\n", name, row->meaning);
        else
            (void)fprintf(out, "  %-28s %d %s\n", name, row->status, row->type);
    }
}
