#ifndef HANDLER_AGENT_H
#define HANDLER_AGENT_H

#include <stdint.h>

#include "base/buffer.h"
#include "base/error.h"
#include "base/log.h"
#include "base/os.h"
#include "base/settings.h"
#include "handler/model.h"

/*
 * The agent's story: an event in, a reply out.
 *
 *   POST /agent   {"message", "session_id"}  ->  {"session_id", "message", "model", "usage", ...}
 *   GET /health                              ->  {"status": "ok"}
 *
 * Any bytes that Lambda can deliver get a reply. A direct invocation is a message itself. Events
 * from SQS are handed back whole as failed, since there is nobody to answer to. Each invocation
 * ends with the line "Request done", which is its metrics document too (handler/metrics.h).
 */
struct agent {
    const struct settings *settings;
    const struct os *os;
    const struct log *log;
    struct model model;
    _Atomic int64_t init_ns; /* until the first invocation took it; negative: nobody said */
};

/* All borrowed. */
struct agent_parts {
    const struct settings *settings;
    const struct os *os;
    const struct log *log;
    struct bedrock *bedrock;
};

int agent_init(struct agent *agent, const struct agent_parts *parts, struct error *err)
    __attribute__((warn_unused_result));
void agent_free(struct agent *agent);

/*
 * From the start of the program to its first poll of the Runtime API it took `init_ns`: the metrics
 * of the first invocation say so. To be called before that one.
 */
void agent_started(struct agent *agent, int64_t init_ns);

/* What Lambda delivered. All borrowed. */
struct agent_invocation {
    const char *event;
    size_t event_length;
    const char *request_id;
    int64_t deadline_wall_ns; /* Unix time; INT64_MAX: none */
};

/*
 * Fills `reply` (empty, its ceiling is Lambda's limit) with what to send back. Fails only when
 * there is no memory even for an error reply. Safe from several threads.
 */
int agent_handle(struct agent *agent, const struct agent_invocation *invocation,
                 struct buffer *reply, struct error *err) __attribute__((warn_unused_result));

#endif
