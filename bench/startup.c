/*
 * How long programs take from exec to their first GET on the Lambda Runtime API, and how much
 * memory they hold then.
 *
 *     build/bench/startup [-n RUNS] PROGRAM...
 *
 * The programs run in turn (A B A B ...), so that a machine that drifts does so for all. Prints a
 * line for each: median and spread in milliseconds, VmHWM, and the ratio to the first.
 */
#include <arpa/inet.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define RUNS_MAX     1000
#define PROGRAMS_MAX 8

struct program {
    const char *path;
    double ms[RUNS_MAX];
    long high_water_kb;
};

static void must(bool ok, const char *what)
{
    if (ok)
        return;
    perror(what);
    exit(1);
}

static double now_ms(void)
{
    struct timespec t;
    must(clock_gettime(CLOCK_MONOTONIC, &t) == 0, "clock_gettime");
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static int listen_on_loopback(int *port)
{
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    must(bind(listener, (struct sockaddr *)&address, length) == 0 && listen(listener, 8) == 0 &&
             getsockname(listener, (struct sockaddr *)&address, &length) == 0,
         "listen");
    *port = ntohs(address.sin_port);
    return listener;
}

static pid_t start(const char *path, int port)
{
    char api[64];
    /* Nothing listens at port 9: the connection ahead fails at once, as in a sandbox without a way.
     */
    char endpoint[] = "AWS_ENDPOINT_URL_BEDROCK_RUNTIME=http://127.0.0.1:9";
    (void)snprintf(api, sizeof api, "AWS_LAMBDA_RUNTIME_API=127.0.0.1:%d", port);
    char *environment[] = {api,
                           endpoint,
                           "AWS_REGION=us-east-1",
                           "AWS_ACCESS_KEY_ID=AKIDEXAMPLE",
                           "AWS_SECRET_ACCESS_KEY=secret",
                           NULL};
    char *arguments[] = {(char *)(uintptr_t)path, NULL};
    pid_t pid = fork();
    must(pid >= 0, "fork");
    if (pid > 0)
        return pid;
    must(freopen("/dev/null", "w", stdout) != NULL, "/dev/null");
    execve(path, arguments, environment);
    perror(path);
    _exit(127);
}

static long high_water_kb(pid_t pid)
{
    char path[64];
    char line[256];
    long kb = 0;
    (void)snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
    FILE *file = fopen(path, "r");
    must(file != NULL, path);
    while (fgets(line, sizeof line, file) != NULL)
        if (strncmp(line, "VmHWM:", 6) == 0)
            kb = strtol(line + 6, NULL, 10);
    (void)fclose(file);
    return kb;
}

static void run_once(struct program *program, int run)
{
    int port = 0;
    char request[16];
    int listener = listen_on_loopback(&port);
    double began = now_ms();
    pid_t pid = start(program->path, port);
    int fd = accept(listener, NULL, NULL);
    must(fd >= 0 && recv(fd, request, sizeof request, 0) >= 4, "the first request");
    program->ms[run] = now_ms() - began;
    must(strncmp(request, "GET ", 4) == 0, "a GET first");
    program->high_water_kb = high_water_kb(pid);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    close(fd);
    close(listener);
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;
    return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
    static struct program programs[PROGRAMS_MAX];
    int runs = 30;
    int option = 0;
    while ((option = getopt(argc, argv, "n:")) != -1) {
        must(option == 'n', "usage: startup [-n RUNS] PROGRAM...");
        runs = (int)strtol(optarg, NULL, 10);
    }
    int count = argc - optind;
    must(runs >= 1 && runs <= RUNS_MAX && count >= 1 && count <= PROGRAMS_MAX, "arguments");
    for (int i = 0; i < count; i++)
        programs[i].path = argv[optind + i];
    for (int run = 0; run < runs; run++)
        for (int i = 0; i < count; i++)
            run_once(&programs[i], run);
    for (int i = 0; i < count; i++)
        qsort(programs[i].ms, (size_t)runs, sizeof(double), compare);
    for (int i = 0; i < count; i++) {
        const double *ms = programs[i].ms;
        printf("%-32s median %6.2f ms  (%.2f to %.2f)  %6ld kB  ratio %.2f\n", programs[i].path,
               ms[runs / 2], ms[0], ms[runs - 1], programs[i].high_water_kb,
               ms[runs / 2] / programs[0].ms[runs / 2]);
    }
    return 0;
}
