/* One budget for all memory that a daemon holds for its clients: request bodies, answers that are
 * not sent yet, calls at the ipc endpoint, forwarded calls. Whoever holds takes, whoever lets go
 * gives; what cannot be held is refused, or its connection is closed. */
#ifndef TOQUE_BUDGET_H
#define TOQUE_BUDGET_H

#include "common/base/base.h"

struct budget {
    u64 used, max; /* bytes */
};

static inline bool budget_has(const struct budget *b, u64 bytes)
{
    return b->used + bytes <= b->max;
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
