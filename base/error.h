#ifndef BASE_ERROR_H
#define BASE_ERROR_H

#include <stdbool.h>

#include "base/outcome.h"

/*
 * Every failure the program knows, in one table. Nothing else holds a status of our replies, a code
 * word or an exception name of Bedrock's.
 *
 * Idiom: a function that can fail returns 0 or -1 and takes a `struct error *` as its last
 * argument. The caller owns it; error_set() fills it and returns -1, so that `return
 * error_set(...)` reads as one sentence. `text` is for the log: it names things and numbers, never
 * payloads or secrets, and it does not go to callers over HTTP, who get the table's sentence. The
 * one exception is ERROR_INVALID_REQUEST, whose text says what is wrong with the caller's own
 * request.
 */

/* Which retry layer answers for a failure (../docs/bedrock-throttling-mitigation.md). */
enum error_retry {
    RETRY_NEVER,
    RETRY_SDK,      /* layer 1: transient faults, full jitter, retry quota */
    RETRY_SDK_ONCE, /* layer 1, one retry at most */
    RETRY_APP,      /* layer 2: throttles */
};

#define ERROR_SENTENCE_INTERNAL "Something went wrong on our side. The request id helps us find it."
#define ERROR_SENTENCE_MODEL    "The model is not available right now. Please try again later."
#define ERROR_SENTENCE_THROTTLE                                                                    \
    "The model's quota is used up for the moment. Please try again later."
#define ERROR_SENTENCE_TIME "The model did not answer in time. Please try again."

/*
 * X(KIND, word, status, retry, code, sentence, names)
 * word      names the kind in logs and metrics
 * status    of our reply; 0 where no HTTP reply is made of it
 * code      the word a calling program sees; sentence is what a person sees
 * names     the services' exception names, separated by single spaces
 */
#define ERROR_KINDS(X)                                                                             \
    X(NONE, "none", 0, RETRY_NEVER, "", "", "")                                                    \
    /* the caller's */                                                                             \
    X(INVALID_REQUEST, "invalid_request", 400, RETRY_NEVER, "invalid_request",                     \
      "The request is not valid.", "")                                                             \
    X(NO_SUCH_PATH, "no_such_path", 404, RETRY_NEVER, "not_found",                                 \
      "There is nothing here. POST a message to /agent.", "")                                      \
    X(WRONG_METHOD, "wrong_method", 405, RETRY_NEVER, "method_not_allowed",                        \
      "This method is not allowed here.", "")                                                      \
    /* ours: the limiter and the clock */                                                          \
    X(RATE_LIMITED, "rate_limited", 429, RETRY_NEVER, "rate_limited",                              \
      "Too many requests for the moment. Please try again later.", "")                             \
    X(CIRCUIT_OPEN, "circuit_open", 503, RETRY_NEVER, "circuit_open", ERROR_SENTENCE_MODEL, "")    \
    X(DEADLINE, "deadline", 504, RETRY_NEVER, "timeout", ERROR_SENTENCE_TIME, "")                  \
    /* Bedrock's throttles */                                                                      \
    X(THROTTLED, "throttled", 429, RETRY_APP, "throttled", ERROR_SENTENCE_THROTTLE,                \
      "ThrottlingException TooManyRequestsException ProvisionedThroughputExceededException "       \
      "Throttling ThrottledException RequestThrottledException RequestThrottled "                  \
      "RequestLimitExceeded BandwidthLimitExceeded LimitExceededException SlowDown "               \
      "TransactionInProgressException EC2ThrottledException")                                      \
    X(THROTTLED_TOKENS, "throttled_tokens", 429, RETRY_APP, "throttled", ERROR_SENTENCE_THROTTLE,  \
      "")                                                                                          \
    X(THROTTLED_DAY, "throttled_day", 429, RETRY_NEVER, "daily_quota",                             \
      "The model's quota for today is used up.", "")                                               \
    X(QUOTA_EXCEEDED, "quota_exceeded", 429, RETRY_NEVER, "quota_exceeded",                        \
      ERROR_SENTENCE_THROTTLE, "ServiceQuotaExceededException")                                    \
    /* Bedrock's faults that pass */                                                               \
    X(MODEL_NOT_READY, "model_not_ready", 500, RETRY_SDK, "model_unavailable",                     \
      ERROR_SENTENCE_MODEL, "ModelNotReadyException")                                              \
    X(UNAVAILABLE, "service_unavailable", 500, RETRY_SDK, "model_unavailable",                     \
      ERROR_SENTENCE_MODEL, "ServiceUnavailableException ServiceUnavailable")                      \
    X(SERVER_FAULT, "server_fault", 500, RETRY_SDK, "model_unavailable", ERROR_SENTENCE_MODEL,     \
      "InternalServerException InternalServerError InternalFailure InternalServerFailure "         \
      "RequestTimeout RequestTimeoutException PriorRequestNotComplete")                            \
    X(CONNECTION, "connection_failed", 500, RETRY_SDK, "model_unavailable", ERROR_SENTENCE_MODEL,  \
      "")                                                                                          \
    X(UNTRUSTED, "untrusted_server", 500, RETRY_NEVER, "internal_error", ERROR_SENTENCE_INTERNAL,  \
      "")                                                                                          \
    X(MODEL_FAULT, "model_fault", 500, RETRY_SDK_ONCE, "model_unavailable", ERROR_SENTENCE_MODEL,  \
      "")                                                                                          \
    /* Bedrock's faults that stay */                                                               \
    X(MODEL_ERROR, "model_error", 500, RETRY_NEVER, "model_error", ERROR_SENTENCE_MODEL,           \
      "ModelErrorException ModelStreamErrorException")                                             \
    X(MODEL_TIMEOUT, "model_timeout", 504, RETRY_NEVER, "timeout", ERROR_SENTENCE_TIME,            \
      "ModelTimeoutException")                                                                     \
    X(READ_TIMEOUT, "read_timeout", 504, RETRY_NEVER, "timeout", ERROR_SENTENCE_TIME, "")          \
    X(VALIDATION, "validation", 500, RETRY_NEVER, "internal_error", ERROR_SENTENCE_INTERNAL,       \
      "ValidationException IncompleteSignature IncompleteSignatureException InvalidAction "        \
      "RequestExpired SerializationException")                                                     \
    X(ACCESS_DENIED, "access_denied", 500, RETRY_NEVER, "internal_error", ERROR_SENTENCE_INTERNAL, \
      "AccessDeniedException InvalidClientTokenId UnrecognizedClientException "                    \
      "ExpiredTokenException InvalidSignatureException MissingAuthenticationTokenException "       \
      "NotAuthorized MPAgreementBeingCreated")                                                     \
    X(NO_SUCH_MODEL, "no_such_model", 500, RETRY_NEVER, "internal_error", ERROR_SENTENCE_INTERNAL, \
      "ResourceNotFoundException UnknownOperationException FTUFormNotFilled")                      \
    X(CONFLICT, "conflict", 500, RETRY_NEVER, "internal_error", ERROR_SENTENCE_INTERNAL,           \
      "ConflictException")                                                                         \
    X(BAD_ANSWER, "bad_answer", 500, RETRY_NEVER, "model_error", ERROR_SENTENCE_MODEL, "")         \
    X(EMPTY_ANSWER, "empty_answer", 500, RETRY_NEVER, "empty_answer",                              \
      "The model gave an empty answer. Please rephrase or try again.", "")                         \
    /* ours: the process */                                                                        \
    X(CREDENTIALS, "credentials", 500, RETRY_NEVER, "internal_error", ERROR_SENTENCE_INTERNAL, "") \
    X(REPLY_TOO_LARGE, "reply_too_large", 500, RETRY_NEVER, "reply_too_large",                     \
      "The answer is larger than can be returned.", "")                                            \
    X(MEMORY, "memory", 500, RETRY_NEVER, "internal_error", ERROR_SENTENCE_INTERNAL, "")           \
    X(INTERNAL, "internal", 500, RETRY_NEVER, "internal_error", ERROR_SENTENCE_INTERNAL, "")       \
    X(CONFIG, "config", 0, RETRY_NEVER, "", "", "")                                                \
    /* the Runtime API's */                                                                        \
    X(RUNTIME_REFUSED, "runtime_refused", 0, RETRY_NEVER, "", "", "") /* log it and go on */       \
    X(RUNTIME_GONE, "runtime_gone", 0, RETRY_NEVER, "", "", "")       /* log it and exit */

enum error_kind {
#define ERROR_ENUM(kind, ...) ERROR_##kind,
    ERROR_KINDS(ERROR_ENUM)
#undef ERROR_ENUM
        ERROR_COUNT
};

struct error {
    enum error_kind kind;
    char text[256];
};

/* Fills `err` (may be NULL) and returns -1. A text that is too long is cut; it stays UTF-8. */
int error_set(struct error *err, enum error_kind kind, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The table's columns. A kind out of range reads as ERROR_INTERNAL. */
const char *error_word(enum error_kind kind);
int error_status(enum error_kind kind);
enum error_retry error_retry_class(enum error_kind kind);
#define STATUS_OK         200
#define STATUS_NO_CONTENT 204
/* "Too Many Requests" for 429, for all the statuses we reply with. */
const char *error_status_text(int status);
/* What became of a request with such a reply; a status we never use is a failure. */
enum request_outcome error_outcome(int status);
const char *error_code(enum error_kind kind);
const char *error_sentence(enum error_kind kind);

/* Whether a reply for it says when to come back: 429 and 503. */
bool error_wants_retry_after(enum error_kind kind);

/* The kind with exception name `name`, as the services write it; ERROR_NONE when unknown. */
enum error_kind error_from_name(const char *name);

#endif
