/* The route to queues. The publications of one turn go to each `queued` instance concerned in one
 * DELIVER frame, each message once with the list of its targets. Frames grow during the turn and
 * are handed over after its commit: to the link of their home, to the outbox of a home that is
 * down, or to held.h where the queues' home is unknown. */
#ifndef TOQUE_QUEUED_ROUTE_H
#define TOQUE_QUEUED_ROUTE_H

#include "topicd/queueds.h"
#include "topicd/route.h"

/* A frame that reaches this size is closed and another one begun: small enough to be sent while the
 * next one is filled, large enough to spread its cost over thousands of targets. */
#define QUEUED_ROUTE_FRAME_SIZE ((size_t)1 << 20)

/* This turn's frames for one home. */
struct queued_frames {
    struct delivery_batch *open; /* being filled, or NULL */
    bool begun;                  /* it has the current publication */
    struct list closed;          /* full ones, in order */
};

struct queued_route {
    struct route route;
    struct queueds *queueds;
    size_t frame_size;             /* QUEUED_ROUTE_FRAME_SIZE; tests make it small */
    struct queued_frames **frames; /* by home */
    u32 n;
    u64 closed_bytes; /* of the closed frames */
};

void queued_route_init(struct queued_route *r, struct queueds *queueds);
/* No publish may be pending. */
void queued_route_deinit(struct queued_route *r);

#endif
