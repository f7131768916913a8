/* Held deliveries: it is not known which `queued` instance has their queues. They are kept in the
 * outbox of home 0, and count as safe when they are durable there.
 *
 *   published ──unknown queue──┐                     ┌──its home is known──> that home's outbox
 *   rejected by a queued ──────┴──> held ────────────┤
 *                                                    └──nobody has it──────> failed (failed_delivery.h)
 *
 * Nobody has it: every link has answered a SYNC that was sent after the delivery was held, so all
 * queues that existed at that time are announced, and this one is not among them. An instance that
 * is down is waited for. With a single link no SYNC is sent: its instance has all queues, and a
 * target that it rejects has failed.
 *
 * Order: while a delivery is held for a queue, later ones for it are held behind it (directory.h).
 * Targets that an instance rejects are placed behind those that were held in the meantime. */
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
    struct list recent;  /* struct delivery_batch: rows may not be durable yet */
    u64 asked;           /* number of the last SYNC, */
    u64 asked_row;       /* which asks for what is held up to here */
    u64 answered_row;    /* rows up to this one are answered */
    u64 cursor;          /* placing: rows up to this one are done */
    bool placing, again; /* again: news that rows up to the cursor may wait for */
    bool reading, loading;
    /* Placed rows are not durable yet: the outbox cannot be read again from its beginning. */
    bool settling, settle_again;
    struct loop_later placed;
    struct outbox_read read;
    struct list rows; /* struct delivery_batch: read so far */
    u64 held;         /* since start, for the statistics: frames */
};

void held_init(struct held *h, struct homes *homes, struct directory *d,
               struct failed_deliveries *failed, struct queued_link *const *links, u32 link_count);
void held_deinit(struct held *h);
/* Reads for which queues deliveries are held: at start, and when the store works again after turns
 * were lost. Until it has finished every delivery is held. */
void held_load(struct held *h);

/* Takes a complete batch for home 0, after a directory_hold for each of its targets; with `err` it
 * is dropped. */
void held_take(struct held *h, struct delivery_batch *d, int err);
/* Targets of a batch were rejected: their queues were not there when it was applied. Only noted until
 * the batch is acknowledged, since a batch that is sent again is rejected again. False: the frame is
 * invalid. */
bool held_rejected(struct delivery_batch *d, const struct frame_rejected *j);
/* It is acknowledged: holds its rejected targets, in the turn that deletes its row. An E_ code: they
 * are not held, and the publishes that wait for it have failed. */
int held_returned(struct held *h, struct delivery_batch *d);
/* Sends a SYNC if needed and places what can be placed, a bounded part of it; called after each
 * turn. True: more can be done at once. */
bool held_step(struct held *h);

#endif
