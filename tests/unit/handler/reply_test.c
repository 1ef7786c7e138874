#include "handler/reply.h"

#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "base/os.h"
#include "tests/support/cmocka_all.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])
#define CEILING      6291556

/* The reply as text; to be freed. */
static char *written(const struct reply *reply, enum event_source source, bool multi)
{
    const struct event event = {.source = source, .multi_value_headers = multi};
    struct buffer out;
    struct error err = {0};
    buffer_init(&out, CEILING);
    if (reply_write(reply, &event, &out, &err) != 0)
        fail_msg("%s", err.text);
    assert_int_equal(strlen(out.data), out.length);
    return out.data;
}

static struct reply answer(const char *text)
{
    struct reply reply = {.status = STATUS_OK, .retry_after_ns = -1};
    struct error err = {0};
    reply.body = json_object_new_object();
    assert_int_equal(reply_add(reply.body, "message", json_object_new_string(text), &err), 0);
    return reply;
}

#define CORS                                                                                       \
    "\"Access-Control-Allow-Origin\":\"*\","                                                       \
    "\"Access-Control-Allow-Methods\":\"GET,POST,OPTIONS\","                                       \
    "\"Access-Control-Allow-Headers\":\"Authorization,Content-Type,X-Amz-Date,"                    \
    "X-Amz-Security-Token,X-Api-Key,X-Priority\","                                                 \
    "\"Access-Control-Expose-Headers\":\"Retry-After\",\"Access-Control-Max-Age\":\"3600\""
#define CORS_MULTI                                                                                 \
    "\"Access-Control-Allow-Origin\":[\"*\"],"                                                     \
    "\"Access-Control-Allow-Methods\":[\"GET,POST,OPTIONS\"],"                                     \
    "\"Access-Control-Allow-Headers\":[\"Authorization,Content-Type,X-Amz-Date,"                   \
    "X-Amz-Security-Token,X-Api-Key,X-Priority\"],"                                                \
    "\"Access-Control-Expose-Headers\":[\"Retry-After\"],\"Access-Control-Max-Age\":[\"3600\"]"

#define API_GATEWAY                                                                                \
    "{\"statusCode\":200,\"headers\":{\"Content-Type\":\"application/json\"," CORS "},"            \
    "\"body\":\"{\\\"message\\\":\\\"hi\\\"}\",\"isBase64Encoded\":false}"

static const struct {
    enum event_source source;
    bool multi;
    const char *text;
} shapes[] = {
    {EVENT_REST_API, false, API_GATEWAY},
    {EVENT_REST_API, true, API_GATEWAY}, /* they are only what the request had */
    {EVENT_HTTP_API, false, API_GATEWAY},
    {EVENT_FUNCTION_URL, false, API_GATEWAY},
    {EVENT_DIRECT, false, API_GATEWAY},
    {EVENT_ALB, false,
     "{\"statusCode\":200,\"statusDescription\":\"200 OK\",\"headers\":{"
     "\"Content-Type\":\"application/json\"," CORS "},"
     "\"body\":\"{\\\"message\\\":\\\"hi\\\"}\",\"isBase64Encoded\":false}"},
    {EVENT_ALB, true,
     "{\"statusCode\":200,\"statusDescription\":\"200 OK\",\"multiValueHeaders\":{"
     "\"Content-Type\":[\"application/json\"]," CORS_MULTI "},"
     "\"body\":\"{\\\"message\\\":\\\"hi\\\"}\",\"isBase64Encoded\":false}"},
};

static void a_reply_has_the_shape_that_its_source_expects(void **state)
{
    (void)state;
    struct reply reply = answer("hi");
    for (size_t i = 0; i < COUNT(shapes); i++) {
        char *text = written(&reply, shapes[i].source, shapes[i].multi);
        assert_string_equal(text, shapes[i].text);
        free(text);
    }
    reply_free(&reply);
}

static void a_refusal_says_when_to_come_back(void **state)
{
    (void)state;
    struct reply reply;
    struct error err = {0};
    assert_int_equal(reply_error(&reply, ERROR_RATE_LIMITED, NULL, "r-1", &err), 0);
    assert_int_equal(reply_set_retry_after(&reply, 8 * NS_PER_S + 1, &err), 0);
    char *text = written(&reply, EVENT_HTTP_API, false);
    assert_string_equal(
        text, "{\"statusCode\":429,\"headers\":{\"Content-Type\":\"application/json\"," CORS
              ",\"Retry-After\":\"9\"},\"body\":\"{\\\"error\\\":\\\"Too many requests for the "
              "moment. Please try again later.\\\",\\\"code\\\":\\\"rate_limited\\\","
              "\\\"request_id\\\":\\\"r-1\\\",\\\"retry_after\\\":9}\",\"isBase64Encoded\":false}");
    free(text);
    text = written(&reply, EVENT_ALB, true);
    assert_non_null(strstr(text, "\"statusDescription\":\"429 Too Many Requests\""));
    assert_non_null(strstr(text, ",\"Retry-After\":[\"9\"]}"));
    free(text);
    reply_free(&reply);
}

static const struct {
    int64_t ns, seconds;
} waits[] = {
    {0, 1},
    {1, 1},
    {NS_PER_S / 2, 1},
    {NS_PER_S - 1, 1},
    {NS_PER_S, 1},
    {NS_PER_S + 1, 2},
    {2 * NS_PER_S, 2},
    {9 * NS_PER_S, 9},
    {9 * NS_PER_S + 1, 10},
    {86400 * NS_PER_S, 86400},
    {INT64_MAX, INT64_MAX / NS_PER_S + 1},
};

static void retry_after_is_whole_seconds_rounded_up_and_at_least_one(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(waits); i++) {
        struct reply reply;
        struct error err = {0};
        struct json_object *member = NULL;
        assert_int_equal(reply_error(&reply, ERROR_THROTTLED, NULL, "r-1", &err), 0);
        assert_int_equal(reply_set_retry_after(&reply, waits[i].ns, &err), 0);
        assert_true(json_object_object_get_ex(reply.body, "retry_after", &member));
        assert_int_equal(json_object_get_int64(member), waits[i].seconds);
        char *text = written(&reply, EVENT_DIRECT, false);
        char *header = strstr(text, "\"Retry-After\":\"");
        assert_non_null(header);
        assert_int_equal(strtoll(header + strlen("\"Retry-After\":\""), NULL, 10),
                         waits[i].seconds);
        free(text);
        reply_free(&reply);
    }
}

static void a_reply_without_a_time_to_come_back_names_none(void **state)
{
    (void)state;
    struct reply reply = answer("hi");
    char *text = written(&reply, EVENT_REST_API, false);
    assert_null(strstr(text, "\"Retry-After\":"));
    free(text);
    reply_free(&reply);
}

static void every_reply_has_a_content_type_and_the_cors_headers(void **state)
{
    (void)state;
    static const enum event_source sources[] = {EVENT_DIRECT, EVENT_REST_API, EVENT_HTTP_API,
                                                EVENT_FUNCTION_URL, EVENT_ALB};
    for (int kind = ERROR_NONE + 1; kind < ERROR_COUNT; kind++) {
        struct reply reply;
        struct error err = {0};
        assert_int_equal(reply_error(&reply, (enum error_kind)kind, NULL, "r-1", &err), 0);
        assert_int_equal(reply.status, error_status((enum error_kind)kind));
        assert_true(reply.retry_after_ns < 0);
        for (size_t i = 0; i < COUNT(sources) * 2; i++) {
            char *text = written(&reply, sources[i / 2], i % 2);
            bool multi = sources[i / 2] == EVENT_ALB && i % 2 == 1;
            assert_non_null(strstr(text, multi ? CORS_MULTI : CORS));
            assert_non_null(strstr(text, multi ? "\"Content-Type\":[\"application/json\"]"
                                               : "\"Content-Type\":\"application/json\""));
            free(text);
        }
        reply_free(&reply);
    }
}

static void a_failure_is_told_with_the_tables_sentence_or_a_better_one(void **state)
{
    (void)state;
    struct reply reply;
    struct error err = {0};
    assert_int_equal(reply_error(&reply, ERROR_INVALID_REQUEST, "message is \"empty\".", "", &err),
                     0);
    assert_int_equal(reply.status, 400);
    assert_string_equal(json_object_to_json_string_ext(reply.body, JSON_C_TO_STRING_PLAIN),
                        "{\"error\":\"message is \\\"empty\\\".\",\"code\":\"invalid_request\","
                        "\"request_id\":\"\"}");
    reply_free(&reply);
    assert_int_equal(reply_error(&reply, ERROR_ACCESS_DENIED, NULL, "r-1", &err), 0);
    assert_string_equal(json_object_to_json_string_ext(reply.body, JSON_C_TO_STRING_PLAIN),
                        "{\"error\":\"" ERROR_SENTENCE_INTERNAL
                        "\",\"code\":\"internal_error\",\"request_id\":\"r-1\"}");
    reply_free(&reply);
}

static void a_wrong_method_is_told_the_right_ones(void **state)
{
    (void)state;
    struct reply reply = {.status = 405, .allow = "OPTIONS, POST", .retry_after_ns = -1};
    char *text = written(&reply, EVENT_REST_API, false);
    assert_non_null(strstr(text, ",\"Allow\":\"OPTIONS, POST\"}"));
    free(text);
    text = written(&reply, EVENT_ALB, true);
    assert_non_null(strstr(text, ",\"Allow\":[\"OPTIONS, POST\"]}"));
    assert_non_null(strstr(text, "\"405 Method Not Allowed\""));
    free(text);
}

static void a_reply_without_a_body_has_an_empty_one(void **state)
{
    (void)state;
    struct reply reply = {.status = STATUS_NO_CONTENT, .retry_after_ns = -1};
    char *text = written(&reply, EVENT_HTTP_API, false);
    assert_non_null(strstr(text, "\"statusCode\":204,"));
    assert_non_null(strstr(text, "\"body\":\"\",\"isBase64Encoded\":false}"));
    free(text);
}

static const char *const texts[] = {
    "quotes \" and \\ and / and \n\r\t\x01\x7f",
    "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80 \xe2\x80\xa8",
    "{\"statusCode\":500}",
    "</script>",
};

/* Whoever reads the reply and then its body finds the text. */
static void any_text_survives_both_layers_of_json(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(texts); i++) {
        struct reply reply = answer(texts[i]);
        char *text = written(&reply, EVENT_HTTP_API, false);
        struct json_object *root = json_tokener_parse(text);
        struct json_object *member = NULL;
        assert_true(json_object_object_get_ex(root, "body", &member));
        struct json_object *body = json_tokener_parse(json_object_get_string(member));
        assert_true(json_object_object_get_ex(body, "message", &member));
        assert_string_equal(json_object_get_string(member), texts[i]);
        json_object_put(body);
        json_object_put(root);
        free(text);
        reply_free(&reply);
    }
}

static void a_reply_above_the_ceiling_is_too_large_and_writes_nothing(void **state)
{
    (void)state;
    struct reply reply = answer("a few words");
    const struct event event = {.source = EVENT_HTTP_API};
    char *text = written(&reply, EVENT_HTTP_API, false);
    size_t length = strlen(text);
    for (size_t ceiling = length - 1; ceiling <= length; ceiling++) {
        struct buffer out;
        struct error err = {0};
        buffer_init(&out, ceiling);
        int result = reply_write(&reply, &event, &out, &err);
        assert_int_equal(result, ceiling < length ? -1 : 0);
        assert_int_equal(err.kind, ceiling < length ? ERROR_REPLY_TOO_LARGE : ERROR_NONE);
        assert_int_equal(out.length, ceiling < length ? 0 : length);
        buffer_free(&out);
    }
    free(text);
    reply_free(&reply);
}

static void what_cannot_be_added_is_freed(void **state)
{
    (void)state;
    struct error err = {0};
    struct json_object *object = json_object_new_object();
    assert_int_equal(reply_add(object, "x", NULL, &err), -1);
    assert_int_equal(err.kind, ERROR_MEMORY);
    assert_int_equal(reply_add(NULL, "x", json_object_new_int(1), &err), -1);
    assert_int_equal(json_object_object_length(object), 0);
    json_object_put(object);
    struct reply zeroed = {0};
    reply_free(&zeroed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_reply_has_the_shape_that_its_source_expects),
        cmocka_unit_test(a_refusal_says_when_to_come_back),
        cmocka_unit_test(retry_after_is_whole_seconds_rounded_up_and_at_least_one),
        cmocka_unit_test(a_reply_without_a_time_to_come_back_names_none),
        cmocka_unit_test(every_reply_has_a_content_type_and_the_cors_headers),
        cmocka_unit_test(a_failure_is_told_with_the_tables_sentence_or_a_better_one),
        cmocka_unit_test(a_wrong_method_is_told_the_right_ones),
        cmocka_unit_test(a_reply_without_a_body_has_an_empty_one),
        cmocka_unit_test(any_text_survives_both_layers_of_json),
        cmocka_unit_test(a_reply_above_the_ceiling_is_too_large_and_writes_nothing),
        cmocka_unit_test(what_cannot_be_added_is_freed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
