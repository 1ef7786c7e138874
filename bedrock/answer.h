#ifndef BEDROCK_ANSWER_H
#define BEDROCK_ANSWER_H

#include <stddef.h>

#include "base/buffer.h"
#include "base/error.h"
#include "bedrock/bedrock.h"

#define ANSWER_MAX                                                                                 \
    (25U << 20) /* bytes of an answer that are read; Bedrock's own limit of a body                 \
                 */

/* A family's word for why the model stopped. */
struct answer_stop_word {
    const char *word;
    enum bedrock_stop stop;
};

/* BEDROCK_STOP_OTHER when the word is unknown or NULL. The table ends with a NULL word. */
enum bedrock_stop answer_stop(const struct answer_stop_word *table, const char *word);

/* Gives the text of `buffer` to the answer and leaves the buffer empty. */
int answer_take_text(struct bedrock_answer *answer, struct buffer *buffer, struct error *err)
    __attribute__((warn_unused_result));

#endif
