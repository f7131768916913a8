/* A binary heap in an array. Invariants: nodes[i]->place is i + 1; no node is due before its
 * parent, nodes[(i - 1) / 2]. */
#include "common/base/heap.h"

#include "common/base/mem.h"

#define HEAP_CAP_MIN 16

void heap_init(struct heap *h)
{
    *h = (struct heap){0};
}

void heap_deinit(struct heap *h)
{
    mem_free(h->nodes);
    heap_init(h);
}

static void set_place(struct heap *h, u32 i, struct heap_node *node)
{
    h->nodes[i] = node;
    node->place = i + 1;
}

/* Puts the node where the order wants it, given that slot i is free for it. */
static void settle(struct heap *h, u32 i, struct heap_node *node)
{
    while (i > 0) {
        u32 parent = (i - 1) / 2;
        if (h->nodes[parent]->due <= node->due)
            break;
        set_place(h, i, h->nodes[parent]);
        i = parent;
    }
    for (;;) {
        u64 child = 2 * (u64)i + 1;
        if (child >= h->n)
            break;
        if (child + 1 < h->n && h->nodes[child + 1]->due < h->nodes[child]->due)
            child++;
        if (h->nodes[child]->due >= node->due)
            break;
        set_place(h, i, h->nodes[child]);
        i = (u32)child;
    }
    set_place(h, i, node);
}

void heap_set(struct heap *h, struct heap_node *node, i64 due)
{
    node->due = due;
    if (node->place) {
        assert(node->place <= h->n && h->nodes[node->place - 1] == node);
        settle(h, node->place - 1, node);
        return;
    }
    if (h->n == h->cap) {
        assert(h->cap < UINT32_MAX / 2);
        h->cap = h->cap ? h->cap * 2 : HEAP_CAP_MIN;
        h->nodes = mem_grow(h->nodes, h->cap * sizeof *h->nodes);
    }
    h->n++;
    settle(h, h->n - 1, node);
}

void heap_remove(struct heap *h, struct heap_node *node)
{
    if (!node->place)
        return;
    u32 i = node->place - 1;
    assert(i < h->n && h->nodes[i] == node);
    node->place = 0;
    struct heap_node *last = h->nodes[--h->n];
    if (last != node)
        settle(h, i, last);
}
