#include "local/control.h"

#include <stdio.h>
#include <string.h>

#include "base/os.h"
#include "local/document.h"

/* Longer than any function: the outcome comes first, in any case. */
#define SLACK_NS (60 * NS_PER_S)

static void refuse(struct server_reply *reply, int status, const char *text)
{
    struct json_object *body = json_object_new_object();
    json_object_object_add(body, "error", json_object_new_string(text));
    server_reply_json(reply, status, json_object_to_json_string_ext(body, JSON_C_TO_STRING_PLAIN));
    json_object_put(body);
}

static void finish(struct server_reply *reply, int result, const struct error *err)
{
    if (result == 0)
        return;
    bool theirs = err->kind == ERROR_CONFIG || err->kind == ERROR_INVALID_REQUEST;
    refuse(reply, theirs ? 400 : 500, err->text);
}

static void show_stats(struct gateway *gateway, const struct server_request *request,
                       struct server_reply *reply)
{
    struct error err = {0};
    (void)request;
    server_reply_json(reply, 200, "");
    finish(reply, stats_print(gateway->stats, &reply->body, &err), &err);
}

static void show_requests(struct gateway *gateway, const struct server_request *request,
                          struct server_reply *reply)
{
    struct error err = {0};
    (void)request;
    server_reply_json(reply, 200, "");
    finish(reply, stats_print_attempts(gateway->stats, &reply->body, &err), &err);
}

static void show_sandboxes(struct gateway *gateway, const struct server_request *request,
                           struct server_reply *reply)
{
    struct error err = {0};
    (void)request;
    server_reply_json(reply, 200, "");
    finish(reply, lambda_print(gateway->lambda, &reply->body, &err), &err);
}

static void change_bedrock(struct gateway *gateway, const struct server_request *request,
                           struct server_reply *reply)
{
    struct error err = {0};
    if (gateway->bedrock == NULL) {
        refuse(reply, 409, "there is no stand-in: --bedrock aws");
        return;
    }
    server_reply_json(reply, 200, "{\"status\":\"ok\"}");
    finish(reply, bedrock_fake_change(gateway->bedrock, request->body, request->body_length, &err),
           &err);
}

static void reset(struct gateway *gateway, const struct server_request *request,
                  struct server_reply *reply)
{
    struct error err = {0};
    (void)request;
    stats_reset(gateway->stats);
    server_reply_json(reply, 200, "{\"status\":\"ok\"}");
    if (gateway->bedrock != NULL)
        finish(reply, bedrock_fake_reset(gateway->bedrock, &err), &err);
}

/* As Lambda's Invoke: 200 with what was posted, or 429 when there is no sandbox. */
static void report(const struct lambda_result *result, struct server_reply *reply)
{
    bool response = result->outcome == OUTCOME_RESPONSE;
    server_reply_json(reply, result->outcome == OUTCOME_REFUSED ? 429 : 200, "");
    const char *word = lambda_outcome_word(result->outcome);
    const char *answer = result->answer.data != NULL ? result->answer.data : "";
    if (server_reply_header(reply, "X-Local-Outcome", word, NULL) != 0 ||
        server_reply_header(reply, "x-amzn-RequestId", result->request_id, NULL) != 0 ||
        (!response && server_reply_header(reply, "X-Amz-Function-Error", "Unhandled", NULL) != 0) ||
        buffer_append(&reply->body, answer, result->answer.length, NULL) != 0)
        refuse(reply, 500, "no memory");
}

static void invoke(struct gateway *gateway, const struct server_request *request,
                   struct server_reply *reply)
{
    struct error err = {0};
    struct lambda_result result = {0};
    struct lambda_event event = {.bytes = request->body,
                                 .length = request->body_length,
                                 .trace_id = server_header(request, "x-amzn-trace-id"),
                                 .wait_ns = gateway->options->timeout_ns + SLACK_NS};
    stats_add(gateway->stats, STATS_direct);
    if (request->too_large || event.length > LAMBDA_PAYLOAD_MAX)
        refuse(reply, 413, "an event has at most 6291556 bytes");
    else if (lambda_invoke(gateway->lambda, &event, &result, &err) == 0)
        report(&result, reply);
    else
        refuse(reply, 500, err.text);
    lambda_result_free(&result);
}

struct route {
    const char *method, *path;
    void (*handle)(struct gateway *, const struct server_request *, struct server_reply *);
};

static const struct route routes[] = {
    {"GET", CONTROL_PREFIX "stats", show_stats},
    {"GET", CONTROL_PREFIX "requests", show_requests},
    {"GET", CONTROL_PREFIX "sandboxes", show_sandboxes},
    {"POST", CONTROL_PREFIX "bedrock", change_bedrock},
    {"POST", CONTROL_PREFIX "invoke", invoke},
    {"POST", CONTROL_PREFIX "reset", reset},
};

void control_handle(struct gateway *gateway, const struct server_request *request,
                    struct server_reply *reply)
{
    int status = 404;
    for (size_t i = 0; i < sizeof routes / sizeof routes[0]; i++) {
        if (strcmp(request->path, routes[i].path) != 0)
            continue;
        if (strcmp(request->method, routes[i].method) == 0) {
            routes[i].handle(gateway, request, reply);
            return;
        }
        status = 405;
    }
    refuse(reply, status, status == 404 ? "no such path; --help lists them" : "wrong method");
}
