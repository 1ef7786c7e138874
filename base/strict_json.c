#include "base/strict_json.h"

#include <json-c/json.h>
#include <limits.h>
#include <stdbool.h>
#include <string.h>

#include "base/utf8.h"

/* What is left to read, by the grammar of RFC 8259. A reader that fails stays where it stumbled. */
struct reader {
    const char *bytes;
    size_t length;
    size_t at;
    int depth; /* how much deeper it may go */
};

static bool read_value(struct reader *r);

static char peek(const struct reader *r)
{
    if (r->at < r->length)
        return r->bytes[r->at];
    return '\0'; /* which no grammar rule begins with */
}

static bool is_one_of(char c, const char *set)
{
    return c != '\0' && strchr(set, c) != NULL;
}

static bool take(struct reader *r, const char *set)
{
    if (!is_one_of(peek(r), set))
        return false;
    r->at++;
    return true;
}

static void skip_space(struct reader *r)
{
    while (take(r, " \t\r\n"))
        ;
}

static bool read_digits(struct reader *r)
{
    size_t from = r->at;
    while (take(r, "0123456789"))
        ;
    return r->at > from;
}

static bool read_number(struct reader *r)
{
    (void)take(r, "-");
    if (!take(r, "0") && !read_digits(r))
        return false;
    if (take(r, ".") && !read_digits(r))
        return false;
    if (!take(r, "eE"))
        return true;
    (void)take(r, "+-");
    return read_digits(r);
}

static bool read_escape(struct reader *r)
{
    if (take(r, "\"\\/bfnrt"))
        return true;
    if (!take(r, "u"))
        return false;
    for (int i = 0; i < 4; i++)
        if (!take(r, "0123456789abcdefABCDEF"))
            return false;
    return true;
}

/* Messages are megabytes of nothing else. */
static void skip_plain_ascii(struct reader *r)
{
    while (r->at < r->length) {
        unsigned char c = (unsigned char)r->bytes[r->at];
        if (c < 0x20 || c >= 0x80 || c == '"' || c == '\\')
            return;
        r->at++;
    }
}

static bool read_character(struct reader *r)
{
    if (take(r, "\\"))
        return read_escape(r);
    size_t got = utf8_character(r->bytes + r->at, r->length - r->at);
    if (got == 0 || (unsigned char)r->bytes[r->at] < 0x20)
        return false;
    r->at += got;
    return true;
}

static bool read_string(struct reader *r)
{
    if (!take(r, "\""))
        return false;
    skip_plain_ascii(r);
    while (!take(r, "\"")) {
        if (!read_character(r))
            return false;
        skip_plain_ascii(r);
    }
    return true;
}

static bool read_name(struct reader *r)
{
    skip_space(r);
    if (!read_string(r))
        return false;
    skip_space(r);
    return take(r, ":");
}

/* What an array or an object holds, from its bracket to the one that closes it. */
static bool read_members(struct reader *r, bool named, const char *close)
{
    if (r->depth == 0)
        return false;
    r->at++;
    r->depth--;
    skip_space(r);
    bool closed = take(r, close);
    while (!closed) {
        if (named && !read_name(r))
            return false;
        if (!read_value(r))
            return false;
        closed = take(r, close);
        if (!closed && !take(r, ","))
            return false;
    }
    r->depth++;
    return true;
}

static bool read_word(struct reader *r, const char *word)
{
    size_t length = strlen(word);
    if (r->length - r->at < length || memcmp(r->bytes + r->at, word, length) != 0)
        return false;
    r->at += length;
    return true;
}

static bool read_plain_value(struct reader *r)
{
    switch (peek(r)) {
    case '{':
        return read_members(r, true, "}");
    case '[':
        return read_members(r, false, "]");
    case '"':
        return read_string(r);
    case 't':
        return read_word(r, "true");
    case 'f':
        return read_word(r, "false");
    case 'n':
        return read_word(r, "null");
    default:
        return read_number(r);
    }
}

static bool read_value(struct reader *r)
{
    skip_space(r);
    if (!read_plain_value(r))
        return false;
    skip_space(r);
    return true;
}

static int check(const char *bytes, size_t length, struct error *err)
{
    struct reader r = {.bytes = bytes, .length = length, .depth = STRICT_JSON_DEPTH_MAX};
    if (length == 0)
        return error_set(err, ERROR_INVALID_REQUEST, "The JSON is empty.");
    if (length >= INT_MAX)
        return error_set(err, ERROR_INVALID_REQUEST, "The JSON is too long.");
    if (read_value(&r) && r.at == r.length)
        return 0;
    if (r.depth == 0 && is_one_of(peek(&r), "[{"))
        return error_set(err, ERROR_INVALID_REQUEST, "The JSON is deeper than %d.",
                         STRICT_JSON_DEPTH_MAX);
    return error_set(err, ERROR_INVALID_REQUEST, "This is not JSON from byte %zu on.", r.at);
}

struct json_object *strict_json_parse(const char *bytes, size_t length, struct error *err)
{
    if (check(bytes, length, err) != 0)
        return NULL;
    /* json-c counts the value inside the deepest array as one more. */
    struct json_tokener *tokener = json_tokener_new_ex(STRICT_JSON_DEPTH_MAX + 1);
    if (tokener == NULL) {
        error_set(err, ERROR_MEMORY, "no memory for a JSON parser");
        return NULL;
    }
    struct json_object *root = json_tokener_parse_ex(tokener, bytes, (int)length);
    if (json_tokener_get_error(tokener) == json_tokener_continue)
        root = json_tokener_parse_ex(tokener, "", 1); /* a number does not end by itself */
    bool parsed = json_tokener_get_error(tokener) == json_tokener_success;
    json_tokener_free(tokener);
    if (!parsed)
        error_set(err, ERROR_MEMORY, "no memory for %zu bytes of JSON", length);
    else if (root == NULL)
        error_set(err, ERROR_INVALID_REQUEST, "The JSON is null.");
    return root;
}
