#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "aws/profile.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define KEYS         "aws_access_key_id = AKIDEXAMPLE\naws_secret_access_key = s3cr3t/+=\n"

struct profile_case {
    const char *name;
    const char *profile;
    const char *credentials; /* the files; NULL: not there */
    const char *config;
    const char *expected; /* "id secret token"; NULL: none */
    const char *failure;  /* part of the text; NULL: none */
};

/* clang-format off */
static const struct profile_case cases[] = {
{"keys", "default", "[default]\n" KEYS, NULL, "AKIDEXAMPLE s3cr3t/+= -", NULL},
{"a token", "default", "[default]\n" KEYS "aws_session_token=T/+==\n", NULL, "AKIDEXAMPLE s3cr3t/+= T/+==", NULL},
{"no files", "default", NULL, NULL, NULL, NULL},
{"empty files", "default", "", "", NULL, NULL},
{"no such profile", "dev", "[default]\n" KEYS, "[default]\n" KEYS, NULL, NULL},
{"another profile", "dev", "[default]\n" KEYS "[dev]\naws_access_key_id=A\naws_secret_access_key=B\n[x]\n" KEYS, NULL, "A B -", NULL},
{"a profile twice", "dev", "[dev]\naws_access_key_id=A\n[x]\naws_access_key_id=C\n[dev]\naws_secret_access_key=B\n", NULL, "A B -", NULL},
{"an option twice", "dev", "[dev]\naws_access_key_id=A\naws_access_key_id=A2\naws_secret_access_key=B\n", NULL, "A2 B -", NULL},
{"names are told apart", "dev", "[de]\n" KEYS "[devel]\n" KEYS "[Dev]\n" KEYS, NULL, NULL, NULL},
{"config of a profile", "dev", NULL, "[profile dev]\n" KEYS, "AKIDEXAMPLE s3cr3t/+= -", NULL},
{"config needs the word", "dev", NULL, "[dev]\n" KEYS, NULL, NULL},
{"the word is not for credentials", "dev", "[profile dev]\n" KEYS, NULL, NULL, NULL},
{"config of the default", "default", NULL, "[default]\n" KEYS, "AKIDEXAMPLE s3cr3t/+= -", NULL},
{"config of the default, with the word", "default", NULL, "[profile default]\n" KEYS, "AKIDEXAMPLE s3cr3t/+= -", NULL},
{"the word alone", "dev", NULL, "[profile]\n" KEYS "[profiledev]\n" KEYS, NULL, NULL},
{"a quoted name", "two words", NULL, "[profile \"two words\"]\n" KEYS, "AKIDEXAMPLE s3cr3t/+= -", NULL},
{"spaces in the section", "dev", "[ dev ] ; mine\n" KEYS, NULL, "AKIDEXAMPLE s3cr3t/+= -", NULL},
{"credentials come before config", "dev", "[dev]\naws_access_key_id=A\naws_secret_access_key=B\n", "[profile dev]\n" KEYS, "A B -", NULL},
{"config when credentials have none", "dev", "[dev]\nregion=x\n", "[profile dev]\n" KEYS, "AKIDEXAMPLE s3cr3t/+= -", NULL},
{"spaces, tabs and carriage returns", "default", "[default]\r\n\taws_access_key_id\t=  A  \r\n\taws_secret_access_key=B\r\n", NULL, "A B -", NULL},
{"upper case names", "default", "[default]\nAWS_ACCESS_KEY_ID=A\nAws_Secret_Access_Key=B\n", NULL, "A B -", NULL},
{"comments", "default", "# [dev]\n; x\n[default]\n#aws_access_key_id=X\naws_access_key_id=A # mine\naws_secret_access_key=B#b ;c\n", NULL, "A B#b -", NULL},
{"nested options", "default", NULL, "[default]\ns3 =\n  aws_access_key_id = X\n  [dev]\naws_access_key_id=A\naws_secret_access_key=B\n", "A B -", NULL},
{"indented options", "default", "[default]\n  aws_access_key_id=A\n  aws_secret_access_key=B\n", NULL, "A B -", NULL},
{"no line break at the end", "default", "[default]\naws_access_key_id=A\naws_secret_access_key=B", NULL, "A B -", NULL},
{"a byte order mark", "default", "\xef\xbb\xbf[default]\n" KEYS, NULL, "AKIDEXAMPLE s3cr3t/+= -", NULL},
{"lines without sense", "default", "aws_access_key_id=X\n[\n]\n=\nx\n[default\n[default]\n=y\n" KEYS, NULL, "AKIDEXAMPLE s3cr3t/+= -", NULL},
{"equals in the value", "default", "[default]\naws_access_key_id=A=B\naws_secret_access_key==\n", NULL, "A=B = -", NULL},
{"an empty token", "default", "[default]\n" KEYS "aws_session_token=\n", NULL, "AKIDEXAMPLE s3cr3t/+= -", NULL},
{"no secret", "dev", "[dev]\naws_access_key_id=A\n", NULL, NULL, "profile \"dev\" has no aws_secret_access_key"},
{"an empty secret", "dev", "[dev]\naws_access_key_id=A\naws_secret_access_key=\n", NULL, NULL, "has no aws_secret_access_key"},
{"no id", "dev", "[dev]\naws_secret_access_key=B\n", NULL, NULL, "has no aws_access_key_id"},
{"halves are not joined", "dev", "[dev]\naws_access_key_id=A\n", "[profile dev]\naws_secret_access_key=B\n", NULL, "has no aws_secret_access_key"},
{"a role", "dev", NULL, "[profile dev]\nrole_arn=arn:aws:iam::1:role/r\nsource_profile=default\n", NULL, "has role_arn"},
{"a role comes before keys", "dev", "[dev]\n" KEYS, "[profile dev]\nrole_arn=arn:aws:iam::1:role/r\n", NULL, "has role_arn"},
{"a role of another profile", "dev", "[dev]\n" KEYS, "[profile x]\nrole_arn=arn:aws:iam::1:role/r\n", "AKIDEXAMPLE s3cr3t/+= -", NULL},
{"a web identity", "dev", NULL, "[profile dev]\nweb_identity_token_file=/x\n", NULL, "has web_identity_token_file"},
{"an identity center session", "dev", NULL, "[profile dev]\nsso_session=s\nregion=x\n", NULL, "aws configure export-credentials --profile dev"},
{"an identity center, the old way", "dev", NULL, "[profile dev]\nsso_start_url=s\n", NULL, "has sso_start_url"},
{"a program", "dev", "[dev]\ncredential_process=/bin/x\n", NULL, NULL, "has credential_process"},
{"a login", "dev", NULL, "[profile dev]\nlogin_session=x\n", NULL, "has login_session"},
{"keys come before a program", "dev", "[dev]\n" KEYS, "[profile dev]\ncredential_process=/bin/x\n", "AKIDEXAMPLE s3cr3t/+= -", NULL},
};
/* clang-format on */

struct folder {
    char path[64];
    char credentials[96];
    char config[96];
};

static void make_folder(struct folder *folder)
{
    (void)snprintf(folder->path, sizeof folder->path, "/tmp/profile-test-XXXXXX");
    assert_non_null(mkdtemp(folder->path));
    (void)snprintf(folder->credentials, sizeof folder->credentials, "%s/credentials", folder->path);
    (void)snprintf(folder->config, sizeof folder->config, "%s/config", folder->path);
}

static void remove_folder(const struct folder *folder)
{
    (void)unlink(folder->credentials);
    (void)unlink(folder->config);
    assert_int_equal(rmdir(folder->path), 0);
}

static void write_file(const char *path, const char *text, size_t length)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, length, file), length);
    assert_int_equal(fclose(file), 0);
}

static void check(const struct profile_case *c)
{
    struct folder folder;
    make_folder(&folder);
    if (c->credentials != NULL)
        write_file(folder.credentials, c->credentials, strlen(c->credentials));
    if (c->config != NULL)
        write_file(folder.config, c->config, strlen(c->config));
    struct profile_source source = {c->profile, folder.credentials, folder.config};
    struct credentials keys = {0};
    struct error err = {0};
    bool found = false;
    int rc = profile_read(&source, &keys, &found, &err);
    print_message("%s: %s\n", c->name, err.text);
    assert_int_equal(rc, c->failure != NULL ? -1 : 0);
    assert_int_equal(found, c->expected != NULL);
    if (c->failure != NULL) {
        assert_int_equal(err.kind, ERROR_CREDENTIALS);
        assert_non_null(strstr(err.text, c->failure));
        assert_null(strstr(err.text, "s3cr3t"));
    }
    char got[256] = "";
    if (found) {
        (void)snprintf(got, sizeof got, "%s %s %s", keys.access_key_id, keys.secret_access_key,
                       keys.session_token != NULL ? keys.session_token : "-");
        assert_true(keys.expires_wall_ns == INT64_MAX);
    }
    assert_string_equal(got, c->expected != NULL ? c->expected : "");
    credentials_free(&keys);
    remove_folder(&folder);
}

static void profiles_give_their_static_keys(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++)
        check(&cases[i]);
}

static void a_file_that_is_too_large_is_refused(void **state)
{
    (void)state;
    static char spaces[PROFILE_FILE_MAX + 1];
    memset(spaces, ' ', sizeof spaces);
    struct folder folder;
    make_folder(&folder);
    write_file(folder.credentials, spaces, sizeof spaces);
    struct profile_source source = {"default", folder.credentials, NULL};
    struct credentials keys = {0};
    struct error err = {0};
    bool found = false;
    assert_int_equal(profile_read(&source, &keys, &found, &err), -1);
    assert_int_equal(err.kind, ERROR_CREDENTIALS);
    remove_folder(&folder);
}

static void files_may_be_left_out(void **state)
{
    (void)state;
    struct profile_source source = {"default", NULL, "/dev/null"};
    struct credentials keys = {0};
    bool found = true;
    assert_int_equal(profile_read(&source, &keys, &found, NULL), 0);
    assert_false(found);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(profiles_give_their_static_keys),
        cmocka_unit_test(a_file_that_is_too_large_is_refused),
        cmocka_unit_test(files_may_be_left_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
