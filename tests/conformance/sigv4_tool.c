/*
 * Reads requests as tests/support/sigv4_case.h has them, one a line, and prints the Authorization
 * header of each, one a line. Used by compare_sigv4.py.
 */
#include <stdio.h>
#include <stdlib.h>

#include "tests/support/sigv4_case.h"

int main(void)
{
    char *line = NULL;
    size_t size = 0;
    while (getline(&line, &size, stdin) > 0) {
        struct error err = {0};
        struct json_object *request = json_tokener_parse(line);
        if (request == NULL) {
            (void)fprintf(stderr, "sigv4_tool: a line is no JSON\n");
            return 1;
        }
        char *authorization = sigv4_case_sign(request, &err);
        (void)printf("%s\n", authorization != NULL ? authorization : err.text);
        (void)fflush(stdout);
        free(authorization);
        json_object_put(request);
    }
    free(line);
    return 0;
}
