#include "bedrock/family.h"

#include <string.h>

static const struct family *const families[] = {&family_anthropic, &family_nova, &family_openai};

static const struct {
    const char *vendor;
    const struct family *family;
} vendors[] = {
    {"anthropic.", &family_anthropic}, {"amazon.nova", &family_nova}, {"openai.", &family_openai},
    {"deepseek.", &family_openai},     {"qwen.", &family_openai},     {"mistral.", &family_openai},
};

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static const struct family *of_provider(const char *provider)
{
    for (size_t i = 0; i < COUNT(families); i++)
        if (strcmp(families[i]->name, provider) == 0)
            return families[i];
    return NULL;
}

/* What follows the last slash of an ARN: "...:inference-profile/us.anthropic.x" ->
 * "us.anthropic.x". */
static const char *without_arn(const char *id)
{
    const char *slash = strncmp(id, "arn:", 4) == 0 ? strrchr(id, '/') : NULL;
    return slash != NULL ? slash + 1 : id;
}

static const struct family *of_vendor(const char *id)
{
    for (size_t i = 0; i < COUNT(vendors); i++)
        if (strncmp(id, vendors[i].vendor, strlen(vendors[i].vendor)) == 0)
            return vendors[i].family;
    return NULL;
}

const struct family *family_of(const struct settings *settings, struct error *err)
{
    if (settings->provider != NULL)
        return of_provider(settings->provider);
    const char *id = without_arn(settings->model_id);
    const struct family *family = of_vendor(id);
    const char *dot = strchr(id, '.');
    if (family == NULL && dot != NULL) /* a Region group: "us.", "global.", ... */
        family = of_vendor(dot + 1);
    if (family == NULL)
        error_set(err, ERROR_CONFIG,
                  "BEDROCK_MODEL_ID is \"%.128s\": its body format is not known; set "
                  "BEDROCK_PROVIDER to anthropic, nova or openai",
                  settings->model_id);
    return family;
}
