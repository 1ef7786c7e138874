#ifndef BASE_OUTCOME_H
#define BASE_OUTCOME_H

/*
 * What became of a request, by the status of its reply: error_outcome() in base/error.h.
 * X(OUTCOME, word in the log)
 */
#define REQUEST_OUTCOMES(X)                                                                        \
    X(ANSWERED, "answered")                                                                        \
    X(REFUSED, "refused")                                                                          \
    X(TIMED_OUT, "timed_out")                                                                      \
    X(REJECTED, "rejected") /* the caller's fault */                                               \
    X(FAILED, "failed")                                                                            \
    X(UNAVAILABLE, "unavailable")

enum request_outcome {
#define OUTCOME_ENUM(outcome, word) REQUEST_##outcome,
    REQUEST_OUTCOMES(OUTCOME_ENUM)
#undef OUTCOME_ENUM
        REQUEST_OUTCOME_COUNT
};

#endif
