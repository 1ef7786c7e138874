#include "base/emf.h"

#include <json-c/json.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/os.h"
#include "tests/support/cmocka_all.h"
#include "tests/support/emf_shape.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])
#define WALL_NS      (INT64_C(1795435200123) * NS_PER_MS + 999999)

static const double one[] = {1};
static const double some[] = {12, 812.4004, 0.0005};

static const struct emf_dimension dimensions[] = {{"function_name", "weir"}, {"model", "m-1"}};

static struct json_object *make(const struct emf_metric *metrics, size_t count)
{
    const struct emf_document document = {
        .name_space = "Weir",
        .wall_ns = WALL_NS,
        .dimensions = dimensions,
        .dimension_count = COUNT(dimensions),
        .metrics = metrics,
        .metric_count = count,
    };
    return emf_new(&document);
}

static void assert_made(const struct emf_metric *metrics, size_t count, const char *expected)
{
    struct json_object *document = make(metrics, count);
    assert_non_null(document);
    emf_assert_valid(document);
    int flags = JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE;
    assert_string_equal(json_object_to_json_string_ext(document, flags), expected);
    json_object_put(document);
}

static void metrics_are_declared_by_their_dimensions(void **state)
{
    (void)state;
    static const struct emf_metric metrics[] = {
        {"Requests", "Count", 1, false, one, 1},
        {"Latency", "Milliseconds", 2, true, some, 3},
        {"Retries", "Count", 1, false, one, 1},
    };
    assert_made(metrics, COUNT(metrics),
                "{\"Requests\":1,\"Latency\":[12,812.400,0.001],\"Retries\":1,"
                "\"function_name\":\"weir\",\"model\":\"m-1\","
                "\"_aws\":{\"Timestamp\":1795435200123,\"CloudWatchMetrics\":["
                "{\"Namespace\":\"Weir\",\"Dimensions\":[[\"function_name\"]],\"Metrics\":["
                "{\"Name\":\"Requests\",\"Unit\":\"Count\"},"
                "{\"Name\":\"Retries\",\"Unit\":\"Count\"}]},"
                "{\"Namespace\":\"Weir\",\"Dimensions\":[[\"function_name\",\"model\"]],"
                "\"Metrics\":[{\"Name\":\"Latency\",\"Unit\":\"Milliseconds\"}]}]}}");
}

static void what_has_no_value_is_neither_there_nor_declared(void **state)
{
    (void)state;
    static const double none[] = {(double)NAN, (double)INFINITY};
    static const struct emf_metric metrics[] = {
        {"Requests", "Count", 1, false, one, 1},
        {"Retries", "Count", 1, false, one, 0},
        {"Waits", "Count", 1, false, none, 1},
        {"Latency", "Milliseconds", 2, true, none, 2},
    };
    assert_made(metrics, COUNT(metrics),
                "{\"Requests\":1,\"function_name\":\"weir\","
                "\"_aws\":{\"Timestamp\":1795435200123,\"CloudWatchMetrics\":["
                "{\"Namespace\":\"Weir\",\"Dimensions\":[[\"function_name\"]],\"Metrics\":["
                "{\"Name\":\"Requests\",\"Unit\":\"Count\"}]}]}}");
}

static void a_metric_may_have_no_dimension(void **state)
{
    (void)state;
    static const struct emf_metric metrics[] = {{"Requests", "Count", 0, false, one, 1}};
    assert_made(metrics, COUNT(metrics),
                "{\"Requests\":1,\"_aws\":{\"Timestamp\":1795435200123,\"CloudWatchMetrics\":["
                "{\"Namespace\":\"Weir\",\"Dimensions\":[[]],\"Metrics\":["
                "{\"Name\":\"Requests\",\"Unit\":\"Count\"}]}]}}");
}

static void without_any_value_there_is_no_document(void **state)
{
    (void)state;
    static const struct emf_metric metrics[] = {{"Requests", "Count", 1, false, one, 0}};
    assert_null(make(metrics, COUNT(metrics)));
    assert_null(make(NULL, 0));
}

static const struct {
    double value;
    const char *written;
} numbers[] = {
    {0, "{\"n\":0,"},
    {-0.0, "{\"n\":0,"},
    {1234567, "{\"n\":1234567,"},
    {0.5, "{\"n\":0.500,"},
    {0.0004, "{\"n\":0.000,"},
    {2404.0801, "{\"n\":2404.080,"},
    {-3, "{\"n\":-3,"},
    {999999999999999, "{\"n\":999999999999999,"},
    {1e15, "{\"n\":1000000000000000.000,"},
};

static void a_number_has_three_decimals_or_none(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(numbers); i++) {
        const struct emf_metric metric = {"n", "Count", 1, false, &numbers[i].value, 1};
        struct json_object *document = make(&metric, 1);
        emf_assert_valid(document);
        const char *text = json_object_to_json_string_ext(document, JSON_C_TO_STRING_PLAIN);
        if (strncmp(text, numbers[i].written, strlen(numbers[i].written)) != 0)
            fail_msg("%g: %s", numbers[i].value, text);
        json_object_put(document);
    }
}

static void a_list_keeps_its_first_hundred_numbers(void **state)
{
    (void)state;
    double values[250];
    for (size_t i = 0; i < COUNT(values); i++)
        values[i] = i % 2 == 0 ? (double)NAN : (double)i;
    const struct emf_metric metric = {"n", "Milliseconds", 1, true, values, COUNT(values)};
    struct json_object *document = make(&metric, 1);
    struct json_object *list = NULL;
    emf_assert_valid(document);
    assert_true(json_object_object_get_ex(document, "n", &list));
    assert_int_equal(json_object_array_length(list), EMF_VALUES_MAX);
    assert_int_equal(json_object_get_int(json_object_array_get_idx(list, 0)), 1);
    assert_int_equal(json_object_get_int(json_object_array_get_idx(list, 99)), 199);
    json_object_put(document);
}

static void a_directive_takes_a_hundred_metrics(void **state)
{
    (void)state;
    struct emf_metric metrics[EMF_METRICS_MAX];
    char names[EMF_METRICS_MAX][16];
    for (size_t i = 0; i < COUNT(metrics); i++) {
        (void)snprintf(names[i], sizeof names[i], "m%zu", i);
        metrics[i] = (struct emf_metric){names[i], "Count", 1, false, one, 1};
    }
    struct json_object *document = make(metrics, COUNT(metrics));
    emf_assert_valid(document);
    assert_int_equal(emf_metric_count(document), EMF_METRICS_MAX);
    json_object_put(document);
}

static const struct {
    const char *value, *written;
} values[] = {
    {"weir", "weir"},
    {"arn:aws:bedrock:us-east-1:123456789012:inference-profile/x",
     "arn:aws:bedrock:us-east-1:123456789012:inference-profile/x"},
    {"", "unknown"},
    {NULL, "unknown"},
    {"caf\xc3\xa9\n\"", "caf???\""},
};

static void a_dimension_value_is_what_cloudwatch_takes(void **state)
{
    (void)state;
    static const struct emf_metric metric = {"n", "Count", 1, false, one, 1};
    for (size_t i = 0; i < COUNT(values); i++) {
        const struct emf_dimension dimension = {"function_name", values[i].value};
        const struct emf_document wanted = {"Weir", WALL_NS, &dimension, 1, &metric, 1};
        struct json_object *document = emf_new(&wanted);
        struct json_object *value = NULL;
        emf_assert_valid(document);
        assert_true(json_object_object_get_ex(document, "function_name", &value));
        assert_string_equal(json_object_get_string(value), values[i].written);
        json_object_put(document);
    }
}

static void a_long_dimension_value_is_cut(void **state)
{
    (void)state;
    static const struct emf_metric metric = {"n", "Count", 1, false, one, 1};
    char text[3000];
    memset(text, 'x', sizeof text);
    text[sizeof text - 1] = '\0';
    const struct emf_dimension dimension = {"function_name", text};
    const struct emf_document wanted = {"Weir", WALL_NS, &dimension, 1, &metric, 1};
    struct json_object *document = emf_new(&wanted);
    struct json_object *value = NULL;
    emf_assert_valid(document);
    assert_true(json_object_object_get_ex(document, "function_name", &value));
    assert_int_equal(json_object_get_string_len(value), EMF_DIMENSION_VALUE_MAX);
    json_object_put(document);
}

/* The linker sends these calls here (-Wl,--wrap=...); the one that brings this to 0 fails. */
static int calls_left;

static bool has_memory(void)
{
    return calls_left == 0 || --calls_left > 0;
}

/* NOLINTBEGIN(readability-identifier-naming): the names that the linker gives them */
#define WITHOUT_MEMORY(type, name, parameters, arguments, failure)                                 \
    type __real_json_object_##name parameters;                                                     \
    type __wrap_json_object_##name parameters;                                                     \
    type __wrap_json_object_##name parameters                                                      \
    {                                                                                              \
        return has_memory() ? __real_json_object_##name arguments : (failure);                     \
    }

WITHOUT_MEMORY(struct json_object *, new_object, (void), (), NULL)
WITHOUT_MEMORY(struct json_object *, new_array, (void), (), NULL)
WITHOUT_MEMORY(struct json_object *, new_string, (const char *s), (s), NULL)
WITHOUT_MEMORY(struct json_object *, new_string_len, (const char *s, int n), (s, n), NULL)
WITHOUT_MEMORY(struct json_object *, new_int64, (int64_t n), (n), NULL)
WITHOUT_MEMORY(struct json_object *, new_double_s, (double n, const char *s), (n, s), NULL)
WITHOUT_MEMORY(int, array_add, (struct json_object * array, struct json_object *value),
               (array, value), -1)
WITHOUT_MEMORY(int, object_add,
               (struct json_object * object, const char *key, struct json_object *value),
               (object, key, value), -1)
/* NOLINTEND(readability-identifier-naming) */

/* Wherever memory ends; the sanitizer and valgrind see that nothing is lost. */
static void without_memory_there_is_no_document(void **state)
{
    (void)state;
    static const struct emf_metric metrics[] = {
        {"Requests", "Count", 1, false, one, 1},
        {"Latency", "Milliseconds", 2, true, some, 3},
    };
    int failures = 0;
    for (;;) {
        calls_left = failures + 1;
        struct json_object *document = make(metrics, COUNT(metrics));
        bool spared = calls_left > 0;
        calls_left = 0;
        if (spared) {
            emf_assert_valid(document);
            json_object_put(document);
            break;
        }
        assert_null(document);
        failures++;
    }
    assert_true(failures > 30);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(metrics_are_declared_by_their_dimensions),
        cmocka_unit_test(what_has_no_value_is_neither_there_nor_declared),
        cmocka_unit_test(a_metric_may_have_no_dimension),
        cmocka_unit_test(without_any_value_there_is_no_document),
        cmocka_unit_test(a_number_has_three_decimals_or_none),
        cmocka_unit_test(a_list_keeps_its_first_hundred_numbers),
        cmocka_unit_test(a_directive_takes_a_hundred_metrics),
        cmocka_unit_test(a_dimension_value_is_what_cloudwatch_takes),
        cmocka_unit_test(a_long_dimension_value_is_cut),
        cmocka_unit_test(without_memory_there_is_no_document),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
