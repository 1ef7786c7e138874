#ifndef TESTS_SUPPORT_EMF_SHAPE_H
#define TESTS_SUPPORT_EMF_SHAPE_H

#include <stdbool.h>
#include <stddef.h>

struct json_object;

/*
 * Ends the test unless `document` keeps the rules of CloudWatch's Embedded Metric Format: nothing
 * unknown in `_aws`; every name that is declared is a member of the root, a number or an array of 1
 * to 100 numbers, declared once; dimension values are strings of 1 to 1,024 characters; units are
 * CloudWatch's; no limit is exceeded.
 */
void emf_assert_valid(struct json_object *document);

/* How many metrics it declares, and whether `name` is one, with such a unit and such dimensions
 * ("function_name,model"). */
size_t emf_metric_count(struct json_object *document);
bool emf_declares(struct json_object *document, const char *name, const char *unit,
                  const char *dimensions);

/* The value of a metric that is a number; -1 when it is not declared. */
double emf_number(struct json_object *document, const char *name);

/* What `bootstrap --print-metrics` prints; to be freed. */
char *emf_table(void);

/*
 * Ends the test unless the document's metrics are those of `list`, "Retries=1 ...". What that does
 * not name must be 0 in a document of a chat message, or absent where it may be, and absent in any
 * other document, one with RequestsOther. Times count only when they are named. `context` is told
 * with the failure.
 */
void emf_assert_counts(struct json_object *document, const char *list, const char *context);

#endif
