#ifndef RUNTIME_REPORT_H
#define RUNTIME_REPORT_H

#include "runtime/runtime.h"

/*
 * A failure as Lambda wants to be told of it. For the files of runtime/ only.
 * Source: AWS Lambda guide, "Using the Lambda runtime API"; for the cause, the Runtime Interface
 * Emulator's rapi/model/error_cause.go.
 */

/* A zeroed struct is empty and may be freed. */
struct report {
    const char *type; /* valid for Lambda; borrowed from the failure or a constant */
    char *body;       /* {"errorMessage":...,"errorType":...,"stackTrace":[]} */
    char *cause;      /* what X-Ray shows, fit for a header */
};

/* Fails with ERROR_MEMORY; the report is then empty. */
int report_init(struct report *report, const struct runtime_failure *failure, struct error *err)
    __attribute__((warn_unused_result));
void report_free(struct report *report);

#endif
