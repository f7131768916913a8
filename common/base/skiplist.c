/* A node's height follows from the hash of its key, which is unpredictable from outside: one in
 * four reaches the next level. The order does not depend on it. */
#include "common/base/skiplist.h"

#include "common/base/map.h"
#include "common/base/mem.h"

struct skiplist_node {
    str key;
    void *value;
    u32 levels;
    struct skiplist_node *next[];
};

static struct skiplist_node *node_new(u32 levels)
{
    struct skiplist_node *n = mem_alloc(sizeof(*n) + levels * sizeof(struct skiplist_node *));

    n->levels = levels;
    return n;
}

void skiplist_init(struct skiplist *o)
{
    o->head = node_new(SKIPLIST_LEVELS);
}

void skiplist_deinit(struct skiplist *o)
{
    for (struct skiplist_node *n = o->head, *after; n; n = after) {
        after = n->next[0];
        mem_free(n);
    }
    o->head = NULL;
}

/* The last node below `key` on every level; returns that of the lowest. */
static struct skiplist_node *skiplist_walk(const struct skiplist *o, str key,
                                           struct skiplist_node **ret_before)
{
    struct skiplist_node *n = o->head;

    for (u32 level = SKIPLIST_LEVELS; level-- > 0;) {
        while (n->next[level] && str_cmp(n->next[level]->key, key) < 0)
            n = n->next[level];
        if (ret_before)
            ret_before[level] = n;
    }
    return n;
}

void skiplist_put(struct skiplist *o, str key, void *value)
{
    struct skiplist_node *before[SKIPLIST_LEVELS];
    u32 levels = 1;

    for (u64 h = map_hash(NULL, key); levels < SKIPLIST_LEVELS && (h & 3) == 0; h >>= 2)
        levels++;
    skiplist_walk(o, key, before);
    struct skiplist_node *n = node_new(levels);
    n->key = key;
    n->value = value;
    for (u32 i = 0; i < levels; i++) {
        n->next[i] = before[i]->next[i];
        before[i]->next[i] = n;
    }
}

void skiplist_del(struct skiplist *o, str key)
{
    struct skiplist_node *before[SKIPLIST_LEVELS];
    struct skiplist_node *n = skiplist_walk(o, key, before)->next[0];

    if (!n || !str_eq(n->key, key))
        return;
    for (u32 i = 0; i < n->levels; i++)
        before[i]->next[i] = n->next[i];
    mem_free(n);
}

struct skiplist_node *skiplist_from(const struct skiplist *o, str key)
{
    return skiplist_walk(o, key, NULL)->next[0];
}

struct skiplist_node *skiplist_next(const struct skiplist_node *n)
{
    return n->next[0];
}

void *skiplist_value(const struct skiplist_node *n)
{
    return n->value;
}
