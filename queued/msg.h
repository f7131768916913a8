/* A message as memory holds it: which one, where, since when. What it says stays on disk.
 *
 *   msg_new ─┬─> DELAYED ──msg_show──> VISIBLE ──msg_hide──> LEASED ──msg_show──> VISIBLE
 *            └──────────────────────────> ^                     └──msg_hide──> LEASED, another due
 *   from any state: msg_free (deleted, expired, purged)
 *
 * The states are not stored: a message that waits for a time has a lease with a place in the heap
 * of due times, and is DELAYED while it was never received, else LEASED. Everything else is
 * VISIBLE.
 *
 * Under 100 bytes a waiting message, its place in the index included: sizes are asserted in msg.c.
 */
#ifndef TOQUE_MSG_H
#define TOQUE_MSG_H

#include "common/base/heap.h"
#include "common/base/list.h"
#include "common/base/map.h"
#include "common/base/slab.h"

struct queue;
struct msg;

/* A body row that several messages hold; the last one deletes it. */
struct shared {
    u64 id;
    u32 holders;
};

/* The ARN of a subscription by which messages came, kept once for all of them. */
struct origin {
    u32 place; /* its number, from 1 */
    u32 holders;
    str arn; /* or the part behind the topic's: what the message row holds as `extra` */
};

/* What only a message has that was received or delayed. */
struct lease {
    struct heap_node node; /* due: when it becomes visible; in no heap: it is */
    struct msg *msg;
    i64 first_ms; /* first receive, Unix ms; 0: none yet */
    u32 receives;
};

enum msg_flags {
    MSG_RAW = 1, /* of a publication: delivered raw, else in its envelope */
};

struct msg {
    u64 id; /* order of arrival over all queues */
    struct queue *queue;
    i64 sent_ms;
    struct list visible; /* in the queue's list while VISIBLE, in the order in which it became so */
    struct list arrived; /* in the queue's list of all its messages, oldest first */
    struct shared *body; /* NULL: the body row of its own id */
    struct lease *lease; /* NULL: never received, not delayed */
    u32 origin;          /* place of its struct origin; 0: none */
    u32 flags;
};

enum msg_state { MSG_DELAYED, MSG_VISIBLE, MSG_LEASED };

/* All messages of a daemon. */
struct msgs {
    struct slab msgs, leases;
    struct idmap chunks;     /* index by id: chunks of 64 neighbours */
    struct heap due;         /* leases, earliest first */
    struct origin **origins; /* by place - 1 */
    struct map origin_of;    /* by ARN */
    u32 origin_count, origin_cap, origin_free;
};

void msgs_init(struct msgs *ms);
void msgs_deinit(struct msgs *ms);

/* VISIBLE, on no list yet. The id must be new. */
struct msg *msg_new(struct msgs *ms, struct queue *q, u64 id, i64 sent_ms);
struct msg *msg_find(const struct msgs *ms, u64 id);
/* Takes it off both lists, the heap and the index. Does not touch shared bodies. */
void msg_free(struct msgs *ms, struct msg *m);

enum msg_state msg_state(const struct msg *m);
/* It waits until due_ms, from whatever state: off the visible list. */
void msg_hide(struct msgs *ms, struct msg *m, i64 due_ms);
/* It waits no longer. The caller puts it on the visible list. */
void msg_show(struct msgs *ms, struct msg *m);
/* One more receive. */
void msg_count(struct msgs *ms, struct msg *m, i64 now_ms);

static inline u32 msg_receives(const struct msg *m)
{
    return m->lease ? m->lease->receives : 0;
}
static inline i64 msg_first_ms(const struct msg *m)
{
    return m->lease ? m->lease->first_ms : 0;
}
/* 0: it is visible. */
static inline i64 msg_due_ms(const struct msg *m)
{
    return m->lease && m->lease->node.place ? m->lease->node.due : 0;
}

/* The place of this ARN, with one holder more; 0 for "". */
u32 origin_hold(struct msgs *ms, str arn);
void origin_drop(struct msgs *ms, u32 place);
/* "" for 0. */
str origin_arn(const struct msgs *ms, u32 place);

/* Asserts what must be true of one message; for tests and after a load. */
void msg_check(const struct msgs *ms, const struct msg *m);

#endif
