#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "local/bedrock_fake.h"
#include "tests/support/client.h"
#include "tests/support/cmocka_all.h"

#define CLAUDE "/model/global.anthropic.claude-sonnet-4-5-20250929-v1%3A0/invoke"
#define BODY                                                                                       \
    "{\"anthropic_version\":\"bedrock-2023-05-31\",\"max_tokens\":100,"                            \
    "\"messages\":[{\"role\":\"user\",\"content\":\"test\"}]}"

struct fixture {
    struct rules rules;
    struct stats stats;
    struct bedrock_fake *fake;
    struct client client;
    int worked_for; /* the sandbox that was told last */
};

static void worked(void *context, int sandbox, int64_t ns)
{
    struct fixture *fixture = context;
    assert_true(ns >= 0);
    pthread_mutex_lock(&fixture->stats.lock);
    fixture->worked_for = sandbox;
    pthread_mutex_unlock(&fixture->stats.lock);
}

static int start(void **state)
{
    static struct fixture fixture;
    fixture = (struct fixture){0};
    stats_init(&fixture.stats);
    const struct bedrock_fake_options options = {
        .rules = &fixture.rules, .stats = &fixture.stats, .worked = worked, .context = &fixture};
    fixture.fake = bedrock_fake_start(&options, NULL);
    assert_non_null(fixture.fake);
    client_start(&fixture.client, bedrock_fake_port(fixture.fake));
    *state = &fixture;
    return 0;
}

static int stop(void **state)
{
    struct fixture *fixture = *state;
    client_stop(&fixture->client);
    bedrock_fake_stop(fixture->fake);
    rules_free(&fixture->rules);
    stats_free(&fixture->stats);
    return 0;
}

static void rule(struct fixture *fixture, const char *json)
{
    struct error err = {0};
    if (bedrock_fake_change(fixture->fake, json, strlen(json), &err) != 0)
        fail_msg("%s", err.text);
}

/* A request of sandbox 3, with its bearer token. */
static int ask(struct fixture *fixture, const char *path, const char *body)
{
    const struct http_header headers[] = {{"Authorization", "Bearer bedrock-api-key-LocalWeir3"},
                                          {"amz-sdk-invocation-id", "call-1"},
                                          {"amz-sdk-request", "attempt=2; max=6"}};
    return client_call(&fixture->client, path, headers, 3, body);
}

static void a_message_is_repeated_with_its_token_counts(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(ask(fixture, CLAUDE, BODY), 200);
    assert_non_null(strstr(client_body(&fixture->client), "\"text\":\"You said: test\""));
    assert_string_equal(client_header(&fixture->client, "x-amzn-bedrock-input-token-count"), "9");
    assert_string_equal(client_header(&fixture->client, "x-amzn-bedrock-output-token-count"), "4");
    assert_int_equal(strlen(client_header(&fixture->client, "x-amzn-requestid")), 36);
    pthread_mutex_lock(&fixture->stats.lock);
    assert_int_equal(fixture->worked_for, 3);
    pthread_mutex_unlock(&fixture->stats.lock);
}

static void a_stranger_is_refused(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(client_call(&fixture->client, CLAUDE, NULL, 0, BODY), 403);
    assert_string_equal(client_body(&fixture->client),
                        "{\"message\":\"Missing Authentication Token\"}");
    assert_string_equal(client_header(&fixture->client, "x-amzn-errortype"),
                        "MissingAuthenticationTokenException:"
                        "http://internal.amazon.com/coral/com.amazon.bedrock/");
}

static void other_paths_are_no_model_requests(void **state)
{
    struct fixture *fixture = *state;
    static const char *const paths[] = {"/", "/model//invoke", "/model/a/b/invoke", "/model/a",
                                        "/model/a/converse"};
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++)
        assert_int_equal(ask(fixture, paths[i], BODY), 404);
    assert_int_equal(ask(fixture, CLAUDE, NULL), 404);
    assert_int_equal(fixture->stats.attempts, 0);
}

static void the_wrong_shape_is_a_validation_error(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(ask(fixture, CLAUDE, "{}"), 400);
    assert_string_equal(client_body(&fixture->client),
                        "{\"message\":\"anthropic_version: Field required\"}");
}

/* The real one's header and its 63 bytes; no Retry-After unless asked for. */
static void a_throttle_looks_like_the_real_one(void **state)
{
    struct fixture *fixture = *state;
    rule(fixture, "{\"fault\":\"tokens,throttle:retry-after=7:retry-after-ms=6500\"}");
    assert_int_equal(ask(fixture, CLAUDE, BODY), 429);
    assert_string_equal(client_body(&fixture->client),
                        "{\"message\":\"Too many tokens, please wait before trying again.\"}");
    assert_string_equal(client_header(&fixture->client, "content-length"), "63");
    assert_string_equal(client_header(&fixture->client, "retry-after"), "");
    assert_string_equal(client_header(&fixture->client, "x-amzn-errortype"),
                        "ThrottlingException:http://internal.amazon.com/coral/com.amazon.bedrock/");
    assert_int_equal(ask(fixture, CLAUDE, BODY), 429);
    assert_string_equal(client_header(&fixture->client, "retry-after"), "7");
    assert_string_equal(client_header(&fixture->client, "x-amz-retry-after"), "6500");
    assert_int_equal(ask(fixture, CLAUDE, BODY), 200);
}

/* The status of the first request in the list. */
static int listed_status(struct fixture *fixture)
{
    pthread_mutex_lock(&fixture->stats.lock);
    int status = fixture->stats.count > 0 ? fixture->stats.list[0].status : -1;
    pthread_mutex_unlock(&fixture->stats.lock);
    return status;
}

static void each_fault_sends_its_status(void **state)
{
    struct fixture *fixture = *state;
    static const struct {
        const char *fault;
        int status;  /* as the client sees it; 0: no reply */
        int counted; /* as the list of requests has it */
        const char *part;
    } cases[] = {
        {"500", 500, 500, "unexpected error"},
        {"503-hint=1234", 503, 503, "\\\"expectedQueueDelayInMs\\\":1234}\""},
        {"model-error=503", 424, 424,
         "\"originalStatusCode\":503,\"resourceName\":\"global.anthropic"},
        {"model-timeout", 408, 408, "timed out"},
        {"not-ready", 429, 429, "not ready"},
        {"quota-exceeded", 400, 400, "service quota"},
        {"status=529", 529, 529, "message"},
        {"bare-429", 429, 429, "Too many requests"},
        {"cut", 0, 0, ""},
        {"reset", 0, 0, ""},
        {"half", 0, 200, ""},
        {"garbage", 0, 0, ""},
        {"html", 200, 200, "<html>"},
        {"not-json", 200, 200, "{\"content\""},
        {"wrong-shape", 200, 200, "{\"answer\":42}"},
        {"then-close", 200, 200, "You said"},
        {"slow=0", 200, 200, "You said"},
        {"drip=0", 200, 200, "You said"},
        {"refusal", 200, 200, "\"refusal\""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char json[128];
        (void)snprintf(json, sizeof json, "{\"fault\":\"%s\"}", cases[i].fault);
        rule(fixture, json);
        client_hang_up(&fixture->client);
        if (ask(fixture, CLAUDE, BODY) != cases[i].status)
            fail_msg("%s: status %d", cases[i].fault, fixture->client.response.status);
        assert_int_equal(listed_status(fixture), cases[i].counted);
        if (cases[i].status != 0 && strstr(client_body(&fixture->client), cases[i].part) == NULL)
            fail_msg("%s: %s", cases[i].fault, client_body(&fixture->client));
        assert_int_equal(ask(fixture, CLAUDE, BODY), 200);
    }
}

static void the_quota_of_requests_is_kept(void **state)
{
    struct fixture *fixture = *state;
    rule(fixture, "{\"rpm\":2,\"quota\":\"sliding\"}");
    assert_int_equal(ask(fixture, CLAUDE, BODY), 200);
    assert_int_equal(ask(fixture, CLAUDE, BODY), 200);
    assert_int_equal(ask(fixture, CLAUDE, BODY), 429);
    assert_non_null(strstr(client_body(&fixture->client), "Too many requests, please wait"));
    rule(fixture, "{}");
    assert_int_equal(ask(fixture, CLAUDE, BODY), 200);
}

/* 109 are reserved, and 9 + 4 * 5 are used. */
static void the_quota_of_tokens_reserves_and_settles(void **state)
{
    struct fixture *fixture = *state;
    rule(fixture, "{\"tpm\":\"150\",\"quota\":\"sliding\"}");
    assert_int_equal(ask(fixture, CLAUDE, BODY), 200);
    assert_int_equal(ask(fixture, CLAUDE, BODY), 200);
    assert_int_equal(ask(fixture, CLAUDE, BODY), 429);
    assert_non_null(strstr(client_body(&fixture->client), "Too many tokens, please wait"));
}

static void a_fault_takes_nothing_from_the_quota(void **state)
{
    struct fixture *fixture = *state;
    rule(fixture, "{\"rpm\":1,\"quota\":\"sliding\",\"fault\":\"500,throttle\"}");
    assert_int_equal(ask(fixture, CLAUDE, BODY), 500);
    assert_int_equal(ask(fixture, CLAUDE, BODY), 429);
    assert_int_equal(ask(fixture, CLAUDE, BODY), 200);
}

static void requests_are_listed_without_what_was_in_them(void **state)
{
    struct fixture *fixture = *state;
    struct buffer out;
    rule(fixture, "{\"fault\":\"throttle\"}");
    assert_int_equal(ask(fixture, CLAUDE, BODY), 429);
    buffer_init(&out, 10000);
    assert_int_equal(stats_print_attempts(&fixture->stats, &out, NULL), 0);
    static const char *const parts[] = {
        "\"model\":\"global.anthropic.claude-sonnet-4-5-20250929-v1:0\"",
        "\"status\":429",
        "\"fault\":\"throttle\"",
        "\"input_tokens\":9",
        "\"max_tokens\":100",
        "\"sandbox\":3",
        "\"invocation_id\":\"call-1\"",
        "\"sdk_request\":\"attempt=2; max=6\"",
    };
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        if (strstr(out.data, parts[i]) == NULL)
            fail_msg("%s is not in %s", parts[i], out.data);
    assert_null(strstr(out.data, "test"));
    buffer_free(&out);
}

static void bad_rules_change_nothing(void **state)
{
    struct fixture *fixture = *state;
    static const char *const cases[] = {"", "[]", "{\"rpm\":-1}", "{\"fault\":\"nosuch\"}",
                                        "{\"fault\":\"500\",\"speed\":1}"};
    rule(fixture, "{\"fault\":\"cut,503*\"}");
    assert_int_equal(ask(fixture, CLAUDE, BODY), 0);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct error err = {0};
        assert_int_equal(bedrock_fake_change(fixture->fake, cases[i], strlen(cases[i]), &err), -1);
        assert_true(err.kind == ERROR_CONFIG || err.kind == ERROR_INVALID_REQUEST);
    }
    assert_int_equal(ask(fixture, CLAUDE, BODY), 503);
}

static void a_reset_brings_the_rules_of_the_start(void **state)
{
    struct fixture *fixture = *state;
    rule(fixture, "{\"rpm\":1,\"fault\":\"503*\"}");
    assert_int_equal(ask(fixture, CLAUDE, BODY), 503);
    assert_int_equal(bedrock_fake_reset(fixture->fake, NULL), 0);
    assert_int_equal(ask(fixture, CLAUDE, BODY), 200);
    assert_int_equal(ask(fixture, CLAUDE, BODY), 200);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_message_is_repeated_with_its_token_counts),
        TEST(a_stranger_is_refused),
        TEST(other_paths_are_no_model_requests),
        TEST(the_wrong_shape_is_a_validation_error),
        TEST(a_throttle_looks_like_the_real_one),
        TEST(each_fault_sends_its_status),
        TEST(the_quota_of_requests_is_kept),
        TEST(the_quota_of_tokens_reserves_and_settles),
        TEST(a_fault_takes_nothing_from_the_quota),
        TEST(requests_are_listed_without_what_was_in_them),
        TEST(bad_rules_change_nothing),
        TEST(a_reset_brings_the_rules_of_the_start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
