/* One DELIVER frame for one queued, and the publishes that wait until it is safe: applied by the
 * queued and durable there, or durable in the outbox here.
 *
 * While the turn gathers it belongs to the route that fills it; then to the link that has sent it,
 * until it is acknowledged, or to nobody while it is being stored. */
#ifndef TOQUE_DELIVERY_BATCH_H
#define TOQUE_DELIVERY_BATCH_H

#include "common/base/buf.h"
#include "common/base/list.h"
#include "common/io/loop.h"
#include "topicd/completion.h"

struct home;

struct delivery_batch {
    struct list link;            /* of its owner */
    struct buf frame;            /* numbered when it is handed over, addressed when it is sent */
    u32 publications;            /* in the frame */
    u32 attempt;                 /* as in its row */
    u32 rejected;                /* targets of it, so far */
    int err;                     /* what became of those, when it is acknowledged */
    bool in_window;              /* its link counts it as one that the outbox has, too */
    struct completion **waiting; /* each once */
    u32 n, cap;
    u64 row;              /* in the outbox; 0: it has none */
    struct home *storing; /* the turn of its row is under way */
    struct loop_later stored;
};

struct delivery_batch *delivery_batch_new(str incarnation);
/* `done` waits for it, too; harmless when it was the last that was added. */
void delivery_batch_wait(struct delivery_batch *d, struct completion *done);
/* What waits is told. */
void delivery_batch_safe(struct delivery_batch *d, int err);
/* Likewise; its owner, on whose list it is not any more, has no use for it. */
void delivery_batch_end(struct delivery_batch *d, int err);

#endif
