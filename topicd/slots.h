/* Numbered places: an item keeps its place while it is in the table, and free places are reused, so
 * the numbers stay dense. They serve as the matcher's ids of a topic's subscriptions, and as page
 * tokens: a walk by place visits every item that is present throughout exactly once, whatever is
 * added or removed meanwhile. A zeroed struct slots is empty. */
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
/* Borrows `item`, which is not NULL and is aligned. Returns its place. */
u32 slots_put(struct slots *s, void *item);
void slots_remove(struct slots *s, u32 place);
/* NULL when the place is free. */
void *slots_get(const struct slots *s, u32 place);
/* The first item at *place or behind it; *place moves to the place behind that. NULL at the end. */
void *slots_next(const struct slots *s, u32 *place);

#endif
