/* Parked long polls. A waiter is on its queue's list, oldest first, until a message can be given to
 * it, its wait ends, its client disconnects, or its queue is deleted. Then it is removed and its
 * call is finished.
 *
 * All of that happens in waiters_serve, which runs once in every turn, after all other changes and
 * before the commit. Code that makes a message visible only puts its queue on waiters.hungry. A
 * turn looks at no more than WAITERS_A_TURN waiters of hungry queues, of lost queues, and of those
 * whose time has come, each: none of them keeps the others waiting. The rest follow in the next
 * turns. A queue whose receive stopped before it had examined all messages is hungry again in the next turn.
 *
 * Times follow the daemon's clock. With a manual clock a wait ends when its time is reached on that
 * clock or has passed in real time, whichever is first, so that no client waits for ever. */
#ifndef TOQUE_WAITER_H
#define TOQUE_WAITER_H

#include "common/aws/call.h"
#include "queued/queues.h"

/* Waits of each kind that end in one turn: as many as the loop accepts requests in one. */
#define WAITERS_A_TURN 256

enum waiter_end {
    WAITER_EMPTY, /* the wait ended or the client left: answer without messages */
    WAITER_LOST,  /* its queue was deleted */
};

struct waiter {
    struct list link; /* on its queue's list, or on one of struct waiters */
    struct queue *queue;
    struct queues *all;
    struct call *call;
    /* Its queue may have messages: take them, waiter_unpark, answer. False: there were none, the
     * waiter stays parked. */
    bool (*give)(struct waiter *w);
    /* It is off the list: finish its call. */
    void (*end)(struct waiter *w, enum waiter_end why);
    struct heap_node due, due_real; /* in waiters.due and due_real */
    enum waiter_end why;            /* on waiters.ending */
    str key;                        /* on waiters.orphans: its queue's */
};

void waiters_init(struct queues *qs);
void waiters_deinit(struct queues *qs);

/* The caller has set w->queue, call, give and end; the waiter lives as long as its call. False: too
 * many are parked already. */
bool waiter_park(struct waiter *w, i64 wait_ms) MUST_CHECK;
/* Removes it from its list; the caller finishes its call. */
void waiter_unpark(struct waiter *w);
/* Gives messages to waiters and ends waits that are due. True: more is to be done. Called once a
 * turn, before the commit. */
bool waiters_serve(struct queues *qs);
/* Removes all waiters from the queue's list; their calls end with `why` within the next turns. */
void waiters_end(struct queue *q, enum waiter_end why);
/* Likewise for all queues and for `orphans`. */
void waiters_end_all(struct queues *qs, enum waiter_end why);

/* For queues_reload: moves waiters from their queue to `orphans`, and all of them back. */
void waiters_orphan(struct queue *q);
void waiters_adopt(struct queues *qs);

#endif
