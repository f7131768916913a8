/* The index by 64-bit words alone: eight bytes are compared at once, and the high bits of the eight
 * results are gathered by a multiplication. */
#include "filter/match/index_blocks.h"

#define ONES  0x0101010101010101ull
#define HIGHS 0x8080808080808080ull
#define LOWS  0x7F7F7F7F7F7F7F7Full

static inline u64 load_word(const u8 *p)
{
    u64 w;

    memcpy(&w, p, 8);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    w = __builtin_bswap64(w);
#endif
    return w;
}

/* High bits of the bytes that are 0, exactly. */
static inline u64 zeros(u64 w)
{
    return ~(((w & LOWS) + LOWS) | w) & HIGHS;
}

static inline u64 equals(u64 w, u8 c)
{
    return zeros(w ^ ONES * c);
}

/* High bits of the bytes below c, which is at most 0x80. */
static inline u64 less(u64 w, u8 c)
{
    return ~(((w & LOWS) + (LOWS + ONES - ONES * c)) | w) & HIGHS;
}

/* Packs eight high bits into the lowest eight, the first byte's lowest. */
static inline u64 gather(u64 highs)
{
    return (highs >> 7) * 0x0102040810204080ull >> 56;
}

CORE void block_marks(const u8 *p, struct group *g)
{
    u64 quote = 0, slash = 0, open = 0, close = 0, curly = 0, comma = 0, colon = 0;
    u64 blank = 0;

#pragma GCC unroll 8
    for (u32 i = 0; i < 64; i += 8) {
        u64 w = load_word(p + i), folded = w | ONES * 0x20;
        quote |= gather(equals(w, '"')) << i;
        slash |= gather(equals(w, '\\')) << i;
        open |= gather(equals(folded, '{')) << i;
        close |= gather(equals(folded, '}')) << i;
        curly |= gather(w << 2 & HIGHS) << i;
        comma |= gather(equals(w, ',')) << i;
        colon |= gather(equals(w, ':')) << i;
        blank |= gather(equals(w, ' ') | equals(w, '\n') | equals(w, '\r') | equals(w, '\t')) << i;
    }
    g->quote.all = quote;
    g->slash.all = slash;
    g->open.all = open;
    g->close.all = close;
    g->curly.all = curly;
    g->comma.all = comma;
    g->colon.all = colon;
    g->blank.all = blank;
}

CORE void block_masks(const u8 *p, struct group *g)
{
    u64 control = 0, high = 0;

#pragma GCC unroll 8
    for (u32 i = 0; i < 64; i += 8) {
        u64 w = load_word(p + i);
        control |= gather(less(w, 0x20)) << i;
        high |= gather(w & HIGHS) << i;
    }
    g->control.all = control;
    g->high.all = high;
}

CORE void block_digits(const u8 *p, struct group *g)
{
    u64 digit = 0, zero = 0, minus = 0, dot = 0;

#pragma GCC unroll 8
    for (u32 i = 0; i < 64; i += 8) {
        u64 w = load_word(p + i);
        digit |= gather(less(w, '9' + 1) & ~less(w, '0')) << i;
        zero |= gather(equals(w, '0')) << i;
        minus |= gather(equals(w, '-')) << i;
        dot |= gather(equals(w, '.')) << i;
    }
    g->digit.all = digit;
    g->zero.all = zero;
    g->minus.all = minus;
    g->dot.all = dot;
}

CORE void block_powers(const u8 *p, struct group *g)
{
    u64 plus = 0, exponent = 0;

#pragma GCC unroll 8
    for (u32 i = 0; i < 64; i += 8) {
        u64 w = load_word(p + i);
        plus |= gather(equals(w, '+')) << i;
        exponent |= gather(equals(w | ONES * 0x20, 'e')) << i;
    }
    g->plus.all = plus;
    g->exponent.all = exponent;
}

#include "filter/match/index_blocks.h"

static inline u64 block_parity(u64 x)
{
    x ^= x << 1;
    x ^= x << 2;
    x ^= x << 4;
    x ^= x << 8;
    x ^= x << 16;
    return x ^ x << 32;
}

static inline u32 block_count(u64 x)
{
    return index_count(x);
}

bool index_build_portable(struct index *x, str text, enum index_mode mode)
{
    switch (mode) {
    case INDEX_CHECKED: return build(x, text, INDEX_CHECKED);
    case INDEX_STRUCTURAL: return build(x, text, INDEX_STRUCTURAL);
    default: return build(x, text, INDEX_SKIP);
    }
}
