#ifndef TESTS_SUPPORT_FAKE_HTTP_H
#define TESTS_SUPPORT_FAKE_HTTP_H

#include "aws/http.h"
#include "tests/support/fake_os.h"

/* One scripted answer. */
struct fake_answer {
    int status;              /* 0: fail with `failure` */
    const char *headers;     /* "name: value\n" lines; NULL: none */
    const char *body;        /* NULL: empty */
    size_t body_length;      /* 0: strlen(body) */
    enum error_kind failure; /* ERROR_CONNECTION, ERROR_READ_TIMEOUT, ... */
    int64_t takes_ns; /* moves the clock; longer than the request's time-out: ERROR_READ_TIMEOUT
                         after that time-out */
};

/* What was sent, copied. */
struct fake_sent {
    char *method, *url, *headers, *body; /* headers as "name: value\n" lines */
    size_t body_length;
    int64_t timeout_ns, read_timeout_ns, connect_timeout_ns;
    int64_t at_ns; /* now_ns() when it was sent */
};

#define FAKE_SENT_MAX 64

/* A transport that plays answers from an array in order; when they run out the last is repeated. */
struct fake_http {
    struct fake_os *os; /* NULL: no time passes */
    const struct fake_answer *answers;
    size_t answer_count;
    size_t calls; /* how many requests there were; the first FAKE_SENT_MAX are kept */
    struct fake_sent sent[FAKE_SENT_MAX];
    struct http_transport transport; /* hand out &fake.transport */
};

/* Do not move the struct afterwards. */
void fake_http_init(struct fake_http *fake, const struct fake_answer *answers, size_t count,
                    struct fake_os *os);
void fake_http_free(struct fake_http *fake);

#endif
