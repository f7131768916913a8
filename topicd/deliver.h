/* Delivery: what is published in one turn goes to each queued concerned as one DELIVER frame, with
 * every message once and the list of its targets. The frames grow while the turn gathers, and leave
 * when its commit is done; with a commit that failed they are dropped, and their publishes refused.
 *
 * Memory: frames that were not acknowledged and those of this turn together are bounded. Beyond it
 * publishes wait (deliver_park) until acknowledgements free some. */
#ifndef TOQUE_DELIVER_H
#define TOQUE_DELIVER_H

#include "common/call.h"
#include "topicd/fanout.h"
#include "topicd/peer.h"

/* A frame that reaches this size is closed and another one begun. Small enough to travel while the
 * next is made, large enough to share its cost among thousands of targets. */
#define DELIVER_FRAME_SIZE ((size_t)1 << 20)

struct deliver {
    struct loop *loop;
    struct peer **peers;
    u32 peer_count;
    u64 held_bytes_max;
    size_t frame_size;      /* DELIVER_FRAME_SIZE; tests make it small */
    u64 open_bytes;         /* of frames of this turn */
    struct dispatch **open; /* by peer: the frame that grows, or NULL */
    struct list *closed;    /* by peer: full frames of this turn */
    bool scheduled;
    struct loop_later flush;
    struct list parked; /* struct call: publishes that wait for memory */
    struct loop_later resume;
    bool resuming;
};

void deliver_init(struct deliver *d, struct loop *l, struct peer **peers, u32 peer_count,
                  u64 held_bytes_max);
/* No publish may be under way. */
void deliver_deinit(struct deliver *d);

/* Puts the message into this turn's frames, for all targets of the plan. */
void deliver_put(struct deliver *d, const struct frame_publication *p,
                 const struct attr_list *attrs, const struct fanout *plan, struct flight *flight);

/* True: the call was parked, since memory is over or others wait already; its action is run again
 * later, from the beginning. */
bool deliver_park(struct deliver *d, struct call *c);
/* Memory came back. */
void deliver_freed(struct deliver *d);
/* Refuses all that wait. */
void deliver_refuse_parked(struct deliver *d);
u64 deliver_held_bytes(const struct deliver *d);

#endif
