#ifndef BASE_SETTINGS_H
#define BASE_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "base/error.h"

/*
 * All settings, from environment variables, in one table (settings.c). The parser, `bootstrap
 * --print-config` and docs/configuration.md come from it. An empty variable counts as unset. What
 * does not parse, or is out of range, stops the start.
 *
 * Strings are owned by the struct and NULL when unset (unless the table has a default). Durations
 * are in seconds, as the variables are.
 */
struct settings {
    /* the model */
    char *model_id;
    char *provider; /* "anthropic", "nova", "openai"; NULL: found from model_id */
    char *region;
    int max_tokens;
    double temperature;
    char *system_prompt;
    /* the token bucket */
    double rate_limit; /* requests per minute */
    double burst;      /* requests */
    double rate_timeout_s;
    /* layer 1 */
    int max_retries;
    double base_delay_s;
    double max_delay_s;
    /* layer 2 */
    int app_retries;
    double app_base_delay_s;
    double app_max_delay_s;
    /* time */
    double connect_timeout_s;
    double read_timeout_s;
    double response_timeout_s; /* 0: only the Lambda deadline */
    bool response_timeout_set; /* false: the default, for events from API Gateway only */
    double expected_latency_s;
    /* AWS, as the SDKs read them */
    char *endpoint;     /* AWS_ENDPOINT_URL_BEDROCK_RUNTIME, else AWS_ENDPOINT_URL */
    char *ca_bundle;    /* AWS_CA_BUNDLE, else SSL_CERT_FILE */
    char *bearer_token; /* secret */
    char *access_key_id;
    char *secret_access_key;      /* secret */
    char *session_token;          /* secret */
    char *container_uri;          /* AWS_CONTAINER_CREDENTIALS_FULL_URI */
    char *container_relative_uri; /* AWS_CONTAINER_CREDENTIALS_RELATIVE_URI */
    char *container_token;        /* secret; AWS_CONTAINER_AUTHORIZATION_TOKEN */
    char *container_token_file;   /* AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE */
    char *profile;
    char *credentials_file; /* AWS_SHARED_CREDENTIALS_FILE, default ~/.aws/credentials */
    char *config_file;      /* AWS_CONFIG_FILE, default ~/.aws/config */
    char *home;
    /* Lambda */
    char *runtime_api; /* host:port */
    char *initialization_type;
    char *function_name;
    char *log_level;
    char *log_format;
    char *metrics_namespace;
    bool enable_sigterm;
};

/* Where variables come from: getenv() in the program, an array in tests. NULL when unset. */
struct settings_source {
    const char *(*get)(void *context, const char *variable);
    void *context;
};

struct settings_source settings_from_environment(void);

/* Fails with ERROR_CONFIG and a text naming the variable that was read, its value and the range. On
 * failure the struct is freed. */
int settings_load(struct settings *settings, struct settings_source source, struct error *err)
    __attribute__((warn_unused_result));

/* Wipes the secrets and frees the strings. A zeroed struct is fine. */
void settings_free(struct settings *settings);

/* The settings in force, one `VARIABLE=value` a line; secrets as "(set)", line breaks as "\n". */
void settings_print(const struct settings *settings, FILE *out);

/* docs/configuration.md: the table with types, ranges, defaults, units and meanings. */
void settings_print_markdown(FILE *out);

#endif
