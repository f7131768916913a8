/* Fair queues: groups of a standard queue, where MessageGroupId names a tenant. Messages of quiet
 * tenants are delivered before those of noisy ones; among noisy tenants, the one with the fewest
 * messages in flight comes first. Within a group, and across all quiet groups, messages are
 * delivered in the order of arrival. A message without a group counts as a tenant of its own, which
 * is never noisy. Source: Amazon SQS developer guide, fair queues.
 *
 * A group is noisy while it has at least FAIR_NOISY_MIN messages, and more than a tenth of all, in
 * flight; or while it got at least FAIR_NOISY_MIN, and more than a tenth, of the last few hundred
 * receives (the service measures the time of consumers). So about ten groups at most are noisy by
 * each rule, and an operation costs O(log groups).
 *
 *   quiet, in `quiet` by its first message ──take, when it has become noisy──> `noisy`
 *                                         <──take, when it is so no more────── */
#ifndef TOQUE_FAIR_GROUP_H
#define TOQUE_FAIR_GROUP_H

#include "common/base/heap.h"
#include "queued/group.h"

#define FAIR_NOISY_MIN  30
#define FAIR_NOISY_PART 10  /* a tenth */
#define FAIR_EPOCH      256 /* receives in an epoch; earlier counts are halved with each epoch */

/* In its struct group, `messages` holds the visible messages in the order of arrival, except those
 * in `returned`, which became visible after later ones; `link` is in fair_groups.noisy. */
struct fair_group {
    struct group group;
    struct heap returned;     /* of struct msg by seq */
    struct heap_node by_head; /* in fair_groups.quiet */
    u32 in_flight;
    u32 recent, epoch; /* recent receives, as counted up to that epoch */
};

struct fair_groups {
    struct heap quiet; /* of struct fair_group by the seq of their first visible message */
    struct list noisy; /* of struct fair_group with visible messages */
    u64 takes;         /* receives of messages with a group */
    u32 recent, epoch; /* of all groups, as above */
};

void fair_groups_init(struct fair_groups *fs);
/* Forgets all groups at once. */
void fair_groups_clear(struct fair_groups *fs);
/* struct pick's group_end: the last message has left the group. */
void fair_group_end(struct group *g);

/* m has a group and is visible: inserts it by its arrival. */
void fair_group_show(struct fair_groups *fs, struct msg *m);
/* m is no longer visible. */
void fair_group_hide(struct fair_groups *fs, struct msg *m);
/* m is now in flight (n = 1), or no longer (n = -1). */
void fair_group_add_in_flight(struct msg *m, int n);

/* The first message of the quiet groups; NULL: there is none. all_in_flight: messages in flight in
 * the queue. */
struct msg *fair_groups_quiet(struct fair_groups *fs, u64 all_in_flight);
/* The next message of the noisy ones. */
struct msg *fair_groups_noisy(const struct fair_groups *fs);
/* m is delivered: counts a receive of its group. */
void fair_groups_took(struct fair_groups *fs, struct msg *m);

/* Asserts what must be true; returns the number of visible messages in groups. For tests. */
u64 fair_groups_check(const struct queue *q);

#endif
