#ifndef AWS_SIGV4_H
#define AWS_SIGV4_H

#include <stddef.h>
#include <stdint.h>

#include "aws/credentials.h"
#include "aws/http.h"
#include "base/error.h"

/*
 * AWS Signature Version 4 in the Authorization header.
 * Source: "Create a signed AWS API request", IAM user guide; goldens in tests/golden/.
 */

struct sigv4_request {
    const char *method;
    const char *host;  /* as in the Host header, with the port unless it is the scheme's own */
    const char *path;  /* as on the wire, percent-encoded once; signed normalised, encoded again */
    const char *query; /* as on the wire, without "?"; NULL or "": none */
    const struct http_header *headers; /* to be signed, without Host and the X-Amz-* made here */
    size_t header_count;
    const void *body;
    size_t body_length;
};

struct sigv4_scope {
    const char *region;
    const char *service; /* "bedrock", "dynamodb", "sqs" */
    int64_t wall_ns;     /* Unix time of the signature */
};

#define SIGV4_TOKEN_MAX 16384 /* longest session token, bytes */

/* Headers to send. Wiped and freed by sigv4_signature_free(). */
struct sigv4_signature {
    char date[17];       /* X-Amz-Date: 20261123T120000Z */
    char *authorization; /* Authorization */
    const char *token;   /* X-Amz-Security-Token; NULL: none; borrowed from the credentials */
};

int sigv4_sign(const struct sigv4_request *request, const struct sigv4_scope *scope,
               const struct credentials *credentials, struct sigv4_signature *signature,
               struct error *err) __attribute__((warn_unused_result));
void sigv4_signature_free(struct sigv4_signature *signature);

/* Appends `text` as one path label: all but A-Z a-z 0-9 - . _ ~ percent-encoded (RFC 3986). */
int sigv4_percent_encode(struct buffer *out, const char *text, struct error *err)
    __attribute__((warn_unused_result));

#endif
