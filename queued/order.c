/* A node's height is told by the hash of its key, which nobody outside can foresee: one in four
 * reaches the next level. */
#include "queued/order.h"

#include "common/map.h"
#include "common/mem.h"

struct order_node {
    str key;
    void *value;
    u32 levels;
    struct order_node *next[];
};

static struct order_node *node_new(u32 levels)
{
    struct order_node *n = mem_alloc(sizeof *n + levels * sizeof(struct order_node *));
    n->levels = levels;
    return n;
}

void order_init(struct order *o)
{
    o->head = node_new(ORDER_LEVELS);
}

void order_deinit(struct order *o)
{
    for (struct order_node *n = o->head, *after; n; n = after) {
        after = n->next[0];
        mem_free(n);
    }
    o->head = NULL;
}

/* The last node below `key` on every level; returns that of the lowest. */
static struct order_node *walk(const struct order *o, str key, struct order_node **ret_before)
{
    struct order_node *n = o->head;
    for (u32 level = ORDER_LEVELS; level-- > 0;) {
        while (n->next[level] && str_cmp(n->next[level]->key, key) < 0)
            n = n->next[level];
        if (ret_before)
            ret_before[level] = n;
    }
    return n;
}

void order_put(struct order *o, str key, void *value)
{
    struct order_node *before[ORDER_LEVELS];
    u32 levels = 1;
    for (u64 h = map_hash(key); levels < ORDER_LEVELS && (h & 3) == 0; h >>= 2)
        levels++;
    walk(o, key, before);
    struct order_node *n = node_new(levels);
    n->key = key;
    n->value = value;
    for (u32 i = 0; i < levels; i++) {
        n->next[i] = before[i]->next[i];
        before[i]->next[i] = n;
    }
}

void order_del(struct order *o, str key)
{
    struct order_node *before[ORDER_LEVELS];
    struct order_node *n = walk(o, key, before)->next[0];
    if (!n || !str_eq(n->key, key))
        return;
    for (u32 i = 0; i < n->levels; i++)
        before[i]->next[i] = n->next[i];
    mem_free(n);
}

struct order_node *order_from(const struct order *o, str key)
{
    return walk(o, key, NULL)->next[0];
}

struct order_node *order_next(const struct order_node *n)
{
    return n->next[0];
}

void *order_value(const struct order_node *n)
{
    return n->value;
}
