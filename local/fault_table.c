#include "local/fault_table.h"

#include <stddef.h>

#define WAIT_BEFORE "please wait before trying again."

/* clang-format off */
#define SERVICE(word, code, exception, text) {.name = (word), .kind = FAULT_ERROR, .status = (code), .type = (exception), .message = (text)}
#define ANSWERS(word, which, text)           {.name = (word), .kind = FAULT_ANSWER, .answer = (which), .meaning = (text)}
#define BROKEN(word, how, text)              {.name = (word), .kind = (how), .meaning = (text)}

const struct fault_row fault_table[] = {
BROKEN("ok", FAULT_NONE, "no fault: answer"),
/* throttles */
SERVICE("throttle", 429, "ThrottlingException", "Too many requests, " WAIT_BEFORE),
SERVICE("throttle-old", 429, "ThrottlingException",
        "Too many requests, " WAIT_BEFORE " You have sent too many requests.  Wait before trying again."),
SERVICE("tokens", 429, "ThrottlingException", "Too many tokens, " WAIT_BEFORE),
SERVICE("tokens-per-day", 429, "ThrottlingException", "Too many tokens per day, " WAIT_BEFORE),
SERVICE("account-quota", 429, "ThrottlingException", "Your request was denied due to exceeding the account quotas for Amazon Bedrock"),
SERVICE("quota-exceeded", 400, "ServiceQuotaExceededException", "Your request exceeds the service quota for your account."),
SERVICE("not-ready", 429, "ModelNotReadyException", "The model is not ready to serve inference requests. Wait and try again."),
{.name = "bare-429", .kind = FAULT_BARE, .status = 429, .message = "Too many requests, " WAIT_BEFORE, .meaning = "429 without an exception name"},
/* faults of the service */
SERVICE("500", 500, "InternalServerException", "The system encountered an unexpected error during processing. Try your request again."),
SERVICE("internal", 500, "InternalServerException", "The system encountered an unexpected error during processing. Try your request again."),
SERVICE("internal-failure", 500, "InternalFailure", "The request processing has failed because of an unknown error."),
SERVICE("503", 503, "ServiceUnavailableException", "Bedrock is unable to process your request."),
SERVICE("service-unavailable", 503, "ServiceUnavailableException", "Bedrock is unable to process your request."),
SERVICE("connections", 503, "ServiceUnavailableException", "Too many connections, " WAIT_BEFORE),
{.name = "503-hint", .kind = FAULT_HINT, .status = 503, .type = "ServiceUnavailableException", .message = "Too many connections, " WAIT_BEFORE,
 .unit = "ms", .initial = 2000, .least = 0, .most = 1e9, .meaning = "503 whose body tells the queue's delay"},
SERVICE("model-timeout", 408, "ModelTimeoutException", "The model timed out in processing the request. Try your request again."),
{.name = "model-error", .kind = FAULT_MODEL, .status = 424, .type = "ModelErrorException", .message = "The model returned an error.",
 .unit = "status", .initial = 400, .least = 100, .most = 599, .meaning = "424 with the model's own status"},
{.name = "model-stream-error", .kind = FAULT_MODEL, .status = 424, .type = "ModelStreamErrorException", .message = "The model returned an error while streaming.",
 .unit = "status", .initial = 400, .least = 100, .most = 599, .meaning = "424 with the model's own status"},
{.name = "status", .kind = FAULT_BARE, .message = "An error.", .unit = "status", .initial = 529, .least = 300, .most = 599, .meaning = "any status without an exception name"},
/* refusals */
SERVICE("validation", 400, "ValidationException", "Malformed input request, please reformat your input and try again."),
SERVICE("access-denied", 403, "AccessDeniedException", "You don't have access to the model with the specified model ID."),
SERVICE("not-found", 404, "ResourceNotFoundException", "Could not resolve the foundation model from the provided model identifier."),
SERVICE("conflict", 400, "ConflictException", "Error occurred because of a conflict while performing an operation."),
SERVICE("form-not-filled", 404, "FTUFormNotFilled", "Model use case details have not been submitted for this account."),
SERVICE("incomplete-signature", 400, "IncompleteSignature", "The request signature does not conform to AWS standards."),
SERVICE("invalid-action", 400, "InvalidAction", "The action or operation requested is not valid."),
SERVICE("invalid-token", 403, "InvalidClientTokenId", "The security token included in the request is invalid."),
SERVICE("expired-token", 403, "ExpiredTokenException", "The security token included in the request is expired"),
SERVICE("bad-signature", 403, "InvalidSignatureException",
        "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method."),
SERVICE("not-authorized", 400, "NotAuthorized", "You do not have permission to perform this action."),
SERVICE("request-expired", 400, "RequestExpired", "The request is no longer valid because its time stamp is too old."),
SERVICE("agreement", 403, "MPAgreementBeingCreated", "The agreement for the model is being created. Try again in 15 minutes."),
/* the wire */
BROKEN("cut", FAULT_CUT, "closes the connection without a byte"),
BROKEN("reset", FAULT_RESET, "the same with a TCP reset"),
BROKEN("half", FAULT_HALF, "closes the connection in the middle of the body"),
BROKEN("then-close", FAULT_THEN_CLOSE, "answers, then closes the kept connection without a word"),
BROKEN("hang", FAULT_HANG, "never answers"),
{.name = "slow", .kind = FAULT_SLOW, .unit = "s", .initial = 3, .least = 0, .most = 900, .meaning = "answers after so many seconds"},
{.name = "drip", .kind = FAULT_DRIP, .unit = "s", .initial = 3, .least = 0, .most = 900, .meaning = "answers bit by bit for so many seconds"},
BROKEN("garbage", FAULT_RAW, "bytes that are no HTTP"),
/* strange answers */
BROKEN("html", FAULT_HTML, "200 with a web page"),
BROKEN("not-json", FAULT_NOT_JSON, "200 with JSON that is cut"),
BROKEN("wrong-shape", FAULT_WRONG_SHAPE, "200 with JSON that is no answer"),
ANSWERS("empty", ANSWER_EMPTY, "an answer without text"),
ANSWERS("refusal", ANSWER_REFUSAL, "the model declines"),
ANSWERS("guardrail", ANSWER_GUARDRAIL, "a guardrail steps in"),
ANSWERS("filtered", ANSWER_FILTERED, "a content filter steps in"),
ANSWERS("max-tokens", ANSWER_MAX_TOKENS, "the answer is cut at the longest allowed"),
ANSWERS("tool-use", ANSWER_TOOL_USE, "the model asks for a tool"),
ANSWERS("multi-block", ANSWER_MULTI_BLOCK, "the text comes in several blocks"),
ANSWERS("reasoning", ANSWER_REASONING, "reasoning comes before the text"),
{.name = "huge", .kind = FAULT_ANSWER, .answer = ANSWER_HUGE, .unit = "bytes", .initial = 7000000, .least = 1, .most = 64e6, .meaning = "so many bytes of text"},
ANSWERS("no-usage", ANSWER_NO_USAGE, "an answer without token counts"),
ANSWERS("no-counts", ANSWER_NO_COUNTS, "an answer without the token count headers"),
{.name = NULL},
};
/* clang-format on */
