#include "base/emf.h"

#include <json-c/json.h>
#include <math.h>
#include <stdio.h>

#include "base/os.h"

#define EXACT_MAX 1e15 /* whole numbers up to here are written as such */

/* Gives `value` away. */
static bool put(struct json_object *object, const char *name, struct json_object *value)
{
    if (object != NULL && value != NULL && json_object_object_add(object, name, value) == 0)
        return true;
    json_object_put(value);
    return false;
}

static bool push(struct json_object *array, struct json_object *value)
{
    if (array != NULL && value != NULL && json_object_array_add(array, value) == 0)
        return true;
    json_object_put(value);
    return false;
}

static struct json_object *new_number(double value)
{
    if (fabs(value) < EXACT_MAX && value == floor(value))
        return json_object_new_int64((int64_t)value);
    char digits[320]; /* of any double, and three decimals */
    (void)snprintf(digits, sizeof digits, "%.3f", value);
    return json_object_new_double_s(value, digits);
}

static struct json_object *new_dimension_value(const char *value)
{
    char text[EMF_DIMENSION_VALUE_MAX];
    size_t length = 0;
    for (; value != NULL && value[length] != '\0' && length < sizeof text; length++) {
        bool printable = value[length] >= ' ' && value[length] <= '~';
        text[length] = '?';
        if (printable)
            text[length] = value[length];
    }
    if (length == 0)
        return json_object_new_string("unknown");
    return json_object_new_string_len(text, (int)length);
}

/* The first value at or after `at` that is a number. */
static size_t next_value(const struct emf_metric *metric, size_t at)
{
    while (at < metric->count && !isfinite(metric->values[at]))
        at++;
    return at;
}

static bool is_present(const struct emf_metric *metric)
{
    return next_value(metric, 0) < metric->count;
}

static struct json_object *new_list(const struct emf_metric *metric)
{
    struct json_object *list = json_object_new_array();
    size_t kept = 0;
    for (size_t at = next_value(metric, 0); at < metric->count && kept < EMF_VALUES_MAX;
         at = next_value(metric, at + 1)) {
        if (!push(list, new_number(metric->values[at]))) {
            json_object_put(list);
            return NULL;
        }
        kept++;
    }
    return list;
}

static bool put_value(struct json_object *root, const struct emf_metric *metric)
{
    if (!is_present(metric))
        return true;
    return put(root, metric->name,
               metric->is_list ? new_list(metric)
                               : new_number(metric->values[next_value(metric, 0)]));
}

static bool declare_metric(struct json_object *metrics, const struct emf_metric *metric)
{
    struct json_object *declared = json_object_new_object();
    bool whole = put(declared, "Name", json_object_new_string(metric->name)) &&
                 put(declared, "Unit", json_object_new_string(metric->unit));
    if (whole)
        return push(metrics, declared);
    json_object_put(declared);
    return false;
}

/* The names of the first so many dimensions, in an array of sets: [["function_name"]]. */
static bool put_dimensions(struct json_object *directive, const struct emf_document *document,
                           size_t count)
{
    struct json_object *sets = json_object_new_array();
    struct json_object *set = json_object_new_array();
    bool whole = push(sets, set);
    whole = put(directive, "Dimensions", sets) && whole;
    for (size_t i = 0; whole && i < count; i++)
        whole = push(set, json_object_new_string(document->dimensions[i].name));
    return whole;
}

static bool has_metrics(const struct emf_document *document, size_t dimension_count)
{
    for (size_t i = 0; i < document->metric_count; i++)
        if (document->metrics[i].dimension_count == dimension_count &&
            is_present(&document->metrics[i]))
            return true;
    return false;
}

/* The directive of the metrics that have the first so many dimensions. */
static bool put_directive(struct json_object *directives, const struct emf_document *document,
                          size_t dimension_count)
{
    if (!has_metrics(document, dimension_count))
        return true;
    struct json_object *directive = json_object_new_object();
    struct json_object *metrics = json_object_new_array();
    bool whole = push(directives, directive);
    if (!whole) {
        json_object_put(metrics);
        return false;
    }
    whole = put(directive, "Namespace", json_object_new_string(document->name_space)) &&
            put_dimensions(directive, document, dimension_count);
    whole = put(directive, "Metrics", metrics) && whole;
    for (size_t i = 0; whole && i < document->metric_count; i++)
        if (document->metrics[i].dimension_count == dimension_count &&
            is_present(&document->metrics[i]))
            whole = declare_metric(metrics, &document->metrics[i]);
    return whole;
}

static bool put_dimension_values(struct json_object *root, const struct emf_document *document)
{
    size_t used = 0;
    for (size_t count = 1; count <= document->dimension_count; count++)
        if (has_metrics(document, count))
            used = count;
    bool whole = true;
    for (size_t i = 0; whole && i < used; i++)
        whole = put(root, document->dimensions[i].name,
                    new_dimension_value(document->dimensions[i].value));
    return whole;
}

static bool put_aws(struct json_object *root, const struct emf_document *document)
{
    struct json_object *aws = json_object_new_object();
    struct json_object *directives = json_object_new_array();
    bool whole = put(aws, "Timestamp", json_object_new_int64(document->wall_ns / NS_PER_MS));
    whole = put(aws, "CloudWatchMetrics", directives) && whole;
    for (size_t count = 0; whole && count <= document->dimension_count; count++)
        whole = put_directive(directives, document, count);
    if (whole)
        return put(root, "_aws", aws);
    json_object_put(aws);
    return false;
}

struct json_object *emf_new(const struct emf_document *document)
{
    struct json_object *root = json_object_new_object();
    bool some = false;
    bool whole = true;
    for (size_t i = 0; whole && i < document->metric_count; i++) {
        some = is_present(&document->metrics[i]) || some;
        whole = put_value(root, &document->metrics[i]);
    }
    if (some && whole && put_dimension_values(root, document) && put_aws(root, document))
        return root;
    json_object_put(root);
    return NULL;
}
