#include "tests/support/log_capture.h"

#include <fcntl.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/utf8.h"

static void must(int succeeded, const char *what)
{
    if (succeeded)
        return;
    (void)fprintf(stderr, "log_capture: %s\n", what);
    abort();
}

void log_capture_open(struct log_capture *capture, const struct os *os)
{
    *capture = (struct log_capture){.log = {.os = os, .level = LOG_TRACE}};
    capture->log.fd = memfd_create("log", MFD_CLOEXEC);
    /* Appending is one step, also for several threads. */
    must(capture->log.fd >= 0 && fcntl(capture->log.fd, F_SETFL, O_APPEND) == 0, "no file");
}

void log_capture_close(struct log_capture *capture)
{
    close(capture->log.fd);
    *capture = (struct log_capture){0};
}

void log_capture_clear(struct log_capture *capture)
{
    must(ftruncate(capture->log.fd, 0) == 0, "cannot be cleared");
}

char *log_capture_text(const struct log_capture *capture)
{
    off_t size = lseek(capture->log.fd, 0, SEEK_END);
    char *text = size >= 0 ? calloc(1, (size_t)size + 1) : NULL;
    must(text != NULL && pread(capture->log.fd, text, (size_t)size, 0) == size, "unreadable");
    return text;
}

struct json_object *log_capture_lines(const struct log_capture *capture)
{
    char *text = log_capture_text(capture);
    struct json_object *lines = json_object_new_array();
    must(text[0] == '\0' || text[strlen(text) - 1] == '\n', "the last line has no end");
    for (char *line = strtok(text, "\n"); line != NULL; line = strtok(NULL, "\n")) {
        must(utf8_is_valid(line, strlen(line)), "a line is no UTF-8");
        struct json_object *object = json_tokener_parse(line);
        must(json_object_is_type(object, json_type_object), line);
        json_object_array_add(lines, object);
    }
    free(text);
    return lines;
}

size_t log_capture_count(const struct log_capture *capture, const char *text)
{
    char *all = log_capture_text(capture);
    size_t count = 0;
    for (char *line = strtok(all, "\n"); line != NULL; line = strtok(NULL, "\n"))
        count += strstr(line, text) != NULL;
    free(all);
    return count;
}
