#include "local/runtime_api.h"

#include <inttypes.h>
#include <regex.h>
#include <stdio.h>
#include <string.h>

#include "base/os.h"
#include "base/strict_json.h"
#include "local/auth.h"
#include "local/clock.h"
#include "local/document.h"
#include "local/invocation.h"
#include "local/sandbox.h"

#define API          "/2018-06-01/runtime"
#define FUNCTION_ARN "arn:aws:lambda:us-east-1:123456789012:function:weir-local"
#define SIZED_MAX    65536 /* longer events are sent chunked */
#define RESTORE_NS   (10 * NS_PER_S)

/* --- replies ---------------------------------------------------------------------------------- */

static void refuse(struct server_reply *reply, int status, const char *type, const char *message)
{
    char body[256];
    (void)snprintf(body, sizeof body, "{\"errorMessage\":\"%s\",\"errorType\":\"%s\"}\n", message,
                   type);
    server_reply_json(reply, status, body);
}

static void refuse_state(struct server_reply *reply)
{
    refuse(reply, 403, "InvalidStateTransition", "State transition is not allowed");
}

static void accept(struct server_reply *reply)
{
    server_reply_json(reply, 202, "{\"status\":\"OK\"}\n");
}

static int header(struct server_reply *reply, const char *name, const char *value)
{
    return server_reply_header(reply, name, value, NULL);
}

/* --- events ----------------------------------------------------------------------------------- */

static void send_event(const struct sandbox *sandbox, struct server_reply *reply)
{
    const struct invocation *invocation = sandbox->invocation;
    char deadline[32];
    (void)snprintf(deadline, sizeof deadline, "%" PRId64, sandbox->deadline_wall_ms);
    server_reply_json(reply, 200, "");
    if (header(reply, "Lambda-Runtime-Aws-Request-Id", invocation->request_id) != 0 ||
        header(reply, "Lambda-Runtime-Deadline-Ms", deadline) != 0 ||
        header(reply, "Lambda-Runtime-Invoked-Function-Arn", FUNCTION_ARN) != 0 ||
        header(reply, "Lambda-Runtime-Invocation-Id", invocation->nonce) != 0 ||
        (invocation->trace_id[0] != '\0' &&
         header(reply, "Lambda-Runtime-Trace-Id", invocation->trace_id) != 0) ||
        buffer_append(&reply->body, invocation->event.data, invocation->event.length, NULL) != 0)
        refuse(reply, 500, "InternalServerError", "no memory");
    if (invocation->event.length > SIZED_MAX)
        reply->manner = SERVER_CHUNKED;
}

static void deliver(struct sandbox *sandbox, struct server_reply *reply)
{
    int64_t timeout_ns = sandbox->lambda->setup.options->timeout_ns;
    sandbox->state = SANDBOX_BUSY;
    sandbox->invocations++;
    sandbox->deadline_ns = clock_now_ns() + timeout_ns;
    sandbox->deadline_wall_ms = (os_wall_ns(os_real()) + timeout_ns) / NS_PER_MS;
    lambda_wake(sandbox->lambda);
    send_event(sandbox, reply);
}

/* Whether everything the sandbox wants at its start is done, so that it may get events. */
static bool is_complete(const struct sandbox *sandbox)
{
    return !sandbox->has_extension || sandbox->extension_waits;
}

/* Waits, frozen perhaps, for an event; false when it is somebody else's turn or the end. */
static bool wait_for_event(struct sandbox *sandbox)
{
    uint64_t turn = ++sandbox->polls;
    sandbox->state = SANDBOX_IDLE;
    sandbox->reached_next = true;
    if (sandbox->invocation == NULL)
        sandbox->deadline_ns = CLOCK_NEVER;
    pthread_cond_broadcast(&sandbox->changed);
    lambda_wake(sandbox->lambda);
    while (sandbox->state == SANDBOX_IDLE && sandbox->polls == turn) {
        if (sandbox->invocation != NULL && is_complete(sandbox))
            return true;
        if (sandbox->invocation == NULL && is_complete(sandbox))
            sandbox_freeze(sandbox);
        pthread_cond_wait(&sandbox->changed, &sandbox->lambda->lock);
    }
    return false;
}

static void answer_next(struct sandbox *sandbox, const struct server_request *request,
                        struct server_reply *reply)
{
    (void)request;
    if (sandbox->init_failed) {
        refuse_state(reply);
        return;
    }
    bool busy = sandbox->state == SANDBOX_BUSY;
    if (busy && sandbox->invocation->outcome == OUTCOME_PENDING) {
        stats_add(sandbox->lambda->setup.stats, STATS_redeliveries);
        send_event(sandbox, reply);
        return;
    }
    if (busy)
        sandbox_release(sandbox); /* it was late, and gave up */
    if (wait_for_event(sandbox))
        deliver(sandbox, reply);
    else
        reply->manner = SERVER_CUT;
}

/* --- answers ---------------------------------------------------------------------------------- */

static void done(struct sandbox *sandbox)
{
    sandbox_release(sandbox);
    sandbox->state = SANDBOX_ANSWERED;
    sandbox->deadline_ns = CLOCK_NEVER;
}

/* Whether this post is for the event that the sandbox has; refuses it otherwise. */
static bool is_expected(struct sandbox *sandbox, const struct server_request *request,
                        const char *request_id, struct server_reply *reply)
{
    struct stats *stats = sandbox->lambda->setup.stats;
    const char *nonce = server_header(request, "Lambda-Runtime-Invocation-Id");
    if (sandbox->state != SANDBOX_BUSY) {
        refuse_state(reply);
        return false;
    }
    const struct invocation *invocation = sandbox->invocation;
    if (strcmp(invocation->request_id, request_id) != 0 ||
        (nonce[0] != '\0' && strcmp(invocation->nonce, nonce) != 0)) {
        refuse(reply, 400, "InvalidRequestID", "Invalid request ID");
        return false;
    }
    if (nonce[0] == '\0')
        stats_add(stats, STATS_missing_invocation_ids);
    if (invocation->outcome != OUTCOME_PENDING) {
        stats_add(stats, STATS_late_answers);
        refuse(reply, 410, "InvokeTimeout", "Invoke timeout");
        done(sandbox);
        return false;
    }
    return true;
}

static void take_too_large(struct sandbox *sandbox, struct server_reply *reply)
{
    static const char message[] = "Exceeded maximum allowed payload size (6291556 bytes).";
    refuse(reply, 413, "RequestEntityTooLarge", message);
    invocation_fail(sandbox->invocation, OUTCOME_TOO_LARGE, "Function.ResponseSizeTooLarge",
                    message);
    done(sandbox);
}

static void take_answer(struct sandbox *sandbox, const struct server_request *request,
                        enum lambda_outcome outcome, struct server_reply *reply)
{
    if (request->too_large) {
        take_too_large(sandbox, reply);
        return;
    }
    buffer_clear(&sandbox->invocation->answer);
    if (buffer_append(&sandbox->invocation->answer, request->body, request->body_length, NULL) != 0)
        outcome = OUTCOME_TOO_LARGE;
    invocation_finish(sandbox->invocation, outcome);
    done(sandbox);
    accept(reply);
}

static void answer_response(struct sandbox *sandbox, const struct server_request *request,
                            const char *request_id, struct server_reply *reply)
{
    const char *mode = server_header(request, "Lambda-Runtime-Function-Response-Mode");
    if (!is_expected(sandbox, request, request_id, reply))
        return;
    if (mode[0] != '\0' && strcmp(mode, "streaming") != 0) {
        refuse(reply, 400, "InvalidFunctionResponseMode", "Invalid function response mode");
        return;
    }
    take_answer(sandbox, request, OUTCOME_RESPONSE, reply);
}

/* The error type as Lambda keeps it: what does not fit its pattern becomes Unknown. */
static void error_type(const struct server_request *request, char *out, size_t size)
{
    const char *type = server_header(request, "Lambda-Runtime-Function-Error-Type");
    regex_t pattern;
    bool fits = false;
    if (regcomp(&pattern, "^(Runtime|Function)\\.[A-Z][a-zA-Z]+$", REG_EXTENDED | REG_NOSUB) == 0) {
        fits = regexec(&pattern, type, 0, NULL, 0) == 0;
        regfree(&pattern);
    }
    if (!fits)
        type = strncmp(type, "Function.", 9) == 0 ? "Function.Unknown" : "Runtime.Unknown";
    (void)snprintf(out, size, "%s", type);
}

static void answer_error(struct sandbox *sandbox, const struct server_request *request,
                         const char *request_id, struct server_reply *reply)
{
    char type[128];
    if (!is_expected(sandbox, request, request_id, reply))
        return;
    error_type(request, type, sizeof type);
    (void)fprintf(stderr, "local: sandbox %d posted an error: %s\n", sandbox->number, type);
    take_answer(sandbox, request, OUTCOME_ERROR, reply);
}

/* --- start, restore, extensions --------------------------------------------------------------- */

/* Keeps the posted error for the message that the sandbox did not start. */
static void take_start_error(struct sandbox *sandbox, const struct server_request *request,
                             struct server_reply *reply)
{
    char type[128];
    error_type(request, type, sizeof type);
    struct json_object *body = strict_json_parse(request->body, request->body_length, NULL);
    struct json_object *message = document_member(body, "errorMessage", json_type_string);
    (void)snprintf(sandbox->init_error, sizeof sandbox->init_error, "%s: %s", type,
                   message != NULL ? json_object_get_string(message) : "no message");
    json_object_put(body);
    sandbox->init_failed = true;
    sandbox->state = SANDBOX_STARTING;
    accept(reply);
}

static void answer_init_error(struct sandbox *sandbox, const struct server_request *request,
                              struct server_reply *reply)
{
    if (sandbox->reached_next)
        refuse_state(reply);
    else
        take_start_error(sandbox, request, reply);
}

static void answer_restore_next(struct sandbox *sandbox, const struct server_request *request,
                                struct server_reply *reply)
{
    (void)request;
    bool allowed = sandbox->lambda->setup.options->snapstart && !sandbox->reached_next;
    if (!allowed) {
        refuse_state(reply);
        return;
    }
    if (!wait_for_event(sandbox)) {
        reply->manner = SERVER_CUT;
        return;
    }
    sandbox->state = SANDBOX_STARTING;
    sandbox->deadline_ns = clock_now_ns() + RESTORE_NS;
    server_reply_json(reply, 200, "");
}

static void answer_restore_error(struct sandbox *sandbox, const struct server_request *request,
                                 struct server_reply *reply)
{
    bool allowed = sandbox->lambda->setup.options->snapstart && sandbox->reached_next &&
                   sandbox->state == SANDBOX_STARTING;
    if (allowed)
        take_start_error(sandbox, request, reply);
    else
        refuse_state(reply);
}

static void answer_register(struct sandbox *sandbox, const struct server_request *request,
                            struct server_reply *reply)
{
    if (server_header(request, "Lambda-Extension-Name")[0] == '\0') {
        refuse(reply, 400, "Extension.InvalidExtensionName", "Invalid extension name");
        return;
    }
    if (sandbox->reached_next || sandbox->has_extension) {
        refuse(reply, 403, "Extension.RegistrationClosed", "Extension registration closed already");
        return;
    }
    sandbox->has_extension = true;
    os_uuid(os_real(), sandbox->extension_id);
    server_reply_json(reply, 200,
                      "{\"functionName\":\"weir-local\",\"functionVersion\":\"$LATEST\","
                      "\"handler\":\"bootstrap\"}");
    if (header(reply, "Lambda-Extension-Identifier", sandbox->extension_id) != 0)
        refuse(reply, 500, "InternalServerError", "no memory");
}

/* An internal extension without events waits here until the sandbox ends. */
static void answer_extension_next(struct sandbox *sandbox, const struct server_request *request,
                                  struct server_reply *reply)
{
    const char *id = server_header(request, "Lambda-Extension-Identifier");
    if (!sandbox->has_extension || strcmp(id, sandbox->extension_id) != 0) {
        refuse(reply, 403, "Extension.UnknownExtensionIdentifier", "Unknown extension");
        return;
    }
    sandbox->extension_waits = true;
    pthread_cond_broadcast(&sandbox->changed);
    while (sandbox->state != SANDBOX_ENDING)
        pthread_cond_wait(&sandbox->changed, &sandbox->lambda->lock);
    reply->manner = SERVER_CUT;
}

static void answer_credentials(struct sandbox *sandbox, const struct server_request *request,
                               struct server_reply *reply)
{
    char token[AUTH_TOKEN_SIZE];
    char body[512];
    auth_session_token(sandbox->number, token);
    if (strcmp(server_header(request, "Authorization"), token) != 0) {
        refuse(reply, 404, "NotFound", "No credentials for this token");
        return;
    }
    time_t expiry = (time_t)(os_wall_ns(os_real()) / NS_PER_S) + 3600;
    struct tm utc = {0};
    char stamp[32] = "";
    gmtime_r(&expiry, &utc);
    (void)strftime(stamp, sizeof stamp, "%Y-%m-%dT%H:%M:%SZ", &utc);
    (void)snprintf(body, sizeof body,
                   "{\"AccessKeyId\":\"%s\",\"SecretAccessKey\":\"%s\",\"Token\":\"%s\","
                   "\"Expiration\":\"%s\"}",
                   AUTH_ACCESS_KEY_ID, AUTH_SECRET_ACCESS_KEY, token, stamp);
    server_reply_json(reply, 200, body);
}

/* --- which request is it? --------------------------------------------------------------------- */

struct route {
    const char *method, *path;
    void (*answer)(struct sandbox *, const struct server_request *, struct server_reply *);
};

static const struct route routes[] = {
    {"GET", API "/invocation/next", answer_next},
    {"POST", API "/init/error", answer_init_error},
    {"GET", API "/restore/next", answer_restore_next},
    {"POST", API "/restore/error", answer_restore_error},
    {"POST", "/2020-01-01/extension/register", answer_register},
    {"GET", "/2020-01-01/extension/event/next", answer_extension_next},
    {"GET", "/2021-04-23/credentials", answer_credentials},
};

/* POST .../invocation/{id}/response and .../error; false when it is neither. */
static bool answer_post(struct sandbox *sandbox, const struct server_request *request,
                        struct server_reply *reply)
{
    static const char before[] = API "/invocation/";
    char id[128];
    if (strcmp(request->method, "POST") != 0 || strncmp(request->path, before, strlen(before)) != 0)
        return false;
    const char *start = request->path + strlen(before);
    size_t length = strcspn(start, "/");
    (void)snprintf(id, sizeof id, "%.*s", length < sizeof id ? (int)length : 0, start);
    if (strcmp(start + length, "/response") == 0)
        answer_response(sandbox, request, id, reply);
    else if (strcmp(start + length, "/error") == 0)
        answer_error(sandbox, request, id, reply);
    else
        return false;
    return true;
}

static void answer(struct sandbox *sandbox, const struct server_request *request,
                   struct server_reply *reply)
{
    if (sandbox->state == SANDBOX_ENDING) {
        reply->manner = SERVER_CUT;
        return;
    }
    for (size_t i = 0; i < sizeof routes / sizeof routes[0]; i++)
        if (strcmp(request->path, routes[i].path) == 0 &&
            strcmp(request->method, routes[i].method) == 0) {
            routes[i].answer(sandbox, request, reply);
            return;
        }
    if (!answer_post(sandbox, request, reply))
        refuse(reply, 404, "NotFound", "There is no such path");
}

static void handle(void *context, const struct server_request *request, struct server_reply *reply)
{
    struct sandbox *sandbox = context;
    pthread_mutex_lock(&sandbox->lambda->lock);
    answer(sandbox, request, reply);
    pthread_mutex_unlock(&sandbox->lambda->lock);
}

struct server *runtime_api_start(struct sandbox *sandbox, struct error *err)
{
    struct server_options options = {
        .host = "127.0.0.1", .max_body = LAMBDA_PAYLOAD_MAX, .handle = handle, .context = sandbox};
    return server_start(&options, err);
}
