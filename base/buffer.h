#ifndef BASE_BUFFER_H
#define BASE_BUFFER_H

#include <stddef.h>

#include "base/error.h"

/*
 * Bytes that grow up to a ceiling. `data` always ends in a NUL that `length` does not count; it is
 * NULL only while the buffer is empty and untouched. A zeroed struct is an empty buffer with
 * ceiling zero and may be freed.
 */
struct buffer {
    char *data;
    size_t length;
    size_t capacity;
    size_t ceiling; /* most bytes that `length` may reach */
};

void buffer_init(struct buffer *buffer, size_t ceiling);
void buffer_free(struct buffer *buffer);

/* As buffer_free(), after overwriting what was in it: for secrets. */
void buffer_wipe(struct buffer *buffer);

/* Empties the buffer and keeps its memory for the next use. */
void buffer_clear(struct buffer *buffer);

/*
 * Appends. Fails with ERROR_REPLY_TOO_LARGE above the ceiling and ERROR_MEMORY without memory; the
 * buffer is then as it was.
 */
int buffer_append(struct buffer *buffer, const void *bytes, size_t count, struct error *err)
    __attribute__((warn_unused_result));
int buffer_append_string(struct buffer *buffer, const char *string, struct error *err)
    __attribute__((warn_unused_result));

/* Overwrites memory so that no compiler leaves it out. */
void wipe(void *memory, size_t size);

/* Wipes and frees a secret string; NULL is fine. */
void wipe_string(char *string);

#endif
