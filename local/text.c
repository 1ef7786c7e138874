#include "local/text.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Length of the sequence that starts here, 0 when it is none. */
static size_t sequence(const unsigned char *at, size_t left)
{
    static const struct {
        unsigned char mask, lead;
        size_t length;
        uint32_t least;
    } forms[] = {{0x80, 0x00, 1, 0},
                 {0xe0, 0xc0, 2, 0x80},
                 {0xf0, 0xe0, 3, 0x800},
                 {0xf8, 0xf0, 4, 0x10000}};
    for (size_t form = 0; form < sizeof forms / sizeof forms[0]; form++) {
        if ((at[0] & forms[form].mask) != forms[form].lead)
            continue;
        if (left < forms[form].length)
            return 0;
        uint32_t code = at[0] & (unsigned char)~forms[form].mask;
        for (size_t i = 1; i < forms[form].length; i++) {
            if ((at[i] & 0xc0) != 0x80)
                return 0;
            code = code << 6 | (at[i] & 0x3fU);
        }
        bool surrogate = code >= 0xd800 && code <= 0xdfff;
        return code >= forms[form].least && code <= 0x10ffff && !surrogate ? forms[form].length : 0;
    }
    return 0;
}

bool text_is_utf8(const char *bytes, size_t count)
{
    const unsigned char *at = (const unsigned char *)bytes;
    while (count > 0) {
        size_t length = sequence(at, count);
        if (length == 0)
            return false;
        at += length;
        count -= length;
    }
    return true;
}

static int hex(char c)
{
    static const char digits[] = "0123456789abcdef";
    const char *at = c != '\0' ? strchr(digits, c >= 'A' && c <= 'F' ? c + 32 : c) : NULL;
    return at != NULL ? (int)(at - digits) : -1;
}

int text_percent_decode(const char *text, size_t length, bool plus, struct buffer *out,
                        struct error *err)
{
    for (size_t i = 0; i < length; i++) {
        char c = text[i];
        if (c == '+' && plus)
            c = ' ';
        int high = c == '%' && i + 2 < length ? hex(text[i + 1]) : -1;
        int low = high >= 0 ? hex(text[i + 2]) : -1;
        if (low >= 0) {
            c = (char)(high << 4 | low);
            i += 2;
        }
        if (buffer_append(out, &c, 1, err) != 0)
            return -1;
    }
    return 0;
}

bool text_number(const char *text, double least, double most, double *out)
{
    if (text[0] == '\0' || text[strspn(text, "0123456789.")] != '\0')
        return false;
    char *end = NULL;
    double number = strtod(text, &end);
    if (*end != '\0' || !(number >= least && number <= most))
        return false;
    *out = number;
    return true;
}

bool text_integer(const char *text, long least, long most, long *out)
{
    double number = 0;
    if (strchr(text, '.') != NULL || !text_number(text, (double)least, (double)most, &number))
        return false;
    *out = (long)number;
    return true;
}
