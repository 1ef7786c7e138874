#include "runtime/runtime.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/call.h"
#include "runtime/delivery.h"
#include "runtime/report.h"

#define SCHEME             "http://"
#define DIGITS             "0123456789"
#define NEXT_RETRIES       5
#define NEXT_FIRST_WAIT_NS (100 * NS_PER_MS)
#define TRACE_VARIABLE     "_X_AMZN_TRACE_ID"

/* ---- init ---- */

/* Of a name, an IPv4 address, or an IPv6 address in brackets; 0: none. */
static size_t host_length(const char *api)
{
    if (api[0] != '[')
        return strspn(api, DIGITS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-_");
    size_t inside = strspn(api + 1, DIGITS "abcdefABCDEF:.");
    return inside > 0 && api[1 + inside] == ']' ? inside + 2 : 0;
}

static bool is_port(const char *text)
{
    size_t length = strlen(text);
    if (length == 0 || length > 5 || strspn(text, DIGITS) != length)
        return false;
    long port = strtol(text, NULL, 10);
    return port >= 1 && port <= 65535;
}

static bool is_host_and_port(const char *api)
{
    size_t host = host_length(api);
    return host > 0 && api[host] == ':' && is_port(api + host + 1);
}

int runtime_init(struct runtime *runtime, const char *api, const struct http_transport *transport,
                 const struct os *os, struct error *err)
{
    *runtime = (struct runtime){0};
    if (api == NULL || api[0] == '\0')
        return error_set(
            err, ERROR_CONFIG,
            "AWS_LAMBDA_RUNTIME_API is not set; Lambda sets it; try `make run` locally");
    if (strlen(api) + sizeof SCHEME > sizeof runtime->api)
        return error_set(err, ERROR_CONFIG, "AWS_LAMBDA_RUNTIME_API is longer than %zu bytes",
                         sizeof runtime->api - sizeof SCHEME);
    if (!is_host_and_port(api))
        return error_set(
            err, ERROR_CONFIG,
            "AWS_LAMBDA_RUNTIME_API is \"%.64s\"; it must be host:port, without http://", api);
    (void)snprintf(runtime->api, sizeof runtime->api, SCHEME "%s", api);
    runtime->transport = transport;
    runtime->os = os;
    return 0;
}

/* ---- next ---- */

void runtime_invocation_free(struct runtime_invocation *invocation)
{
    delivery_clear(invocation);
    http_response_free(&invocation->response);
}

static int poll_next(const struct runtime *runtime, struct runtime_invocation *invocation,
                     struct error *err)
{
    static const struct call next = {.path = CALL_RUNTIME "/invocation/next"};
    delivery_clear(invocation);
    if (call_wait(runtime, &next, &invocation->response, err) != 0)
        return -1;
    return delivery_read(invocation, err);
}

/* With several workers the variable would be another one's. */
static void set_trace_variable(const char *trace_id)
{
    const char *concurrency = getenv("AWS_LAMBDA_MAX_CONCURRENCY");
    if (concurrency != NULL && concurrency[0] != '\0')
        return;
    /* Not setenv(): the C library keeps every value it was ever given. */
    static char variable[sizeof TRACE_VARIABLE + sizeof((struct runtime_invocation *)0)->trace_id];
    (void)snprintf(variable, sizeof variable, TRACE_VARIABLE "=%s", trace_id);
    if (trace_id[0] == '\0' || putenv(variable) != 0)
        (void)unsetenv(TRACE_VARIABLE);
}

int runtime_next(const struct runtime *runtime, struct runtime_invocation *invocation,
                 struct error *err)
{
    struct error cause = {0};
    int64_t wait_ns = NEXT_FIRST_WAIT_NS;
    int tries = 1;
    for (; poll_next(runtime, invocation, &cause) != 0; tries++) {
        if (cause.kind == ERROR_RUNTIME_GONE || tries > NEXT_RETRIES) {
            delivery_clear(invocation);
            return error_set(err, ERROR_RUNTIME_GONE, "no event, try %d: %s", tries, cause.text);
        }
        if (runtime->on_retry != NULL)
            runtime->on_retry(runtime->context, &cause);
        os_sleep_ns(runtime->os, wait_ns);
        wait_ns *= 2;
    }
    set_trace_variable(invocation->trace_id);
    return 0;
}

/* ---- posts ---- */

static int post(const struct runtime *runtime, const struct call *call, struct error *err)
{
    struct http_response response = {0};
    int rc = call_post(runtime, call, &response, err);
    http_response_free(&response);
    return rc;
}

int runtime_respond(const struct runtime *runtime, const struct runtime_invocation *invocation,
                    const char *reply, size_t length, struct error *err)
{
    char path[CALL_PATH_SIZE];
    call_invocation_path(path, invocation, "response");
    const struct http_header headers[] = {
        {"Content-Type", "application/json"},
        {"Lambda-Runtime-Invocation-Id", invocation->invocation_id},
    };
    const struct call call = {
        .path = path,
        .headers = headers,
        .header_count = invocation->invocation_id[0] != '\0' ? 2 : 1,
        .body = reply,
        .body_length = length,
    };
    return post(runtime, &call, err);
}

/* `invocation_id`: "" when there is none to send back. */
static int post_failure(const struct runtime *runtime, const char *path, const char *invocation_id,
                        const struct runtime_failure *failure, struct error *err)
{
    struct report report;
    if (report_init(&report, failure, err) != 0)
        return -1;
    const struct http_header headers[] = {
        {"Content-Type", "application/json"},
        {"Lambda-Runtime-Function-Error-Type", report.type},
        {"Lambda-Runtime-Function-XRay-Error-Cause", report.cause},
        {"Lambda-Runtime-Invocation-Id", invocation_id},
    };
    const struct call call = {
        .path = path,
        .headers = headers,
        .header_count = invocation_id[0] != '\0' ? 4 : 3,
        .body = report.body,
        .body_length = strlen(report.body),
    };
    int rc = post(runtime, &call, err);
    report_free(&report);
    return rc;
}

int runtime_fail(const struct runtime *runtime, const struct runtime_invocation *invocation,
                 const struct runtime_failure *failure, struct error *err)
{
    char path[CALL_PATH_SIZE];
    call_invocation_path(path, invocation, "error");
    return post_failure(runtime, path, invocation->invocation_id, failure, err);
}

int runtime_fail_init(const struct runtime *runtime, const struct runtime_failure *failure,
                      struct error *err)
{
    return post_failure(runtime, CALL_RUNTIME "/init/error", "", failure, err);
}

int runtime_fail_restore(const struct runtime *runtime, const struct runtime_failure *failure,
                         struct error *err)
{
    return post_failure(runtime, CALL_RUNTIME "/restore/error", "", failure, err);
}

/* ---- SnapStart ---- */

int runtime_wait_for_restore(const struct runtime *runtime, struct error *err)
{
    static const struct call restore = {.path = CALL_RUNTIME "/restore/next"};
    struct http_response response = {0};
    struct error cause = {0};
    int rc = call_wait(runtime, &restore, &response, &cause);
    http_response_free(&response);
    return rc == 0 ? 0 : error_set(err, ERROR_RUNTIME_GONE, "no restore: %s", cause.text);
}
