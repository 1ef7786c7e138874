#include "handler/agent.h"

#include <json-c/json.h>
#include <stdatomic.h>
#include <string.h>

#include "handler/chat.h"
#include "handler/deadline.h"
#include "handler/event.h"
#include "handler/metrics.h"
#include "handler/reply.h"

/* One event on its way through. */
struct story {
    struct agent *agent;
    const struct agent_invocation *invocation;
    struct log_scope scope;
    struct event event;
    char session_id[CHAT_SESSION_ID_MAX + 1];
    bool is_chat; /* somebody asks something, whether or not it can be read */
    int64_t began_ns;
    int64_t answer_by_ns;
    int64_t waited_ns;
    struct tally tally;
};

int agent_init(struct agent *agent, const struct agent_parts *parts, struct error *err)
{
    *agent = (struct agent){
        .settings = parts->settings, .os = parts->os, .log = parts->log, .init_ns = -1};
    return model_init(&agent->model, parts->settings, parts->bedrock, parts->os, err);
}

void agent_free(struct agent *agent)
{
    model_free(&agent->model);
    *agent = (struct agent){0};
}

void agent_started(struct agent *agent, int64_t init_ns)
{
    agent->init_ns = init_ns;
}

static int build_usage(struct json_object *body, const struct bedrock_answer *answer,
                       struct error *err)
{
    struct json_object *usage = json_object_new_object();
    if (reply_add(body, "usage", usage, err) != 0)
        return -1;
    if (answer->input_tokens >= 0 &&
        reply_add(usage, "input_tokens", json_object_new_int64(answer->input_tokens), err) != 0)
        return -1;
    if (answer->output_tokens >= 0 &&
        reply_add(usage, "output_tokens", json_object_new_int64(answer->output_tokens), err) != 0)
        return -1;
    return 0;
}

static int reply_answer(const struct story *story, const struct chat_request *request,
                        const struct bedrock_answer *answer, struct reply *reply, struct error *err)
{
    *reply = (struct reply){.status = STATUS_OK, .retry_after_ns = -1};
    reply->body = json_object_new_object();
    const char *model = story->agent->settings->model_id;
    const char *stop = bedrock_stop_word(answer->stop);
    struct json_object *text = json_object_new_string_len(answer->text != NULL ? answer->text : "",
                                                          (int)answer->text_length);
    if (reply_add(reply->body, "session_id", json_object_new_string(request->session_id), err) !=
        0) {
        json_object_put(text);
        return -1;
    }
    if (reply_add(reply->body, "message", text, err) != 0 ||
        reply_add(reply->body, "model", json_object_new_string(model), err) != 0 ||
        reply_add(reply->body, "stop_reason", json_object_new_string(stop), err) != 0)
        return -1;
    return build_usage(reply->body, answer, err);
}

static int reply_failure(const struct story *story, const struct error *failure,
                         struct reply *reply, struct error *err)
{
    /* What is wrong with a request is for its sender to know; other texts are for the log. */
    const char *sentence = failure->kind == ERROR_INVALID_REQUEST ? failure->text : NULL;
    return reply_error(reply, failure->kind, sentence, story->invocation->request_id, err);
}

static void log_stop(const struct story *story, const struct bedrock_answer *answer)
{
    if (answer->stop == BEDROCK_STOP_END)
        return;
    log_line(&story->scope, LOG_WARN,
             LOG_FIELDS(LOG_STRING("stop_reason", bedrock_stop_word(answer->stop)),
                        LOG_INTEGER("output_tokens", answer->output_tokens)),
             "The answer is not whole: %s", bedrock_stop_word(answer->stop));
}

static int ask(struct story *story, const struct chat_request *request, struct reply *reply,
               struct error *err)
{
    struct agent *agent = story->agent;
    const struct model_question question = {
        .scope = &story->scope,
        .message = request->message,
        .message_length = request->message_length,
        .answer_by_ns = story->answer_by_ns,
    };
    struct model_outcome outcome = {0};
    struct error failure = {0};
    int result = 0;
    if (model_ask(&agent->model, &question, &outcome, &failure) == 0) {
        log_stop(story, &outcome.result.answer);
        result = reply_answer(story, request, &outcome.result.answer, reply, err);
    } else {
        result = reply_failure(story, &failure, reply, err);
        if (result == 0 && error_wants_retry_after(failure.kind))
            result = reply_set_retry_after(reply, outcome.retry_after_ns, err);
    }
    story->tally = outcome.tally;
    story->waited_ns = outcome.waited_ns;
    model_outcome_free(&outcome);
    return result;
}

static int handle_chat(struct story *story, struct reply *reply, struct error *err)
{
    struct chat_request request;
    struct error failure = {0};
    int readable = chat_request_read(&request, &story->event, story->agent->os, &failure);
    memcpy(story->session_id, request.session_id, sizeof story->session_id);
    story->scope.session_id = story->session_id;
    int result = readable == 0 ? ask(story, &request, reply, err)
                               : reply_failure(story, &failure, reply, err);
    chat_request_free(&request);
    return result;
}

static int handle_health(struct story *story, struct reply *reply, struct error *err)
{
    (void)story;
    *reply = (struct reply){.status = STATUS_OK, .retry_after_ns = -1};
    reply->body = json_object_new_object();
    return reply_add(reply->body, "status", json_object_new_string("ok"), err);
}

struct route {
    const char *path, *method, *allow;
    int (*handle)(struct story *story, struct reply *reply, struct error *err);
};

static const struct route routes[] = {
    {"/agent", "POST", "OPTIONS, POST", handle_chat},
    {"/health", "GET", "GET, OPTIONS", handle_health},
};

static bool same_path(const char *given, const char *path)
{
    size_t length = strlen(path);
    if (given == NULL || strncmp(given, path, length) != 0)
        return false;
    return given[length] == '\0' || strcmp(given + length, "/") == 0;
}

static bool ends_with(const char *given, const char *path)
{
    size_t given_length = given != NULL ? strlen(given) : 0;
    size_t length = strlen(path);
    return given_length >= length && same_path(given + given_length - length, path);
}

/* A custom domain puts a base path before the path, "/v1/agent"; the route then still names it. */
static const struct route *find_route(const struct event *event)
{
    for (size_t i = 0; i < sizeof routes / sizeof routes[0]; i++)
        if (same_path(event->path, routes[i].path))
            return &routes[i];
    for (size_t i = 0; i < sizeof routes / sizeof routes[0]; i++)
        if (same_path(event->route, routes[i].path) && ends_with(event->path, routes[i].path))
            return &routes[i];
    return NULL;
}

static bool is_chat(const struct event *event)
{
    if (event->source == EVENT_DIRECT || event->source == EVENT_SQS)
        return event->source == EVENT_DIRECT;
    const struct route *route = find_route(event);
    return route != NULL && route->handle == handle_chat && event->method != NULL &&
           strcmp(event->method, route->method) == 0;
}

static int handle_http(struct story *story, struct reply *reply, struct error *err)
{
    const char *request_id = story->invocation->request_id;
    const char *method = story->event.method != NULL ? story->event.method : "";
    if (strcmp(method, "OPTIONS") == 0) {
        *reply = (struct reply){.status = STATUS_NO_CONTENT, .retry_after_ns = -1};
        return 0;
    }
    const struct route *route = find_route(&story->event);
    if (route == NULL)
        return reply_error(reply, ERROR_NO_SUCH_PATH, NULL, request_id, err);
    if (strcmp(method, route->method) != 0) {
        int result = reply_error(reply, ERROR_WRONG_METHOD, NULL, request_id, err);
        reply->allow = route->allow;
        return result;
    }
    return route->handle(story, reply, err);
}

static int hand_back(struct json_object *failures, struct json_object *record, struct error *err)
{
    struct json_object *id = NULL;
    json_object_object_get_ex(record, "messageId", &id);
    /* An empty id means the whole batch, to Lambda. */
    const char *text = json_object_is_type(id, json_type_string) ? json_object_get_string(id) : "";
    struct json_object *item = json_object_new_object();
    if (reply_add(item, "itemIdentifier", json_object_new_string(text), err) == 0 &&
        json_object_array_add(failures, item) == 0)
        return 0;
    json_object_put(item);
    return error_set(err, ERROR_MEMORY, "no memory to hand back a message");
}

/* Nobody waits for these answers, and a message taken from the queue unanswered would be lost. */
static int hand_back_batch(const struct story *story, struct buffer *out, struct error *err)
{
    struct json_object *records = NULL;
    json_object_object_get_ex(story->event.root, "Records", &records);
    struct json_object *root = json_object_new_object();
    struct json_object *failures = json_object_new_array();
    int result = reply_add(root, "batchItemFailures", failures, err);
    for (size_t i = 0; result == 0 && i < json_object_array_length(records); i++)
        result = hand_back(failures, json_object_array_get_idx(records, i), err);
    const char *text = result == 0 ? json_object_to_json_string(root) : NULL;
    if (result == 0)
        result = text != NULL ? buffer_append_string(out, text, err)
                              : error_set(err, ERROR_MEMORY, "no memory for the batch's reply");
    json_object_put(root);
    log_line(&story->scope, LOG_ERROR, LOG_NO_FIELDS,
             "Events from SQS are not answered yet; the batch goes back to its queue");
    return result;
}

static int tell(const struct story *story, struct reply *reply, struct buffer *out,
                struct error *err)
{
    if (reply_write(reply, &story->event, out, err) == 0)
        return 0;
    if (err->kind != ERROR_REPLY_TOO_LARGE)
        return -1;
    log_line(&story->scope, LOG_ERROR, LOG_NO_FIELDS, "The reply is larger than Lambda takes");
    reply_free(reply);
    buffer_clear(out);
    if (reply_error(reply, ERROR_REPLY_TOO_LARGE, NULL, story->invocation->request_id, err) != 0)
        return -1;
    return reply_write(reply, &story->event, out, err);
}

static int reply_to(struct story *story, struct reply *reply, struct error *err)
{
    const struct agent_invocation *invocation = story->invocation;
    struct error failure = {0};
    int readable = event_read(&story->event, invocation->event, invocation->event_length, &failure);
    story->is_chat = is_chat(&story->event);
    story->answer_by_ns = deadline_of(&story->event, invocation->deadline_wall_ns,
                                      story->agent->settings, story->agent->os);
    if (readable != 0)
        return reply_failure(story, &failure, reply, err);
    if (story->event.source == EVENT_DIRECT)
        return handle_chat(story, reply, err);
    if (story->event.source == EVENT_SQS)
        return 0;
    return handle_http(story, reply, err);
}

/* `status` is the reply's, or 0: a batch has none, nor has a reply that could not be made. */
static void log_done(const struct story *story, int status)
{
    struct agent *agent = story->agent;
    int64_t now_ns = os_now_ns(agent->os);
    const struct metrics_invocation done = {
        .is_chat = story->is_chat,
        .outcome = error_outcome(status),
        .latency_ns = now_ns - story->began_ns,
        .remaining_ns = story->answer_by_ns - now_ns,
        .tally = &story->tally,
        .init_ns = atomic_exchange(&agent->init_ns, -1),
    };
    const struct log_field fields[] = {
        LOG_STRING("source", event_source_name(story->event.source)),
        LOG_STRING("outcome", metrics_outcome_word(&done)),
        LOG_NUMBER("duration_s", seconds_from_ns(done.latency_ns)),
        LOG_INTEGER("attempts", story->tally.attempts),
        LOG_NUMBER("waited_s", seconds_from_ns(story->waited_ns)),
        LOG_INTEGER("status", status),
    };
    size_t count = sizeof fields / sizeof fields[0];
    struct json_object *document = metrics_document(&done, agent->settings, os_wall_ns(agent->os));
    log_document(&story->scope, document, fields, status != 0 ? count : count - 1, "Request done");
    json_object_put(document);
}

static int answer(struct story *story, struct buffer *out, struct error *err)
{
    struct reply reply = {.retry_after_ns = -1};
    int result = reply_to(story, &reply, err);
    if (result == 0)
        result = story->event.source == EVENT_SQS ? hand_back_batch(story, out, err)
                                                  : tell(story, &reply, out, err);
    log_done(story, result == 0 ? reply.status : 0);
    reply_free(&reply);
    return result;
}

int agent_handle(struct agent *agent, const struct agent_invocation *invocation,
                 struct buffer *reply, struct error *err)
{
    agent->os->resync(agent->os->context);
    struct story story = {
        .agent = agent,
        .invocation = invocation,
        .scope = {.log = agent->log, .request_id = invocation->request_id},
        .began_ns = os_now_ns(agent->os),
    };
    int result = answer(&story, reply, err);
    event_free(&story.event);
    return result;
}
