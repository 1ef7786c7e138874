#include "local/gateway.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/base64.h"
#include "base/os.h"
#include "local/clock.h"
#include "local/control.h"
#include "local/event.h"

#define EVENT_MAX 33554432

static void refuse(struct server_reply *reply, int status, const char *message)
{
    char body[96];
    (void)snprintf(body, sizeof body, "{\"message\":\"%s\"}", message);
    server_reply_json(reply, status, body);
}

/* Like the real one's: eleven random bytes in base64. */
static void make_request_id(char *out, size_t size)
{
    unsigned char bytes[11];
    struct buffer text;
    const struct os *os = os_real();
    os->random(os->context, bytes, sizeof bytes);
    buffer_init(&text, 64);
    bool made = base64_encode(&text, bytes, sizeof bytes, NULL) == 0;
    (void)snprintf(out, size, "%s", made ? text.data : "");
    buffer_free(&text);
}

/* The caller's trace, or a new one. */
static void make_trace_id(const struct gateway *gateway, const struct server_request *request,
                          char *out, size_t size)
{
    const char *given = server_header(request, "x-amzn-trace-id");
    char uuid[OS_UUID_SIZE];
    os_uuid(os_real(), uuid);
    out[0] = '\0';
    if (gateway->options->no_trace)
        return;
    if (given[0] != '\0')
        (void)snprintf(out, size, "%s", given);
    else
        (void)snprintf(out, size, "Root=1-%08" PRIx64 "-%.8s%.4s%.4s%.4s%.4s",
                       (uint64_t)(os_wall_ns(os_real()) / NS_PER_S), uuid, uuid + 9, uuid + 14,
                       uuid + 19, uuid + 24);
}

/* What the caller sees of an event's outcome. */
static void conclude(struct gateway *gateway, const struct lambda_result *result,
                     struct server_reply *reply)
{
    struct error err = {0};
    const char *answer = result->answer.data != NULL ? result->answer.data : "";
    switch (result->outcome) {
    case OUTCOME_RESPONSE:
        if (event_read_reply(answer, result->answer.length, reply, &err) == 0)
            return;
        (void)fprintf(stderr, "local: %s\n", err.text);
        refuse(reply, 500, "Internal Server Error");
        return;
    case OUTCOME_PENDING:
        stats_add(gateway->stats, STATS_gateway_timeouts);
        refuse(reply, 503, "Service Unavailable");
        return;
    case OUTCOME_REFUSED:
    case OUTCOME_STOPPED:
        refuse(reply, 503, "Service Unavailable");
        return;
    default:
        refuse(reply, 500, "Internal Server Error");
        return;
    }
}

static void invoke(struct gateway *gateway, const struct lambda_event *event,
                   struct lambda_result *result, struct server_reply *reply)
{
    struct error err = {0};
    if (lambda_invoke(gateway->lambda, event, result, &err) == 0)
        conclude(gateway, result, reply);
    else if (event->length > LAMBDA_PAYLOAD_MAX)
        refuse(reply, 413, "Request Entity Too Large");
    else
        refuse(reply, 500, "Internal Server Error");
}

static void pass_on(struct gateway *gateway, const struct server_request *request,
                    struct lambda_result *result, struct server_reply *reply)
{
    char request_id[32];
    char trace_id[128];
    struct error err = {0};
    struct buffer text;
    buffer_init(&text, EVENT_MAX);
    make_request_id(request_id, sizeof request_id);
    make_trace_id(gateway, request, trace_id, sizeof trace_id);
    struct event_facts facts = {.request_id = request_id,
                                .trace_id = trace_id,
                                .wall_ns = os_wall_ns(os_real()),
                                .port = server_port(request->server)};
    if (event_write(request, &facts, &text, &err) == 0) {
        struct lambda_event event = {.bytes = text.data,
                                     .length = text.length,
                                     .trace_id = trace_id,
                                     .wait_ns = gateway->options->gateway_timeout_ns};
        invoke(gateway, &event, result, reply);
    } else {
        refuse(reply, 500, "Internal Server Error");
    }
    buffer_wipe(&text);
    if (server_reply_header(reply, "Apigw-Requestid", request_id, NULL) != 0)
        refuse(reply, 500, "Internal Server Error");
}

static void serve(struct gateway *gateway, const struct server_request *request,
                  struct server_reply *reply)
{
    int64_t start_ns = clock_now_ns();
    struct lambda_result result = {0};
    if (request->too_large)
        refuse(reply, 413, "Request Entity Too Large");
    else
        pass_on(gateway, request, &result, reply);
    struct stats_message message = {
        .status = reply->status, .took_ns = clock_now_ns() - start_ns, .model_ns = result.model_ns};
    if (strcmp(request->method, "POST") == 0)
        stats_add_message(gateway->stats, &message);
    else
        stats_add_other(gateway->stats);
    lambda_result_free(&result);
}

void gateway_handle(void *context, const struct server_request *request, struct server_reply *reply)
{
    struct gateway *gateway = context;
    if (strncmp(request->path, CONTROL_PREFIX, strlen(CONTROL_PREFIX)) == 0)
        control_handle(gateway, request, reply);
    else
        serve(gateway, request, reply);
}
