/*
 * The program: settings -> parts -> serve events until the Runtime API is gone.
 *
 * Exit status: 0 after SIGTERM or SIGINT, 1 when the start failed or the Runtime API is gone, 2 for
 * a command line that makes no sense.
 */
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "aws/credentials.h"
#include "aws/http.h"
#include "base/log.h"
#include "base/settings.h"
#include "bedrock/bedrock.h"
#include "handler/agent.h"
#include "handler/metrics.h"
#include "runtime/runtime.h"

#define NAME       "weir"
#define USER_AGENT NAME "/" WEIR_VERSION

struct program {
    int64_t began_ns; /* main() */
    struct settings settings;
    struct log log;
    struct log_scope scope;
    struct http *runtime_http, *bedrock_http, *credentials_http, *extension_http;
    struct http_transport runtime_transport, bedrock_transport, credentials_transport,
        extension_transport;
    struct runtime runtime;
    struct runtime extension;
    char extension_id[RUNTIME_ID_SIZE];
    struct credentials_provider *credentials;
    struct bedrock *bedrock;
    struct agent agent;
    struct runtime_invocation invocation;
    struct buffer reply;
};

/* Set while an event is being answered: a signal then waits for the reply. */
static volatile sig_atomic_t busy;
static volatile sig_atomic_t stopping;

static void on_stop_signal(int number)
{
    (void)number;
    stopping = 1;
    if (!busy)
        _exit(0);
}

static void catch_signals(void)
{
    struct sigaction action = {.sa_handler = on_stop_signal, .sa_flags = SA_RESTART};
    sigemptyset(&action.sa_mask);
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    sigaction(SIGPIPE, &ignore, NULL);
}

static int open_client(struct http **http, struct http_transport *transport,
                       const struct http_options *options, struct error *err)
{
    *http = http_new(options, err);
    if (*http == NULL)
        return -1;
    *transport = http_transport(*http);
    return 0;
}

static void log_repeated_poll(void *context, const struct error *cause)
{
    const struct program *p = context;
    log_line(&p->scope, LOG_WARN, LOG_FIELDS(LOG_STRING("detail", cause->text)),
             "No event from the Runtime API; polling again");
}

static int reach_runtime(struct program *p, struct error *err)
{
    const struct http_options local = {.user_agent = USER_AGENT, .no_proxy = true};
    if (open_client(&p->runtime_http, &p->runtime_transport, &local, err) != 0 ||
        runtime_init(&p->runtime, getenv("AWS_LAMBDA_RUNTIME_API"), &p->runtime_transport,
                     os_real(), err) != 0)
        return -1;
    p->runtime.on_retry = log_repeated_poll;
    p->runtime.context = p;
    return 0;
}

static int build_agent(struct program *p, struct error *err)
{
    const struct http_options local = {.user_agent = USER_AGENT, .no_proxy = true};
    const struct http_options amazon = {
        .user_agent = USER_AGENT, .trust = HTTP_TRUST_AMAZON, .ca_file = p->settings.ca_bundle};
    if (open_client(&p->credentials_http, &p->credentials_transport, &local, err) != 0 ||
        open_client(&p->bedrock_http, &p->bedrock_transport, &amazon, err) != 0)
        return -1;
    p->credentials =
        credentials_provider_new(&p->settings, &p->credentials_transport, os_real(), err);
    if (p->credentials == NULL)
        return -1;
    p->bedrock = bedrock_new(&p->settings, &p->bedrock_transport, p->credentials, os_real(), err);
    if (p->bedrock == NULL)
        return -1;
    const struct agent_parts parts = {
        .settings = &p->settings, .os = os_real(), .log = &p->log, .bedrock = p->bedrock};
    return agent_init(&p->agent, &parts, err);
}

static void preconnect(struct program *p)
{
    http_preconnect(p->bedrock_http, bedrock_endpoint(p->bedrock),
                    ns_from_seconds(p->settings.connect_timeout_s));
}

static void *park_extension(void *context)
{
    struct program *p = context;
    struct error err = {0};
    if (runtime_extension_park(&p->extension, p->extension_id, &err) != 0)
        log_line(&p->scope, LOG_WARN, LOG_FIELDS(LOG_STRING("detail", err.text)),
                 "The extension that waits for SIGTERM is gone");
    return NULL;
}

static int enable_sigterm(struct program *p, struct error *err)
{
    const struct http_options local = {.user_agent = USER_AGENT, .no_proxy = true};
    if (open_client(&p->extension_http, &p->extension_transport, &local, err) != 0 ||
        runtime_init(&p->extension, p->settings.runtime_api, &p->extension_transport, os_real(),
                     err) != 0 ||
        runtime_extension_register(&p->extension, p->extension_id, err) != 0)
        return -1;
    pthread_t thread;
    if (pthread_create(&thread, NULL, park_extension, p) != 0)
        return error_set(err, ERROR_MEMORY, "no thread for the extension");
    pthread_detach(thread);
    return 0;
}

static bool is_snap_start(const struct settings *settings)
{
    const char *type = settings->initialization_type;
    return type != NULL && strcmp(type, "snap-start") == 0;
}

static int restore(struct program *p, struct error *err)
{
    if (runtime_wait_for_restore(&p->runtime, err) != 0)
        return -1;
    http_drop_connections(p->bedrock_http);
    http_drop_connections(p->credentials_http);
    credentials_forget(p->credentials);
    preconnect(p);
    return 0;
}

static int fail_start(struct program *p, const char *type, const struct error *cause)
{
    log_line(&p->scope, LOG_FATAL, LOG_FIELDS(LOG_STRING("errorType", type)), "%s", cause->text);
    const struct runtime_failure failure = {.type = type, .message = cause->text};
    struct error err = {0};
    if (p->runtime.transport != NULL && runtime_fail_init(&p->runtime, &failure, &err) != 0)
        log_line(&p->scope, LOG_WARN, LOG_FIELDS(LOG_STRING("detail", err.text)),
                 "The Runtime API did not take the failed start");
    return 1;
}

static void log_settings(const struct program *p)
{
    const struct settings *s = &p->settings;
    log_line(&p->scope, LOG_INFO,
             LOG_FIELDS(LOG_STRING("version", WEIR_VERSION), LOG_STRING("model", s->model_id),
                        LOG_STRING("region", s->region), LOG_NUMBER("burst", s->burst)),
             "Bedrock throttling configuration: rate_limit=%.10g req/min, max_retries=%d, "
             "app_retries=%d",
             s->rate_limit, s->max_retries, s->app_retries);
}

static int answer_one(struct program *p, struct error *err)
{
    const struct agent_invocation invocation = {
        .event = p->invocation.event,
        .event_length = p->invocation.event_length,
        .request_id = p->invocation.request_id,
        .deadline_wall_ns = p->invocation.deadline_wall_ns,
    };
    buffer_clear(&p->reply);
    if (agent_handle(&p->agent, &invocation, &p->reply, err) == 0)
        return runtime_respond(&p->runtime, &p->invocation, p->reply.data, p->reply.length, err);
    log_line(&p->scope, LOG_ERROR, LOG_FIELDS(LOG_STRING("requestId", p->invocation.request_id)),
             "No reply could be made: %s", err->text);
    const struct error cause = *err;
    const struct runtime_failure failure = {.type = "Function.OutOfMemory", .message = cause.text};
    return runtime_fail(&p->runtime, &p->invocation, &failure, err);
}

/* Returns when a signal asks to stop (0) or the Runtime API is gone (-1). */
static int serve(struct program *p, struct error *err)
{
    buffer_init(&p->reply, RUNTIME_PAYLOAD_MAX);
    for (;;) {
        busy = 0;
        if (stopping)
            return 0;
        if (runtime_next(&p->runtime, &p->invocation, err) != 0)
            return -1;
        busy = 1;
        if (answer_one(p, err) == 0)
            continue;
        log_line(&p->scope, LOG_ERROR,
                 LOG_FIELDS(LOG_STRING("requestId", p->invocation.request_id),
                            LOG_STRING("detail", err->text)),
                 "The Runtime API did not take the reply");
        if (err->kind == ERROR_RUNTIME_GONE)
            return -1;
    }
}

static const char *failure_type(const struct error *err)
{
    return err->kind == ERROR_CONFIG ? "Runtime.InvalidConfig" : "Runtime.StartFailed";
}

/* Everything up to the first event. */
static int start(struct program *p, struct error *err)
{
    p->log.format = log_format_from_name(getenv("AWS_LAMBDA_LOG_FORMAT"));
    /* The Runtime API first: it is told of settings that make no sense. */
    struct error no_runtime = {0};
    int reachable = reach_runtime(p, &no_runtime);
    if (settings_load(&p->settings, settings_from_environment(), err) != 0)
        return -1;
    p->log.level = log_level_from_name(p->settings.log_level);
    if (reachable != 0) {
        *err = no_runtime;
        return -1;
    }
    log_settings(p);
    if (build_agent(p, err) != 0)
        return -1;
    preconnect(p);
    return p->settings.enable_sigterm ? enable_sigterm(p, err) : 0;
}

static int run(struct program *p)
{
    struct error err = {0};
    if (start(p, &err) != 0)
        return fail_start(p, failure_type(&err), &err);
    agent_started(&p->agent, os_now_ns(os_real()) - p->began_ns);
    if (is_snap_start(&p->settings) && restore(p, &err) != 0) {
        log_line(&p->scope, LOG_FATAL, LOG_NO_FIELDS, "The restore failed: %s", err.text);
        return 1;
    }
    if (serve(p, &err) == 0)
        return 0;
    log_line(&p->scope, LOG_FATAL, LOG_FIELDS(LOG_STRING("detail", err.text)),
             "The Runtime API is gone");
    return 1;
}

static void close_all(struct program *p)
{
    runtime_invocation_free(&p->invocation);
    buffer_free(&p->reply);
    agent_free(&p->agent);
    bedrock_free(p->bedrock);
    credentials_provider_free(p->credentials);
    http_free(p->bedrock_http);
    http_free(p->credentials_http);
    http_free(p->runtime_http);
    /* Not extension_http: its thread is parked in it until the process ends. */
    settings_free(&p->settings);
}

static int serve_lambda(void)
{
    static struct program p; /* static: the extension's thread outlives main() by a moment */
    p.began_ns = os_now_ns(os_real());
    struct error err = {0};
    p.log = (struct log){.os = os_real(), .fd = STDOUT_FILENO, .level = LOG_INFO};
    p.scope = (struct log_scope){.log = &p.log};
    catch_signals();
    if (http_global_init(&err) != 0) {
        log_line(&p.scope, LOG_FATAL, LOG_NO_FIELDS, "%s", err.text);
        return 1;
    }
    int status = run(&p);
    close_all(&p);
    return status;
}

static int print_config(bool markdown)
{
    if (markdown) {
        settings_print_markdown(stdout);
        return 0;
    }
    struct settings settings;
    struct error err = {0};
    if (settings_load(&settings, settings_from_environment(), &err) != 0) {
        (void)fprintf(stderr, NAME ": %s\n", err.text);
        return 1;
    }
    settings_print(&settings, stdout);
    settings_free(&settings);
    return 0;
}

static const char help[] =
    "Weir answers chat messages with a model on Amazon Bedrock and does not get throttled.\n"
    "\n"
    "Usage: bootstrap [OPTION]\n"
    "\n"
    "Without an option it serves events from the Lambda Runtime API at AWS_LAMBDA_RUNTIME_API.\n"
    "Lambda sets that variable; on your own machine `make run` (build/local) does.\n"
    "\n"
    "  --print-config            the settings in force, from the environment\n"
    "  --print-config=markdown   all settings with ranges and defaults, as docs/configuration.md\n"
    "  --print-metrics           the metrics: name, unit and dimensions, separated by tabs\n"
    "  --version                 the version\n"
    "  --help                    this text\n"
    "\n"
    "Settings people touch first: BEDROCK_MODEL_ID, BEDROCK_RATE_LIMIT (requests per minute),\n"
    "BEDROCK_APP_RETRIES, AGENT_RESPONSE_TIMEOUT.\n";

int main(int argc, char **argv)
{
    /* Emulators may pass the handler's name, as the old Lambda runtimes did. */
    /* NOLINTNEXTLINE(concurrency-mt-unsafe): before any thread */
    if (argc < 2 || (argv[1][0] != '-' && getenv("AWS_LAMBDA_RUNTIME_API") != NULL))
        return serve_lambda();
    const char *option = argv[1];
    if (argc == 2 && strcmp(option, "--help") == 0)
        return fputs(help, stdout) < 0;
    if (argc == 2 && strcmp(option, "--version") == 0)
        return printf(NAME " %s\n", WEIR_VERSION) < 0;
    if (argc == 2 && strcmp(option, "--print-config") == 0)
        return print_config(false);
    if (argc == 2 && strcmp(option, "--print-config=markdown") == 0)
        return print_config(true);
    if (argc == 2 && strcmp(option, "--print-metrics") == 0) {
        metrics_print(stdout);
        return 0;
    }
    (void)fprintf(stderr, NAME ": unknown option \"%s\"; try --help\n", option);
    return 2;
}
