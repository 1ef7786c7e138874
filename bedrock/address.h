#ifndef BEDROCK_ADDRESS_H
#define BEDROCK_ADDRESS_H

#include "base/error.h"
#include "base/settings.h"

/*
 * Where a model is asked, in the forms that a request and its signature need. Sources: Bedrock
 * runtime API, POST /model/{modelId}/invoke, with the id as one percent-encoded label; domains of
 * the partitions: botocore, endpoints.json.
 */
struct address {
    char *endpoint;   /* "https://bedrock-runtime.us-east-1.amazonaws.com", no slash at its end */
    char *url;        /* of InvokeModel */
    char *host;       /* of the Host header: the port only when it is not the scheme's own */
    const char *path; /* in `url` */
};

/*
 * From settings->endpoint, which may have a path of its own, else from settings->region. Fails with
 * ERROR_CONFIG when either is no plain one, and leaves a zeroed struct.
 */
int address_init(struct address *address, const struct settings *settings, struct error *err)
    __attribute__((warn_unused_result));
void address_free(struct address *address);

#endif
