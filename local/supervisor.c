#include "local/supervisor.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/wait.h>

#include "base/os.h"
#include "local/clock.h"
#include "local/invocation.h"
#include "local/sandbox.h"

int supervisor_wake_fd(const struct lambda *lambda)
{
    return lambda->wake_fd;
}

static void say(const struct sandbox *sandbox, const char *what)
{
    (void)fprintf(stderr, "local: sandbox %d %s\n", sandbox->number, what);
}

/* The process did not come up: it ended, or its time is up, before it asked for an event. */
static void init_failed(struct sandbox *sandbox, const char *how)
{
    struct lambda *lambda = sandbox->lambda;
    char what[2 * SANDBOX_TEXT_MAX];
    const char *told = sandbox->init_error;
    (void)snprintf(what, sizeof what, "did not start: %s", told[0] != '\0' ? told : how);
    say(sandbox, what);
    stats_add(lambda->setup.stats, STATS_init_failures);
    lambda->provisioned_failed = lambda->provisioned_failed || sandbox->provisioned;
    if (sandbox->invocation != NULL)
        invocation_fail(sandbox->invocation, OUTCOME_INIT, "Runtime.ExitError", what);
    sandbox_release(sandbox);
}

static void describe_exit(int status, char *out, size_t size)
{
    if (WIFSIGNALED(status))
        (void)snprintf(out, size, "was ended by signal %d (%s)", WTERMSIG(status),
                       strsignal(WTERMSIG(status)));
    else
        (void)snprintf(out, size, "exited with status %d", WEXITSTATUS(status));
}

static void ended(struct sandbox *sandbox, int status)
{
    struct lambda *lambda = sandbox->lambda;
    struct invocation *invocation = sandbox->invocation;
    enum sandbox_state state = sandbox->state;
    char how[128];
    describe_exit(status, how, sizeof how);
    sandbox->state = SANDBOX_ENDING;
    pthread_cond_broadcast(&sandbox->changed);
    if (state == SANDBOX_ENDING)
        return;
    if (state == SANDBOX_STARTING) {
        init_failed(sandbox, how);
        return;
    }
    say(sandbox, how);
    if (invocation == NULL)
        return;
    if (state == SANDBOX_BUSY && invocation->outcome == OUTCOME_PENDING) {
        stats_add(lambda->setup.stats, STATS_crashes);
        invocation_fail(invocation, OUTCOME_CRASH, "Runtime.ExitError", how);
    } else if (invocation->outcome == OUTCOME_PENDING) {
        lambda_place(lambda, invocation); /* it never saw the event: somebody else shall */
    }
    sandbox_release(sandbox);
}

static void time_is_up(struct sandbox *sandbox)
{
    struct lambda *lambda = sandbox->lambda;
    const struct options *options = lambda->setup.options;
    char how[96];
    if (sandbox->state == SANDBOX_ENDING) {
        sandbox_end(sandbox, true);
        return;
    }
    if (sandbox->state == SANDBOX_STARTING) {
        init_failed(sandbox, "it did not ask for an event in time");
        sandbox_end(sandbox, true);
        return;
    }
    (void)snprintf(how, sizeof how, "Task timed out after %.2f seconds",
                   seconds_from_ns(options->timeout_ns));
    say(sandbox, "exceeded the function's time-out");
    stats_add(lambda->setup.stats, STATS_function_timeouts);
    invocation_fail(sandbox->invocation, OUTCOME_TIMEOUT, "Sandbox.Timedout", how);
    sandbox->deadline_ns = CLOCK_NEVER;
    if (options->keep_late && sandbox->state == SANDBOX_BUSY)
        return;
    sandbox_release(sandbox);
    sandbox_end(sandbox, false);
}

static void launch(struct sandbox *sandbox)
{
    struct error err = {0};
    if (sandbox_launch(sandbox, &err) == 0)
        return;
    init_failed(sandbox, err.text);
    sandbox->state = SANDBOX_ENDING;
}

/* Whether the sandbox is gone for good. */
static bool attend(struct sandbox *sandbox)
{
    int status = 0;
    if (sandbox->state == SANDBOX_WANTED)
        launch(sandbox);
    if (sandbox_reap(sandbox, &status))
        ended(sandbox, status);
    else if (clock_now_ns() >= sandbox->deadline_ns)
        time_is_up(sandbox);
    return sandbox->state == SANDBOX_ENDING && sandbox->pid == 0;
}

/* Takes those that are gone out of the list and returns them. */
static struct sandbox *attend_all(struct lambda *lambda)
{
    struct sandbox *gone = NULL;
    struct sandbox **link = &lambda->sandboxes;
    while (*link != NULL) {
        struct sandbox *sandbox = *link;
        if (!attend(sandbox)) {
            link = &sandbox->next;
            continue;
        }
        *link = sandbox->next;
        sandbox->next = gone;
        gone = sandbox;
    }
    return gone;
}

static void sandbox_free(struct sandbox *sandbox)
{
    server_stop(sandbox->runtime_api);
    pthread_cond_destroy(&sandbox->changed);
    free(sandbox);
}

int64_t supervisor_attend(struct lambda *lambda)
{
    eventfd_t ignored = 0;
    int64_t next_ns = CLOCK_NEVER;
    (void)eventfd_read(lambda->wake_fd, &ignored);
    pthread_mutex_lock(&lambda->lock);
    struct sandbox *gone = attend_all(lambda);
    for (const struct sandbox *s = lambda->sandboxes; s != NULL; s = s->next)
        next_ns = s->deadline_ns < next_ns ? s->deadline_ns : next_ns;
    pthread_mutex_unlock(&lambda->lock);
    while (gone != NULL) {
        /* Without the lock: its handlers may want it, and are waited for. */
        struct sandbox *next = gone->next;
        sandbox_free(gone);
        gone = next;
    }
    return next_ns;
}

int supervisor_ready(struct lambda *lambda)
{
    int ready = 1;
    pthread_mutex_lock(&lambda->lock);
    for (const struct sandbox *s = lambda->sandboxes; s != NULL; s = s->next)
        if (s->provisioned && !s->reached_next)
            ready = 0;
    if (lambda->provisioned_failed)
        ready = -1;
    pthread_mutex_unlock(&lambda->lock);
    return ready;
}

void supervisor_stop(struct lambda *lambda)
{
    pthread_mutex_lock(&lambda->lock);
    lambda->stopping = true;
    for (struct sandbox *s = lambda->sandboxes; s != NULL; s = s->next) {
        if (s->invocation != NULL)
            invocation_fail(s->invocation, OUTCOME_STOPPED, "Runtime.Unavailable", "local ends");
        sandbox_release(s);
        if (s->state != SANDBOX_ENDING)
            sandbox_end(s, false);
    }
    pthread_mutex_unlock(&lambda->lock);
}

bool supervisor_is_empty(struct lambda *lambda)
{
    pthread_mutex_lock(&lambda->lock);
    bool empty = lambda->sandboxes == NULL;
    pthread_mutex_unlock(&lambda->lock);
    return empty;
}
