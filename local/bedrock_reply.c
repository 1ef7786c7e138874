#include "local/bedrock_reply.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/os.h"
#include "local/document.h"

/* What stands behind the name in a real x-amzn-ErrorType. */
#define TYPE_SUFFIX ":http://internal.amazon.com/coral/com.amazon.bedrock/"

static void header(struct server_reply *reply, const char *name, const char *value)
{
    if (server_reply_header(reply, name, value, NULL) != 0)
        reply->status = 500;
}

static void header_number(struct server_reply *reply, const char *name, int64_t value)
{
    char digits[32];
    (void)snprintf(digits, sizeof digits, "%" PRId64, value);
    header(reply, name, digits);
}

static void set_error(struct server_reply *reply, int status, const char *type,
                      struct json_object *body)
{
    struct buffer text;
    buffer_init(&text, 65536);
    bool printed = document_print(body, &text, NULL) == 0;
    server_reply_json(reply, status, printed ? text.data : "{}");
    buffer_free(&text);
    json_object_put(body);
    char whole[160];
    (void)snprintf(whole, sizeof whole, "%s" TYPE_SUFFIX, type != NULL ? type : "");
    if (type != NULL)
        header(reply, "x-amzn-ErrorType", whole);
}

static struct json_object *message_body(const char *message)
{
    struct json_object *body = json_object_new_object();
    json_object_object_add(body, "message", json_object_new_string(message));
    return body;
}

void bedrock_reply_error(struct server_reply *reply, const struct bedrock_error *error)
{
    set_error(reply, error->status, error->type, message_body(error->message));
}

/* A queue's delay, as a JSON text in a string. */
static struct json_object *hint_body(const struct fault *fault)
{
    char delays[96];
    (void)snprintf(delays, sizeof delays,
                   "{\"queueDwellTimeInMs\":0,\"expectedQueueDelayInMs\":%.0f}", fault->number);
    struct json_object *metadata = json_object_new_object();
    json_object_object_add(metadata, "qosTier", json_object_new_string("10"));
    json_object_object_add(metadata, "rudiMetadata", json_object_new_string(delays));
    struct json_object *body = json_object_new_object();
    json_object_object_add(body, "exceptionMetadata", metadata);
    json_object_object_add(body, "message", json_object_new_string(fault->row->message));
    return body;
}

static struct json_object *model_error_body(const struct fault *fault, const char *model)
{
    struct json_object *body = message_body(fault->row->message);
    json_object_object_add(body, "originalStatusCode", json_object_new_int((int)fault->number));
    json_object_object_add(body, "resourceName", json_object_new_string(model));
    return body;
}

static void set_body(struct server_reply *reply, const char *type, const char *body)
{
    server_reply_json(reply, 200, body);
    buffer_clear(&reply->headers);
    header(reply, "Content-Type", type);
}

bool bedrock_reply_is_instead(const struct fault *fault)
{
    switch (fault->row->kind) {
    case FAULT_NONE:
    case FAULT_HALF:
    case FAULT_THEN_CLOSE:
    case FAULT_SLOW:
    case FAULT_DRIP:
    case FAULT_ANSWER:
        return false;
    default:
        return true;
    }
}

void bedrock_reply_fault(struct server_reply *reply, const struct fault *fault, const char *model)
{
    const struct fault_row *row = fault->row;
    switch (row->kind) {
    case FAULT_ERROR:
        set_error(reply, row->status, row->type, message_body(row->message));
        return;
    case FAULT_BARE:
        set_error(reply, row->status > 0 ? row->status : (int)fault->number, NULL,
                  message_body(row->message));
        return;
    case FAULT_HINT:
        set_error(reply, row->status, row->type, hint_body(fault));
        return;
    case FAULT_MODEL:
        set_error(reply, row->status, row->type, model_error_body(fault, model));
        return;
    case FAULT_RAW:
        set_body(reply, "text/plain", "\x15\x03\x03 this is no HTTP\r\n\r\n");
        reply->manner = SERVER_RAW;
        return;
    case FAULT_HTML:
        set_body(reply, "text/html",
                 "<!DOCTYPE html><html><body>Sign in to the network</body></html>");
        return;
    case FAULT_NOT_JSON:
        set_body(reply, "application/json", "{\"content\":[{\"type\":\"text\",\"te");
        return;
    case FAULT_WRONG_SHAPE:
        set_body(reply, "application/json", "{\"answer\":42}");
        return;
    default:
        reply->manner = row->kind == FAULT_RESET ? SERVER_RESET : SERVER_CUT;
        return;
    }
}

static enum server_manner manner_of(const struct fault *fault)
{
    if (fault == NULL)
        return SERVER_WHOLE;
    switch (fault->row->kind) {
    case FAULT_HALF:
        return SERVER_HALF;
    case FAULT_THEN_CLOSE:
        return SERVER_THEN_CLOSE;
    case FAULT_DRIP:
        return SERVER_DRIP;
    default:
        return SERVER_WHOLE;
    }
}

void bedrock_reply_answer(struct server_reply *reply, struct model_reply *answer,
                          const struct bedrock_answer_facts *facts)
{
    const struct fault *fault = facts->fault;
    server_reply_json(reply, 200, "");
    buffer_free(&reply->body);
    reply->body = answer->body;
    answer->body = (struct buffer){0};
    reply->manner = manner_of(fault);
    if (reply->manner == SERVER_DRIP)
        reply->drip_ns = ns_from_seconds(fault->number);
    enum fault_answer kind = fault != NULL ? fault->row->answer : ANSWER_PLAIN;
    if (kind == ANSWER_NO_USAGE || kind == ANSWER_NO_COUNTS)
        return;
    header_number(reply, "X-Amzn-Bedrock-Input-Token-Count", facts->input_tokens);
    header_number(reply, "X-Amzn-Bedrock-Output-Token-Count", facts->output_tokens);
    header_number(reply, "X-Amzn-Bedrock-Invocation-Latency", facts->latency_ms);
}

void bedrock_reply_finish(struct server_reply *reply, const struct fault *fault)
{
    char id[OS_UUID_SIZE];
    os_uuid(os_real(), id);
    header(reply, "x-amzn-RequestId", id);
    if (fault != NULL && fault->retry_after_s >= 0)
        header_number(reply, "Retry-After", fault->retry_after_s);
    if (fault != NULL && fault->retry_after_ms >= 0)
        header_number(reply, "x-amz-retry-after", fault->retry_after_ms);
}
