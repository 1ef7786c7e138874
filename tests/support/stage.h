#ifndef TESTS_SUPPORT_STAGE_H
#define TESTS_SUPPORT_STAGE_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/support/child.h"
#include "tests/support/peer.h"

/*
 * The real bootstrap between two scripted servers: a Lambda Runtime API that plays events from an
 * array, and a Bedrock that plays answers from an array. When events run out, /next waits; when
 * answers run out, the last one is repeated.
 */

#define STAGE_POSTS_MAX 64
#define STAGE_MODEL_MAX 64

struct stage_event {
    const char *event;      /* NULL: say nothing (a poll that waits) */
    size_t length;          /* 0: strlen(event) */
    const char *headers;    /* more headers of /next, "Name: value\r\n"; NULL: none */
    struct peer_answer how; /* chunked, cut_in_body, close; a status other than 0 replaces 200 */
    bool cut;               /* close without a byte */
    int post_status;        /* answer to the reply; 0: 202 */
    int deadline_ms;        /* from delivery; 0: 60,000 */
};

struct stage_post {
    char path[256];
    char invocation_id[128]; /* "(absent)" when the header was not sent */
    char error_type[128];
    char *body;
    size_t body_length;
};

struct stage_model {
    int64_t at_ns; /* CLOCK_MONOTONIC */
    char path[2048];
    char authorization[1024];
};

struct stage {
    struct child child;
    struct peer *lambda, *bedrock;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    const struct stage_event *events;
    size_t event_count, delivered, polls;
    const struct peer_answer *answers;
    size_t answer_count;
    struct stage_post posts[STAGE_POSTS_MAX]; /* the first ones */
    size_t post_count;
    struct stage_model models[STAGE_MODEL_MAX]; /* the first ones */
    size_t model_count;
};

/* `settings`: "NAME=value" strings ended by NULL, more than the usual ones. Starts the bootstrap.
 */
void stage_open(struct stage *stage, const struct stage_event *events, size_t event_count,
                const struct peer_answer *answers, size_t answer_count,
                const char *const *settings);

/* Waits until so many posts have come; fails the test after a minute. */
void stage_wait_posts(struct stage *stage, size_t count);

/* Waits until /next has been polled so often. */
void stage_wait_polls(struct stage *stage, size_t count);

/* How many there were so far. Read the other fields after waiting only. */
size_t stage_posts(struct stage *stage);
size_t stage_polls(struct stage *stage);

/* The statusCode of a posted reply; -1 when it has none. */
int stage_status(const struct stage *stage, size_t post);

/* A member of a posted reply's body as text, "" when absent; to be freed. */
char *stage_body_member(const struct stage *stage, size_t post, const char *name);

/* A header of a posted reply, "" when absent; to be freed. */
char *stage_header(const struct stage *stage, size_t post, const char *name);

void stage_close(struct stage *stage);

/* An answer of the model in Anthropic's shape. */
extern const char stage_answer_body[];

#endif
