/* A message as memory holds it: which one, where, since when. What it says stays on disk.
 *
 *   msg_new ─┬─> DELAYED ──msg_show──> VISIBLE ──msg_hide──> LEASED ──msg_show──> VISIBLE
 *            └──────────────────────────> ^                     └──msg_hide──> LEASED, another due
 *   from any state: msg_free (deleted, expired, purged)
 *
 * The states are not stored: a hidden message has a place in its queue's heap of due times, and is
 * DELAYED while it was never received, else LEASED. Everything else is VISIBLE.
 *
 * Under 100 bytes a waiting message, its place in the index included: sizes are asserted in msg.c.
 */
#ifndef TOQUE_MSG_H
#define TOQUE_MSG_H

#include "common/base/heap.h"
#include "common/base/list.h"
#include "common/base/map.h"
#include "common/base/slab.h"

struct group;
struct queue;
struct msg;

/* A body row that does not bear its message's own number: several messages hold it, or the one that
 * does was moved. The last one deletes it. */
struct msg_body {
    u64 row;
    u32 holders;
};

/* An ARN that many messages have in common, kept once for all of them: of the subscription by which
 * they came (or the part behind the topic's), of the queue they were moved from. */
struct origin {
    u32 place; /* its number, from 1 */
    u32 holders;
    str arn;
};

#define MSG_IDENTITY_SIZE 16

/* What a message brought along from the queue that it was moved from. */
struct msg_past {
    u8 identity[MSG_IDENTITY_SIZE]; /* its MessageId is made of it */
    u32 source;                     /* place of the struct origin of that queue's ARN; 0: none */
    struct heap_node moved;         /* in its queue's `moved`, by sent_ms */
    struct msg *msg;
};

/* What only a message has that is hidden, was received, or was moved. */
struct msg_rare {
    struct heap_node
        due; /* in its queue's `hidden`, by when it becomes visible; in no heap: it is */
    u32 receives;
    struct msg *msg;
    i64 first_ms;          /* first receive, Unix ms; 0: none yet */
    struct msg_past *past; /* NULL: it was sent to this queue */
};

/* Which member of msg.at is in use. */
enum msg_at {
    MSG_AT_NOWHERE,  /* none: it is hidden, or was taken by the present receive */
    MSG_AT_LINE,     /* line */
    MSG_AT_RETURNED, /* returned */
    MSG_AT_TAKEN,    /* none: it has a group, and counts as in flight there */
};

enum msg_flags {
    MSG_RAW = 1,       /* of a publication: delivered raw, else in its envelope */
    MSG_GONE = 0x8000, /* it has expired and is to be cleared away; not stored */
};

struct msg {
    u64 seq; /* its arrival in this queue, in order over all queues; the number of its row */
    struct queue *queue;
    i64 sent_ms; /* retention counts from it */
    union {
        struct list line;
        struct heap_node returned;
    } at;                  /* where its queue's pick keeps it, */
    struct list arrived;   /* in the queue's list of all its messages, oldest first */
    struct msg_body *body; /* NULL: the body row of its own seq */
    struct msg_rare *rare; /* NULL: visible, never received and never moved */
    struct group *group;   /* NULL: none */
    u32 origin;            /* place of its struct origin; 0: none */
    u16 flags;             /* enum msg_flags */
    u8 where;              /* enum msg_at; a FIFO queue's pick needs none */
};

enum msg_state { MSG_DELAYED, MSG_VISIBLE, MSG_LEASED };

/* All messages of a daemon. */
struct msgs {
    struct slab msgs, rares, pasts, bodies, index;
    struct idmap chunks;     /* index by seq: chunks of 64 neighbours */
    struct origin **origins; /* by place - 1 */
    struct map origin_of;    /* by ARN */
    u32 origin_count, origin_cap, origin_free;
};

void msgs_init(struct msgs *ms, const struct map_seed *seed);
void msgs_deinit(struct msgs *ms);

/* VISIBLE, on no list yet. The seq is new. */
struct msg *msg_new(struct msgs *ms, struct queue *q, u64 seq, i64 sent_ms);
struct msg *msg_find(const struct msgs *ms, u64 seq);
/* Takes it off `arrived`, the heap of due times and the index. Its queue has let go of it already.
 */
void msg_free(struct msgs *ms, struct msg *m);

/* It leaves its queue and arrives in `to` under a new seq, as the same message with the same body
 * row. It is VISIBLE, and on no list. */
void msg_move(struct msgs *ms, struct msg *m, struct queue *to, u64 seq);
/* What it brings along; of a message that was moved before only the source changes. "": none. */
void msg_set_past(struct msgs *ms, struct msg *m, const u8 identity[MSG_IDENTITY_SIZE], str source);
/* It is a new one, sent then: visible, never received, never moved; its body stays. */
void msg_renew(struct msgs *ms, struct msg *m, i64 sent_ms);
/* NULL: none, the message was sent to this queue. */
static inline struct msg_past *msg_past(const struct msg *m)
{
    return m->rare ? m->rare->past : NULL;
}

/* The message's body row. */
static inline u64 msg_body_row(const struct msg *m)
{
    return m->body ? m->body->row : m->seq;
}
/* A body row with no holders yet; it ends with the last one. */
struct msg_body *msg_body_new(struct msgs *ms, u64 row);
void msg_body_hold(struct msg *m, struct msg_body *b);
/* True: nobody holds the message's body row any more. */
bool msg_body_drop(struct msgs *ms, struct msg *m) MUST_CHECK;

enum msg_state msg_state(const struct msg *m);
/* It is hidden until due_ms, whatever it was before. */
void msg_hide(struct msgs *ms, struct msg *m, i64 due_ms);
/* It is hidden no longer. */
void msg_show(struct msgs *ms, struct msg *m);
/* One more receive. */
void msg_count(struct msgs *ms, struct msg *m, i64 now_ms);
/* The last receive did not happen; the message is visible. */
void msg_uncount(struct msgs *ms, struct msg *m);
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
i64 msg_due_ms(const struct msg *m);
/* Its queue has let go of all hidden messages at once: forgets that it was one. */
void msg_forget_due(struct msg *m);

/* The place of this ARN, with one holder more; 0 for "". */
u32 origin_hold(struct msgs *ms, str arn);
void origin_drop(struct msgs *ms, u32 place);
/* "" for 0. */
str origin_arn(const struct msgs *ms, u32 place);

/* Asserts what must be true of one message; for tests and after a load. */
void msg_check(const struct msgs *ms, const struct msg *m);

#endif
