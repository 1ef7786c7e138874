#include "handler/chat.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/cmocka_all.h"
#include "tests/support/fake_os.h"

#define COUNT(array)  (sizeof(array) / sizeof(array)[0])
#define BYTES(string) (string), sizeof(string) - 1

/* A request as the body of an event, or as an event of its own. */
struct fixture {
    struct fake_os os;
    struct event event;
    struct chat_request request;
    struct error err;
};

static int read(struct fixture *f, bool direct, const char *bytes, size_t length)
{
    *f = (struct fixture){0};
    fake_os_init(&f->os);
    if (direct) {
        int result = event_read(&f->event, bytes, length, &f->err);
        assert_int_equal(result, 0);
        assert_int_equal(f->event.source, EVENT_DIRECT);
    } else {
        f->event.source = EVENT_HTTP_API;
        buffer_init(&f->event.body, 1U << 24);
        assert_int_equal(buffer_append(&f->event.body, bytes, length, &f->err), 0);
    }
    return chat_request_read(&f->request, &f->event, &f->os.os, &f->err);
}

static void free_all(struct fixture *f)
{
    chat_request_free(&f->request);
    event_free(&f->event);
}

static const struct {
    const char *json;
    size_t length;
    const char *message;
    size_t message_length;
    const char *session_id; /* NULL: a new one */
} good[] = {
    {BYTES("{\"message\":\"hi\"}"), BYTES("hi"), NULL},
    {BYTES("{\"message\":\"hi\",\"session_id\":\"s-1\"}"), BYTES("hi"), "s-1"},
    {BYTES("{\"session_id\":\"s-1\",\"message\":\" hi \"}"), BYTES(" hi "), "s-1"},
    {BYTES("{\"message\":\"hi\",\"session_id\":null}"), BYTES("hi"), NULL},
    {BYTES("{\"message\":\"hi\",\"session_id\":\"\"}"), BYTES("hi"), NULL},
    {BYTES("{\"message\":\"hi\",\"session_id\":\"\\u00e9 x\"}"), BYTES("hi"), "\xc3\xa9 x"},
    /* members that nobody asked for */
    {BYTES("{\"message\":\"hi\",\"more\":[{}],\"stream\":true}"), BYTES("hi"), NULL},
    /* of two members with one name the last one counts */
    {BYTES("{\"message\":\"a\",\"message\":\"b\"}"), BYTES("b"), NULL},
    {BYTES("{\"message\":5,\"message\":\"b\"}"), BYTES("b"), NULL},
    /* text of every kind */
    {BYTES("{\"message\":\"\\u00e9\\u20ac\\ud83d\\ude00\"}"),
     BYTES("\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"), NULL},
    {BYTES("{\"message\":\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\"}"),
     BYTES("\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"), NULL},
    {BYTES("{\"message\":\"a\\u0000b\"}"), BYTES("a\0b"), NULL},
    {BYTES("{\"message\":\"\\ud800\"}"), BYTES("\xef\xbf\xbd"), NULL},
    {BYTES("{\"message\":\"\\udfff x\"}"), BYTES("\xef\xbf\xbd x"), NULL},
    {BYTES("{\"message\":\"\\n\\\"quoted\\\"\\\\\"}"), BYTES("\n\"quoted\"\\"), NULL},
};

static void a_request_has_a_message_and_maybe_a_session(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(good) * 2; i++) {
        size_t at = i / 2;
        struct fixture f;
        if (read(&f, i % 2, good[at].json, good[at].length) != 0)
            fail_msg("%s: %s", good[at].json, f.err.text);
        assert_int_equal(f.request.message_length, good[at].message_length);
        assert_memory_equal(f.request.message, good[at].message, good[at].message_length + 1);
        if (good[at].session_id != NULL)
            assert_string_equal(f.request.session_id, good[at].session_id);
        else
            assert_int_equal(strlen(f.request.session_id), OS_UUID_SIZE - 1);
        free_all(&f);
    }
}

#define NO_JSON    "The body is not JSON: send {\"message\": \"...\"}."
#define NO_OBJECT  "The request is not a JSON object: send {\"message\": \"...\"}."
#define NO_MESSAGE "There is no message: send {\"message\": \"...\"}."
#define NO_STRING  "message must be a string."
#define BLANK      "message is empty."

static const struct refusal {
    const char *json;
    size_t length;
    const char *text;
    const char *session_id; /* NULL: a new one */
} refusals[] = {
    {BYTES("[]"), NO_OBJECT, NULL},
    {BYTES("\"hi\""), NO_OBJECT, NULL},
    {BYTES("5"), NO_OBJECT, NULL},
    {BYTES("true"), NO_OBJECT, NULL},
    {BYTES("[{\"message\":\"hi\"}]"), NO_OBJECT, NULL},
    {BYTES("{}"), NO_MESSAGE, NULL},
    {BYTES("{\"session_id\":\"s-1\"}"), NO_MESSAGE, "s-1"},
    {BYTES("{\"message\":null,\"session_id\":\"s-1\"}"), NO_MESSAGE, "s-1"},
    {BYTES("{\"Message\":\"hi\"}"), NO_MESSAGE, NULL},
    {BYTES("{\"message\":5,\"session_id\":\"s-1\"}"), NO_STRING, "s-1"},
    {BYTES("{\"message\":true}"), NO_STRING, NULL},
    {BYTES("{\"message\":[\"hi\"]}"), NO_STRING, NULL},
    {BYTES("{\"message\":{\"text\":\"hi\"}}"), NO_STRING, NULL},
    {BYTES("{\"message\":\"a\",\"message\":1.5}"), NO_STRING, NULL},
    {BYTES("{\"message\":\"\",\"session_id\":\"s-1\"}"), BLANK, "s-1"},
    {BYTES("{\"message\":\" \\t\\r\\n\"}"), BLANK, NULL},
    {BYTES("{\"message\":\"hi\",\"session_id\":5}"), "session_id must be a string.", NULL},
    {BYTES("{\"message\":\"hi\",\"session_id\":{}}"), "session_id must be a string.", NULL},
    {BYTES("{\"message\":\"hi\",\"session_id\":\"a\\nb\"}"), "session_id has control characters.",
     NULL},
    {BYTES("{\"message\":\"hi\",\"session_id\":\"a\\u0000b\"}"),
     "session_id has control characters.", NULL},
    {BYTES("{\"message\":\"hi\",\"session_id\":\"\\u007f\"}"), "session_id has control characters.",
     NULL},
};

static void assert_refused(bool direct, const struct refusal *refusal)
{
    struct fixture f;
    if (read(&f, direct, refusal->json, refusal->length) == 0)
        fail_msg("%s is not refused", refusal->json);
    assert_int_equal(f.err.kind, ERROR_INVALID_REQUEST);
    assert_string_equal(f.err.text, refusal->text);
    if (refusal->session_id != NULL)
        assert_string_equal(f.request.session_id, refusal->session_id);
    else
        assert_int_equal(strlen(f.request.session_id), OS_UUID_SIZE - 1);
    free_all(&f);
}

static void what_is_no_request_is_refused_with_a_sentence_and_a_session(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(refusals) * 2; i++)
        assert_refused(i % 2, &refusals[i / 2]);
}

static const struct refusal no_json[] = {
    {BYTES(""), NO_JSON, NULL},
    {BYTES(" "), NO_JSON, NULL},
    {BYTES("hello"), NO_JSON, NULL},
    {BYTES("message=hi"), NO_JSON, NULL},
    {BYTES("null"), NO_JSON, NULL},
    {BYTES("NaN"), NO_JSON, NULL},
    {BYTES("{\"message\":\"hi\""), NO_JSON, NULL},
    {BYTES("{\"message\":\"hi\"}}"), NO_JSON, NULL},
    {BYTES("{\"message\":\"hi\"}\0"), NO_JSON, NULL},
    {BYTES("{\"message\":\"h\0i\"}"), NO_JSON, NULL},
    {BYTES("{\"message\":\"hi\",}"), NO_JSON, NULL},
    {BYTES("{'message':'hi'}"), NO_JSON, NULL},
    {BYTES("{\"message\":\"\xff\"}"), NO_JSON, NULL},
    {BYTES("{\"message\":\"hi\",\"session_id\":\"\xc0\x80\"}"), NO_JSON, NULL},
    {BYTES("{\"message\":Infinity}"), NO_JSON, NULL},
};

static void a_body_that_is_no_json_is_refused_without_repeating_it(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(no_json); i++)
        assert_refused(false, &no_json[i]);
}

static void a_session_id_may_be_256_bytes_long(void **state)
{
    (void)state;
    for (int length = CHAT_SESSION_ID_MAX; length <= CHAT_SESSION_ID_MAX + 1; length++) {
        char id[300];
        char json[400];
        memset(id, 's', sizeof id);
        (void)snprintf(json, sizeof json, "{\"message\":\"hi\",\"session_id\":\"%.*s\"}", length,
                       id);
        struct fixture f;
        int result = read(&f, false, json, strlen(json));
        if (length <= CHAT_SESSION_ID_MAX) {
            assert_int_equal(result, 0);
            assert_int_equal(strlen(f.request.session_id), length);
        } else {
            assert_int_equal(result, -1);
            assert_string_equal(f.err.text, "session_id is longer than 256 bytes.");
            assert_int_equal(strlen(f.request.session_id), OS_UUID_SIZE - 1);
        }
        free_all(&f);
    }
}

static void sessions_that_are_made_up_differ(void **state)
{
    (void)state;
    struct fixture f;
    assert_int_equal(read(&f, true, BYTES("{\"message\":\"hi\"}")), 0);
    struct chat_request other;
    assert_int_equal(chat_request_read(&other, &f.event, &f.os.os, &f.err), 0);
    assert_string_not_equal(f.request.session_id, other.session_id);
    chat_request_free(&other);
    free_all(&f);
}

static void a_message_of_six_megabytes_is_read_whole(void **state)
{
    (void)state;
    static const char before[] = "{\"message\":\"";
    size_t size = 6U << 20;
    char *json = malloc(size);
    assert_non_null(json);
    memset(json, 'x', size);
    memcpy(json, before, sizeof before - 1);
    json[size - 2] = '"';
    json[size - 1] = '}';
    struct fixture f;
    assert_int_equal(read(&f, false, json, size), 0);
    assert_int_equal(f.request.message_length, size - (sizeof before - 1) - 2);
    free_all(&f);
    free(json);
}

static void a_zeroed_request_may_be_freed(void **state)
{
    (void)state;
    struct chat_request request = {0};
    chat_request_free(&request);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_has_a_message_and_maybe_a_session),
        cmocka_unit_test(what_is_no_request_is_refused_with_a_sentence_and_a_session),
        cmocka_unit_test(a_body_that_is_no_json_is_refused_without_repeating_it),
        cmocka_unit_test(a_session_id_may_be_256_bytes_long),
        cmocka_unit_test(sessions_that_are_made_up_differ),
        cmocka_unit_test(a_message_of_six_megabytes_is_read_whole),
        cmocka_unit_test(a_zeroed_request_may_be_freed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
