#include "local/environment.h"

#include <libgen.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "local/auth.h"

void environment_free(struct environment *environment)
{
    for (size_t i = 0; i < environment->count; i++)
        free(environment->entries[i]);
    free(environment->entries);
    *environment = (struct environment){0};
}

static bool is_named(const char *entry, const char *name)
{
    size_t length = strlen(name);
    return strncmp(entry, name, length) == 0 && entry[length] == '=';
}

const char *environment_get(const struct environment *environment, const char *name)
{
    for (size_t i = 0; i < environment->count; i++)
        if (is_named(environment->entries[i], name))
            return environment->entries[i] + strlen(name) + 1;
    return NULL;
}

static int no_memory(struct error *err)
{
    return error_set(err, ERROR_MEMORY, "no memory for an environment");
}

int environment_set(struct environment *environment, const char *name, const char *value,
                    struct error *err)
{
    char *entry = NULL;
    if (asprintf(&entry, "%s=%s", name, value) < 0)
        return no_memory(err);
    for (size_t i = 0; i < environment->count; i++) {
        if (!is_named(environment->entries[i], name))
            continue;
        free(environment->entries[i]);
        environment->entries[i] = entry;
        return 0;
    }
    char **entries = realloc(environment->entries, (environment->count + 2) * sizeof *entries);
    if (entries == NULL) {
        free(entry);
        return no_memory(err);
    }
    entries[environment->count++] = entry;
    entries[environment->count] = NULL;
    environment->entries = entries;
    return 0;
}

/* "NAME=value" of another environment. */
static int set_entry(struct environment *environment, const char *entry, struct error *err)
{
    const char *equals = strchr(entry, '=');
    if (equals == NULL)
        return 0;
    char *name = strndup(entry, (size_t)(equals - entry));
    if (name == NULL)
        return no_memory(err);
    int result = environment_set(environment, name, equals + 1, err);
    free(name);
    return result;
}

static int set_all(struct environment *environment, const char *const pairs[][2], size_t count,
                   struct error *err)
{
    for (size_t i = 0; i < count; i++)
        if (environment_set(environment, pairs[i][0], pairs[i][1], err) != 0)
            return -1;
    return 0;
}

static const char *initialization_type(const struct options *options)
{
    if (options->snapstart)
        return "snap-start";
    return options->provisioned > 0 ? "provisioned-concurrency" : "on-demand";
}

static int set_lambda(struct environment *environment, const struct environment_facts *facts,
                      struct error *err)
{
    char folder[4200];
    char api[32];
    (void)snprintf(folder, sizeof folder, "%s", facts->options->bootstrap);
    (void)snprintf(api, sizeof api, "127.0.0.1:%d", facts->runtime_api_port);
    const char *const pairs[][2] = {
        {"AWS_LAMBDA_RUNTIME_API", api},
        {"_HANDLER", "bootstrap"},
        {"LAMBDA_TASK_ROOT", dirname(folder)},
        {"LAMBDA_RUNTIME_DIR", "/var/runtime"},
        {"AWS_REGION", "us-east-1"},
        {"AWS_DEFAULT_REGION", "us-east-1"},
        {"AWS_LAMBDA_FUNCTION_NAME", "weir-local"},
        {"AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"},
        {"AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256"},
        {"AWS_LAMBDA_LOG_GROUP_NAME", "/aws/lambda/weir-local"},
        {"AWS_LAMBDA_LOG_STREAM_NAME", "local"},
        {"AWS_LAMBDA_LOG_FORMAT", "JSON"},
        {"AWS_LAMBDA_LOG_LEVEL", "INFO"},
        {"AWS_LAMBDA_INITIALIZATION_TYPE", initialization_type(facts->options)},
        {"AWS_XRAY_CONTEXT_MISSING", "LOG_ERROR"},
        {"AWS_XRAY_DAEMON_ADDRESS", "169.254.79.129:2000"},
        {"LANG", "en_US.UTF-8"},
        {"PATH", "/usr/local/bin:/usr/bin/:/bin:/opt/bin"},
        {"TZ", ":UTC"},
    };
    return set_all(environment, pairs, sizeof pairs / sizeof pairs[0], err);
}

static int set_stand_in(struct environment *environment, const struct environment_facts *facts,
                        struct error *err)
{
    char endpoint[64];
    char uri[96];
    char session[AUTH_TOKEN_SIZE];
    char bearer[AUTH_TOKEN_SIZE];
    (void)snprintf(endpoint, sizeof endpoint, "http://127.0.0.1:%d", facts->bedrock_port);
    (void)snprintf(uri, sizeof uri, "http://127.0.0.1:%d/2021-04-23/credentials",
                   facts->runtime_api_port);
    auth_session_token(facts->sandbox, session);
    auth_bearer_token(facts->sandbox, bearer);
    if (environment_set(environment, "AWS_ENDPOINT_URL_BEDROCK_RUNTIME", endpoint, err) != 0)
        return -1;
    if (facts->options->auth == AUTH_BEARER)
        return environment_set(environment, "AWS_BEARER_TOKEN_BEDROCK", bearer, err);
    const char *const container[][2] = {{"AWS_CONTAINER_CREDENTIALS_FULL_URI", uri},
                                        {"AWS_CONTAINER_AUTHORIZATION_TOKEN", session}};
    const char *const keys[][2] = {{"AWS_ACCESS_KEY_ID", AUTH_ACCESS_KEY_ID},
                                   {"AWS_SECRET_ACCESS_KEY", AUTH_SECRET_ACCESS_KEY},
                                   {"AWS_SESSION_TOKEN", session}};
    if (facts->options->auth == AUTH_CONTAINER)
        return set_all(environment, container, sizeof container / sizeof container[0], err);
    return set_all(environment, keys, sizeof keys / sizeof keys[0], err);
}

static bool starts_with(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

/* Whether a variable of this program is the function's too. */
static bool passes(const char *entry, bool bedrock_aws)
{
    static const char *const always[] = {"AWS_LAMBDA_LOG_LEVEL", "AWS_LAMBDA_LOG_FORMAT"};
    static const char *const for_aws[] = {"HOME",        "SSL_CERT_FILE", "HTTPS_PROXY",
                                          "https_proxy", "NO_PROXY",      "no_proxy"};
    if (starts_with(entry, "BEDROCK_") || starts_with(entry, "AGENT_"))
        return true;
    for (size_t i = 0; i < sizeof always / sizeof always[0]; i++)
        if (is_named(entry, always[i]))
            return true;
    if (!bedrock_aws)
        return false;
    if (starts_with(entry, "AWS_"))
        return !starts_with(entry, "AWS_LAMBDA_") && !is_named(entry, "AWS_EXECUTION_ENV");
    for (size_t i = 0; i < sizeof for_aws / sizeof for_aws[0]; i++)
        if (is_named(entry, for_aws[i]))
            return true;
    return false;
}

static int set_own(struct environment *environment, const struct environment_facts *facts,
                   struct error *err)
{
    for (char *const *own = facts->own; *own != NULL; own++)
        if (passes(*own, facts->options->bedrock_aws) && set_entry(environment, *own, err) != 0)
            return -1;
    return 0;
}

/* The real Bedrock: the caller's Region, whichever of the two variables names it. */
static int set_region(struct environment *environment, const struct environment_facts *facts,
                      struct error *err)
{
    bool named = false;
    const char *fallback = NULL;
    for (char *const *own = facts->own; *own != NULL; own++) {
        named = named || is_named(*own, "AWS_REGION");
        if (is_named(*own, "AWS_DEFAULT_REGION"))
            fallback = strchr(*own, '=') + 1;
    }
    if (named || fallback == NULL)
        return 0;
    return environment_set(environment, "AWS_REGION", fallback, err);
}

/* "NAME" alone takes the value that this program has, if any. */
static int set_wished(struct environment *environment, const struct environment_facts *facts,
                      const char *wish, struct error *err)
{
    if (strchr(wish, '=') != NULL)
        return set_entry(environment, wish, err);
    for (char *const *own = facts->own; *own != NULL; own++)
        if (is_named(*own, wish))
            return set_entry(environment, *own, err);
    return 0;
}

int environment_for_sandbox(struct environment *environment, const struct environment_facts *facts,
                            struct error *err)
{
    const struct options *options = facts->options;
    if (set_lambda(environment, facts, err) != 0 ||
        (!options->bedrock_aws && set_stand_in(environment, facts, err) != 0) ||
        set_own(environment, facts, err) != 0 ||
        (options->bedrock_aws && set_region(environment, facts, err) != 0))
        return -1;
    for (size_t i = 0; i < options->variable_count; i++)
        if (set_wished(environment, facts, options->variables[i], err) != 0)
            return -1;
    return 0;
}
