/* One budget for all memory that a daemon holds for its clients: requests, unsent answers, calls at
 * the ipc endpoint, forwarded calls. Users take from it what they allocate and give back what they
 * free. Beyond the budget requests are refused or connections closed. */
#ifndef TOQUE_BUDGET_H
#define TOQUE_BUDGET_H

#include "common/base/base.h"

struct budget {
    u64 used, max; /* bytes */
    /* Frees something that is held for a client that does not read. False: there is nothing to
     * free. May be NULL. */
    bool (*reclaim)(void *arg);
    void *arg;
};

/* Whether there is room for `n` more bytes, after reclaiming if necessary. */
static inline bool budget_room(struct budget *b, u64 bytes)
{
    while (b->used + bytes > b->max)
        if (!b->reclaim || !b->reclaim(b->arg))
            return false;
    return true;
}

/* May exceed the budget: memory that is already in use is counted, not refused. */
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
