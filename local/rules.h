#ifndef LOCAL_RULES_H
#define LOCAL_RULES_H

#include "base/error.h"
#include "local/quota.h"

/*
 * How the Bedrock stand-in behaves. Set on the command line as --NAME VALUE, and at run time as
 * {"NAME": VALUE}, with the same names and values. Zeroed: answers everything at once.
 */
struct rules {
    char *fault;                            /* script, see fault.h; owned; NULL: none */
    double requests_per_minute;             /* "rpm"; 0: no quota */
    double tokens_per_minute;               /* "tpm"; 0: no quota */
    enum quota_kind quota;                  /* "quota": bucket or sliding */
    double least_latency_s, most_latency_s; /* "latency": MIN or MIN-MAX */
};

void rules_free(struct rules *rules);

int rules_copy(struct rules *to, const struct rules *from, struct error *err)
    __attribute__((warn_unused_result));

/* ERROR_CONFIG names what is wrong; the rules are then as they were. */
int rules_set(struct rules *rules, const char *name, const char *value, struct error *err)
    __attribute__((warn_unused_result));

/* Appends to the fault script instead of replacing it. */
int rules_add_fault(struct rules *rules, const char *script, struct error *err)
    __attribute__((warn_unused_result));

#endif
