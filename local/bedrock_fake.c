#include "local/bedrock_fake.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/os.h"
#include "base/strict_json.h"
#include "local/auth.h"
#include "local/bedrock_reply.h"
#include "local/clock.h"
#include "local/document.h"
#include "local/model.h"
#include "local/server.h"
#include "local/text.h"

#define REQUEST_MAX 25000000 /* bytes; Bedrock's own limit */
#define HANG_NS     (900 * NS_PER_S)
#define MODEL_MAX   2048 /* bytes of a model id or ARN */

struct bedrock_fake {
    struct bedrock_fake_options options;
    struct server *server;
    pthread_mutex_t lock; /* of what follows */
    struct rules rules;
    struct fault_script script;
    struct quota requests, tokens;
    uint64_t generation; /* changes with the rules: older tickets count no more */
};

/* One model request. */
struct call {
    struct bedrock_fake *fake;
    const struct server_request *request;
    struct server_reply *reply;
    struct stats_attempt attempt;
    struct model_request model;
    char id[MODEL_MAX];
    bool has_fault;
    struct fault fault; /* a copy: the script may change */
    struct quota_ticket tokens;
    uint64_t generation;
};

/* --- rules ------------------------------------------------------------------------------------ */

/* Puts the rules in force; takes them over. */
static int apply(struct bedrock_fake *fake, struct rules *rules, struct error *err)
{
    struct fault_script script = {0};
    if (rules->fault != NULL && fault_script_add(&script, rules->fault, err) != 0)
        return -1;
    pthread_mutex_lock(&fake->lock);
    rules_free(&fake->rules);
    fake->rules = *rules;
    *rules = (struct rules){0};
    fault_script_free(&fake->script);
    fake->script = script;
    quota_free(&fake->requests);
    quota_init(&fake->requests, fake->rules.quota, fake->rules.requests_per_minute);
    quota_free(&fake->tokens);
    quota_init(&fake->tokens, fake->rules.quota, fake->rules.tokens_per_minute);
    fake->generation++;
    pthread_mutex_unlock(&fake->lock);
    stats_forget_attempts(fake->options.stats);
    return 0;
}

static int apply_and_free(struct bedrock_fake *fake, struct rules *rules, struct error *err)
{
    int result = apply(fake, rules, err);
    rules_free(rules);
    return result;
}

int bedrock_fake_reset(struct bedrock_fake *fake, struct error *err)
{
    struct rules rules;
    if (rules_copy(&rules, fake->options.rules, err) != 0)
        return -1;
    return apply_and_free(fake, &rules, err);
}

static int read_rules(struct rules *rules, struct json_object *wishes, struct error *err)
{
    if (!json_object_is_type(wishes, json_type_object))
        return error_set(err, ERROR_INVALID_REQUEST, "the rules are no JSON object");
    json_object_object_foreach(wishes, name, value)
    {
        const char *text = json_object_get_string(value);
        if (rules_set(rules, name, text != NULL ? text : "", err) != 0)
            return -1;
    }
    return 0;
}

int bedrock_fake_change(struct bedrock_fake *fake, const char *json, size_t length,
                        struct error *err)
{
    struct json_object *wishes = strict_json_parse(json, length, err);
    if (wishes == NULL)
        return -1;
    struct rules rules;
    pthread_mutex_lock(&fake->lock);
    int result = rules_copy(&rules, &fake->rules, err);
    pthread_mutex_unlock(&fake->lock);
    if (result == 0)
        result = read_rules(&rules, wishes, err);
    json_object_put(wishes);
    if (result == 0)
        return apply_and_free(fake, &rules, err);
    rules_free(&rules);
    return -1;
}

/* --- one request ------------------------------------------------------------------------------ */

static void refuse(struct call *call, int status, const char *type, const char *message)
{
    struct bedrock_error error = {.status = status, .type = type, .message = message};
    bedrock_reply_error(call->reply, &error);
}

/* "/model/{id}/invoke" -> the id, decoded. */
static int read_model_id(const char *path, char *out, size_t size)
{
    static const char before[] = "/model/";
    static const char after[] = "/invoke";
    size_t length = strlen(path);
    if (strncmp(path, before, strlen(before)) != 0 || length <= strlen(before) + strlen(after) ||
        strcmp(path + length - strlen(after), after) != 0)
        return -1;
    const char *id = path + strlen(before);
    length -= strlen(before) + strlen(after);
    struct buffer decoded;
    buffer_init(&decoded, size - 1);
    bool fits = memchr(id, '/', length) == NULL &&
                text_percent_decode(id, length, false, &decoded, NULL) == 0;
    if (fits)
        memcpy(out, decoded.data, decoded.length + 1);
    buffer_free(&decoded);
    return fits ? 0 : -1;
}

static void take_fault(struct call *call)
{
    struct bedrock_fake *fake = call->fake;
    pthread_mutex_lock(&fake->lock);
    const struct fault *fault = fault_script_next(&fake->script);
    call->has_fault = fault != NULL;
    if (fault != NULL)
        call->fault = *fault;
    pthread_mutex_unlock(&fake->lock);
    if (fault != NULL)
        (void)snprintf(call->attempt.fault, sizeof call->attempt.fault, "%s",
                       call->fault.row->name);
}

/* Takes a request and its tokens from the quotas; NULL, or what Bedrock says when there is none
 * left. */
static const char *take_quota(struct call *call)
{
    struct bedrock_fake *fake = call->fake;
    int64_t now_ns = clock_now_ns();
    double tokens = (double)(call->model.input_tokens + call->model.max_tokens);
    struct quota_ticket request;
    const char *refusal = NULL;
    pthread_mutex_lock(&fake->lock);
    call->generation = fake->generation;
    if (!quota_take(&fake->requests, now_ns, 1, &request)) {
        refusal = "Too many requests, please wait before trying again.";
    } else if (!quota_take(&fake->tokens, now_ns, tokens, &call->tokens)) {
        quota_settle(&fake->requests, now_ns, &request, 0);
        refusal = "Too many tokens, please wait before trying again.";
    }
    pthread_mutex_unlock(&fake->lock);
    return refusal;
}

static void settle_quota(struct call *call)
{
    struct bedrock_fake *fake = call->fake;
    double used = (double)call->model.input_tokens +
                  (double)call->attempt.output_tokens * model_burndown(&call->model);
    pthread_mutex_lock(&fake->lock);
    if (call->generation == fake->generation)
        quota_settle(&fake->tokens, clock_now_ns(), &call->tokens, used);
    pthread_mutex_unlock(&fake->lock);
}

/* How long the model takes. */
static int64_t draw_latency_ns(struct call *call)
{
    struct bedrock_fake *fake = call->fake;
    pthread_mutex_lock(&fake->lock);
    double least_s = fake->rules.least_latency_s;
    double most_s = fake->rules.most_latency_s;
    pthread_mutex_unlock(&fake->lock);
    double latency_s = least_s + os_draw(os_real()) * (most_s - least_s);
    if (call->has_fault && call->fault.row->kind == FAULT_SLOW)
        latency_s += call->fault.number;
    return ns_from_seconds(latency_s);
}

/* Works for a while and answers; the caller may have gone meanwhile. */
static void answer(struct call *call)
{
    const struct fault *fault = call->has_fault ? &call->fault : NULL;
    struct model_reply reply = {0};
    struct error err = {0};
    int64_t latency_ns = draw_latency_ns(call);
    bool stays = latency_ns <= 0 || server_pause(call->request, latency_ns);
    int result = model_answer(&call->model, fault, &reply, &err);
    call->attempt.output_tokens = reply.output_tokens;
    settle_quota(call);
    if (!stays) {
        call->reply->manner = SERVER_CUT;
    } else if (result != 0) {
        refuse(call, 500, "InternalServerException", "The stand-in has no memory left.");
    } else {
        struct bedrock_answer_facts facts = {.fault = fault,
                                             .input_tokens = call->model.input_tokens,
                                             .output_tokens = reply.output_tokens,
                                             .latency_ms = latency_ns / NS_PER_MS};
        bedrock_reply_answer(call->reply, &reply, &facts);
    }
    buffer_wipe(&reply.body);
}

/* A request that is authentic. */
static void serve(struct call *call)
{
    struct error err = {0};
    const struct server_request *request = call->request;
    int read = model_read(&call->model, call->id, request->body, request->body_length, &err);
    call->attempt.input_tokens = call->model.input_tokens;
    call->attempt.max_tokens = read == 0 ? call->model.max_tokens : 0;
    if (call->has_fault && call->fault.after_s > 0 &&
        !server_pause(request, ns_from_seconds(call->fault.after_s))) {
        call->reply->manner = SERVER_CUT;
        return;
    }
    if (call->has_fault && call->fault.row->kind == FAULT_HANG)
        (void)server_pause(request, HANG_NS);
    if (call->has_fault && bedrock_reply_is_instead(&call->fault)) {
        bedrock_reply_fault(call->reply, &call->fault, call->id);
        return;
    }
    if (request->too_large || read != 0) {
        refuse(call, 400, "ValidationException",
               request->too_large ? "The request body is too large." : err.text);
        return;
    }
    const char *refusal = take_quota(call);
    if (refusal != NULL) {
        refuse(call, 429, "ThrottlingException", refusal);
        return;
    }
    answer(call);
}

static void describe(struct call *call)
{
    struct stats_attempt *attempt = &call->attempt;
    *attempt = (struct stats_attempt){.at_ns = clock_now_ns(), .took_ns = -1};
    attempt->peer_port = call->request->peer_port;
    (void)snprintf(attempt->model, sizeof attempt->model, "%.255s", call->id);
    (void)snprintf(attempt->invocation_id, sizeof attempt->invocation_id, "%s",
                   server_header(call->request, "amz-sdk-invocation-id"));
    (void)snprintf(attempt->sdk_request, sizeof attempt->sdk_request, "%s",
                   server_header(call->request, "amz-sdk-request"));
}

static bool sends_status(const struct server_reply *reply)
{
    return reply->manner != SERVER_CUT && reply->manner != SERVER_RESET &&
           reply->manner != SERVER_RAW;
}

static void handle_call(struct call *call)
{
    struct bedrock_fake *fake = call->fake;
    struct stats *stats = fake->options.stats;
    struct auth_refusal refusal;
    describe(call);
    int sandbox = auth_check(call->request, os_wall_ns(os_real()), &refusal);
    if (sandbox >= 0)
        take_fault(call);
    call->attempt.sandbox = sandbox > 0 ? sandbox : 0;
    struct stats_ticket ticket = stats_begin_attempt(stats, &call->attempt);
    if (sandbox < 0)
        refuse(call, refusal.status, refusal.type, refusal.message);
    else
        serve(call);
    bedrock_reply_finish(call->reply, call->has_fault ? &call->fault : NULL);
    call->attempt.took_ns = clock_now_ns() - call->attempt.at_ns;
    call->attempt.status = sends_status(call->reply) ? call->reply->status : 0;
    /* Told before the reply leaves, so that who has the reply can read what happened. */
    stats_end_attempt(stats, ticket, &call->attempt);
    if (sandbox > 0)
        fake->options.worked(fake->options.context, sandbox, call->attempt.took_ns);
    model_request_free(&call->model);
}

static void handle(void *context, const struct server_request *request, struct server_reply *reply)
{
    struct call call = {.fake = context, .request = request, .reply = reply};
    if (strcmp(request->method, "POST") != 0 ||
        read_model_id(request->path, call.id, sizeof call.id) != 0) {
        refuse(&call, 404, "UnknownOperationException", "There is only POST /model/{id}/invoke.");
        bedrock_reply_finish(reply, NULL);
        return;
    }
    handle_call(&call);
}

/* --- start and stop --------------------------------------------------------------------------- */

struct bedrock_fake *bedrock_fake_start(const struct bedrock_fake_options *options,
                                        struct error *err)
{
    struct bedrock_fake *fake = calloc(1, sizeof *fake);
    if (fake == NULL) {
        (void)error_set(err, ERROR_MEMORY, "no memory for the Bedrock stand-in");
        return NULL;
    }
    fake->options = *options;
    pthread_mutex_init(&fake->lock, NULL);
    struct server_options server = {.host = "127.0.0.1",
                                    .port = options->port,
                                    .max_body = REQUEST_MAX,
                                    .handle = handle,
                                    .context = fake};
    if (bedrock_fake_reset(fake, err) == 0)
        fake->server = server_start(&server, err);
    if (fake->server != NULL)
        return fake;
    bedrock_fake_stop(fake);
    return NULL;
}

int bedrock_fake_port(const struct bedrock_fake *fake)
{
    return server_port(fake->server);
}

void bedrock_fake_stop(struct bedrock_fake *fake)
{
    if (fake == NULL)
        return;
    server_stop(fake->server);
    rules_free(&fake->rules);
    fault_script_free(&fake->script);
    quota_free(&fake->requests);
    quota_free(&fake->tokens);
    pthread_mutex_destroy(&fake->lock);
    free(fake);
}
