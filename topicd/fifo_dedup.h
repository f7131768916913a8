/* Deduplication of FIFO topics, and their sequence numbers. Publishes of the last five minutes are
 * found by topic (and group, where FifoThroughputScope is MessageGroup) and deduplication id: a
 * duplicate is answered with the message id and the sequence number of the first publish, and is
 * not delivered (Amazon SNS developer guide, "Message deduplication for FIFO topics").
 *
 *   begin ──> pending ──> safe: stored ──> expired
 *                └──> failed: forgotten
 *
 * An entry is stored when its messages are safe, not before: a crash in between leaves a publish
 * that was not answered and may be repeated. Its duplicates wait with it and get the same outcome.
 * When the turn that stores an entry fails, the entry stays in memory.
 *
 * Sequence numbers ascend over all topics of the store. A range of them is reserved durably before
 * any of it is used, so they also ascend across crashes. */
#ifndef TOQUE_FIFO_DEDUP_H
#define TOQUE_FIFO_DEDUP_H

#include "common/io/background.h"
#include "topicd/completion.h"
#include "topicd/publication.h"
#include "topicd/topic.h"
#include "topicd/topic_store.h"

#define FIFO_DEDUP_WINDOW_MS (5 * 60 * 1000)
/* Publishes within the window, all topics together; above it FIFO topics refuse more. */
#define FIFO_DEDUP_MAX 4000000

struct fifo_dedup {
    struct topic_store *store;
    struct loop *loop;
    struct background *background;
    struct idmap table;  /* struct fifo_entry by the first half of its key */
    struct list entries; /* in the order of their sequence numbers */
    u64 count;
    u64 damaged; /* rows that were left alone */
    u64 next;    /* sequence number */
    struct background_job expiring;
    struct loop_timer timer;
};

void fifo_dedup_init(struct fifo_dedup *d, struct topic_store *store, struct loop *l,
                     struct background *background, const struct map_seed *seed);
/* No publish may be pending. */
void fifo_dedup_deinit(struct fifo_dedup *d);
/* Loads it from the store. */
int fifo_dedup_load(struct fifo_dedup *d) MUST_CHECK;

bool fifo_dedup_is_full(const struct fifo_dedup *d);
/* An accepted publication of a FIFO topic: sets its `fifo`. `done` waits until it is safe. Returns a
 * completion for its deliveries, whose creator's count the caller ends; NULL: it is a duplicate,
 * which has the first one's message id and sequence number now and is not to be delivered. */
struct completion *fifo_dedup_begin(struct fifo_dedup *d, const struct topic *t,
                                    struct publication *p, struct completion *done);

#endif
