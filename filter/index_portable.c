/* The index by 64-bit words alone: eight bytes are compared at once, and the high bits of the eight
 * answers gathered by a multiplication. */
#include "filter/index_core.h"

#define ONES  0x0101010101010101ull
#define HIGHS 0x8080808080808080ull
#define LOWS  0x7F7F7F7F7F7F7F7Full

static inline u64 load(const u8 *p)
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

/* Eight high bits as the lowest eight, the first byte's lowest. */
static inline u64 gather(u64 highs)
{
    return (highs >> 7) * 0x0102040810204080ull >> 56;
}

static inline struct index_marks index_marks(const u8 *p)
{
    struct index_marks m = {0};
#pragma GCC unroll 8
    for (u32 i = 0; i < 64; i += 8) {
        u64 w = load(p + i), folded = w | ONES * 0x20;
        m.quote |= gather(equals(w, '"')) << i;
        m.slash |= gather(equals(w, '\\')) << i;
        m.open |= gather(equals(folded, '{')) << i;
        m.close |= gather(equals(folded, '}')) << i;
    }
    return m;
}

static inline struct index_masks index_masks(const u8 *p)
{
    struct index_masks m = {0};
#pragma GCC unroll 8
    for (u32 i = 0; i < 64; i += 8) {
        u64 w = load(p + i);
        u64 blank = equals(w, ' ') | equals(w, '\n') | equals(w, '\r') | equals(w, '\t');
        m.curly |= gather(equals(w, '{')) << i;
        m.comma |= gather(equals(w, ',')) << i;
        m.colon |= gather(equals(w, ':')) << i;
        m.blank |= gather(blank) << i;
        m.control |= gather(less(w, 0x20)) << i;
        m.high |= gather(w & HIGHS) << i;
    }
    return m;
}

static inline struct index_digits index_digits(const u8 *p)
{
    struct index_digits d = {0};
#pragma GCC unroll 8
    for (u32 i = 0; i < 64; i += 8) {
        u64 w = load(p + i);
        d.digit |= gather(less(w, '9' + 1) & ~less(w, '0')) << i;
        d.zero |= gather(equals(w, '0')) << i;
        d.minus |= gather(equals(w, '-')) << i;
        d.dot |= gather(equals(w, '.')) << i;
    }
    return d;
}

static inline struct index_powers index_powers(const u8 *p)
{
    struct index_powers m = {0};
#pragma GCC unroll 8
    for (u32 i = 0; i < 64; i += 8) {
        u64 w = load(p + i);
        m.plus |= gather(equals(w, '+')) << i;
        m.exponent |= gather(equals(w | ONES * 0x20, 'e')) << i;
    }
    return m;
}

static inline u64 index_parity(u64 x)
{
    x ^= x << 1;
    x ^= x << 2;
    x ^= x << 4;
    x ^= x << 8;
    x ^= x << 16;
    return x ^ x << 32;
}

static inline i64 index_count(u64 x)
{
    x -= x >> 1 & 0x5555555555555555ull;
    x = (x & 0x3333333333333333ull) + (x >> 2 & 0x3333333333333333ull);
    return (i64)(((x + (x >> 4)) & 0x0F0F0F0F0F0F0F0Full) * ONES >> 56);
}

bool index_build_portable(struct index *x, str text, enum index_mode mode)
{
    switch (mode) {
    case INDEX_CHECKED: return build(x, text, INDEX_CHECKED);
    case INDEX_STRUCTURAL: return build(x, text, INDEX_STRUCTURAL);
    default: return build(x, text, INDEX_SKIP);
    }
}
