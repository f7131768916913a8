/* Parked long polls. A waiter lies on its queue's list, oldest first, until a message becomes
 * visible there, its time is over, its client left, or its queue is gone; then it is taken off and
 * told.
 *
 * Times follow the daemon's clock. Where that is moved by hand, a wait ends at the moved time or
 * when it has passed in real time, whichever is first, so that no client hangs on a clock nobody
 * moves. */
#ifndef TOQUE_WAITER_H
#define TOQUE_WAITER_H

#include "common/aws/call.h"
#include "queued/queues.h"

enum waiter_end {
    WAITER_READY, /* something is visible: take it and answer */
    WAITER_EMPTY, /* its time is over, or its client left: answer with nothing */
    WAITER_LOST,  /* its queue is gone */
};

struct waiter {
    struct list link;
    struct queue *queue;
    struct queues *all;
    struct call *call;
    /* It is off the list: finish its call. */
    void (*end)(struct waiter *w, enum waiter_end why);
    struct loop_timer due, due_real;
    str key; /* while its queue is read anew */
};

/* False: too many wait already. w->queue, call and end are set; the waiter lives as long as its
 * call. */
bool waiter_park(struct waiter *w, i64 wait_ms) MUST_CHECK;
/* Gives what is visible to those who wait for it: at the end of whatever may have offered
 * something. */
void waiters_serve(struct queues *qs);
/* Ends all waiters of a queue. */
void waiters_end(struct queue *q, enum waiter_end why);
/* Those whose queues could not be read anew, too. */
void waiters_end_all(struct queues *qs, enum waiter_end why);

/* For queues_reload: off their queues onto `orphans`, and back. */
void waiters_orphan(struct queue *q);
void waiters_adopt(struct queues *qs);

#endif
