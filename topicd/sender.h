/* Delivery: what is published in one turn goes to each queued concerned as one DELIVER frame, with
 * every message once and the list of its targets. The frames grow while the turn gathers, and leave
 * when its commit is done; with a commit that failed they are dropped, and their publishes refused.
 *
 * Memory: frames that were not acknowledged and those of this turn together are bounded. Beyond it
 * publishes wait (sender_park) until acknowledgements free some. */
#ifndef TOQUE_SENDER_H
#define TOQUE_SENDER_H

#include "common/aws/call.h"
#include "topicd/fanout.h"
#include "topicd/queued_link.h"

/* A frame that reaches this size is closed and another one begun. Small enough to travel while the
 * next is made, large enough to share its cost among thousands of targets. */
#define SENDER_FRAME_SIZE ((size_t)1 << 20)

struct sender {
    struct loop *loop;
    struct queued_link **links;
    u32 link_count;
    u64 held_bytes_max;
    size_t frame_size;            /* SENDER_FRAME_SIZE; tests make it small */
    u64 open_bytes;               /* of frames of this turn */
    struct delivery_batch **open; /* by peer: the frame that grows, or NULL */
    struct list *closed;          /* by peer: full frames of this turn */
    bool scheduled;
    struct loop_later flush;
    struct list parked; /* struct call: publishes that wait for memory */
    struct loop_later resume;
    bool resuming;
};

void sender_init(struct sender *d, struct loop *l, struct queued_link **links, u32 link_count,
                 u64 held_bytes_max);
/* No publish may be under way. */
void sender_deinit(struct sender *d);

/* Puts the message into this turn's frames, for all targets of the plan. */
void sender_put(struct sender *d, const struct frame_publication *p, const struct attr_list *attrs,
                const struct fanout *plan, struct flight *flight);

/* True: the call was parked, since memory is over or others wait already; its action is run again
 * later, from the beginning. */
bool sender_park(struct sender *d, struct call *c);
/* Memory came back. */
void sender_freed(struct sender *d);
/* Refuses all that wait. */
void sender_refuse_parked(struct sender *d);
u64 sender_held_bytes(const struct sender *d);

#endif
