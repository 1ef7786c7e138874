#include "local/stats.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/os.h"
#include "local/clock.h"
#include "local/document.h"

void stats_init(struct stats *stats)
{
    *stats = (struct stats){.start_ns = clock_now_ns()};
    pthread_mutex_init(&stats->lock, NULL);
}

void stats_free(struct stats *stats)
{
    free(stats->list);
    pthread_mutex_destroy(&stats->lock);
}

static void forget(struct stats *stats)
{
    stats->count = 0;
    stats->generation++;
}

void stats_reset(struct stats *stats)
{
    pthread_mutex_lock(&stats->lock);
    memset(stats->counters, 0, sizeof stats->counters);
    stats->messages = stats->answered = stats->refused = stats->errors = stats->others = 0;
    stats->waited_ns = stats->longest_wait_ns = 0;
    stats->attempts = stats->model_answers = stats->throttles = 0;
    forget(stats);
    pthread_mutex_unlock(&stats->lock);
}

void stats_forget_attempts(struct stats *stats)
{
    pthread_mutex_lock(&stats->lock);
    forget(stats);
    pthread_mutex_unlock(&stats->lock);
}

void stats_add(struct stats *stats, enum stats_counter counter)
{
    pthread_mutex_lock(&stats->lock);
    stats->counters[counter]++;
    pthread_mutex_unlock(&stats->lock);
}

void stats_add_other(struct stats *stats)
{
    pthread_mutex_lock(&stats->lock);
    stats->others++;
    pthread_mutex_unlock(&stats->lock);
}

void stats_add_message(struct stats *stats, const struct stats_message *message)
{
    int64_t waited_ns = message->took_ns - message->model_ns;
    if (waited_ns < 0)
        waited_ns = 0;
    pthread_mutex_lock(&stats->lock);
    stats->messages++;
    if (message->status / 100 == 2)
        stats->answered++;
    else if (message->status == 429)
        stats->refused++;
    else
        stats->errors++;
    stats->waited_ns += waited_ns;
    if (waited_ns > stats->longest_wait_ns)
        stats->longest_wait_ns = waited_ns;
    pthread_mutex_unlock(&stats->lock);
}

static bool make_room(struct stats *stats)
{
    if (stats->count < stats->capacity)
        return true;
    if (stats->count >= STATS_LIST_MAX)
        return false;
    size_t capacity = stats->capacity > 0 ? 2 * stats->capacity : 64;
    struct stats_attempt *list = realloc(stats->list, capacity * sizeof *list);
    if (list == NULL)
        return false;
    stats->list = list;
    stats->capacity = capacity;
    return true;
}

struct stats_ticket stats_begin_attempt(struct stats *stats, const struct stats_attempt *attempt)
{
    struct stats_ticket ticket = {.index = SIZE_MAX};
    pthread_mutex_lock(&stats->lock);
    stats->attempts++;
    ticket.generation = stats->generation;
    if (make_room(stats)) {
        ticket.index = stats->count;
        stats->list[stats->count++] = *attempt;
    }
    pthread_mutex_unlock(&stats->lock);
    return ticket;
}

void stats_end_attempt(struct stats *stats, struct stats_ticket ticket,
                       const struct stats_attempt *attempt)
{
    pthread_mutex_lock(&stats->lock);
    if (attempt->status == 200)
        stats->model_answers++;
    if (attempt->status == 429)
        stats->throttles++;
    if (ticket.generation == stats->generation && ticket.index < stats->count)
        stats->list[ticket.index] = *attempt;
    pthread_mutex_unlock(&stats->lock);
}

/* --- output ----------------------------------------------------------------------------------- */

static void add_count(struct json_object *object, const char *name, uint64_t value)
{
    json_object_object_add(object, name, json_object_new_int64((int64_t)value));
}

static void add_number(struct json_object *object, const char *name, double value)
{
    char digits[64];
    (void)snprintf(digits, sizeof digits, "%.3f", value);
    json_object_object_add(object, name, json_object_new_double_s(value, digits));
}

static void add_ms(struct json_object *object, const char *name, int64_t ns)
{
    add_number(object, name, (double)ns / (double)NS_PER_MS);
}

/* Of the model: what it took to get one, whoever asked. */
static double per_answer(const struct stats *stats)
{
    return stats->model_answers > 0 ? (double)stats->attempts / (double)stats->model_answers : 0;
}

int stats_print(struct stats *stats, struct buffer *out, struct error *err)
{
    struct json_object *object = json_object_new_object();
    pthread_mutex_lock(&stats->lock);
    add_ms(object, "uptime_ms", clock_now_ns() - stats->start_ns);
    add_count(object, "messages", stats->messages);
    add_count(object, "answered", stats->answered);
    add_count(object, "refused", stats->refused);
    add_count(object, "errors", stats->errors);
    add_count(object, "others", stats->others);
    add_ms(object, "waited_ms", stats->waited_ns);
    add_ms(object, "longest_wait_ms", stats->longest_wait_ns);
    add_count(object, "model_attempts", stats->attempts);
    add_count(object, "model_answers", stats->model_answers);
    add_count(object, "throttled", stats->throttles);
    add_number(object, "attempts_per_answer", per_answer(stats));
#define STATS_PRINT(name, meaning) add_count(object, #name, stats->counters[STATS_##name]);
    STATS_COUNTERS(STATS_PRINT)
#undef STATS_PRINT
    pthread_mutex_unlock(&stats->lock);
    int result = document_print(object, out, err);
    json_object_put(object);
    return result;
}

static struct json_object *describe(const struct stats *stats, const struct stats_attempt *attempt)
{
    struct json_object *object = json_object_new_object();
    add_ms(object, "at_ms", attempt->at_ns - stats->start_ns);
    if (attempt->took_ns >= 0)
        add_ms(object, "took_ms", attempt->took_ns);
    json_object_object_add(object, "model", json_object_new_string(attempt->model));
    json_object_object_add(object, "status", json_object_new_int(attempt->status));
    if (attempt->fault[0] != '\0')
        json_object_object_add(object, "fault", json_object_new_string(attempt->fault));
    json_object_object_add(object, "input_tokens", json_object_new_int64(attempt->input_tokens));
    json_object_object_add(object, "output_tokens", json_object_new_int64(attempt->output_tokens));
    json_object_object_add(object, "max_tokens", json_object_new_int64(attempt->max_tokens));
    json_object_object_add(object, "sandbox", json_object_new_int(attempt->sandbox));
    json_object_object_add(object, "peer_port", json_object_new_int(attempt->peer_port));
    json_object_object_add(object, "invocation_id", json_object_new_string(attempt->invocation_id));
    json_object_object_add(object, "sdk_request", json_object_new_string(attempt->sdk_request));
    return object;
}

int stats_print_attempts(struct stats *stats, struct buffer *out, struct error *err)
{
    struct json_object *list = json_object_new_array();
    pthread_mutex_lock(&stats->lock);
    for (size_t i = 0; i < stats->count; i++)
        json_object_array_add(list, describe(stats, &stats->list[i]));
    pthread_mutex_unlock(&stats->lock);
    int result = document_print(list, out, err);
    json_object_put(list);
    return result;
}

void stats_print_summary(struct stats *stats, bool model_known, FILE *out)
{
    pthread_mutex_lock(&stats->lock);
    (void)fprintf(out, "answered   %" PRIu64 "\n", stats->answered);
    (void)fprintf(out, "refused    %" PRIu64 " (429 to callers)\n", stats->refused);
    (void)fprintf(out, "errors     %" PRIu64 "\n", stats->errors);
    if (model_known) {
        (void)fprintf(out, "throttled  %" PRIu64 " (429 from Bedrock)\n", stats->throttles);
        (void)fprintf(out, "attempts   %" PRIu64 " model requests, %.2f per answer\n",
                      stats->attempts, per_answer(stats));
    }
    (void)fprintf(out, "waited     %.2f s in all, %.2f s at most%s\n",
                  seconds_from_ns(stats->waited_ns), seconds_from_ns(stats->longest_wait_ns),
                  model_known ? ", the model's own time not counted"
                              : ", the model's time included");
    pthread_mutex_unlock(&stats->lock);
    (void)fflush(out);
}
