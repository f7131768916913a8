/* A queue: its attributes, its messages by state, and its one door. Every message comes in through
 * queue_put, is given out by queue_take, goes by queue_drop. Which one is next is its pick's
 * business (pick.h).
 *
 * Counts are exact at every moment: they are kept, not counted. All changes go to the store in the
 * same turn and are durable when that turn is. */
#ifndef TOQUE_QUEUE_H
#define TOQUE_QUEUE_H

#include "common/base/err.h"
#include "common/aws/access_policy.h"
#include "common/aws/tags.h"
#include "queued/queue_attr.h"
#include "queued/receipt.h"
#include "queued/msg.h"
#include "queued/pick.h"

struct queues;
struct message_row;

#define QUEUE_TAKE_MAX     10    /* messages of one receive */
#define QUEUE_HIDDEN_MAX_S 43200 /* a delivery ends 12 hours after its receive at the latest */
#define QUEUE_DELAY_MAX_S  900

struct queue {
    u64 id;
    struct queues *all;
    str key;                   /* "ACCOUNT/REGION/NAME", own bytes */
    str account, region, name; /* parts of key */
    char *arn;
    char sender[22]; /* SenderId of what is sent here: one principal an account */
    i64 created_ms, modified_ms;
    struct queue_attrs attributes;
    struct access_policy *access; /* the policy among them, parsed; access.h */
    struct tags tags;
    struct aids *aids; /* NULL: none */

    const struct pick *pick;
    union pick_state pick_state;
    struct map groups;   /* struct group by id, of messages with one */
    bool has_groups;     /* some message had one since the start */
    struct list arrived; /* of struct msg, all of them, in the order of arrival */
    struct heap moved; /* of struct msg_past by sent_ms: those that are older than their arrival */
    u64 visible_count, leased_count, delayed_count;

    struct heap hidden;      /* of struct msg_rare by when it becomes visible, then by arrival */
    struct heap_node falls;  /* in queues.falls: when the first hidden one may be due, or earlier */
    struct list showing;     /* on queues.showing instead: some are due */
    struct heap_node retire; /* in queues.retire: when its oldest message may expire, or earlier */

    bool dedup_by_group; /* the scope of its creation, which a later one does not change */

    struct list redelay;   /* on queues.redelay */
    struct msg *redelayed; /* the next one that is looked at there */

    /* Redrive: a message that was received so often (0: without end) is moved to that queue. */
    u32 receives_max;
    char *dead_letter_arn;
    struct list tasks; /* of struct move_task, newest first: this queue is their source */

    struct list waiters; /* parked long polls, oldest first */
    struct list hungry;  /* on waiters.hungry: has waiters, and perhaps something for them */

    u64 purged_seq; /* what arrived up to here is gone, though some may still be cleared away */
    i64 purged_ms;  /* last PurgeQueue */
    /* The newest message's time: the next one's is not before it, even if the clock was set back, so
     * that messages expire in the order in which they arrived. */
    i64 newest_ms;
    /* What had arrived when the retention was raised last, and was sent before: it had expired. */
    u64 expired_seq;
    i64 expired_ms;
    bool deleted;
    struct list doomed;      /* of struct msg: gone for everybody, to be cleared away */
    struct heap_node reaped; /* in queues.reap by the seq of the first doomed one */
};

/* What comes in. */
struct new_message {
    str content;             /* its body row; or */
    struct msg_body *shared; /* a body row that is there already: one holder more */
    str origin;              /* content_origin of the subscription it came by, "" for none */
    str group_id;            /* "" for none; FIFO queues want one */
    u16 flags;               /* enum msg_flags */
    i64 delay_ms;            /* 0: visible at once */
};

const struct msg *queue_put(struct queue *q, const struct new_message *p);
/* Has it anything to give out, and may it? */
bool queue_has_next(const struct queue *q);
/* Up to `max` visible messages, hidden for hide_ms (0: they stay visible) and counted. */
u32 queue_take(struct queue *q, u32 max, i64 hide_ms, struct msg *ret[QUEUE_TAKE_MAX]);
/* The message is deleted, expired, or otherwise of no more use. */
void queue_drop(struct msg *m);
/* A hidden message becomes visible: its time has come. */
void queue_return(struct msg *m);
/* Its body cannot be read: memory forgets it, its rows stay as they are until the next load. */
void queue_set_aside(struct msg *m);
/* It is gone for everybody, and is cleared away in the background. */
void queue_doom(struct msg *m);
/* It is hidden until then, in memory. */
void queue_hide_until(struct msg *m, i64 due_ms);
/* It is hidden for hide_ms from now, whatever it was before; 0: visible at once. */
void queue_hide(struct msg *m, i64 hide_ms);
/* Its last receive did not reach its client: it is visible, at its old place. Not counted: nobody
 * saw any of it, and it is as it was before. */
void queue_take_back(struct msg *m, bool is_counted);

/* The message that a handle names. NULL and 0: it is gone. E_INVALID: the handle is garbage;
 * E_NOT_FOUND: it is another queue's. */
int queue_find_receipt(struct queue *q, str handle, struct receipt *ret_handle,
                       struct msg **ret) MUST_CHECK;
/* The text of its MessageId, and of the one that a message sent to this queue got as `seq`:
 * ID_UUID_SIZE bytes with their NUL. */
str queue_message_id(const struct msg *m, char *ret);
str queue_first_id(const struct queue *q, u64 seq, char *ret);
/* The SequenceNumber of a FIFO queue's message: always 20 digits, which grow with the arrival. */
#define QUEUE_SEQUENCE_SIZE 21
str queue_sequence(u64 seq, char *ret);
/* The handle of the message's present delivery, which was received then. */
str queue_receipt(const struct msg *m, i64 received_ms, char ret[RECEIPT_SIZE]);
/* NULL: it is not in this queue, or gone. */
struct msg *queue_find(const struct queue *q, u64 seq);

/* Everything that is in it now is gone. Costs the same however much there is. */
void queue_purge(struct queue *q);

/* --- what time does: queue_time.c ------------------------------------------------------------- */

/* The message that expires first, NULL when there is none; and when it does. */
struct msg *queue_oldest(const struct queue *q);
i64 queue_expiry_ms(const struct queue *q, const struct msg *m);
/* The oldest message may be another. */
void queue_set_retire(struct queue *q);
/* Where it is longer than it was, what has expired stays so, cleared away or not. */
void queue_raised_retention(struct queue *q, i64 old_retention_s);
/* When a message of a FIFO queue, never received, has waited for its queue's delay; 0: there is
 * none. */
i64 queue_delay_over_ms(const struct msg *m);
/* FIFO: the delay has changed, for messages that are there, too. In the background: */
void queue_redelay(struct queue *q);
/* up to `max` of them; returns how many. */
u32 queue_redelay_some(struct queue *q, u32 max);
/* The next of them is another, or goes. */
void queue_redelay_next(struct queue *q);
/* A message is hidden until due_ms. */
void queue_set_falls(struct queue *q, i64 due_ms);
/* Messages whose time has come become visible; those past their retention are doomed. At most `max`,
 * the first ones first; says how many. What is left, the background goes on with. */
u32 queue_show_due(struct queue *q, u32 max);
u32 queue_doom_expired(struct queue *q, u32 max);
/* Before somebody looks: what is due is done, as far as that costs little. So a few messages are
 * never late, however much else the background has to do. */
void queue_catch_up(struct queue *q);
/* Nothing is due here any more: its messages are purged, or the queue ends. */
void queue_clear_due(struct queue *q);

/* ---------------------------------------------------------------------------------------------- */

/* The attributes have changed, these two from that: stores them, and looks anew at what they mean for
 * messages there. */
void queue_changed(struct queue *q, i64 old_delay_s, i64 old_retention_s);
/* It may have something to give out that it had not before: its waiters are served this turn. */
void queue_wake(struct queue *q);
/* It may not give out any more: too many are in flight. */
bool queue_is_full(const struct queue *q);

/* Asserts what must be true of a queue and its messages; for tests. */
void queue_check(const struct queue *q);

/* For queues.c. */
struct queue *queue_new(struct queues *all, u64 id, str account, str region, str name);
void queue_free(struct queue *q);
/* Its attributes are known: how it chooses. It is empty. */
void queue_set_kind(struct queue *q);
void queue_save(struct queue *q);
/* Reads what queue_save wrote into the row's attributes. */
int queue_read_row(struct queue *q, str attributes);
/* `doomed` has another first message. */
void queue_reap(struct queue *q);
/* A message read back; all but its queue's part of it is set. */
void queue_restore(struct queue *q, struct msg *m, i64 due_ms, str group_id);

/* For redrive.c. The message is the queue's from here on, the last that arrived; its state is set. */
void queue_arrive(struct queue *q, struct msg *m);
/* It is the queue's no more, but for `arrived`. There is room in flight again, or what it was in
 * front of is free. */
void queue_let_go(struct queue *q, struct msg *m);
/* Its row; whether its group is part of it the store knows. */
struct message_row queue_message_row(const struct msg *m);
/* What its MessageId is made of. */
void queue_identity(const struct msg *m, u8 ret[MSG_IDENTITY_SIZE]);

#endif
