/* A binary heap in an array. Invariants: items[i].node->place is i + 1; no item comes before its
 * parent, items[(i - 1) / 2]. */
#include "common/base/heap.h"

#include "common/base/mem.h"

#define HEAP_CAP_MIN 16

void heap_init(struct heap *h)
{
    *h = (struct heap){0};
}

void heap_deinit(struct heap *h)
{
    mem_free(h->items);
    heap_init(h);
}

static bool item_is_before(const struct heap_item *a, const struct heap_item *b)
{
    return a->due < b->due || (a->due == b->due && a->tie < b->tie);
}

static void set_place(struct heap *h, u32 i, struct heap_item item)
{
    h->items[i] = item;
    item.node->place = i + 1;
}

/* Stores the item at its sorted position, given that slot i is free for it. */
static void heap_settle(struct heap *h, u32 i, struct heap_item item)
{
    while (i > 0) {
        u32 parent = (i - 1) / 2;
        if (!item_is_before(&item, &h->items[parent]))
            break;
        set_place(h, i, h->items[parent]);
        i = parent;
    }
    for (;;) {
        u64 child = 2 * (u64)i + 1;
        if (child >= h->n)
            break;
        if (child + 1 < h->n && item_is_before(&h->items[child + 1], &h->items[child]))
            child++;
        if (!item_is_before(&h->items[child], &item))
            break;
        set_place(h, i, h->items[child]);
        i = (u32)child;
    }
    set_place(h, i, item);
}

static void set_capacity(struct heap *h, u32 cap)
{
    h->cap = cap;
    h->items = mem_grow(h->items, cap * sizeof(*h->items));
}

void heap_set_tied(struct heap *h, struct heap_node *node, i64 due, u64 tie)
{
    struct heap_item item = {due, tie, node};

    if (node->place) {
        assert(node->place <= h->n && h->items[node->place - 1].node == node);
        heap_settle(h, node->place - 1, item);
        return;
    }
    if (h->n == h->cap) {
        assert(h->cap < UINT32_MAX / 2);
        set_capacity(h, h->cap ? h->cap * 2 : HEAP_CAP_MIN);
    }
    h->n++;
    heap_settle(h, h->n - 1, item);
}

void heap_set(struct heap *h, struct heap_node *node, i64 due)
{
    heap_set_tied(h, node, due, 0);
}

void heap_remove(struct heap *h, struct heap_node *node)
{
    if (!node->place)
        return;
    u32 i = node->place - 1;
    assert(i < h->n && h->items[i].node == node);
    node->place = 0;
    struct heap_item last = h->items[--h->n];
    if (last.node != node)
        heap_settle(h, i, last);
    if (h->cap > HEAP_CAP_MIN && h->n < h->cap / 4)
        set_capacity(h, h->cap / 2);
}
