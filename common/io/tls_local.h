/* Certificates of this daemon's own: a certificate authority that is made once, and a certificate of
 * it that is made anew at every start, for the names by which this machine is reached. */
#ifndef TOQUE_TLS_LOCAL_H
#define TOQUE_TLS_LOCAL_H

#include "common/base/err.h"

struct tls_local {
    char *authority;   /* PEM file of the authority's certificate: what clients have to trust */
    char *certificate; /* PEM file of the server's */
    char *key;
};

/* Below `dir`, which is made where it is missing. `names` are names and addresses beside those of
 * this machine; `now_s` is seconds since the epoch. E_FAULT: one line. */
int tls_local_make(struct tls_local *ret, const char *dir, const char *const *names, u32 name_count,
                   i64 now_s, struct fault *f) MUST_CHECK;
void tls_local_deinit(struct tls_local *l);

#endif
