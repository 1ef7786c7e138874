#ifndef BEDROCK_CLASSIFY_H
#define BEDROCK_CLASSIFY_H

#include <stdint.h>

#include "aws/http.h"
#include "base/error.h"

/*
 * What an error answer of Bedrock's means: by exception name first, then by message, then by
 * status. Sources: Bedrock API reference (InvokeModel, errors), Bedrock user guide
 * (troubleshooting); how the name is found: AWS rest-json protocol.
 */
struct classification {
    enum error_kind kind;
    char name[64]; /* the exception's name, letters and digits only; "" when there is none */
    int64_t retry_hint_ns; /* how long to stay away, by the service's own word; -1: none */
};

/* `wall_ns` is Unix time, for a Retry-After that is a date. */
struct classification classify(const struct http_response *response, int64_t wall_ns);

#endif
