/* What a stranger does first: build/local and a POST, and the faults it can be told to play. */
#include <json-c/json.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "aws/http.h"
#include "base/os.h"
#include "tests/support/child.h"
#include "tests/support/cmocka_all.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

/* build/local, and a client for it. */
struct laptop {
    struct child child;
    struct http *http;
    struct http_transport transport;
    char address[128];
    struct http_response response;
    struct json_object *body; /* of the last response; NULL when it is no JSON */
};

/* The address is in the first line it prints: "Weir is listening on http://127.0.0.1:8080". */
static void read_address(struct laptop *laptop)
{
    static const char words[] = "listening on ";
    for (int tries = 0; tries < 1000; tries++) {
        char *output = child_output(&laptop->child);
        const char *at = strstr(output, words);
        bool whole = at != NULL && strchr(at, '\n') != NULL;
        if (whole)
            (void)snprintf(laptop->address, sizeof laptop->address, "%.*s",
                           (int)strcspn(at + strlen(words), "\n"), at + strlen(words));
        free(output);
        if (whole)
            return;
        os_sleep_ns(os_real(), 10 * NS_PER_MS); /* nothing tells when a program will print */
    }
    fail_msg("build/local does not say where it listens");
}

static void laptop_open(struct laptop *laptop, const char *const *options)
{
    *laptop = (struct laptop){0};
    const char *arguments[32] = {"local", "--port", "0"};
    size_t n = 3;
    for (size_t i = 0; options[i] != NULL && n < COUNT(arguments) - 1; i++)
        arguments[n++] = options[i];
    static const char *const environment[] = {"PATH=/usr/local/bin:/usr/bin:/bin",
                                              "BEDROCK_APP_BASE_DELAY=0.01",
                                              "BEDROCK_APP_MAX_DELAY=0.05",
                                              "BEDROCK_BASE_DELAY=0.01",
                                              "BEDROCK_MAX_DELAY=0.02",
                                              NULL};
    const char *program = getenv("LOCAL");
    child_start(&laptop->child, program != NULL ? program : "build/local", arguments, environment);
    const struct http_options plain = {.user_agent = "test/1", .no_proxy = true};
    laptop->http = http_new(&plain, NULL);
    assert_non_null(laptop->http);
    laptop->transport = http_transport(laptop->http);
    read_address(laptop);
}

static int laptop_send(struct laptop *laptop, const char *method, const char *path,
                       const char *body)
{
    char url[256];
    (void)snprintf(url, sizeof url, "%s%s", laptop->address, path);
    static const struct http_header json = {"Content-Type", "application/json"};
    const struct http_request request = {
        .method = method,
        .url = url,
        .headers = &json,
        .header_count = 1,
        .body = body,
        .body_length = body != NULL ? strlen(body) : 0,
        .timeout_ns = 60 * NS_PER_S,
        .max_body = 8U << 20,
    };
    struct error err = {0};
    if (http_send(&laptop->transport, &request, &laptop->response, &err) != 0)
        fail_msg("%s", err.text);
    json_object_put(laptop->body);
    const char *text = laptop->response.body.data;
    laptop->body = text != NULL ? json_tokener_parse(text) : NULL;
    return laptop->response.status;
}

static const char *laptop_member(const struct laptop *laptop, const char *name)
{
    struct json_object *value = NULL;
    json_object_object_get_ex(laptop->body, name, &value);
    return value != NULL ? json_object_get_string(value) : "";
}

static int laptop_close(struct laptop *laptop)
{
    json_object_put(laptop->body);
    http_response_free(&laptop->response);
    http_free(laptop->http);
    int status = child_stop(&laptop->child, SIGINT);
    child_free(&laptop->child);
    return status;
}

static void the_first_message_is_answered(void **state)
{
    (void)state;
    struct laptop laptop;
    static const char *const none[] = {NULL};
    laptop_open(&laptop, none);
    assert_int_equal(laptop_send(&laptop, "POST", "/agent", "{\"message\":\"test\"}"), 200);
    assert_true(strlen(laptop_member(&laptop, "message")) > 0);
    assert_int_equal(strlen(laptop_member(&laptop, "session_id")), 36);
    char header[128];
    assert_true(http_response_header(&laptop.response, "content-type", header, sizeof header));
    assert_string_equal(header, "application/json");
    assert_int_equal(laptop_send(&laptop, "GET", "/health", NULL), 200);
    assert_int_equal(laptop_send(&laptop, "GET", "/agent", NULL), 405);
    assert_true(http_response_header(&laptop.response, "allow", header, sizeof header));
    assert_int_equal(laptop_send(&laptop, "POST", "/nothing", "{}"), 404);
    assert_int_equal(laptop_send(&laptop, "OPTIONS", "/agent", NULL), 204);
    assert_int_equal(laptop_send(&laptop, "POST", "/agent", "no JSON"), 400);
    assert_int_equal(laptop_close(&laptop), 0);
}

static void all_three_families_answer(void **state)
{
    (void)state;
    static const char *const models[] = {
        "BEDROCK_MODEL_ID=anthropic.claude-3-haiku-20240307-v1:0",
        "BEDROCK_MODEL_ID=us.amazon.nova-lite-v1:0",
        "BEDROCK_MODEL_ID=openai.gpt-oss-120b-1:0",
    };
    for (size_t i = 0; i < COUNT(models); i++) {
        const char *const options[] = {"--env", models[i], NULL};
        struct laptop laptop;
        laptop_open(&laptop, options);
        assert_int_equal(laptop_send(&laptop, "POST", "/agent", "{\"message\":\"test\"}"), 200);
        assert_true(strlen(laptop_member(&laptop, "message")) > 0);
        assert_string_equal(laptop_member(&laptop, "stop_reason"), "end_turn");
        laptop_close(&laptop);
    }
}

static void each_fault_gets_its_status(void **state)
{
    (void)state;
    static const struct {
        const char *fault;
        int status;
    } cases[] = {
        {"throttle*2,ok", 200},  {"throttle*", 429},      {"tokens*", 429},
        {"tokens-per-day", 429}, {"quota-exceeded", 429}, {"bare-429,ok", 200},
        {"500*2,ok", 200},       {"not-ready,ok", 200},   {"service-unavailable,ok", 200},
        {"cut,ok", 200},         {"half,ok", 200},        {"500*", 500},
        {"access-denied", 500},  {"validation", 500},     {"not-found", 500},
        {"model-timeout", 504},  {"not-json", 500},       {"refusal", 200},
        {"multi-block", 200},    {"max-tokens", 200},     {"empty", 500},
    };
    struct laptop laptop;
    static const char *const none[] = {"--env", "BEDROCK_RATE_LIMIT=100000", NULL};
    laptop_open(&laptop, none);
    for (size_t i = 0; i < COUNT(cases); i++) {
        char script[128];
        (void)snprintf(script, sizeof script, "{\"fault\":\"%s\"}", cases[i].fault);
        assert_int_equal(laptop_send(&laptop, "POST", "/_local/bedrock", script), 200);
        int status = laptop_send(&laptop, "POST", "/agent", "{\"message\":\"test\"}");
        if (status != cases[i].status)
            print_error("%s: %d\n", cases[i].fault, status);
        assert_int_equal(status, cases[i].status);
    }
    laptop_close(&laptop);
}

static void a_frozen_sandbox_answers_when_it_is_woken(void **state)
{
    (void)state;
    static const char *const options[] = {"--freeze", NULL};
    struct laptop laptop;
    laptop_open(&laptop, options);
    for (int i = 0; i < 3; i++)
        assert_int_equal(laptop_send(&laptop, "POST", "/agent", "{\"message\":\"test\"}"), 200);
    laptop_close(&laptop);
}

static void it_tells_what_happened(void **state)
{
    (void)state;
    static const char *const options[] = {"--fault", "throttle,ok", NULL};
    struct laptop laptop;
    laptop_open(&laptop, options);
    laptop_send(&laptop, "POST", "/agent", "{\"message\":\"test\"}");
    assert_int_equal(laptop_send(&laptop, "GET", "/_local/stats", NULL), 200);
    assert_string_equal(laptop_member(&laptop, "answered"), "1");
    assert_string_equal(laptop_member(&laptop, "throttled"), "1");
    assert_string_equal(laptop_member(&laptop, "refused"), "0");
    laptop_close(&laptop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_message_is_answered),
        cmocka_unit_test(all_three_families_answer),
        cmocka_unit_test(each_fault_gets_its_status),
        cmocka_unit_test(a_frozen_sandbox_answers_when_it_is_woken),
        cmocka_unit_test(it_tells_what_happened),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
