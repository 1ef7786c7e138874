#include "base/base64.h"

#include <stdlib.h>
#include <string.h>

#include "tests/support/cmocka_all.h"

#define COUNT(array)  (sizeof(array) / sizeof(array)[0])
#define BYTES(string) (string), sizeof(string) - 1

/* From a copy without a byte after it, so that a sanitizer sees who reads too far. */
static int decode(struct buffer *out, const char *text, size_t length, struct error *err)
{
    char *copy = malloc(length > 0 ? length : 1);
    assert_non_null(copy);
    memcpy(copy, text, length);
    int result = base64_decode(out, copy, length, err);
    free(copy);
    return result;
}

static const struct {
    const char *text;
    const char *bytes;
    size_t length;
} good[] = {
    /* RFC 4648 section 10 */
    {"", BYTES("")},
    {"Zg==", BYTES("f")},
    {"Zm8=", BYTES("fo")},
    {"Zm9v", BYTES("foo")},
    {"Zm9vYg==", BYTES("foob")},
    {"Zm9vYmE=", BYTES("fooba")},
    {"Zm9vYmFy", BYTES("foobar")},
    /* every kind of digit */
    {"AZaz09+/", BYTES("\x01\x96\xb3\xd3\xdf\xbf")},
    {"////", BYTES("\xff\xff\xff")},
    {"AAAA", BYTES("\0\0\0")},
    {"AA==", BYTES("\0")},
    {"eyJtZXNzYWdlIjoiaGkifQ==", BYTES("{\"message\":\"hi\"}")},
};

static void base64_stands_for_bytes(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(good); i++) {
        struct buffer out;
        struct error err = {0};
        buffer_init(&out, 100);
        assert_int_equal(decode(&out, good[i].text, strlen(good[i].text), &err), 0);
        assert_int_equal(out.length, good[i].length);
        assert_memory_equal(out.data, good[i].bytes, good[i].length + 1);
        buffer_free(&out);
    }
}

static const struct {
    const char *text;
    size_t length;
} bad[] = {
    /* a length that is no multiple of four */
    {BYTES("Z")},
    {BYTES("Zg")},
    {BYTES("Zm9")},
    {BYTES("Zg=")},
    {BYTES("Zm9vY")},
    /* padding where none may be, or too much */
    {BYTES("====")},
    {BYTES("Z===")},
    {BYTES("Zg==Zg==")},
    {BYTES("Zm8=Zm8=")},
    {BYTES("=Zg=")},
    {BYTES("Z=g=")},
    {BYTES("Zg=v")},
    /* bits that the padding says are not there */
    {BYTES("Zh==")},
    {BYTES("Zm9=")},
    /* other characters */
    {BYTES("Zm9v\n")},
    {BYTES("Zm9vYmE=\n\n\n\n")},
    {BYTES("Zm 9")},
    {BYTES(" Zm9")},
    {BYTES("Zm-_")},
    {BYTES("Zm9\0")},
    {BYTES("\0\0\0\0")},
    {BYTES("Zm9\xc3")},
    {BYTES("{\"a\"}\"}")},
    {BYTES("@[`{")},
};

static void anything_else_is_refused_and_leaves_the_buffer_as_it_was(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++) {
        struct buffer out;
        struct error err = {0};
        buffer_init(&out, 100);
        assert_int_equal(buffer_append_string(&out, "before", &err), 0);
        if (decode(&out, bad[i].text, bad[i].length, &err) == 0)
            fail_msg("%s is not refused", bad[i].text);
        assert_int_equal(err.kind, ERROR_INVALID_REQUEST);
        assert_string_equal(err.text, "The body is not valid base64.");
        assert_string_equal(out.data, "before");
        buffer_free(&out);
    }
}

static void each_single_byte_comes_back(void **state)
{
    (void)state;
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (int byte = 0; byte < 256; byte++) {
        const char text[] = {digits[byte >> 2], digits[(byte & 3) << 4], '=', '='};
        struct buffer out;
        struct error err = {0};
        buffer_init(&out, 1);
        assert_int_equal(decode(&out, text, sizeof text, &err), 0);
        assert_int_equal(out.length, 1);
        assert_int_equal((unsigned char)out.data[0], byte);
        buffer_free(&out);
    }
}

static void bytes_are_written_as_base64(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(good); i++) {
        struct buffer out;
        struct error err = {0};
        buffer_init(&out, 100);
        char *copy = malloc(good[i].length > 0 ? good[i].length : 1);
        assert_non_null(copy);
        memcpy(copy, good[i].bytes, good[i].length);
        assert_int_equal(buffer_append_string(&out, "before ", &err), 0);
        assert_int_equal(base64_encode(&out, copy, good[i].length, &err), 0);
        assert_string_equal(out.data + strlen("before "), good[i].text);
        free(copy);
        buffer_free(&out);
    }
}

static void what_is_encoded_stays_below_the_ceiling(void **state)
{
    (void)state;
    struct buffer out;
    struct error err = {0};
    buffer_init(&out, 7);
    assert_int_equal(base64_encode(&out, "foob", 4, &err), -1);
    assert_int_equal(err.kind, ERROR_REPLY_TOO_LARGE);
    assert_int_equal(base64_encode(&out, "foo", 3, &err), 0);
    assert_string_equal(out.data, "Zm9v");
    buffer_free(&out);
}

static void what_is_decoded_is_appended_below_the_ceiling(void **state)
{
    (void)state;
    struct buffer out;
    struct error err = {0};
    buffer_init(&out, 8);
    assert_int_equal(decode(&out, BYTES("Zm9vYmE="), &err), 0);
    assert_int_equal(decode(&out, BYTES("Zm9v"), &err), 0);
    assert_string_equal(out.data, "foobafoo");
    assert_int_equal(decode(&out, BYTES("Zg=="), &err), -1);
    assert_int_equal(err.kind, ERROR_REPLY_TOO_LARGE);
    assert_string_equal(out.data, "foobafoo");
    buffer_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(base64_stands_for_bytes),
        cmocka_unit_test(anything_else_is_refused_and_leaves_the_buffer_as_it_was),
        cmocka_unit_test(each_single_byte_comes_back),
        cmocka_unit_test(bytes_are_written_as_base64),
        cmocka_unit_test(what_is_encoded_stays_below_the_ceiling),
        cmocka_unit_test(what_is_decoded_is_appended_below_the_ceiling),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
