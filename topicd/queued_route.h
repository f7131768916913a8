/* The route to queues: what is published in one turn goes to each queued concerned as one DELIVER
 * frame, with every message once and the list of its targets. Frames grow while the turn gathers
 * and are handed over when its commit is done: to the links of their homes, to the outboxes of
 * those that are away, or to where what is for unknown queues is held. */
#ifndef TOQUE_QUEUED_ROUTE_H
#define TOQUE_QUEUED_ROUTE_H

#include "topicd/queueds.h"
#include "topicd/route.h"

/* A frame that reaches this size is closed and another one begun. Small enough to travel while the
 * next is made, large enough to share its cost among thousands of targets. */
#define QUEUED_ROUTE_FRAME_SIZE ((size_t)1 << 20)

/* This turn's frames for one home. */
struct queued_frames {
    struct delivery_batch *open; /* the one that grows, or NULL */
    bool begun;                  /* the publication in hand is in it */
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
/* No publish may be under way. */
void queued_route_deinit(struct queued_route *r);

#endif
