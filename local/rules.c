#include "local/rules.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "local/fault.h"
#include "local/text.h"

#define PER_MINUTE_MAX 1e9
#define LATENCY_MAX_S  900.0

void rules_free(struct rules *rules)
{
    free(rules->fault);
    *rules = (struct rules){0};
}

int rules_copy(struct rules *to, const struct rules *from, struct error *err)
{
    *to = *from;
    to->fault = from->fault != NULL ? strdup(from->fault) : NULL;
    if (from->fault != NULL && to->fault == NULL)
        return error_set(err, ERROR_MEMORY, "no memory for rules");
    return 0;
}

static int check_script(const char *script, struct error *err)
{
    struct fault_script parsed = {0};
    int result = fault_script_add(&parsed, script, err);
    fault_script_free(&parsed);
    return result;
}

static int set_fault(struct rules *rules, const char *script, struct error *err)
{
    if (check_script(script, err) != 0)
        return -1;
    char *copy = strdup(script);
    if (copy == NULL)
        return error_set(err, ERROR_MEMORY, "no memory for a fault script");
    free(rules->fault);
    rules->fault = copy;
    return 0;
}

int rules_add_fault(struct rules *rules, const char *script, struct error *err)
{
    if (rules->fault == NULL || rules->fault[0] == '\0')
        return set_fault(rules, script, err);
    char *joined = NULL;
    if (asprintf(&joined, "%s,%s", rules->fault, script) < 0)
        return error_set(err, ERROR_MEMORY, "no memory for a fault script");
    int result = set_fault(rules, joined, err);
    free(joined);
    return result;
}

static int set_quota(struct rules *rules, const char *value, struct error *err)
{
    bool sliding = strcmp(value, "sliding") == 0;
    if (!sliding && strcmp(value, "bucket") != 0)
        return error_set(err, ERROR_CONFIG, "quota \"%.32s\": it must be bucket or sliding", value);
    rules->quota = sliding ? QUOTA_SLIDING : QUOTA_BUCKET;
    return 0;
}

static int set_latency(struct rules *rules, const char *value, struct error *err)
{
    char least[32];
    const char *dash = strchr(value, '-');
    size_t length = dash != NULL ? (size_t)(dash - value) : strlen(value);
    (void)snprintf(least, sizeof least, "%.*s", length < sizeof least ? (int)length : 31, value);
    double from = 0;
    double to = 0;
    bool valid = text_number(least, 0, LATENCY_MAX_S, &from);
    to = from;
    if (dash != NULL)
        valid = valid && text_number(dash + 1, from, LATENCY_MAX_S, &to);
    if (!valid)
        return error_set(err, ERROR_CONFIG,
                         "latency \"%.32s\": it must be MIN or MIN-MAX, in seconds up to %g", value,
                         LATENCY_MAX_S);
    rules->least_latency_s = from;
    rules->most_latency_s = to;
    return 0;
}

static int set_per_minute(double *out, const char *name, const char *value, struct error *err)
{
    if (!text_number(value, 0, PER_MINUTE_MAX, out))
        return error_set(err, ERROR_CONFIG, "%s \"%.32s\": it must be a number from 0 to %g", name,
                         value, PER_MINUTE_MAX);
    return 0;
}

int rules_set(struct rules *rules, const char *name, const char *value, struct error *err)
{
    if (strcmp(name, "fault") == 0)
        return set_fault(rules, value, err);
    if (strcmp(name, "rpm") == 0)
        return set_per_minute(&rules->requests_per_minute, name, value, err);
    if (strcmp(name, "tpm") == 0)
        return set_per_minute(&rules->tokens_per_minute, name, value, err);
    if (strcmp(name, "quota") == 0)
        return set_quota(rules, value, err);
    if (strcmp(name, "latency") == 0)
        return set_latency(rules, value, err);
    return error_set(err, ERROR_CONFIG, "\"%.32s\" is none of fault, rpm, tpm, quota, latency",
                     name);
}
