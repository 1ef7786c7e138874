#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "aws/container.h"
#include "tests/support/fake_http.h"
#include "tests/support/fake_os.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define TIMEOUT_NS   (30 * NS_PER_S)
#define NEAR_URI     "http://127.0.0.1:8080/keys"
#define KEYS         "\"AccessKeyId\":\"ASIAEXAMPLE\",\"SecretAccessKey\":\"s3cr3t\",\"Token\":\"t0ken\""
#define WALL_NOON_S  INT64_C(1795435200) /* 2026-11-23T12:00:00Z, where the fake clock starts */

struct outcome {
    int rc;
    struct error err;
    struct credentials keys;
    struct fake_http http;
    struct fake_os os;
};

/* Fetches with `settings` from the answers given. Free with end(). */
static void fetch(struct outcome *outcome, const struct settings *settings,
                  const struct fake_answer *answers, size_t count)
{
    memset(outcome, 0, sizeof *outcome);
    fake_os_init(&outcome->os);
    fake_http_init(&outcome->http, answers, count, &outcome->os);
    struct container container = {settings, &outcome->http.transport, &outcome->os.os};
    outcome->rc = container_fetch(&container, TIMEOUT_NS, &outcome->keys, &outcome->err);
    print_message("%d %s\n", outcome->rc, outcome->err.text);
    assert_null(strstr(outcome->err.text, "s3cr3t"));
    assert_null(strstr(outcome->err.text, "t0ken"));
    if (outcome->rc != 0) {
        assert_int_equal(outcome->err.kind, ERROR_CREDENTIALS);
        assert_null(outcome->keys.access_key_id);
    }
}

static void end(struct outcome *outcome)
{
    credentials_free(&outcome->keys);
    fake_http_free(&outcome->http);
}

static const struct fake_answer good = {.status = 200, .body = "{" KEYS "}"};

/* --- where --- */

static void keys_travel_in_the_clear_only_to_near_hosts(void **state)
{
    (void)state;
    static const struct {
        const char *full;
        const char *relative;
        const char *url; /* NULL: refused */
    } cases[] = {
        {"http://127.0.0.1/", NULL, "http://127.0.0.1/"},
        {"http://127.0.0.1", NULL, "http://127.0.0.1"},
        {"http://127.8.9.1:9001/2021-04-23/credentials", NULL,
         "http://127.8.9.1:9001/2021-04-23/credentials"},
        {"http://localhost:1/x?y=z", NULL, "http://localhost:1/x?y=z"},
        {"http://169.254.170.2/x", NULL, "http://169.254.170.2/x"},
        {"http://169.254.170.23/v1/credentials", NULL, "http://169.254.170.23/v1/credentials"},
        {"http://[fd00:ec2::23]/v1/credentials", NULL, "http://[fd00:ec2::23]/v1/credentials"},
        {"http://[fd00:ec2:0:0::23]:80/", NULL, "http://[fd00:ec2:0:0::23]:80/"},
        {"http://[::1]:80/", NULL, "http://[::1]:80/"},
        {"https://keys.example/x", NULL, "https://keys.example/x"},
        {"http://keys.example/x", NULL, NULL},
        {"http://169.254.169.254/x", NULL, NULL},
        {"http://169.254.170.22/x", NULL, NULL},
        {"http://[fd00:ec2::254]/", NULL, NULL},
        {"http://128.0.0.1/", NULL, NULL},
        {"http://126.0.0.1/", NULL, NULL},
        {"http://127.0.0.1.keys.example/", NULL, NULL},
        {"http://localhost.keys.example/", NULL, NULL},
        {"http://127.1/", NULL, NULL},
        {"http://0x7f000001/", NULL, NULL},
        {"http://127.0.0.1@keys.example/", NULL, NULL},
        {"http://user@127.0.0.1/", NULL, NULL},
        {"https://user:s3cr3t@keys.example/", NULL, NULL},
        {"http://127.0.0.1:80x/", NULL, NULL},
        {"http://[::1/", NULL, NULL},
        {"http://[::1]x/", NULL, NULL},
        {"http:///x", NULL, NULL},
        {"ftp://127.0.0.1/", NULL, NULL},
        {"127.0.0.1", NULL, NULL},
        {NULL, "/v2/credentials/1", "http://169.254.170.2/v2/credentials/1"},
        {"http://127.0.0.1/", "/r", "http://169.254.170.2/r"},
        {NULL, "v2", NULL},
        {NULL, "@keys.example/", NULL},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct settings settings = {.container_uri = (char *)(uintptr_t)cases[i].full,
                                    .container_relative_uri = (char *)(uintptr_t)cases[i].relative};
        struct outcome outcome;
        fetch(&outcome, &settings, &good, 1);
        assert_int_equal(outcome.rc, cases[i].url != NULL ? 0 : -1);
        assert_int_equal(outcome.http.calls, cases[i].url != NULL ? 1 : 0);
        if (cases[i].url != NULL)
            assert_string_equal(outcome.http.sent[0].url, cases[i].url);
        end(&outcome);
    }
}

static void an_endpoint_is_configured_by_either_variable(void **state)
{
    (void)state;
    assert_false(container_is_configured(&(struct settings){0}));
    assert_true(container_is_configured(&(struct settings){.container_uri = "http://x"}));
    assert_true(container_is_configured(&(struct settings){.container_relative_uri = "/x"}));
}

/* --- the token --- */

static void the_token_goes_into_the_authorization_header(void **state)
{
    (void)state;
    char path[] = "/tmp/container-test-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    static const struct {
        const char *variable;
        const char *file; /* its content; NULL: no file is named */
        const char *sent; /* NULL: refused */
    } cases[] = {
        {NULL, NULL, "Accept: application/json\n"},
        {"Basic t0ken", NULL, "Accept: application/json\nAuthorization: Basic t0ken\n"},
        {NULL, "t0ken-f", "Accept: application/json\nAuthorization: t0ken-f\n"},
        {"Basic t0ken", "t0ken-f", "Accept: application/json\nAuthorization: t0ken-f\n"},
        {"t0ken\n", NULL, NULL},
        {"t0ken\r\nX-Other: b", NULL, NULL},
        {"t0ken\x01", NULL, NULL},
        {NULL, "t0ken-f\n", NULL},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        const char *content = cases[i].file != NULL ? cases[i].file : "";
        assert_int_equal(ftruncate(fd, 0), 0);
        assert_int_equal(pwrite(fd, content, strlen(content), 0), strlen(content));
        struct settings settings = {.container_uri = NEAR_URI,
                                    .container_token = (char *)(uintptr_t)cases[i].variable,
                                    .container_token_file = cases[i].file != NULL ? path : NULL};
        struct outcome outcome;
        fetch(&outcome, &settings, &good, 1);
        assert_int_equal(outcome.rc, cases[i].sent != NULL ? 0 : -1);
        assert_int_equal(outcome.http.calls, cases[i].sent != NULL ? 1 : 0);
        if (cases[i].sent != NULL)
            assert_string_equal(outcome.http.sent[0].headers, cases[i].sent);
        end(&outcome);
    }
    (void)close(fd);
    (void)unlink(path);
}

static void a_token_file_that_is_not_there_is_a_failure(void **state)
{
    (void)state;
    struct settings settings = {.container_uri = NEAR_URI, .container_token_file = "/nowhere/x"};
    struct outcome outcome;
    fetch(&outcome, &settings, &good, 1);
    assert_int_equal(outcome.rc, -1);
    assert_int_equal(outcome.http.calls, 0);
    end(&outcome);
}

/* --- the answer --- */

static void answers_are_read_or_refused(void **state)
{
    (void)state;
    static const struct {
        const char *body;
        int64_t expires_s; /* 0: refused; INT64_MAX: never */
    } cases[] = {
        {"{" KEYS "}", INT64_MAX},
        {"{" KEYS ",\"Expiration\":\"2026-11-23T13:00:00Z\"}", WALL_NOON_S + 3600},
        {"{" KEYS ",\"Expiration\":\"2026-11-23T13:00:00.123456Z\"}", WALL_NOON_S + 3600},
        {"{" KEYS ",\"Expiration\":\"2026-11-23T13:00:00+00:00\"}", WALL_NOON_S + 3600},
        {"{" KEYS ",\"Expiration\":\"2026-11-23T14:30:00+01:30\"}", WALL_NOON_S + 3600},
        {"{" KEYS ",\"Expiration\":\"2026-11-23T10:00:00-0300\"}", WALL_NOON_S + 3600},
        {"{" KEYS ",\"Expiration\":\"2028-02-29T00:00:00Z\"}", INT64_C(1835395200)},
        {"{" KEYS ",\"Expiration\":\"9999-12-31T23:59:59Z\"}", INT64_MAX},
        {"{" KEYS ",\"Expiration\":\"\"}", INT64_MAX},
        {"{" KEYS ",\"Expiration\":null}", INT64_MAX},
        {"{" KEYS ",\"RoleArn\":\"arn\",\"Type\":\"\"}", INT64_MAX},
        {"{" KEYS ",\"Expiration\":\"2026-11-23T12:00:00Z\"}", 0},
        {"{" KEYS ",\"Expiration\":\"2026-11-23T13:00:00\"}", 0},
        {"{" KEYS ",\"Expiration\":\"2026-11-23T13:00:00+-1:00\"}", 0},
        {"{" KEYS ",\"Expiration\":\"2026-11-23T13:00:00+01:00x\"}", 0},
        {"{" KEYS ",\"Expiration\":\"tomorrow\"}", 0},
        {"{\"AccessKeyId\":\"ASIAEXAMPLE\"}", 0},
        {"{\"AccessKeyId\":\"ASIAEXAMPLE\",\"SecretAccessKey\":\"\"}", 0},
        {"{\"AccessKeyId\":7,\"SecretAccessKey\":\"s3cr3t\"}", 0},
        {"{\"Code\":\"Failure\",\"Message\":\"t0ken\"}", 0},
        {"{" KEYS, 0},
        {"[]", 0},
        {"\"s3cr3t\"", 0},
        {"null", 0},
        {"<html>s3cr3t</html>", 0},
        {"", 0},
    };
    struct settings settings = {.container_uri = NEAR_URI};
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct fake_answer answer = {.status = 200, .body = cases[i].body};
        struct outcome outcome;
        print_message("%s: ", cases[i].body);
        fetch(&outcome, &settings, &answer, 1);
        assert_int_equal(outcome.rc, cases[i].expires_s != 0 ? 0 : -1);
        assert_int_equal(outcome.http.calls, 1);
        if (cases[i].expires_s != 0) {
            int64_t expected =
                cases[i].expires_s == INT64_MAX ? INT64_MAX : cases[i].expires_s * NS_PER_S;
            assert_true(outcome.keys.expires_wall_ns == expected);
            assert_string_equal(outcome.keys.access_key_id, "ASIAEXAMPLE");
            assert_string_equal(outcome.keys.secret_access_key, "s3cr3t");
            assert_string_equal(outcome.keys.session_token, "t0ken");
        }
        end(&outcome);
    }
}

static void keys_without_a_token_are_keys(void **state)
{
    (void)state;
    static const struct fake_answer answer = {
        .status = 200, .body = "{\"AccessKeyId\":\"A\",\"SecretAccessKey\":\"B\"}"};
    struct settings settings = {.container_uri = NEAR_URI};
    struct outcome outcome;
    fetch(&outcome, &settings, &answer, 1);
    assert_int_equal(outcome.rc, 0);
    assert_null(outcome.keys.session_token);
    end(&outcome);
}

/* --- trying again --- */

static void what_may_pass_is_tried_three_times_within_the_time(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        struct fake_answer answers[4];
        int rc;
        size_t calls;
        int sleeps;
    } cases[] = {
        {"a fault that passes", {{.status = 500}, {.status = 200, .body = "{" KEYS "}"}}, 0, 2, 1},
        {"busy",
         {{.status = 429}, {.status = 503}, {.status = 200, .body = "{" KEYS "}"}},
         0,
         3,
         2},
        {"not there yet",
         {{.failure = ERROR_CONNECTION}, {.status = 200, .body = "{" KEYS "}"}},
         0,
         2,
         1},
        {"a fault that stays", {{.status = 500}, {.status = 500}, {.status = 500}}, -1, 3, 2},
        {"never there",
         {{.failure = ERROR_CONNECTION},
          {.failure = ERROR_CONNECTION},
          {.failure = ERROR_CONNECTION}},
         -1,
         3,
         2},
        {"refused", {{.status = 403, .body = "t0ken"}}, -1, 1, 0},
        {"not found", {{.status = 404}}, -1, 1, 0},
        {"too large", {{.failure = ERROR_BAD_ANSWER}}, -1, 1, 0},
        {"nonsense", {{.status = 200, .body = "x"}}, -1, 1, 0},
    };
    struct settings settings = {.container_uri = NEAR_URI};
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct outcome outcome;
        print_message("%s: ", cases[i].name);
        fetch(&outcome, &settings, cases[i].answers, COUNT(cases[i].answers));
        assert_int_equal(outcome.rc, cases[i].rc);
        assert_int_equal(outcome.http.calls, cases[i].calls);
        assert_int_equal(outcome.os.sleeps, cases[i].sleeps);
        end(&outcome);
    }
}

static void no_attempt_is_longer_than_the_time_there_is(void **state)
{
    (void)state;
    static const struct fake_answer silence = {.status = 200, .takes_ns = 3600 * NS_PER_S};
    static const struct {
        int64_t timeout_ns;
        size_t calls;
        int64_t first_ns;
        int64_t last_ns;
    } cases[] = {
        {INT64_MAX, 3, 5 * NS_PER_S, 5 * NS_PER_S},
        {60 * NS_PER_S, 3, 5 * NS_PER_S, 5 * NS_PER_S},
        {8 * NS_PER_S, 2, 5 * NS_PER_S, 2 * NS_PER_S},
        {6 * NS_PER_S, 1, 5 * NS_PER_S, 5 * NS_PER_S},
        {NS_PER_MS, 1, NS_PER_MS, NS_PER_MS},
        {0, 0, 0, 0},
        {-1, 0, 0, 0},
    };
    struct settings settings = {.container_uri = NEAR_URI};
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct fake_os os;
        struct fake_http http;
        struct credentials keys;
        struct error err = {0};
        fake_os_init(&os);
        fake_http_init(&http, &silence, 1, &os);
        int64_t start_ns = os.now_ns;
        struct container container = {&settings, &http.transport, &os.os};
        assert_int_equal(container_fetch(&container, cases[i].timeout_ns, &keys, &err), -1);
        assert_int_equal(err.kind, ERROR_CREDENTIALS);
        assert_int_equal(http.calls, cases[i].calls);
        if (cases[i].calls > 0) {
            assert_true(http.sent[0].timeout_ns == cases[i].first_ns);
            assert_true(http.sent[cases[i].calls - 1].timeout_ns == cases[i].last_ns);
            assert_true(os.now_ns - start_ns <= cases[i].timeout_ns);
        }
        fake_http_free(&http);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_travel_in_the_clear_only_to_near_hosts),
        cmocka_unit_test(an_endpoint_is_configured_by_either_variable),
        cmocka_unit_test(the_token_goes_into_the_authorization_header),
        cmocka_unit_test(a_token_file_that_is_not_there_is_a_failure),
        cmocka_unit_test(answers_are_read_or_refused),
        cmocka_unit_test(keys_without_a_token_are_keys),
        cmocka_unit_test(what_may_pass_is_tried_three_times_within_the_time),
        cmocka_unit_test(no_attempt_is_longer_than_the_time_there_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
