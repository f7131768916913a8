/* One DELIVER frame for one `queued` instance, and the publishes that wait until it is safe:
 * applied and durable there, or durable in topicd's outbox.
 *
 * During the turn the route that fills it owns it; then the link that has sent it, until it is
 * acknowledged. While it is only being stored it is on no list. */
#ifndef TOQUE_DELIVERY_BATCH_H
#define TOQUE_DELIVERY_BATCH_H

#include "common/base/buf.h"
#include "common/base/list.h"
#include "common/io/loop.h"
#include "topicd/completion.h"

struct home;

struct delivery_batch {
    struct list link;            /* of its owner */
    struct buf frame;            /* sequence set when handed over, session and ordinal when sent */
    u32 publications;            /* in the frame */
    u32 attempt;                 /* as in its row */
    struct buf rejected;         /* places of rejected targets (struct frame_place), in order */
    bool in_window;              /* counted in its link's window_bytes: the outbox has it, too */
    struct completion **waiting; /* each once */
    u32 n, cap;
    u64 row;              /* in the outbox; 0: it has none */
    int err;              /* of the turn that was to store it */
    struct home *storing; /* set until the turn of its row has settled */
    struct loop_later stored;
};

struct delivery_batch *delivery_batch_new(str incarnation);
/* Makes `done` wait for it; no effect when `done` was the last one added. */
void delivery_batch_wait(struct delivery_batch *d, struct completion *done);
/* Ends the completions that wait for it. */
void delivery_batch_safe(struct delivery_batch *d, int err);
/* Likewise, and frees it unless it is being stored; it is on no list any more. */
void delivery_batch_end(struct delivery_batch *d, int err);

#endif
