/* Linear probing with entries moved back on removal, so that there are no tombstones; only the old
 * slots of a table being resized have them, and those are dropped with the old slots.
 *
 * Invariants:
 * 1. slots is at most three quarters full, so every probe ends at an empty slot; old is never
 *    filled further, and its removed entries are TABLE_MOVED, which ends no probe.
 * 2. An entry is in slots or in old, never in both. */
#include "filter/match/table.h"

#include "common/base/mem.h"

enum { BITS_MIN = 4, MOVES_PER_CHANGE = 8 };

void table_init(struct table *t)
{
    *t = (struct table){.bits = BITS_MIN, .slots = mem_array(1u << BITS_MIN, sizeof(u64))};
}

void table_deinit(struct table *t)
{
    mem_free(t->slots);
    mem_free(t->old);
}

static u32 home(u64 slot, u32 bits)
{
    return (u32)(slot >> 32) >> (32 - bits);
}

static void slot_place(struct table *t, u64 slot)
{
    u32 mask = (u32)((1ull << t->bits) - 1), at = home(slot, t->bits);

    while (t->slots[at])
        at = (at + 1) & mask;
    t->slots[at] = slot;
}

/* Starts a resize; none is in progress. */
static void resize(struct table *t, u32 bits)
{
    assert(!t->old);
    t->old = t->slots;
    t->old_bits = t->bits;
    t->old_at = 0;
    t->bits = bits;
    t->slots = mem_array((size_t)1 << bits, sizeof(u64));
}

static bool is_too_large(const struct table *t)
{
    return t->bits > BITS_MIN && (u64)t->n * 8 < 1ull << t->bits;
}

bool table_step(struct table *t, u32 slots)
{
    if (!t->old)
        return false;
    u32 end = (u32)(1ull << t->old_bits);
    for (; slots && t->old_at < end; slots--, t->old_at++) {
        u64 slot = t->old[t->old_at];
        if (slot && slot != TABLE_MOVED) {
            slot_place(t, slot);
            t->old[t->old_at] = TABLE_MOVED;
        }
    }
    if (t->old_at < end)
        return true;
    mem_free(t->old);
    t->old = NULL;
    if (!is_too_large(t))
        return false;
    resize(t, t->bits - 1);
    return true;
}

void table_put(struct table *t, u32 tag, u32 id)
{
    u64 size = 1ull << t->bits;

    assert(id != 0 && id != UINT32_MAX);
    if ((u64)t->n * 4 >= size * 3) {
        while (table_step(t, UINT32_MAX))
            ;
        resize(t, t->bits + 1);
    }
    if (t->old)
        table_step(t, MOVES_PER_CHANGE);
    slot_place(t, (u64)tag << 32 | id);
    t->n++;
}

/* Empties slot `at` and moves back entries that were displaced by it. */
static void close_gap(struct table *t, u32 at)
{
    u32 mask = (u32)((1ull << t->bits) - 1), next = at;

    for (;;) {
        next = (next + 1) & mask;
        if (!t->slots[next])
            break;
        u32 away = (next - home(t->slots[next], t->bits)) & mask;
        if (away >= ((next - at) & mask)) {
            t->slots[at] = t->slots[next];
            at = next;
        }
    }
    t->slots[at] = 0;
}

/* Slot of the entry, or -1. */
static i64 slot_find(const u64 *slots, u32 bits, u64 slot)
{
    u32 mask = (u32)((1ull << bits) - 1), at = home(slot, bits);

    for (; slots[at]; at = (at + 1) & mask)
        if (slots[at] == slot)
            return at;
    return -1;
}

void table_remove(struct table *t, u32 tag, u32 id)
{
    u64 slot = (u64)tag << 32 | id;
    i64 at = slot_find(t->slots, t->bits, slot);

    if (at >= 0) {
        close_gap(t, (u32)at);
    } else {
        assert(t->old);
        at = slot_find(t->old, t->old_bits, slot);
        assert(at >= 0);
        t->old[at] = TABLE_MOVED;
    }
    t->n--;
    if (t->old)
        table_step(t, MOVES_PER_CHANGE);
    else if (is_too_large(t))
        resize(t, t->bits - 1);
}

size_t table_bytes(const struct table *t)
{
    return ((size_t)8 << t->bits) + (t->old ? (size_t)8 << t->old_bits : 0);
}
