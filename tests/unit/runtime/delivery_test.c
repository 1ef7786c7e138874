#include "runtime/delivery.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/cmocka_all.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])
#define ID           "Lambda-Runtime-Aws-Request-Id: r\n"

#define TEN            "0123456789"
#define CHARACTERS_120 TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN

static void must(int failed)
{
    if (failed)
        abort();
}

/* As /next would have answered. */
static void receive(struct runtime_invocation *invocation, const char *headers, const char *event)
{
    struct http_response *response = &invocation->response;
    delivery_clear(invocation);
    http_response_free(response);
    buffer_init(&response->headers, HTTP_HEADERS_MAX);
    buffer_init(&response->body, RUNTIME_PAYLOAD_MAX);
    response->status = 200;
    must(buffer_append_string(&response->headers, headers, NULL));
    if (event != NULL)
        must(buffer_append_string(&response->body, event, NULL));
}

static void release(struct runtime_invocation *invocation)
{
    delivery_clear(invocation);
    http_response_free(&invocation->response);
}

static void all_headers_are_read_without_case(void **state)
{
    (void)state;
    struct runtime_invocation in = {0};
    receive(
        &in,
        "content-type: application/x-www-form-urlencoded\n"
        "lambda-runtime-aws-request-id:  8476a536-e9f4-11e8-9739-2dfe598c3fcd \n"
        "LAMBDA-RUNTIME-DEADLINE-MS: 1795435200123\n"
        "Lambda-Runtime-Invoked-Function-Arn: arn:aws:lambda:us-east-1:123456789012:function:f\n"
        "Lambda-Runtime-Trace-Id: Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Sampled=1\n"
        "Lambda-Runtime-Client-Context: {\"client\":\"\xc3\xbc\"}\n"
        "Lambda-Runtime-Cognito-Identity: {\"id\":1}\n"
        "Lambda-Runtime-Aws-Tenant-Id: tenant-7\n"
        "Lambda-Runtime-Invocation-Id: nonce+/=\n",
        "{\"message\":\"test\"}");
    assert_int_equal(delivery_read(&in, NULL), 0);
    assert_string_equal(in.request_id, "8476a536-e9f4-11e8-9739-2dfe598c3fcd");
    assert_string_equal(in.invocation_id, "nonce+/=");
    assert_string_equal(in.function_arn, "arn:aws:lambda:us-east-1:123456789012:function:f");
    assert_string_equal(in.trace_id, "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Sampled=1");
    assert_string_equal(in.tenant_id, "tenant-7");
    assert_string_equal(in.client_context, "{\"client\":\"\xc3\xbc\"}");
    assert_string_equal(in.cognito_identity, "{\"id\":1}");
    assert_true(in.deadline_wall_ns == INT64_C(1795435200123) * NS_PER_MS);
    assert_string_equal(in.event, "{\"message\":\"test\"}");
    assert_int_equal(in.event_length, 18);
    release(&in);
}

static void what_is_absent_or_empty_is_empty(void **state)
{
    (void)state;
    static const char *const headers[] = {
        ID,
        ID "Lambda-Runtime-Client-Context:\nLambda-Runtime-Cognito-Identity: \n"
           "Lambda-Runtime-Trace-Id:\nLambda-Runtime-Invocation-Id:  \n"
           "Lambda-Runtime-Aws-Tenant-Id:\nLambda-Runtime-Deadline-Ms:\n",
    };
    for (size_t i = 0; i < COUNT(headers); i++) {
        struct runtime_invocation in = {0};
        receive(&in, headers[i], NULL);
        assert_int_equal(delivery_read(&in, NULL), 0);
        assert_string_equal(in.invocation_id, "");
        assert_string_equal(in.trace_id, "");
        assert_string_equal(in.tenant_id, "");
        assert_null(in.client_context);
        assert_null(in.cognito_identity);
        assert_true(in.deadline_wall_ns == INT64_MAX);
        assert_string_equal(in.event, "");
        assert_int_equal(in.event_length, 0);
        release(&in);
    }
}

static void a_deadline_is_digits_that_fit_or_none(void **state)
{
    (void)state;
    static const struct {
        const char *ms;
        int64_t ns;
    } cases[] = {
        {"0", 0},
        {"1", NS_PER_MS},
        {"4294967296", INT64_C(4294967296) * NS_PER_MS}, /* 33 bits */
        {"0001795435200123", INT64_C(1795435200123) * NS_PER_MS},
        {"9223372036854", INT64_C(9223372036854) * NS_PER_MS}, /* the last that fits */
        {"9223372036855", INT64_MAX},
        {"9223372036854775807", INT64_MAX},
        {"9223372036854775808", INT64_MAX},
        {"99999999999999999999999999999", INT64_MAX},
        {"00000000000000000000000000000000000000000001", INT64_MAX}, /* not cut to 0 */
        {"-1", INT64_MAX},
        {"+1", INT64_MAX},
        {"1.5", INT64_MAX},
        {"1e3", INT64_MAX},
        {"0x10", INT64_MAX},
        {"1 2", INT64_MAX},
        {"soon", INT64_MAX},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct runtime_invocation in = {0};
        char headers[256];
        (void)snprintf(headers, sizeof headers, ID "Lambda-Runtime-Deadline-Ms: %s\n", cases[i].ms);
        receive(&in, headers, NULL);
        assert_int_equal(delivery_read(&in, NULL), 0);
        if (in.deadline_wall_ns != cases[i].ns)
            fail_msg("%s: %lld", cases[i].ms, (long long)in.deadline_wall_ns);
        release(&in);
    }
}

static void an_id_that_cannot_be_sent_back_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *headers;
        bool fine;
    } cases[] = {
        {"Lambda-Runtime-Aws-Request-Id: " CHARACTERS_120 "1234567\n", true},
        {"Lambda-Runtime-Aws-Request-Id: " CHARACTERS_120 "12345678\n", false},
        {"Lambda-Runtime-Aws-Request-Id:\n", false},
        {"Content-Type: application/json\n", false},
        {"", false},
        {"Lambda-Runtime-Aws-Request-Id: a b\n", false},
        {"Lambda-Runtime-Aws-Request-Id: a\tb\n", false},
        {"Lambda-Runtime-Aws-Request-Id: a\x01\n", false},
        {"Lambda-Runtime-Aws-Request-Id: a\x7f\n", false},
        {"Lambda-Runtime-Aws-Request-Id: \xc3\xbc\n", false},
        {"Lambda-Runtime-Aws-Request-Id: ../?#%00\n", true}, /* percent-encoded when sent back */
        {ID "Lambda-Runtime-Invocation-Id: " CHARACTERS_120 "1234567\n", true},
        {ID "Lambda-Runtime-Invocation-Id: " CHARACTERS_120 "12345678\n", false},
        {ID "Lambda-Runtime-Invocation-Id: a\rb\n", false},
        {ID "Lambda-Runtime-Invocation-Id: a b\n", false},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct runtime_invocation in = {0};
        struct error err = {0};
        receive(&in, cases[i].headers, "{}");
        if ((delivery_read(&in, &err) == 0) != cases[i].fine)
            fail_msg("case %zu: %s", i, err.text);
        assert_int_equal(err.kind, cases[i].fine ? ERROR_NONE : ERROR_BAD_ANSWER);
        release(&in);
    }
}

static void other_values_are_whole_or_absent(void **state)
{
    (void)state;
    struct runtime_invocation in = {0};
    receive(&in,
            ID "Lambda-Runtime-Aws-Tenant-Id: " CHARACTERS_120 CHARACTERS_120 TEN "123456\n"
               "Lambda-Runtime-Trace-Id: Root=\x1b[0m\n"
               "Lambda-Runtime-Invoked-Function-Arn: arn\x7f\n"
               "Lambda-Runtime-Client-Context: {\"a\":\"\x01\"}\n",
            "{}");
    assert_int_equal(delivery_read(&in, NULL), 0);
    assert_string_equal(in.tenant_id, "");
    assert_string_equal(in.trace_id, "");
    assert_string_equal(in.function_arn, "");
    assert_null(in.client_context);
    release(&in);
}

static void a_value_that_just_fits_is_whole(void **state)
{
    (void)state;
    static const struct {
        const char *more;
        size_t length;
    } cases[] = {{"1", 511}, {"12", 0}};
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct runtime_invocation in = {0};
        char headers[1024];
        (void)snprintf(headers, sizeof headers, ID "Lambda-Runtime-Trace-Id: %s%s\n",
                       CHARACTERS_120 CHARACTERS_120 CHARACTERS_120 CHARACTERS_120 TEN TEN TEN,
                       cases[i].more);
        receive(&in, headers, "{}");
        assert_int_equal(delivery_read(&in, NULL), 0);
        assert_int_equal(strlen(in.trace_id), cases[i].length);
        release(&in);
    }
}

static void a_long_client_context_is_whole(void **state)
{
    (void)state;
    struct runtime_invocation in = {0};
    static char headers[20000];
    static const char name[] = "Lambda-Runtime-Client-Context: ";
    (void)snprintf(headers, sizeof headers, ID "%s", name);
    size_t start = strlen(headers);
    memset(headers + start, 'x', 15000);
    memcpy(headers + start + 15000, "\n", 2);
    receive(&in, headers, "{}");
    assert_int_equal(delivery_read(&in, NULL), 0);
    assert_int_equal(strlen(in.client_context), 15000);
    release(&in);
}

static void the_second_event_has_nothing_of_the_first(void **state)
{
    (void)state;
    struct runtime_invocation in = {0};
    receive(&in,
            ID "Lambda-Runtime-Invocation-Id: n\nLambda-Runtime-Trace-Id: t\n"
               "Lambda-Runtime-Client-Context: {}\nLambda-Runtime-Deadline-Ms: 5\n",
            "{\"first\":1}");
    assert_int_equal(delivery_read(&in, NULL), 0);
    receive(&in, ID, "{}");
    assert_int_equal(delivery_read(&in, NULL), 0);
    assert_string_equal(in.invocation_id, "");
    assert_string_equal(in.trace_id, "");
    assert_null(in.client_context);
    assert_true(in.deadline_wall_ns == INT64_MAX);
    assert_string_equal(in.event, "{}");
    release(&in);
}

static void clearing_keeps_the_memory_of_the_answer(void **state)
{
    (void)state;
    struct runtime_invocation in = {0};
    receive(&in, ID "Lambda-Runtime-Client-Context: {}\n", "{}");
    assert_int_equal(delivery_read(&in, NULL), 0);
    const char *body = in.response.body.data;
    delivery_clear(&in);
    assert_ptr_equal(in.response.body.data, body);
    assert_null(in.event);
    assert_null(in.client_context);
    assert_string_equal(in.request_id, "");
    release(&in);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_headers_are_read_without_case),
        cmocka_unit_test(what_is_absent_or_empty_is_empty),
        cmocka_unit_test(a_deadline_is_digits_that_fit_or_none),
        cmocka_unit_test(an_id_that_cannot_be_sent_back_is_refused),
        cmocka_unit_test(other_values_are_whole_or_absent),
        cmocka_unit_test(a_value_that_just_fits_is_whole),
        cmocka_unit_test(a_long_client_context_is_whole),
        cmocka_unit_test(the_second_event_has_nothing_of_the_first),
        cmocka_unit_test(clearing_keeps_the_memory_of_the_answer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
