#include "bedrock/answer.h"

#include <stdlib.h>
#include <string.h>

enum bedrock_stop answer_stop(const struct answer_stop_word *table, const char *word)
{
    for (; word != NULL && table->word != NULL; table++)
        if (strcmp(table->word, word) == 0)
            return table->stop;
    return BEDROCK_STOP_OTHER;
}

int answer_take_text(struct bedrock_answer *answer, struct buffer *buffer, struct error *err)
{
    if (buffer->data == NULL && buffer_append(buffer, "", 0, err) != 0)
        return -1;
    answer->text = buffer->data;
    answer->text_length = buffer->length;
    *buffer = (struct buffer){0};
    return 0;
}

const char *bedrock_stop_word(enum bedrock_stop stop)
{
    switch (stop) {
    case BEDROCK_STOP_END:
        return "end_turn";
    case BEDROCK_STOP_LENGTH:
        return "max_tokens";
    case BEDROCK_STOP_REFUSAL:
        return "refusal";
    case BEDROCK_STOP_OTHER:
        break;
    }
    return "other";
}
