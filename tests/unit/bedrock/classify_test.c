#include "bedrock/classify.h"

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
    {503, NAMED("SomethingNewException"), "{}", ERROR_UNAVAILABLE},
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
        {NAMED("<script>"), ""},
        {"", ""},
        {NAMED("X234567890123456789012345678901234567890123456789012345678901234"), ""},
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
        {"", QUEUE("394460"), 394.46},
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_exception_has_its_kind),
        cmocka_unit_test(only_plain_names_are_passed_on),
        cmocka_unit_test(hints_are_read_wherever_they_stand),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
