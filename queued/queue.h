/* A queue: its attributes and its messages by state. Every message is added by queue_put, delivered
 * by queue_take and removed by queue_drop. The queue's pick chooses the next one (pick.h).
 *
 * Counts are exact at all times. All changes are written to the store in the same turn and are
 * durable when the turn is. */
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
#define QUEUE_HIDDEN_MAX_S 43200 /* a delivery ends at most 12 hours after its receive */
#define QUEUE_DELAY_MAX_S  900

struct queue {
    u64 id;
    struct queues *all;
    str key;                   /* "ACCOUNT/REGION/NAME", own bytes */
    str account, region, name; /* parts of key */
    char *arn;
    char sender[22]; /* SenderId of messages sent here: one principal per account */
    i64 created_ms, modified_ms;
    struct queue_attrs attributes;
    struct access_policy *access; /* the parsed Policy attribute; access.h */
    struct tags tags;
    struct aids *aids; /* NULL: none */

    const struct pick *pick;
    union pick_state pick_state;
    struct map groups;   /* struct group by id */
    bool has_groups;     /* some message has had a group since the start */
    struct list arrived; /* of struct msg, all of them, in the order of arrival */
    struct heap moved;   /* of struct msg_past by sent_ms: messages that were moved here */
    u64 visible_count, leased_count, delayed_count;

    struct heap hidden;      /* of struct msg_rare by when it becomes visible, then by arrival */
    struct heap_node falls;  /* in queues.falls, at the first hidden message's due time or before */
    struct list showing;     /* on queues.showing instead, while messages are due */
    struct heap_node retire; /* in queues.retire, at the oldest message's expiry or before */

    bool dedup_by_group; /* DeduplicationScope at creation; a later change has no effect on it */

    struct list redelay;   /* on queues.redelay */
    struct msg *redelayed; /* the next message to get the new delay */

    /* Redrive: a message with this receive count (0: no limit) is moved to that queue when it is
     * taken again. */
    u32 receives_max;
    char *dead_letter_arn;
    struct list tasks; /* of struct move_task, newest first: this queue is their source */

    struct list waiters; /* parked long polls, oldest first */
    struct list
        hungry; /* on waiters.hungry or `stopped`: has waiters, and may have messages for them */

    u64 purged_seq; /* messages up to this seq are gone, though some rows may remain to be removed */
    i64 purged_ms;  /* last PurgeQueue */
    /* The newest message's sent time. The next one's is not earlier, even if the clock was set
     * back, so that messages expire in the order of arrival. */
    i64 newest_ms;
    /* Messages up to this seq that were sent before expired_ms had expired when the retention was
     * last raised. */
    u64 expired_seq;
    i64 expired_ms;
    bool deleted;
    struct list doomed;      /* of struct msg: gone, rows and memory to be removed */
    struct heap_node reaped; /* in queues.reap by the seq of the first doomed one */
};

/* A message to be added. */
struct new_message {
    str content;             /* the content of its own body row, or */
    struct msg_body *shared; /* a stored body row, which gets one more holder */
    str origin;              /* content_origin of the subscription that delivered it, "" for none */
    str group_id;            /* "" for none; required in FIFO queues */
    u16 flags;               /* enum msg_flags */
    i64 delay_ms;            /* 0: visible at once */
};

/* The sent time of what arrives now. */
i64 queue_arrival_ms(struct queue *q);
const struct msg *queue_put(struct queue *q, const struct new_message *p);
/* Whether it has a message to deliver, and may deliver it (queue_is_full). */
bool queue_has_next(const struct queue *q);
/* Takes up to `max` visible messages: counts their receives and hides them for hide_ms (0: they
 * stay visible). Returns how many. */
u32 queue_take(struct queue *q, u32 max, i64 hide_ms, struct msg *ret[QUEUE_TAKE_MAX]);
/* Removes a message that was deleted, or is not needed any more. */
void queue_drop(struct msg *m);
/* Makes a hidden message visible whose time has come. */
void queue_return(struct msg *m);
/* Its body cannot be read: removes it from memory; its rows stay in the store until the next
 * load. */
void queue_set_aside(struct msg *m);
/* Makes it gone at once; its rows and memory are removed in the background. */
void queue_doom(struct msg *m);
/* Hides it until due_ms, in memory only. */
void queue_hide_until(struct msg *m, i64 due_ms);
/* Hides it for hide_ms from now, whatever its state; 0: visible at once. */
void queue_hide(struct msg *m, i64 hide_ms);
/* Its last receive did not reach the client: makes it visible, at its old place. `is_counted`: the
 * receive still counts, since the client may have got a part of the answer. */
void queue_take_back(struct msg *m, bool is_counted);

/* The message that a handle names. Returns 0 with NULL: it is gone. E_INVALID: the handle is
 * malformed; E_NOT_FOUND: it is of another queue. */
int queue_find_receipt(struct queue *q, str handle, struct receipt *ret_handle,
                       struct msg **ret) MUST_CHECK;
/* The text of a message's MessageId, and of the MessageId that a message sent to this queue got
 * with this seq: ID_UUID_SIZE bytes including the NUL. */
str queue_message_id(const struct msg *m, char *ret);
str queue_first_id(const struct queue *q, u64 seq, char *ret);
/* The SequenceNumber of a FIFO queue's message: 20 digits, ascending in the order of arrival. */
#define QUEUE_SEQUENCE_SIZE 21
str queue_sequence(u64 seq, char *ret);
/* The handle of the message's present delivery; received_ms: the time of its receive. */
str queue_receipt(const struct msg *m, i64 received_ms, char ret[RECEIPT_SIZE]);
/* NULL: it is not in this queue, or it is gone. */
struct msg *queue_find(const struct queue *q, u64 seq);

/* Makes all its present messages gone, in constant time. */
void queue_purge(struct queue *q);

/* --- what time does: queue_time.c ------------------------------------------------------------- */

/* The message that expires first, NULL when there is none; and the time at which it expires. */
struct msg *queue_oldest(const struct queue *q);
i64 queue_expiry_ms(const struct queue *q, const struct msg *m);
/* Sets the queue's time in queues.retire; the oldest message may have changed. */
void queue_set_retire(struct queue *q);
/* The retention was changed: if it is longer now, expired messages stay expired, even those not
 * removed yet. */
void queue_raised_retention(struct queue *q, i64 old_retention_s);
/* When the queue's delay ends for a never received message of a FIFO queue; 0: the queue has no
 * delay. */
i64 queue_delay_over_ms(const struct msg *m);
/* FIFO: the delay has changed. Applies it to the present messages, too, in the background: */
void queue_redelay(struct queue *q);
/* one step: applies it to up to `max` messages; returns how many. */
u32 queue_redelay_some(struct queue *q, u32 max);
/* Sets `redelayed` to the message before it; called when that message is done, or removed. */
void queue_redelay_next(struct queue *q);
/* A message is hidden until due_ms: adjusts the queue's time in queues.falls. */
void queue_set_falls(struct queue *q, i64 due_ms);
/* Makes up to `max` due messages visible, in the order of their due times; those past their
 * retention are doomed. Returns how many. The background continues with the rest. */
u32 queue_show_due(struct queue *q, u32 max);
u32 queue_doom_expired(struct queue *q, u32 max);
/* Called before the queue's state is read: makes a bounded number of due messages visible and dooms
 * a bounded number of expired ones, so that a few messages are never late, however much the
 * background has to do. */
void queue_catch_up(struct queue *q);
/* Removes the queue from all due times: its messages are purged, or the queue is deleted. */
void queue_clear_due(struct queue *q);

/* ---------------------------------------------------------------------------------------------- */

/* The attributes have changed: stores them, and applies the delay and the retention to the present
 * messages where they differ from the old values. */
void queue_changed(struct queue *q, i64 old_delay_s, i64 old_retention_s);
/* It may have a new message to deliver: its waiters are served in this turn. */
void queue_wake(struct queue *q);
/* The limit of messages in flight is reached: it delivers none. */
bool queue_is_full(const struct queue *q);

/* Asserts what must be true of a queue and its messages; for tests. */
void queue_check(const struct queue *q);

/* For queues.c. */
struct queue *queue_new(struct queues *all, u64 id, str account, str region, str name);
void queue_free(struct queue *q);
/* Sets its pick from its attributes; the queue is empty. */
void queue_set_kind(struct queue *q);
void queue_save(struct queue *q);
/* Reads what queue_save wrote into the row's attributes. */
int queue_read_row(struct queue *q, str attributes);
/* The first message of `doomed` has changed: updates queues.reap. */
void queue_reap(struct queue *q);
/* Adds a message read from the store, whose other members are set. */
void queue_restore(struct queue *q, struct msg *m, i64 due_ms, str group_id);

/* For redrive.c. Adds the message as the last that arrived; its state is set. */
void queue_arrive(struct queue *q, struct msg *m);
/* Removes the message from the queue, except from `arrived`, and wakes waiters: there may be room
 * in flight again, or messages of its group may be deliverable. */
void queue_let_go(struct queue *q, struct msg *m);
/* Its row; whether its group is part of it the store knows. */
struct message_row queue_message_row(const struct msg *m);
/* The bytes from which its MessageId derives. */
void queue_identity(const struct msg *m, u8 ret[MSG_IDENTITY_SIZE]);

#endif
