/* Which queues name a queue as their dead-letter queue: for each target ARN, whose queue need not
 * exist, its source queues in the order of their names. */
#ifndef TOQUE_REDRIVE_SOURCES_H
#define TOQUE_REDRIVE_SOURCES_H

#include "common/base/map.h"
#include "common/base/skiplist.h"

struct queue;

struct redrive_sources {
    struct map by_target; /* struct redrive_target */
};

void redrive_sources_init(struct redrive_sources *rs, const struct map_seed *seed);
void redrive_sources_deinit(struct redrive_sources *rs);

/* The queue's dead_letter_arn is set, and must not change until redrive_sources_remove. */
void redrive_sources_add(struct redrive_sources *rs, struct queue *q);
/* No effect when the queue names none. */
void redrive_sources_remove(struct redrive_sources *rs, struct queue *q);
bool redrive_sources_has(const struct redrive_sources *rs, str target_arn);
/* The first source of that queue, of type struct queue, whose key is above `after`; continue with
 * skiplist_next. NULL: there is none. */
struct skiplist_node *redrive_sources_list(const struct redrive_sources *rs, str target_arn,
                                           str after);

#endif
