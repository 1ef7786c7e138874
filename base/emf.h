#ifndef BASE_EMF_H
#define BASE_EMF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct json_object;

/*
 * A document in CloudWatch's Embedded Metric Format: a JSON object that CloudWatch Logs, when it is
 * a log line of its own, makes metrics of. Source: CloudWatch user guide, "Specification: Embedded
 * metric format".
 *
 *   {"Requests":1, "ModelLatency":[812.4], "function_name":"weir", "model":"...",
 *    "_aws":{"Timestamp":1795435200000,"CloudWatchMetrics":[
 *      {"Namespace":"Weir","Dimensions":[["function_name"]],
 *       "Metrics":[{"Name":"Requests","Unit":"Count"}]},
 *      {"Namespace":"Weir","Dimensions":[["function_name","model"]],
 *       "Metrics":[{"Name":"ModelLatency","Unit":"Milliseconds"}]}]}}
 *
 * Only what has a value is declared, and everything declared has one. `_aws` is the last member: a
 * line to which the document was added in part is a plain line.
 */

#define EMF_VALUES_MAX          100  /* of one metric */
#define EMF_METRICS_MAX         100  /* of one directive */
#define EMF_DIMENSION_VALUE_MAX 1024 /* bytes */

/* Each value makes a metric of its own, and costs: never the id of a request or a session. */
struct emf_dimension {
    const char *name;
    /* Cut at 1,024 bytes; what is not printable ASCII becomes '?'; "unknown" when empty or NULL. */
    const char *value;
};

struct emf_metric {
    const char *name;
    const char *unit;       /* CloudWatch's word: "Count", "Milliseconds" */
    size_t dimension_count; /* it has the first so many of the document's dimensions */
    bool is_list;           /* an array, even of one value */
    const double *values;   /* what is no number is left out; written with at most 3 decimals */
    size_t count;           /* 0: absent; above EMF_VALUES_MAX the rest is left out */
};

/* All borrowed. At most EMF_METRICS_MAX metrics. */
struct emf_document {
    const char *name_space;
    int64_t wall_ns;
    const struct emf_dimension *dimensions;
    size_t dimension_count;
    const struct emf_metric *metrics;
    size_t metric_count;
};

/* To be put. NULL without memory, or when no metric has a value. */
struct json_object *emf_new(const struct emf_document *document);

#endif
