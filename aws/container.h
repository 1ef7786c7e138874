#ifndef AWS_CONTAINER_H
#define AWS_CONTAINER_H

#include <stdbool.h>
#include <stdint.h>

#include "aws/credentials.h"
#include "aws/http.h"
#include "base/error.h"
#include "base/os.h"
#include "base/settings.h"

/*
 * Keys from the endpoint that ECS, EKS and Lambda SnapStart give to containers.
 * Source: "Container credential provider", AWS SDKs and tools guide.
 */

/* All borrowed. */
struct container {
    const struct settings *settings;
    const struct http_transport *transport;
    const struct os *os;
};

/* Whether the settings name an endpoint. */
bool container_is_configured(const struct settings *settings);

/*
 * Fetches keys into `out`, for credentials_free(). Tries three times at most, a second apart, when
 * the endpoint cannot be reached, is busy or faulty; all within `timeout_ns`. Fails with
 * ERROR_CREDENTIALS (ERROR_MEMORY without memory): `out` is then empty.
 */
int container_fetch(const struct container *container, int64_t timeout_ns, struct credentials *out,
                    struct error *err) __attribute__((warn_unused_result));

#endif
