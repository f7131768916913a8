/* A route delivers to the subscriptions of one protocol. Fan-out knows routes only by this table;
 * how a route delivers (link, outbox, retries) is private to it.
 *
 * A publish calls `put` once for each route that has targets. Each turn ends with one `flush` per
 * route. A route stores durably what it cannot send at once, and `send_on` sends it later. A
 * publish is safe, and its completion ends, when its messages are durable at the receiver or in the
 * route's own backlog.
 *
 * To add a protocol: a kind in sub.h, the protocol's name in sub.c, a struct route of that kind,
 * and its fanout_add_route in topicd.c. */
#ifndef TOQUE_ROUTE_H
#define TOQUE_ROUTE_H

#include "topicd/completion.h"
#include "topicd/publication.h"
#include "topicd/sub.h"

struct route {
    /* Accepts a publication for `n` subscriptions of this route; both are valid during the call
     * only. Adds to `done` whatever must become durable first. */
    void (*put)(struct route *r, struct publication *p, struct sub *const *subs, size_t n,
                struct completion *done);
    /* The turn of the puts is committed (0) or has failed. On failure nothing of it is sent, and
     * its completions get the error. */
    void (*flush)(struct route *r, int err);
    /* Sends a bounded part of the durable backlog; called after each turn. True: more can be sent
     * at once. */
    bool (*send_on)(struct route *r);
    /* Bytes in memory that were put and are neither acknowledged nor stored. */
    u64 (*held_bytes)(const struct route *r);
};

#endif
