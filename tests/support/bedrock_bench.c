#include "tests/support/bedrock_bench.h"

#include <string.h>

#include "tests/support/cmocka_all.h"

static const char *lookup(void *context, const char *variable)
{
    static const char *const usual[] = {
        "AWS_REGION",
        "us-east-1",
        "AWS_ACCESS_KEY_ID",
        "AKIDEXAMPLE",
        "AWS_SECRET_ACCESS_KEY",
        "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
        "AWS_SESSION_TOKEN",
        "SESSIONTOKEN",
        "BEDROCK_MODEL_ID",
        "anthropic.claude-3-haiku-20240307-v1:0",
        NULL,
    };
    const char *const *given = context;
    for (; given != NULL && given[0] != NULL; given += 2)
        if (strcmp(given[0], variable) == 0)
            return given[1];
    for (size_t i = 0; usual[i] != NULL; i += 2)
        if (strcmp(usual[i], variable) == 0)
            return usual[i + 1];
    return NULL;
}

void bedrock_bench_open(struct bedrock_bench *b, const struct fake_answer *answer,
                        const char *const *settings)
{
    static const struct fake_answer nothing = {.failure = ERROR_CONNECTION};
    *b = (struct bedrock_bench){0};
    fake_os_init(&b->os);
    fake_http_init(&b->http, answer, 1, &b->os);
    fake_http_init(&b->credentials_http, &nothing, 1, &b->os);
    const struct settings_source source = {lookup, (void *)(uintptr_t)settings};
    assert_int_equal(settings_load(&b->settings, source, &b->err), 0);
    b->credentials =
        credentials_provider_new(&b->settings, &b->credentials_http.transport, &b->os.os, &b->err);
    assert_non_null(b->credentials);
    b->bedrock = bedrock_new(&b->settings, &b->http.transport, b->credentials, &b->os.os, &b->err);
}

int bedrock_bench_say(struct bedrock_bench *b, const char *message, size_t length,
                      int64_t timeout_ns)
{
    const struct bedrock_call call = {
        .message = message,
        .message_length = length,
        .invocation_id = "11111111-2222-4333-8444-555555555555",
        .attempt = 2,
        .max_attempts = 16,
        .timeout_ns = timeout_ns,
    };
    assert_non_null(b->bedrock);
    bedrock_result_free(&b->result);
    return bedrock_invoke(b->bedrock, &call, &b->result, &b->err);
}

int bedrock_bench_ask(struct bedrock_bench *b, int64_t timeout_ns)
{
    static const char message[] = "a secret question";
    return bedrock_bench_say(b, message, sizeof message - 1, timeout_ns);
}

void bedrock_bench_close(struct bedrock_bench *b)
{
    bedrock_result_free(&b->result);
    bedrock_free(b->bedrock);
    credentials_provider_free(b->credentials);
    fake_http_free(&b->http);
    fake_http_free(&b->credentials_http);
    settings_free(&b->settings);
}
