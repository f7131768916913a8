/* Parked long polls. A waiter lies on its queue's list, oldest first, until a message can be given
 * to it, its time is over, its client left, or its queue is gone; then it is taken off and its call
 * is finished.
 *
 * All of that happens in one place: waiters_serve, which runs in every turn when everything else
 * was applied and before the commit. Whatever makes a message visible only puts its queue on
 * queues.hungry. A turn ends no more than so many waits; the others follow in the next turns.
 *
 * Times follow the daemon's clock. Where that is moved by hand, a wait ends at the moved time or
 * when it has passed in real time, whichever is first, so that no client hangs on a clock nobody
 * moves. */
#ifndef TOQUE_WAITER_H
#define TOQUE_WAITER_H

#include "common/aws/call.h"
#include "queued/queues.h"

/* Waits that end in one turn: as many as the loop takes requests in one. */
#define WAITERS_A_TURN 256

enum waiter_end {
    WAITER_EMPTY, /* its time is over, or its client left: answer with nothing */
    WAITER_LOST,  /* its queue is gone */
};

struct waiter {
    struct list link; /* on its queue's list, or on one of struct waiters */
    struct queue *queue;
    struct queues *all;
    struct call *call;
    /* Its queue may have something: take it, waiter_unpark, answer. False: there was nothing, it
     * goes on waiting. */
    bool (*give)(struct waiter *w);
    /* It is off the list: finish its call. */
    void (*end)(struct waiter *w, enum waiter_end why);
    struct heap_node due, due_real; /* in waiters.due and due_real */
    enum waiter_end why;            /* on waiters.ending */
    str key;                        /* on waiters.orphans: its queue's */
};

void waiters_init(struct queues *qs);
void waiters_deinit(struct queues *qs);

/* False: too many wait already. w->queue, call, give and end are set; the waiter lives as long as
 * its call. */
bool waiter_park(struct waiter *w, i64 wait_ms) MUST_CHECK;
/* Off its list; its call is to be finished now. */
void waiter_unpark(struct waiter *w);
/* Gives what there is to those who wait for it, and ends the waits whose time is over. True: there
 * is more to do. Once a turn, before the commit. */
bool waiters_serve(struct queues *qs);
/* The waiters of a queue are off its list; they are told why within the next turns. */
void waiters_end(struct queue *q, enum waiter_end why);
/* Those whose queues could not be read anew, too. */
void waiters_end_all(struct queues *qs, enum waiter_end why);

/* For queues_reload: off their queues onto `orphans`, and back. */
void waiters_orphan(struct queue *q);
void waiters_adopt(struct queues *qs);

#endif
