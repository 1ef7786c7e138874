#include "local/lambda.h"

#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/os.h"
#include "local/clock.h"
#include "local/document.h"
#include "local/invocation.h"
#include "local/sandbox.h"

static const char *const outcome_words[] = {
#define LAMBDA_WORD(kind, word) [OUTCOME_##kind] = (word),
    LAMBDA_OUTCOMES(LAMBDA_WORD)
#undef LAMBDA_WORD
};

const char *lambda_outcome_word(enum lambda_outcome outcome)
{
    return outcome_words[outcome];
}

void lambda_result_free(struct lambda_result *result)
{
    buffer_wipe(&result->answer);
    *result = (struct lambda_result){0};
}

void lambda_wake(struct lambda *lambda)
{
    (void)eventfd_write(lambda->wake_fd, 1);
}

/* --- sandboxes for events --------------------------------------------------------------------- */

static struct sandbox *sandbox_new(struct lambda *lambda)
{
    struct sandbox *sandbox = calloc(1, sizeof *sandbox);
    if (sandbox == NULL)
        return NULL;
    sandbox->lambda = lambda;
    sandbox->number = ++lambda->last_number;
    sandbox->state = SANDBOX_WANTED;
    sandbox->deadline_ns = CLOCK_NEVER;
    clock_condition_init(&sandbox->changed);
    struct sandbox **end = &lambda->sandboxes;
    while (*end != NULL)
        end = &(*end)->next;
    *end = sandbox;
    lambda_wake(lambda);
    return sandbox;
}

/* Whether it takes one of the places; one that ended a moment ago does not. */
static bool counts(const struct sandbox *sandbox)
{
    return sandbox->state != SANDBOX_ENDING && !sandbox_has_ended(sandbox);
}

/*
 * Those that are up come before those that are about to be. Whether one is back in /next already
 * makes no difference: callers one after another shall meet the same sandbox each time.
 */
static int rank(const struct sandbox *sandbox)
{
    if (sandbox->invocation != NULL || sandbox->init_failed || !counts(sandbox))
        return -1;
    switch (sandbox->state) {
    case SANDBOX_IDLE:
    case SANDBOX_ANSWERED:
        return 0;
    case SANDBOX_STARTING:
    case SANDBOX_WANTED:
        return 1;
    default:
        return -1;
    }
}

/* A sandbox that can take an event, a new one if need be; NULL when all are busy. */
static struct sandbox *find_sandbox(struct lambda *lambda)
{
    struct sandbox *best = NULL;
    int count = 0;
    for (struct sandbox *s = lambda->sandboxes; s != NULL; s = s->next) {
        count += counts(s) ? 1 : 0;
        if (rank(s) >= 0 && (best == NULL || rank(s) < rank(best)))
            best = s;
    }
    if (best != NULL || lambda->stopping || count >= lambda->setup.options->sandboxes)
        return best;
    return sandbox_new(lambda);
}

static void assign(struct sandbox *sandbox, struct invocation *invocation)
{
    invocation->references++;
    sandbox->invocation = invocation;
    if (sandbox->state == SANDBOX_IDLE || sandbox->state == SANDBOX_ANSWERED)
        sandbox->deadline_ns = clock_now_ns() + sandbox->lambda->setup.options->timeout_ns;
    sandbox_thaw(sandbox);
    pthread_cond_broadcast(&sandbox->changed);
    lambda_wake(sandbox->lambda);
}

void lambda_place(struct lambda *lambda, struct invocation *invocation)
{
    struct sandbox *sandbox = find_sandbox(lambda);
    if (sandbox != NULL) {
        assign(sandbox, invocation);
        return;
    }
    stats_add(lambda->setup.stats, STATS_no_sandbox);
    invocation_fail(invocation, lambda->stopping ? OUTCOME_STOPPED : OUTCOME_REFUSED,
                    "TooManyRequestsException", "Rate Exceeded.");
}

int lambda_invoke(struct lambda *lambda, const struct lambda_event *event,
                  struct lambda_result *result, struct error *err)
{
    int64_t now_ns = clock_now_ns();
    int64_t until_ns =
        event->wait_ns < CLOCK_NEVER - now_ns ? now_ns + event->wait_ns : CLOCK_NEVER;
    struct invocation *invocation = invocation_new(event, err);
    if (invocation == NULL)
        return -1;
    int appended = 0;
    pthread_mutex_lock(&lambda->lock);
    lambda_place(lambda, invocation);
    while (invocation->outcome == OUTCOME_PENDING)
        if (!clock_wait_until(&invocation->done, &lambda->lock, until_ns))
            break;
    result->outcome = invocation->outcome;
    result->model_ns = invocation->model_ns;
    memcpy(result->request_id, invocation->request_id, sizeof result->request_id);
    buffer_init(&result->answer, LAMBDA_PAYLOAD_MAX);
    if (invocation->answer.data != NULL)
        appended =
            buffer_append(&result->answer, invocation->answer.data, invocation->answer.length, err);
    invocation_drop(invocation);
    pthread_mutex_unlock(&lambda->lock);
    return appended;
}

void lambda_add_model_time(struct lambda *lambda, int sandbox, int64_t ns)
{
    pthread_mutex_lock(&lambda->lock);
    for (struct sandbox *s = lambda->sandboxes; s != NULL; s = s->next)
        if (s->number == sandbox && s->invocation != NULL)
            s->invocation->model_ns += ns;
    pthread_mutex_unlock(&lambda->lock);
}

int lambda_print(struct lambda *lambda, struct buffer *out, struct error *err)
{
    struct json_object *list = json_object_new_array();
    pthread_mutex_lock(&lambda->lock);
    for (const struct sandbox *s = lambda->sandboxes; s != NULL; s = s->next) {
        struct json_object *object = json_object_new_object();
        json_object_object_add(object, "number", json_object_new_int(s->number));
        json_object_object_add(object, "pid", json_object_new_int(s->pid));
        json_object_object_add(object, "state", json_object_new_string(sandbox_state_word(s)));
        json_object_object_add(object, "invocations",
                               json_object_new_int64((int64_t)s->invocations));
        json_object_array_add(list, object);
    }
    pthread_mutex_unlock(&lambda->lock);
    int result = document_print(list, out, err);
    json_object_put(list);
    return result;
}

struct lambda *lambda_new(const struct lambda_setup *setup, struct error *err)
{
    struct lambda *lambda = calloc(1, sizeof *lambda);
    if (lambda == NULL) {
        (void)error_set(err, ERROR_MEMORY, "no memory for the Lambda service");
        return NULL;
    }
    lambda->setup = *setup;
    pthread_mutex_init(&lambda->lock, NULL);
    lambda->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (lambda->wake_fd < 0) {
        (void)error_set(err, ERROR_INTERNAL, "cannot make an eventfd");
        lambda_free(lambda);
        return NULL;
    }
    for (int i = 0; i < setup->options->provisioned; i++) {
        struct sandbox *sandbox = sandbox_new(lambda);
        if (sandbox != NULL)
            sandbox->provisioned = true;
    }
    return lambda;
}

void lambda_use_stand_in(struct lambda *lambda, int port)
{
    pthread_mutex_lock(&lambda->lock);
    lambda->bedrock_port = port;
    pthread_mutex_unlock(&lambda->lock);
}

void lambda_free(struct lambda *lambda)
{
    if (lambda == NULL)
        return;
    if (lambda->wake_fd >= 0)
        (void)close(lambda->wake_fd);
    pthread_mutex_destroy(&lambda->lock);
    free(lambda);
}
