/* A message as memory holds it: which one, where, since when. What it says stays on disk.
 *
 *   msg_new ─┬─> DELAYED ──msg_show──> VISIBLE ──msg_hide──> LEASED ──msg_show──> VISIBLE
 *            └──────────────────────────> ^                     └──msg_hide──> LEASED, another due
 *   from any state: msg_free (deleted, expired, purged)
 *
 * The states are not stored: a hidden message has a place in the heap of due times, and is DELAYED
 * while it was never received, else LEASED. Everything else is VISIBLE.
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

/* What only a message has that is hidden or was received. */
struct msg_rare {
    struct heap_node due; /* in msgs.due by the time when it becomes visible; in no heap: it is */
    u32 receives;
    struct msg *msg;
    i64 first_ms; /* first receive, Unix ms; 0: none yet */
};

enum msg_flags {
    MSG_RAW = 1, /* of a publication: delivered raw, else in its envelope */
};

struct msg {
    u64 id; /* order of arrival over all queues */
    struct queue *queue;
    i64 sent_ms;
    union {
        struct list line;
        struct heap_node returned;
    } at;                  /* where its queue's pick keeps it, */
    struct list arrived;   /* in the queue's list of all its messages, oldest first */
    struct shared *body;   /* NULL: the body row of its own id */
    struct msg_rare *rare; /* NULL: visible and never received */
    u32 origin;            /* place of its struct origin; 0: none */
    u16 flags;             /* enum msg_flags */
    u8 where;              /* which member of `at`, and more: the pick's own; 0: nowhere */
};

enum msg_state { MSG_DELAYED, MSG_VISIBLE, MSG_LEASED };

/* All messages of a daemon. */
struct msgs {
    struct slab msgs, rares;
    struct idmap chunks;     /* index by id: chunks of 64 neighbours */
    struct heap due;         /* hidden ones, by time and then in the order of arrival */
    struct origin **origins; /* by place - 1 */
    struct map origin_of;    /* by ARN */
    u32 origin_count, origin_cap, origin_free;
};

void msgs_init(struct msgs *ms, const struct map_seed *seed);
void msgs_deinit(struct msgs *ms);

/* VISIBLE, on no list yet. The id is new. */
struct msg *msg_new(struct msgs *ms, struct queue *q, u64 id, i64 sent_ms);
struct msg *msg_find(const struct msgs *ms, u64 id);
/* Takes it off `arrived`, the heap of due times and the index. Its queue's pick has let go of it
 * already. Does not touch shared bodies. */
void msg_free(struct msgs *ms, struct msg *m);

enum msg_state msg_state(const struct msg *m);
/* It is hidden until due_ms, whatever it was before. */
void msg_hide(struct msgs *ms, struct msg *m, i64 due_ms);
/* It is hidden no longer. */
void msg_show(struct msgs *ms, struct msg *m);
/* One more receive. */
void msg_count(struct msgs *ms, struct msg *m, i64 now_ms);
/* It was received so often already, at least once. */
void msg_set_receives(struct msgs *ms, struct msg *m, u32 receives, i64 first_ms);

static inline u32 msg_receives(const struct msg *m)
{
    return m->rare ? m->rare->receives : 0;
}
static inline i64 msg_first_ms(const struct msg *m)
{
    return m->rare ? m->rare->first_ms : 0;
}
/* When it becomes visible; 0: it is. */
i64 msg_due_ms(const struct msgs *ms, const struct msg *m);
/* The first message that is to become visible, NULL when none is hidden. */
struct msg *msg_first_due(const struct msgs *ms);

/* The place of this ARN, with one holder more; 0 for "". */
u32 origin_hold(struct msgs *ms, str arn);
void origin_drop(struct msgs *ms, u32 place);
/* "" for 0. */
str origin_arn(const struct msgs *ms, u32 place);

/* Asserts what must be true of one message; for tests and after a load. */
void msg_check(const struct msgs *ms, const struct msg *m);

#endif
