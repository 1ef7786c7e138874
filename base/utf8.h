#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>

/*
 * UTF-8 as RFC 3629 has it: no overlong forms, no surrogates, nothing above U+10FFFF. What leaves
 * the program as JSON must be that; whoever reads it refuses the rest.
 */

/* Bytes of the character that `bytes` begins with, 1 to 4; 0 when they begin with none. */
size_t utf8_character(const char *bytes, size_t length);

bool utf8_is_valid(const char *bytes, size_t length);

/* Makes valid text of any bytes: each byte that belongs to no character becomes '?'. */
void utf8_mend(char *bytes, size_t length);

#endif
