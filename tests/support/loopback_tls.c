#include "tests/support/loopback_tls.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DAY_S (24 * 60 * 60L)

static void must(int succeeded)
{
    if (!succeeded)
        abort();
}

static void add_extension(X509 *certificate, int id, const char *value)
{
    X509V3_CTX context;
    X509V3_set_ctx(&context, certificate, certificate, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, id, value);
    must(extension != NULL);
    must(X509_add_ext(certificate, extension, -1));
    X509_EXTENSION_free(extension);
}

static X509 *make_certificate(EVP_PKEY *key, const char *names)
{
    X509 *certificate = X509_new();
    must(certificate != NULL);
    must(X509_set_version(certificate, X509_VERSION_3));
    must(ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1));
    must(X509_gmtime_adj(X509_getm_notBefore(certificate), -DAY_S) != NULL);
    must(X509_gmtime_adj(X509_getm_notAfter(certificate), DAY_S) != NULL);
    must(X509_set_pubkey(certificate, key));
    X509_NAME *name = X509_get_subject_name(certificate);
    must(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"loopback", -1,
                                    -1, 0));
    must(X509_set_issuer_name(certificate, name));
    add_extension(certificate, NID_basic_constraints, "critical,CA:TRUE");
    add_extension(certificate, NID_subject_alt_name, names);
    must(X509_sign(certificate, key, EVP_sha256()) > 0);
    return certificate;
}

static void write_ca_file(struct loopback_tls *tls, X509 *certificate)
{
    (void)snprintf(tls->ca_file, sizeof tls->ca_file, "/tmp/loopback-ca-XXXXXX");
    int fd = mkstemp(tls->ca_file);
    must(fd >= 0);
    FILE *file = fdopen(fd, "w");
    must(file != NULL);
    must(PEM_write_X509(file, certificate));
    must(fclose(file) == 0);
}

void loopback_tls_init(struct loopback_tls *tls, const char *names)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    must(key != NULL);
    X509 *certificate = make_certificate(key, names);
    tls->context = SSL_CTX_new(TLS_server_method());
    must(tls->context != NULL);
    must(SSL_CTX_use_certificate(tls->context, certificate));
    must(SSL_CTX_use_PrivateKey(tls->context, key));
    write_ca_file(tls, certificate);
    X509_free(certificate);
    EVP_PKEY_free(key);
}

void loopback_tls_free(struct loopback_tls *tls)
{
    SSL_CTX_free(tls->context);
    (void)unlink(tls->ca_file);
    memset(tls, 0, sizeof *tls);
}
