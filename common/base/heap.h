/* Deadlines: a binary heap of intrusive nodes, the earliest on top. */
#ifndef TOQUE_HEAP_H
#define TOQUE_HEAP_H

#include "common/base/base.h"

struct heap_node {
    i64 due;   /* key, any unit; earliest first, equal ones in no order */
    u32 place; /* place in the heap from 1; 0: in no heap */
};

struct heap {
    struct heap_node **nodes;
    u32 n, cap;
};

void heap_init(struct heap *h);
void heap_deinit(struct heap *h);
/* Puts the node in, or moves it to its new due time when it is in already. */
void heap_set(struct heap *h, struct heap_node *node, i64 due);
/* Harmless when it is not in. */
void heap_remove(struct heap *h, struct heap_node *node);
/* The earliest, or NULL. */
static inline struct heap_node *heap_top(const struct heap *h)
{
    return h->n ? h->nodes[0] : NULL;
}

#endif
