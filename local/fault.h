#ifndef LOCAL_FAULT_H
#define LOCAL_FAULT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "base/error.h"

/*
 * What the Bedrock stand-in does instead of answering, as a script: one item is used up by each
 * model request, and after the last one everything is answered.
 *
 *     script   = item { "," item }
 *     item     = name [ "=" number ] { ":" modifier } [ "*" [ count ] ]
 *     modifier = "retry-after=" seconds | "retry-after-ms=" ms | "after=" seconds
 *
 * "*3" stands for three times, "*" alone for ever. Spaces around items do not count. The names are
 * in the table of fault.c; fault_print_names() lists them. Pure: no clock, no I/O, no locks.
 */

enum fault_kind {
    FAULT_NONE,        /* answer as asked */
    FAULT_ERROR,       /* an error of the service: status, type, message */
    FAULT_BARE,        /* a status without a type; the number is the status when the row has none */
    FAULT_HINT,        /* 503 with the queue's delay of `number` ms in its body */
    FAULT_MODEL,       /* 424 with the model's own status `number` */
    FAULT_CUT,         /* close without a byte */
    FAULT_RESET,       /* the same with a TCP reset */
    FAULT_HALF,        /* close in the middle of the body */
    FAULT_THEN_CLOSE,  /* answer, then close the kept connection without having said so */
    FAULT_HANG,        /* never answer */
    FAULT_SLOW,        /* answer after `number` seconds */
    FAULT_DRIP,        /* answer, the body spread over `number` seconds */
    FAULT_RAW,         /* bytes that are no HTTP */
    FAULT_HTML,        /* 200 with a web page */
    FAULT_NOT_JSON,    /* 200 with a body that is cut but complete for HTTP */
    FAULT_WRONG_SHAPE, /* 200 with JSON that is no model's answer */
    FAULT_ANSWER,      /* an answer of an unusual kind: see `answer` */
};

enum fault_answer {
    ANSWER_PLAIN,
    ANSWER_EMPTY,       /* no text, normal stop */
    ANSWER_REFUSAL,     /* the model declined */
    ANSWER_GUARDRAIL,   /* a guardrail stepped in */
    ANSWER_FILTERED,    /* a content filter stepped in */
    ANSWER_MAX_TOKENS,  /* cut at the longest answer */
    ANSWER_TOOL_USE,    /* asks for a tool */
    ANSWER_MULTI_BLOCK, /* the text in several blocks */
    ANSWER_REASONING,   /* reasoning before the text */
    ANSWER_HUGE,        /* `number` bytes of text */
    ANSWER_NO_USAGE,    /* without any token counts */
    ANSWER_NO_COUNTS,   /* without the token count headers */
};

/* A name's meaning. */
struct fault_row {
    const char *name;
    enum fault_kind kind;
    int status;
    const char *type;    /* exception name; NULL: none */
    const char *message; /* of the error */
    enum fault_answer answer;
    const char *unit; /* of the number that may follow "="; NULL: none may */
    double initial;   /* the number when none follows */
    double least, most;
    const char *meaning; /* for --help; NULL: the message says it */
};

struct fault {
    const struct fault_row *row;
    double number;
    long retry_after_s;  /* -1: no Retry-After */
    long retry_after_ms; /* -1: no x-amz-retry-after */
    double after_s;      /* wait first */
    long times;          /* how often, or FAULT_FOR_EVER */
};

#define FAULT_FOR_EVER 0

/* Zeroed: empty. */
struct fault_script {
    struct fault *items;
    size_t count;
    size_t at; /* the item in force */
    long used; /* how often it was */
};

void fault_script_free(struct fault_script *script);

/* Appends what `text` says. ERROR_CONFIG with a text that names the item; the script is then as it
 * was before. An empty text adds nothing. */
int fault_script_add(struct fault_script *script, const char *text, struct error *err)
    __attribute__((warn_unused_result));

/* The next fault, or NULL when the script is over. Borrowed. */
const struct fault *fault_script_next(struct fault_script *script);

/* Back to the beginning. */
void fault_script_rewind(struct fault_script *script);

void fault_print_names(FILE *out);

#endif
