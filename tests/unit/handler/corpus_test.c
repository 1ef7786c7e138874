/* Every event of events/ through the whole agent; corpus.json says what each must get. */
#include <dirent.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/agent_rig.h"
#include "tests/support/cmocka_all.h"
#include "tests/support/emf_shape.h"

#define EVENTS "events"
#define TABLE  "tests/unit/handler/corpus.json"

/* A row of the table, the event, and what became of it. */
struct row {
    const char *file, *source;
    int status; /* 0: a batch */
    struct json_object *event;
    struct agent_rig rig;
    struct json_object *reply;
};

static struct json_object *member(struct json_object *object, const char *name)
{
    struct json_object *value = NULL;
    json_object_object_get_ex(object, name, &value);
    return value;
}

static const char *text(struct json_object *object, const char *name)
{
    struct json_object *value = member(object, name);
    return json_object_is_type(value, json_type_string) ? json_object_get_string(value) : "";
}

#define MUST(row, condition)                                                                       \
    do {                                                                                           \
        if (!(condition))                                                                          \
            fail_msg("%s: not %s: %s", (row)->file, #condition,                                    \
                     json_object_to_json_string((row)->reply));                                    \
    } while (0)

static void open_row(struct row *row, const char *file, struct json_object *expected)
{
    static const struct fake_answer answers[] = {RIG_ANSWER};
    char path[512];
    (void)snprintf(path, sizeof path, EVENTS "/%s", file);
    *row = (struct row){
        .file = file,
        .source = text(expected, "source"),
        .status = json_object_get_int(member(expected, "status")),
    };
    row->event = json_object_from_file(path);
    if (row->event == NULL)
        fail_msg("%s: %s", path, json_util_get_last_err());
    agent_rig_open(&row->rig, answers, 1, NULL);
    row->reply = agent_rig_handle(&row->rig, json_object_to_json_string(row->event), 60 * NS_PER_S);
}

static void close_row(struct row *row)
{
    json_object_put(row->reply);
    json_object_put(row->event);
    agent_rig_close(&row->rig);
}

static void check_shape(const struct row *row)
{
    struct json_object *reply = row->reply;
    bool alb = strcmp(row->source, "alb") == 0;
    bool multi = alb && member(row->event, "multiValueHeaders") != NULL;
    MUST(row, (member(reply, "multiValueHeaders") != NULL) == multi);
    MUST(row, (member(reply, "headers") != NULL) == !multi);
    MUST(row, (member(reply, "statusDescription") != NULL) == alb);
    MUST(row, json_object_is_type(member(reply, "isBase64Encoded"), json_type_boolean));
    MUST(row, !json_object_get_boolean(member(reply, "isBase64Encoded")));
    json_object_object_foreach(member(reply, multi ? "multiValueHeaders" : "headers"), name, value)
    {
        (void)name;
        MUST(row, json_object_is_type(value, multi ? json_type_array : json_type_string));
    }
    MUST(row, strcmp(rig_header(reply, "Content-Type"), "application/json") == 0);
    MUST(row, strcmp(rig_header(reply, "Access-Control-Allow-Origin"), "*") == 0);
    MUST(row, (rig_header(reply, "Allow") != NULL) == (row->status == 405));
    MUST(row, rig_header(reply, "Retry-After") == NULL);
}

static void check_answer(const struct row *row, struct json_object *body)
{
    MUST(row, strcmp(text(body, "message"), "a secret answer") == 0);
    MUST(row, text(body, "session_id")[0] != '\0');
    MUST(row, text(body, "model")[0] != '\0');
    MUST(row, strcmp(text(body, "stop_reason"), "end_turn") == 0);
    MUST(row, json_object_get_int(member(member(body, "usage"), "input_tokens")) == 3);
    MUST(row, json_object_get_int(member(member(body, "usage"), "output_tokens")) == 5);
}

static void check_failure(const struct row *row, struct json_object *body)
{
    MUST(row, text(body, "error")[0] != '\0');
    MUST(row, text(body, "code")[0] != '\0');
    MUST(row, strcmp(text(body, "request_id"), "r-1") == 0);
    MUST(row, json_object_object_length(body) == 3);
}

static void check_body(const struct row *row)
{
    struct json_object *body = rig_body(row->reply);
    bool healthy = body != NULL && strcmp(text(body, "status"), "ok") == 0;
    if (row->status >= 400)
        check_failure(row, body);
    else if (row->status == 204)
        MUST(row, body == NULL);
    else if (!healthy)
        check_answer(row, body);
    bool answered = row->status == 200 && !healthy;
    MUST(row, row->rig.bench.http.calls == (answered ? 1 : 0));
    json_object_put(body);
}

static void check_batch(const struct row *row)
{
    struct json_object *records = member(row->event, "Records");
    struct json_object *failures = member(row->reply, "batchItemFailures");
    MUST(row, json_object_object_length(row->reply) == 1);
    MUST(row, json_object_array_length(failures) == json_object_array_length(records));
    for (size_t i = 0; i < json_object_array_length(records); i++) {
        struct json_object *failure = json_object_array_get_idx(failures, i);
        struct json_object *record = json_object_array_get_idx(records, i);
        MUST(row, strcmp(text(failure, "itemIdentifier"), text(record, "messageId")) == 0);
    }
    MUST(row, row->rig.bench.http.calls == 0);
}

static void check_log(const struct row *row)
{
    char source[64];
    (void)snprintf(source, sizeof source, "\"source\":\"%s\"", row->source);
    MUST(row, log_capture_count(&row->rig.capture, source) == 1);
    MUST(row, log_capture_count(&row->rig.capture, "\"requestId\":\"r-1\"") > 0);
    MUST(row, log_capture_count(&row->rig.capture, "secret") == 0);
    MUST(row, log_capture_count(&row->rig.capture, "token bucket") == 0);
}

/* The last line is the metrics document, and the only one. */
static void check_metrics(const struct row *row)
{
    struct json_object *lines = log_capture_lines(&row->rig.capture);
    size_t count = json_object_array_length(lines);
    struct json_object *document = json_object_array_get_idx(lines, count - 1);
    MUST(row, log_capture_count(&row->rig.capture, "\"_aws\":") == 1);
    emf_assert_valid(document);
    if (row->rig.bench.http.calls > 0)
        emf_assert_counts(document,
                          "Requests=1 RequestsAnswered=1 ModelCalls=1 InputTokens=3 "
                          "OutputTokens=5",
                          row->file);
    MUST(row,
         (emf_number(document, "Requests") == 1) != (emf_number(document, "RequestsOther") == 1));
    json_object_put(lines);
}

static void every_event_gets_the_reply_that_the_table_says(void **state)
{
    (void)state;
    struct json_object *table = json_object_from_file(TABLE);
    if (table == NULL)
        fail_msg("%s", json_util_get_last_err());
    assert_true(json_object_object_length(table) > 40);
    json_object_object_foreach(table, file, expected)
    {
        struct row row;
        open_row(&row, file, expected);
        if (row.status == 0) {
            check_batch(&row);
        } else {
            MUST(&row, rig_status(row.reply) == row.status);
            check_shape(&row);
            check_body(&row);
        }
        check_log(&row);
        check_metrics(&row);
        close_row(&row);
    }
    json_object_put(table);
}

static void every_event_has_a_row_in_the_table_and_in_the_readme(void **state)
{
    (void)state;
    struct json_object *table = json_object_from_file(TABLE);
    DIR *events = opendir(EVENTS);
    static char readme[65536];
    FILE *file = fopen(EVENTS "/README.md", "r");
    assert_non_null(table);
    assert_non_null(events);
    assert_non_null(file);
    assert_in_range(fread(readme, 1, sizeof readme - 1, file), 1, sizeof readme - 2);
    (void)fclose(file);
    int count = 0;
    /* cppcheck-suppress readdirCalled ; readdir_r() is deprecated, and each stream is one thread's
     */
    for (struct dirent *entry; (entry = readdir(events)) != NULL;) {
        char *end = strstr(entry->d_name, ".json");
        char line[300];
        if (end == NULL)
            continue;
        if (member(table, entry->d_name) == NULL)
            fail_msg("%s is not in %s", entry->d_name, TABLE);
        (void)snprintf(line, sizeof line, "\n| `%.*s` | ", (int)(end - entry->d_name),
                       entry->d_name);
        if (strstr(readme, line) == NULL)
            fail_msg("%s is not in the README", entry->d_name);
        count++;
    }
    assert_int_equal(count, json_object_object_length(table));
    closedir(events);
    json_object_put(table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_event_gets_the_reply_that_the_table_says),
        cmocka_unit_test(every_event_has_a_row_in_the_table_and_in_the_readme),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
