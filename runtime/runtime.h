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

struct runtime {
    const struct http_transport *transport;
    const struct os *os;
    char api[264]; /* "http://host:port" */
};

/* One event. Strings are empty when Lambda did not send the header or sent it empty. */
struct runtime_invocation {
    char request_id[128];
    char invocation_id[128]; /* nonce of this delivery, echoed in the reply */
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

/* `api` is AWS_LAMBDA_RUNTIME_API, host:port. ERROR_CONFIG when it is missing, malformed or long.
 */
int runtime_init(struct runtime *runtime, const char *api, const struct http_transport *transport,
                 const struct os *os, struct error *err) __attribute__((warn_unused_result));

/*
 * Waits for the next event, as long as it takes. Sets _X_AMZN_TRACE_ID, or unsets it, when
 * `AWS_LAMBDA_MAX_CONCURRENCY` is absent (it is global to the process). A cut connection or an
 * answer that cannot be used is tried again, five times, 0.1 s and then twice as long each time;
 * then, or at once on 403, it fails with ERROR_RUNTIME_GONE: the process must exit non-zero.
 * `invocation` is zeroed before its first use and may be used again.
 */
int runtime_next(const struct runtime *runtime, struct runtime_invocation *invocation,
                 struct error *err) __attribute__((warn_unused_result));
void runtime_invocation_free(struct runtime_invocation *invocation);

/*
 * Sends the reply, `application/json`, at most RUNTIME_PAYLOAD_MAX bytes (the caller checks).
 * Bounded by RUNTIME_POST_TIMEOUT_NS. Fails with ERROR_RUNTIME_REFUSED on 400, 403, 410 (too late),
 * 413 (too large) and on connection failures: log it and go on to runtime_next(), never post again
 * for the same event. Fails with ERROR_RUNTIME_GONE on 500: exit.
 */
#define RUNTIME_POST_TIMEOUT_NS (10 * NS_PER_S)
int runtime_respond(const struct runtime *runtime, const struct runtime_invocation *invocation,
                    const char *reply, size_t length, struct error *err)
    __attribute__((warn_unused_result));

/* A failure of ours, told to Lambda. */
struct runtime_failure {
    const char *type;    /* "Function.Name" or "Runtime.Name", letters only after the dot */
    const char *message; /* no payloads, no secrets */
};

/* Instead of runtime_respond(); same failures. Carries an X-Ray error cause. */
int runtime_fail(const struct runtime *runtime, const struct runtime_invocation *invocation,
                 const struct runtime_failure *failure, struct error *err)
    __attribute__((warn_unused_result));

/* Before the first runtime_next(): the start failed. Exit non-zero afterwards. */
int runtime_fail_init(const struct runtime *runtime, const struct runtime_failure *failure,
                      struct error *err) __attribute__((warn_unused_result));

/*
 * SnapStart, when AWS_LAMBDA_INITIALIZATION_TYPE is "snap-start": call once before the first
 * runtime_next(). Blocks until the snapshot has been restored. Afterwards drop connections, forget
 * credentials and clocks.
 */
int runtime_wait_for_restore(const struct runtime *runtime, struct error *err)
    __attribute__((warn_unused_result));

/* As runtime_fail_init(), for a failure after the restore. */
int runtime_fail_restore(const struct runtime *runtime, const struct runtime_failure *failure,
                         struct error *err) __attribute__((warn_unused_result));

/*
 * Opt-in: registers an internal extension, so that Lambda sends SIGTERM 500 ms before it kills the
 * sandbox; without one it sends nothing. Fills `extension_id`. Call before the first
 * runtime_next(), then call runtime_extension_park() in a thread and on a transport of its own: it
 * blocks for ever, and INIT completes only once it was called.
 */
int runtime_extension_register(const struct runtime *runtime, char extension_id[128],
                               struct error *err) __attribute__((warn_unused_result));
int runtime_extension_park(const struct runtime *runtime, const char *extension_id,
                           struct error *err) __attribute__((warn_unused_result));

#endif
