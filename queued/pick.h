/* How a queue chooses the message that it gives out next. What all queues do with a message (count
 * it, hide it, store it, clear it away) is queue.c's, which calls the queue's pick whenever one
 * arrives, becomes visible, is hidden or goes. A pick decides order, and whether something may be
 * given out; it never changes a message's state.
 *
 * What an operation costs does not depend on how many messages or groups wait: O(log n) at worst.
 *
 * A new kind of queue is a file pick_KIND.c with one struct pick, its state as a member of union
 * pick_state, and the choice of it in queue_new. */
#ifndef TOQUE_PICK_H
#define TOQUE_PICK_H

#include "common/base/heap.h"
#include "common/base/list.h"
#include "queued/fair_group.h"

struct queue;
struct msg;
struct group;

struct pick {
    bool by_group;     /* every message has a group when it arrives; else those with a group id */
    size_t group_size; /* of its groups; a struct group is their first member */
    void (*group_end)(struct group *g); /* the group is about to be freed; NULL: nothing to do */
    void (*init)(struct queue *q);
    /* Lets go of every message at once, without touching them: they are purged, or the queue ends.
     */
    void (*clear)(struct queue *q);
    /* A message that was never in this queue, hidden or visible; it arrives behind all others. */
    void (*arrive)(struct queue *q, struct msg *m);
    /* It has become visible, or was taken and stays so. */
    void (*show)(struct queue *q, struct msg *m);
    /* It was visible and not taken, and is hidden now. */
    void (*hide)(struct queue *q, struct msg *m);
    /* It leaves the queue, in whatever state. */
    void (*drop)(struct queue *q, struct msg *m);
    /* The next message to give out, NULL when there is none. It comes only once in one receive, so
     * that of those which stay visible none is given twice; the caller hides it, drops it, or shows
     * it again before taken_all. */
    struct msg *(*take)(struct queue *q);
    /* The receive that took is over. */
    void (*taken_all)(struct queue *q);
    /* Would take give one? */
    bool (*has_next)(const struct queue *q);
    /* Asserts what must be true; for tests. */
    void (*check)(const struct queue *q);
};

extern const struct pick pick_standard, pick_fifo;

struct pick_standard_state {
    struct list line;        /* of struct msg without a group, in the order of arrival */
    struct heap returned;    /* of struct msg: those that became visible again behind that */
    struct fair_groups fair; /* those with one */
};

struct pick_fifo_state {
    struct list ready;     /* of struct group: their first message is visible, next one first */
    struct group *current; /* that the present receive takes from */
    struct msg *next;      /* of it; NULL: it has no more */
    struct list passed;    /* of struct group: ready, and had their turn in the present receive */
};

union pick_state {
    struct pick_standard_state standard;
    struct pick_fifo_state fifo;
};

#endif
