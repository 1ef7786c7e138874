#include <stdlib.h>
#include <string.h>

#include "base/os.h"
#include "base/strict_json.h"
#include "local/document.h"
#include "local/event.h"
#include "tests/support/cmocka_all.h"

#define NOON_NS      (INT64_C(1795435200) * NS_PER_S) /* 2026-11-23T12:00:00Z */
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct event_facts facts = {
    .request_id = "JKJaXmPLvHcESHA=", .trace_id = "Root=1-2-3", .wall_ns = NOON_NS, .port = 8080};

static struct server_request post(const struct http_header *headers, size_t count, const char *body)
{
    return (struct server_request){.method = "POST",
                                   .protocol = "HTTP/1.1",
                                   .path = "/agent",
                                   .query = "",
                                   .headers = headers,
                                   .header_count = count,
                                   .body = body,
                                   .body_length = strlen(body),
                                   .peer = "127.0.0.1"};
}

static struct json_object *event_of(const struct server_request *request)
{
    struct buffer out;
    struct error err = {0};
    buffer_init(&out, 1000000);
    if (event_write(request, &facts, &out, &err) != 0)
        fail_msg("%s", err.text);
    struct json_object *event = strict_json_parse(out.data, out.length, NULL);
    assert_non_null(event);
    buffer_free(&out);
    return event;
}

/* The value at "a.b.c" as JSON; "absent" when there is none. */
static const char *at(struct json_object *event, const char *path)
{
    char name[64];
    struct json_object *value = event;
    while (*path != '\0') {
        size_t length = strcspn(path, ".");
        memcpy(name, path, length);
        name[length] = '\0';
        if (!json_object_object_get_ex(value, name, &value))
            return "absent";
        path += length + (path[length] == '.' ? 1 : 0);
    }
    return json_object_to_json_string_ext(value,
                                          JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE);
}

static void a_post_becomes_an_event_of_version_2(void **state)
{
    (void)state;
    static const struct http_header headers[] = {
        {"Host", "127.0.0.1:8080"}, {"User-Agent", "curl/8"}, {"Content-Type", "application/json"}};
    static const char *const expected[][2] = {
        {"version", "\"2.0\""},
        {"routeKey", "\"$default\""},
        {"rawPath", "\"/agent\""},
        {"rawQueryString", "\"\""},
        {"queryStringParameters", "absent"},
        {"cookies", "absent"},
        {"headers.host", "\"127.0.0.1:8080\""},
        {"headers.content-type", "\"application/json\""},
        {"headers.x-forwarded-for", "\"127.0.0.1\""},
        {"headers.x-forwarded-port", "\"8080\""},
        {"headers.x-amzn-trace-id", "\"Root=1-2-3\""},
        {"requestContext.accountId", "\"123456789012\""},
        {"requestContext.domainName", "\"127.0.0.1:8080\""},
        {"requestContext.http.method", "\"POST\""},
        {"requestContext.http.path", "\"/agent\""},
        {"requestContext.http.protocol", "\"HTTP/1.1\""},
        {"requestContext.http.sourceIp", "\"127.0.0.1\""},
        {"requestContext.http.userAgent", "\"curl/8\""},
        {"requestContext.requestId", "\"JKJaXmPLvHcESHA=\""},
        {"requestContext.stage", "\"$default\""},
        {"requestContext.time", "\"23/Nov/2026:12:00:00 +0000\""},
        {"requestContext.timeEpoch", "1795435200000"},
        {"body", "\"{}\""},
        {"isBase64Encoded", "false"},
    };
    struct server_request request = post(headers, COUNT(headers), "{}");
    struct json_object *event = event_of(&request);
    for (size_t i = 0; i < COUNT(expected); i++)
        assert_string_equal(at(event, expected[i][0]), expected[i][1]);
    json_object_put(event);
}

static void headers_are_lower_case_and_joined(void **state)
{
    (void)state;
    static const struct http_header headers[] = {
        {"X-One", "1"}, {"x-one", "2"}, {"X-ONE", ""}, {"X-Odd", "caf\xe9"}};
    struct server_request request = post(headers, COUNT(headers), "");
    struct json_object *event = event_of(&request);
    assert_string_equal(at(event, "headers.x-one"), "\"1,2,\"");
    assert_string_equal(at(event, "headers.x-odd"), "\"caf?\"");
    json_object_put(event);
}

static void cookies_are_taken_out_of_the_headers(void **state)
{
    (void)state;
    static const struct http_header headers[] = {{"Cookie", "a=1; b=2"}, {"cookie", "c=3;"}};
    struct server_request request = post(headers, COUNT(headers), "");
    struct json_object *event = event_of(&request);
    assert_string_equal(at(event, "cookies"), "[\"a=1\",\"b=2\",\"c=3\"]");
    assert_string_equal(at(event, "headers.cookie"), "absent");
    json_object_put(event);
}

static void the_path_is_decoded_and_the_query_is_not(void **state)
{
    (void)state;
    struct server_request request = post(NULL, 0, "");
    request.path = "/a%20b%2Fc";
    request.query = "x=1&y=%41+b&x=2&&flag&=nameless&e=";
    struct json_object *event = event_of(&request);
    assert_string_equal(at(event, "rawPath"), "\"/a b/c\"");
    assert_string_equal(at(event, "requestContext.http.path"), "\"/a b/c\"");
    assert_string_equal(at(event, "rawQueryString"), "\"x=1&y=%41+b&x=2&&flag&=nameless&e=\"");
    assert_string_equal(at(event, "queryStringParameters"),
                        "{\"x\":\"1,2\",\"y\":\"A b\",\"flag\":\"\",\"e\":\"\"}");
    json_object_put(event);
}

static void only_text_and_json_bodies_are_not_base64(void **state)
{
    (void)state;
    static const struct {
        const char *type, *body, *in_event, *encoded;
    } cases[] = {
        {"application/json", "{}", "\"{}\"", "false"},
        {"Application/JSON; charset=utf-8", "{}", "\"{}\"", "false"},
        {"application/problem+json", "{}", "\"{}\"", "false"},
        {"text/plain", "hi", "\"hi\"", "false"},
        {"", "hi", "\"hi\"", "false"},
        {"application/x-www-form-urlencoded", "a=b", "\"YT1i\"", "true"},
        {"application/octet-stream", "hi", "\"aGk=\"", "true"},
        {"application/jsonx", "h", "\"aA==\"", "true"},
        {"application/json", "\xff\xfe", "\"//4=\"", "true"},
        {"application/octet-stream", "", "absent", "false"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct http_header header = {"content-type", cases[i].type};
        struct server_request request = post(&header, 1, cases[i].body);
        struct json_object *event = event_of(&request);
        assert_string_equal(at(event, "body"), cases[i].in_event);
        assert_string_equal(at(event, "isBase64Encoded"), cases[i].encoded);
        json_object_put(event);
    }
}

/* --- replies ---------------------------------------------------------------------------------- */

static int read_reply(const char *text, struct server_reply *reply)
{
    *reply = (struct server_reply){0};
    buffer_init(&reply->headers, 10000);
    buffer_init(&reply->body, 10000);
    return event_read_reply(text, strlen(text), reply, NULL);
}

static void free_reply(struct server_reply *reply)
{
    buffer_free(&reply->headers);
    buffer_free(&reply->body);
}

static void a_reply_is_taken_apart(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int status;
        const char *headers, *body;
    } cases[] = {
        {"{\"statusCode\":429,\"headers\":{\"Retry-After\":\"7\",\"Content-Type\":\"a/b\"},"
         "\"body\":\"{}\",\"isBase64Encoded\":false}",
         429, "Retry-After: 7\nContent-Type: a/b\n", "{}"},
        {"{\"statusCode\":204}", 204, "content-type: text/plain;charset=UTF-8\n", ""},
        {"{\"statusCode\":200,\"body\":null,\"headers\":null}", 200,
         "content-type: text/plain;charset=UTF-8\n", ""},
        {"{\"statusCode\":200,\"headers\":{\"Content-type\":\"t\",\"X\":5,\"Y\":true,"
         "\"Content-Length\":\"999\"}}",
         200, "Content-type: t\nX: 5\nY: true\n", ""},
        {"{\"statusCode\":200,\"headers\":{\"content-type\":\"t\"},\"cookies\":[\"a=1\",\"b=2\"]}",
         200, "content-type: t\nset-cookie: a=1\nset-cookie: b=2\n", ""},
        {"{\"statusCode\":200,\"headers\":{\"content-type\":\"t\"},\"body\":\"aGk=\","
         "\"isBase64Encoded\":true}",
         200, "content-type: t\n", "hi"},
        {"{\"message\":\"hi\"}", 200, "content-type: application/json\n", "{\"message\":\"hi\"}"},
        {"[1, 2]", 200, "content-type: application/json\n", "[1, 2]"},
        {"\"hi\"", 200, "content-type: application/json\n", "hi"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct server_reply reply;
        assert_int_equal(read_reply(cases[i].text, &reply), 0);
        assert_int_equal(reply.status, cases[i].status);
        assert_string_equal(reply.headers.data, cases[i].headers);
        assert_string_equal(reply.body.data != NULL ? reply.body.data : "", cases[i].body);
        free_reply(&reply);
    }
}

static void a_malformed_reply_is_refused(void **state)
{
    (void)state;
    static const char *const cases[] = {
        "",
        "no json",
        "{\"statusCode\":200",
        "{\"statusCode\":\"200\"}",
        "{\"statusCode\":200.5}",
        "{\"statusCode\":99}",
        "{\"statusCode\":600}",
        "{\"statusCode\":null}",
        "{\"statusCode\":200,\"body\":{}}",
        "{\"statusCode\":200,\"headers\":[]}",
        "{\"statusCode\":200,\"headers\":{\"a\":[\"b\"]}}",
        "{\"statusCode\":200,\"headers\":{\"a\":null}}",
        "{\"statusCode\":200,\"headers\":{\"a\":\"b\\r\\nc: d\"}}",
        "{\"statusCode\":200,\"headers\":{\"a b\":\"c\"}}",
        "{\"statusCode\":200,\"cookies\":\"a=1\"}",
        "{\"statusCode\":200,\"cookies\":[1]}",
        "{\"statusCode\":200,\"body\":\"###\",\"isBase64Encoded\":true}",
        "{\"statusCode\":200,\"body\":\"\",\"isBase64Encoded\":\"true\"}",
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct server_reply reply;
        if (read_reply(cases[i], &reply) == 0)
            fail_msg("%s", cases[i]);
        free_reply(&reply);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_post_becomes_an_event_of_version_2),
        cmocka_unit_test(headers_are_lower_case_and_joined),
        cmocka_unit_test(cookies_are_taken_out_of_the_headers),
        cmocka_unit_test(the_path_is_decoded_and_the_query_is_not),
        cmocka_unit_test(only_text_and_json_bodies_are_not_base64),
        cmocka_unit_test(a_reply_is_taken_apart),
        cmocka_unit_test(a_malformed_reply_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
