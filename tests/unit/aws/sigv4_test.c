#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <json-c/json.h>

#include "aws/sigv4.h"
#include "base/os.h"
#include "tests/support/sigv4_case.h"

#define COUNT(array)   (sizeof(array) / sizeof((array)[0]))
#define GOLDENS        "tests/golden/sigv4.json"
#define GOLDENS_LEAST  60
#define NOON_NS        (INT64_C(1795435200) * NS_PER_S) /* 20261123T120000Z */
#define SIGNED_HEADERS "SignedHeaders=accept;content-type;host;x-amz-date;x-amz-security-token"

static const struct http_header json_headers[] = {{"Accept", "application/json"},
                                                  {"Content-Type", "application/json"}};

static struct sigv4_request model_request(const char *path)
{
    return (struct sigv4_request){.method = "POST",
                                  .host = "bedrock-runtime.us-east-1.amazonaws.com",
                                  .path = path,
                                  .headers = json_headers,
                                  .header_count = COUNT(json_headers),
                                  .body = "{}",
                                  .body_length = 2};
}

static const struct sigv4_scope noon = {"us-east-1", "bedrock", NOON_NS};

static char key_id[] = "AKIDEXAMPLE";
static char secret[] = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
static char token[] = "SESSIONTOKEN";
static const struct credentials keys = {key_id, secret, token, INT64_MAX};

/* Computed with botocore and by hand, apart from the file. */
static void the_two_known_signatures_come_out(void **state)
{
    (void)state;
    static const struct {
        const char *path;
        const char *signature;
    } cases[] = {
        {"/model/anthropic.claude-3-haiku-20240307-v1%3A0/invoke",
         "cdb0974106b2e0c438bee4995a72224656a01d46d0579e7e14f4cd369b7c4063"},
        {"/model/arn%3Aaws%3Abedrock%3Aus-east-1%3A123456789012%3Ainference-profile%2Fus.anthropic."
         "claude-sonnet-4-20250514-v1%3A0/invoke",
         "0093c31701e616d5a5c6ae01283d2caef698ecdba5385c5ff97ebe17f3a30e36"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct sigv4_request request = model_request(cases[i].path);
        struct sigv4_signature signature;
        assert_int_equal(sigv4_sign(&request, &noon, &keys, &signature, NULL), 0);
        char expected[512];
        (void)snprintf(expected, sizeof expected,
                       "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261123/us-east-1/bedrock/"
                       "aws4_request, " SIGNED_HEADERS ", Signature=%s",
                       cases[i].signature);
        assert_string_equal(signature.authorization, expected);
        assert_string_equal(signature.date, "20261123T120000Z");
        assert_string_equal(signature.token, "SESSIONTOKEN");
        sigv4_signature_free(&signature);
    }
}

static void signatures_are_those_of_botocore(void **state)
{
    (void)state;
    struct json_object *cases = json_object_from_file(GOLDENS);
    assert_non_null(cases);
    size_t count = json_object_array_length(cases);
    assert_true(count >= GOLDENS_LEAST);
    for (size_t i = 0; i < count; i++) {
        struct json_object *request = json_object_array_get_idx(cases, i);
        struct json_object *name = NULL;
        struct json_object *expected = NULL;
        assert_true(json_object_object_get_ex(request, "name", &name));
        assert_true(json_object_object_get_ex(request, "authorization", &expected));
        print_message("%s\n", json_object_get_string(name));
        char *authorization = sigv4_case_sign(request, NULL);
        assert_non_null(authorization);
        assert_string_equal(authorization, json_object_get_string(expected));
        free(authorization);
    }
    json_object_put(cases);
}

static void a_name_becomes_one_path_label(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *label;
    } cases[] = {
        {"", ""},
        {"AZaz09-._~", "AZaz09-._~"},
        {"v2:0", "v2%3A0"},
        {"arn:aws:bedrock:x:1:inference-profile/us.a",
         "arn%3Aaws%3Abedrock%3Ax%3A1%3Ainference-profile%2Fus.a"},
        {"a b%c+d", "a%20b%25c%2Bd"},
        {"caf\xc3\xa9", "caf%C3%A9"},
        {"\x01\x7f\xff", "%01%7F%FF"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct buffer out;
        buffer_init(&out, 256);
        assert_int_equal(buffer_append_string(&out, "/", NULL), 0);
        assert_int_equal(sigv4_percent_encode(&out, cases[i].text, NULL), 0);
        assert_string_equal(out.data + 1, cases[i].label);
        buffer_free(&out);
    }
}

static void a_label_that_does_not_fit_fails(void **state)
{
    (void)state;
    struct buffer out;
    buffer_init(&out, 4);
    struct error err = {0};
    assert_int_equal(sigv4_percent_encode(&out, "a::", &err), -1);
    buffer_free(&out);
}

static char too_long[SIGV4_TOKEN_MAX + 2];

static void what_cannot_be_signed_is_refused(void **state)
{
    (void)state;
    memset(too_long, 't', sizeof too_long - 1);
    const struct {
        struct credentials credentials;
        struct sigv4_scope scope;
        enum error_kind kind;
    } cases[] = {
        {{NULL, secret, token, INT64_MAX}, noon, ERROR_CREDENTIALS},
        {{key_id, NULL, token, INT64_MAX}, noon, ERROR_CREDENTIALS},
        {{key_id, secret, too_long, INT64_MAX}, noon, ERROR_CREDENTIALS},
        {keys, {"us-east-1", "bedrock", -1}, ERROR_INTERNAL},
        {keys, {too_long, "bedrock", NOON_NS}, ERROR_INTERNAL},
        {keys, {"us-east-1", too_long, NOON_NS}, ERROR_INTERNAL},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct sigv4_request request = model_request("/");
        struct sigv4_signature signature;
        struct error err = {0};
        int rc = sigv4_sign(&request, &cases[i].scope, &cases[i].credentials, &signature, &err);
        assert_int_equal(rc, -1);
        assert_int_equal(err.kind, cases[i].kind);
        assert_null(strstr(err.text, secret));
        assert_null(strstr(err.text, "ttt"));
        assert_null(signature.authorization);
        sigv4_signature_free(&signature);
    }
}

static void the_longest_token_is_signed(void **state)
{
    (void)state;
    memset(too_long, 't', sizeof too_long - 1);
    too_long[SIGV4_TOKEN_MAX] = '\0';
    struct credentials credentials = {key_id, secret, too_long, INT64_MAX};
    struct sigv4_request request = model_request("/");
    struct sigv4_signature signature;
    assert_int_equal(sigv4_sign(&request, &noon, &credentials, &signature, NULL), 0);
    sigv4_signature_free(&signature);
}

static void a_freed_signature_is_empty(void **state)
{
    (void)state;
    struct sigv4_request request = model_request("/");
    struct sigv4_signature signature;
    assert_int_equal(sigv4_sign(&request, &noon, &keys, &signature, NULL), 0);
    sigv4_signature_free(&signature);
    assert_null(signature.authorization);
    assert_null(signature.token);
    assert_int_equal(signature.date[0], '\0');
    sigv4_signature_free(&signature);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_two_known_signatures_come_out),
        cmocka_unit_test(signatures_are_those_of_botocore),
        cmocka_unit_test(a_name_becomes_one_path_label),
        cmocka_unit_test(a_label_that_does_not_fit_fails),
        cmocka_unit_test(what_cannot_be_signed_is_refused),
        cmocka_unit_test(the_longest_token_is_signed),
        cmocka_unit_test(a_freed_signature_is_empty),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
