/* One budget for all memory that a daemon holds for its clients: requests, answers that are not sent
 * yet, calls at the ipc endpoint, forwarded calls. Whoever holds takes, whoever lets go gives; what
 * cannot be held is refused, or its connection is closed. */
#ifndef TOQUE_BUDGET_H
#define TOQUE_BUDGET_H

#include "common/base/base.h"

struct budget {
    u64 used, max; /* bytes */
    /* Lets go of something that is held for a client who does not take it. False: there is nothing.
     * May be NULL. */
    bool (*reclaim)(void *arg);
    void *arg;
};

/* Whether there is room for so much more, if need be after reclaiming some. */
static inline bool budget_room(struct budget *b, u64 bytes)
{
    while (b->used + bytes > b->max)
        if (!b->reclaim || !b->reclaim(b->arg))
            return false;
    return true;
}

/* May exceed the budget: what is there already is counted, not refused. */
static inline void budget_take(struct budget *b, u64 bytes)
{
    b->used += bytes;
}

static inline void budget_give(struct budget *b, u64 bytes)
{
    assert(b->used >= bytes);
    b->used -= bytes;
}

#endif
