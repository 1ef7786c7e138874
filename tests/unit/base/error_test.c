#include "base/error.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"
#include "tests/support/cmocka_all.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static const char *const names[ERROR_COUNT] = {
#define ERROR_NAMES(kind, word, status, retry, code, sentence, names) [ERROR_##kind] = (names),
    ERROR_KINDS(ERROR_NAMES)
#undef ERROR_NAMES
};

static void setting_an_error_fills_it_and_gives_minus_one(void **state)
{
    (void)state;
    struct error err = {0};
    assert_int_equal(error_set(&err, ERROR_VALIDATION, "%s has %d", "x", 7), -1);
    assert_int_equal(err.kind, ERROR_VALIDATION);
    assert_string_equal(err.text, "x has 7");
}

static void an_error_that_nobody_wants_is_still_minus_one(void **state)
{
    (void)state;
    assert_int_equal(error_set(NULL, ERROR_MEMORY, "%s", "x"), -1);
}

static void a_text_that_is_too_long_is_cut(void **state)
{
    (void)state;
    char text[1000];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    struct error err = {0};
    assert_int_equal(error_set(&err, ERROR_INTERNAL, "%s", text), -1);
    assert_int_equal(strlen(err.text), sizeof err.text - 1);
}

static void a_text_is_utf8_wherever_it_was_cut(void **state)
{
    (void)state;
    char text[400] = "x";
    for (size_t at = 1; at + 2 < sizeof text; at += 2)
        memcpy(text + at, "\xc3\xa9", 3);
    for (size_t skip = 0; skip < 2; skip++) {
        struct error err = {0};
        assert_int_equal(error_set(&err, ERROR_INTERNAL, "%s", text + skip), -1);
        assert_int_equal(strlen(err.text), sizeof err.text - 1);
        assert_true(utf8_is_valid(err.text, strlen(err.text)));
    }
}

static void every_kind_that_a_caller_sees_has_a_status_a_code_and_a_sentence(void **state)
{
    (void)state;
    for (int k = 0; k < ERROR_COUNT; k++) {
        enum error_kind kind = (enum error_kind)k;
        int status = error_status(kind);
        assert_true(status == 0 || (status >= 400 && status <= 599));
        assert_int_equal(error_code(kind)[0] != '\0', status != 0);
        assert_int_equal(error_sentence(kind)[0] != '\0', status != 0);
        assert_int_equal(error_status_text(status)[0] != '\0', status != 0);
    }
}

static void every_status_that_is_replied_has_an_outcome(void **state)
{
    (void)state;
    static const struct {
        int status;
        enum request_outcome outcome;
    } cases[] = {
        {200, REQUEST_ANSWERED}, {204, REQUEST_ANSWERED},    {400, REQUEST_REJECTED},
        {404, REQUEST_REJECTED}, {405, REQUEST_REJECTED},    {429, REQUEST_REFUSED},
        {500, REQUEST_FAILED},   {503, REQUEST_UNAVAILABLE}, {504, REQUEST_TIMED_OUT},
        {0, REQUEST_FAILED},     {418, REQUEST_FAILED},      {-1, REQUEST_FAILED},
    };
    for (size_t i = 0; i < COUNT(cases); i++)
        assert_int_equal(error_outcome(cases[i].status), cases[i].outcome);
    for (int kind = 0; kind < ERROR_COUNT; kind++)
        assert_int_not_equal(error_outcome(error_status((enum error_kind)kind)), REQUEST_ANSWERED);
}

static bool is_word(const char *text)
{
    for (; *text != '\0'; text++)
        if (!islower((unsigned char)*text) && *text != '_')
            return false;
    return true;
}

static void words_and_codes_are_lower_case_and_words_differ(void **state)
{
    (void)state;
    for (int k = 0; k < ERROR_COUNT; k++) {
        const char *word = error_word((enum error_kind)k);
        assert_true(word[0] != '\0' && is_word(word));
        assert_true(is_word(error_code((enum error_kind)k)));
        for (int other = 0; other < k; other++)
            assert_string_not_equal(word, error_word((enum error_kind)other));
    }
}

static void sentences_are_sentences(void **state)
{
    (void)state;
    for (int k = 0; k < ERROR_COUNT; k++) {
        const char *sentence = error_sentence((enum error_kind)k);
        if (sentence[0] == '\0')
            continue;
        assert_true(isupper((unsigned char)sentence[0]));
        assert_int_equal(sentence[strlen(sentence) - 1], '.');
    }
}

static void exactly_429_and_503_say_when_to_come_back(void **state)
{
    (void)state;
    for (int k = 0; k < ERROR_COUNT; k++) {
        int status = error_status((enum error_kind)k);
        assert_int_equal(error_wants_retry_after((enum error_kind)k),
                         status == 429 || status == 503);
    }
}

/* The contract of DESIGN.md sections 2 and 4. */
static const struct {
    enum error_kind kind;
    int status;
    enum error_retry retry;
} contract[] = {
    {ERROR_INVALID_REQUEST, 400, RETRY_NEVER},
    {ERROR_NO_SUCH_PATH, 404, RETRY_NEVER},
    {ERROR_WRONG_METHOD, 405, RETRY_NEVER},
    {ERROR_RATE_LIMITED, 429, RETRY_NEVER},
    {ERROR_CIRCUIT_OPEN, 503, RETRY_NEVER},
    {ERROR_DEADLINE, 504, RETRY_NEVER},
    {ERROR_THROTTLED, 429, RETRY_APP},
    {ERROR_THROTTLED_TOKENS, 429, RETRY_APP},
    {ERROR_THROTTLED_DAY, 429, RETRY_NEVER},
    {ERROR_MODEL_NOT_READY, 500, RETRY_SDK},
    {ERROR_UNAVAILABLE, 500, RETRY_SDK},
    {ERROR_SERVER_FAULT, 500, RETRY_SDK},
    {ERROR_CONNECTION, 500, RETRY_SDK},
    {ERROR_MODEL_FAULT, 500, RETRY_SDK_ONCE},
    {ERROR_MODEL_ERROR, 500, RETRY_NEVER},
    {ERROR_MODEL_TIMEOUT, 504, RETRY_NEVER},
    {ERROR_READ_TIMEOUT, 504, RETRY_NEVER},
    {ERROR_VALIDATION, 500, RETRY_NEVER},
    {ERROR_ACCESS_DENIED, 500, RETRY_NEVER},
    {ERROR_NO_SUCH_MODEL, 500, RETRY_NEVER},
    {ERROR_BAD_ANSWER, 500, RETRY_NEVER},
    {ERROR_EMPTY_ANSWER, 500, RETRY_NEVER},
    {ERROR_CREDENTIALS, 500, RETRY_NEVER},
    {ERROR_REPLY_TOO_LARGE, 500, RETRY_NEVER},
    {ERROR_MEMORY, 500, RETRY_NEVER},
    {ERROR_INTERNAL, 500, RETRY_NEVER},
    {ERROR_CONFIG, 0, RETRY_NEVER},
    {ERROR_RUNTIME_GONE, 0, RETRY_NEVER},
};

static void status_and_retry_layer_are_those_of_the_contract(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(contract); i++) {
        assert_int_equal(error_status(contract[i].kind), contract[i].status);
        assert_int_equal(error_retry_class(contract[i].kind), contract[i].retry);
    }
}

static const struct {
    const char *name;
    enum error_kind kind;
} known[] = {
    {"ThrottlingException", ERROR_THROTTLED},
    {"TooManyRequestsException", ERROR_THROTTLED},
    {"EC2ThrottledException", ERROR_THROTTLED},
    {"ServiceQuotaExceededException", ERROR_QUOTA_EXCEEDED},
    {"ModelNotReadyException", ERROR_MODEL_NOT_READY},
    {"ServiceUnavailableException", ERROR_UNAVAILABLE},
    {"InternalServerException", ERROR_SERVER_FAULT},
    {"ModelErrorException", ERROR_MODEL_ERROR},
    {"ModelTimeoutException", ERROR_MODEL_TIMEOUT},
    {"ValidationException", ERROR_VALIDATION},
    {"AccessDeniedException", ERROR_ACCESS_DENIED},
    {"ResourceNotFoundException", ERROR_NO_SUCH_MODEL},
    {"ConflictException", ERROR_CONFLICT},
    /* unknown, and nearly known */
    {"", ERROR_NONE},
    {" ", ERROR_NONE},
    {"NoSuchException", ERROR_NONE},
    {"ThrottlingExceptio", ERROR_NONE},
    {"ThrottlingExceptionX", ERROR_NONE},
    {"throttlingexception", ERROR_NONE},
    {"Exception", ERROR_NONE},
    {"ThrottlingException TooManyRequestsException", ERROR_NONE},
};

static void an_exception_is_known_by_its_whole_name(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(known); i++)
        assert_int_equal(error_from_name(known[i].name), known[i].kind);
}

static void every_name_in_the_table_belongs_to_one_kind(void **state)
{
    (void)state;
    int count = 0;
    for (int kind = 0; kind < ERROR_COUNT; kind++) {
        char list[1024];
        assert_true(snprintf(list, sizeof list, "%s", names[kind]) < (int)sizeof list);
        for (char *name = strtok(list, " "); name != NULL; name = strtok(NULL, " "), count++)
            assert_int_equal(error_from_name(name), kind);
    }
    assert_true(count > 40);
}

static void a_kind_out_of_range_reads_as_internal(void **state)
{
    (void)state;
    static const int odd[] = {-1, ERROR_COUNT, 1000000};
    for (size_t i = 0; i < COUNT(odd); i++) {
        assert_int_equal(error_status((enum error_kind)odd[i]), 500);
        assert_string_equal(error_word((enum error_kind)odd[i]), "internal");
    }
}

static void a_status_has_its_usual_text(void **state)
{
    (void)state;
    assert_string_equal(error_status_text(STATUS_OK), "OK");
    assert_string_equal(error_status_text(STATUS_NO_CONTENT), "No Content");
    assert_string_equal(error_status_text(429), "Too Many Requests");
    assert_string_equal(error_status_text(299), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(setting_an_error_fills_it_and_gives_minus_one),
        cmocka_unit_test(an_error_that_nobody_wants_is_still_minus_one),
        cmocka_unit_test(a_text_that_is_too_long_is_cut),
        cmocka_unit_test(a_text_is_utf8_wherever_it_was_cut),
        cmocka_unit_test(every_kind_that_a_caller_sees_has_a_status_a_code_and_a_sentence),
        cmocka_unit_test(every_status_that_is_replied_has_an_outcome),
        cmocka_unit_test(words_and_codes_are_lower_case_and_words_differ),
        cmocka_unit_test(sentences_are_sentences),
        cmocka_unit_test(exactly_429_and_503_say_when_to_come_back),
        cmocka_unit_test(status_and_retry_layer_are_those_of_the_contract),
        cmocka_unit_test(an_exception_is_known_by_its_whole_name),
        cmocka_unit_test(every_name_in_the_table_belongs_to_one_kind),
        cmocka_unit_test(a_kind_out_of_range_reads_as_internal),
        cmocka_unit_test(a_status_has_its_usual_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
