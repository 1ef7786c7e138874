#ifndef BASE_LOG_TEXT_H
#define BASE_LOG_TEXT_H

#include "base/buffer.h"

struct json_object;

/*
 * A line of the log as text, for AWS_LAMBDA_LOG_FORMAT=Text:
 *   2026-11-24T12:00:00.000Z WARN <requestId> <message> session_id=s-1 kind=throttled wait_s=3.500
 * "-" stands for an unknown request id. A value is quoted when it has a space, a quote, a backslash
 * or an equals sign, or nothing at all. Control characters are written as \n, \r, \t or \u001b,
 * so that nothing ends the line before its end.
 */

/* Appends `line`, a JSON object as log.h describes it, with a line break. */
int log_text_append(struct json_object *line, struct buffer *out, struct error *err)
    __attribute__((warn_unused_result));

#endif
