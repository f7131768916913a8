/* Messages that wait for an nng socket to take them: sends at once while the socket takes, queues
 * what it does not, and goes on when it does again. For link.c and ipc_door.c only. */
#ifndef TOQUE_NNG_SENDER_H
#define TOQUE_NNG_SENDER_H

#include <nng/nng.h>

#include "common/loop.h"

struct nng_sender {
    struct loop *loop;
    nng_socket sock;
    struct loop_watch watch; /* the socket's send descriptor; heeded while something waits */
    nng_msg **ring;
    u32 head, n, cap; /* cap is a power of two */
    u64 size;         /* bytes of what waits */
};

/* 0 or E_IO. */
int nng_sender_init(struct nng_sender *s, struct loop *l, nng_socket sock);
/* Takes the message. */
void nng_sender_put(struct nng_sender *s, nng_msg *m);
/* Drops what waits. */
void nng_sender_clear(struct nng_sender *s);
/* Call before the socket is closed. */
void nng_sender_deinit(struct nng_sender *s);

#endif
