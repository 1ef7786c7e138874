#include "runtime/runtime.h"

#include <string.h>

#include "runtime/call.h"

#define ID_HEADER "Lambda-Extension-Identifier"

/* Sent back as it is: one that was cut, or is no header, is none. */
static int read_id(const struct http_response *response, char out[RUNTIME_ID_SIZE],
                   struct error *err)
{
    char id[RUNTIME_ID_SIZE + 1]; /* one more, to see what is cut */
    bool there = http_response_header(response, ID_HEADER, id, sizeof id);
    size_t length = there ? strlen(id) : 0;
    if (length == 0 || length >= RUNTIME_ID_SIZE)
        return error_set(err, ERROR_RUNTIME_REFUSED, ID_HEADER " is absent or longer than %d bytes",
                         RUNTIME_ID_SIZE - 1);
    memcpy(out, id, length + 1);
    return 0;
}

int runtime_extension_register(const struct runtime *runtime, char extension_id[RUNTIME_ID_SIZE],
                               struct error *err)
{
    static const char body[] = "{\"events\":[]}";
    static const struct http_header headers[] = {
        {"Content-Type", "application/json"},
        {"Lambda-Extension-Name", "weir"},
    };
    static const struct call call = {CALL_EXTENSION "/register", headers, 2, body, sizeof body - 1};
    struct http_response response = {0};
    extension_id[0] = '\0';
    int rc = call_post(runtime, &call, &response, err);
    if (rc == 0)
        rc = read_id(&response, extension_id, err);
    http_response_free(&response);
    return rc;
}

int runtime_extension_park(const struct runtime *runtime, const char *extension_id,
                           struct error *err)
{
    const struct http_header header = {ID_HEADER, extension_id};
    const struct call call = {
        .path = CALL_EXTENSION "/event/next", .headers = &header, .header_count = 1};
    struct http_response response = {0};
    struct error cause = {0};
    int rc = call_wait(runtime, &call, &response, &cause);
    http_response_free(&response);
    return rc == 0 ? 0 : error_set(err, ERROR_RUNTIME_GONE, "not parked: %s", cause.text);
}
