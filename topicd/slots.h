/* Numbered places: an item keeps its place while it is on the shelf, and a place that became free
 * is taken again, so the numbers stay dense. They serve as the matcher's ids of a topic's
 * subscriptions, and as page tokens: whoever walks by place meets everything that was there all the
 * time exactly once, whatever comes and goes meanwhile. A zeroed struct slots is an empty one. */
#ifndef TOQUE_SLOTS_H
#define TOQUE_SLOTS_H

#include "common/base/base.h"

struct slots {
    void **items; /* an item, or a mark with the next free place */
    u32 n;        /* items */
    u32 end;      /* places ever taken */
    u32 cap;
    u32 free; /* first free place + 1; 0: none */
};

void slots_deinit(struct slots *s);
/* `item` is not NULL and aligned; it is borrowed. Returns its place. */
u32 slots_put(struct slots *s, void *item);
void slots_remove(struct slots *s, u32 place);
/* NULL when nothing stands there. */
void *slots_get(const struct slots *s, u32 place);
/* The first item at *place or behind it; *place moves to the place behind that. NULL at the end. */
void *slots_next(const struct slots *s, u32 *place);

#endif
