/* Small things of one size, by the million: no header of their own, and memory that goes back to
 * the system when a drain has emptied a block. */
#ifndef TOQUE_SLAB_H
#define TOQUE_SLAB_H

#include "common/base/list.h"

struct slab {
    size_t item_size;
    struct list partly; /* blocks with room */
    struct list full;
    struct list open; /* regions of memory with free blocks */
    u32 idle;         /* empty blocks among `partly` */
    u64 used;         /* items given out */
};

/* item_size: bytes of an item, at least that of a pointer, at most 1 KiB. */
void slab_init(struct slab *s, size_t item_size);
/* Frees every block, whatever is in use. */
void slab_deinit(struct slab *s);
/* Zeroed. */
void *slab_take(struct slab *s) __attribute__((returns_nonnull));
void slab_give(struct slab *s, void *item);

#endif
