/* Fair queues: groups of a standard queue, where MessageGroupId names a tenant. While one tenant is
 * noisy, messages of the others are given out first; among noisy ones, those of the tenant with the
 * fewest messages in flight. Within a group, and over all quiet ones, the order is that of arrival.
 * Messages without a group are each a tenant of their own, and never noisy. Amazon SQS, fair queues.
 *
 * A group is noisy while it has FAIR_NOISY_MIN messages in flight and more than a tenth of all that
 * are, or was given FAIR_NOISY_MIN and more than a tenth of the last few hundred receives (the
 * service counts the time of consumers). So ten groups or so are noisy at once at most in each way,
 * and an operation costs O(log groups).
 *
 *   quiet, in `quiet` by its first message ──take, when it has become noisy──> `noisy`
 *                                         <──take, when it is so no more────── */
#ifndef TOQUE_FAIR_GROUP_H
#define TOQUE_FAIR_GROUP_H

#include "common/base/heap.h"
#include "queued/group.h"

#define FAIR_NOISY_MIN  30
#define FAIR_NOISY_PART 10  /* a tenth */
#define FAIR_EPOCH      256 /* receives; what was before counts half with each */

/* Of its struct group, `messages` has the visible ones in the order of arrival, but for those that
 * came back behind later ones, and `link` is in fair_groups.noisy. */
struct fair_group {
    struct group group;
    struct heap returned;     /* of struct msg by seq */
    struct heap_node by_head; /* in fair_groups.quiet */
    u32 in_flight;
    u32 recent, epoch; /* receives lately, as counted in that epoch */
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
/* For struct pick: the last message of the group leaves it. */
void fair_group_end(struct group *g);

/* m has a group, and is visible: puts it behind those that arrived before it. */
void fair_group_show(struct fair_groups *fs, struct msg *m);
/* It is not visible any more. */
void fair_group_hide(struct fair_groups *fs, struct msg *m);
/* It is in flight, or not any more. */
void fair_group_add_in_flight(struct msg *m, int n);

/* The first message of the quiet groups; NULL: there is none. all_in_flight: of the queue. */
struct msg *fair_groups_quiet(struct fair_groups *fs, u64 all_in_flight);
/* The next message of the noisy ones. */
struct msg *fair_groups_noisy(const struct fair_groups *fs);
/* It is given out: counts it as a receive. */
void fair_groups_took(struct fair_groups *fs, struct msg *m);

/* Asserts what must be true; returns the number of visible messages in groups. For tests. */
u64 fair_groups_check(const struct queue *q);

#endif
