#ifndef LOCAL_BEDROCK_FAKE_H
#define LOCAL_BEDROCK_FAKE_H

#include <stdint.h>

#include "base/error.h"
#include "local/rules.h"
#include "local/stats.h"

/*
 * A stand-in for Amazon Bedrock's runtime endpoint on 127.0.0.1: POST /model/{modelId}/invoke for
 * the three families of model.h. Checks the signature or the bearer token (auth.h), plays the fault
 * script, enforces the quotas, takes its time, and repeats the message. In this order: who, fault,
 * shape of the request, quota, latency, answer. One item of the script is used up by each request
 * that is authentic. Tokens are counted as Bedrock does: input and max_tokens when a request
 * starts, input and output times the burndown once it is over.
 */
struct bedrock_fake;

struct bedrock_fake_options {
    int port;                  /* 0: any */
    const struct rules *rules; /* at the start, and again after bedrock_fake_reset(); borrowed */
    struct stats *stats;       /* borrowed */
    /* Told how long it worked on a request of `sandbox`; 0 for clients that are none. */
    void (*worked)(void *context, int sandbox, int64_t ns);
    void *context;
};

struct bedrock_fake *bedrock_fake_start(const struct bedrock_fake_options *options,
                                        struct error *err);
void bedrock_fake_stop(struct bedrock_fake *fake);
int bedrock_fake_port(const struct bedrock_fake *fake);

/*
 * New rules: a JSON object with some of the names of rules.h; numbers may be strings. What is not
 * named stays. In any case the script starts again, the quotas are full and the list of attempts is
 * empty. ERROR_CONFIG or ERROR_INVALID_REQUEST: nothing has changed.
 */
int bedrock_fake_change(struct bedrock_fake *fake, const char *json, size_t length,
                        struct error *err) __attribute__((warn_unused_result));

/* The rules of the start, as new. */
int bedrock_fake_reset(struct bedrock_fake *fake, struct error *err)
    __attribute__((warn_unused_result));

#endif
