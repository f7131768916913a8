/* TLS 1.2 and newer on the HTTP endpoints: sessions over sockets that the caller watches. Reading and
 * writing behave as recv and send do on a socket that does not block. */
#ifndef TOQUE_TLS_H
#define TOQUE_TLS_H

#include <sys/types.h>

#include "common/base/err.h"

enum {
    TLS_FAULT = 840, /* the one code of a struct fault from here */
};

/* The server's credentials: a certificate with its chain, and its key. */
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
/* 0: done. E_AGAIN: needs more input, or output (tls_wants_write). Others: it failed. */
int tls_handshake(struct tls *t);
bool tls_wants_write(const struct tls *t);
/* Bytes read; 0: the peer has closed its side; -1 with errno, for example EAGAIN. */
ssize_t tls_recv(struct tls *t, void *to, size_t n);
ssize_t tls_send(struct tls *t, const void *from, size_t n);
/* Decrypted bytes that wait to be read: no socket event reports them. */
bool tls_has_more(const struct tls *t);
/* Sends close_notify. */
void tls_finish(struct tls *t);
/* NULL accepted. */
void tls_close(struct tls *t);

#endif
