/* Block by block: for builders whose groups are single blocks, which the arithmetic of index_core.h
 * then treats as plain numbers. They define
 *
 *     block_parity(x)   bit i: parity of bits 0 to i
 *     block_count(x)    number of bits
 *     block_marks(p, g), block_masks(p, g), block_digits(p, g), block_powers(p, g)
 *                       as those of index_core.h, of the 64 bytes at p */
#ifndef TOQUE_FILTER_INDEX_BLOCKS_H
#define TOQUE_FILTER_INDEX_BLOCKS_H

#include "filter/match/index.h"

#define LANES 1
typedef u64 lanes;

static inline u64 block_parity(u64 x);
static inline u32 block_count(u64 x);

static inline bool lanes_any(lanes x)
{
    return x != 0;
}

static inline u64 lanes_tops(lanes x)
{
    return x >> 63;
}

static inline lanes lanes_spread(u64 bits)
{
    return 0 - (bits & 1);
}

static inline lanes lanes_up(lanes x, lanes before)
{
    return before;
}

static inline lanes lanes_add(lanes x, lanes y, u64 *carry)
{
    u64 sum;

    *carry = __builtin_add_overflow(x | *carry, y, &sum);
    return sum;
}

static inline lanes lanes_parity(lanes x, u64 *odd)
{
    x = block_parity(x);
    *odd = x >> 63;
    return x;
}

struct bytes {
    const u8 *block;
    u8 rest[64]; /* the last block, padded with blanks */
};

#include "filter/match/index_core.h"

CORE void block_marks(const u8 *p, struct group *g);
CORE void block_masks(const u8 *p, struct group *g);
CORE void block_digits(const u8 *p, struct group *g);
CORE void block_powers(const u8 *p, struct group *g);

CORE void index_bytes(struct bytes *b, const u8 *text, u64 size, u64 base)
{
    b->block = text + base;
    if (LIKELY(base + 64 <= size))
        return;
    memset(b->rest, ' ', sizeof(b->rest));
    memcpy(b->rest, text + base, size - base);
    b->block = b->rest;
}

CORE void index_marks(const struct bytes *b, struct group *g)
{
    block_marks(b->block, g);
}

CORE void index_masks(const struct bytes *b, struct group *g)
{
    block_masks(b->block, g);
}

CORE void index_digits(const struct bytes *b, struct group *g)
{
    block_digits(b->block, g);
}

CORE void index_powers(const struct bytes *b, struct group *g)
{
    block_powers(b->block, g);
}

CORE u32 index_depths(lanes open, lanes close, u32 depth, i32 *least)
{
    u32 closed = block_count(close);

    *least = (i32)(depth - closed);
    return depth - closed + block_count(open);
}

#endif
