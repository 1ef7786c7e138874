#ifndef BEDROCK_CLASSIFY_H
#define BEDROCK_CLASSIFY_H

#include <stdint.h>

#include "aws/http.h"
#include "base/error.h"

#define CLASSIFY_NAME_MAX   64
#define CLASSIFY_HINT_MAX_S (24 * 60 * 60) /* longer hints are cut */

/*
 * What an error answer of Bedrock's means: by exception name first, then by message, then by
 * status. Sources: Bedrock API reference (InvokeModel, errors), Bedrock user guide
 * (troubleshooting); how the name is found: AWS rest-json protocol.
 */
struct classification {
    enum error_kind kind;
    /* The exception's name; "" when there is none, or it is no plain word: it may be logged. */
    char name[CLASSIFY_NAME_MAX + 1];
    /*
     * How long to stay away, by the service's own word; -1: none. The longest of Retry-After
     * (seconds or a date), x-amz-retry-after, retry-after-ms, x-ms-retry-after-ms, and the
     * expected delay of Bedrock's queue in the body.
     */
    int64_t retry_hint_ns;
    /* What the operator may do about it, in our words; "" when we do not know. */
    const char *advice;
};

/* `wall_ns` is Unix time, for a Retry-After that is a date. */
struct classification classify(const struct http_response *response, int64_t wall_ns);

#endif
