#ifndef BEDROCK_ANSWER_H
#define BEDROCK_ANSWER_H

#include "base/buffer.h"
#include "base/error.h"
#include "bedrock/bedrock.h"

/* What the families' answers have in common. */

struct json_object;

/*
 * Ceiling of an answer's body, bytes. More than twice what fits into a reply of Lambda's, so that
 * JSON's escapes do not matter, and little enough for a sandbox of 128 MB.
 */
#define ANSWER_MAX (16U << 20)

/* A family's word for why the model stopped. */
struct answer_stop_word {
    const char *word;
    enum bedrock_stop stop;
};

/*
 * Looks `word` up in a table that ends with a NULL word: BEDROCK_STOP_OTHER when it is not there,
 * or is absent; ERROR_BAD_ANSWER when it is no string.
 */
int answer_read_stop(struct json_object *word, const struct answer_stop_word *table,
                     enum bedrock_stop *stop, struct error *err)
    __attribute__((warn_unused_result));

/*
 * Appends the member "text" of the blocks of an array. A block that has none, or whose "type" is
 * another (thoughts, tools), is passed over. ERROR_BAD_ANSWER when that is no array of objects, or
 * a text no string.
 */
int answer_join_blocks(struct json_object *blocks, struct buffer *out, struct error *err)
    __attribute__((warn_unused_result));

/* Gives the text of `buffer` to the answer and leaves the buffer empty. */
int answer_take_text(struct bedrock_answer *answer, struct buffer *buffer, struct error *err)
    __attribute__((warn_unused_result));

/* Both of them, for an answer that is nothing but blocks. */
int answer_read_blocks(struct json_object *blocks, struct bedrock_answer *answer, struct error *err)
    __attribute__((warn_unused_result));

#endif
