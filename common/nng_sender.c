/* A queue in front of an nng socket. Invariant: while something waits, the socket's send descriptor
 * is watched for reading (nng's way to say that it takes messages), else for nothing, since it is
 * ready nearly always. */
#include "common/nng_sender.h"

#include <sys/epoll.h>

#include "common/err.h"
#include "common/mem.h"

#define SENDER_CAP_MIN 16

static void sender_drop_head(struct nng_sender *s, size_t size)
{
    s->head = (s->head + 1) & (s->cap - 1);
    s->n--;
    s->size -= size;
}

static void sender_push(struct nng_sender *s, nng_msg *m)
{
    if (s->n == s->cap) {
        u32 cap = MAX(s->cap * 2, SENDER_CAP_MIN);
        nng_msg **ring = mem_array(cap, sizeof(*ring));

        for (u32 i = 0; i < s->n; i++)
            ring[i] = s->ring[(s->head + i) & (s->cap - 1)];
        mem_free(s->ring);
        s->ring = ring;
        s->head = 0;
        s->cap = cap;
    }
    s->ring[(s->head + s->n) & (s->cap - 1)] = m;
    s->n++;
    s->size += nng_msg_len(m);
}

/* Whether the socket took the message; it keeps it, or drops it for a reason that will not pass. */
static bool sender_try(struct nng_sender *s, nng_msg *m)
{
    int r = nng_sendmsg(s->sock, m, NNG_FLAG_NONBLOCK);

    if (r == NNG_EAGAIN)
        return false;
    if (r != 0)
        nng_msg_free(m);
    return true;
}

static void sender_ready(struct loop_watch *w, u32 events)
{
    struct nng_sender *s = w->arg;

    while (s->n) {
        nng_msg *m = s->ring[s->head];
        size_t size = nng_msg_len(m); /* the message is gone when it was taken */

        if (!sender_try(s, m))
            return;
        sender_drop_head(s, size);
    }
    loop_watch_change(s->loop, w, 0);
}

int nng_sender_init(struct nng_sender *s, struct loop *l, nng_socket sock)
{
    int fd;

    *s = (struct nng_sender){.loop = l, .sock = sock, .watch = {.fd = -1}};
    if (nng_socket_get_int(sock, NNG_OPT_SENDFD, &fd) != 0)
        return E_IO;
    s->watch = (struct loop_watch){.fd = fd, .ready = sender_ready, .arg = s};
    if (loop_watch(l, &s->watch, 0) < 0) {
        s->watch.fd = -1;
        return E_IO;
    }
    return 0;
}

void nng_sender_put(struct nng_sender *s, nng_msg *m)
{
    if (!s->n && sender_try(s, m))
        return;
    sender_push(s, m);
    if (s->n == 1)
        loop_watch_change(s->loop, &s->watch, EPOLLIN);
}

void nng_sender_clear(struct nng_sender *s)
{
    if (!s->n)
        return;
    while (s->n) {
        nng_msg *m = s->ring[s->head];

        sender_drop_head(s, nng_msg_len(m));
        nng_msg_free(m);
    }
    loop_watch_change(s->loop, &s->watch, 0);
}

void nng_sender_deinit(struct nng_sender *s)
{
    if (s->watch.fd >= 0) {
        nng_sender_clear(s);
        loop_unwatch(s->loop, &s->watch);
    }
    mem_free(s->ring);
    s->ring = NULL;
}
