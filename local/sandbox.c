#include "local/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "local/clock.h"
#include "local/environment.h"
#include "local/runtime_api.h"

#define INIT_NS  (10 * NS_PER_S)   /* Lambda's limit */
#define GRACE_NS (500 * NS_PER_MS) /* after SIGTERM, with an internal extension */

/* All that the child needs; made before fork(), since little may be called between fork and exec.
 */
struct child {
    char *path;
    char *folder;
    struct environment environment;
    int log_fd; /* -1: none */
    pid_t parent;
};

static void child_free(struct child *child)
{
    free(child->folder);
    environment_free(&child->environment);
}

static int child_prepare(struct child *child, const struct sandbox *sandbox, struct error *err)
{
    const struct lambda_setup *setup = &sandbox->lambda->setup;
    *child = (struct child){.path = setup->options->bootstrap,
                            .folder = strdup(setup->options->bootstrap),
                            .log_fd = setup->log_fd,
                            .parent = getpid()};
    if (child->folder == NULL)
        return error_set(err, ERROR_MEMORY, "no memory for a sandbox");
    (void)dirname(child->folder); /* cuts it */
    struct environment_facts facts = {.sandbox = sandbox->number,
                                      .runtime_api_port = server_port(sandbox->runtime_api),
                                      .bedrock_port = sandbox->lambda->bedrock_port,
                                      .own = environ,
                                      .options = setup->options};
    return environment_for_sandbox(&child->environment, &facts, err);
}

/* Signals as a new process expects them. */
static void reset_signals(void)
{
    sigset_t none;
    sigemptyset(&none);
    struct sigaction initial = {.sa_handler = SIG_DFL};
    (void)sigaction(SIGPIPE, &initial, NULL);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
}

static _Noreturn void child_run(const struct child *child)
{
    (void)
        setsid(); /* a Ctrl-C in the terminal is not for it, and kill() reaches all its children */
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != child->parent)
        _exit(127); /* the parent ended meanwhile */
    int null_fd = open("/dev/null", O_RDWR);
    int log_fd = child->log_fd >= 0 ? child->log_fd : null_fd;
    if (null_fd < 0 || dup2(log_fd, STDOUT_FILENO) < 0 || dup2(log_fd, STDERR_FILENO) < 0 ||
        dup2(null_fd, STDIN_FILENO) < 0)
        _exit(127);
    (void)close_range(STDERR_FILENO + 1, ~0U, 0);
    if (chdir(child->folder) != 0)
        _exit(127);
    char *const arguments[] = {child->path, NULL};
    reset_signals();
    (void)execve(child->path, arguments, child->environment.entries);
    _exit(127);
}

int sandbox_launch(struct sandbox *sandbox, struct error *err)
{
    struct child child = {0};
    int result = -1;
    sandbox->runtime_api = runtime_api_start(sandbox, err);
    if (sandbox->runtime_api != NULL && child_prepare(&child, sandbox, err) == 0) {
        pid_t pid = fork();
        if (pid == 0)
            child_run(&child);
        result = pid > 0 ? 0 : error_set(err, ERROR_INTERNAL, "fork: %s", strerror(errno));
        sandbox->pid = pid > 0 ? pid : 0;
    }
    child_free(&child);
    if (result != 0)
        return -1;
    sandbox->state = SANDBOX_STARTING;
    sandbox->deadline_ns = clock_now_ns() + INIT_NS;
    stats_add(sandbox->lambda->setup.stats, STATS_sandboxes_started);
    return 0;
}

bool sandbox_has_ended(const struct sandbox *sandbox)
{
    siginfo_t ended = {0};
    if (sandbox->pid == 0)
        return false;
    id_t id = (id_t)sandbox->pid;
    return waitid(P_PID, id, &ended, WEXITED | WNOHANG | WNOWAIT) == 0 && ended.si_pid != 0;
}

bool sandbox_reap(struct sandbox *sandbox, int *status)
{
    if (!sandbox_has_ended(sandbox))
        return false;
    /* What it may have started. As long as it is not reaped its number is nobody else's. */
    (void)kill(-sandbox->pid, SIGKILL);
    (void)waitpid(sandbox->pid, status, 0);
    sandbox->pid = 0;
    return true;
}

void sandbox_release(struct sandbox *sandbox)
{
    if (sandbox->invocation == NULL)
        return;
    invocation_drop(sandbox->invocation);
    sandbox->invocation = NULL;
}

/* To the process and all it started. Before its setsid() it has no group of its own. */
static void send_signal(const struct sandbox *sandbox, int signal)
{
    if (sandbox->pid == 0)
        return;
    if (kill(-sandbox->pid, signal) != 0)
        (void)kill(sandbox->pid, signal);
}

void sandbox_freeze(struct sandbox *sandbox)
{
    if (!sandbox->lambda->setup.options->freeze || sandbox->stopped)
        return;
    send_signal(sandbox, SIGSTOP);
    sandbox->stopped = true;
}

void sandbox_thaw(struct sandbox *sandbox)
{
    if (!sandbox->stopped)
        return;
    send_signal(sandbox, SIGCONT);
    sandbox->stopped = false;
}

void sandbox_end(struct sandbox *sandbox, bool at_once)
{
    bool graceful = sandbox->extension_waits && !at_once;
    sandbox->state = SANDBOX_ENDING;
    sandbox->deadline_ns = graceful ? clock_now_ns() + GRACE_NS : CLOCK_NEVER;
    send_signal(sandbox, graceful ? SIGTERM : SIGKILL);
    sandbox_thaw(sandbox); /* a stopped process gets SIGTERM only once it goes on */
    pthread_cond_broadcast(&sandbox->changed);
    lambda_wake(sandbox->lambda);
}

const char *sandbox_state_word(const struct sandbox *sandbox)
{
    static const char *const words[] = {
        [SANDBOX_WANTED] = "starting",   [SANDBOX_STARTING] = "starting",
        [SANDBOX_IDLE] = "idle",         [SANDBOX_BUSY] = "busy",
        [SANDBOX_ANSWERED] = "answered", [SANDBOX_ENDING] = "ending"};
    return sandbox->stopped ? "frozen" : words[sandbox->state];
}
