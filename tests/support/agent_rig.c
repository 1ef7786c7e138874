#include "tests/support/agent_rig.h"

#include <json-c/json.h>
#include <string.h>

#include "base/strict_json.h"
#include "runtime/runtime.h"
#include "tests/support/cmocka_all.h"

void agent_rig_open(struct agent_rig *rig, const struct fake_answer *answers, size_t count,
                    const char *const *settings)
{
    *rig = (struct agent_rig){0};
    bedrock_bench_open(&rig->bench, answers, settings);
    assert_non_null(rig->bench.bedrock);
    rig->bench.http.answer_count = count;
    log_capture_open(&rig->capture, &rig->bench.os.os);
    const struct agent_parts parts = {.settings = &rig->bench.settings,
                                      .os = &rig->bench.os.os,
                                      .log = &rig->capture.log,
                                      .bedrock = rig->bench.bedrock};
    struct error err = {0};
    assert_int_equal(agent_init(&rig->agent, &parts, &err), 0);
}

void agent_rig_close(struct agent_rig *rig)
{
    agent_free(&rig->agent);
    log_capture_close(&rig->capture);
    bedrock_bench_close(&rig->bench);
}

struct json_object *agent_rig_handle(struct agent_rig *rig, const char *event, int64_t deadline_ns)
{
    const struct agent_invocation invocation = {
        .event = event,
        .event_length = strlen(event),
        .request_id = "r-1",
        .deadline_wall_ns =
            deadline_ns == INT64_MAX ? INT64_MAX : rig->bench.os.wall_ns + deadline_ns,
    };
    struct buffer reply;
    struct error err = {0};
    buffer_init(&reply, RUNTIME_PAYLOAD_MAX);
    if (agent_handle(&rig->agent, &invocation, &reply, &err) != 0)
        fail_msg("%s", err.text);
    struct json_object *root = strict_json_parse(reply.data, reply.length, &err);
    if (root == NULL)
        fail_msg("the reply: %s", err.text);
    buffer_free(&reply);
    return root;
}

int rig_status(struct json_object *reply)
{
    struct json_object *status = NULL;
    json_object_object_get_ex(reply, "statusCode", &status);
    return json_object_get_int(status);
}

const char *rig_header(struct json_object *reply, const char *name)
{
    struct json_object *headers = NULL;
    struct json_object *value = NULL;
    if (!json_object_object_get_ex(reply, "headers", &headers))
        json_object_object_get_ex(reply, "multiValueHeaders", &headers);
    if (!json_object_object_get_ex(headers, name, &value))
        return NULL;
    if (json_object_is_type(value, json_type_array))
        value = json_object_array_get_idx(value, 0);
    assert_true(json_object_is_type(value, json_type_string));
    return json_object_get_string(value);
}

struct json_object *rig_body(struct json_object *reply)
{
    struct json_object *body = NULL;
    struct error err = {0};
    assert_true(json_object_object_get_ex(reply, "body", &body));
    assert_true(json_object_is_type(body, json_type_string));
    if (json_object_get_string_len(body) == 0)
        return NULL;
    struct json_object *root = strict_json_parse(json_object_get_string(body),
                                                 (size_t)json_object_get_string_len(body), &err);
    if (root == NULL)
        fail_msg("the body: %s", err.text);
    return root;
}
