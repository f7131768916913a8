/* A link between topicd and one queued: frames in order over one nng byte stream (ipc, tcp, tls by
 * URL), with its own heartbeat.
 *
 * What is sent may die with the pipe, and nobody is told how much of it. So the link promises only
 * this: frames that arrive, arrive whole and in order, on the pipe on which they were sent; `up`
 * and `down` tell of every change of pipe; what must not be lost is numbered, acknowledged and sent
 * again by the peers (frame.h). A peer that is silent longer than the deadline is down, even if its
 * pipe stands: the pipe is closed. A second dialer is turned away while the first one's pipe
 * stands.
 *
 * A pipe begins with a greeting (link_greeting.h), and is up when both ends have proven that they
 * know the same key. Until then it is a guest: it keeps nobody out, and is cut when its time is
 * over. Where there is no key, the other end of a Unix-domain socket must be a process of our own
 * user or root's; other transports let everybody in (link_is_open_to_all). Who is turned away is
 * logged. */
#ifndef TOQUE_LINK_H
#define TOQUE_LINK_H

#include "common/base/buf.h"
#include "common/base/err.h"
#include "common/base/id.h"
#include "common/io/loop.h"

struct link;

struct link_events {
    void (*up)(void *arg);               /* a pipe stands; nothing has been said on it yet */
    void (*down)(void *arg);             /* it is gone; what was under way is unknown */
    void (*frame)(void *arg, str frame); /* one whole frame; the view is valid for the call */
    void *arg;
};

struct link_limits {
    u32 frame_size_max; /* bytes; a larger one ends the pipe */
    u32 heartbeat_ms;   /* between pings while nothing else is sent */
    u32 silence_max_ms; /* no byte from the peer for so long: down */
    u32 reconnect_min_ms, reconnect_max_ms;
    u64 waiting_size_max;     /* bytes of frames that wait for the socket; link_is_full above it */
    u32 greeting_max_ms;      /* time for the whole greeting */
    str key;                  /* what both ends know; "": nothing; must live as long as the link */
    struct id_source *chance; /* for nonces; NULL: the kernel's */
};
extern const struct link_limits LINK_LIMITS_DEFAULT;

/* Whether an address without a key is one to which anybody may connect: all but Unix-domain sockets
 * and what stays in the process. */
bool link_is_open_to_all(const char *url);

/* Dials for ever, with back-off; the other side may come later. */
int link_dial(struct link **ret, struct loop *l, const char *url, const struct link_limits *limits,
              struct link_events events, struct fault *f) MUST_CHECK;
int link_listen(struct link **ret, struct loop *l, const char *url,
                const struct link_limits *limits, struct link_events events,
                struct fault *f) MUST_CHECK;
/* Not from a callback of its own. */
void link_close(struct link *k);
bool link_is_up(const struct link *k);
/* Ends the pipe, because the peer says what makes no sense: `down` follows in another turn, nothing
 * more is heard on it, and a dialer dials again. */
void link_hang_up(struct link *k);
/* More than waiting_size_max waits for the socket: put off what can wait. */
bool link_is_full(const struct link *k);
/* Takes the frame's bytes (frame is empty afterwards), also when it fails. Goes out in order, as
 * the socket takes it. E_DOWN when there is no pipe; E_TOO_LARGE. */
int link_send(struct link *k, struct buf *frame);

#endif
