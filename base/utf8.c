#include "base/utf8.h"

/* RFC 3629 section 4, "Syntax of UTF-8 Byte Sequences": the second byte has a range of its own. */
static const struct {
    unsigned char first_least, first_most, second_least, second_most;
    size_t length;
} forms[] = {
    {0x00, 0x7f, 0, 0, 1},       {0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3},
    {0xe1, 0xec, 0x80, 0xbf, 3}, {0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3},
    {0xf0, 0xf0, 0x90, 0xbf, 4}, {0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4},
};

#define FORMS (sizeof forms / sizeof forms[0])

size_t utf8_character(const char *bytes, size_t length)
{
    const unsigned char *b = (const unsigned char *)bytes;
    size_t form = 0;
    if (length == 0)
        return 0;
    while (form < FORMS && (b[0] < forms[form].first_least || b[0] > forms[form].first_most))
        form++;
    if (form == FORMS || length < forms[form].length)
        return 0;
    if (forms[form].length == 1)
        return 1;
    if (b[1] < forms[form].second_least || b[1] > forms[form].second_most)
        return 0;
    for (size_t i = 2; i < forms[form].length; i++)
        if (b[i] < 0x80 || b[i] > 0xbf)
            return 0;
    return forms[form].length;
}

bool utf8_is_valid(const char *bytes, size_t length)
{
    size_t at = 0;
    while (at < length) {
        size_t got = utf8_character(bytes + at, length - at);
        if (got == 0)
            return false;
        at += got;
    }
    return true;
}

void utf8_mend(char *bytes, size_t length)
{
    size_t at = 0;
    while (at < length) {
        size_t got = utf8_character(bytes + at, length - at);
        if (got == 0)
            bytes[at] = '?';
        at += got > 0 ? got : 1;
    }
}
