/* A dispatch: one DELIVER frame to one queued, and the publishes that wait until it is safe:
 * applied by the queued and durable there, or committed to the outbox here.
 *
 * A flight is what such a publish waits with. It holds one leg per dispatch and one of its own
 * while it is being made; with the last leg it lands, once. */
#ifndef TOQUE_DELIVERY_BATCH_H
#define TOQUE_DELIVERY_BATCH_H

#include "common/base/buf.h"
#include "common/base/list.h"
#include "common/io/loop.h"

struct queued_link;

struct flight {
    u32 legs;
    int err; /* the first that a leg brought; 0: everything is safe */
    /* Called once; the flight is not touched any more. */
    void (*landed)(struct flight *f, int err);
};

/* Starts with the leg of its maker, who gives it back with flight_end. */
void flight_begin(struct flight *f, void (*landed)(struct flight *f, int err));
/* A leg comes to its end. */
void flight_end(struct flight *f, int err);

struct delivery_batch {
    struct list link;
    u64 sequence;
    u32 publications;        /* in the frame */
    struct buf frame;        /* DELIVER; session and previous are put in when it is sent */
    struct flight **flights; /* each once, its legs counted */
    u32 n, cap;
    struct queued_link *peer; /* peer.c's own: while it is on its way to the outbox */
    struct loop_later stored;
};

struct delivery_batch *delivery_batch_new(u64 sequence);
/* `f` waits for it, too; harmless when it was the last that was added. */
void delivery_batch_wait(struct delivery_batch *d, struct flight *f);
/* Ends all legs and frees it. It is on no list. */
void delivery_batch_end(struct delivery_batch *d, int err);

#endif
