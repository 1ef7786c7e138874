#ifndef TESTS_SUPPORT_FAMILY_CASES_H
#define TESTS_SUPPORT_FAMILY_CASES_H

#include <stddef.h>
#include <stdint.h>

#include "bedrock/family.h"

/* What a family's tests have in common. */

/* An answer, and how it must read; `text` NULL: it must be refused as ERROR_BAD_ANSWER. */
struct family_case {
    const char *json;
    const char *text;
    enum bedrock_stop stop;
    int64_t input_tokens, output_tokens;
};

void family_check_answers(const struct family *family, const struct family_case *cases,
                          size_t count);

/* The body made of "Hi \"you\"", 100 tokens and temperature 0.5 must be this JSON. */
void family_check_request(const struct family *family, const char *model_id,
                          const char *system_prompt, const char *json);

#endif
