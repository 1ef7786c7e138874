#ifndef LOCAL_SANDBOX_H
#define LOCAL_SANDBOX_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "base/os.h"
#include "local/invocation.h"
#include "local/lambda.h"
#include "local/server.h"

/*
 * A sandbox and its process. Shared by lambda.c, supervisor.c and runtime_api.c. Everything here
 * belongs to the lock in `struct lambda`, which the caller of these functions holds.
 *
 *   WANTED ──> STARTING ──> IDLE <──> BUSY          An event may be assigned in any state but BUSY
 *                  ^          │         │           and ENDING. It is delivered when the sandbox
 * asks └─ restore ┘     ANSWERED ─> IDLE for /next: that makes the sandbox BUSY. any of them ──>
 * ENDING ──> gone
 */
enum sandbox_state {
    SANDBOX_WANTED,   /* the main thread has to start it */
    SANDBOX_STARTING, /* has not asked for an event yet */
    SANDBOX_IDLE,     /* waits in /next, or for its restore, without an event */
    SANDBOX_BUSY,     /* has an event */
    SANDBOX_ANSWERED, /* has answered it, and has not asked for the next one yet */
    SANDBOX_ENDING,   /* was told to end */
};

#define SANDBOX_TEXT_MAX 256

struct sandbox {
    struct sandbox *next; /* in the order of their numbers */
    struct lambda *lambda;
    int number;
    enum sandbox_state state;
    pid_t pid;    /* 0: no process */
    bool stopped; /* frozen */
    bool reached_next, init_failed, provisioned;
    bool has_extension, extension_waits;
    char extension_id[OS_UUID_SIZE];
    char init_error[SANDBOX_TEXT_MAX]; /* "Type: message" */
    uint64_t polls;                    /* /next requests: only the latest gets the event */
    uint64_t invocations;
    struct invocation *invocation;
    int64_t deadline_ns;      /* of what the state waits for; CLOCK_NEVER: none */
    int64_t deadline_wall_ms; /* of the invocation, as told to the function */
    struct server *runtime_api;
    pthread_cond_t changed; /* an event, an extension that waits, the end */
};

struct lambda {
    struct lambda_setup setup;
    pthread_mutex_t lock;
    int wake_fd;
    int bedrock_port; /* of the stand-in; 0: none */
    struct sandbox *sandboxes;
    int last_number;
    bool stopping, provisioned_failed;
};

/* Wakes the main thread. */
void lambda_wake(struct lambda *lambda);

/* Hands the event to a sandbox, to be started if need be, or refuses it. */
void lambda_place(struct lambda *lambda, struct invocation *invocation);

/* Takes the event from the sandbox. */
void sandbox_release(struct sandbox *sandbox);

/* Starts the Runtime API and the process. Main thread only. */
int sandbox_launch(struct sandbox *sandbox, struct error *err) __attribute__((warn_unused_result));

/* Whether the process has ended, and nobody took note yet. */
bool sandbox_has_ended(const struct sandbox *sandbox);

/* Takes note that the process has ended; false when it has not. Main thread only. */
bool sandbox_reap(struct sandbox *sandbox, int *status);

/* Stops the process, if wished, while it has nothing to do; and lets it go on. */
void sandbox_freeze(struct sandbox *sandbox);
void sandbox_thaw(struct sandbox *sandbox);

/*
 * Ends the process as Lambda does: SIGKILL, or SIGTERM and 500 ms later SIGKILL when an extension
 * is registered. `at_once`: SIGKILL in any case.
 */
void sandbox_end(struct sandbox *sandbox, bool at_once);

const char *sandbox_state_word(const struct sandbox *sandbox);

#endif
