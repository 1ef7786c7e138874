#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "aws/roots.h"

static void the_amazon_roots_are_five_certificates_that_vouch(void **state)
{
    (void)state;
    BIO *pem = BIO_new_mem_buf(roots_amazon_pem, -1);
    assert_non_null(pem);
    int count = 0;
    X509 *root = NULL;
    while ((root = PEM_read_bio_X509(pem, NULL, NULL, NULL)) != NULL) {
        char name[256];
        X509_NAME_oneline(X509_get_subject_name(root), name, sizeof name);
        assert_true(strstr(name, "O=Amazon") != NULL || strstr(name, "Starfield") != NULL);
        assert_int_equal(X509_check_ca(root), 1);
        X509_free(root);
        count++;
    }
    assert_int_equal(count, 5);
    BIO_free(pem);
}

static void the_systems_bundle_can_be_read(void **state)
{
    (void)state;
    const char *bundle = roots_system_bundle();
    assert_non_null(bundle); /* the build needs the package ca-certificates */
    assert_int_equal(access(bundle, R_OK), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_amazon_roots_are_five_certificates_that_vouch),
        cmocka_unit_test(the_systems_bundle_can_be_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
