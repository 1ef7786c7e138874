#ifndef RUNTIME_RUNTIME_H
#define RUNTIME_RUNTIME_H

#include <stddef.h>
#include <stdint.h>

#include "aws/http.h"
#include "base/buffer.h"
#include "base/error.h"
#include "base/os.h"

/*
 * The Lambda Runtime API (2018-06-01) for a custom runtime: a library of its own that knows nothing
 * of what the function does. Source: AWS Lambda guide, "Using the Lambda runtime API".
 *
 *     while (runtime_next(&runtime, &invocation, &err) == 0) {
 *         ... runtime_respond(&runtime, &invocation, reply, length, &err) ...
 *     }
 *     runtime_invocation_free(&invocation);
 *
 * A `struct runtime` holds nothing that changes, so several workers may share one; each needs its
 * own transport only if it does not want to wait for the others' exchanges (a poll of /next
 * blocks), and its own `struct runtime_invocation`.
 */

#define RUNTIME_PAYLOAD_MAX 6291556 /* bytes of an event and of a reply */
#define RUNTIME_ID_SIZE     128     /* of an id and its NUL */

struct runtime {
    const struct http_transport *transport;
    const struct os *os;
    char api[264]; /* "http://host:port" */
    /* Told why a poll of /next is about to be repeated; may be NULL. Set after runtime_init(). */
    void (*on_retry)(void *context, const struct error *cause);
    void *context;
};

/*
 * One event. Strings are empty when Lambda did not send the header, sent it empty, or sent what
 * does not fit or has control characters: a value is never cut.
 */
struct runtime_invocation {
    char request_id[RUNTIME_ID_SIZE];    /* never empty; visible ASCII */
    char invocation_id[RUNTIME_ID_SIZE]; /* nonce of this delivery, echoed in the reply */
    char function_arn[512];
    char trace_id[512];
    char tenant_id[256];
    char *client_context;     /* JSON; NULL: none */
    char *cognito_identity;   /* JSON; NULL: none */
    int64_t deadline_wall_ns; /* Unix time; INT64_MAX when absent or unreadable */
    const char *event;        /* `event_length` bytes and a NUL, inside `response` */
    size_t event_length;
    struct http_response response;
};

/*
 * `api` is AWS_LAMBDA_RUNTIME_API, host:port; NULL or "" when it is not set. Fails with
 * ERROR_CONFIG when it is that, malformed or too long; the struct is then zeroed. `transport` (one
 * that uses no proxy and names itself in User-Agent) and `os` are borrowed for the runtime's life.
 */
int runtime_init(struct runtime *runtime, const char *api, const struct http_transport *transport,
                 const struct os *os, struct error *err) __attribute__((warn_unused_result));

/*
 * Waits for the next event, as long as it takes. A cut connection or an answer that cannot be used
 * (a status other than 200, no request id, an id that cannot be sent back, an event far above
 * RUNTIME_PAYLOAD_MAX) is tried again, five times, after 0.1 s and then twice as long each time;
 * then, or at once on 403, it fails with ERROR_RUNTIME_GONE: the process must exit non-zero. Lambda
 * delivers the same event again until it is answered; when it cannot be used the exit ends it, as
 * Runtime.ExitError for whoever sent it, and the next event finds a new process.
 *
 * Sets _X_AMZN_TRACE_ID, or unsets it, when AWS_LAMBDA_MAX_CONCURRENCY is absent: the variable is
 * global to the process, so with several workers the id is in `invocation` only.
 *
 * `invocation` is zeroed before its first use and may be used again. It is empty after a failure.
 */
int runtime_next(const struct runtime *runtime, struct runtime_invocation *invocation,
                 struct error *err) __attribute__((warn_unused_result));
void runtime_invocation_free(struct runtime_invocation *invocation);

/*
 * Sends the reply, `application/json`, at most RUNTIME_PAYLOAD_MAX bytes (the caller checks).
 * Bounded by RUNTIME_POST_TIMEOUT_NS and sent once: a reply that was cut off may have arrived, and
 * Lambda's time-out ends an event whose reply did not. Fails with ERROR_RUNTIME_REFUSED on 400,
 * 403, 410 (too late), 413 (too large) and on connection failures: log it and go on to
 * runtime_next(), never post again for the same event. Fails with ERROR_RUNTIME_GONE on 500: exit.
 * The text names the status and Lambda's errorType.
 */
#define RUNTIME_POST_TIMEOUT_NS (10 * NS_PER_S)
int runtime_respond(const struct runtime *runtime, const struct runtime_invocation *invocation,
                    const char *reply, size_t length, struct error *err)
    __attribute__((warn_unused_result));

/*
 * A failure of ours, told to Lambda.
 * type     "Function.Name" or "Runtime.Name": a capital and letters after the dot. Anything else is
 *          sent as "Function.Unknown" when it starts with "Function.", else as "Runtime.Unknown"
 * message  no payloads, no secrets; what is not printable ASCII is sent as "?", and what is longer
 *          than RUNTIME_MESSAGE_MAX is cut
 */
#define RUNTIME_MESSAGE_MAX 1023
struct runtime_failure {
    const char *type;
    const char *message;
};

/*
 * Instead of runtime_respond(); same failures, and ERROR_MEMORY with nothing sent. Carries an X-Ray
 * error cause.
 */
int runtime_fail(const struct runtime *runtime, const struct runtime_invocation *invocation,
                 const struct runtime_failure *failure, struct error *err)
    __attribute__((warn_unused_result));

/* Before the first runtime_next(): the start failed. As runtime_fail(). Exit non-zero afterwards.
 */
int runtime_fail_init(const struct runtime *runtime, const struct runtime_failure *failure,
                      struct error *err) __attribute__((warn_unused_result));

/*
 * SnapStart, when AWS_LAMBDA_INITIALIZATION_TYPE is "snap-start": call once before the first
 * runtime_next(). Blocks until the snapshot has been restored. Afterwards drop connections, forget
 * credentials and clocks. Fails with ERROR_RUNTIME_GONE: exit.
 */
int runtime_wait_for_restore(const struct runtime *runtime, struct error *err)
    __attribute__((warn_unused_result));

/* As runtime_fail_init(), for a failure after the restore ("Runtime.AfterRestoreError"). */
int runtime_fail_restore(const struct runtime *runtime, const struct runtime_failure *failure,
                         struct error *err) __attribute__((warn_unused_result));

/*
 * Opt-in: registers an internal extension, so that Lambda sends SIGTERM 500 ms before it kills the
 * sandbox; without one it sends nothing. Fills `extension_id`, or fails with ERROR_RUNTIME_REFUSED
 * or ERROR_RUNTIME_GONE and leaves it empty. Call before the first runtime_next(), then call
 * runtime_extension_park() in a thread and on a transport of its own: it blocks for ever, and INIT
 * completes only once it was called. It returns only when Lambda answers after all: 0, or -1 with
 * ERROR_RUNTIME_GONE; there is nothing to do then but to log it.
 */
int runtime_extension_register(const struct runtime *runtime, char extension_id[RUNTIME_ID_SIZE],
                               struct error *err) __attribute__((warn_unused_result));
int runtime_extension_park(const struct runtime *runtime, const char *extension_id,
                           struct error *err) __attribute__((warn_unused_result));

#endif
