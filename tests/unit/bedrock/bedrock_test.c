#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "aws/sigv4.h"
#include "tests/support/bedrock_bench.h"
#include "tests/support/cmocka_all.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])
#define S            NS_PER_S

#define ANSWER                                                                                     \
    "{\"content\":[{\"type\":\"text\",\"text\":\"A\"}],\"stop_reason\":\"end_turn\",\"usage\":{"   \
    "\"input_tokens\":3,\"output_tokens\":5}}"

static void a_request_is_signed_and_its_answer_read(void **state)
{
    (void)state;
    static const struct fake_answer answer = {
        .status = 200, .headers = "x-amzn-RequestId: service-1\n", .body = ANSWER};
    struct bedrock_bench b;
    bedrock_bench_open(&b, &answer, NULL);
    assert_int_equal(bedrock_bench_ask(&b, 20 * S), 0);
    assert_string_equal(b.result.answer.text, "A");
    assert_int_equal(b.result.answer.input_tokens, 3);
    assert_int_equal(b.result.answer.output_tokens, 5);
    assert_int_equal(b.result.status, 200);
    assert_string_equal(b.result.service_request_id, "service-1");
    const struct fake_sent *sent = &b.http.sent[0];
    assert_string_equal(sent->method, "POST");
    assert_string_equal(sent->url, "https://bedrock-runtime.us-east-1.amazonaws.com/model/"
                                   "anthropic.claude-3-haiku-20240307-v1%3A0/invoke");
    static const char *const headers[] = {
        "Accept: application/json\n",
        "Content-Type: application/json\n",
        "X-Amz-Date: 20261123T120000Z\n",
        "X-Amz-Security-Token: SESSIONTOKEN\n",
        "amz-sdk-invocation-id: 11111111-2222-4333-8444-555555555555\n",
        "amz-sdk-request: attempt=2; max=16\n",
    };
    for (size_t i = 0; i < COUNT(headers); i++)
        assert_non_null(strstr(sent->headers, headers[i]));
    assert_non_null(strstr(sent->headers, "Authorization: AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/"
                                          "20261123/us-east-1/bedrock/aws4_request, SignedHeaders="
                                          "accept;content-type;host;x-amz-date;x-amz-security-token"
                                          ", Signature="));
    assert_non_null(strstr(sent->body, "a secret question"));
    bedrock_bench_close(&b);
}

static void the_endpoint_follows_region_and_settings(void **state)
{
    (void)state;
    static const struct {
        const char *settings[5];
        const char *endpoint;
    } cases[] = {
        {{"AWS_REGION", "eu-central-1"}, "https://bedrock-runtime.eu-central-1.amazonaws.com"},
        {{"BEDROCK_REGION", "us-west-2"}, "https://bedrock-runtime.us-west-2.amazonaws.com"},
        {{"AWS_REGION", "us-gov-west-1"}, "https://bedrock-runtime.us-gov-west-1.amazonaws.com"},
        {{"AWS_REGION", "cn-north-1"}, "https://bedrock-runtime.cn-north-1.amazonaws.com.cn"},
        {{"AWS_ENDPOINT_URL", "http://127.0.0.1:9/"}, "http://127.0.0.1:9"},
        {{"AWS_ENDPOINT_URL", "http://x", "AWS_ENDPOINT_URL_BEDROCK_RUNTIME", "https://y/p//"},
         "https://y/p"},
    };
    static const struct fake_answer answer = {.status = 200, .body = ANSWER};
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct bedrock_bench b;
        bedrock_bench_open(&b, &answer, cases[i].settings);
        assert_string_equal(bedrock_endpoint(b.bedrock), cases[i].endpoint);
        assert_int_equal(bedrock_bench_ask(&b, 20 * S), 0);
        assert_int_equal(strncmp(b.http.sent[0].url, cases[i].endpoint, strlen(cases[i].endpoint)),
                         0);
        bedrock_bench_close(&b);
    }
}

static void addresses_that_make_no_sense_are_refused(void **state)
{
    (void)state;
    static const char *const endpoints[] = {"https://", "http:///path", "https://user:pw@host"};
    static const struct fake_answer answer = {.status = 200, .body = ANSWER};
    for (size_t i = 0; i < COUNT(endpoints); i++) {
        const char *const settings[] = {"AWS_ENDPOINT_URL", endpoints[i], NULL};
        struct bedrock_bench b;
        bedrock_bench_open(&b, &answer, settings);
        assert_null(b.bedrock);
        assert_int_equal(b.err.kind, ERROR_CONFIG);
        bedrock_bench_close(&b);
    }
}

/* The value of a header that was sent. */
static char *sent_header(const struct fake_sent *sent, const char *name)
{
    const char *at = strstr(sent->headers, name);
    assert_non_null(at);
    at += strlen(name) + strlen(": ");
    return strndup(at, strcspn(at, "\n"));
}

static void what_is_signed_is_what_is_sent(void **state)
{
    (void)state;
    static const struct {
        const char *endpoint, *host, *prefix;
    } cases[] = {
        {"https://bedrock.example", "bedrock.example", ""},
        {"https://bedrock.example:443/", "bedrock.example", ""},
        {"http://127.0.0.1:8080/a%20b/c/", "127.0.0.1:8080", "/a%20b/c"},
    };
    static const struct fake_answer answer = {.status = 200, .body = ANSWER};
    static const struct http_header headers[] = {{"Accept", "application/json"},
                                                 {"Content-Type", "application/json"}};
    for (size_t i = 0; i < COUNT(cases); i++) {
        const char *const settings[] = {"AWS_ENDPOINT_URL", cases[i].endpoint, NULL};
        struct bedrock_bench b;
        bedrock_bench_open(&b, &answer, settings);
        assert_int_equal(bedrock_bench_ask(&b, 20 * S), 0);
        char path[256];
        (void)snprintf(path, sizeof path,
                       "%s/model/anthropic.claude-3-haiku-20240307-v1%%3A0/invoke",
                       cases[i].prefix);
        const struct sigv4_request request = {
            .method = "POST",
            .host = cases[i].host,
            .path = path,
            .headers = headers,
            .header_count = COUNT(headers),
            .body = b.http.sent[0].body,
            .body_length = b.http.sent[0].body_length,
        };
        const struct sigv4_scope scope = {"us-east-1", "bedrock", b.os.wall_ns};
        struct credentials credentials;
        assert_int_equal(credentials_get(b.credentials, S, &credentials, &b.err), 0);
        struct sigv4_signature expected = {0};
        assert_int_equal(sigv4_sign(&request, &scope, &credentials, &expected, &b.err), 0);
        char *authorization = sent_header(&b.http.sent[0], "Authorization");
        assert_string_equal(authorization, expected.authorization);
        free(authorization);
        sigv4_signature_free(&expected);
        credentials_free(&credentials);
        bedrock_bench_close(&b);
    }
}

static void a_message_with_a_zero_is_sent_whole(void **state)
{
    (void)state;
    static const struct fake_answer answer = {.status = 200, .body = ANSWER};
    struct bedrock_bench b;
    bedrock_bench_open(&b, &answer, NULL);
    assert_int_equal(bedrock_bench_say(&b, "a\0b", 3, 20 * S), 0);
    assert_non_null(strstr(b.http.sent[0].body, "\"a\\u0000b\""));
    bedrock_bench_close(&b);
}

static void a_message_too_long_for_bedrock_is_the_callers_fault(void **state)
{
    (void)state;
    static const struct {
        size_t length;
        char filler;
    } cases[] = {
        {25000001, 'a'},
        {24999999, 'a'}, /* with what is around it */
        {5000000, '\1'}, /* six bytes each in JSON */
        {(size_t)3 << 31, 0},
    };
    static const struct fake_answer answer = {.status = 200, .body = ANSWER};
    char *message = malloc(25000001);
    assert_non_null(message);
    for (size_t i = 0; i < COUNT(cases); i++) {
        memset(message, cases[i].filler, 25000001);
        struct bedrock_bench b;
        bedrock_bench_open(&b, &answer, NULL);
        assert_int_equal(bedrock_bench_say(&b, message, cases[i].length, 20 * S), -1);
        assert_int_equal(b.err.kind, ERROR_INVALID_REQUEST);
        assert_int_equal(b.http.calls, 0);
        bedrock_bench_close(&b);
    }
    free(message);
}

static void a_bearer_token_replaces_the_signature(void **state)
{
    (void)state;
    static const struct fake_answer answer = {.status = 200, .body = ANSWER};
    static const char *const settings[] = {"AWS_BEARER_TOKEN_BEDROCK", "bearer-1", NULL};
    struct bedrock_bench b;
    bedrock_bench_open(&b, &answer, settings);
    assert_int_equal(bedrock_bench_ask(&b, 20 * S), 0);
    assert_non_null(strstr(b.http.sent[0].headers, "Authorization: Bearer bearer-1\n"));
    assert_null(strstr(b.http.sent[0].headers, "AWS4"));
    assert_null(strstr(b.http.sent[0].headers, "X-Amz"));
    bedrock_bench_close(&b);
}

static void a_bearer_token_that_no_header_can_carry_is_refused(void **state)
{
    (void)state;
    static const char *const tokens[] = {"bearer-1\n", "bearer 1", "bearer\r\nX: y", "b\xc3\xa9"};
    static const struct fake_answer answer = {.status = 200, .body = ANSWER};
    for (size_t i = 0; i < COUNT(tokens); i++) {
        const char *const settings[] = {"AWS_BEARER_TOKEN_BEDROCK", tokens[i], NULL};
        struct bedrock_bench b;
        bedrock_bench_open(&b, &answer, settings);
        assert_null(b.bedrock);
        assert_int_equal(b.err.kind, ERROR_CONFIG);
        assert_null(strstr(b.err.text, "bearer"));
        bedrock_bench_close(&b);
    }
}

static void a_model_of_no_family_is_refused(void **state)
{
    (void)state;
    static const struct fake_answer answer = {.status = 200, .body = ANSWER};
    static const char *const settings[] = {"BEDROCK_MODEL_ID", "meta.llama3-8b-instruct-v1:0",
                                           NULL};
    struct bedrock_bench b;
    bedrock_bench_open(&b, &answer, settings);
    assert_null(b.bedrock);
    assert_int_equal(b.err.kind, ERROR_CONFIG);
    assert_non_null(strstr(b.err.text, "BEDROCK_PROVIDER"));
    bedrock_bench_close(&b);
}

static void the_headers_counts_come_before_the_bodys(void **state)
{
    (void)state;
    static const struct fake_answer answer = {
        .status = 200,
        .headers = "X-Amzn-Bedrock-Input-Token-Count: 30\nX-Amzn-Bedrock-Output-Token-Count: x\n",
        .body = ANSWER};
    struct bedrock_bench b;
    bedrock_bench_open(&b, &answer, NULL);
    assert_int_equal(bedrock_bench_ask(&b, 20 * S), 0);
    assert_int_equal(b.result.answer.input_tokens, 30);
    assert_int_equal(b.result.answer.output_tokens, 5);
    bedrock_bench_close(&b);
}

static void time_outs_stay_within_the_calls(void **state)
{
    (void)state;
    static const struct {
        int64_t timeout_ns, connect_ns, read_ns;
    } cases[] = {
        {5 * S, 5 * S, 5 * S},
        {60 * S, 10 * S, 60 * S},
        {900 * S, 10 * S, 120 * S},
        {INT64_MAX, 10 * S, 120 * S},
        {1, 1, 1},
    };
    static const struct fake_answer answer = {.status = 200, .body = ANSWER};
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct bedrock_bench b;
        bedrock_bench_open(&b, &answer, NULL);
        assert_int_equal(bedrock_bench_ask(&b, cases[i].timeout_ns), 0);
        assert_int_equal(b.http.sent[0].connect_timeout_ns, cases[i].connect_ns);
        assert_int_equal(b.http.sent[0].read_timeout_ns, cases[i].read_ns);
        assert_true(b.http.sent[0].timeout_ns <= cases[i].timeout_ns);
        bedrock_bench_close(&b);
    }
}

static const char *const container[] = {"AWS_ACCESS_KEY_ID",
                                        "",
                                        "AWS_SECRET_ACCESS_KEY",
                                        "",
                                        "AWS_SHARED_CREDENTIALS_FILE",
                                        "/nonexistent/credentials",
                                        "AWS_CONFIG_FILE",
                                        "/nonexistent/config",
                                        "AWS_CONTAINER_CREDENTIALS_FULL_URI",
                                        "http://127.0.0.1:9/keys",
                                        NULL};

static void without_time_nothing_is_sent(void **state)
{
    (void)state;
    static const int64_t timeouts_ns[] = {0, -1, INT64_MIN};
    static const struct fake_answer answer = {.status = 200, .body = ANSWER};
    for (size_t i = 0; i < COUNT(timeouts_ns); i++) {
        struct bedrock_bench b;
        bedrock_bench_open(&b, &answer, container);
        assert_int_equal(bedrock_bench_ask(&b, timeouts_ns[i]), -1);
        assert_int_equal(b.err.kind, ERROR_READ_TIMEOUT);
        assert_int_equal(b.http.calls, 0);
        assert_int_equal(b.credentials_http.calls, 0);
        bedrock_bench_close(&b);
    }
}

static void getting_credentials_takes_from_the_calls_time(void **state)
{
    (void)state;
    static const struct fake_answer answer = {.status = 200, .body = ANSWER};
    static const struct fake_answer keys = {
        .status = 200,
        .takes_ns = 2 * S,
        .body = "{\"AccessKeyId\":\"AKIDEXAMPLE\",\"SecretAccessKey\":\"secret\",\"Token\":\"t\","
                "\"Expiration\":\"2026-11-23T18:00:00Z\"}",
    };
    struct bedrock_bench b;
    bedrock_bench_open(&b, &answer, container);
    b.credentials_http.answers = &keys;
    assert_int_equal(bedrock_bench_ask(&b, 5 * S), 0);
    assert_int_equal(b.credentials_http.calls, 1);
    assert_int_equal(b.http.sent[0].timeout_ns, 3 * S);
    assert_int_equal(b.http.sent[0].connect_timeout_ns, 3 * S);
    /* and the signature is of the time when it was made */
    assert_non_null(strstr(b.http.sent[0].headers, "X-Amz-Date: 20261123T120002Z\n"));
    bedrock_bench_close(&b);
}

static void failures_say_what_happened_and_quote_nothing(void **state)
{
    (void)state;
    static const struct {
        struct fake_answer answer;
        enum error_kind kind;
        int status;
        int64_t hint_ns;
    } cases[] = {
        {{.status = 429,
          .headers = "x-amzn-errortype: ThrottlingException\nRetry-After: 3\n",
          .body = "{\"message\":\"a secret question\"}"},
         ERROR_THROTTLED,
         429,
         3 * S},
        {{.status = 400,
          .headers = "x-amzn-errortype: ValidationException\n",
          .body = "{\"message\":\"a secret question\"}"},
         ERROR_VALIDATION,
         400,
         -1},
        {{.status = 200, .body = "no JSON: a secret question"}, ERROR_BAD_ANSWER, 200, -1},
        {{.status = 200, .body = "{\"content\":7}"}, ERROR_BAD_ANSWER, 200, -1},
        {{.status = 200, .body = "{\"content\":[],\"stop_reason\":\"end_turn\"}"},
         ERROR_EMPTY_ANSWER,
         200,
         -1},
        {{.failure = ERROR_CONNECTION}, ERROR_CONNECTION, 0, -1},
        {{.status = 200, .takes_ns = 60 * S}, ERROR_READ_TIMEOUT, 0, -1},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct bedrock_bench b;
        bedrock_bench_open(&b, &cases[i].answer, NULL);
        assert_int_equal(bedrock_bench_ask(&b, 20 * S), -1);
        assert_int_equal(b.err.kind, cases[i].kind);
        assert_int_equal(b.result.status, cases[i].status);
        assert_int_equal(b.result.retry_hint_ns, cases[i].hint_ns);
        assert_null(strstr(b.err.text, "secret"));
        bedrock_bench_close(&b);
    }
}

static void a_failure_is_named_with_the_services_request(void **state)
{
    (void)state;
    static const struct {
        const char *headers, *text, *request_id;
    } cases[] = {
        {"x-amzn-errortype: ThrottlingException\nx-amzn-requestid: 1234-abcd\n",
         "Bedrock answered 429 ThrottlingException (request 1234-abcd)", "1234-abcd"},
        {"", "Bedrock answered 429 without a name (request unknown)", ""},
        {"x-amzn-errortype: a secret\nx-amzn-requestid: a secret\n",
         "Bedrock answered 429 without a name (request unknown)", ""},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        const struct fake_answer answer = {.status = 429, .headers = cases[i].headers};
        struct bedrock_bench b;
        bedrock_bench_open(&b, &answer, NULL);
        assert_int_equal(bedrock_bench_ask(&b, 20 * S), -1);
        assert_string_equal(b.err.text, cases[i].text);
        assert_string_equal(b.result.service_request_id, cases[i].request_id);
        bedrock_bench_close(&b);
    }
}

static void advice_stands_behind_the_failure(void **state)
{
    (void)state;
    static const struct fake_answer answer = {
        .status = 400,
        .headers = "x-amzn-errortype: ValidationException\nx-amzn-requestid: 1\n",
        .body = "{\"message\":\"The provided model identifier is invalid.\"}"};
    struct bedrock_bench b;
    bedrock_bench_open(&b, &answer, NULL);
    assert_int_equal(bedrock_bench_ask(&b, 20 * S), -1);
    assert_string_equal(b.err.text, "Bedrock answered 400 ValidationException (request 1); "
                                    "BEDROCK_MODEL_ID is no model of this Region");
    bedrock_bench_close(&b);
}

static void an_empty_answer_was_paid_for(void **state)
{
    (void)state;
    static const struct fake_answer answer = {
        .status = 200,
        .headers = "x-amzn-bedrock-output-token-count: 7\n",
        .body = "{\"content\":[],\"stop_reason\":\"end_turn\",\"usage\":{\"input_tokens\":3}}"};
    struct bedrock_bench b;
    bedrock_bench_open(&b, &answer, NULL);
    assert_int_equal(bedrock_bench_ask(&b, 20 * S), -1);
    assert_int_equal(b.err.kind, ERROR_EMPTY_ANSWER);
    assert_null(b.result.answer.text);
    assert_int_equal(b.result.answer.input_tokens, 3);
    assert_int_equal(b.result.answer.output_tokens, 7);
    bedrock_bench_close(&b);
}

static void an_answer_larger_than_any_is_not_read(void **state)
{
    (void)state;
    char *body = calloc(1, (17U << 20) + 1);
    assert_non_null(body);
    memset(body, ' ', 17U << 20);
    const struct fake_answer answer = {.status = 200, .body = body};
    struct bedrock_bench b;
    bedrock_bench_open(&b, &answer, NULL);
    assert_int_equal(bedrock_bench_ask(&b, 20 * S), -1);
    assert_int_equal(b.err.kind, ERROR_BAD_ANSWER);
    bedrock_bench_close(&b);
    free(body);
}

static void an_answer_cut_short_or_refused_is_an_answer(void **state)
{
    (void)state;
    static const struct {
        const char *body;
        enum bedrock_stop stop;
    } cases[] = {
        {"{\"content\":[],\"stop_reason\":\"max_tokens\"}", BEDROCK_STOP_LENGTH},
        {"{\"content\":[],\"stop_reason\":\"refusal\"}", BEDROCK_STOP_REFUSAL},
        {"{\"content\":[],\"stop_reason\":\"tool_use\"}", BEDROCK_STOP_OTHER},
        {"{\"content\":[],\"stop_reason\":\"end_turn\",\"amazon-bedrock-guardrailAction\":"
         "\"INTERVENED\"}",
         BEDROCK_STOP_REFUSAL},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        const struct fake_answer answer = {.status = 200, .body = cases[i].body};
        struct bedrock_bench b;
        bedrock_bench_open(&b, &answer, NULL);
        assert_int_equal(bedrock_bench_ask(&b, 20 * S), 0);
        assert_int_equal(b.result.answer.stop, cases[i].stop);
        assert_int_equal(b.result.answer.text_length, 0);
        bedrock_bench_close(&b);
    }
}

static void without_credentials_nothing_is_sent(void **state)
{
    (void)state;
    static const struct fake_answer answer = {.status = 200, .body = ANSWER};
    static const char *const settings[] = {"AWS_ACCESS_KEY_ID",
                                           "",
                                           "AWS_SECRET_ACCESS_KEY",
                                           "",
                                           "AWS_PROFILE",
                                           "nobody",
                                           "AWS_SHARED_CREDENTIALS_FILE",
                                           "/nonexistent/credentials",
                                           "AWS_CONFIG_FILE",
                                           "/nonexistent/config",
                                           NULL};
    struct bedrock_bench b;
    bedrock_bench_open(&b, &answer, settings);
    assert_int_equal(bedrock_bench_ask(&b, 20 * S), -1);
    assert_int_equal(b.err.kind, ERROR_CREDENTIALS);
    assert_int_equal(b.http.calls, 0);
    bedrock_bench_close(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_is_signed_and_its_answer_read),
        cmocka_unit_test(the_endpoint_follows_region_and_settings),
        cmocka_unit_test(addresses_that_make_no_sense_are_refused),
        cmocka_unit_test(what_is_signed_is_what_is_sent),
        cmocka_unit_test(a_message_with_a_zero_is_sent_whole),
        cmocka_unit_test(a_message_too_long_for_bedrock_is_the_callers_fault),
        cmocka_unit_test(a_bearer_token_replaces_the_signature),
        cmocka_unit_test(a_bearer_token_that_no_header_can_carry_is_refused),
        cmocka_unit_test(a_model_of_no_family_is_refused),
        cmocka_unit_test(the_headers_counts_come_before_the_bodys),
        cmocka_unit_test(time_outs_stay_within_the_calls),
        cmocka_unit_test(without_time_nothing_is_sent),
        cmocka_unit_test(getting_credentials_takes_from_the_calls_time),
        cmocka_unit_test(failures_say_what_happened_and_quote_nothing),
        cmocka_unit_test(a_failure_is_named_with_the_services_request),
        cmocka_unit_test(advice_stands_behind_the_failure),
        cmocka_unit_test(an_empty_answer_was_paid_for),
        cmocka_unit_test(an_answer_larger_than_any_is_not_read),
        cmocka_unit_test(an_answer_cut_short_or_refused_is_an_answer),
        cmocka_unit_test(without_credentials_nothing_is_sent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
