#include "local/invocation.h"

#include <stdio.h>
#include <stdlib.h>

#include "local/clock.h"
#include "local/document.h"

struct invocation *invocation_new(const struct lambda_event *event, struct error *err)
{
    struct invocation *invocation = calloc(1, sizeof *invocation);
    if (invocation == NULL) {
        (void)error_set(err, ERROR_MEMORY, "no memory for an invocation");
        return NULL;
    }
    invocation->references = 1;
    os_uuid(os_real(), invocation->request_id);
    os_uuid(os_real(), invocation->nonce);
    (void)snprintf(invocation->trace_id, sizeof invocation->trace_id, "%s", event->trace_id);
    buffer_init(&invocation->event, LAMBDA_PAYLOAD_MAX);
    buffer_init(&invocation->answer, LAMBDA_PAYLOAD_MAX);
    clock_condition_init(&invocation->done);
    if (buffer_append(&invocation->event, event->bytes, event->length, err) == 0)
        return invocation;
    buffer_wipe(&invocation->event);
    pthread_cond_destroy(&invocation->done);
    free(invocation);
    return NULL;
}

void invocation_drop(struct invocation *invocation)
{
    invocation->references--;
    if (invocation->references > 0)
        return;
    buffer_wipe(&invocation->event);
    buffer_wipe(&invocation->answer);
    pthread_cond_destroy(&invocation->done);
    free(invocation);
}

void invocation_finish(struct invocation *invocation, enum lambda_outcome outcome)
{
    if (invocation->outcome != OUTCOME_PENDING)
        return;
    invocation->outcome = outcome;
    pthread_cond_broadcast(&invocation->done);
}

void invocation_fail(struct invocation *invocation, enum lambda_outcome outcome, const char *type,
                     const char *message)
{
    if (invocation->outcome != OUTCOME_PENDING)
        return;
    struct json_object *body = json_object_new_object();
    json_object_object_add(body, "errorType", json_object_new_string(type));
    json_object_object_add(body, "errorMessage", json_object_new_string(message));
    buffer_clear(&invocation->answer);
    (void)!document_print(body, &invocation->answer, NULL);
    json_object_put(body);
    invocation_finish(invocation, outcome);
}
