#include <string.h>

#include "base/os.h"
#include "local/auth.h"
#include "tests/support/cmocka_all.h"

#define NOON_NS      (INT64_C(1795435200) * NS_PER_S) /* 20261123T120000Z */
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define HAIKU "/model/anthropic.claude-3-haiku-20240307-v1%3A0/invoke"
#define SCOPE "LOCALWEIRACCESSKEY00/20261123/eu-west-1/bedrock/aws4_request"
#define NAMES "accept;content-type;host;x-amz-date;x-amz-security-token"
/* Computed apart from this program, with a dozen lines around Python's hmac. */
#define SIGNATURE "ae0b0dc1195b1d153c866cb71958a7981e4020cfe88e470b22718d4627bcf40f"
#define AUTHORIZATION                                                                              \
    "AWS4-HMAC-SHA256 Credential=" SCOPE ", SignedHeaders=" NAMES ", Signature=" SIGNATURE

/* A request of sandbox 7; a case changes one thing. */
struct request {
    const char *authorization, *date, *token, *path, *body, *accept;
};

static const struct request good = {.authorization = AUTHORIZATION,
                                    .date = "20261123T120000Z",
                                    .token = "LocalWeir+Session/Token7==",
                                    .path = HAIKU,
                                    .body = "{}",
                                    .accept = "application/json"};

static int check(const struct request *r, int64_t wall_ns, struct auth_refusal *refusal)
{
    const struct http_header headers[] = {
        {"Host", "127.0.0.1:4567"},           {"Accept", r->accept},
        {"Content-Type", "application/json"}, {"X-Amz-Date", r->date},
        {"X-Amz-Security-Token", r->token},   {"Authorization", r->authorization}};
    struct server_request request = {.method = "POST",
                                     .path = r->path,
                                     .query = "",
                                     .headers = headers,
                                     .header_count = COUNT(headers),
                                     .body = r->body,
                                     .body_length = strlen(r->body)};
    *refusal = (struct auth_refusal){0};
    return auth_check(&request, wall_ns, refusal);
}

static void a_good_signature_tells_the_sandbox(void **state)
{
    (void)state;
    struct auth_refusal refusal;
    assert_int_equal(check(&good, NOON_NS, &refusal), 7);
    assert_int_equal(check(&good, NOON_NS + 299 * NS_PER_S, &refusal), 7);
    assert_int_equal(check(&good, NOON_NS - 299 * NS_PER_S, &refusal), 7);
}

static void an_old_signature_is_refused(void **state)
{
    (void)state;
    struct auth_refusal refusal;
    assert_int_equal(check(&good, NOON_NS + 301 * NS_PER_S, &refusal), -1);
    assert_string_equal(refusal.type, "InvalidSignatureException");
    assert_int_equal(check(&good, NOON_NS - 301 * NS_PER_S, &refusal), -1);
}

static void whatever_was_signed_may_not_change(void **state)
{
    (void)state;
    static const struct {
        struct request request;
        const char *type;
        int status;
    } cases[] = {
        {{AUTHORIZATION, "20261123T120000Z", "LocalWeir+Session/Token7==", HAIKU, "{ }",
          "application/json"},
         "InvalidSignatureException",
         403},
        {{AUTHORIZATION, "20261123T120000Z", "LocalWeir+Session/Token7==", HAIKU, "{}", "*/*"},
         "InvalidSignatureException",
         403},
        {{AUTHORIZATION, "20261123T120001Z", "LocalWeir+Session/Token7==", HAIKU, "{}",
          "application/json"},
         "InvalidSignatureException",
         403},
        {{AUTHORIZATION, "20261123T120000Z", "LocalWeir+Session/Token8==", HAIKU, "{}",
          "application/json"},
         "InvalidSignatureException",
         403},
        {{AUTHORIZATION, "20261123T120000Z", "LocalWeir+Session/Token7==", HAIKU "x", "{}",
          "application/json"},
         "InvalidSignatureException",
         403},
        {{AUTHORIZATION "0", "20261123T120000Z", "LocalWeir+Session/Token7==", HAIKU, "{}",
          "application/json"},
         "InvalidSignatureException",
         403},
        {{AUTHORIZATION, "20261123T120000Z", "", HAIKU, "{}", "application/json"},
         "UnrecognizedClientException",
         403},
        {{AUTHORIZATION, "20261123T120000Z", "somebody else's", HAIKU, "{}", "application/json"},
         "UnrecognizedClientException",
         403},
        {{AUTHORIZATION, "", "LocalWeir+Session/Token7==", HAIKU, "{}", "application/json"},
         "IncompleteSignatureException",
         400},
        {{"AWS4-HMAC-SHA256 Credential=x", "20261123T120000Z", "LocalWeir+Session/Token7==", HAIKU,
          "{}", "application/json"},
         "IncompleteSignatureException",
         400},
        {{"Basic Zm9v", "20261123T120000Z", "LocalWeir+Session/Token7==", HAIKU, "{}",
          "application/json"},
         "IncompleteSignatureException",
         400},
        {{"", "20261123T120000Z", "LocalWeir+Session/Token7==", HAIKU, "{}", "application/json"},
         "MissingAuthenticationTokenException",
         403},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct auth_refusal refusal;
        if (check(&cases[i].request, NOON_NS, &refusal) != -1)
            fail_msg("case %zu is accepted", i);
        assert_string_equal(refusal.type, cases[i].type);
        assert_int_equal(refusal.status, cases[i].status);
    }
}

static void a_bearer_token_that_was_handed_out_is_accepted(void **state)
{
    (void)state;
    static const struct {
        const char *authorization;
        int sandbox;
    } cases[] = {
        {"Bearer bedrock-api-key-LocalWeir3", 3},
        {"Bearer bedrock-api-key-LocalWeir0", 0},
        {"Bearer bedrock-api-key-LocalWeir", -1},
        {"Bearer bedrock-api-key-LocalWeir3x", -1},
        {"Bearer bedrock-api-key-LocalWeir03", -1},
        {"Bearer ", -1},
        {"Bearer 3", -1},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct request request = good;
        struct auth_refusal refusal;
        request.authorization = cases[i].authorization;
        assert_int_equal(check(&request, NOON_NS, &refusal), cases[i].sandbox);
        if (cases[i].sandbox < 0)
            assert_string_equal(refusal.type, "AccessDeniedException");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_good_signature_tells_the_sandbox),
        cmocka_unit_test(an_old_signature_is_refused),
        cmocka_unit_test(whatever_was_signed_may_not_change),
        cmocka_unit_test(a_bearer_token_that_was_handed_out_is_accepted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
