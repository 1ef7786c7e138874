#ifndef LOCAL_AUTH_H
#define LOCAL_AUTH_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "local/server.h"

/*
 * The credentials that the Bedrock stand-in hands out and checks. They are no secrets: they open
 * nothing but the stand-in. Each sandbox has a session token and a bearer token of its own, so that
 * its requests can be told from the others'; number 0 is for clients that are no sandbox.
 */
#define AUTH_ACCESS_KEY_ID     "LOCALWEIRACCESSKEY00"
#define AUTH_SECRET_ACCESS_KEY "not/a+secret/LocalWeirStandInOnly/000000"

#define AUTH_TOKEN_SIZE 96
void auth_session_token(int sandbox, char out[AUTH_TOKEN_SIZE]);
void auth_bearer_token(int sandbox, char out[AUTH_TOKEN_SIZE]);

/* How Bedrock words a refusal. */
struct auth_refusal {
    int status;
    const char *type;
    const char *message;
};

/*
 * Checks the signature (computed anew with the known secret) or the bearer token of a request.
 * Returns the sandbox's number, or -1 and fills `refusal`. `wall_ns` is the time now: a signature
 * holds for five minutes.
 */
int auth_check(const struct server_request *request, int64_t wall_ns, struct auth_refusal *refusal);

#endif
