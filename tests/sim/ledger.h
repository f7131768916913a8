/* What must be, and what must not be, by all that was answered. The workload tells what it asked and
 * what it heard; the ledger says when a daemon has broken its word:
 *
 *   lost       acknowledged, not deleted, not expired, and not there when all is healed
 *   back       deleted, purged or refused, and received all the same
 *   doubled    two messages in one queue from one send or publish
 *   disorder   a later message of one sender received first; in a FIFO queue: while an earlier one of
 *              its group is there
 *   early      received while it was hidden or delayed
 *   strange    in a queue it was not for, or with another body
 *
 * The outcome of a call that was not answered is unknown: either is allowed, but not both. */
#ifndef TOQUE_SIM_LEDGER_H
#define TOQUE_SIM_LEDGER_H

#include "common/base/list.h"
#include "common/base/map.h"
#include "tests/sim/message.h"
#include "tests/sim/world.h"

#define LEDGER_QUEUES    10
#define LEDGER_FIFOS     2 /* of them, the last ones; no topic publishes to these */
#define LEDGER_EARLIER   4
#define LEDGER_TOPICS    4
#define LEDGER_NODES_MAX 8
#define LEDGER_SENDERS   16

/* Whether a queue, topic or subscription is there. Every change that is asked for, and every answer
 * to one, makes the next version: an answer tells nothing of what has changed since. */
enum presence { ABSENT, UNSURE, THERE };
struct thing {
    enum presence presence, before; /* `before`: the change that is under way */
    u32 version;
    bool changing; /* by a call under way; there is one at a time */
    i64 since_us;  /* when it was asked for last */
    i64 until_us;  /* when its end was acknowledged; INT64_MAX: it was not */
    struct {
        i64 since_us, until_us;
    } earlier[LEDGER_EARLIER]; /* the same of the times before, latest first */
    i64 changed_us;            /* when a change was asked for, or answered, last */
    bool undone; /* the change under way may be undone by a restore, even when it is answered */
};

struct ledger_queue {
    u32 index;
    char name[16];
    bool is_fifo;
    struct thing thing;
    int home;       /* the queued that has it, -1: not known */
    bool is_direct; /* made at its queued's own endpoint: topicd hears of it later */
    bool
        is_forgotten; /* topicd was restored: it hears of it again, at the latest until it settles */
    u32 restores;     /* of a queued that has it */
    bool is_torn;     /* by a restore it may be at two queueds, until all is settled */
    u32 purges;       /* under way, or of which nobody knows */
    i64 purged_us;    /* when the last other one was answered */
    i64 visibility_ms, retention_ms, delay_ms;
    i64 unordered_us; /* what was sent before may come out of order: see ledger_receive_lost */
    u64 latest[LEDGER_SENDERS]; /* the highest order of what was received for the first time */
    struct list copies;         /* that are not gone */
    struct list gone;           /* the others, in the order of their ends */
};

/* Raw or not and its policy are the same whenever it is made, as are the attributes of a queue. */
struct ledger_sub {
    struct thing thing;
    char arn[160];
    bool raw;
    u32 policy; /* index of a message_policy */
};

struct ledger_topic {
    u32 index;
    char name[16];
    struct thing thing;
    struct ledger_sub subs[LEDGER_QUEUES];
};

/* One message of one queue, or what may be one. */
struct copy {
    struct list link; /* of its queue's copies or gone */
    struct ledger_queue *queue;
    struct mark *mark;
    bool acked;   /* it must be there, unless one of the following */
    u32 ends;     /* deletes that were asked for and not refused, */
    bool emptied; /* and its queue was purged or deleted: it may be there or not */
    bool refused; /* must not be there */
    i64 in_us;    /* since when it is in the queue for sure; INT64_MAX: it may be on its way */
    i64 gone_us;  /* its end was acknowledged then; INT64_MAX: not */
    u32 hides;    /* changes of its visibility that are under way, or of which nobody knows */
    i64 hidden_from_us, hidden_until_us; /* known since then: hidden until */
    bool returned; /* without being counted, once: its order says nothing any more */
    u32 counted;   /* receive count of its last delivery by its queued's own endpoint */
    u32 drained;   /* number of the drain that found it last */
    u64 received;  /* the answer that had it last */
    char message_id[37];
};

void ledger_begin(void);
void ledger_end(void);
struct ledger_queue *ledger_queue(u32 index);
struct ledger_topic *ledger_topic(u32 index);
/* Marks by their number, from 1; the copies of one that may be in queues. */
u64 ledger_marks(void);
struct mark *ledger_marked(u64 number);
struct copy *ledger_copy(const struct ledger_queue *q, const struct mark *m); /* or NULL */

/* A call that makes the thing, or makes it go, is asked for; it was answered (`done`), refused in a
 * way that says nothing happened, or its outcome is unknown. */
enum outcome { OUTCOME_DONE, OUTCOME_REFUSED, OUTCOME_UNKNOWN };
void thing_change(struct thing *t, enum presence to);
void thing_changed(struct thing *t, enum presence to, enum outcome o);
/* It was there all the time since the version was read. */
static inline bool thing_stands(const struct thing *t, u32 version)
{
    return t->presence == THERE && t->version == version && !t->changing;
}

/* A moment of which a daemon's disk may be a copy: now; and since when all messages were found where
 * they had to be. */
struct ledger_moment {
    i64 us, settled_us;
};
struct ledger_moment ledger_now(void);
void ledger_settled(void);
/* ledger_restore.c: topicd's disk is what it was then. What it was asked since then may be undone;
 * what it had not delivered then, it may deliver again. */
void ledger_restored_topicd(const struct ledger_moment *then);
/* The wall clock of a queued is another one: what it counts in wall time may end so much earlier or
 * later. At most LEDGER_STEP_MAX_US in each direction. */
#define LEDGER_STEP_MAX_US (30 * WORLD_SECOND_US)
void ledger_clock_stepped(int node);
void ledger_started(int node);
/* The same of a queued: what came and went in its queues since then. */
void ledger_restored_queued(int node, const struct ledger_moment *then);

/* A new message's mark, with its number; its sender calls _ended when he was answered or gave up. */
struct mark *ledger_mark(u32 sender, struct ledger_topic *t);
void ledger_mark_ended(struct mark *m);
/* The copy of it that a queue may have from now on. */
struct copy *ledger_send(struct ledger_queue *q, struct mark *m);
/* `in_queue`: by what was answered it is in the queue itself, not only on its way. */
void ledger_sent(struct copy *c, enum outcome o, bool in_queue, str message_id);

/* A delivery: at the door of the daemon, in the order in which answers leave. */
struct delivery {
    struct ledger_queue *queue;
    i64 issued_us; /* when its receive was asked for */
    i64 hide_ms;   /* for so long */
    bool direct;   /* its answer leaves in the order in which it was made: exact times */
    u32 drain;     /* part of this drain; 0: none */
    u64 answer;    /* all deliveries of one answer have the number of ledger_answer */
    str body, message_id;
    i64 count, sent_ms;
};
u64 ledger_answer(void);
struct copy *ledger_received(const struct delivery *d);
/* A receive by topicd had no answer. It may take messages until then and give them back, uncounted,
 * while later ones are received. */
void ledger_receive_lost(struct ledger_queue *q, i64 until_us);
/* Its receiver left before he had the whole answer: it comes back, and that was no receive. */
void ledger_returned(struct copy *c);

void ledger_delete(struct copy *c);
void ledger_deleted(struct copy *c, enum outcome o);
void ledger_hide(struct copy *c, i64 hide_ms);
void ledger_hidden(struct copy *c, i64 issued_us, i64 hide_ms, enum outcome o);
/* Everything in the queue goes: asked for, answered. `issued_us` is when it was asked for. */
void ledger_empty(struct ledger_queue *q);
void ledger_emptied(struct ledger_queue *q, i64 issued_us);
void ledger_purge(struct ledger_queue *q);
void ledger_purged(struct ledger_queue *q, i64 issued_us, enum outcome o);
/* No purge since it was sent, which would have ended its deduplication, too. */
bool ledger_is_deduplicated(const struct copy *c);

/* Everything that must be in the queue was found by that drain; what it did not find is not there. */
void ledger_check_drained(struct ledger_queue *q, u32 drain);

extern u64 ledger_copies, ledger_deliveries, ledger_checked; /* in all runs */

#endif
