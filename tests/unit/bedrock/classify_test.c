#include "bedrock/classify.h"

#include <stdio.h>
#include <string.h>

#include "base/os.h"
#include "tests/support/cmocka_all.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])
#define WALL_NS      (INT64_C(1795435200) * NS_PER_S) /* Mon, 23 Nov 2026 12:00:00 GMT */

static struct classification classified(int status, const char *headers, const char *body)
{
    struct http_response response = {.status = status};
    buffer_init(&response.headers, 10000);
    buffer_init(&response.body, 10000);
    assert_int_equal(buffer_append_string(&response.headers, headers, NULL), 0);
    assert_int_equal(buffer_append_string(&response.body, body, NULL), 0);
    struct classification result = classify(&response, WALL_NS);
    http_response_free(&response);
    return result;
}

#define NAMED(name)   "Content-Type: application/json\nx-amzn-ErrorType: " name "\n"
#define MESSAGE(text) "{\"message\":\"" text "\"}"

static const struct {
    int status;
    const char *headers, *body;
    enum error_kind kind;
} exceptions[] = {
    /* the exceptions of InvokeModel */
    {429, NAMED("ThrottlingException"), "{}", ERROR_THROTTLED},
    {429, NAMED("ModelNotReadyException"), "{}", ERROR_MODEL_NOT_READY},
    {400, NAMED("ServiceQuotaExceededException"), "{}", ERROR_QUOTA_EXCEEDED},
    {408, NAMED("ModelTimeoutException"), "{}", ERROR_MODEL_TIMEOUT},
    {424, NAMED("ModelErrorException"), "{\"originalStatusCode\":500}", ERROR_MODEL_FAULT},
    {424, NAMED("ModelErrorException"), "{\"originalStatusCode\":400}", ERROR_MODEL_ERROR},
    {424, NAMED("ModelErrorException"), "{}", ERROR_MODEL_ERROR},
    {424, NAMED("ModelStreamErrorException"), "{\"originalStatusCode\":503}", ERROR_MODEL_FAULT},
    {503, NAMED("ServiceUnavailableException"), "{}", ERROR_UNAVAILABLE},
    {500, NAMED("InternalServerException"), "{}", ERROR_SERVER_FAULT},
    {400, NAMED("ValidationException"), "{}", ERROR_VALIDATION},
    {403, NAMED("AccessDeniedException"), "{}", ERROR_ACCESS_DENIED},
    {404, NAMED("ResourceNotFoundException"), "{}", ERROR_NO_SUCH_MODEL},
    {400, NAMED("ConflictException"), "{}", ERROR_CONFLICT},
    /* the troubleshooting page's */
    {404, NAMED("FTUFormNotFilled"), "{}", ERROR_NO_SUCH_MODEL},
    {400, NAMED("IncompleteSignature"), "{}", ERROR_VALIDATION},
    {400, NAMED("InvalidAction"), "{}", ERROR_VALIDATION},
    {403, NAMED("InvalidClientTokenId"), "{}", ERROR_ACCESS_DENIED},
    {400, NAMED("NotAuthorized"), "{}", ERROR_ACCESS_DENIED},
    {400, NAMED("RequestExpired"), "{}", ERROR_VALIDATION},
    {500, NAMED("InternalFailure"), "{}", ERROR_SERVER_FAULT},
    {403, NAMED("MPAgreementBeingCreated"), "{}", ERROR_ACCESS_DENIED},
    /* throttles by their text */
    {429, NAMED("ThrottlingException:http://internal.amazon.com/coral/com.amazon.bedrock/"),
     MESSAGE("Too many tokens, please wait before trying again."), ERROR_THROTTLED_TOKENS},
    {429, NAMED("ThrottlingException"),
     MESSAGE("Too many requests, please wait before trying again."), ERROR_THROTTLED},
    {429, NAMED("ThrottlingException"),
     MESSAGE("Too many requests, please wait before trying again. You have sent too many "
             "requests.  Wait before trying again."),
     ERROR_THROTTLED},
    {429, NAMED("ThrottlingException"),
     MESSAGE("Too many tokens per day, please wait before trying again."), ERROR_THROTTLED_DAY},
    {429, NAMED("ThrottlingException"),
     MESSAGE("Your request was denied due to exceeding the account quotas for Amazon Bedrock"),
     ERROR_THROTTLED},
    {503, NAMED("ServiceUnavailableException"),
     MESSAGE("Too many connections, please wait before trying again."), ERROR_UNAVAILABLE},
    {503, "", MESSAGE("Bedrock is unable to process your request."), ERROR_UNAVAILABLE},
    /* the name comes before the status */
    {400, NAMED("ThrottlingException"), "{}", ERROR_THROTTLED},
    {500, NAMED("AccessDeniedException"), "{}", ERROR_ACCESS_DENIED},
    /* where else a name may stand */
    {429, "", "{\"code\":\"ThrottlingException\"}", ERROR_THROTTLED},
    {400, "", "{\"Code\":\"x#ThrottlingException:y\"}", ERROR_THROTTLED},
    {400, "", "{\"__type\":\"com.amazon.coral.service#AccessDeniedException\"}",
     ERROR_ACCESS_DENIED},
    {429, NAMED("com.amazon#ModelNotReadyException"), "{}", ERROR_MODEL_NOT_READY},
    /* no name: by text and status */
    {429, "", "", ERROR_THROTTLED},
    {429, "", "<html>Too many tokens</html>", ERROR_THROTTLED},
    {429, "", MESSAGE("Too many tokens, please wait before trying again."), ERROR_THROTTLED_TOKENS},
    {429, "", "{\"Message\":\"Too many tokens per day, please wait.\"}", ERROR_THROTTLED_DAY},
    {401, "", "", ERROR_ACCESS_DENIED},
    {403, "", "", ERROR_ACCESS_DENIED},
    {404, "", "", ERROR_NO_SUCH_MODEL},
    {408, "", "", ERROR_MODEL_TIMEOUT},
    {409, "", "", ERROR_CONFLICT},
    {418, "", "", ERROR_VALIDATION},
    {424, "", "{\"originalStatusCode\":502}", ERROR_MODEL_FAULT},
    {500, "", "", ERROR_SERVER_FAULT},
    {502, "", "", ERROR_SERVER_FAULT},
    {503, "", "", ERROR_UNAVAILABLE},
    {504, "", "", ERROR_SERVER_FAULT},
    {529, "", "", ERROR_SERVER_FAULT},
    {302, "", "", ERROR_BAD_ANSWER},
    {204, "", "", ERROR_BAD_ANSWER},
    {400, "", MESSAGE("Too many tokens, please wait before trying again."), ERROR_THROTTLED_TOKENS},
    {503, "", MESSAGE("too many requests, please wait before trying again."), ERROR_THROTTLED},
    {500, "", MESSAGE("You have sent too many requests.  Wait before trying again."),
     ERROR_THROTTLED},
    {429, "", MESSAGE("Too many connections, please wait before trying again."), ERROR_UNAVAILABLE},
    {400, "",
     MESSAGE("Your request was denied due to exceeding the account quotas for Amazon Bedrock"),
     ERROR_THROTTLED},
    /* a prompt that does not fit is no throttle */
    {400, "", MESSAGE("Input has too many tokens: 210000"), ERROR_VALIDATION},
    {400, NAMED("ValidationException"),
     MESSAGE("Too many tokens, please wait before trying again."), ERROR_VALIDATION},
    {400, "", "", ERROR_VALIDATION},
    {405, "", "", ERROR_VALIDATION},
    {413, "", "", ERROR_VALIDATION},
    {501, "", "", ERROR_SERVER_FAULT},
    {599, "", "", ERROR_SERVER_FAULT},
    {600, "", "", ERROR_BAD_ANSWER},
    {201, "", "{}", ERROR_BAD_ANSWER},
    {307, "", "", ERROR_BAD_ANSWER},
    {100, "", "", ERROR_BAD_ANSWER},
    {408, NAMED("RequestTimeoutException"), "", ERROR_SERVER_FAULT},
    {424, "", "{\"originalStatusCode\":600}", ERROR_MODEL_ERROR},
    {424, "", "{\"originalStatusCode\":\"503\"}", ERROR_MODEL_ERROR},
    {424, "", "{\"originalStatusCode\":429}", ERROR_MODEL_ERROR},
    /* names we do not know: by text and status */
    {503, NAMED("SomethingNewException"), "{}", ERROR_UNAVAILABLE},
    {429, NAMED("SomethingNewException"), "{}", ERROR_THROTTLED},
    {429, NAMED("throttlingexception"), "{}", ERROR_THROTTLED},
    {400, NAMED("accessdeniedexception"), "{}", ERROR_VALIDATION}, /* as sent, to the letter */
    {429, "x-amzn-errortype: \n", "{\"code\":\"ModelNotReadyException\"}", ERROR_MODEL_NOT_READY},
    /* bodies of any shape */
    {500, "", "[]", ERROR_SERVER_FAULT},
    {500, "", "{\"message\":7,\"code\":7,\"__type\":[]}", ERROR_SERVER_FAULT},
    {429, "", "{\"code\":null,\"Code\":\"ModelNotReadyException\"}", ERROR_MODEL_NOT_READY},
    {429, "", "{\"message\":\"\\u0000Too many tokens per day\"}", ERROR_THROTTLED},
};

static void each_exception_has_its_kind(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(exceptions); i++) {
        struct classification found =
            classified(exceptions[i].status, exceptions[i].headers, exceptions[i].body);
        if (found.kind != exceptions[i].kind)
            print_error("case %zu: %s\n", i, error_word(found.kind));
        assert_int_equal(found.kind, exceptions[i].kind);
    }
}

static void only_plain_names_are_passed_on(void **state)
{
    (void)state;
    static const struct {
        const char *headers, *name;
    } cases[] = {
        {NAMED("a.b#Name1:http://x"), "Name1"},
        {NAMED("Name with spaces"), ""},
        {NAMED(" Name2 :x"), "Name2"},
        {NAMED("a#b#Name3"), "Name3"},
        {NAMED("Name4:x#y"), "Name4"},
        {NAMED("#"), ""},
        {NAMED(":"), ""},
        {NAMED("a#:b"), ""},
        {NAMED("Na-me"), ""},
        {NAMED("Na\xc3\xa9"), ""},
        {NAMED("X234567890123456789012345678901234567890123456789012345678901234"),
         "X234567890123456789012345678901234567890123456789012345678901234"},
        {NAMED("<script>"), ""},
        {"", ""},
        {NAMED("X2345678901234567890123456789012345678901234567890123456789012345"), ""},
    };
    for (size_t i = 0; i < COUNT(cases); i++)
        assert_string_equal(classified(500, cases[i].headers, "{}").name, cases[i].name);
}

static void hints_are_read_wherever_they_stand(void **state)
{
    (void)state;
#define QUEUE(ms)                                                                                  \
    "{\"exceptionMetadata\":{\"qosTier\":\"10\",\"rudiMetadata\":\"{\\\"queueDwellTimeInMs\\\":0," \
    "\\\"expectedQueueDelayInMs\\\":" ms "}\"},\"message\":\"Too many connections...\"}"
    static const struct {
        const char *headers, *body;
        double seconds; /* negative: none */
    } cases[] = {
        {"", "{}", -1},
        {"Retry-After: 7\n", "", 7},
        {"Retry-After: 0\n", "", 0},
        {"retry-after: 1.5\n", "", 1.5},
        {"Retry-After: Mon, 23 Nov 2026 12:00:30 GMT\n", "", 30},
        {"Retry-After: Mon, 23 Nov 2026 11:59:30 GMT\n", "", -1},
        {"Retry-After: Monday, 23-Nov-26 12:00:30 GMT\n", "", 30},
        {"Retry-After: Mon Nov 23 12:00:30 2026\n", "", 30},
        {"Retry-After: Mon, 23 Nov 2026 12:00:30 CET\n", "", -1},
        {"Retry-After: Fri, 23 Nov 2029 12:00:00 GMT\n", "", 24.0 * 60 * 60},
        {"Retry-After:  4 \n", "", 4},
        {"Retry-After: 1.2.3\n", "", -1},
        {"Retry-After: .\n", "", -1},
        {"Retry-After: +3\n", "", -1},
        {"Retry-After: 0x10\n", "", -1},
        {"Retry-After: 3 s\n", "", -1},
        {"Retry-After: \n", "", -1},
        {"Retry-After: -3\n", "", -1},
        {"Retry-After: soon\n", "", -1},
        {"Retry-After: nan\n", "", -1},
        {"Retry-After: 1e3\n", "", -1},
        {"Retry-After: 99999999999\n", "", 24.0 * 60 * 60},
        {"x-amz-retry-after: 1500\n", "", 1.5},
        {"retry-after-ms: 250\n", "", 0.25},
        {"x-ms-retry-after-ms: 250\n", "", 0.25},
        {"x-amz-retry-after: -1\n", "", -1},
        {"Retry-After: 2\nx-amz-retry-after: 1500\n", "", 2},
        {"Retry-After: soon\nretry-after-ms: 250\n", "", 0.25},
        {"retry-after-ms: 250\nx-ms-retry-after-ms: 900\nx-amz-retry-after: x\n", "", 0.9},
        {"", QUEUE("394460"), 394.46},
        {"Retry-After: 7\n", QUEUE("394460"), 394.46},
        {"Retry-After: 500\n", QUEUE("394460"), 500},
        {"", QUEUE("2500.5"), 2.5005},
        {"", QUEUE("1e300"), 24.0 * 60 * 60},
        {"", QUEUE("\\\"5\\\""), -1},
        {"", QUEUE("-5"), -1},
        {"", "{\"exceptionMetadata\":{\"rudiMetadata\":\"no JSON\"}}", -1},
        {"", "{\"exceptionMetadata\":7}", -1},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        int64_t hint = classified(503, cases[i].headers, cases[i].body).retry_hint_ns;
        int64_t expected = cases[i].seconds < 0 ? -1 : ns_from_seconds(cases[i].seconds);
        if (hint != expected)
            print_error("case %zu\n", i);
        assert_int_equal(hint, expected);
    }
}

static void the_real_429_is_a_throttle_of_tokens(void **state)
{
    (void)state;
    struct classification found = classified(
        429,
        "Date: Mon, 12 May 2025 11:11:55 GMT\nContent-Type: application/json\nContent-Length: 63\n"
        "Connection: keep-alive\n"
        "x-amzn-ErrorType: ThrottlingException:http://internal.amazon.com/coral/com.amazon.bedrock/"
        "\nx-amzn-RequestId: ca47a5ce-e260-4824-aa0e-2e62669d5d6e\n",
        MESSAGE("Too many tokens, please wait before trying again."));
    assert_int_equal(found.kind, ERROR_THROTTLED_TOKENS);
    assert_string_equal(found.name, "ThrottlingException");
    assert_int_equal(found.retry_hint_ns, -1);
    assert_string_equal(found.advice, "");
}

static void what_an_operator_can_mend_comes_with_advice(void **state)
{
    (void)state;
    static const struct {
        const char *message, *advice;
    } cases[] = {
        {"Invocation of model ID anthropic.claude-sonnet-4-20250514-v1:0 with on-demand throughput "
         "isn\xe2\x80\x99t supported. Retry your request with the ID or ARN of an inference "
         "profile "
         "that contains this model.",
         "inference profile"},
        {"The provided model identifier is invalid.", "BEDROCK_MODEL_ID"},
        {"You don't have access to the model with the specified model ID.", "access"},
        {"The maximum tokens you requested exceeds the model limit of 4096. Try again with a "
         "maximum tokens value that is lower than 4096.",
         "BEDROCK_MAX_TOKENS"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        char body[512];
        (void)snprintf(body, sizeof body, MESSAGE("%s"), cases[i].message);
        struct classification found = classified(400, NAMED("ValidationException"), body);
        assert_int_equal(found.kind, ERROR_VALIDATION);
        assert_non_null(strstr(found.advice, cases[i].advice));
    }
    assert_string_equal(classified(400, "", MESSAGE("something else")).advice, "");
}

static void an_empty_response_is_survived(void **state)
{
    (void)state;
    const struct http_response response = {.status = 500};
    struct classification found = classify(&response, WALL_NS);
    assert_int_equal(found.kind, ERROR_SERVER_FAULT);
    assert_string_equal(found.name, "");
    assert_int_equal(found.retry_hint_ns, -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_exception_has_its_kind),
        cmocka_unit_test(only_plain_names_are_passed_on),
        cmocka_unit_test(hints_are_read_wherever_they_stand),
        cmocka_unit_test(the_real_429_is_a_throttle_of_tokens),
        cmocka_unit_test(what_an_operator_can_mend_comes_with_advice),
        cmocka_unit_test(an_empty_response_is_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
