#include <pthread.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "aws/credentials.h"
#include "tests/support/fake_http.h"
#include "tests/support/fake_os.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define TIMEOUT_NS   (30 * NS_PER_S)
#define NEAR_URI     "http://127.0.0.1:8080/keys"
#define MINUTE_NS    (60 * NS_PER_S)

/* From the container endpoint; the fake clock starts at 12:00. */
#define ANSWER(id, until)                                                                          \
    {                                                                                              \
        .status = 200, .body = "{\"AccessKeyId\":\"" id "\",\"SecretAccessKey\":\"s3cr3t\","       \
                               "\"Token\":\"t0ken\",\"Expiration\":\"2026-11-23T" until ":00Z\"}"  \
    }

struct scene {
    struct fake_os os;
    struct fake_http http;
    struct credentials_provider *provider;
};

static void begin(struct scene *scene, const struct settings *settings,
                  const struct fake_answer *answers, size_t count)
{
    memset(scene, 0, sizeof *scene);
    fake_os_init(&scene->os);
    fake_http_init(&scene->http, answers, count, &scene->os);
    scene->provider =
        credentials_provider_new(settings, &scene->http.transport, &scene->os.os, NULL);
    assert_non_null(scene->provider);
}

static void end(struct scene *scene)
{
    credentials_provider_free(scene->provider);
    fake_http_free(&scene->http);
}

/* Gets credentials and compares "id secret token", "failed" when there are none. */
static void expect(struct credentials_provider *provider, const char *expected)
{
    struct credentials keys = {0};
    struct error err = {0};
    char got[300] = "failed";
    if (credentials_get(provider, TIMEOUT_NS, &keys, &err) == 0)
        (void)snprintf(got, sizeof got, "%s %s %s", keys.access_key_id, keys.secret_access_key,
                       keys.session_token != NULL ? keys.session_token : "-");
    else
        assert_int_equal(err.kind, ERROR_CREDENTIALS);
    assert_string_equal(got, expected);
    credentials_free(&keys);
}

static const struct settings in_container = {.container_uri = NEAR_URI, .profile = "default"};

/* --- where they come from --- */

static char home[] = "/tmp/credentials-test-XXXXXX";
static char folder[64];
static char credentials_file[96];
static char config_file[96];
static char other_file[96];

static int write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    return file == NULL || fputs(text, file) < 0 || fclose(file) != 0 ? -1 : 0;
}

static int make_files(void **state)
{
    (void)state;
    (void)alarm(120); /* what should have ended has not */
    if (mkdtemp(home) == NULL)
        return -1;
    (void)snprintf(folder, sizeof folder, "%s/.aws", home);
    (void)snprintf(credentials_file, sizeof credentials_file, "%s/credentials", folder);
    (void)snprintf(config_file, sizeof config_file, "%s/config", folder);
    (void)snprintf(other_file, sizeof other_file, "%s/other", home);
    if (mkdir(folder, 0700) != 0)
        return -1;
    return write_file(credentials_file,
                      "[default]\naws_access_key_id=D\naws_secret_access_key=E\n") |
           write_file(config_file,
                      "[profile dev]\naws_access_key_id=F\naws_secret_access_key=G\n") |
           write_file(other_file, "[default]\naws_access_key_id=H\naws_secret_access_key=I\n");
}

static int remove_files(void **state)
{
    (void)state;
    (void)unlink(credentials_file);
    (void)unlink(config_file);
    (void)unlink(other_file);
    (void)rmdir(folder);
    return rmdir(home);
}

static void sources_are_asked_in_order(void **state)
{
    (void)state;
    const struct {
        const char *name;
        struct settings settings;
        const char *expected;
    } cases[] = {
        {"environment",
         {.access_key_id = "A",
          .secret_access_key = "B",
          .session_token = "C",
          .home = home,
          .profile = "dev",
          .container_uri = NEAR_URI},
         "A B C"},
        {"environment without a token", {.access_key_id = "A", .secret_access_key = "B"}, "A B -"},
        {"half an environment",
         {.access_key_id = "A", .home = home, .profile = "default"},
         "failed"},
        {"the other half", {.secret_access_key = "B", .container_uri = NEAR_URI}, "failed"},
        {"files", {.home = home, .profile = "default", .container_uri = NEAR_URI}, "D E -"},
        {"files, no profile", {.home = home}, "D E -"},
        {"a profile", {.home = home, .profile = "dev"}, "F G -"},
        {"another file", {.home = home, .credentials_file = other_file}, "H I -"},
        {"another file below home", {.home = home, .credentials_file = "~/other"}, "H I -"},
        {"another file, no home", {.credentials_file = other_file}, "H I -"},
        {"below home, no home", {.credentials_file = "~/other"}, "failed"},
        {"another config file",
         {.home = home, .config_file = other_file, .credentials_file = "/dev/null"},
         "H I -"},
        {"a profile that is not there",
         {.home = home, .profile = "none", .container_uri = NEAR_URI},
         "failed"},
        {"container",
         {.home = "/nowhere", .profile = "default", .container_uri = NEAR_URI},
         "K s3cr3t t0ken"},
        {"nothing", {.home = "/nowhere", .profile = "default"}, "failed"},
    };
    static const struct fake_answer answer = ANSWER("K", "18:00");
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct scene scene;
        print_message("%s\n", cases[i].name);
        begin(&scene, &cases[i].settings, &answer, 1);
        expect(scene.provider, cases[i].expected);
        expect(scene.provider, cases[i].expected);
        end(&scene);
    }
}

static void without_any_the_text_says_what_to_set(void **state)
{
    (void)state;
    struct scene scene;
    struct settings none = {0};
    static const struct fake_answer unused = {.status = 500};
    begin(&scene, &none, &unused, 1);
    struct credentials keys;
    struct error err = {0};
    assert_int_equal(credentials_get(scene.provider, TIMEOUT_NS, &keys, &err), -1);
    assert_non_null(strstr(err.text, "AWS_ACCESS_KEY_ID"));
    assert_non_null(strstr(err.text, "AWS_PROFILE"));
    assert_non_null(strstr(err.text, "AWS_BEARER_TOKEN_BEDROCK"));
    assert_null(keys.access_key_id);
    end(&scene);
}

/* --- how long they are kept --- */

static void they_are_kept_until_five_minutes_before_the_end(void **state)
{
    (void)state;
    static const struct fake_answer answers[] = {ANSWER("A", "13:00"), ANSWER("B", "14:00")};
    struct scene scene;
    begin(&scene, &in_container, answers, COUNT(answers));
    expect(scene.provider, "A s3cr3t t0ken");
    fake_os_advance(&scene.os, 55 * MINUTE_NS - 1);
    expect(scene.provider, "A s3cr3t t0ken");
    assert_int_equal(scene.http.calls, 1);
    fake_os_advance(&scene.os, 1);
    expect(scene.provider, "B s3cr3t t0ken");
    expect(scene.provider, "B s3cr3t t0ken");
    assert_int_equal(scene.http.calls, 2);
    end(&scene);
}

static void old_ones_serve_while_they_hold_and_nobody_hammers(void **state)
{
    (void)state;
    static const struct fake_answer answers[] = {ANSWER("A", "13:00"), {.status = 403},
                                                 {.status = 403},      {.status = 403},
                                                 {.status = 403},      ANSWER("B", "14:00")};
    struct scene scene;
    begin(&scene, &in_container, answers, COUNT(answers));
    expect(scene.provider, "A s3cr3t t0ken");
    fake_os_advance(&scene.os, 56 * MINUTE_NS);
    expect(scene.provider, "A s3cr3t t0ken");
    assert_int_equal(scene.http.calls, 2);
    fake_os_advance(&scene.os, 10 * NS_PER_S - 1);
    expect(scene.provider, "A s3cr3t t0ken");
    assert_int_equal(scene.http.calls, 2);
    fake_os_advance(&scene.os, 1);
    expect(scene.provider, "A s3cr3t t0ken");
    assert_int_equal(scene.http.calls, 3);
    fake_os_advance(&scene.os, 4 * MINUTE_NS); /* they have expired */
    expect(scene.provider, "failed");
    expect(scene.provider, "failed");
    assert_int_equal(scene.http.calls, 5);
    expect(scene.provider, "B s3cr3t t0ken");
    end(&scene);
}

static void new_ones_that_hold_but_shortly_are_not_asked_for_all_the_time(void **state)
{
    (void)state;
    static const struct fake_answer answers[] = {
        ANSWER("A", "13:00"), {.status = 403}, ANSWER("B", "13:02"), ANSWER("C", "15:00")};
    struct scene scene;
    begin(&scene, &in_container, answers, COUNT(answers));
    expect(scene.provider, "A s3cr3t t0ken");
    fake_os_advance(&scene.os, 57 * MINUTE_NS);
    expect(scene.provider, "A s3cr3t t0ken");
    fake_os_advance(&scene.os, 10 * NS_PER_S);
    expect(scene.provider, "B s3cr3t t0ken");
    fake_os_advance(&scene.os, 10 * NS_PER_S - 1); /* B holds for less than five minutes */
    expect(scene.provider, "B s3cr3t t0ken");
    fake_os_advance(&scene.os, 1);
    expect(scene.provider, "C s3cr3t t0ken");
    assert_int_equal(scene.http.calls, 4);
    end(&scene);
}

static void forgotten_ones_are_fetched_anew(void **state)
{
    (void)state;
    static const struct fake_answer answers[] = {ANSWER("A", "18:00"), ANSWER("B", "18:00")};
    struct scene scene;
    begin(&scene, &in_container, answers, COUNT(answers));
    expect(scene.provider, "A s3cr3t t0ken");
    credentials_forget(scene.provider);
    expect(scene.provider, "B s3cr3t t0ken");
    end(&scene);
}

static void a_copy_is_the_callers(void **state)
{
    (void)state;
    static const struct fake_answer answer = ANSWER("A", "18:00");
    struct scene scene;
    struct credentials keys;
    begin(&scene, &in_container, &answer, 1);
    assert_int_equal(credentials_get(scene.provider, TIMEOUT_NS, &keys, NULL), 0);
    end(&scene);
    assert_string_equal(keys.secret_access_key, "s3cr3t");
    credentials_free(&keys);
    assert_null(keys.secret_access_key);
    credentials_free(&keys);
}

/* --- threads --- */

/* An endpoint that answers when it is told to. */
struct slow {
    sem_t asked;
    sem_t may_answer;
    struct fake_http *http;
};

static int slow_send(void *context, const struct http_request *request,
                     struct http_response *response, struct error *err)
{
    struct slow *slow = context;
    (void)sem_post(&slow->asked);
    (void)sem_wait(&slow->may_answer);
    return http_send(&slow->http->transport, request, response, err);
}

static void *get(void *context)
{
    struct credentials *keys = calloc(1, sizeof *keys);
    if (keys != NULL && credentials_get(context, TIMEOUT_NS, keys, NULL) != 0)
        credentials_free(keys);
    return keys;
}

static void expect_result(pthread_t thread, const char *id)
{
    void *result = NULL;
    pthread_join(thread, &result);
    struct credentials *keys = result;
    assert_non_null(keys);
    assert_string_equal(keys->access_key_id, id);
    credentials_free(keys);
    free(keys);
}

static void one_thread_fetches_and_nobody_waits_without_need(void **state)
{
    (void)state;
    static const struct fake_answer answers[] = {ANSWER("A", "13:00"), ANSWER("B", "18:00")};
    struct scene scene;
    struct slow slow;
    struct http_transport transport = {.send = slow_send, .context = &slow};
    pthread_t threads[3];
    begin(&scene, &in_container, answers, COUNT(answers));
    slow.http = &scene.http;
    assert_int_equal(sem_init(&slow.asked, 0, 0), 0);
    assert_int_equal(sem_init(&slow.may_answer, 0, 0), 0);
    struct credentials_provider *provider =
        credentials_provider_new(&in_container, &transport, &scene.os.os, NULL);
    assert_non_null(provider);

    /* There are none: all wait for the one that fetches. */
    for (size_t i = 0; i < COUNT(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, get, provider), 0);
    (void)sem_wait(&slow.asked);
    struct credentials none;
    struct error err = {0};
    assert_int_equal(credentials_get(provider, NS_PER_MS, &none, &err), -1);
    assert_int_equal(err.kind, ERROR_CREDENTIALS);
    (void)sem_post(&slow.may_answer);
    for (size_t i = 0; i < COUNT(threads); i++)
        expect_result(threads[i], "A");
    assert_int_equal(scene.http.calls, 1);

    /* They are about to expire: one fetches, the others take what there is. */
    fake_os_advance(&scene.os, 57 * MINUTE_NS);
    assert_int_equal(pthread_create(&threads[0], NULL, get, provider), 0);
    (void)sem_wait(&slow.asked);
    expect(provider, "A s3cr3t t0ken");
    (void)sem_post(&slow.may_answer);
    expect_result(threads[0], "B");
    expect(provider, "B s3cr3t t0ken");
    assert_int_equal(scene.http.calls, 2);
    credentials_provider_free(provider);
    (void)sem_destroy(&slow.asked);
    (void)sem_destroy(&slow.may_answer);
    end(&scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sources_are_asked_in_order),
        cmocka_unit_test(without_any_the_text_says_what_to_set),
        cmocka_unit_test(they_are_kept_until_five_minutes_before_the_end),
        cmocka_unit_test(old_ones_serve_while_they_hold_and_nobody_hammers),
        cmocka_unit_test(new_ones_that_hold_but_shortly_are_not_asked_for_all_the_time),
        cmocka_unit_test(forgotten_ones_are_fetched_anew),
        cmocka_unit_test(a_copy_is_the_callers),
        cmocka_unit_test(one_thread_fetches_and_nobody_waits_without_need),
    };
    return cmocka_run_group_tests(tests, make_files, remove_files);
}
