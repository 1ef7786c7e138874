#ifndef BEDROCK_BEDROCK_H
#define BEDROCK_BEDROCK_H

#include <stdbool.h>
#include <stdint.h>

#include "aws/credentials.h"
#include "aws/http.h"
#include "base/error.h"
#include "base/os.h"
#include "base/settings.h"

/*
 * One InvokeModel request to Amazon Bedrock, and what became of it. No retries, no waiting: that is
 * throttle/'s and handler/'s. Wire format: Bedrock runtime API, POST /model/{modelId}/invoke; body
 * and answer are the model family's own JSON (family.h).
 */

struct bedrock;

/*
 * All borrowed for its life. Fails with ERROR_CONFIG when no family fits the model id, or when the
 * endpoint, the Region or the bearer token is malformed.
 */
struct bedrock *bedrock_new(const struct settings *settings, const struct http_transport *transport,
                            struct credentials_provider *credentials, const struct os *os,
                            struct error *err);
void bedrock_free(struct bedrock *bedrock);

/* "https://bedrock-runtime.<region>.amazonaws.com", or the endpoint that is set. */
const char *bedrock_endpoint(const struct bedrock *bedrock);

/* One attempt. Everything is borrowed. */
struct bedrock_call {
    const char *message; /* UTF-8 */
    size_t message_length;
    const char *invocation_id; /* amz-sdk-invocation-id: the same for all attempts of one call */
    int attempt;               /* from 1; amz-sdk-request */
    int max_attempts;
    int64_t timeout_ns; /* for the whole attempt; BEDROCK_READ_TIMEOUT may end it earlier */
};

/* Why the model stopped, as callers see it. */
enum bedrock_stop {
    BEDROCK_STOP_END,     /* "end_turn": said all it wanted to say */
    BEDROCK_STOP_LENGTH,  /* "max_tokens": cut at BEDROCK_MAX_TOKENS or at the context's end */
    BEDROCK_STOP_REFUSAL, /* "refusal": the model, a guardrail or a filter declined */
    BEDROCK_STOP_OTHER,   /* "other": a word we do not know, or a request for tools */
};
const char *bedrock_stop_word(enum bedrock_stop stop);

struct bedrock_answer {
    char *text; /* owned; all text blocks joined; may be empty unless stop is BEDROCK_STOP_END */
    size_t text_length;
    enum bedrock_stop stop;
    /* From the answer's headers, else its body; -1: not told. Also of an answer that cannot be
     * used, since it was paid for. */
    int64_t input_tokens;
    int64_t output_tokens;
};

/* What became of an attempt. Zeroed before its first use; freed by bedrock_result_free(). */
struct bedrock_result {
    struct bedrock_answer answer; /* when bedrock_invoke() returned 0 */
    int status;                   /* HTTP status; 0: there was none */
    int64_t retry_hint_ns;        /* the service's own word when to come back, from now; -1: none */
    char service_request_id[64];  /* x-amzn-requestid; "" when absent */
};
void bedrock_result_free(struct bedrock_result *result);

/*
 * Sends the message and reads the answer. Returns 0 with `result->answer`, or -1 with `err->kind`
 * one of Bedrock's kinds, ERROR_CONNECTION, ERROR_UNTRUSTED, ERROR_READ_TIMEOUT, ERROR_CREDENTIALS,
 * ERROR_BAD_ANSWER, ERROR_EMPTY_ANSWER (a normal stop without any text), ERROR_INVALID_REQUEST (a
 * message longer than a request of 25,000,000 bytes can hold) or ERROR_MEMORY. `err->text` names
 * the exception, the status and the request's id, never what Bedrock says: that may quote the
 * prompt. Safe from several threads.
 */
int bedrock_invoke(struct bedrock *bedrock, const struct bedrock_call *call,
                   struct bedrock_result *result, struct error *err)
    __attribute__((warn_unused_result));

#endif
