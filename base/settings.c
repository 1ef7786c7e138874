#include "base/settings.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/buffer.h"
#include "base/utf8.h"

enum type { STRING, SECRET, INTEGER, NUMBER, FLAG };

static const char *const type_names[] = {"string", "secret", "integer", "number", "true or false"};

/*
 * One row a variable. `fallback` is another variable to read when this one is unset; `initial` is
 * the default as text, NULL when there is none, and then `note` says what happens.
 */
struct row {
    const char *variable;
    enum type type;
    size_t offset;
    double least, most; /* of numbers; of a string's length: 0 to most */
    const char *initial;
    const char *unit;
    const char *fallback;
    const char *note;
    const char *meaning;
};

#define FIELD(name)     offsetof(struct settings, name)
#define NAME_MAX_LENGTH 2048

/* clang-format off */
static const struct row table[] = {
{"BEDROCK_MODEL_ID", STRING, FIELD(model_id), 0, NAME_MAX_LENGTH, "global.anthropic.claude-sonnet-4-5-20250929-v1:0", "", NULL, NULL,
 "Model, inference profile, or the ARN of either."},
{"BEDROCK_PROVIDER", STRING, FIELD(provider), 0, 32, NULL, "", NULL, "found from the model id",
 "Body format of the model: `anthropic`, `nova` or `openai`. Needed for the opaque ARNs of application inference profiles."},
{"BEDROCK_REGION", STRING, FIELD(region), 0, 64, "us-east-1", "", "AWS_REGION", "`AWS_REGION`, then `AWS_DEFAULT_REGION`, then `us-east-1`",
 "Region whose Bedrock is asked."},
{"BEDROCK_MAX_TOKENS", INTEGER, FIELD(max_tokens), 1, 1000000, "4096", "tokens", NULL, NULL,
 "Longest answer. Bedrock reserves this many tokens of the quota while the model works: keep it near what you need."},
{"BEDROCK_TEMPERATURE", NUMBER, FIELD(temperature), 0, 2, "0.0", "", NULL, NULL,
 "Sampling temperature. Models that refuse one get none: Claude after 4.6, GPT after gpt-oss, and Claude behind an opaque ARN."},
{"BEDROCK_SYSTEM_PROMPT", STRING, FIELD(system_prompt), 0, 1048576, NULL, "", NULL, "none",
 "System prompt sent with each message."},
{"BEDROCK_RATE_LIMIT", NUMBER, FIELD(rate_limit), 1, 100000, "30", "requests/min", NULL, NULL,
 "Refill rate of the token bucket. Every attempt takes a token, retries too."},
{"BEDROCK_BURST", NUMBER, FIELD(burst), 1, 100000, NULL, "requests", "BEDROCK_RATE_LIMIT", "= `BEDROCK_RATE_LIMIT`",
 "Capacity of the token bucket: how many requests may go at once after a quiet time."},
{"BEDROCK_RATE_TIMEOUT", NUMBER, FIELD(rate_timeout_s), 0, 900, "30", "s", NULL, NULL,
 "Longest wait for a token; also bounded by the deadline. A message that would wait longer is refused at once with 429."},
{"BEDROCK_MAX_RETRIES", INTEGER, FIELD(max_retries), 0, 100, "10", "retries", NULL, NULL,
 "Layer 1: retries of transient failures (5xx, connection, model not ready)."},
{"BEDROCK_BASE_DELAY", NUMBER, FIELD(base_delay_s), 0.001, 900, "1.0", "s", NULL, NULL,
 "Layer 1: the first retry waits up to this long; the bound doubles each time."},
{"BEDROCK_MAX_DELAY", NUMBER, FIELD(max_delay_s), 0.001, 3600, "60.0", "s", NULL, NULL,
 "Layer 1: longest wait before a retry. Not below `BEDROCK_BASE_DELAY`."},
{"BEDROCK_APP_RETRIES", INTEGER, FIELD(app_retries), 0, 100, "5", "retries", NULL, NULL,
 "Layer 2: retries of throttled calls."},
{"BEDROCK_APP_BASE_DELAY", NUMBER, FIELD(app_base_delay_s), 0.001, 900, "2.0", "s", NULL, NULL,
 "Layer 2: the first retry waits this long and up to half as much again; the wait doubles each time."},
{"BEDROCK_APP_MAX_DELAY", NUMBER, FIELD(app_max_delay_s), 0.001, 3600, "30.0", "s", NULL, NULL,
 "Layer 2: longest wait before jitter. Not below `BEDROCK_APP_BASE_DELAY`."},
{"BEDROCK_CONNECT_TIMEOUT", NUMBER, FIELD(connect_timeout_s), 0.01, 900, "10", "s", NULL, NULL,
 "Longest time to connect, TLS included, of one attempt; within the deadline."},
{"BEDROCK_READ_TIMEOUT", NUMBER, FIELD(read_timeout_s), 0.01, 900, "120", "s", NULL, NULL,
 "Longest time to wait for the model's answer, of one attempt; within the deadline."},
{"BEDROCK_EXPECTED_LATENCY", NUMBER, FIELD(expected_latency_s), 0, 900, "3", "s", NULL, NULL,
 "Time a model call is expected to take. A wait that would leave less than this before the deadline is refused at once with 429."},
{"AGENT_RESPONSE_TIMEOUT", NUMBER, FIELD(response_timeout_s), 0, 900, "28.5", "s", NULL, "28.5 behind API Gateway, otherwise 0",
 "A reply leaves within this time, counted from the gateway's timestamp. 0: only the Lambda deadline counts."},
{"AGENT_ENABLE_SIGTERM", FLAG, FIELD(enable_sigterm), 0, 0, "false", "", NULL, NULL,
 "Registers an internal extension at start, so that Lambda sends SIGTERM before it stops the sandbox."},
{"AGENT_METRICS_NAMESPACE", STRING, FIELD(metrics_namespace), 0, 255, "Weir", "", NULL, NULL,
 "CloudWatch namespace of the metrics: letters, digits and `.-_/#:`, at most 255 characters, not beginning with `AWS/` or `:`."},
{"AWS_ENDPOINT_URL_BEDROCK_RUNTIME", STRING, FIELD(endpoint), 0, NAME_MAX_LENGTH, NULL, "", "AWS_ENDPOINT_URL", "`AWS_ENDPOINT_URL`, then the Region's endpoint",
 "Where Bedrock is, `http://` or `https://`."},
{"AWS_CA_BUNDLE", STRING, FIELD(ca_bundle), 0, NAME_MAX_LENGTH, NULL, "", "SSL_CERT_FILE", "`SSL_CERT_FILE`, then the Amazon roots compiled in, or the system's bundle for other hosts",
 "File of CA certificates (PEM) that vouch for servers."},
{"AWS_BEARER_TOKEN_BEDROCK", SECRET, FIELD(bearer_token), 0, 16384, NULL, "", NULL, "none",
 "Bedrock API key; used instead of a signature."},
{"AWS_ACCESS_KEY_ID", STRING, FIELD(access_key_id), 0, 256, NULL, "", NULL, "none", "Credentials; Lambda sets them."},
{"AWS_SECRET_ACCESS_KEY", SECRET, FIELD(secret_access_key), 0, 256, NULL, "", NULL, "none", "Credentials."},
{"AWS_SESSION_TOKEN", SECRET, FIELD(session_token), 0, 16384, NULL, "", NULL, "none", "Credentials."},
{"AWS_CONTAINER_CREDENTIALS_FULL_URI", STRING, FIELD(container_uri), 0, NAME_MAX_LENGTH, NULL, "", NULL, "none", "Container credentials endpoint."},
{"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", STRING, FIELD(container_relative_uri), 0, NAME_MAX_LENGTH, NULL, "", NULL, "none", "The same, on 169.254.170.2."},
{"AWS_CONTAINER_AUTHORIZATION_TOKEN", SECRET, FIELD(container_token), 0, 16384, NULL, "", NULL, "none", "Token for that endpoint."},
{"AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", STRING, FIELD(container_token_file), 0, NAME_MAX_LENGTH, NULL, "", NULL, "none", "File that holds that token."},
{"AWS_PROFILE", STRING, FIELD(profile), 0, 256, "default", "", NULL, NULL, "Section of the shared files; for local use."},
{"AWS_SHARED_CREDENTIALS_FILE", STRING, FIELD(credentials_file), 0, NAME_MAX_LENGTH, NULL, "", NULL, "`~/.aws/credentials`", "Shared credentials file."},
{"AWS_CONFIG_FILE", STRING, FIELD(config_file), 0, NAME_MAX_LENGTH, NULL, "", NULL, "`~/.aws/config`", "Shared config file."},
{"HOME", STRING, FIELD(home), 0, NAME_MAX_LENGTH, NULL, "", NULL, "none", "Where `~` is."},
{"AWS_LAMBDA_RUNTIME_API", STRING, FIELD(runtime_api), 0, 256, NULL, "host:port", NULL, "Lambda, or `build/local`, sets it", "The Runtime API."},
{"AWS_LAMBDA_INITIALIZATION_TYPE", STRING, FIELD(initialization_type), 0, 64, NULL, "", NULL, "none", "Lambda sets it; `snap-start` waits for the restore."},
{"AWS_LAMBDA_FUNCTION_NAME", STRING, FIELD(function_name), 0, 256, "unknown", "", NULL, NULL, "Lambda sets it; the metrics carry it."},
{"AWS_LAMBDA_LOG_LEVEL", STRING, FIELD(log_level), 0, 16, "INFO", "", NULL, NULL,
 "TRACE, DEBUG, INFO, WARN, ERROR or FATAL: lines below it are not written; metrics always are. Anything else counts as INFO."},
{"AWS_LAMBDA_LOG_FORMAT", STRING, FIELD(log_format), 0, 16, "JSON", "", NULL, NULL,
 "Text: one line of text each, and the metrics on lines of their own. Anything else counts as JSON, one object a line."},
};
/* clang-format on */

#define ROWS (sizeof table / sizeof table[0])

static void *field_of(const struct settings *settings, const struct row *row)
{
    return (char *)(uintptr_t)settings + row->offset;
}

static const char *environment_get(void *context, const char *variable)
{
    (void)context;
    return getenv(variable); /* NOLINT(concurrency-mt-unsafe): before any thread */
}

struct settings_source settings_from_environment(void)
{
    return (struct settings_source){.get = environment_get};
}

static const char *get(struct settings_source source, const char *variable)
{
    const char *value = source.get(source.context, variable);
    return value != NULL && value[0] != '\0' ? value : NULL;
}

static int bad_value(const struct row *row, const char *value, struct error *err)
{
    if (row->type == FLAG)
        return error_set(err, ERROR_CONFIG, "%s is \"%.32s\"; it must be true or false",
                         row->variable, value);
    return error_set(err, ERROR_CONFIG, "%s is \"%.32s\"; it must be %s %s from %.10g to %.10g%s%s",
                     row->variable, value, row->type == INTEGER ? "an" : "a", type_names[row->type],
                     row->least, row->most, row->unit[0] ? " " : "", row->unit);
}

static int parse_number(const struct row *row, const char *value, double *out, struct error *err)
{
    /* Decimal only: strtod() would also take "nan", "inf" and "0x1p4". */
    if (value[strspn(value, "0123456789+-.eE")] != '\0')
        return bad_value(row, value, err);
    char *end = NULL;
    errno = 0;
    *out = strtod(value, &end);
    if (errno != 0 || *end != '\0' || !(*out >= row->least && *out <= row->most))
        return bad_value(row, value, err);
    if (row->type == INTEGER && *out != floor(*out))
        return bad_value(row, value, err);
    return 0;
}

static int set_string(const struct row *row, const char *value, char **out, struct error *err)
{
    size_t length = strlen(value);
    if ((double)length > row->most)
        return error_set(err, ERROR_CONFIG, "%s has %zu bytes; it may have %.0f", row->variable,
                         length, row->most);
    if (!utf8_is_valid(value, length)) /* it could not be sent */
        return error_set(err, ERROR_CONFIG, "%s is not UTF-8", row->variable);
    *out = strdup(value);
    if (*out == NULL)
        return error_set(err, ERROR_MEMORY, "no memory for %s", row->variable);
    return 0;
}

static int set_field(struct settings *settings, const struct row *row, const char *value,
                     struct error *err)
{
    void *field = field_of(settings, row);
    double number = 0;
    switch (row->type) {
    case STRING:
    case SECRET:
        return set_string(row, value, field, err);
    case INTEGER:
        if (parse_number(row, value, &number, err) != 0)
            return -1;
        *(int *)field = (int)number;
        return 0;
    case NUMBER:
        return parse_number(row, value, field, err);
    case FLAG:
        if (strcasecmp(value, "true") != 0 && strcasecmp(value, "false") != 0)
            return bad_value(row, value, err);
        *(bool *)field = strcasecmp(value, "true") == 0;
        return 0;
    }
    return 0;
}

/* The value that is in force, and in `row` the variable that it was read from. */
static const char *find_value(struct row *row, struct settings_source source)
{
    static const char *const default_region = "AWS_DEFAULT_REGION";
    const bool is_region = strcmp(row->variable, "BEDROCK_REGION") == 0;
    const char *const candidates[] = {row->variable, row->fallback,
                                      is_region ? default_region : NULL};
    for (size_t i = 0; i < sizeof candidates / sizeof candidates[0]; i++) {
        const char *value = candidates[i] != NULL ? get(source, candidates[i]) : NULL;
        if (value == NULL)
            continue;
        row->variable = candidates[i];
        return value;
    }
    return row->initial;
}

static int load_row(struct settings *settings, const struct row *row, struct settings_source source,
                    struct error *err)
{
    struct row found = *row;
    const char *value = find_value(&found, source);
    return value != NULL ? set_field(settings, &found, value, err) : 0;
}

static int check_pair(const char *low_name, double low, const char *high_name, double high,
                      struct error *err)
{
    if (high >= low)
        return 0;
    return error_set(err, ERROR_CONFIG, "%s is \"%.10g\"; it must not be below %s, which is %.10g",
                     high_name, high, low_name, low);
}

/* CloudWatch's rules; it would drop the metrics without a word. */
static int check_namespace(const char *name, struct error *err)
{
    static const char characters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                     "0123456789.-_/#:";
    if (name[strspn(name, characters)] == '\0' && name[0] != ':' && strncmp(name, "AWS/", 4) != 0)
        return 0;
    return error_set(err, ERROR_CONFIG,
                     "AGENT_METRICS_NAMESPACE is \"%.32s\"; it must be of letters, digits and "
                     ".-_/#: and not begin with AWS/ or a colon",
                     name);
}

static int check(const struct settings *s, struct error *err)
{
    if (check_namespace(s->metrics_namespace, err) != 0)
        return -1;
    if (check_pair("BEDROCK_BASE_DELAY", s->base_delay_s, "BEDROCK_MAX_DELAY", s->max_delay_s,
                   err) != 0)
        return -1;
    return check_pair("BEDROCK_APP_BASE_DELAY", s->app_base_delay_s, "BEDROCK_APP_MAX_DELAY",
                      s->app_max_delay_s, err);
}

int settings_load(struct settings *settings, struct settings_source source, struct error *err)
{
    *settings = (struct settings){0};
    for (size_t i = 0; i < ROWS; i++) {
        if (load_row(settings, &table[i], source, err) != 0) {
            settings_free(settings);
            return -1;
        }
    }
    if (settings->burst == 0) /* the limit's own default is not a variable that can be read */
        settings->burst = settings->rate_limit;
    settings->response_timeout_set = get(source, "AGENT_RESPONSE_TIMEOUT") != NULL;
    if (check(settings, err) != 0) {
        settings_free(settings);
        return -1;
    }
    return 0;
}

void settings_free(struct settings *settings)
{
    for (size_t i = 0; i < ROWS; i++) {
        if (table[i].type == STRING || table[i].type == SECRET)
            wipe_string(*(char **)field_of(settings, &table[i]));
    }
    *settings = (struct settings){0};
}

/* A line break in a value would begin another setting. */
static void print_string(const char *string, FILE *out)
{
    for (; string != NULL && *string != '\0'; string++) {
        if (*string == '\n')
            (void)fputs("\\n", out);
        else if (iscntrl((unsigned char)*string))
            (void)fprintf(out, "\\x%02x", (unsigned char)*string);
        else
            (void)fputc(*string, out);
    }
}

static void print_value(const struct settings *settings, const struct row *row, FILE *out)
{
    const void *field = field_of(settings, row);
    switch (row->type) {
    case STRING:
        print_string(*(char *const *)field, out);
        return;
    case SECRET:
        (void)fprintf(out, "%s", *(char *const *)field != NULL ? "(set)" : "");
        return;
    case INTEGER:
        (void)fprintf(out, "%d", *(const int *)field);
        return;
    case NUMBER:
        (void)fprintf(out, "%.10g", *(const double *)field);
        return;
    case FLAG:
        (void)fprintf(out, "%s", *(const bool *)field ? "true" : "false");
        return;
    }
}

void settings_print(const struct settings *settings, FILE *out)
{
    for (size_t i = 0; i < ROWS; i++) {
        (void)fprintf(out, "%s=", table[i].variable);
        print_value(settings, &table[i], out);
        (void)fprintf(out, "\n");
    }
}

static void print_markdown_row(const struct row *row, FILE *out)
{
    (void)fprintf(out, "| `%s` | %s", row->variable, type_names[row->type]);
    if (row->type == INTEGER || row->type == NUMBER)
        (void)fprintf(out, ", %.10g to %.10g", row->least, row->most);
    if (row->note != NULL)
        (void)fprintf(out, " | %s", row->note);
    else
        (void)fprintf(out, " | `%s`", row->initial);
    (void)fprintf(out, " | %s | %s |\n", row->unit, row->meaning);
}

void settings_print_markdown(FILE *out)
{
    (void)fprintf(out, "# Configuration\n\n"
                       "Everything is set by environment variables. An empty variable counts as "
                       "unset. A value that does not\nparse, or is out of range, stops the start "
                       "with a log line that names the variable, the value and the\nrange. "
                       "`build/bootstrap --print-config` prints the settings in force.\n\n"
                       "This page is generated by `make docs`; do not edit it.\n\n"
                       "| variable | type and range | default | unit | meaning |\n"
                       "|---|---|---|---|---|\n");
    for (size_t i = 0; i < ROWS; i++)
        print_markdown_row(&table[i], out);
}
