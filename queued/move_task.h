/* Move tasks: move the visible messages of a dead-letter queue in the background to another queue,
 * or each to the queue that it came from, with an optional rate limit. Amazon SQS,
 * StartMessageMoveTask.
 *
 *   start ──> RUNNING ──as many are moved as there were, or none is left──> COMPLETED
 *               │ └──a destination is missing, or a message has no source──> FAILED
 *               └──cancel──> CANCELLED
 *
 * In the destination a moved message is a new one with the same body: it has a new MessageId and
 * sent time, and a receive count of 0.
 *
 * A task's state and count are stored in the same turn as its moves; after a restart it continues.
 * A queue keeps its most recent ended tasks until it is deleted. */
#ifndef TOQUE_MOVE_TASK_H
#define TOQUE_MOVE_TASK_H

#include "common/base/heap.h"
#include "common/base/id.h"
#include "common/base/list.h"

struct queue;
struct queues;
struct task_row;

#define MOVE_TASKS_KEPT       10  /* of one queue, ended ones included: as many as can be listed */
#define MOVE_TASKS_ACTIVE_MAX 100 /* of one account; the service's limit */
#define MOVE_TASK_RATE_MAX    500 /* messages a second, highest rate of a task; the service's limit */

enum move_status { MOVE_RUNNING, MOVE_COMPLETED, MOVE_CANCELLED, MOVE_FAILED, MOVE_STATUSES };

struct move_task {
    u64 id;
    struct queue *queue;  /* the source */
    struct list link;     /* on its queue's `tasks`, newest first */
    struct heap_node due; /* in move_tasks.due while it runs: when it may move the next message */
    char *destination;    /* ARN; NULL: back to where each came from */
    i64 rate;             /* messages a second; 0: no limit */
    enum move_status status;
    u64 moved, to_move; /* to_move: the visible messages at the start */
    i64 started_ms;
    char *failure;   /* error code of a failed task */
    i64 paced_ms;    /* time from which the rate counts; not stored */
    u64 paced_moved; /* moved since then */
};

struct move_tasks {
    struct heap due; /* of struct move_task: those that run */
    u64 served;      /* turns of tasks since start: they take turns */
};

void move_tasks_init(struct move_tasks *ts);
/* The tasks themselves are freed with their queues. */
void move_tasks_deinit(struct move_tasks *ts);

/* Starts a task; the queue has no running one. destination "": none; rate 0: no limit. */
struct move_task *move_task_start(struct queue *q, str destination, i64 rate);
void move_task_cancel(struct move_task *t);
/* The queue's running task, or NULL; the task of that id, or NULL. */
struct move_task *move_task_running(const struct queue *q);
struct move_task *move_task_find(const struct queue *q, str id);
/* Running tasks of an account. */
u32 move_tasks_active(const struct queues *qs, str account);
/* Its id as the service shows it, UUID text. */
str move_task_id(const struct move_task *t, char ret[ID_UUID_SIZE]);
const char *move_status_name(enum move_status s);

/* Does up to `max` pieces of work of the tasks that are due, and says how many. */
u32 move_tasks_step(struct queues *qs, u32 max);

/* Adds a stored task to its queue. */
void move_task_restore(struct queue *q, const struct task_row *row);
/* The queue is being freed: frees its tasks; with `stored` their rows are deleted, too. */
void move_tasks_end(struct queue *q, bool stored);

#endif
