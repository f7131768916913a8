/* Free places form a list within the table: an odd value encodes the next free place. */
#include "topicd/slots.h"

#include "common/base/mem.h"

#define SLOTS_CAP_MIN 4

static bool is_free(const void *item)
{
    return (uintptr_t)item & 1;
}

static void *free_mark(u32 next)
{
    return (void *)((uintptr_t)next << 1 | 1);
}

void slots_deinit(struct slots *s)
{
    mem_free(s->items);
    *s = (struct slots){0};
}

u32 slots_put(struct slots *s, void *item)
{
    u32 place;

    assert(item && !is_free(item));
    if (s->free) {
        place = s->free - 1;
        s->free = (u32)((uintptr_t)s->items[place] >> 1);
    } else {
        if (s->end == s->cap) {
            s->cap = MAX(s->cap + s->cap / 2, (u32)SLOTS_CAP_MIN);
            s->items = mem_grow(s->items, s->cap * sizeof(void *));
        }
        place = s->end++;
    }
    s->items[place] = item;
    s->n++;
    return place;
}

void slots_remove(struct slots *s, u32 place)
{
    assert(place < s->end && !is_free(s->items[place]));
    s->items[place] = free_mark(s->free);
    s->free = place + 1;
    s->n--;
}

void *slots_get(const struct slots *s, u32 place)
{
    return place < s->end && !is_free(s->items[place]) ? s->items[place] : NULL;
}

void *slots_next(const struct slots *s, u32 *place)
{
    while (*place < s->end) {
        void *item = s->items[(*place)++];

        if (!is_free(item))
            return item;
    }
    return NULL;
}
