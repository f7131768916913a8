/* The dead-letter inspector: why a message died. Of a message that may become a dead letter (its
 * queue has a RedrivePolicy, or it was moved) its last deliveries are kept: when, until when it was
 * hidden, how that ended, and by whom. It goes with the message through moves.
 *
 * A first delivery that ends in a DeleteMessage costs no row: deliveries are stored when the message
 * becomes visible again. So of a delivery that is under way when the daemon is killed nothing but
 * the count is known. */
#ifndef TOQUE_HISTORY_H
#define TOQUE_HISTORY_H

#include "common/base/map.h"
#include "common/base/mem.h"

#define HISTORY_DELIVERIES_MAX 10     /* of one message, the last ones */
#define HISTORIES_MAX          100000 /* messages; of further ones nothing is kept */
#define HISTORY_CALLER_MAX     192    /* bytes of an access key and an address */

struct call;
struct msg;
struct queues;

struct histories {
    struct idmap by_seq;       /* struct history */
    const struct call *caller; /* of the receive or change that is running; NULL: not known */
};

void histories_init(struct histories *hs, const struct map_seed *seed);
void histories_deinit(struct histories *hs, struct queues *qs);

/* The message is received, and hidden until then. */
void history_receive(struct msg *m, i64 until_ms);
/* Its visibility is changed: hidden until then, or visible from now on. No effect without a
 * history; so for all below. */
void history_change(struct msg *m, i64 until_ms);
/* Its last delivery did not begin: no client got it. */
void history_undo(struct msg *m);
/* It is visible again: what is known is stored. */
void history_store(const struct msg *m);
/* It was moved, its seq was `from`. */
void history_move(const struct msg *m, u64 from);
/* It is gone. */
void history_end(const struct msg *m);
/* What the store has of the message `seq`. */
void history_restore(struct queues *qs, u64 seq, str stored);

/* The deliveries as a JSON array, oldest first, in the arena; "" when there are none. */
str history_json(const struct msg *m, struct arena *a);

#endif
