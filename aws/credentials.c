#include "aws/credentials.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "aws/container.h"
#include "aws/profile.h"
#include "aws/turn.h"
#include "base/buffer.h"

#define FRESH_NS      (300 * NS_PER_S) /* fetched anew when they hold no longer than this */
#define HOLD_OFF_NS   (10 * NS_PER_S)  /* between two tries, while there are any that hold */
#define FILE_NAME_MAX 4200

/*
 * `fetching` is taken by the one thread that fetches; the others serve themselves from `kept` if
 * that still holds, and wait for it if not. `lock` guards the rest and is never held over I/O.
 */
struct credentials_provider {
    const struct settings *settings;
    struct container container;
    struct turn fetching;
    pthread_mutex_t lock;
    struct credentials kept;
    int64_t not_before_ns; /* when to try again; now_ns() */
    unsigned generation;   /* counts credentials_forget() */
};

void credentials_free(struct credentials *credentials)
{
    wipe_string(credentials->access_key_id);
    wipe_string(credentials->secret_access_key);
    wipe_string(credentials->session_token);
    *credentials = (struct credentials){0};
}

static char *copy_string(const char *text, bool *failed)
{
    char *copy = text != NULL ? strdup(text) : NULL;
    *failed = *failed || (text != NULL && copy == NULL);
    return copy;
}

static int copy_credentials(const struct credentials *from, struct credentials *out,
                            struct error *err)
{
    bool failed = false;
    *out = (struct credentials){
        .access_key_id = copy_string(from->access_key_id, &failed),
        .secret_access_key = copy_string(from->secret_access_key, &failed),
        .session_token = copy_string(from->session_token, &failed),
        .expires_wall_ns = from->expires_wall_ns,
    };
    if (!failed)
        return 0;
    credentials_free(out);
    return error_set(err, ERROR_MEMORY, "no memory for credentials");
}

/* --- sources --- */

static int from_environment(const struct settings *settings, struct credentials *out,
                            struct error *err)
{
    if (settings->access_key_id == NULL || settings->secret_access_key == NULL)
        return error_set(
            err, ERROR_CREDENTIALS, "%s is set and %s is not",
            settings->access_key_id != NULL ? "AWS_ACCESS_KEY_ID" : "AWS_SECRET_ACCESS_KEY",
            settings->access_key_id != NULL ? "AWS_SECRET_ACCESS_KEY" : "AWS_ACCESS_KEY_ID");
    struct credentials keys = {settings->access_key_id, settings->secret_access_key,
                               settings->session_token, INT64_MAX};
    return copy_credentials(&keys, out, err);
}

/* The setting, with ~ for HOME, or `otherwise` below HOME. NULL when that cannot be told. */
static const char *file_name(const struct settings *settings, const char *setting,
                             const char *otherwise, char out[FILE_NAME_MAX])
{
    if (setting != NULL && strncmp(setting, "~/", 2) != 0)
        return setting;
    if (settings->home == NULL)
        return NULL;
    const char *below = setting != NULL ? setting + 1 : otherwise;
    int length = snprintf(out, FILE_NAME_MAX, "%s%s", settings->home, below);
    return length > 0 && length < FILE_NAME_MAX ? out : NULL;
}

static int from_files(const struct settings *settings, struct credentials *out, bool *found,
                      struct error *err)
{
    char credentials_file[FILE_NAME_MAX];
    char config_file[FILE_NAME_MAX];
    const char *name = settings->profile != NULL ? settings->profile : "default";
    struct profile_source source = {
        .name = name,
        .credentials_file =
            file_name(settings, settings->credentials_file, "/.aws/credentials", credentials_file),
        .config_file = file_name(settings, settings->config_file, "/.aws/config", config_file),
    };
    if (profile_read(&source, out, found, err) != 0)
        return -1;
    if (*found || strcmp(name, "default") == 0)
        return 0;
    return error_set(err, ERROR_CREDENTIALS,
                     "AWS_PROFILE is \"%.64s\"; the shared credentials and config files have no "
                     "keys for it",
                     name);
}

static int find(const struct credentials_provider *provider, int64_t timeout_ns,
                struct credentials *out, struct error *err)
{
    const struct settings *settings = provider->settings;
    bool found = false;
    if (settings->access_key_id != NULL || settings->secret_access_key != NULL)
        return from_environment(settings, out, err);
    if (from_files(settings, out, &found, err) != 0 || found)
        return found ? 0 : -1;
    if (container_is_configured(settings))
        return container_fetch(&provider->container, timeout_ns, out, err);
    return error_set(err, ERROR_CREDENTIALS,
                     "there are no credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, "
                     "or AWS_PROFILE to a profile with keys, or AWS_BEARER_TOKEN_BEDROCK");
}

/* --- keeping them --- */

static bool hold(const struct credentials_provider *provider, int64_t for_ns)
{
    const struct credentials *kept = &provider->kept;
    if (kept->access_key_id == NULL)
        return false;
    if (kept->expires_wall_ns == INT64_MAX)
        return true;
    return kept->expires_wall_ns - os_wall_ns(provider->container.os) > for_ns;
}

/* 1: copied; 0: they must be fetched; -1: failed. With `any`, those about to expire will do. */
static int serve(struct credentials_provider *provider, bool any, struct credentials *out,
                 struct error *err)
{
    int rc = 0;
    pthread_mutex_lock(&provider->lock);
    bool held_off = os_now_ns(provider->container.os) < provider->not_before_ns;
    if (hold(provider, any || held_off ? 0 : FRESH_NS))
        rc = copy_credentials(&provider->kept, out, err) == 0 ? 1 : -1;
    pthread_mutex_unlock(&provider->lock);
    return rc;
}

/* By the thread whose turn it is. On failure the old ones serve as long as they hold. */
static int fetch(struct credentials_provider *provider, int64_t timeout_ns, struct credentials *out,
                 struct error *err)
{
    struct credentials found = {0};
    pthread_mutex_lock(&provider->lock);
    unsigned generation = provider->generation;
    pthread_mutex_unlock(&provider->lock);
    int rc = find(provider, timeout_ns, &found, err);
    if (rc == 0)
        rc = copy_credentials(&found, out, err);
    pthread_mutex_lock(&provider->lock);
    provider->not_before_ns = os_now_ns(provider->container.os) + HOLD_OFF_NS;
    if (rc == 0 && generation == provider->generation) {
        credentials_free(&provider->kept);
        provider->kept = found;
        found = (struct credentials){0};
    }
    pthread_mutex_unlock(&provider->lock);
    credentials_free(&found);
    if (rc == 0)
        return 0;
    return serve(provider, true, out, NULL) == 1 ? 0 : -1;
}

static int wait_and_fetch(struct credentials_provider *provider, int64_t timeout_ns,
                          struct credentials *out, struct error *err)
{
    int64_t deadline_ns = turn_deadline_ns(timeout_ns);
    /* While another thread fetches, what still holds will do. */
    if (!turn_take(&provider->fetching, 0)) {
        int served = serve(provider, true, out, err);
        if (served != 0)
            return served == 1 ? 0 : -1;
        if (!turn_take(&provider->fetching, deadline_ns))
            return error_set(err, ERROR_CREDENTIALS, "no credentials came in time");
    }
    int rc = serve(provider, false, out, err); /* the thread before may have brought them */
    if (rc == 0)
        rc = fetch(provider, deadline_ns - turn_clock_ns(), out, err) == 0 ? 1 : -1;
    turn_end(&provider->fetching);
    return rc == 1 ? 0 : -1;
}

int credentials_get(struct credentials_provider *provider, int64_t timeout_ns,
                    struct credentials *out, struct error *err)
{
    *out = (struct credentials){0};
    int served = serve(provider, false, out, err);
    if (served != 0)
        return served == 1 ? 0 : -1;
    return wait_and_fetch(provider, timeout_ns, out, err);
}

void credentials_forget(struct credentials_provider *provider)
{
    pthread_mutex_lock(&provider->lock);
    credentials_free(&provider->kept);
    provider->not_before_ns = 0;
    provider->generation++;
    pthread_mutex_unlock(&provider->lock);
}

struct credentials_provider *credentials_provider_new(const struct settings *settings,
                                                      const struct http_transport *transport,
                                                      const struct os *os, struct error *err)
{
    struct credentials_provider *provider = calloc(1, sizeof *provider);
    if (provider == NULL) {
        (void)error_set(err, ERROR_MEMORY, "no memory for credentials");
        return NULL;
    }
    provider->settings = settings;
    provider->container =
        (struct container){.settings = settings, .transport = transport, .os = os};
    turn_init(&provider->fetching);
    pthread_mutex_init(&provider->lock, NULL);
    return provider;
}

void credentials_provider_free(struct credentials_provider *provider)
{
    if (provider == NULL)
        return;
    credentials_free(&provider->kept);
    pthread_mutex_destroy(&provider->lock);
    turn_free(&provider->fetching);
    free(provider);
}
