#ifndef TESTS_SUPPORT_LOOPBACK_TLS_H
#define TESTS_SUPPORT_LOOPBACK_TLS_H

#include <openssl/ssl.h>

/* A key and a certificate that vouches for itself, made anew. */
struct loopback_tls {
    SSL_CTX *context;
    char ca_file[64]; /* the certificate in PEM, for http_options.ca_file */
};

/* `names` as in OpenSSL's subjectAltName: "IP:127.0.0.1", "DNS:elsewhere.example". */
void loopback_tls_init(struct loopback_tls *tls, const char *names);
void loopback_tls_free(struct loopback_tls *tls);

#endif
