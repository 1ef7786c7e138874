#ifndef TESTS_SUPPORT_AGENT_RIG_H
#define TESTS_SUPPORT_AGENT_RIG_H

#include "handler/agent.h"
#include "tests/support/bedrock_bench.h"
#include "tests/support/log_capture.h"

struct json_object;

/*
 * The agent, throttle and Bedrock client and all, between a scripted Bedrock and a virtual clock.
 * What it logs is kept.
 */
struct agent_rig {
    struct bedrock_bench bench; /* os, http, settings, bedrock */
    struct log_capture capture;
    struct agent agent;
};

/* `settings`: as for bedrock_bench_open(). When the answers run out the last is repeated. */
void agent_rig_open(struct agent_rig *rig, const struct fake_answer *answers, size_t count,
                    const char *const *settings);
void agent_rig_close(struct agent_rig *rig);

/* Handles an event, as request "r-1", that Lambda gives `deadline_ns` from now; INT64_MAX: no
 * deadline. Returns the reply, to be put. */
struct json_object *agent_rig_handle(struct agent_rig *rig, const char *event, int64_t deadline_ns);

/* Of a reply: its status; its header, NULL when absent; its body, to be put, NULL when empty. */
int rig_status(struct json_object *reply);
const char *rig_header(struct json_object *reply, const char *name);
struct json_object *rig_body(struct json_object *reply);

/* Answers of Bedrock's, as initialisers of a struct fake_answer. */
#define RIG_ANSWER_WITH(text, stop)                                                                \
    {                                                                                              \
        .status = 200,                                                                             \
        .body = "{\"content\":[{\"type\":\"text\",\"text\":\"" text "\"}],\"stop_reason\":\"" stop \
                "\",\"usage\":{\"input_tokens\":3,\"output_tokens\":5}}",                          \
    }
#define RIG_ANSWER RIG_ANSWER_WITH("a secret answer", "end_turn")
#define RIG_THROTTLE_WITH(more, text)                                                              \
    {                                                                                              \
        .status = 429,                                                                             \
        .headers = "x-amzn-RequestId: service-1\n" more "x-amzn-ErrorType: "                       \
                   "ThrottlingException:http://internal.amazon.com/coral/com.amazon.bedrock/\n",   \
        .body = "{\"message\":\"" text "\"}",                                                      \
    }
#define RIG_THROTTLE RIG_THROTTLE_WITH("", "Too many requests, please wait before trying again.")
#define RIG_FAILURE(code, name)                                                                    \
    {                                                                                              \
        .status = (code), .headers = "x-amzn-ErrorType: " name "\n",                               \
        .body = "{\"message\":\"the internals of node 17\"}",                                      \
    }
#define RIG_CUT                                                                                    \
    {                                                                                              \
        .failure = ERROR_CONNECTION                                                                \
    }

#endif
