#ifndef LOCAL_ENVIRONMENT_H
#define LOCAL_ENVIRONMENT_H

#include <stddef.h>

#include "base/error.h"
#include "local/options.h"

/* The variables of a sandbox, as Lambda sets them. Pure. A zeroed struct is empty. */
struct environment {
    char **entries; /* "NAME=value"; a NULL follows the last; NULL when empty */
    size_t count;
};

void environment_free(struct environment *environment);

/* Adds a variable or replaces it. */
int environment_set(struct environment *environment, const char *name, const char *value,
                    struct error *err) __attribute__((warn_unused_result));

/* NULL when it is not set. */
const char *environment_get(const struct environment *environment, const char *name);

struct environment_facts {
    int sandbox; /* its number */
    int runtime_api_port;
    int bedrock_port; /* of the stand-in */
    char *const *own; /* variables of this program, as environ */
    const struct options *options;
};

/*
 * Lambda's variables; credentials and endpoint for the stand-in, or this program's own for the real
 * Bedrock; this program's BEDROCK_* and AGENT_*; and last the --env options, which win.
 */
int environment_for_sandbox(struct environment *environment, const struct environment_facts *facts,
                            struct error *err) __attribute__((warn_unused_result));

#endif
