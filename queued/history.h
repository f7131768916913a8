/* The dead-letter inspector: records why a message became a dead letter. For each message that may
 * become one (its queue has a RedrivePolicy, or it was moved) the last deliveries are kept: when it
 * was received, until when it was hidden, how the delivery ended, and who the caller was. The
 * history stays with the message when it is moved.
 *
 * Deliveries are stored when the message becomes visible again, so a message that is deleted in its
 * first delivery costs no row. Of a delivery in flight when the daemon is killed only the receive
 * count survives. */
#ifndef TOQUE_HISTORY_H
#define TOQUE_HISTORY_H

#include "common/base/map.h"
#include "common/base/mem.h"

#define HISTORY_DELIVERIES_MAX 10     /* kept of one message: the most recent ones */
#define HISTORIES_MAX          100000 /* messages; further ones have no history */
#define HISTORY_CALLER_MAX     192    /* bytes of an access key and an address */

struct call;
struct msg;
struct queues;

struct histories {
    struct idmap by_seq;       /* struct history */
    const struct call *caller; /* of the receive or change being processed; NULL: not known */
};

void histories_init(struct histories *hs, const struct map_seed *seed);
void histories_deinit(struct histories *hs, struct queues *qs);

/* The message was received and is hidden until until_ms. */
void history_receive(struct msg *m, i64 until_ms);
/* Its visibility was changed: hidden until until_ms, or visible at once. This and the functions
 * below have no effect on a message without a history. */
void history_change(struct msg *m, i64 until_ms);
/* Removes the last delivery: no client got its answer. */
void history_undo(struct msg *m);
/* It is visible again: stores the history. */
void history_store(const struct msg *m);
/* It was moved; its seq before was `from`. */
void history_move(const struct msg *m, u64 from);
/* The message is removed: deletes its history. */
void history_end(const struct msg *m);
/* The message is set aside: the history stays in the store, too. */
void history_forget(const struct msg *m);
/* Restores the stored history of the message `seq`. */
void history_restore(struct queues *qs, u64 seq, str stored);

/* The deliveries as a JSON array in the arena, oldest first; "": there are none. */
str history_json(const struct msg *m, struct arena *a);

#endif
