/* Eight bytes of text at once: the loads and tests that scan.c and scan_text.c share. A test
 * returns the high bit of each byte that passes it, exact up to the lowest one that does. */
#ifndef TOQUE_SCAN_WORD_H
#define TOQUE_SCAN_WORD_H

#include "common/base/base.h"

#define SCAN_WORD_ONES  0x0101010101010101ull
#define SCAN_WORD_HIGHS 0x8080808080808080ull

static inline bool scan_is_digit(u8 c)
{
    return (u8)(c - '0') < 10;
}

static inline u64 scan_word_load(const u8 *p)
{
    u64 w;

    memcpy(&w, p, 8);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    w = __builtin_bswap64(w);
#endif
    return w;
}

/* High bit of every byte that equals the one `with` repeats; exact up to the lowest hit. */
static inline u64 scan_word_equals(u64 w, u64 with)
{
    u64 x = w ^ with;

    return (x - SCAN_WORD_ONES) & ~x & SCAN_WORD_HIGHS;
}

/* Quotes, backslashes and control characters; exact up to the lowest hit. */
static inline u64 scan_word_specials(u64 w)
{
    return scan_word_equals(w, SCAN_WORD_ONES * '"') | scan_word_equals(w, SCAN_WORD_ONES * '\\') |
           ((w - SCAN_WORD_ONES * 0x20) & ~w & SCAN_WORD_HIGHS);
}

#endif
