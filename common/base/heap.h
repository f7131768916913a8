/* Deadlines: a binary heap of intrusive nodes, the earliest on top. The keys are in the heap's own
 * array, so that sifting touches only nodes that change places, and a node costs its owner four
 * bytes. */
#ifndef TOQUE_HEAP_H
#define TOQUE_HEAP_H

#include "common/base/base.h"

struct heap_node {
    u32 place; /* place in the heap from 1; 0: in no heap */
};

struct heap_item {
    i64 due; /* key, any unit; earliest first, */
    u64 tie; /* of equal ones the one with the smaller tie; equal ties in no order */
    struct heap_node *node;
};

struct heap {
    struct heap_item *items;
    u32 n, cap;
};

void heap_init(struct heap *h);
void heap_deinit(struct heap *h);
/* Inserts the node, or moves it to its new due time if it is in the heap. The tie is 0. */
void heap_set(struct heap *h, struct heap_node *node, i64 due);
void heap_set_tied(struct heap *h, struct heap_node *node, i64 due, u64 tie);
/* No effect when it is not in the heap. */
void heap_remove(struct heap *h, struct heap_node *node);
/* The earliest, or NULL. */
static inline struct heap_node *heap_top(const struct heap *h)
{
    return h->n ? h->items[0].node : NULL;
}
/* The due time of a node that is in the heap. */
static inline i64 heap_due(const struct heap *h, const struct heap_node *node)
{
    assert(node->place && node->place <= h->n);
    return h->items[node->place - 1].due;
}

#endif
