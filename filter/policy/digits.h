/* Texts of numbers, eight characters at a time.
 *
 * Numbers of one shape (one sign, equal length, a point at the same position, otherwise nothing but
 * digits) sort like their texts: the smallest and largest of many are found without parsing
 * them. */
#ifndef TOQUE_FILTER_DIGITS_H
#define TOQUE_FILTER_DIGITS_H

#include "common/base/scan_word.h"
#include "common/base/str.h"

/* Eight characters, the first one lowest; a digit becomes its value. */
static inline u64 digits_load(const char *p)
{
    return scan_word_load((const u8 *)p) ^ SCAN_WORD_ONES * '0';
}

/* High bit of every byte that is not a digit; exact up to the lowest byte that is not ASCII. */
static inline u64 digits_others(u64 w)
{
    return ((w + SCAN_WORD_ONES * (0x80 - 10)) | w) & SCAN_WORD_HIGHS;
}

#define DIGITS_SHAPE_MIN 8
#define DIGITS_SHAPE_MAX 16

struct digits_shape {
    bool negative;
    size_t n;               /* characters without the sign */
    size_t point;           /* position of the point; 0: none */
    u64 odd_head, odd_tail; /* digits_others of the first and the last eight */
};

/* False when the text has no shape: too short, too long, or with an exponent. */
static inline bool digits_shape(str text, struct digits_shape *ret)
{
    bool negative = text.n && text.p[0] == '-';
    const char *p = text.p + negative;
    size_t n = text.n - negative, point = 0;

    if (n < DIGITS_SHAPE_MIN || n > DIGITS_SHAPE_MAX)
        return false;
    u64 head = digits_others(digits_load(p)), tail = digits_others(digits_load(p + n - 8));
    *ret = (struct digits_shape){negative, n, 0, head, tail};
    if (!(head | tail))
        return true;
    point = head ? (size_t)__builtin_ctzll(head) / 8 : n - 8 + (size_t)__builtin_ctzll(tail) / 8;
    ret->point = point;
    return point > 0 && point + 1 < n && p[point] == '.' && !(head & (head - 1)) &&
           !(tail & (tail - 1)) && (point < n - 8 || tail) &&
           (!tail || n - 8 + (size_t)__builtin_ctzll(tail) / 8 == point);
}

/* The rank of the text within its shape, without the sign; false: it has another shape. */
__extension__ typedef unsigned __int128 digits_place;
static inline bool digits_place_of(const struct digits_shape *s, str text, digits_place *ret)
{
    const char *p = text.p + s->negative;

    if (text.n != s->n + s->negative || (*text.p == '-') != s->negative)
        return false;
    u64 head = digits_load(p), tail = digits_load(p + s->n - 8);
    *ret = (digits_place)__builtin_bswap64(head) << 64 | __builtin_bswap64(tail);
    return digits_others(head) == s->odd_head && digits_others(tail) == s->odd_tail &&
           (!s->point || p[s->point] == '.');
}

#endif
