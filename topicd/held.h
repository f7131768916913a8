/* Deliveries that are held: of their queues it is not known which queued has them. They lie in the
 * outbox of home 0, and are answered as safe when they are durable there.
 *
 *   published ──unknown queue──┐                     ┌──its home is known──> that home's outbox
 *   rejected by a queued ──────┴──> held ────────────┤
 *                                                    └──nobody has it──────> failed (failed_delivery.h)
 *
 * Nobody has it: every link has answered a SYNC that was sent after the delivery was held, so all
 * queues that were there at that time are announced, and this one is not among them. A queued that
 * is away is waited for. With a single link nothing is asked: its queued has all queues, and what
 * it rejects has failed.
 *
 * Order: while something is held for a queue, all that is published to it is held behind that
 * (directory.h). What a queued rejects comes behind what was held meanwhile. */
#ifndef TOQUE_HELD_H
#define TOQUE_HELD_H

#include "topicd/directory.h"
#include "topicd/failed_delivery.h"

struct held {
    struct homes *homes;
    struct directory *directory;
    struct failed_deliveries *failed;
    struct queued_link *const *links; /* borrowed */
    u32 link_count;
    struct list recent;  /* struct delivery_batch: whose rows may not be durable yet */
    u64 asked;           /* SYNC: the last number, */
    u64 asked_row;       /* which asks for what is held up to here */
    u64 answered_row;    /* what is held up to here is answered */
    u64 cursor;          /* placing: done up to here */
    bool placing, again; /* again: something came that what is behind the cursor may wait for */
    bool reading, loading;
    /* What was placed is not durable yet: the outbox cannot be read again from its beginning. */
    bool settling, settle_again;
    struct loop_later placed;
    struct outbox_read read;
    struct list rows; /* struct delivery_batch: read so far */
    u64 held;         /* ever, for the statistics: frames */
};

void held_init(struct held *h, struct homes *homes, struct directory *d,
               struct failed_deliveries *failed, struct queued_link *const *links, u32 link_count);
void held_deinit(struct held *h);
/* Reads which queues something is held for: at start, and when the store works again after turns
 * were lost. Until it is read everything is held. */
void held_load(struct held *h);

/* A batch for home 0 is full: it was marked with directory_hold for each of its targets. Takes it;
 * with `err` it is dropped. */
void held_take(struct held *h, struct delivery_batch *d, int err);
/* Targets of a batch that was sent to this home are not there. False: what is said makes no sense. */
bool held_rejected(struct held *h, struct home *from, struct delivery_batch *d,
                   const struct frame_rejected *j);
/* Asks and places what can be placed, a bounded part of it; after each turn. True: there is more to
 * do at once. */
bool held_step(struct held *h);

#endif
