/* All queues of a daemon: lookup by account, region and name, listing, loading from the store; and
 * what their messages share: the index, the due times, the waiters.
 *
 * When the commit of a turn fails, queues_reload restores memory from the store; long polls stay
 * parked. */
#ifndef TOQUE_QUEUES_H
#define TOQUE_QUEUES_H

#include "common/base/skiplist.h"
#include "common/io/background.h"
#include "queued/attempt.h"
#include "queued/dedup.h"
#include "queued/history.h"
#include "queued/move_task.h"
#include "queued/queue.h"
#include "queued/queue_store.h"
#include "queued/redrive_sources.h"

struct queues_limits {
    u32 queues_max;    /* CreateQueue is refused above it */
    u64 messages_max;  /* messages in memory; sends are refused above it */
    u32 parked_max;    /* long polls that may wait at the same time */
    u32 in_flight_max; /* received and not deleted messages of one queue */
    bool strict;       /* the service's waiting rules: 60 s after DeleteQueue and PurgeQueue */
    bool enforce;      /* queue policies are enforced: access.h */
};

/* Background work; sweep.h. */
struct sweep {
    struct background *background;
    struct background_job show, expire, clear, dedup, redelay, move;
    struct loop_timer timer;
};

/* Long polls that are parked; waiter.h. */
struct waiters {
    struct list hungry;        /* of struct queue: has waiters, and may have messages for them */
    struct list stopped;       /* of struct queue: they are hungry again in the next turn */
    struct list orphans;       /* of struct waiter: their queues are being reloaded */
    struct list ending;        /* of struct waiter: their queues are gone, or the daemon stops */
    struct heap due, due_real; /* by the end of the wait; with a manual clock in real time, too */
    struct loop_timer timer, timer_real;
    u32 parked;
    u64 serial; /* of the last one parked */
};

struct queues {
    struct loop *loop;
    struct clock *clock;
    struct queue_store *store;
    const struct map_seed *seed; /* of all tables here */
    struct queues_limits limits;
    struct {
        i64 second; /* mono */
        u32 told;
    } refusals; /* logged in that second; access.c */
    struct map by_key;
    struct idmap by_id;    /* including deleted ones whose messages are not all removed */
    struct skiplist order; /* by key */
    struct msgs msgs;
    struct heap falls;              /* queues by when the first of their hidden messages is due */
    struct list showing;            /* queues with messages that are due and still hidden */
    struct list redelay;            /* FIFO queues whose messages are to get a new delay */
    struct heap retire;             /* queues by the expiry of their oldest message */
    struct redrive_sources sources; /* of dead-letter queues */
    struct move_tasks tasks;
    struct histories histories;
    struct dedup dedup;
    struct attempts attempts;
    struct waiters waiting;
    struct heap reap; /* queues by the seq of the first of their doomed messages */
    u32 moves_left;   /* messages that receives may still move to dead-letter queues in this turn */
    struct map deleted; /* strict: struct tomb by key, */
    struct list tombs;  /* and in the order of deletion */
    u64 next_id;        /* of queues, messages and body rows alike */
    u64 damaged;        /* rows of the store that could not be read when it was loaded */
    u64 set_aside;      /* messages whose bodies could not be read, since the start */
    bool full;          /* the disk is full: no deliveries are accepted from topicd */
    bool failing;       /* the store fails: no messages are delivered */
    i64 expiry_lag_ms; /* the clock minus the time by which messages expire: queues_expiry_now_ms */
    struct sweep sweep;
    struct buf row, content, work; /* scratch: a body row, its rendered text, digests */
    void (*changed)(void *arg, const struct queue *q); /* a queue was created or deleted */
    void *changed_arg;
};

void queues_init(struct queues *qs, struct loop *l, struct background *background,
                 struct queue_store *store, const struct map_seed *seed,
                 const struct queues_limits *limits);
/* No waiter may be parked. */
void queues_deinit(struct queues *qs);
/* Discards what is in memory and loads the store. Waiters stay parked; those whose queue is gone
 * are ended. */
int queues_reload(struct queues *qs) MUST_CHECK;

/* NULL: there is none. */
struct queue *queues_find(const struct queues *qs, str account, str region, str name);
/* Only by its own ARN, whose partition is that of its region. */
struct queue *queues_find_arn(const struct queues *qs, str arn);
/* The queue that a QueueUrl (a URL of any host, a path, a bare name) names for a caller of this
 * account and region. NULL: there is no such queue. */
struct queue *queues_resolve(const struct queues *qs, str url, str account, str region);
/* Creates a queue; no queue of that name exists. Takes ownership of the attributes and tags. */
struct queue *queues_add(struct queues *qs, str account, str region, str name,
                         struct queue_attrs *attributes, struct tags *tags);
/* Deletes the queue and its messages; it must have no waiters. */
void queues_remove(struct queue *q);
/* The first doomed message over all queues in the order of rows; NULL: there is none. */
struct msg *queues_first_doomed(const struct queues *qs);
/* A queue's last doomed message was removed: if the queue is deleted it is freed. */
void queues_cleared(struct queue *q);

/* Messages that receives move to dead-letter queues in one turn, at most. */
#define QUEUES_MOVES_A_TURN 250

/* Notes the send of a FIFO queue's message, in memory and in the store. */
void queues_add_dedup(struct queues *qs, const struct dedup_entry *e);

/* How long a name cannot be reused after DeleteQueue, and a queue not purged again after
 * PurgeQueue: the service's rule. */
#define QUEUES_STRICT_WAIT_MS 60000

/* Strict rules: ms since a queue of that name was deleted, or -1 when that was long ago. */
i64 queues_deleted_ms(const struct queues *qs, str account, str region, str name);
/* The first queue of that account and region whose name begins with `prefix` and comes after
 * `after`; continue with queues_next. */
struct skiplist_node *queues_list(const struct queues *qs, str account, str region, str prefix,
                                  str after);
bool queues_is_of(const struct skiplist_node *n, str account, str region, str prefix);

/* The time by which messages expire. After a start with a clock far ahead of the last known time it
 * continues from that time until the clock is trusted. */
static inline i64 queues_expiry_now_ms(const struct queues *qs)
{
    return qs->clock->now_ms - qs->expiry_lag_ms;
}

static inline size_t queues_count(const struct queues *qs)
{
    return qs->by_key.n;
}

#endif
