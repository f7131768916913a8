/* Short-lived blocks of memory of different sizes. Sizes are powers of two; blocks are kept for the
 * next use up to a bound, so that a steady load allocates nothing. */
#ifndef TOQUE_POOL_H
#define TOQUE_POOL_H

#include "common/base/base.h"

/* Blocks of 1 KiB to 64 KiB are kept; larger ones are not. */
#define POOL_CLASSES 7

struct pool {
    struct pool_block *free[POOL_CLASSES];
    size_t kept, kept_max; /* bytes */
};

void pool_init(struct pool *p, size_t kept_max);
/* Frees the kept blocks. Blocks in use stay valid and are freed when they are returned. */
void pool_deinit(struct pool *p);
/* Returns at least *size bytes; *size becomes the block's size. Not zeroed. */
void *pool_take(struct pool *p, size_t *size) __attribute__((returns_nonnull));
/* With the size that pool_take returned. NULL accepted. */
void pool_give(struct pool *p, void *block, size_t size);

#endif
