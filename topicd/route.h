/* A route: the way by which the subscriptions of one protocol get their messages. Fan-out knows
 * routes only by this table; what lies behind one (a link, an outbox, retries) is its own.
 *
 * A publish gives each route its targets once (put), a turn ends with one flush of each, and what a
 * route cannot send at once it keeps durably and sends on when it can (send_on). A publish is safe,
 * and its completion ends, when its messages are durable at the other end or in the route's own
 * backlog.
 *
 * A new protocol: a kind here, its protocol's name in sub.c, a struct route of that kind, and a
 * line in topicd.c that gives it to the fan-out. */
#ifndef TOQUE_ROUTE_H
#define TOQUE_ROUTE_H

#include "topicd/completion.h"
#include "topicd/publication.h"
#include "topicd/sub.h"

struct route {
    /* Takes a publication for `n` subscriptions of this route; the views of both are valid for the
     * call. What must be waited for is added to `done`. */
    void (*put)(struct route *r, struct publication *p, struct sub *const *subs, size_t n,
                struct completion *done);
    /* The turn that put something is committed, or has failed: then nothing of it is sent, and what
     * waits for it gets the error. */
    void (*flush)(struct route *r, int err);
    /* Sends from the durable backlog, a bounded part of it; after each turn. True: there is more to
     * send at once. */
    bool (*send_on)(struct route *r);
    /* Memory of what was put and is neither acknowledged nor stored. */
    u64 (*held_bytes)(const struct route *r);
};

#endif
