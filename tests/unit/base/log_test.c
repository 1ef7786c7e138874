#include "base/log.h"

#include <errno.h>
#include <json-c/json.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/utf8.h"
#include "tests/support/cmocka_all.h"
#include "tests/support/fake_os.h"
#include "tests/support/log_capture.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

/* Stands before the C library's: writes may be interrupted, or be short. */
static struct {
    int interruptions;
    size_t most; /* of one write; 0: no limit */
    int calls;
} kernel;

ssize_t write(int fd, const void *bytes, size_t count)
{
    kernel.calls++;
    if (kernel.interruptions > 0) {
        kernel.interruptions--;
        errno = EINTR;
        return -1;
    }
    if (kernel.most > 0 && count > kernel.most)
        count = kernel.most;
    return syscall(SYS_write, fd, bytes, count);
}

struct fixture {
    struct fake_os os;
    struct log_capture capture;
    struct log_scope scope;
};

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    if (f == NULL)
        return -1;
    fake_os_init(&f->os);
    log_capture_open(&f->capture, &f->os.os);
    f->scope = (struct log_scope){&f->capture.log, "r-1", "s-1"};
    memset(&kernel, 0, sizeof kernel);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    log_capture_close(&f->capture);
    free(f);
    return 0;
}

static void assert_text(const struct fixture *f, const char *expected)
{
    char *text = log_capture_text(&f->capture);
    assert_string_equal(text, expected);
    free(text);
}

/* The only line; to be put. */
static struct json_object *only_line(const struct fixture *f)
{
    struct json_object *lines = log_capture_lines(&f->capture);
    assert_int_equal(json_object_array_length(lines), 1);
    struct json_object *line = json_object_get(json_object_array_get_idx(lines, 0));
    json_object_put(lines);
    return line;
}

static const char *string_of(struct json_object *line, const char *name)
{
    struct json_object *value = NULL;
    assert_true(json_object_object_get_ex(line, name, &value));
    assert_true(json_object_is_type(value, json_type_string));
    return json_object_get_string(value);
}

static void a_line_is_one_json_object_with_its_fields_in_order(void **state)
{
    struct fixture *f = *state;
    fake_os_advance(&f->os, 7 * NS_PER_MS + 999999);
    log_line(&f->scope, LOG_WARN,
             LOG_FIELDS(LOG_STRING("kind", "throttled"), LOG_INTEGER("attempts", 2),
                        LOG_NUMBER("wait_s", 3.5)),
             "Throttling error on attempt %d/%d", 1, 6);
    assert_text(f, "{\"timestamp\":\"2026-11-23T12:00:00.007Z\",\"level\":\"WARN\","
                   "\"message\":\"Throttling error on attempt 1/6\",\"requestId\":\"r-1\","
                   "\"session_id\":\"s-1\",\"kind\":\"throttled\",\"attempts\":2,"
                   "\"wait_s\":3.500}\n");
}

static void whom_a_line_is_about_is_left_out_when_unknown(void **state)
{
    struct fixture *f = *state;
    f->scope.request_id = NULL;
    f->scope.session_id = NULL;
    log_line(&f->scope, LOG_INFO, LOG_NO_FIELDS, "x");
    assert_text(f, "{\"timestamp\":\"2026-11-23T12:00:00.000Z\",\"level\":\"INFO\","
                   "\"message\":\"x\"}\n");
}

static void a_field_without_a_value_is_left_out(void **state)
{
    struct fixture *f = *state;
    log_line(&f->scope, LOG_INFO,
             LOG_FIELDS(LOG_STRING("none", NULL), LOG_STRING("empty", ""),
                        LOG_NUMBER("nan", (double)NAN), LOG_NUMBER("inf", (double)-INFINITY)),
             "x");
    struct json_object *line = only_line(f);
    assert_false(json_object_object_get_ex(line, "none", NULL));
    assert_false(json_object_object_get_ex(line, "nan", NULL));
    assert_false(json_object_object_get_ex(line, "inf", NULL));
    assert_string_equal(string_of(line, "empty"), "");
    json_object_put(line);
}

static const struct {
    struct log_field field;
    const char *written;
} numbers[] = {
    {{"n", LOG_FIELD_INTEGER, NULL, INT64_MAX, 0}, "\"n\":9223372036854775807}"},
    {{"n", LOG_FIELD_INTEGER, NULL, INT64_MIN, 0}, "\"n\":-9223372036854775808}"},
    {{"n", LOG_FIELD_NUMBER, NULL, 0, 0}, "\"n\":0.000}"},
    {{"n", LOG_FIELD_NUMBER, NULL, 0, 2.8125}, "\"n\":2.812}"},
    {{"n", LOG_FIELD_NUMBER, NULL, 0, -0.25}, "\"n\":-0.250}"},
    {{"n", LOG_FIELD_NUMBER, NULL, 0, 1e22}, "\"n\":10000000000000000000000.000}"},
};

static void numbers_are_written_whole(void **state)
{
    struct fixture *f = *state;
    for (size_t i = 0; i < COUNT(numbers); i++) {
        log_capture_clear(&f->capture);
        log_line(&f->scope, LOG_INFO, &numbers[i].field, 1, "x");
        assert_int_equal(log_capture_count(&f->capture, numbers[i].written), 1);
    }
}

static void the_largest_number_is_still_json(void **state)
{
    struct fixture *f = *state;
    log_line(&f->scope, LOG_INFO, LOG_FIELDS(LOG_NUMBER("n", -1.7976931348623157e308)), "x");
    struct json_object *line = only_line(f);
    struct json_object *n = NULL;
    assert_true(json_object_object_get_ex(line, "n", &n));
    assert_true(json_object_get_double(n) == -1.7976931348623157e308);
    json_object_put(line);
}

static const char *const awkward[] = {
    "a \"quote\" and a \\ backslash",
    "line one\nline two\r\n\ttab",
    "\x01\x02\x1f\x7f",
    "{\"json\":[1,2]}",
    "https://example.com/a/b",
    "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80",
    "%s%n%d",
};

static void any_text_is_escaped_and_comes_back_as_it_was(void **state)
{
    struct fixture *f = *state;
    for (size_t i = 0; i < COUNT(awkward); i++) {
        log_capture_clear(&f->capture);
        f->scope.session_id = awkward[i];
        log_line(&f->scope, LOG_INFO, LOG_FIELDS(LOG_STRING("field", awkward[i])), "%s",
                 awkward[i]);
        struct json_object *line = only_line(f);
        assert_string_equal(string_of(line, "message"), awkward[i]);
        assert_string_equal(string_of(line, "field"), awkward[i]);
        assert_string_equal(string_of(line, "session_id"), awkward[i]);
        json_object_put(line);
    }
}

static const struct {
    const char *bytes, *written;
} invalid[] = {
    {"\xff\xfe.", "??."},
    {"a\xc3", "a?"},
    {"\xed\xa0\x80", "???"},
    {"\xc0\xafx", "??x"},
    {"ok \xc3\xa9 \x80 ok", "ok \xc3\xa9 ? ok"},
};

static void bytes_that_are_no_utf8_do_not_spoil_the_line(void **state)
{
    struct fixture *f = *state;
    for (size_t i = 0; i < COUNT(invalid); i++) {
        log_capture_clear(&f->capture);
        f->scope.request_id = invalid[i].bytes;
        log_line(&f->scope, LOG_INFO, LOG_FIELDS(LOG_STRING("field", invalid[i].bytes)), "%s",
                 invalid[i].bytes);
        struct json_object *line = only_line(f);
        assert_string_equal(string_of(line, "message"), invalid[i].written);
        assert_string_equal(string_of(line, "field"), invalid[i].written);
        assert_string_equal(string_of(line, "requestId"), invalid[i].written);
        json_object_put(line);
    }
}

static void a_long_text_is_cut_and_the_line_stays_whole(void **state)
{
    struct fixture *f = *state;
    char text[5000];
    memset(text, 'x', sizeof text);
    text[sizeof text - 1] = '\0';
    log_line(&f->scope, LOG_INFO, LOG_FIELDS(LOG_STRING("field", text)), "%s", text);
    struct json_object *line = only_line(f);
    assert_int_equal(strlen(string_of(line, "message")), 1023);
    assert_int_equal(strlen(string_of(line, "field")), 1024);
    json_object_put(line);
}

static void a_character_that_is_cut_does_not_spoil_the_line(void **state)
{
    struct fixture *f = *state;
    char text[3000] = "";
    for (size_t at = 0; at + 3 < sizeof text; at += 3)
        memcpy(text + at, "\xe2\x82\xac", 4);
    for (size_t lead = 0; lead < 3; lead++) {
        log_capture_clear(&f->capture);
        log_line(&f->scope, LOG_INFO, LOG_FIELDS(LOG_STRING("field", text)), "%.*s%s", (int)lead,
                 "ab", text);
        struct json_object *line = only_line(f);
        assert_int_equal(strlen(string_of(line, "message")), 1023);
        assert_int_equal(strlen(string_of(line, "field")), 1024);
        json_object_put(line);
    }
}

static void no_line_is_too_long_to_be_written(void **state)
{
    struct fixture *f = *state;
    char text[2000];
    memset(text, 0x01, sizeof text); /* six characters each as JSON */
    text[sizeof text - 1] = '\0';
    struct log_field fields[16];
    char names[COUNT(fields)][8];
    for (size_t i = 0; i < COUNT(fields); i++) {
        (void)snprintf(names[i], sizeof names[i], "f%zu", i);
        fields[i] = LOG_STRING(names[i], text);
    }
    f->scope.session_id = text;
    log_line(&f->scope, LOG_ERROR, fields, COUNT(fields), "%s", text);
    struct json_object *line = only_line(f);
    assert_int_equal(strlen(string_of(line, "f15")), 1024);
    assert_string_equal(string_of(line, "level"), "ERROR");
    json_object_put(line);
}

static void a_level_hides_the_lines_below_it(void **state)
{
    struct fixture *f = *state;
    static const char *const names[] = {"TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"};
    for (int level = LOG_TRACE; level <= LOG_FATAL; level++) {
        log_capture_clear(&f->capture);
        f->capture.log.level = (enum log_level)level;
        for (int line = LOG_TRACE; line <= LOG_FATAL; line++)
            log_line(&f->scope, (enum log_level)line, LOG_NO_FIELDS, "x");
        struct json_object *lines = log_capture_lines(&f->capture);
        assert_int_equal(json_object_array_length(lines), LOG_FATAL - level + 1);
        assert_string_equal(string_of(json_object_array_get_idx(lines, 0), "level"), names[level]);
        json_object_put(lines);
    }
}

static void a_level_is_known_by_its_name_without_case(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        enum log_level level;
    } cases[] = {
        {"TRACE", LOG_TRACE}, {"debug", LOG_DEBUG}, {"Info", LOG_INFO},    {"wArN", LOG_WARN},
        {"ERROR", LOG_ERROR}, {"fatal", LOG_FATAL}, {"WARNING", LOG_INFO}, {"", LOG_INFO},
        {NULL, LOG_INFO},     {"OFF", LOG_INFO},
    };
    for (size_t i = 0; i < COUNT(cases); i++)
        assert_int_equal(log_level_from_name(cases[i].name), cases[i].level);
}

static void a_line_is_one_write(void **state)
{
    struct fixture *f = *state;
    int pair[2];
    char packet[32768];
    /* Keeps what was written together, together. */
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
    const struct log log = {.os = &f->os.os, .fd = pair[0]};
    const struct log_scope scope = {.log = &log};
    char text[1000];
    memset(text, 0x01, sizeof text);
    text[sizeof text - 1] = '\0';
    log_line(&scope, LOG_INFO, LOG_NO_FIELDS, "first");
    log_line(&scope, LOG_INFO, LOG_FIELDS(LOG_STRING("a", text), LOG_STRING("b", text)), "second");
    for (int i = 0; i < 2; i++) {
        ssize_t got = recv(pair[1], packet, sizeof packet, 0);
        assert_true(got > 2 && got < (ssize_t)sizeof packet);
        assert_int_equal(packet[0], '{');
        assert_memory_equal(packet + got - 2, "}\n", 2);
        assert_true(utf8_is_valid(packet, (size_t)got));
    }
    close(pair[0]);
    close(pair[1]);
}

static void an_interrupted_or_short_write_goes_on(void **state)
{
    struct fixture *f = *state;
    kernel.interruptions = 2;
    kernel.most = 10;
    log_line(&f->scope, LOG_INFO, LOG_NO_FIELDS, "whole");
    struct json_object *line = only_line(f);
    assert_string_equal(string_of(line, "message"), "whole");
    json_object_put(line);
}

static void a_log_that_takes_nothing_is_no_fault(void **state)
{
    struct fixture *f = *state;
    const struct log log = {.os = &f->os.os, .fd = -1};
    const struct log_scope scope = {.log = &log};
    log_line(&scope, LOG_FATAL, LOG_NO_FIELDS, "lost");
    assert_int_equal(kernel.calls, 1);
}

static void a_format_is_known_by_its_name_without_case(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        enum log_format format;
    } cases[] = {
        {"Text", LOG_TEXT}, {"TEXT", LOG_TEXT},  {"text", LOG_TEXT}, {"JSON", LOG_JSON},
        {"json", LOG_JSON}, {"Texts", LOG_JSON}, {"", LOG_JSON},     {NULL, LOG_JSON},
    };
    for (size_t i = 0; i < COUNT(cases); i++)
        assert_int_equal(log_format_from_name(cases[i].name), cases[i].format);
}

static void as_text_a_line_says_the_same(void **state)
{
    struct fixture *f = *state;
    f->capture.log.format = LOG_TEXT;
    log_line(&f->scope, LOG_WARN,
             LOG_FIELDS(LOG_STRING("kind", "throttled"), LOG_NUMBER("wait_s", 3.5)),
             "Throttling error on attempt %d/%d", 1, 6);
    f->scope.request_id = "one\ntwo";
    f->capture.log.level = LOG_ERROR;
    log_line(&f->scope, LOG_WARN, LOG_NO_FIELDS, "below the level");
    log_line(&f->scope, LOG_ERROR, LOG_NO_FIELDS, "bytes \xff and\na line break");
    assert_text(f, "2026-11-23T12:00:00.000Z WARN r-1 Throttling error on attempt 1/6 "
                   "session_id=s-1 kind=throttled wait_s=3.500\n"
                   "2026-11-23T12:00:00.000Z ERROR one\\ntwo bytes ? and\\na line break "
                   "session_id=s-1\n");
}

#define DOCUMENT "{\"Requests\":1,\"_aws\":{\"Timestamp\":5}}"
#define JSON_LINE                                                                                  \
    "{\"timestamp\":\"2026-11-23T12:00:00.000Z\",\"level\":\"INFO\",\"message\":\"Done\","         \
    "\"requestId\":\"r-1\",\"session_id\":\"s-1\",\"status\":200"
#define TEXT_LINE "2026-11-23T12:00:00.000Z INFO r-1 Done session_id=s-1 status=200\n"

static const struct {
    enum log_format format;
    enum log_level level;
    const char *document;
    const char *written;
} documents[] = {
    {LOG_JSON, LOG_INFO, DOCUMENT, JSON_LINE ",\"Requests\":1,\"_aws\":{\"Timestamp\":5}}\n"},
    {LOG_JSON, LOG_FATAL, DOCUMENT, JSON_LINE ",\"Requests\":1,\"_aws\":{\"Timestamp\":5}}\n"},
    {LOG_JSON, LOG_INFO, NULL, JSON_LINE "}\n"},
    {LOG_JSON, LOG_WARN, NULL, ""},
    {LOG_TEXT, LOG_INFO, DOCUMENT,
     TEXT_LINE JSON_LINE ",\"Requests\":1,\"_aws\":{\"Timestamp\":5}}\n"},
    {LOG_TEXT, LOG_WARN, DOCUMENT, JSON_LINE ",\"Requests\":1,\"_aws\":{\"Timestamp\":5}}\n"},
    {LOG_TEXT, LOG_INFO, NULL, TEXT_LINE},
    {LOG_TEXT, LOG_WARN, NULL, ""},
};

static void a_document_is_written_whatever_the_level(void **state)
{
    struct fixture *f = *state;
    for (size_t i = 0; i < COUNT(documents); i++) {
        struct json_object *document =
            documents[i].document != NULL ? json_tokener_parse(documents[i].document) : NULL;
        log_capture_clear(&f->capture);
        f->capture.log.format = documents[i].format;
        f->capture.log.level = documents[i].level;
        log_document(&f->scope, document, LOG_FIELDS(LOG_INTEGER("status", 200)), "Done");
        assert_text(f, documents[i].written);
        if (document != NULL) /* it is as it was */
            assert_string_equal(json_object_to_json_string_ext(document, JSON_C_TO_STRING_PLAIN),
                                DOCUMENT);
        json_object_put(document);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_line_is_one_json_object_with_its_fields_in_order, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(whom_a_line_is_about_is_left_out_when_unknown, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_field_without_a_value_is_left_out, set_up, tear_down),
        cmocka_unit_test_setup_teardown(numbers_are_written_whole, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_largest_number_is_still_json, set_up, tear_down),
        cmocka_unit_test_setup_teardown(any_text_is_escaped_and_comes_back_as_it_was, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(bytes_that_are_no_utf8_do_not_spoil_the_line, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_long_text_is_cut_and_the_line_stays_whole, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_character_that_is_cut_does_not_spoil_the_line, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(no_line_is_too_long_to_be_written, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_level_hides_the_lines_below_it, set_up, tear_down),
        cmocka_unit_test(a_level_is_known_by_its_name_without_case),
        cmocka_unit_test_setup_teardown(a_line_is_one_write, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_interrupted_or_short_write_goes_on, set_up, tear_down),
        cmocka_unit_test(a_format_is_known_by_its_name_without_case),
        cmocka_unit_test_setup_teardown(as_text_a_line_says_the_same, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_document_is_written_whatever_the_level, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_log_that_takes_nothing_is_no_fault, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
