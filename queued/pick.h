/* How a queue chooses the next message to deliver. What all queues do with a message (count, hide,
 * store, remove it) is in queue.c, which calls the queue's pick whenever a message arrives, becomes
 * visible, is hidden or is removed. A pick decides the order, and whether a message may be
 * delivered; it never changes a message's state.
 *
 * An operation costs O(log n) at worst in the number of messages and groups.
 *
 * A new kind of queue is a file pick_KIND.c with one struct pick, its state as a member of union
 * pick_state, and the choice of it in queue_set_kind. */
#ifndef TOQUE_PICK_H
#define TOQUE_PICK_H

#include "common/base/heap.h"
#include "common/base/list.h"
#include "queued/fair_group.h"

struct queue;
struct msg;
struct group;

struct pick {
    bool by_group;     /* every message has a group; else only those with a group id */
    size_t group_size; /* size of its group type, whose first member is a struct group */
    void (*group_end)(struct group *g); /* the group is about to be freed; may be NULL */
    void (*init)(struct queue *q);
    /* Forgets all messages at once without accessing them: they are purged, or the queue is
     * deleted. */
    void (*clear)(struct queue *q);
    /* A message new to this queue, hidden or visible, arrives after all others. */
    void (*arrive)(struct queue *q, struct msg *m);
    /* It has become visible, or was taken and stays so. */
    void (*show)(struct queue *q, struct msg *m);
    /* It was visible and not taken, and is hidden now. */
    void (*hide)(struct queue *q, struct msg *m);
    /* It leaves the queue, whatever its state. */
    void (*drop)(struct queue *q, struct msg *m);
    /* The next message to deliver, NULL when there is none. Each message is returned only once in a
     * receive, even if it stays visible; the caller hides it, drops it, or shows it again before
     * taken_all. */
    struct msg *(*take)(struct queue *q);
    /* The receive that called `take` has ended. */
    void (*taken_all)(struct queue *q);
    /* Whether `take` would return a message. */
    bool (*has_next)(const struct queue *q);
    /* Asserts what must be true; for tests. */
    void (*check)(const struct queue *q);
};

extern const struct pick pick_standard, pick_fifo;

struct pick_standard_state {
    struct list line;        /* of struct msg without a group, in the order of arrival */
    struct heap returned;    /* of struct msg: those that became visible after later ones */
    struct fair_groups fair; /* messages with a group */
};

struct pick_fifo_state {
    struct list ready;     /* of struct group whose first message is visible; the head is next */
    struct group *current; /* from which the present receive takes */
    struct msg *next;      /* the next message of `current`; NULL: there are no more */
    struct list passed;    /* of struct group: ready, and already used in the present receive */
};

union pick_state {
    struct pick_standard_state standard;
    struct pick_fifo_state fifo;
};

#endif
