#include "bedrock/family.h"

#include <string.h>

static const struct family *const families[] = {&family_anthropic, &family_nova, &family_openai};

static const struct {
    const char *vendor;
    const struct family *family;
} vendors[] = {
    {"anthropic.", &family_anthropic}, {"amazon.nova", &family_nova},
    {"openai.", &family_openai},       {"deepseek.", &family_openai},
    {"qwen.", &family_openai},         {"mistral.", &family_openai},
    {"moonshot.", &family_openai},     {"moonshotai.", &family_openai},
    {"minimax.", &family_openai},      {"google.gemma-", &family_openai},
};

#define COUNT(array) (sizeof(array) / sizeof(array)[0])
#define NO_VENDOR    COUNT(vendors)

static const struct family *of_provider(const char *provider, struct error *err)
{
    for (size_t i = 0; i < COUNT(families); i++)
        if (strcmp(families[i]->name, provider) == 0)
            return families[i];
    error_set(err, ERROR_CONFIG,
              "BEDROCK_PROVIDER is \"%.32s\"; it must be anthropic, nova or openai", provider);
    return NULL;
}

static int starts_with(const char *text, const char *start)
{
    return strncmp(text, start, strlen(start)) == 0;
}

/* "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.anthropic.x" -> "us.anthropic.x" */
static const char *without_arn(const char *id)
{
    static const char *const kinds[] = {"foundation-model/", "inference-profile/"};
    if (!starts_with(id, "arn:"))
        return id;
    const char *resource = id;
    for (int colons = 0; colons < 5 && resource != NULL; colons++) {
        resource = strchr(resource, ':');
        if (resource != NULL)
            resource++;
    }
    for (size_t i = 0; i < COUNT(kinds); i++)
        if (resource != NULL && starts_with(resource, kinds[i]))
            return resource + strlen(kinds[i]);
    return "";
}

static size_t vendor_of(const char *name)
{
    for (size_t i = 0; i < COUNT(vendors); i++)
        if (starts_with(name, vendors[i].vendor))
            return i;
    return NO_VENDOR;
}

const char *family_model_name(const char *model_id)
{
    const char *name = without_arn(model_id);
    const char *dot = strchr(name, '.');
    if (vendor_of(name) == NO_VENDOR && dot != NULL && vendor_of(dot + 1) != NO_VENDOR)
        return dot + 1; /* behind a group of Regions: "us.", "global.", ... */
    return name;
}

const struct family *family_of(const struct settings *settings, struct error *err)
{
    if (settings->provider != NULL)
        return of_provider(settings->provider, err);
    size_t vendor = vendor_of(family_model_name(settings->model_id));
    if (vendor != NO_VENDOR)
        return vendors[vendor].family;
    error_set(err, ERROR_CONFIG,
              "BEDROCK_MODEL_ID is \"%.128s\": its body format cannot be told from that; set "
              "BEDROCK_PROVIDER to anthropic, nova or openai",
              settings->model_id);
    return NULL;
}
