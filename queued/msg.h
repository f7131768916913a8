/* A message in memory: its identity, state and times. Its content stays on disk.
 *
 *   msg_new ─┬─> DELAYED ──msg_show──> VISIBLE ──msg_hide──> LEASED ──msg_show──> VISIBLE
 *            └──────────────────────────> ^                     └──msg_hide──> LEASED, another due
 *   from any state: msg_free (deleted, expired, purged)
 *
 * The states are derived: a message in its queue's heap of due times is DELAYED if it was never
 * received, else LEASED. All others are VISIBLE.
 *
 * A visible message takes less than 100 bytes, including its part of the index: sizes are asserted
 * in msg.c. */
#ifndef TOQUE_MSG_H
#define TOQUE_MSG_H

#include "common/base/heap.h"
#include "common/base/list.h"
#include "common/base/map.h"
#include "common/base/slab.h"

struct group;
struct queue;
struct msg;

/* A body row whose number differs from the message's seq: several messages hold it, or its message
 * was moved. The last holder deletes it. */
struct msg_body {
    u64 row;
    u32 holders;
};

/* An ARN that many messages share, kept once: that of the subscription that delivered them (or its
 * part after the topic's ARN), or of the queue from which they were moved. */
struct origin {
    u32 place; /* its number, from 1 */
    u32 holders;
    str arn;
};

#define MSG_IDENTITY_SIZE 16

/* What a moved message keeps from its previous queue. */
struct msg_past {
    u8 identity[MSG_IDENTITY_SIZE]; /* its MessageId derives from it */
    u32 source;                     /* place of the struct origin of that queue's ARN; 0: none */
    u32 receives;                   /* its receive count when it arrived in its present queue */
    struct heap_node moved;         /* in its queue's `moved`, by sent_ms */
    struct msg *msg;
};

/* The part that only hidden, received or moved messages have. */
struct msg_rare {
    struct heap_node
        due; /* in its queue's `hidden`, by when it becomes visible; in no heap while visible */
    u32 receives;
    struct msg *msg;
    i64 first_ms;          /* first receive, Unix ms; 0: none yet */
    struct msg_past *past; /* NULL: it was sent to this queue */
};

/* Which member of msg.at is in use. */
enum msg_at {
    MSG_AT_NOWHERE,  /* not in the pick: it is hidden, or was taken by the present receive */
    MSG_AT_LINE,     /* line */
    MSG_AT_RETURNED, /* returned */
    MSG_AT_TAKEN,    /* not in the pick, and counted as in flight in its group */
};

enum msg_flags {
    MSG_RAW = 1,       /* a publication that is delivered raw, not in its envelope */
    MSG_GONE = 0x8000, /* it has expired and is to be removed; not stored */
};

struct msg {
    u64 seq; /* number of its arrival in this queue, ascending over all queues; also its row number */
    struct queue *queue;
    i64 sent_ms; /* retention counts from it */
    union {
        struct list line;
        struct heap_node returned;
    } at;                  /* its place in the queue's pick */
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

/* A new message: VISIBLE, on no list yet. The seq is unused. */
struct msg *msg_new(struct msgs *ms, struct queue *q, u64 seq, i64 sent_ms);
struct msg *msg_find(const struct msgs *ms, u64 seq);
/* Removes it from `arrived`, the heap of due times and the index, and frees it. Its queue's pick
 * and counts do not have it any more. */
void msg_free(struct msgs *ms, struct msg *m);

/* Moves it from its queue to `to` under a new seq; it keeps its identity and body row. It is
 * VISIBLE then, and on no list. */
void msg_move(struct msgs *ms, struct msg *m, struct queue *to, u64 seq);
/* Sets what it keeps from its previous queue; if it was moved before, its identity stays. source "":
 * none; `receives`: its receive count at the move. */
void msg_set_past(struct msgs *ms, struct msg *m, const u8 identity[MSG_IDENTITY_SIZE], str source,
                  u32 receives);
/* Makes it a new message, sent at sent_ms: visible, never received, never moved; it keeps its
 * body. */
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
/* A body row without holders; it is freed with the last one. */
struct msg_body *msg_body_new(struct msgs *ms, u64 row);
void msg_body_hold(struct msg *m, struct msg_body *b);
/* Releases the message's body row. True: it was the last holder. */
bool msg_body_drop(struct msgs *ms, struct msg *m) MUST_CHECK;

enum msg_state msg_state(const struct msg *m);
/* Hides it until due_ms, whatever its state. */
void msg_hide(struct msgs *ms, struct msg *m, i64 due_ms);
/* Makes it visible. */
void msg_show(struct msgs *ms, struct msg *m);
/* Counts a receive. */
void msg_count(struct msgs *ms, struct msg *m, i64 now_ms);
/* Takes back the count of the last receive; the message is visible. */
void msg_uncount(struct msgs *ms, struct msg *m);
/* Sets the receive count, at least 1, and the time of the first receive. */
void msg_set_receives(struct msgs *ms, struct msg *m, u32 receives, i64 first_ms);

static inline u32 msg_receives(const struct msg *m)
{
    return m->rare ? m->rare->receives : 0;
}
/* Without those in queues from which it was moved. */
static inline u32 msg_receives_here(const struct msg *m)
{
    const struct msg_past *past = msg_past(m);
    return msg_receives(m) - (past ? MIN(past->receives, msg_receives(m)) : 0);
}
static inline i64 msg_first_ms(const struct msg *m)
{
    return m->rare ? m->rare->first_ms : 0;
}
/* When it becomes visible; 0: it is visible. */
i64 msg_due_ms(const struct msg *m);
/* Its queue's heap of hidden messages was emptied: clears the message's node in it. */
void msg_forget_due(struct msg *m);

/* The place of this ARN, with one more holder; 0 for "". */
u32 origin_hold(struct msgs *ms, str arn);
void origin_drop(struct msgs *ms, u32 place);
/* "" for 0. */
str origin_arn(const struct msgs *ms, u32 place);

/* Asserts what must be true of one message; for tests and after a load. */
void msg_check(const struct msgs *ms, const struct msg *m);

#endif
