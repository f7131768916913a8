/* Memory is mapped in regions of equal-sized blocks; the first block of a region is its header.
 * Regions and blocks are aligned to their size, so an item's address determines both. Free items of
 * a block form a chain through their first bytes, except items that were never taken, which begin
 * at `fresh`. The pages of an empty block are returned to the system in place; an empty region is
 * unmapped.
 *
 * Invariants: (1) a block in use is on `full` when all its items are taken, otherwise on `partly`;
 * (2) a region with free blocks is on `open`. */
#include "common/base/slab.h"

#include <stdlib.h>
#include <sys/mman.h>

#include "common/base/mem.h"

#define BLOCK_SIZE    65536u
#define REGION_SIZE   (1u << 20)
#define REGION_BLOCKS (REGION_SIZE / BLOCK_SIZE) /* the first one is the region's header */
#define ALL_FREE      (((1u << REGION_BLOCKS) - 1) & ~1u)
/* Empty blocks that are kept for the next rise. */
#define IDLE_MAX 8

struct region {
    struct list link; /* on `open` */
    u32 free;         /* one bit per block */
};

struct block {
    struct list link;
    void *free;
    u32 used, fresh; /* items taken; items from here on were never taken */
};

static void *aligned_to(const void *p, uintptr_t size)
{
    return (void *)((uintptr_t)p & ~(size - 1));
}

static size_t block_capacity(const struct slab *s)
{
    return (BLOCK_SIZE - sizeof(struct block)) / s->item_size;
}

void slab_init(struct slab *s, size_t item_size)
{
    assert(item_size >= sizeof(void *) && item_size <= 1024 && item_size % 8 == 0);
    *s = (struct slab){.item_size = item_size};
    list_init(&s->partly);
    list_init(&s->full);
    list_init(&s->open);
}

/* --- regions ---------------------------------------------------------------------------------- */

static struct region *region_new(struct slab *s)
{
    char *p =
        mmap(NULL, 2 * REGION_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (p == MAP_FAILED) {
        fputs("toque: out of memory\n", stderr);
        abort();
    }
    char *at = aligned_to(p + REGION_SIZE - 1, REGION_SIZE);
    if (at > p)
        munmap(p, (size_t)(at - p));
    munmap(at + REGION_SIZE, (size_t)(p + REGION_SIZE - at));
    struct region *r = (struct region *)(void *)at;
    r->free = ALL_FREE;
    list_push_back(&s->open, &r->link);
    return r;
}

static struct block *block_new(struct slab *s)
{
    struct region *r =
        list_is_empty(&s->open) ? region_new(s) : list_item(s->open.next, struct region, link);
    u32 i = (u32)__builtin_ctz(r->free);

    r->free &= ~(1u << i);
    if (!r->free)
        list_remove(&r->link);
    struct block *b = (struct block *)(void *)((char *)r + (size_t)i * BLOCK_SIZE);
    *b = (struct block){.used = 0};
    list_push_back(&s->partly, &b->link);
    s->idle++;
    return b;
}

/* It is off its list already. */
static void block_free(struct slab *s, struct block *b)
{
    struct region *r = aligned_to(b, REGION_SIZE);

    if (!r->free)
        list_push_front(&s->open, &r->link);
    r->free |= 1u << ((uintptr_t)b % REGION_SIZE / BLOCK_SIZE);
    if (r->free == ALL_FREE) {
        list_remove(&r->link);
        munmap(r, REGION_SIZE);
    } else {
        madvise(b, BLOCK_SIZE, MADV_DONTNEED);
    }
}

/* --- items ------------------------------------------------------------------------------------ */

static void free_all(struct slab *s, struct list *blocks)
{
    while (!list_is_empty(blocks)) {
        struct block *b = list_item(blocks->next, struct block, link);
        list_remove(&b->link);
        block_free(s, b);
    }
}

void slab_deinit(struct slab *s)
{
    if (!s->item_size)
        return;
    free_all(s, &s->partly);
    free_all(s, &s->full);
    s->used = s->idle = 0;
}

void *slab_take(struct slab *s)
{
    struct block *b =
        list_is_empty(&s->partly) ? block_new(s) : list_item(s->partly.next, struct block, link);
    void *item = b->free;

    if (item)
        memcpy(&b->free, item, sizeof(b->free));
    else
        item = (char *)(b + 1) + s->item_size * b->fresh++;
    if (b->used++ == 0)
        s->idle--;
    if (b->used == block_capacity(s)) {
        list_remove(&b->link);
        list_push_back(&s->full, &b->link);
    }
    s->used++;
    return memset(item, 0, s->item_size);
}

void slab_give(struct slab *s, void *item)
{
    struct block *b = aligned_to(item, BLOCK_SIZE);

    assert(b->used > 0 && s->used > 0);
    if (b->used == block_capacity(s)) {
        list_remove(&b->link);
        list_push_front(&s->partly, &b->link);
    }
    memcpy(item, &b->free, sizeof(b->free));
    b->free = item;
    s->used--;
    if (--b->used > 0)
        return;
    if (s->idle >= IDLE_MAX) {
        list_remove(&b->link);
        block_free(s, b);
        return;
    }
    s->idle++;
}
