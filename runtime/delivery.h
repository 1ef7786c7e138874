#ifndef RUNTIME_DELIVERY_H
#define RUNTIME_DELIVERY_H

#include "runtime/runtime.h"

/*
 * From an answer of /next to an invocation. For the files of runtime/ only.
 */

/*
 * Fills `invocation` from its own `response`. Fails with ERROR_BAD_ANSWER when there is no request
 * id, or when an id, which must be sent back as it is, is longer than its field or is not made of
 * visible ASCII characters; with ERROR_MEMORY.
 */
int delivery_read(struct runtime_invocation *invocation, struct error *err)
    __attribute__((warn_unused_result));

/* Empties everything but keeps the response's memory for the next answer. */
void delivery_clear(struct runtime_invocation *invocation);

#endif
