#ifndef LOCAL_OPTIONS_H
#define LOCAL_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "local/rules.h"

/* How sandboxes are let into Bedrock. */
enum options_auth {
    AUTH_KEYS,      /* keys in the environment, as in Lambda */
    AUTH_BEARER,    /* AWS_BEARER_TOKEN_BEDROCK */
    AUTH_CONTAINER, /* a credentials endpoint, as under SnapStart */
};

/* What the command line says. Strings point into argv unless they are owned. */
struct options {
    const char *host;
    int port;
    char *bootstrap; /* owned; absolute path */
    int sandboxes;   /* at most */
    int provisioned; /* started at once */
    bool freeze;
    bool keep_late; /* after a time-out the function goes on, and its answer gets 410 */
    bool no_trace;
    bool snapstart;
    int64_t timeout_ns;
    int64_t gateway_timeout_ns;
    bool bedrock_aws;
    int bedrock_port;
    enum options_auth auth;
    struct rules rules;     /* owned */
    const char **variables; /* "NAME=VALUE" or "NAME"; the array is owned */
    size_t variable_count;
    bool quiet;
    const char *log_file;
};

enum options_verdict { OPTIONS_RUN, OPTIONS_DONE, OPTIONS_WRONG };

/* Reads the command line. OPTIONS_DONE: help was printed. OPTIONS_WRONG: `err` says what is. */
enum options_verdict options_read(struct options *options, int argc, char **argv,
                                  struct error *err);
void options_free(struct options *options);

#endif
