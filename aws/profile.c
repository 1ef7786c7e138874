#include "aws/profile.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "aws/secret_file.h"
#include "base/buffer.h"

/* A piece of a line. */
struct span {
    const char *start;
    size_t length;
};

/* What a profile says in one file. */
struct findings {
    char *access_key_id;
    char *secret_access_key;
    char *session_token;
    const char *foreign; /* an option that needs what we do not speak, used without keys only */
    const char *foreign_first; /* one that comes before keys */
};

struct reader {
    const char *profile;
    bool config; /* sections are called "profile name" */
    bool inside; /* the section is the profile's */
    bool option; /* there was an option in this section, `indent` deep */
    size_t indent;
    struct findings *findings;
};

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\v' || c == '\f';
}

static struct span trim(struct span text)
{
    while (text.length > 0 && is_blank(text.start[0])) {
        text.start++;
        text.length--;
    }
    while (text.length > 0 && is_blank(text.start[text.length - 1]))
        text.length--;
    return text;
}

static bool equals(struct span text, const char *word)
{
    return text.length == strlen(word) && memcmp(text.start, word, text.length) == 0;
}

static bool is_named(struct span text, const char *word)
{
    return text.length == strlen(word) && strncasecmp(text.start, word, text.length) == 0;
}

/* --- sections --- */

static struct span unquote(struct span name)
{
    if (name.length >= 2 && (name.start[0] == '"' || name.start[0] == '\'') &&
        name.start[name.length - 1] == name.start[0])
        return (struct span){name.start + 1, name.length - 2};
    return name;
}

static bool is_section(const struct reader *reader, struct span name)
{
    static const char word[] = "profile";
    name = trim(name);
    if (!reader->config)
        return equals(name, reader->profile);
    if (equals(name, "default"))
        return strcmp(reader->profile, "default") == 0;
    size_t length = strlen(word);
    if (name.length <= length || memcmp(name.start, word, length) != 0 ||
        !is_blank(name.start[length]))
        return false;
    name = unquote(trim((struct span){name.start + length, name.length - length}));
    return equals(name, reader->profile);
}

/* --- options --- */

static struct span without_comment(struct span value)
{
    for (size_t i = 1; i < value.length; i++)
        if ((value.start[i] == '#' || value.start[i] == ';') && is_blank(value.start[i - 1]))
            return trim((struct span){value.start, i});
    return value;
}

static int keep(char **field, struct span value, struct error *err)
{
    char *copy = strndup(value.start, value.length);
    if (copy == NULL)
        return error_set(err, ERROR_MEMORY, "no memory for a profile's keys");
    wipe_string(*field);
    *field = copy;
    return 0;
}

static int take_option(struct findings *findings, struct span name, struct span value,
                       struct error *err)
{
    static const char *const first[] = {"role_arn", "web_identity_token_file"};
    static const char *const later[] = {"sso_session", "sso_start_url", "sso_account_id",
                                        "login_session", "credential_process"};
    if (value.length == 0)
        return 0;
    if (is_named(name, "aws_access_key_id"))
        return keep(&findings->access_key_id, value, err);
    if (is_named(name, "aws_secret_access_key"))
        return keep(&findings->secret_access_key, value, err);
    if (is_named(name, "aws_session_token"))
        return keep(&findings->session_token, value, err);
    for (size_t i = 0; i < sizeof first / sizeof first[0]; i++)
        if (is_named(name, first[i]))
            findings->foreign_first = first[i];
    for (size_t i = 0; i < sizeof later / sizeof later[0]; i++)
        if (is_named(name, later[i]))
            findings->foreign = later[i];
    return 0;
}

/* --- lines --- */

static int take_line(struct reader *reader, struct span line, struct error *err)
{
    struct span text = trim(line);
    size_t indent = (size_t)(text.start - line.start);
    if (text.length == 0 || text.start[0] == '#' || text.start[0] == ';')
        return 0;
    if (reader->option && indent > reader->indent)
        return 0;
    if (text.start[0] == '[') {
        const char *end = memchr(text.start, ']', text.length);
        reader->option = false;
        reader->inside =
            end != NULL &&
            is_section(reader, (struct span){text.start + 1, (size_t)(end - text.start) - 1});
        return 0;
    }
    reader->option = true;
    reader->indent = indent;
    const char *equals_sign = memchr(text.start, '=', text.length);
    if (!reader->inside || equals_sign == NULL)
        return 0;
    size_t name_length = (size_t)(equals_sign - text.start);
    struct span name = {text.start, name_length};
    struct span value = {equals_sign + 1, text.length - name_length - 1};
    return take_option(reader->findings, trim(name), without_comment(trim(value)), err);
}

static int take_lines(struct reader *reader, struct span text, struct error *err)
{
    static const char byte_order_mark[] = "\xef\xbb\xbf";
    size_t length = strlen(byte_order_mark);
    if (text.length >= length && memcmp(text.start, byte_order_mark, length) == 0)
        text = (struct span){text.start + length, text.length - length};
    while (text.length > 0) {
        const char *end = memchr(text.start, '\n', text.length);
        size_t line = end != NULL ? (size_t)(end - text.start) : text.length;
        if (take_line(reader, (struct span){text.start, line}, err) != 0)
            return -1;
        size_t step = end != NULL ? line + 1 : line;
        text = (struct span){text.start + step, text.length - step};
    }
    return 0;
}

static int read_file(struct reader *reader, const char *path, struct error *err)
{
    if (path == NULL)
        return 0;
    struct buffer text;
    bool found = false;
    int rc = secret_file_read(path, PROFILE_FILE_MAX, &text, &found, err);
    if (rc == 0 && text.data != NULL)
        rc = take_lines(reader, (struct span){text.data, text.length}, err);
    buffer_wipe(&text);
    return rc;
}

/* --- the verdict --- */

static void free_findings(struct findings *findings)
{
    wipe_string(findings->access_key_id);
    wipe_string(findings->secret_access_key);
    wipe_string(findings->session_token);
    *findings = (struct findings){0};
}

static int refuse_foreign(const char *profile, const char *option, struct error *err)
{
    return error_set(err, ERROR_CREDENTIALS,
                     "profile \"%.40s\" has %s, which is not spoken here; export its keys first: "
                     "eval \"$(aws configure export-credentials --profile %.40s --format env)\"",
                     profile, option, profile);
}

/* Moves the keys of a file out, when it has any. */
static int take_keys(struct findings *findings, const char *profile, struct credentials *out,
                     struct error *err)
{
    if (findings->access_key_id == NULL && findings->secret_access_key == NULL)
        return 0;
    if (findings->access_key_id == NULL || findings->secret_access_key == NULL)
        return error_set(err, ERROR_CREDENTIALS, "profile \"%.40s\" has no %s", profile,
                         findings->access_key_id == NULL ? "aws_access_key_id"
                                                         : "aws_secret_access_key");
    *out = (struct credentials){.access_key_id = findings->access_key_id,
                                .secret_access_key = findings->secret_access_key,
                                .session_token = findings->session_token,
                                .expires_wall_ns = INT64_MAX};
    findings->access_key_id = NULL;
    findings->secret_access_key = NULL;
    findings->session_token = NULL;
    return 0;
}

static int judge(struct findings files[2], const char *profile, struct credentials *out,
                 struct error *err)
{
    for (int i = 0; i < 2; i++)
        if (files[i].foreign_first != NULL)
            return refuse_foreign(profile, files[i].foreign_first, err);
    for (int i = 0; i < 2; i++) {
        if (take_keys(&files[i], profile, out, err) != 0)
            return -1;
        if (out->access_key_id != NULL)
            return 0;
    }
    for (int i = 0; i < 2; i++)
        if (files[i].foreign != NULL)
            return refuse_foreign(profile, files[i].foreign, err);
    return 0;
}

int profile_read(const struct profile_source *source, struct credentials *out, bool *found,
                 struct error *err)
{
    struct findings files[2] = {{0}};
    struct reader credentials = {.profile = source->name, .findings = &files[0]};
    struct reader config = {.profile = source->name, .config = true, .findings = &files[1]};
    *out = (struct credentials){0};
    int rc = read_file(&credentials, source->credentials_file, err);
    if (rc == 0)
        rc = read_file(&config, source->config_file, err);
    if (rc == 0)
        rc = judge(files, source->name, out, err);
    *found = rc == 0 && out->access_key_id != NULL;
    free_findings(&files[0]);
    free_findings(&files[1]);
    return rc;
}
