#ifndef AWS_CREDENTIALS_H
#define AWS_CREDENTIALS_H

#include <stdint.h>

#include "aws/http.h"
#include "base/error.h"
#include "base/os.h"
#include "base/settings.h"

/* A set of keys; owned strings, wiped by credentials_free(). A zeroed struct is fine. */
struct credentials {
    char *access_key_id;
    char *secret_access_key;
    char *session_token;     /* NULL: none */
    int64_t expires_wall_ns; /* INT64_MAX: never */
};

void credentials_free(struct credentials *credentials);

/*
 * Finds credentials in this order: the environment, the shared credentials and config files (static
 * keys of AWS_PROFILE or "default"; see aws/profile.h), the container endpoint (aws/container.h).
 * They are kept and fetched anew when they expire within five minutes; if that fails while the old
 * ones still hold, the old ones are used and the next try is ten seconds later.
 *
 * The container endpoint is AWS_CONTAINER_CREDENTIALS_FULL_URI (https, or a loopback, ECS or EKS
 * address) or ..._RELATIVE_URI on 169.254.170.2, with the token of
 * AWS_CONTAINER_AUTHORIZATION_TOKEN or of the file ..._TOKEN_FILE, which is read anew each time and
 * comes first.
 */
struct credentials_provider;

/*
 * `settings`, `transport` and `os` are borrowed for the provider's life. The transport is for the
 * container endpoint and should know no proxy. NULL without memory.
 */
struct credentials_provider *credentials_provider_new(const struct settings *settings,
                                                      const struct http_transport *transport,
                                                      const struct os *os, struct error *err);
void credentials_provider_free(struct credentials_provider *provider);

/*
 * A copy for the caller to free, valid now. Fails with ERROR_CREDENTIALS and a text that says what
 * to set. May do I/O, bounded by `timeout_ns`; while another thread fetches, it takes what still
 * holds instead of waiting. Safe from several threads.
 */
int credentials_get(struct credentials_provider *provider, int64_t timeout_ns,
                    struct credentials *out, struct error *err) __attribute__((warn_unused_result));

/* Forgets what was fetched, e.g. after a snapshot was restored. */
void credentials_forget(struct credentials_provider *provider);

#endif
