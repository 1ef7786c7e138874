#include "tests/support/emf_shape.h"

#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "handler/metrics.h"
#include "tests/support/cmocka_all.h"

static struct json_object *member(struct json_object *object, const char *name, enum json_type type)
{
    struct json_object *value = NULL;
    if (!json_object_object_get_ex(object, name, &value) || !json_object_is_type(value, type))
        fail_msg("no %s of type %s in %s", name, json_type_to_name(type),
                 json_object_to_json_string(object));
    return value;
}

static const char *text_member(struct json_object *object, const char *name)
{
    const char *text = json_object_get_string(member(object, name, json_type_string));
    assert_in_range(strlen(text), 1, 1024);
    return text;
}

static void assert_number(struct json_object *value)
{
    const char *text = json_object_get_string(value);
    if (!json_object_is_type(value, json_type_int) && !json_object_is_type(value, json_type_double))
        fail_msg("%s is no number", text);
    const char *point = strchr(text, '.');
    if (point != NULL && strlen(point + 1) > 3)
        fail_msg("%s has more than three decimals", text);
}

static void assert_value(struct json_object *document, const char *name)
{
    struct json_object *value = NULL;
    if (!json_object_object_get_ex(document, name, &value))
        fail_msg("%s is declared and absent", name);
    if (!json_object_is_type(value, json_type_array)) {
        assert_number(value);
        return;
    }
    assert_in_range(json_object_array_length(value), 1, 100);
    for (size_t i = 0; i < json_object_array_length(value); i++)
        assert_number(json_object_array_get_idx(value, i));
}

static struct json_object *directives_of(struct json_object *document)
{
    struct json_object *aws = member(document, "_aws", json_type_object);
    return member(aws, "CloudWatchMetrics", json_type_array);
}

static struct json_object *metrics_of(struct json_object *directives, size_t at)
{
    return member(json_object_array_get_idx(directives, at), "Metrics", json_type_array);
}

/* The metric that is declared `skip` declarations from the first, of all directives. */
static struct json_object *declared(struct json_object *document, size_t skip,
                                    struct json_object **directive)
{
    struct json_object *directives = directives_of(document);
    for (size_t i = 0; i < json_object_array_length(directives); i++) {
        struct json_object *metrics = metrics_of(directives, i);
        size_t count = json_object_array_length(metrics);
        *directive = json_object_array_get_idx(directives, i);
        if (skip < count)
            return json_object_array_get_idx(metrics, skip);
        skip -= count;
    }
    return NULL;
}

size_t emf_metric_count(struct json_object *document)
{
    struct json_object *directives = directives_of(document);
    size_t count = 0;
    for (size_t i = 0; i < json_object_array_length(directives); i++)
        count += json_object_array_length(metrics_of(directives, i));
    return count;
}

static void assert_declared_once(struct json_object *document, const char *name)
{
    struct json_object *directive = NULL;
    size_t times = 0;
    for (size_t i = 0; i < emf_metric_count(document); i++)
        times += strcmp(text_member(declared(document, i, &directive), "Name"), name) == 0;
    assert_int_equal(times, 1);
}

static void assert_metric(struct json_object *document, struct json_object *metric)
{
    const char *name = text_member(metric, "Name");
    const char *unit = text_member(metric, "Unit");
    assert_int_equal(json_object_object_length(metric), 2);
    if (strcmp(unit, "Count") != 0 && strcmp(unit, "Milliseconds") != 0)
        fail_msg("%s: %s", name, unit);
    assert_value(document, name);
    assert_declared_once(document, name);
}

static void assert_dimensions(struct json_object *document, struct json_object *sets)
{
    assert_int_equal(json_object_array_length(sets), 1);
    struct json_object *set = json_object_array_get_idx(sets, 0);
    assert_true(json_object_is_type(set, json_type_array));
    assert_in_range(json_object_array_length(set), 0, 30);
    for (size_t i = 0; i < json_object_array_length(set); i++) {
        struct json_object *name = json_object_array_get_idx(set, i);
        assert_true(json_object_is_type(name, json_type_string));
        text_member(document, json_object_get_string(name));
    }
}

static void assert_directive(struct json_object *document, struct json_object *directive)
{
    text_member(directive, "Namespace");
    assert_int_equal(json_object_object_length(directive), 3);
    assert_dimensions(document, member(directive, "Dimensions", json_type_array));
    struct json_object *metrics = member(directive, "Metrics", json_type_array);
    assert_in_range(json_object_array_length(metrics), 1, 100);
    for (size_t i = 0; i < json_object_array_length(metrics); i++)
        assert_metric(document, json_object_array_get_idx(metrics, i));
}

void emf_assert_valid(struct json_object *document)
{
    struct json_object *aws = member(document, "_aws", json_type_object);
    assert_int_equal(json_object_object_length(aws), 2);
    assert_true(json_object_get_int64(member(aws, "Timestamp", json_type_int)) > 1000000000000);
    struct json_object *directives = directives_of(document);
    assert_true(json_object_array_length(directives) > 0);
    for (size_t i = 0; i < json_object_array_length(directives); i++)
        assert_directive(document, json_object_array_get_idx(directives, i));
}

static bool has_dimensions(struct json_object *directive, const char *names)
{
    struct json_object *sets = member(directive, "Dimensions", json_type_array);
    struct json_object *set = json_object_array_get_idx(sets, 0);
    for (size_t i = 0; i < json_object_array_length(set); i++) {
        const char *name = json_object_get_string(json_object_array_get_idx(set, i));
        size_t length = strcspn(names, ",");
        if (strlen(name) != length || strncmp(names, name, length) != 0)
            return false;
        names += length + (names[length] == ',');
    }
    return names[0] == '\0';
}

bool emf_declares(struct json_object *document, const char *name, const char *unit,
                  const char *dimensions)
{
    struct json_object *directive = NULL;
    for (size_t i = 0; i < emf_metric_count(document); i++) {
        struct json_object *metric = declared(document, i, &directive);
        if (strcmp(text_member(metric, "Name"), name) == 0 &&
            strcmp(text_member(metric, "Unit"), unit) == 0)
            return has_dimensions(directive, dimensions);
    }
    return false;
}

double emf_number(struct json_object *document, const char *name)
{
    struct json_object *value = NULL;
    if (!emf_declares(document, name, "Count", "function_name") &&
        !emf_declares(document, name, "Count", "function_name,model") &&
        !emf_declares(document, name, "Milliseconds", "function_name"))
        return -1;
    json_object_object_get_ex(document, name, &value);
    assert_number(value);
    return json_object_get_double(value);
}

/* The number after "name=" in a list of words; `otherwise` when it is not there. */
static double wanted(const char *list, const char *name, double otherwise)
{
    size_t length = strlen(name);
    for (const char *at = list; *at != '\0'; at += strcspn(at, " "), at += *at == ' ')
        if (strncmp(at, name, length) == 0 && at[length] == '=')
            return strtod(at + length + 1, NULL);
    return otherwise;
}

char *emf_table(void)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    assert_non_null(out);
    metrics_print(out);
    (void)fclose(out);
    return text;
}

/* Counts that a chat message need not have. */
static bool is_optional(const char *name)
{
    return strcmp(name, "RequestsOther") == 0 || strcmp(name, "ColdStart") == 0 ||
           strcmp(name, "InputTokens") == 0 || strcmp(name, "OutputTokens") == 0;
}

void emf_assert_counts(struct json_object *document, const char *list, const char *context)
{
    bool chat = wanted(list, "RequestsOther", 0) == 0;
    char *table = emf_table();
    for (char *line = strtok(table, "\n"); line != NULL; line = strtok(NULL, "\n")) {
        char name[64];
        bool is_time = strstr(line, "\tMilliseconds\t") != NULL;
        (void)snprintf(name, sizeof name, "%.*s", (int)strcspn(line, "\t"), line);
        double value = wanted(list, name, chat && !is_optional(name) ? 0 : -1);
        bool named = wanted(list, name, -2) > -2;
        if (chat && is_time && !named)
            continue;
        if (emf_number(document, name) != value)
            fail_msg("%s: %s is %g, not %g:\n%s", context, name, emf_number(document, name), value,
                     json_object_to_json_string(document));
    }
    free(table);
}
