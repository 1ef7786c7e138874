#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "aws/http.h"
#include "aws/http_wire.h"
#include "aws/turn.h"

struct http {
    struct turn turn; /* whose it is may use the wire and what http_preconnect() left */
    struct http_wire *wire;
    atomic_bool drop_wanted; /* the next turn starts with new connections */
    atomic_bool stop;
    bool thread_started;
    pthread_t thread;
    char *preconnect_url;
    int64_t preconnect_timeout_ns;
};

static int64_t deadline_after(int64_t timeout_ns)
{
    return timeout_ns != 0 ? turn_deadline_ns(timeout_ns) : TURN_NO_DEADLINE;
}

static int run(struct http *http, const struct http_wire_job *job, struct http_response *response,
               struct error *err)
{
    if (atomic_exchange(&http->drop_wanted, false))
        http_wire_renew(http->wire);
    return http_wire_run(http->wire, job, response, err);
}

static int client_send(void *context, const struct http_request *request,
                       struct http_response *response, struct error *err)
{
    struct http *http = context;
    struct http_wire_job job = {
        .request = request,
        .deadline_ns = deadline_after(request->timeout_ns),
        .stop = &http->stop,
    };
    response->status = 0;
    if (!turn_take(&http->turn, job.deadline_ns))
        return error_set(err, ERROR_CONNECTION, "the client was busy all the time there was");
    int rc = run(http, &job, response, err);
    turn_end(&http->turn);
    return rc;
}

struct http_transport http_transport(struct http *http)
{
    return (struct http_transport){.send = client_send, .context = http};
}

static void *preconnect(void *context)
{
    struct http *http = context;
    struct http_request request = {.method = "GET",
                                   .url = http->preconnect_url,
                                   .connect_timeout_ns = http->preconnect_timeout_ns};
    struct http_wire_job job = {
        .request = &request,
        .deadline_ns = deadline_after(http->preconnect_timeout_ns),
        .connect_only = true,
        .stop = &http->stop,
    };
    struct http_response response = {0};
    (void)!run(http, &job, &response, NULL);
    http_response_free(&response);
    turn_end(&http->turn);
    return NULL;
}

/* Signals are for the other threads. */
static bool start_thread(struct http *http)
{
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int rc = pthread_create(&http->thread, NULL, preconnect, http);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return rc == 0;
}

/* Of the last http_preconnect(): its turn is over, or it has been told to stop. */
static void join_thread(struct http *http)
{
    if (http->thread_started)
        pthread_join(http->thread, NULL);
    http->thread_started = false;
    free(http->preconnect_url);
    http->preconnect_url = NULL;
}

/* The turn is taken here, not in the thread: a http_send() right after this must wait for it. */
void http_preconnect(struct http *http, const char *url, int64_t connect_timeout_ns)
{
    if (!turn_take(&http->turn, 0))
        return;
    join_thread(http);
    http->preconnect_url = strdup(url);
    http->preconnect_timeout_ns = connect_timeout_ns;
    http->thread_started = http->preconnect_url != NULL && start_thread(http);
    if (!http->thread_started)
        turn_end(&http->turn);
}

void http_drop_connections(struct http *http)
{
    atomic_store(&http->drop_wanted, true);
}

struct http *http_new(const struct http_options *options, struct error *err)
{
    struct http *http = calloc(1, sizeof *http);
    if (http == NULL) {
        (void)error_set(err, ERROR_MEMORY, "no memory for an HTTP client");
        return NULL;
    }
    turn_init(&http->turn);
    http->wire = http_wire_new(options, err);
    if (http->wire != NULL)
        return http;
    http_free(http);
    return NULL;
}

void http_free(struct http *http)
{
    if (http == NULL)
        return;
    atomic_store(&http->stop, true);
    join_thread(http);
    http_wire_free(http->wire);
    turn_free(&http->turn);
    free(http);
}
