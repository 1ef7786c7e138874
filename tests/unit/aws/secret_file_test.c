#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "aws/secret_file.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static char folder[] = "/tmp/secret-file-test-XXXXXX";
static char plain[64];
static char pipe_name[64];

static int make_files(void **state)
{
    (void)state;
    if (mkdtemp(folder) == NULL)
        return -1;
    (void)snprintf(plain, sizeof plain, "%s/plain", folder);
    (void)snprintf(pipe_name, sizeof pipe_name, "%s/pipe", folder);
    FILE *file = fopen(plain, "w");
    if (file == NULL || fputs("s3cr3t\n", file) < 0 || fclose(file) != 0)
        return -1;
    return mkfifo(pipe_name, 0600);
}

static int remove_files(void **state)
{
    (void)state;
    (void)unlink(plain);
    (void)unlink(pipe_name);
    return rmdir(folder);
}

static void a_file_is_read_whole_or_not_at_all(void **state)
{
    (void)state;
    const struct {
        const char *path;
        size_t ceiling;
        const char *content; /* NULL: fails */
        bool found;
    } cases[] = {
        {plain, 100, "s3cr3t\n", true}, {plain, 7, "s3cr3t\n", true},
        {plain, 6, NULL, true},         {"/nowhere/at/all", 100, "", false},
        {"/dev/null", 100, "", true},   {folder, 100, NULL, true},
        {pipe_name, 100, NULL, true}, /* and nobody waits */
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct buffer out;
        struct error err = {0};
        bool found = false;
        int rc = secret_file_read(cases[i].path, cases[i].ceiling, &out, &found, &err);
        print_message("%s: %s\n", cases[i].path, err.text);
        assert_int_equal(rc, cases[i].content != NULL ? 0 : -1);
        assert_int_equal(found, cases[i].found);
        if (rc == 0)
            assert_string_equal(out.data != NULL ? out.data : "", cases[i].content);
        if (rc != 0) {
            assert_int_equal(err.kind, ERROR_CREDENTIALS);
            assert_non_null(strstr(err.text, cases[i].path));
            assert_null(strstr(err.text, "s3cr3t"));
        }
        buffer_wipe(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_is_read_whole_or_not_at_all),
    };
    return cmocka_run_group_tests(tests, make_files, remove_files);
}
