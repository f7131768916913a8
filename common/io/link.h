/* A link between topicd and one queued: frames in order over one nng byte stream (ipc, tcp, tls by
 * URL), with its own heartbeat.
 *
 * Sent frames may be lost with the pipe, and it is unknown how many. The link guarantees only this:
 * frames arrive complete, in order, and on the pipe on which they were sent; `up` and `down` report
 * every change of pipe. The peers number, acknowledge and repeat what must not be lost (frame.h). A
 * peer that is silent longer than the deadline is down: its pipe is closed. A second dialer is
 * refused while the first one's pipe is open.
 *
 * A pipe begins with a greeting (link_greeting.h), and is up when both ends have proven that they
 * know the same key. Until then it is a guest: it does not block other dialers, and is closed after
 * greeting_max_ms. Without a key the peer on a Unix-domain socket must be a process of our own user
 * or of root; other transports accept everybody (link_is_open_to_all). Refused peers are logged. */
#ifndef TOQUE_LINK_H
#define TOQUE_LINK_H

#include "common/base/buf.h"
#include "common/base/err.h"
#include "common/base/id.h"
#include "common/io/loop.h"

struct link;

struct link_events {
    void (*up)(void *arg);               /* a pipe is open; no frame was sent on it yet */
    void (*down)(void *arg);             /* it is closed; which sent frames arrived is unknown */
    void (*frame)(void *arg, str frame); /* one whole frame; the view is valid for the call */
    void *arg;
};

struct link_limits {
    u32 frame_size_max; /* bytes; a larger one closes the pipe */
    u32 heartbeat_ms;   /* between pings while nothing else is sent */
    u32 silence_max_ms; /* no byte from the peer for so long: down */
    u32 reconnect_min_ms, reconnect_max_ms;
    u64 waiting_size_max;     /* bytes of frames that wait for the socket; link_is_full above it */
    u32 greeting_max_ms;      /* time for the whole greeting */
    str key;                  /* shared by both ends; "": none; must live as long as the link */
    struct id_source *chance; /* for nonces; NULL: the kernel's */
};
extern const struct link_limits LINK_LIMITS_DEFAULT;

/* Whether anybody may connect to the address without a key: true for all but Unix-domain sockets
 * and in-process addresses. */
bool link_is_open_to_all(const char *url);

/* Dials for ever, with back-off; the peer may start later. */
int link_dial(struct link **ret, struct loop *l, const char *url, const struct link_limits *limits,
              struct link_events events, struct fault *f) MUST_CHECK;
int link_listen(struct link **ret, struct loop *l, const char *url,
                const struct link_limits *limits, struct link_events events,
                struct fault *f) MUST_CHECK;
/* Not from a callback of its own. */
void link_close(struct link *k);
bool link_is_up(const struct link *k);
/* Closes the pipe, for example after an invalid frame: `down` follows in another turn, no more
 * frames are delivered from it, and a dialer dials again. */
void link_hang_up(struct link *k);
/* More than waiting_size_max waits for the socket: defer what can wait. */
bool link_is_full(const struct link *k);
/* Takes the frame's bytes (frame is empty afterwards), also when it fails. Frames are sent in
 * order, as the socket accepts them. E_DOWN when there is no pipe; E_TOO_LARGE. */
int link_send(struct link *k, struct buf *frame);

#endif
