/* Hash table from a 32-bit tag to ids, used for conditions, paths, groups and subscription ids. It
 * holds no keys: a lookup yields the ids with an equal tag, and the caller compares what they stand
 * for.
 *
 * Growing never blocks the caller: a table due for another size keeps its old slots and moves a few
 * of them with every change (and with table_step), while lookups search both. */
#ifndef TOQUE_FILTER_TABLE_H
#define TOQUE_FILTER_TABLE_H

#include "common/base/base.h"

struct table {
    u64 *slots; /* tag << 32 | id; 0: empty */
    u64 *old;   /* being emptied; NULL: none */
    u32 bits;   /* log2 of the number of slots */
    u32 old_bits;
    u32 old_at; /* old slots below this are empty */
    u32 n;      /* entries in both */
};

void table_init(struct table *t);
void table_deinit(struct table *t);
/* id is neither 0 nor UINT32_MAX. Entries may have equal tags; no entry is added twice. */
void table_put(struct table *t, u32 tag, u32 id);
/* The entry must be there. */
void table_remove(struct table *t, u32 tag, u32 id);
/* Moves up to `slots` old slots; true while some are left. */
bool table_step(struct table *t, u32 slots);
size_t table_bytes(const struct table *t);

/* An iterator over the ids with one tag. */
struct table_walk {
    const struct table *table;
    const u64 *slots;
    u32 tag, at, mask;
};

#define TABLE_MOVED 0xFFFFFFFFull /* an old slot whose entry was removed */

static inline void table_start(struct table_walk *w, const struct table *t, u32 tag)
{
    w->table = t;
    w->slots = t->slots;
    w->tag = tag;
    w->mask = (u32)((1ull << t->bits) - 1);
    w->at = tag >> (32 - t->bits);
}

/* The next id, or 0 at the end. */
static inline u32 table_next(struct table_walk *w)
{
    for (;;) {
        u64 slot = w->slots[w->at];
        w->at = (w->at + 1) & w->mask;
        if (slot >> 32 == w->tag && (u32)slot != 0 && slot != TABLE_MOVED)
            return (u32)slot;
        if (LIKELY(slot != 0))
            continue;
        if (LIKELY(!w->table->old || w->slots == w->table->old))
            return 0;
        w->slots = w->table->old;
        w->mask = (u32)((1ull << w->table->old_bits) - 1);
        w->at = w->tag >> (32 - w->table->old_bits);
    }
}

static inline void table_prefetch(const struct table *t, u32 tag)
{
    __builtin_prefetch(&t->slots[tag >> (32 - t->bits)]);
}

#endif
