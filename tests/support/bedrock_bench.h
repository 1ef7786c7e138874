#ifndef TESTS_SUPPORT_BEDROCK_BENCH_H
#define TESTS_SUPPORT_BEDROCK_BENCH_H

#include "bedrock/bedrock.h"
#include "tests/support/fake_http.h"

/* A Bedrock client between a scripted Bedrock and a virtual clock. */
struct bedrock_bench {
    struct fake_os os;
    struct fake_http http;             /* Bedrock */
    struct fake_http credentials_http; /* the container's credentials; refuses to connect */
    struct settings settings;
    struct credentials_provider *credentials;
    struct bedrock *bedrock; /* NULL: `err` says why */
    struct bedrock_result result;
    struct error err;
};

/*
 * Every request gets `answer`. `settings`: variables and values in turn, ended by NULL; they come
 * before the usual ones: us-east-1, Claude 3 Haiku, a session's keys. NULL: none.
 */
void bedrock_bench_open(struct bedrock_bench *b, const struct fake_answer *answer,
                        const char *const *settings);

/* bedrock_invoke() with a message, and with "a secret question". */
int bedrock_bench_say(struct bedrock_bench *b, const char *message, size_t length,
                      int64_t timeout_ns);
int bedrock_bench_ask(struct bedrock_bench *b, int64_t timeout_ns);

void bedrock_bench_close(struct bedrock_bench *b);

#endif
