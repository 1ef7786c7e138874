#include "tests/support/fake_http.h"

#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"

static void must(int failed)
{
    if (failed)
        abort();
}

static char *copy(const void *bytes, size_t length)
{
    char *out = calloc(1, length + 1);
    must(out == NULL);
    if (length > 0)
        memcpy(out, bytes, length);
    return out;
}

static void record(struct fake_http *fake, const struct http_request *request)
{
    if (fake->calls >= FAKE_SENT_MAX)
        return;
    struct buffer headers;
    buffer_init(&headers, 1 << 20);
    for (size_t i = 0; i < request->header_count; i++) {
        must(buffer_append_string(&headers, request->headers[i].name, NULL));
        must(buffer_append_string(&headers, ": ", NULL));
        must(buffer_append_string(&headers, request->headers[i].value, NULL));
        must(buffer_append_string(&headers, "\n", NULL));
    }
    fake->sent[fake->calls] = (struct fake_sent){
        .method = copy(request->method, strlen(request->method)),
        .url = copy(request->url, strlen(request->url)),
        .headers = copy(headers.data, headers.length),
        .body = copy(request->body, request->body_length),
        .body_length = request->body_length,
        .timeout_ns = request->timeout_ns,
        .read_timeout_ns = request->read_timeout_ns,
        .connect_timeout_ns = request->connect_timeout_ns,
        .at_ns = fake->os != NULL ? fake->os->now_ns : 0,
    };
    buffer_free(&headers);
}

static int play(struct fake_http *fake, const struct fake_answer *answer,
                const struct http_request *request, struct http_response *response,
                struct error *err)
{
    int64_t limit_ns = request->timeout_ns;
    if (request->read_timeout_ns > 0 && request->read_timeout_ns < limit_ns)
        limit_ns = request->read_timeout_ns;
    bool late = limit_ns > 0 && answer->takes_ns > limit_ns;
    if (fake->os != NULL)
        fake_os_advance(fake->os, late ? limit_ns : answer->takes_ns);
    if (late)
        return error_set(err, ERROR_READ_TIMEOUT, "scripted time-out");
    if (answer->status == 0)
        return error_set(err, answer->failure, "scripted failure");
    const char *headers = answer->headers != NULL ? answer->headers : "";
    const char *body = answer->body != NULL ? answer->body : "";
    size_t length = answer->body_length > 0 ? answer->body_length : strlen(body);
    response->status = answer->status;
    buffer_free(&response->headers);
    buffer_free(&response->body);
    buffer_init(&response->headers, HTTP_HEADERS_MAX);
    buffer_init(&response->body, request->max_body);
    must(buffer_append_string(&response->headers, headers, NULL));
    if (buffer_append(&response->body, body, length, err) != 0)
        return error_set(err, ERROR_BAD_ANSWER, "scripted answer above max_body");
    return 0;
}

static int fake_send(void *context, const struct http_request *request,
                     struct http_response *response, struct error *err)
{
    struct fake_http *fake = context;
    must(fake->answer_count == 0);
    record(fake, request);
    size_t at = fake->calls < fake->answer_count ? fake->calls : fake->answer_count - 1;
    fake->calls++;
    return play(fake, &fake->answers[at], request, response, err);
}

void fake_http_init(struct fake_http *fake, const struct fake_answer *answers, size_t count,
                    struct fake_os *os)
{
    *fake = (struct fake_http){
        .os = os, .answers = answers, .answer_count = count, .transport = {.send = fake_send}};
    fake->transport.context = fake;
}

void fake_http_free(struct fake_http *fake)
{
    for (size_t i = 0; i < fake->calls && i < FAKE_SENT_MAX; i++) {
        free(fake->sent[i].method);
        free(fake->sent[i].url);
        free(fake->sent[i].headers);
        free(fake->sent[i].body);
    }
    *fake = (struct fake_http){0};
}
