/* The daemon's own certificates: a certificate authority that is created once, and a certificate
 * issued by it at every start for the names of this machine. */
#ifndef TOQUE_TLS_LOCAL_H
#define TOQUE_TLS_LOCAL_H

#include "common/base/err.h"

struct tls_local {
    char *authority;   /* PEM file of the authority's certificate, which clients must trust */
    char *certificate; /* PEM file of the server's */
    char *key;
};

/* Keeps the files in `dir`, which is created if missing. `names` are names and addresses in
 * addition to those of this machine; `now_s` is seconds since the epoch. E_FAULT: one line. */
int tls_local_make(struct tls_local *ret, const char *dir, const char *const *names, u32 name_count,
                   i64 now_s, struct fault *f) MUST_CHECK;
void tls_local_deinit(struct tls_local *l);

#endif
