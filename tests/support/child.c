#include "tests/support/child.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define WORDS_MAX   64
#define PATIENCE_MS 60000

static void die(const char *what)
{
    perror(what);
    abort();
}

/* The wrapper's words, then the path and its arguments. */
static void build_words(const char **words, char *wrapper, const char *path,
                        const char *const *arguments)
{
    size_t n = 0;
    for (char *word = strtok(wrapper, " "); word != NULL; word = strtok(NULL, " "))
        words[n++] = word;
    words[n++] = path;
    for (size_t i = 1; arguments[0] != NULL && arguments[i] != NULL && n < WORDS_MAX - 1; i++)
        words[n++] = arguments[i];
    words[n] = NULL;
}

static void become(const struct child *child, const char *const *words,
                   const char *const *environment)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    dup2(child->output, STDOUT_FILENO);
    dup2(child->output, STDERR_FILENO);
    execvpe(words[0], (char *const *)words, (char *const *)environment);
    perror(words[0]);
    _exit(127);
}

void child_start(struct child *child, const char *path, const char *const *arguments,
                 const char *const *environment)
{
    child->output = memfd_create("output", MFD_CLOEXEC);
    if (child->output < 0)
        die("memfd_create");
    const char *given = getenv("BOOTSTRAP_WRAPPER");
    char wrapper[1024];
    (void)snprintf(wrapper, sizeof wrapper, "%s", given != NULL ? given : "");
    const char *words[WORDS_MAX];
    build_words(words, wrapper, path, arguments);
    child->pid = fork();
    if (child->pid < 0)
        die("fork");
    if (child->pid == 0)
        become(child, words, environment);
}

int child_wait(struct child *child)
{
    int fd = (int)syscall(SYS_pidfd_open, child->pid, 0);
    struct pollfd ended = {.fd = fd, .events = POLLIN};
    if (fd < 0 || poll(&ended, 1, PATIENCE_MS) != 1) {
        kill(child->pid, SIGKILL);
        die("a program that does not end");
    }
    close(fd);
    int status = 0;
    if (waitpid(child->pid, &status, 0) != child->pid)
        die("waitpid");
    child->pid = 0;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int child_stop(struct child *child, int signal_number)
{
    kill(child->pid, signal_number);
    return child_wait(child);
}

char *child_output(const struct child *child)
{
    off_t size = lseek(child->output, 0, SEEK_END);
    char *text = calloc(1, (size_t)size + 1);
    if (text == NULL || pread(child->output, text, (size_t)size, 0) != size)
        die("the output");
    return text;
}

int child_count_lines(const struct child *child, const char *text)
{
    char *output = child_output(child);
    int count = 0;
    for (char *line = strtok(output, "\n"); line != NULL; line = strtok(NULL, "\n"))
        count += strstr(line, text) != NULL;
    free(output);
    return count;
}

long child_memory_kb(const struct child *child, const char *row)
{
    char path[64];
    (void)snprintf(path, sizeof path, "/proc/%d/status", (int)child->pid);
    FILE *file = fopen(path, "r");
    if (file == NULL)
        die(path);
    char line[256];
    long kb = -1;
    while (fgets(line, sizeof line, file) != NULL)
        if (strncmp(line, row, strlen(row)) == 0)
            kb = strtol(strchr(line, ':') + 1, NULL, 10);
    (void)fclose(file);
    return kb;
}

void child_free(struct child *child)
{
    if (child->pid > 0)
        (void)child_stop(child, SIGKILL);
    close(child->output);
    *child = (struct child){0};
}
