#include "aws/secret_file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static int read_all(int fd, struct buffer *out, struct error *err)
{
    char block[4096];
    int rc = 0;
    for (;;) {
        ssize_t got = read(fd, block, sizeof block);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            rc = error_set(err, ERROR_CREDENTIALS, "reading fails (errno %d)", errno);
        if (got > 0)
            rc = buffer_append(out, block, (size_t)got, err);
        if (got <= 0 || rc != 0)
            break;
    }
    wipe(block, sizeof block);
    return rc;
}

static int read_plain(int fd, struct buffer *out, struct error *err)
{
    struct stat about;
    if (fstat(fd, &about) != 0 || !(S_ISREG(about.st_mode) || S_ISCHR(about.st_mode)))
        return error_set(err, ERROR_CREDENTIALS, "this is no plain file");
    return read_all(fd, out, err);
}

int secret_file_read(const char *path, size_t ceiling, struct buffer *out, bool *found,
                     struct error *err)
{
    buffer_init(out, ceiling);
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    *found = fd >= 0;
    if (fd < 0)
        return 0;
    struct error why = {0};
    int rc = read_plain(fd, out, &why);
    (void)close(fd);
    if (rc != 0)
        return error_set(err, why.kind == ERROR_MEMORY ? ERROR_MEMORY : ERROR_CREDENTIALS,
                         "%.128s: %.100s", path, why.text);
    return 0;
}
