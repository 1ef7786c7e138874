#include "base/buffer.h"

#include <stdlib.h>
#include <string.h>

#include "tests/support/cmocka_all.h"

/* A size that no machine has is a NULL with sanitizers, too. */
const char *__asan_default_options(void); /* NOLINT: the name is given */
const char *__asan_default_options(void)  /* NOLINT */
{
    return "allocator_may_return_null=1";
}

/* Stands before the C library's, in both of its forms, to see what is wiped. */
static size_t wiped;
void __explicit_bzero_chk(void *memory, size_t size, size_t most); /* NOLINT */
void __explicit_bzero_chk(void *memory, size_t size, size_t most)  /* NOLINT */
{
    (void)most;
    wiped += size;
    memset(memory, 0, size);
}
void explicit_bzero(void *memory, size_t size)
{
    __explicit_bzero_chk(memory, size, size);
}

static void append(struct buffer *buffer, const char *text)
{
    struct error err = {0};
    assert_int_equal(buffer_append_string(buffer, text, &err), 0);
}

static void a_zeroed_buffer_is_empty_and_takes_nothing(void **state)
{
    (void)state;
    struct buffer buffer = {0};
    struct error err = {0};
    buffer_clear(&buffer);
    assert_int_equal(buffer_append(&buffer, "x", 1, &err), -1);
    assert_int_equal(err.kind, ERROR_REPLY_TOO_LARGE);
    assert_null(buffer.data);
    assert_int_equal(buffer_append(&buffer, NULL, 0, &err), 0);
    assert_string_equal(buffer.data, "");
    buffer_free(&buffer);
    buffer_free(&buffer);
    buffer_wipe(&buffer);
}

static void what_is_appended_stands_in_order_and_ends_in_a_nul(void **state)
{
    (void)state;
    struct buffer buffer;
    struct error err = {0};
    buffer_init(&buffer, 100);
    append(&buffer, "one");
    assert_int_equal(buffer_append(&buffer, "\0two", 4, &err), 0);
    append(&buffer, "");
    assert_int_equal(buffer.length, 7);
    assert_memory_equal(buffer.data, "one\0two", 8);
    buffer_free(&buffer);
    assert_null(buffer.data);
    assert_int_equal(buffer.length, 0);
}

static void a_buffer_may_be_full_but_not_fuller(void **state)
{
    (void)state;
    struct buffer buffer;
    struct error err = {0};
    buffer_init(&buffer, 5);
    append(&buffer, "abcd");
    assert_int_equal(buffer_append(&buffer, "ef", 2, &err), -1);
    assert_int_equal(err.kind, ERROR_REPLY_TOO_LARGE);
    assert_string_equal(buffer.data, "abcd");
    append(&buffer, "e");
    assert_int_equal(buffer_append(&buffer, "f", 1, &err), -1);
    assert_string_equal(buffer.data, "abcde");
    assert_int_equal(buffer.length, 5);
    buffer_free(&buffer);
}

static void a_count_beyond_everything_is_refused(void **state)
{
    (void)state;
    struct buffer buffer;
    struct error err = {0};
    buffer_init(&buffer, 10);
    append(&buffer, "abc");
    assert_int_equal(buffer_append(&buffer, "x", SIZE_MAX, &err), -1);
    assert_int_equal(err.kind, ERROR_REPLY_TOO_LARGE);
    buffer_free(&buffer);
}

/* The linker sends every call of malloc() here (-Wl,--wrap=malloc). */
static bool no_memory;

/* NOLINTBEGIN(readability-identifier-naming): the names that the linker gives them */
void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);

void *__wrap_malloc(size_t size)
{
    return no_memory ? NULL : __real_malloc(size);
}
/* NOLINTEND(readability-identifier-naming) */

static void a_buffer_without_memory_stays_as_it_was(void **state)
{
    (void)state;
    struct buffer buffer;
    struct error err = {0};
    static const char more[1000];
    buffer_init(&buffer, 10000);
    append(&buffer, "abc");
    no_memory = true;
    int result = buffer_append(&buffer, more, sizeof more, &err);
    no_memory = false;
    assert_int_equal(result, -1);
    assert_int_equal(err.kind, ERROR_MEMORY);
    assert_string_equal(buffer.data, "abc");
    assert_int_equal(buffer.length, 3);
    buffer_free(&buffer);
}

static void growing_keeps_every_byte(void **state)
{
    (void)state;
    struct buffer buffer;
    struct error err = {0};
    buffer_init(&buffer, 100000);
    for (int i = 0; i < 100000; i++) {
        char byte = (char)(i * 7);
        assert_int_equal(buffer_append(&buffer, &byte, 1, &err), 0);
        assert_int_equal(buffer.data[i + 1], '\0');
    }
    for (int i = 0; i < 100000; i++)
        assert_int_equal(buffer.data[i], (char)(i * 7));
    buffer_free(&buffer);
}

static void clearing_keeps_the_memory(void **state)
{
    (void)state;
    struct buffer buffer;
    buffer_init(&buffer, 100);
    append(&buffer, "something");
    char *memory = buffer.data;
    buffer_clear(&buffer);
    assert_int_equal(buffer.length, 0);
    assert_string_equal(buffer.data, "");
    append(&buffer, "else");
    assert_ptr_equal(buffer.data, memory);
    assert_string_equal(buffer.data, "else");
    buffer_free(&buffer);
}

static void moving_to_larger_memory_leaves_no_copy_behind(void **state)
{
    (void)state;
    char secret[300];
    memset(secret, 's', sizeof secret);
    struct buffer buffer;
    struct error err = {0};
    buffer_init(&buffer, 10000);
    assert_int_equal(buffer_append(&buffer, secret, 200, &err), 0);
    wiped = 0;
    assert_int_equal(buffer_append(&buffer, secret, 300, &err), 0);
    assert_true(wiped >= 200);
    wiped = 0;
    buffer_wipe(&buffer);
    assert_true(wiped >= 500);
    assert_null(buffer.data);
}

static void a_secret_string_is_wiped_whole(void **state)
{
    (void)state;
    wiped = 0;
    wipe_string(NULL);
    assert_int_equal(wiped, 0);
    char *secret = strdup("0123456789");
    assert_non_null(secret);
    wipe_string(secret);
    assert_int_equal(wiped, 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_zeroed_buffer_is_empty_and_takes_nothing),
        cmocka_unit_test(what_is_appended_stands_in_order_and_ends_in_a_nul),
        cmocka_unit_test(a_buffer_may_be_full_but_not_fuller),
        cmocka_unit_test(a_count_beyond_everything_is_refused),
        cmocka_unit_test(a_buffer_without_memory_stays_as_it_was),
        cmocka_unit_test(growing_keeps_every_byte),
        cmocka_unit_test(clearing_keeps_the_memory),
        cmocka_unit_test(moving_to_larger_memory_leaves_no_copy_behind),
        cmocka_unit_test(a_secret_string_is_wiped_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
