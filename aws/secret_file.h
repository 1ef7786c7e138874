#ifndef AWS_SECRET_FILE_H
#define AWS_SECRET_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buffer.h"
#include "base/error.h"

/*
 * Reads a whole file into `out`, which is uninitialised and then the caller's to buffer_wipe(),
 * failed or not. A file that is not there, or that we may not look at, is no failure: `*found` is
 * then false. Fails with ERROR_CREDENTIALS when it is neither a plain file nor /dev/null, larger
 * than `ceiling` bytes or cannot be read. Does not block.
 */
int secret_file_read(const char *path, size_t ceiling, struct buffer *out, bool *found,
                     struct error *err) __attribute__((warn_unused_result));

#endif
