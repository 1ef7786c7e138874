#include "handler/event.h"

#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "base/os.h"
#include "tests/support/cmocka_all.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

/* From a copy without a byte after it, so that a sanitizer sees who reads too far. */
static int read(struct event *event, const char *bytes, size_t length, struct error *err)
{
    char *copy = malloc(length > 0 ? length : 1);
    assert_non_null(copy);
    memcpy(copy, bytes, length);
    int result = event_read(event, copy, length, err);
    free(copy);
    return result;
}

static void assert_same(const char *json, const char *what, const char *got, const char *wanted)
{
    bool same = got != NULL && wanted != NULL ? strcmp(got, wanted) == 0 : got == wanted;
    if (!same)
        fail_msg("%s of %s is %s, not %s", what, json, got != NULL ? got : "absent",
                 wanted != NULL ? wanted : "absent");
}

#define V2(members) "{\"version\":\"2.0\"," members "}"
#define HTTP(context)                                                                              \
    "{\"rawPath\":\"/agent\",\"requestContext\":{\"http\":{\"method\":\"POST\"}" context "}}"
#define V1(members)  "{\"httpMethod\":\"POST\",\"path\":\"/agent\"" members "}"
#define ALB(members) "{\"requestContext\":{\"elb\":{\"targetGroupArn\":\"arn:x\"}}" members "}"

static const struct {
    const char *json;
    enum event_source source;
    const char *method, *path, *route;
    const char *body; /* NULL: empty */
} events[] = {
    /* HTTP API */
    {V2("\"rawPath\":\"/agent\",\"routeKey\":\"POST /agent\",\"requestContext\":{\"http\":{"
        "\"method\":\"POST\",\"path\":\"/agent\"}},\"body\":\"{}\",\"isBase64Encoded\":false"),
     EVENT_HTTP_API, "POST", "/agent", "/agent", "{}"},
    {HTTP(""), EVENT_HTTP_API, "POST", "/agent", NULL, NULL},
    {V2("\"a\":1"), EVENT_HTTP_API, NULL, NULL, NULL, NULL},
    {V2("\"requestContext\":null"), EVENT_HTTP_API, NULL, NULL, NULL, NULL},
    {V2("\"requestContext\":[],\"rawPath\":\"/x\""), EVENT_HTTP_API, NULL, "/x", NULL, NULL},
    {V2("\"requestContext\":{\"http\":\"POST\"},\"rawPath\":\"/x\""), EVENT_HTTP_API, NULL, "/x",
     NULL, NULL},
    {V2("\"requestContext\":{\"http\":{\"method\":5,\"path\":\"/x\"}},\"rawPath\":7"),
     EVENT_HTTP_API, NULL, "/x", NULL, NULL},
    {V2("\"routeKey\":\"$default\""), EVENT_HTTP_API, NULL, NULL, NULL, NULL},
    {V2("\"routeKey\":\"ANY /{proxy+}\""), EVENT_HTTP_API, NULL, NULL, "/{proxy+}", NULL},
    {V2("\"routeKey\":5"), EVENT_HTTP_API, NULL, NULL, NULL, NULL},
    /* the stage before the path */
    {HTTP(",\"stage\":\"$default\""), EVENT_HTTP_API, "POST", "/agent", NULL, NULL},
    {V2("\"rawPath\":\"/prod/agent\",\"requestContext\":{\"stage\":\"prod\"}"), EVENT_HTTP_API,
     NULL, "/agent", NULL, NULL},
    {V2("\"rawPath\":\"/prod\",\"requestContext\":{\"stage\":\"prod\"}"), EVENT_HTTP_API, NULL, "/",
     NULL, NULL},
    {V2("\"rawPath\":\"/prod/\",\"requestContext\":{\"stage\":\"prod\"}"), EVENT_HTTP_API, NULL,
     "/", NULL, NULL},
    {V2("\"rawPath\":\"/production/agent\",\"requestContext\":{\"stage\":\"prod\"}"),
     EVENT_HTTP_API, NULL, "/production/agent", NULL, NULL},
    {V2("\"rawPath\":\"/agent\",\"requestContext\":{\"stage\":\"prod\"}"), EVENT_HTTP_API, NULL,
     "/agent", NULL, NULL},
    {V2("\"rawPath\":\"prod/agent\",\"requestContext\":{\"stage\":\"prod\"}"), EVENT_HTTP_API, NULL,
     "prod/agent", NULL, NULL},
    {V2("\"rawPath\":\"/agent\",\"requestContext\":{\"stage\":\"\"}"), EVENT_HTTP_API, NULL,
     "/agent", NULL, NULL},
    {V2("\"rawPath\":\"/agent\",\"requestContext\":{\"stage\":null}"), EVENT_HTTP_API, NULL,
     "/agent", NULL, NULL},
    /* Function URL */
    {HTTP(",\"domainName\":\"abc.lambda-url.us-east-1.on.aws\""), EVENT_FUNCTION_URL, "POST",
     "/agent", NULL, NULL},
    {HTTP(",\"domainName\":\"abc.execute-api.us-east-1.amazonaws.com\""), EVENT_HTTP_API, "POST",
     "/agent", NULL, NULL},
    {HTTP(",\"domainName\":null"), EVENT_HTTP_API, "POST", "/agent", NULL, NULL},
    /* REST API */
    {V1(",\"resource\":\"/{proxy+}\",\"requestContext\":{\"stage\":\"prod\"},\"body\":\"hi\""),
     EVENT_REST_API, "POST", "/agent", "/{proxy+}", "hi"},
    {V1(",\"headers\":null,\"multiValueHeaders\":null,\"queryStringParameters\":null,"
        "\"requestContext\":{},\"body\":null,\"isBase64Encoded\":null"),
     EVENT_REST_API, "POST", "/agent", NULL, NULL},
    {V1(",\"version\":\"1.0\""), EVENT_REST_API, "POST", "/agent", NULL, NULL},
    {"{\"version\":\"1.0\",\"httpMethod\":\"POST\",\"path\":\"/prod/agent\",\"requestContext\":{"
     "\"stage\":\"prod\"}}",
     EVENT_REST_API, "POST", "/agent", NULL, NULL},
    {V1(""), EVENT_REST_API, "POST", "/agent", NULL, NULL},
    {V1(",\"requestContext\":null,\"resource\":null"), EVENT_REST_API, "POST", "/agent", NULL,
     NULL},
    {V1(",\"requestContext\":{\"elb\":null}"), EVENT_REST_API, "POST", "/agent", NULL, NULL},
    {"{\"httpMethod\":\"GET\",\"path\":5,\"resource\":[]}", EVENT_REST_API, "GET", NULL, NULL,
     NULL},
    /* Application Load Balancer */
    {ALB(",\"httpMethod\":\"GET\",\"path\":\"/health\",\"body\":\"\",\"headers\":{}"), EVENT_ALB,
     "GET", "/health", NULL, NULL},
    {ALB(""), EVENT_ALB, NULL, NULL, NULL, NULL},
    {ALB(",\"httpMethod\":null,\"path\":null,\"body\":null"), EVENT_ALB, NULL, NULL, NULL, NULL},
    /* SQS */
    {"{\"Records\":[{\"eventSource\":\"aws:sqs\",\"body\":\"x\"}]}", EVENT_SQS, NULL, NULL, NULL,
     NULL},
    /* direct */
    {"{\"message\":\"hi\"}", EVENT_DIRECT, NULL, NULL, NULL, NULL},
    {"{}", EVENT_DIRECT, NULL, NULL, NULL, NULL},
    {"[]", EVENT_DIRECT, NULL, NULL, NULL, NULL},
    {"\"hi\"", EVENT_DIRECT, NULL, NULL, NULL, NULL},
    {"5", EVENT_DIRECT, NULL, NULL, NULL, NULL},
    {"{\"version\":\"0\",\"source\":\"aws.events\"}", EVENT_DIRECT, NULL, NULL, NULL, NULL},
    {"{\"version\":2.0}", EVENT_DIRECT, NULL, NULL, NULL, NULL},
    {"{\"requestContext\":\"x\",\"httpMethod\":null}", EVENT_DIRECT, NULL, NULL, NULL, NULL},
    {"{\"Records\":[]}", EVENT_DIRECT, NULL, NULL, NULL, NULL},
    {"{\"Records\":{\"eventSource\":\"aws:sqs\"}}", EVENT_DIRECT, NULL, NULL, NULL, NULL},
    {"{\"Records\":[{\"eventSource\":\"aws:s3\"}]}", EVENT_DIRECT, NULL, NULL, NULL, NULL},
    {"{\"Records\":[5]}", EVENT_DIRECT, NULL, NULL, NULL, NULL},
    {"{\"Records\":[null]}", EVENT_DIRECT, NULL, NULL, NULL, NULL},
    /* the body */
    {V1(",\"body\":\"\""), EVENT_REST_API, "POST", "/agent", NULL, NULL},
    {V1(",\"body\":\"aGk=\",\"isBase64Encoded\":true"), EVENT_REST_API, "POST", "/agent", NULL,
     "hi"},
    {V1(",\"body\":\"\",\"isBase64Encoded\":true"), EVENT_REST_API, "POST", "/agent", NULL, NULL},
    {V1(",\"body\":null,\"isBase64Encoded\":true"), EVENT_REST_API, "POST", "/agent", NULL, NULL},
    {V1(",\"body\":\"aGk=\",\"isBase64Encoded\":false"), EVENT_REST_API, "POST", "/agent", NULL,
     "aGk="},
    {V1(",\"body\":\"aGk=\",\"isBase64Encoded\":\"true\""), EVENT_REST_API, "POST", "/agent", NULL,
     "aGk="},
    {V1(",\"body\":\"aGk=\",\"isBase64Encoded\":1"), EVENT_REST_API, "POST", "/agent", NULL,
     "aGk="},
    {V2("\"body\":\"aGk=\",\"isBase64Encoded\":true"), EVENT_HTTP_API, NULL, NULL, NULL, "hi"},
    {V1(",\"body\":\"\\u00e9\\ud83d\\ude00\""), EVENT_REST_API, "POST", "/agent", NULL,
     "\xc3\xa9\xf0\x9f\x98\x80"},
    /* of two members with one name the last one counts */
    {V1(",\"path\":\"/health\""), EVENT_REST_API, "POST", "/health", NULL, NULL},
};

static void an_event_says_where_it_comes_from_and_what_it_asks(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(events); i++) {
        const char *json = events[i].json;
        struct event event;
        struct error err = {0};
        if (read(&event, json, strlen(json), &err) != 0)
            fail_msg("%s: %s", json, err.text);
        assert_same(json, "the source", event_source_name(event.source),
                    event_source_name(events[i].source));
        assert_same(json, "the method", event.method, events[i].method);
        assert_same(json, "the path", event.path, events[i].path);
        assert_same(json, "the route", event.route, events[i].route);
        const char *body = events[i].body != NULL ? events[i].body : "";
        assert_int_equal(event.body.length, strlen(body));
        assert_same(json, "the body", event.body.data != NULL ? event.body.data : "", body);
        event_free(&event);
    }
}

static const struct {
    const char *json;
    bool multi;
} multi_values[] = {
    {ALB(",\"multiValueHeaders\":{\"host\":[\"example.com\"]}"), true},
    {ALB(",\"multiValueHeaders\":{}"), true},
    {ALB(",\"multiValueHeaders\":null,\"headers\":{}"), false},
    {ALB(",\"multiValueHeaders\":[]"), false},
    {ALB(",\"headers\":{\"host\":\"example.com\"}"), false},
    {ALB(""), false},
};

static void a_load_balancer_says_which_headers_it_takes(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(multi_values); i++) {
        struct event event;
        struct error err = {0};
        assert_int_equal(read(&event, multi_values[i].json, strlen(multi_values[i].json), &err), 0);
        assert_int_equal(event.multi_value_headers, multi_values[i].multi);
        event_free(&event);
    }
}

#define MS INT64_C(1000000)

static const struct {
    const char *json;
    int64_t wall_ns;
} stamps[] = {
    {V1(",\"requestContext\":{\"requestTimeEpoch\":1795435200123}"), INT64_C(1795435200123) * MS},
    {V2("\"requestContext\":{\"timeEpoch\":1795435200123}"), INT64_C(1795435200123) * MS},
    {HTTP(",\"timeEpoch\":1,\"domainName\":\"a.lambda-url.us-east-1.on.aws\""), MS},
    /* each has its own name */
    {V1(",\"requestContext\":{\"timeEpoch\":1795435200123}"), 0},
    {V2("\"requestContext\":{\"requestTimeEpoch\":1795435200123}"), 0},
    {ALB(""), 0},
    /* no time */
    {V2("\"requestContext\":{\"timeEpoch\":null}"), 0},
    {V2("\"requestContext\":{\"timeEpoch\":\"1795435200123\"}"), 0},
    {V2("\"requestContext\":{\"timeEpoch\":1.795e12}"), 0},
    {V2("\"requestContext\":{\"timeEpoch\":0}"), 0},
    {V2("\"requestContext\":{\"timeEpoch\":-5}"), 0},
    {V2("\"requestContext\":{\"timeEpoch\":9223372036854775807}"), 0},
    {V2("\"requestContext\":{\"timeEpoch\":99999999999999999999999}"), 0},
    {V2("\"requestContext\":{\"timeEpoch\":-99999999999999999999999}"), 0},
};

static void the_gateways_own_time_is_read_when_it_is_one(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(stamps); i++) {
        struct event event;
        struct error err = {0};
        assert_int_equal(read(&event, stamps[i].json, strlen(stamps[i].json), &err), 0);
        assert_int_equal(event.gateway_wall_ns, stamps[i].wall_ns);
        event_free(&event);
    }
}

static const struct {
    const char *json;
    enum event_source source;
    const char *text;
} refused[] = {
    {"", EVENT_DIRECT, "The JSON is empty."},
    {"null", EVENT_DIRECT, "The JSON is null."},
    {"{\"httpMethod\":\"POST\"", EVENT_DIRECT, "This is not JSON from byte 20 on."},
    {"{\"message\":\"hi\"}x", EVENT_DIRECT, "This is not JSON from byte 16 on."},
    {"{\"message\":\"\xff\"}", EVENT_DIRECT, "This is not JSON from byte 12 on."},
    {"{\"message\":NaN}", EVENT_DIRECT, "This is not JSON from byte 11 on."},
    {V1(",\"body\":5"), EVENT_REST_API, "The body of the event is not a string."},
    {V1(",\"body\":{\"message\":\"hi\"}"), EVENT_REST_API,
     "The body of the event is not a string."},
    {V2("\"body\":true"), EVENT_HTTP_API, "The body of the event is not a string."},
    {HTTP(",\"domainName\":\"a.lambda-url.us-east-1.on.aws\"},\"body\":[],\"x\":{\"y\":1"),
     EVENT_FUNCTION_URL, "The body of the event is not a string."},
    {ALB(",\"body\":[],\"multiValueHeaders\":{}"), EVENT_ALB,
     "The body of the event is not a string."},
    {V1(",\"body\":\"aGk\",\"isBase64Encoded\":true"), EVENT_REST_API,
     "The body is not valid base64."},
    {V2("\"body\":\"a-_=\",\"isBase64Encoded\":true"), EVENT_HTTP_API,
     "The body is not valid base64."},
    {ALB(",\"body\":\"\\u00e9\\u00e9\",\"isBase64Encoded\":true"), EVENT_ALB,
     "The body is not valid base64."},
};

static void what_cannot_be_read_still_says_where_it_comes_from(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(refused); i++) {
        const char *json = refused[i].json;
        struct event event;
        struct error err = {0};
        if (read(&event, json, strlen(json), &err) == 0)
            fail_msg("%s is not refused", json);
        assert_int_equal(err.kind, ERROR_INVALID_REQUEST);
        assert_same(json, "the error", err.text, refused[i].text);
        assert_int_equal(event.source, refused[i].source);
        assert_int_equal(event.multi_value_headers, strstr(json, "multiValue") != NULL);
        event_free(&event);
    }
}

static void an_event_may_be_as_long_as_lambda_allows(void **state)
{
    (void)state;
    size_t length = 6U << 20;
    char *json = malloc(length);
    assert_non_null(json);
    memset(json, 'A', length);
    static const char before[] = "{\"httpMethod\":\"POST\",\"isBase64Encoded\":true,\"body\":\"";
    memcpy(json, before, sizeof before - 1);
    size_t body = (length - sizeof before - 1) / 4 * 4;
    json[sizeof before - 1 + body] = '"';
    json[sizeof before + body] = '}';
    struct event event;
    struct error err = {0};
    assert_int_equal(read(&event, json, sizeof before + 1 + body, &err), 0);
    assert_int_equal(event.body.length, body / 4 * 3);
    event_free(&event);
    free(json);
}

static void a_zeroed_event_may_be_freed(void **state)
{
    (void)state;
    struct event event = {0};
    event_free(&event);
    event_free(&event);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_event_says_where_it_comes_from_and_what_it_asks),
        cmocka_unit_test(a_load_balancer_says_which_headers_it_takes),
        cmocka_unit_test(the_gateways_own_time_is_read_when_it_is_one),
        cmocka_unit_test(what_cannot_be_read_still_says_where_it_comes_from),
        cmocka_unit_test(an_event_may_be_as_long_as_lambda_allows),
        cmocka_unit_test(a_zeroed_event_may_be_freed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
