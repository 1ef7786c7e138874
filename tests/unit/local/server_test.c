#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "local/server.h"
#include "tests/support/client.h"
#include "tests/support/cmocka_all.h"

/* Replies in the manner that the path names. */
static void handle(void *context, const struct server_request *request, struct server_reply *reply)
{
    static const struct {
        const char *path;
        enum server_manner manner;
    } manners[] = {{"/chunked", SERVER_CHUNKED}, {"/drip", SERVER_DRIP},
                   {"/half", SERVER_HALF},       {"/then-close", SERVER_THEN_CLOSE},
                   {"/cut", SERVER_CUT},         {"/reset", SERVER_RESET},
                   {"/raw", SERVER_RAW}};
    (void)context;
    char body[256];
    (void)snprintf(body, sizeof body, "%s %s ?%s [%s] %zu%s", request->method, request->path,
                   request->query, server_header(request, "x-test"), request->body_length,
                   request->too_large ? " too large" : "");
    server_reply_json(reply, 201, body);
    for (size_t i = 0; i < sizeof manners / sizeof manners[0]; i++)
        if (strcmp(request->path, manners[i].path) == 0)
            reply->manner = manners[i].manner;
}

struct fixture {
    struct server *server;
    struct client client;
};

static int start(void **state)
{
    static struct fixture fixture;
    const struct server_options options = {.host = "127.0.0.1", .max_body = 100, .handle = handle};
    fixture.server = server_start(&options, NULL);
    assert_non_null(fixture.server);
    assert_true(server_port(fixture.server) > 0);
    client_start(&fixture.client, server_port(fixture.server));
    *state = &fixture;
    return 0;
}

static int stop(void **state)
{
    struct fixture *fixture = *state;
    client_stop(&fixture->client);
    server_stop(fixture->server);
    return 0;
}

static void the_target_is_seen_as_it_was_on_the_wire(void **state)
{
    struct client *client = &((struct fixture *)*state)->client;
    const struct http_header header = {"X-TEST", "value"};
    assert_int_equal(client_call(client, "/a%2Fb%3Ac/..?x=%41&y", &header, 1, "body"), 201);
    assert_string_equal(client_body(client), "POST /a%2Fb%3Ac/.. ?x=%41&y [value] 4");
    assert_int_equal(client_call(client, "/", NULL, 0, NULL), 201);
    assert_string_equal(client_body(client), "GET / ? [] 0");
}

static void a_body_above_the_ceiling_is_thrown_away(void **state)
{
    struct client *client = &((struct fixture *)*state)->client;
    char body[200000];
    memset(body, 'x', sizeof body);
    assert_int_equal(client_send(client, "/", NULL, 0, body, 100), 201);
    assert_string_equal(client_body(client), "POST / ? [] 100");
    assert_int_equal(client_send(client, "/", NULL, 0, body, 101), 201);
    assert_string_equal(client_body(client), "POST / ? [] 0 too large");
    assert_int_equal(client_send(client, "/", NULL, 0, body, sizeof body), 201);
    assert_string_equal(client_body(client), "POST / ? [] 0 too large");
}

static void a_whole_reply_tells_its_length_and_a_chunked_one_does_not(void **state)
{
    struct client *client = &((struct fixture *)*state)->client;
    assert_int_equal(client_call(client, "/whole", NULL, 0, NULL), 201);
    assert_string_equal(client_header(client, "content-length"), "17");
    assert_int_equal(client_call(client, "/chunked", NULL, 0, NULL), 201);
    assert_string_equal(client_header(client, "content-length"), "");
    assert_string_equal(client_body(client), "GET /chunked ? [] 0");
    assert_int_equal(client_call(client, "/drip", NULL, 0, NULL), 201);
    assert_string_equal(client_body(client), "GET /drip ? [] 0");
}

static void a_connection_that_closes_after_the_reply_does_no_harm(void **state)
{
    struct client *client = &((struct fixture *)*state)->client;
    for (int i = 0; i < 3; i++) {
        assert_int_equal(client_call(client, "/then-close", NULL, 0, NULL), 201);
        assert_string_equal(client_body(client), "GET /then-close ? [] 0");
    }
}

static void broken_replies_are_broken(void **state)
{
    struct client *client = &((struct fixture *)*state)->client;
    static const char *const paths[] = {"/half", "/cut", "/reset", "/raw"};
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++)
        assert_int_equal(client_call(client, paths[i], NULL, 0, "body"), 0);
    assert_int_equal(client_call(client, "/whole", NULL, 0, NULL), 201);
}

static void a_port_that_is_taken_is_told(void **state)
{
    const struct fixture *fixture = *state;
    struct error err = {0};
    struct server_options options = {
        .host = "127.0.0.1", .port = server_port(fixture->server), .max_body = 1, .handle = handle};
    assert_null(server_start(&options, &err));
    assert_int_equal(err.kind, ERROR_CONFIG);
    assert_non_null(strstr(err.text, "Address already in use"));
    options.host = "nowhere";
    assert_null(server_start(&options, &err));
    assert_non_null(strstr(err.text, "nowhere"));
}

static void a_header_that_would_break_the_reply_is_refused(void **state)
{
    (void)state;
    struct server_reply reply = {0};
    buffer_init(&reply.headers, 1000);
    assert_int_equal(server_reply_header(&reply, "A", "b\r\nC: d", NULL), -1);
    assert_int_equal(server_reply_header(&reply, "A: b", "c", NULL), -1);
    assert_int_equal(server_reply_header(&reply, "", "c", NULL), -1);
    assert_int_equal(server_reply_header(&reply, "A", "b\tc", NULL), 0);
    assert_string_equal(reply.headers.data, "A: b\tc\n");
    buffer_free(&reply.headers);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_target_is_seen_as_it_was_on_the_wire),
        cmocka_unit_test(a_body_above_the_ceiling_is_thrown_away),
        cmocka_unit_test(a_whole_reply_tells_its_length_and_a_chunked_one_does_not),
        cmocka_unit_test(a_connection_that_closes_after_the_reply_does_no_harm),
        cmocka_unit_test(broken_replies_are_broken),
        cmocka_unit_test(a_port_that_is_taken_is_told),
        cmocka_unit_test(a_header_that_would_break_the_reply_is_refused),
    };
    return cmocka_run_group_tests(tests, start, stop);
}
