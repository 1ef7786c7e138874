#include "tests/support/stage.h"

#include <json-c/json.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/support/cmocka_all.h"

#define PATIENCE_S 60

const char stage_answer_body[] =
    "{\"content\":[{\"type\":\"text\",\"text\":\"Hello.\"}],\"stop_reason\":\"end_turn\","
    "\"usage\":{\"input_tokens\":3,\"output_tokens\":2}}";

static void deliver(struct stage *stage, struct peer_answer *answer)
{
    if (stage->delivered >= stage->event_count || stage->events[stage->delivered].event == NULL) {
        answer->hang = true;
        return;
    }
    const struct stage_event *event = &stage->events[stage->delivered++];
    static _Thread_local char headers[4096];
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    long long deadline_ms = (long long)now.tv_sec * 1000 + now.tv_nsec / 1000000 +
                            (event->deadline_ms > 0 ? event->deadline_ms : 60000);
    (void)snprintf(headers, sizeof headers,
                   "Content-Type: application/json\r\nLambda-Runtime-Aws-Request-Id: "
                   "request-%zu\r\nLambda-Runtime-Trace-Id: Root=1-%08zx-0123456789abcdef01234567;"
                   "Parent=0123456789abcdef;Sampled=0\r\nLambda-Runtime-Deadline-Ms: %lld\r\n%s",
                   stage->delivered, stage->delivered, deadline_ms,
                   event->headers != NULL ? event->headers : "");
    *answer = event->how;
    answer->status = event->cut ? 0 : answer->status > 0 ? answer->status : 200;
    answer->headers = headers;
    answer->body = event->event;
    answer->body_length = event->length;
}

static void record_post(struct stage *stage, const struct peer_request *request,
                        struct peer_answer *answer)
{
    if (stage->post_count < STAGE_POSTS_MAX) {
        struct stage_post *post = &stage->posts[stage->post_count];
        (void)snprintf(post->path, sizeof post->path, "%.255s", request->path);
        if (!peer_header(request, "Lambda-Runtime-Invocation-Id", post->invocation_id,
                         sizeof post->invocation_id))
            (void)snprintf(post->invocation_id, sizeof post->invocation_id, "(absent)");
        peer_header(request, "Lambda-Runtime-Function-Error-Type", post->error_type,
                    sizeof post->error_type);
        post->body = strndup(request->body, request->body_length);
        post->body_length = request->body_length;
    }
    int status = stage->delivered > 0 ? stage->events[stage->delivered - 1].post_status : 0;
    stage->post_count++;
    answer->status = status > 0 ? status : 202;
    answer->body = "{\"status\":\"OK\"}\n";
}

static void play_lambda(void *context, const struct peer_request *request,
                        struct peer_answer *answer)
{
    struct stage *stage = context;
    pthread_mutex_lock(&stage->lock);
    if (strcmp(request->method, "GET") == 0) {
        stage->polls++;
        deliver(stage, answer);
    } else {
        record_post(stage, request, answer);
    }
    pthread_cond_broadcast(&stage->changed);
    pthread_mutex_unlock(&stage->lock);
}

static void play_bedrock(void *context, const struct peer_request *request,
                         struct peer_answer *answer)
{
    struct stage *stage = context;
    pthread_mutex_lock(&stage->lock);
    size_t at = stage->model_count++;
    if (at < STAGE_MODEL_MAX) {
        struct timespec now;
        clock_gettime(CLOCK_MONOTONIC, &now);
        struct stage_model *model = &stage->models[at];
        model->at_ns = (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
        (void)snprintf(model->path, sizeof model->path, "%s", request->path);
        peer_header(request, "Authorization", model->authorization, sizeof model->authorization);
    }
    *answer = stage->answers[at < stage->answer_count ? at : stage->answer_count - 1];
    pthread_mutex_unlock(&stage->lock);
}

/* Whether one of the settings has the name of `variable`, "NAME=value". */
static bool is_set(const char *const *settings, size_t count, const char *variable)
{
    size_t name_length = strcspn(variable, "=") + 1;
    for (size_t i = 0; i < count; i++)
        if (strncmp(settings[i], variable, name_length) == 0)
            return true;
    return false;
}

static void start_bootstrap(struct stage *stage, const char *const *settings)
{
    char api[64];
    char endpoint[128];
    (void)snprintf(api, sizeof api, "AWS_LAMBDA_RUNTIME_API=127.0.0.1:%d",
                   peer_port(stage->lambda));
    (void)snprintf(endpoint, sizeof endpoint,
                   "AWS_ENDPOINT_URL_BEDROCK_RUNTIME=http://127.0.0.1:%d",
                   peer_port(stage->bedrock));
    const char *const usual[] = {
        api,
        endpoint,
        "AWS_REGION=us-east-1",
        "AWS_ACCESS_KEY_ID=AKIDEXAMPLE",
        "AWS_SECRET_ACCESS_KEY=secret",
        "AWS_SESSION_TOKEN=token+/=",
        "BEDROCK_MODEL_ID=anthropic.claude-3-haiku-20240307-v1:0",
        "PATH=/usr/local/bin:/usr/bin:/bin",
    };
    const char *environment[64] = {0};
    size_t n = 0;
    for (size_t i = 0; settings != NULL && settings[i] != NULL && n < 40; i++)
        environment[n++] = settings[i];
    size_t given_count = n;
    for (size_t i = 0; i < sizeof usual / sizeof usual[0]; i++)
        if (!is_set(environment, given_count, usual[i]))
            environment[n++] = usual[i];
    const char *program = getenv("BOOTSTRAP");
    const char *const arguments[] = {"bootstrap", NULL};
    child_start(&stage->child, program != NULL ? program : "build/bootstrap", arguments,
                environment);
}

void stage_open(struct stage *stage, const struct stage_event *events, size_t event_count,
                const struct peer_answer *answers, size_t answer_count, const char *const *settings)
{
    *stage = (struct stage){
        .events = events,
        .event_count = event_count,
        .answers = answers,
        .answer_count = answer_count,
    };
    pthread_mutex_init(&stage->lock, NULL);
    pthread_cond_init(&stage->changed, NULL);
    stage->lambda = peer_new(play_lambda, stage);
    stage->bedrock = peer_new(play_bedrock, stage);
    start_bootstrap(stage, settings);
}

static void wait_until(struct stage *stage, const size_t *counter, size_t count)
{
    struct timespec limit;
    clock_gettime(CLOCK_REALTIME, &limit);
    limit.tv_sec += PATIENCE_S;
    pthread_mutex_lock(&stage->lock);
    int timed_out = 0;
    while (*counter < count && timed_out == 0)
        timed_out = pthread_cond_timedwait(&stage->changed, &stage->lock, &limit);
    bool reached = *counter >= count;
    pthread_mutex_unlock(&stage->lock);
    if (reached)
        return;
    char *output = child_output(&stage->child);
    print_error("%s", output);
    free(output);
    fail_msg("waited for %zu, saw %zu", count, *counter);
}

void stage_wait_posts(struct stage *stage, size_t count)
{
    wait_until(stage, &stage->post_count, count);
}

void stage_wait_polls(struct stage *stage, size_t count)
{
    wait_until(stage, &stage->polls, count);
}

static size_t read_counter(struct stage *stage, const size_t *counter)
{
    pthread_mutex_lock(&stage->lock);
    size_t count = *counter;
    pthread_mutex_unlock(&stage->lock);
    return count;
}

size_t stage_posts(struct stage *stage)
{
    return read_counter(stage, &stage->post_count);
}

size_t stage_polls(struct stage *stage)
{
    return read_counter(stage, &stage->polls);
}

static struct json_object *member(struct json_object *object, const char *name)
{
    struct json_object *value = NULL;
    json_object_object_get_ex(object, name, &value);
    return value;
}

int stage_status(const struct stage *stage, size_t post)
{
    struct json_object *root = json_tokener_parse(stage->posts[post].body);
    struct json_object *status = member(root, "statusCode");
    int result = status != NULL ? json_object_get_int(status) : -1;
    json_object_put(root);
    return result;
}

static char *text_of(struct json_object *value)
{
    return strdup(value != NULL ? json_object_get_string(value) : "");
}

char *stage_body_member(const struct stage *stage, size_t post, const char *name)
{
    struct json_object *root = json_tokener_parse(stage->posts[post].body);
    struct json_object *text = member(root, "body");
    struct json_object *body =
        text != NULL ? json_tokener_parse(json_object_get_string(text)) : NULL;
    char *result = text_of(member(body, name));
    json_object_put(body);
    json_object_put(root);
    return result;
}

char *stage_header(const struct stage *stage, size_t post, const char *name)
{
    struct json_object *root = json_tokener_parse(stage->posts[post].body);
    char *result = text_of(member(member(root, "headers"), name));
    json_object_put(root);
    return result;
}

void stage_close(struct stage *stage)
{
    child_free(&stage->child);
    peer_free(stage->lambda);
    peer_free(stage->bedrock);
    size_t kept = stage->post_count < STAGE_POSTS_MAX ? stage->post_count : STAGE_POSTS_MAX;
    for (size_t i = 0; i < kept; i++)
        free(stage->posts[i].body);
    pthread_mutex_destroy(&stage->lock);
    pthread_cond_destroy(&stage->changed);
}
