/* One list of free blocks per size class; the block itself holds the link. */
#include "common/base/pool.h"

#include "common/base/mem.h"

#define SIZE_MIN 1024

struct pool_block {
    struct pool_block *next;
};

void pool_init(struct pool *p, size_t kept_max)
{
    *p = (struct pool){.kept_max = kept_max};
}

void pool_deinit(struct pool *p)
{
    for (u32 i = 0; i < POOL_CLASSES; i++) {
        while (p->free[i]) {
            struct pool_block *b = p->free[i];

            p->free[i] = b->next;
            mem_free(b);
        }
    }
    p->kept = p->kept_max = 0;
}

/* POOL_CLASSES if it is too large to be kept. */
static u32 class_of(size_t size)
{
    u32 i = 0;

    while (i < POOL_CLASSES && (size_t)SIZE_MIN << i < size)
        i++;
    return i;
}

void *pool_take(struct pool *p, size_t *size)
{
    u32 i = class_of(*size);
    struct pool_block *b = i < POOL_CLASSES ? p->free[i] : NULL;

    if (i < POOL_CLASSES)
        *size = (size_t)SIZE_MIN << i;
    if (!b)
        return mem_grow(NULL, *size);
    p->free[i] = b->next;
    p->kept -= *size;
    return b;
}

void pool_give(struct pool *p, void *block, size_t size)
{
    u32 i = class_of(size);
    struct pool_block *b = block;

    if (!b)
        return;
    if (i == POOL_CLASSES || p->kept + size > p->kept_max) {
        mem_free(b);
        return;
    }
    assert((size_t)SIZE_MIN << i == size);
    b->next = p->free[i];
    p->free[i] = b;
    p->kept += size;
}
