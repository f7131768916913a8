/* TLS 1.2 and newer on the HTTP endpoints: sessions over sockets that the caller watches. Reading and
 * writing behave as recv and send do on a socket that does not block. */
#ifndef TOQUE_TLS_H
#define TOQUE_TLS_H

#include <sys/types.h>

#include "common/base/err.h"

enum {
    TLS_FAULT = 840, /* the one code of a struct fault from here */
};

/* What the server shows to its clients: a certificate, with those above it, and its key. */
struct tls_identity;
/* From PEM files. E_FAULT names the file. */
int tls_identity_open(struct tls_identity **ret, const char *certificate, const char *key,
                      struct fault *f) MUST_CHECK;
/* Reads the files again: sessions that begin from now on use them. On failure the old ones stay. */
int tls_identity_reload(struct tls_identity *id, struct fault *f) MUST_CHECK;
/* Every session of it must have been closed. NULL accepted. */
void tls_identity_close(struct tls_identity *id);

/* One connection's session. */
struct tls;
/* NULL when there is no memory for it. `fd` stays the caller's. */
struct tls *tls_open(struct tls_identity *id, int fd);
/* 0: done. E_AGAIN: more must come, or go (tls_wants_write). Others: it failed. */
int tls_handshake(struct tls *t);
bool tls_wants_write(const struct tls *t);
/* Bytes; 0: the other side said that it sends no more; -1 with errno, EAGAIN among others. */
ssize_t tls_recv(struct tls *t, void *to, size_t n);
ssize_t tls_send(struct tls *t, const void *from, size_t n);
/* Bytes that were received and decrypted and wait to be read: no event of the socket tells. */
bool tls_has_more(const struct tls *t);
/* Says that nothing more is sent. */
void tls_finish(struct tls *t);
/* NULL accepted. */
void tls_close(struct tls *t);

#endif
