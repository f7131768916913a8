/* A block is aligned to its size, so an item's address tells its block. Free items of a block form
 * a chain through their first bytes; items that were never taken are not in it but behind `fresh`.
 *
 * Invariant: a block is on `full` when all its items are out, else on `partly`. */
#include "common/base/slab.h"

#include <stdlib.h>

#include "common/base/mem.h"

#define BLOCK_ALIGN 65536
/* Leaves room for the allocator's own words, so that block follows block without a gap. */
#define BLOCK_SIZE (BLOCK_ALIGN - 64)
/* Empty blocks that are kept for the next rise. */
#define IDLE_MAX 8

struct block {
    struct list link;
    void *free;
    u32 used, fresh; /* items out; items from here on were never taken */
};

static size_t capacity(const struct slab *s)
{
    return (BLOCK_SIZE - sizeof(struct block)) / s->item_size;
}

void slab_init(struct slab *s, size_t item_size)
{
    assert(item_size >= sizeof(void *) && item_size <= 1024 && item_size % 8 == 0);
    *s = (struct slab){.item_size = item_size};
    list_init(&s->partly);
    list_init(&s->full);
}

static void free_all(struct list *blocks)
{
    list_each(at, after, blocks)
        free(list_item(at, struct block, link));
    list_init(blocks);
}

void slab_deinit(struct slab *s)
{
    if (!s->item_size)
        return;
    free_all(&s->partly);
    free_all(&s->full);
    s->used = s->idle = 0;
}

static struct block *block_new(struct slab *s)
{
    void *p;
    if (posix_memalign(&p, BLOCK_ALIGN, BLOCK_SIZE)) {
        fputs("toque: out of memory\n", stderr);
        abort();
    }
    struct block *b = p;
    *b = (struct block){.used = 0};
    list_push_back(&s->partly, &b->link);
    s->idle++;
    return b;
}

void *slab_take(struct slab *s)
{
    struct block *b =
        list_is_empty(&s->partly) ? block_new(s) : list_item(s->partly.next, struct block, link);
    void *item = b->free;
    if (item)
        memcpy(&b->free, item, sizeof b->free);
    else
        item = (char *)(b + 1) + s->item_size * b->fresh++;
    if (b->used++ == 0)
        s->idle--;
    if (b->used == capacity(s)) {
        list_remove(&b->link);
        list_push_back(&s->full, &b->link);
    }
    s->used++;
    return memset(item, 0, s->item_size);
}

void slab_give(struct slab *s, void *item)
{
    struct block *b = (struct block *)((uintptr_t)item & ~(uintptr_t)(BLOCK_ALIGN - 1));
    assert(b->used > 0 && s->used > 0);
    if (b->used == capacity(s)) {
        list_remove(&b->link);
        list_push_front(&s->partly, &b->link);
    }
    memcpy(item, &b->free, sizeof b->free);
    b->free = item;
    s->used--;
    if (--b->used > 0)
        return;
    if (s->idle >= IDLE_MAX) {
        list_remove(&b->link);
        free(b);
        return;
    }
    s->idle++;
}
