#include "local/model.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/strict_json.h"
#include "local/document.h"

#define TEXT_MAX         33554432
#define MESSAGE_OVERHEAD 8     /* tokens that a request costs besides its text */
#define MAX_TOKENS       64000 /* the model's own, when the caller names none */

/* The keys a family's body may have, separated by single spaces. */
static const char *const known_keys[] = {
    [MODEL_ANTHROPIC] = " anthropic_version anthropic_beta max_tokens messages system "
                        "stop_sequences temperature top_p top_k tools tool_choice thinking "
                        "metadata output_config ",
    [MODEL_NOVA] = " schemaVersion messages system inferenceConfig toolConfig "
                   "additionalModelRequestFields guardrailConfig ",
    [MODEL_OPENAI] = " model messages max_completion_tokens max_tokens temperature top_p stream "
                     "stop n seed user tools tool_choice response_format reasoning_effort "
                     "frequency_penalty presence_penalty logprobs top_logprobs stream_options "
                     "parallel_tool_calls metadata service_tier ",
};

void model_request_free(struct model_request *request)
{
    free(request->id);
    buffer_wipe(&request->text);
    *request = (struct model_request){0};
}

int64_t model_tokens(size_t bytes)
{
    return (int64_t)((bytes + 3) / 4);
}

double model_burndown(const struct model_request *request)
{
    const char *id = request->id;
    if (request->family != MODEL_ANTHROPIC || strstr(id, "claude") == NULL)
        return 1;
    static const char *const old[] = {"claude-v2",     "claude-instant",  "claude-3-haiku",
                                      "claude-3-opus", "claude-3-sonnet", "claude-3-5"};
    for (size_t i = 0; i < sizeof old / sizeof old[0]; i++)
        if (strstr(id, old[i]) != NULL)
            return 1;
    return 5;
}

static bool is_opaque(const char *id)
{
    return strstr(id, ":application-inference-profile/") != NULL;
}

/* The family that a model id names; for an opaque ARN the one whose body it is. */
static int find_family(const char *id, struct json_object *body, enum model_family *out)
{
    static const struct {
        const char *part;
        enum model_family family;
    } parts[] = {
        {"anthropic.", MODEL_ANTHROPIC}, {"amazon.nova", MODEL_NOVA}, {"openai.", MODEL_OPENAI}};
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        if (strstr(id, parts[i].part) != NULL) {
            *out = parts[i].family;
            return 0;
        }
    if (!is_opaque(id))
        return -1;
    *out = MODEL_OPENAI;
    if (document_member(body, "anthropic_version", json_type_string) != NULL)
        *out = MODEL_ANTHROPIC;
    if (document_member(body, "inferenceConfig", json_type_object) != NULL)
        *out = MODEL_NOVA;
    return 0;
}

static int check_keys(enum model_family family, struct json_object *body, struct error *err)
{
    json_object_object_foreach(body, key, value)
    {
        (void)value;
        char padded[64];
        int length = snprintf(padded, sizeof padded, " %s ", key);
        if (length >= (int)sizeof padded || strstr(known_keys[family], padded) == NULL)
            return error_set(err, ERROR_VALIDATION,
                             "Malformed input request: #: extraneous key [%.48s] is not permitted, "
                             "please reformat your input and try again.",
                             key);
    }
    return 0;
}

static int add_text(struct model_request *request, size_t *bytes, struct json_object *text,
                    const char *where, struct error *err)
{
    int length = json_object_get_string_len(text);
    if (!json_object_is_type(text, json_type_string) || length == 0)
        return error_set(err, ERROR_VALIDATION, "%s: text content blocks must be non-empty", where);
    *bytes += (size_t)length;
    return buffer_append(&request->text, json_object_get_string(text), (size_t)length, err);
}

/* A message's content: a string, or an array of blocks; `text` of the request becomes it. */
static int read_content(struct model_request *request, struct json_object *content, size_t *bytes,
                        const char *where, struct error *err)
{
    buffer_clear(&request->text);
    bool string_allowed = request->family != MODEL_NOVA;
    if (string_allowed && json_object_is_type(content, json_type_string))
        return add_text(request, bytes, content, where, err);
    if (!json_object_is_type(content, json_type_array) || json_object_array_length(content) == 0)
        return error_set(err, ERROR_VALIDATION, "%s: content is missing or of the wrong type",
                         where);
    for (size_t i = 0; i < json_object_array_length(content); i++) {
        struct json_object *block = json_object_array_get_idx(content, i);
        struct json_object *type = document_member(block, "type", json_type_string);
        if (request->family != MODEL_NOVA &&
            (type == NULL || strcmp(json_object_get_string(type), "text") != 0))
            return error_set(err, ERROR_VALIDATION, "%s: only text is understood here", where);
        struct json_object *text = document_member(block, "text", json_type_string);
        if (add_text(request, bytes, text, where, err) != 0)
            return -1;
    }
    return 0;
}

static bool role_fits(enum model_family family, struct json_object *role)
{
    if (role == NULL)
        return false;
    const char *name = json_object_get_string(role);
    if (strcmp(name, "user") == 0 || strcmp(name, "assistant") == 0)
        return true;
    return family == MODEL_OPENAI &&
           (strcmp(name, "system") == 0 || strcmp(name, "developer") == 0);
}

static int read_messages(struct model_request *request, struct json_object *body, size_t *bytes,
                         struct error *err)
{
    struct json_object *messages = document_member(body, "messages", json_type_array);
    if (messages == NULL || json_object_array_length(messages) == 0)
        return error_set(err, ERROR_VALIDATION, "messages: at least one message is required");
    for (size_t i = 0; i < json_object_array_length(messages); i++) {
        struct json_object *message = json_object_array_get_idx(messages, i);
        struct json_object *role = document_member(message, "role", json_type_string);
        char where[32];
        (void)snprintf(where, sizeof where, "messages.%zu", i);
        if (!role_fits(request->family, role))
            return error_set(err, ERROR_VALIDATION, "%s.role: it must be user or assistant", where);
        struct json_object *content = NULL;
        (void)json_object_object_get_ex(message, "content", &content);
        if (read_content(request, content, bytes, where, err) != 0)
            return -1;
    }
    return 0;
}

/* Anthropic: a string or text blocks; Nova: blocks. Its text only counts. */
static int read_system(struct model_request *request, struct json_object *body, size_t *bytes,
                       struct error *err)
{
    struct json_object *system = NULL;
    if (!json_object_object_get_ex(body, "system", &system))
        return 0;
    return read_content(request, system, bytes, "system", err);
}

static int read_limit(struct model_request *request, struct json_object *holder, const char *name,
                      bool required, struct error *err)
{
    struct json_object *limit = NULL;
    if (holder == NULL || !json_object_object_get_ex(holder, name, &limit)) {
        if (required)
            return error_set(err, ERROR_VALIDATION, "%s: Field required", name);
        return 0;
    }
    if (!json_object_is_type(limit, json_type_int) || json_object_get_int64(limit) < 1)
        return error_set(err, ERROR_VALIDATION, "%s: it must be an integer of at least 1", name);
    request->max_tokens = json_object_get_int64(limit);
    return 0;
}

static int check_temperature(struct json_object *holder, double most, struct error *err)
{
    struct json_object *temperature = NULL;
    if (holder == NULL || !json_object_object_get_ex(holder, "temperature", &temperature))
        return 0;
    bool number = json_object_is_type(temperature, json_type_int) ||
                  json_object_is_type(temperature, json_type_double);
    double value = json_object_get_double(temperature);
    if (!number || value < 0 || value > most)
        return error_set(err, ERROR_VALIDATION, "temperature: it must be from 0 to %g", most);
    return 0;
}

/* The parameters around the messages. */
static int read_parameters(struct model_request *request, struct json_object *body,
                           struct error *err)
{
    struct json_object *version = document_member(body, "anthropic_version", json_type_string);
    struct json_object *inference = document_member(body, "inferenceConfig", json_type_object);
    switch (request->family) {
    case MODEL_ANTHROPIC:
        if (version == NULL)
            return error_set(err, ERROR_VALIDATION, "anthropic_version: Field required");
        if (strcmp(json_object_get_string(version), "bedrock-2023-05-31") != 0)
            return error_set(err, ERROR_VALIDATION, "anthropic_version: unknown version");
        if (read_limit(request, body, "max_tokens", true, err) != 0)
            return -1;
        return check_temperature(body, 1, err);
    case MODEL_NOVA:
        if (read_limit(request, inference, "max_new_tokens", false, err) != 0 ||
            read_limit(request, inference, "maxTokens", false, err) != 0)
            return -1;
        return check_temperature(inference, 1, err);
    case MODEL_OPENAI:
        if (read_limit(request, body, "max_tokens", false, err) != 0 ||
            read_limit(request, body, "max_completion_tokens", false, err) != 0)
            return -1;
        return check_temperature(body, 2, err);
    }
    return error_set(err, ERROR_INTERNAL, "unknown family");
}

static int read_body(struct model_request *request, struct json_object *body, struct error *err)
{
    size_t bytes = 0;
    if (!json_object_is_type(body, json_type_object))
        return error_set(err, ERROR_VALIDATION,
                         "Malformed input request, please reformat your "
                         "input and try again.");
    if (find_family(request->id, body, &request->family) != 0)
        return error_set(err, ERROR_VALIDATION, "The provided model identifier is invalid.");
    if (check_keys(request->family, body, err) != 0 || read_parameters(request, body, err) != 0 ||
        read_system(request, body, &bytes, err) != 0 ||
        read_messages(request, body, &bytes, err) != 0)
        return -1;
    request->input_tokens = MESSAGE_OVERHEAD + model_tokens(bytes);
    return 0;
}

int model_read(struct model_request *request, const char *id, const char *body, size_t length,
               struct error *err)
{
    *request = (struct model_request){.max_tokens = MAX_TOKENS, .id = strdup(id)};
    buffer_init(&request->text, TEXT_MAX);
    if (request->id == NULL)
        return error_set(err, ERROR_MEMORY, "no memory for a model id");
    struct json_object *document = strict_json_parse(body, length, NULL);
    int result = read_body(request, document, err);
    json_object_put(document);
    if (result != 0)
        model_request_free(request);
    return result;
}
