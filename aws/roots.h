#ifndef AWS_ROOTS_H
#define AWS_ROOTS_H

/*
 * The root certificates of Amazon Trust Services in PEM, compiled in: loading the five costs about
 * 2 ms, the system's whole bundle 26 to 40 ms. Made at build time by scripts/amazon-roots.
 */
extern const char roots_amazon_pem[];

/* The system's bundle of root certificates: the first of the usual files that can be read, or NULL.
 */
const char *roots_system_bundle(void);

#endif
