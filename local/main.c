/*
 * local: API Gateway, the Lambda Runtime API and a stand-in for Amazon Bedrock in one program.
 *
 * The main thread starts and ends the sandboxes and waits for signals; each connection has a
 * thread.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "local/bedrock_fake.h"
#include "local/clock.h"
#include "local/gateway.h"
#include "local/lambda.h"
#include "local/options.h"
#include "local/server.h"
#include "local/stats.h"
#include "local/supervisor.h"

/* A zeroed struct may be closed. */
struct program {
    struct options options;
    struct stats stats;
    struct lambda *lambda;
    struct bedrock_fake *bedrock;
    struct gateway gateway;
    struct server *server;
    int signal_fd;
    int log_fd; /* -1: sandboxes' logs are thrown away */
    bool stop;
};

static int fail(const struct error *err)
{
    (void)fprintf(stderr, "local: %s\n", err->text);
    return -1;
}

/* Signals come through a file descriptor; threads and sandboxes started later inherit the mask. */
static int catch_signals(struct program *p)
{
    sigset_t caught;
    sigemptyset(&caught);
    sigaddset(&caught, SIGINT);
    sigaddset(&caught, SIGTERM);
    sigaddset(&caught, SIGHUP);
    sigaddset(&caught, SIGCHLD);
    (void)signal(SIGPIPE, SIG_IGN);
    (void)pthread_sigmask(SIG_BLOCK, &caught, NULL);
    p->signal_fd = signalfd(-1, &caught, SFD_CLOEXEC | SFD_NONBLOCK);
    return p->signal_fd >= 0 ? 0 : -1;
}

static void read_signals(struct program *p)
{
    struct signalfd_siginfo info;
    while (read(p->signal_fd, &info, sizeof info) == (ssize_t)sizeof info)
        if (info.ssi_signo != SIGCHLD)
            p->stop = true;
}

static int open_log(struct program *p, struct error *err)
{
    p->log_fd = p->options.quiet ? -1 : STDERR_FILENO;
    if (p->options.log_file == NULL)
        return 0;
    p->log_fd = open(p->options.log_file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    if (p->log_fd < 0)
        return error_set(err, ERROR_CONFIG, "--log %.128s: %s", p->options.log_file,
                         strerror(errno));
    return 0;
}

static void model_worked(void *context, int sandbox, int64_t ns)
{
    lambda_add_model_time(context, sandbox, ns);
}

static int start_services(struct program *p, struct error *err)
{
    struct lambda_setup setup = {.options = &p->options, .stats = &p->stats, .log_fd = p->log_fd};
    p->lambda = lambda_new(&setup, err);
    if (p->lambda == NULL)
        return -1;
    if (p->options.bedrock_aws)
        return 0;
    struct bedrock_fake_options bedrock = {.port = p->options.bedrock_port,
                                           .rules = &p->options.rules,
                                           .stats = &p->stats,
                                           .worked = model_worked,
                                           .context = p->lambda};
    p->bedrock = bedrock_fake_start(&bedrock, err);
    if (p->bedrock == NULL)
        return -1;
    lambda_use_stand_in(p->lambda, bedrock_fake_port(p->bedrock));
    return 0;
}

static int start_gateway(struct program *p, struct error *err)
{
    p->gateway = (struct gateway){
        .options = &p->options, .lambda = p->lambda, .stats = &p->stats, .bedrock = p->bedrock};
    struct server_options options = {.host = p->options.host,
                                     .port = p->options.port,
                                     .max_body = GATEWAY_REQUEST_MAX,
                                     .handle = gateway_handle,
                                     .context = &p->gateway};
    p->server = server_start(&options, err);
    return p->server != NULL ? 0 : -1;
}

static void announce(const struct program *p)
{
    const char *host = p->options.host;
    int port = server_port(p->server);
    (void)printf("Weir is listening on http://%s:%d\n", host, port);
    if (p->bedrock != NULL)
        (void)printf("Bedrock is a stand-in on http://127.0.0.1:%d; no account is needed.\n",
                     bedrock_fake_port(p->bedrock));
    else
        (void)printf("Bedrock is the real one, with your credentials; it costs money.\n");
    (void)printf("Try:  curl -X POST http://%s:%d/agent -H 'Content-Type: application/json' "
                 "-d '{\"message\":\"test\"}'\n"
                 "Stop with Ctrl-C.\n",
                 host, port);
    (void)fflush(stdout);
}

/* Waits for a signal, a wish or a deadline, and does what is due. */
static void attend(struct program *p, int64_t until_ns)
{
    struct pollfd watched[] = {{.fd = p->signal_fd, .events = POLLIN},
                               {.fd = supervisor_wake_fd(p->lambda), .events = POLLIN}};
    (void)poll(watched, 2, clock_poll_ms(until_ns));
    read_signals(p);
}

/* Until a signal says stop. */
static int run(struct program *p)
{
    struct error err = {0};
    while (!p->stop) {
        int64_t next_ns = supervisor_attend(p->lambda);
        int ready = p->server == NULL ? supervisor_ready(p->lambda) : 0;
        if (ready < 0)
            return -1; /* it was said why */
        if (ready > 0) {
            if (start_gateway(p, &err) != 0)
                return fail(&err);
            announce(p);
        }
        attend(p, next_ns);
    }
    return 0;
}

static void end_sandboxes(struct program *p)
{
    supervisor_stop(p->lambda);
    for (;;) {
        int64_t next_ns = supervisor_attend(p->lambda);
        if (supervisor_is_empty(p->lambda))
            return;
        attend(p, next_ns);
    }
}

static void close_all(struct program *p)
{
    if (p->lambda != NULL)
        end_sandboxes(p);
    server_stop(p->server);
    bedrock_fake_stop(p->bedrock);
    lambda_free(p->lambda);
    if (p->options.log_file != NULL && p->log_fd >= 0)
        (void)close(p->log_fd);
    if (p->signal_fd >= 0)
        (void)close(p->signal_fd);
}

static int serve(struct program *p)
{
    struct error err = {0};
    stats_init(&p->stats);
    int result = -1;
    if (catch_signals(p) != 0)
        (void)fprintf(stderr, "local: cannot wait for signals\n");
    else if (open_log(p, &err) != 0 || start_services(p, &err) != 0)
        (void)fail(&err);
    else
        result = run(p);
    bool served = p->server != NULL;
    close_all(p);
    if (served) {
        (void)printf("\n");
        stats_print_summary(&p->stats, !p->options.bedrock_aws, stdout);
    }
    stats_free(&p->stats);
    return result == 0 ? 0 : 1;
}

int main(int argc, char **argv)
{
    struct program p = {.signal_fd = -1, .log_fd = -1};
    struct error err = {0};
    int status = 0;
    switch (options_read(&p.options, argc, argv, &err)) {
    case OPTIONS_RUN:
        status = serve(&p);
        break;
    case OPTIONS_DONE:
        break;
    case OPTIONS_WRONG:
        (void)fprintf(stderr, "local: %s\nTry --help.\n", err.text);
        status = 2;
        break;
    }
    options_free(&p.options);
    return status;
}
