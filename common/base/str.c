/* Views of bytes. Nothing here allocates or writes. */
#include "common/base/str.h"

#include "common/base/ascii.h"
#include "common/base/err.h"

int str_cmp(str a, str b)
{
    size_t n = MIN(a.n, b.n);
    int order = n ? memcmp(a.p, b.p, n) : 0;

    if (order)
        return order;
    return (a.n > b.n) - (a.n < b.n);
}

bool str_starts(str s, str prefix)
{
    return s.n >= prefix.n && str_eq((str){s.p, prefix.n}, prefix);
}

bool str_ends(str s, str suffix)
{
    return s.n >= suffix.n && str_eq((str){s.p + (s.n - suffix.n), suffix.n}, suffix);
}

bool str_eq_nocase(str a, str b)
{
    if (a.n != b.n)
        return false;
    for (size_t i = 0; i < a.n; i++)
        if (ascii_lower(a.p[i]) != ascii_lower(b.p[i]))
            return false;
    return true;
}

bool str_starts_nocase(str s, str prefix)
{
    return s.n >= prefix.n && str_eq_nocase((str){s.p, prefix.n}, prefix);
}

ptrdiff_t str_find(str s, char c)
{
    const char *at = s.n ? memchr(s.p, c, s.n) : NULL;

    return at ? at - s.p : -1;
}

ptrdiff_t str_rfind(str s, char c)
{
    const char *at = s.n ? memrchr(s.p, c, s.n) : NULL;

    return at ? at - s.p : -1;
}

str str_trim(str s)
{
    while (s.n && ascii_is_blank(s.p[0])) {
        s.p++;
        s.n--;
    }
    while (s.n && ascii_is_blank(s.p[s.n - 1]))
        s.n--;
    return s;
}

str str_cut(str *rest, char sep)
{
    str all = *rest;
    ptrdiff_t at = str_find(all, sep);

    if (at < 0) {
        *rest = STR_NONE;
        return all;
    }
    *rest = str_slice(all, (size_t)at + 1, all.n);
    return str_slice(all, 0, (size_t)at);
}

int str_to_i64(str s, i64 *ret)
{
    bool negative = s.n && s.p[0] == '-';
    size_t i = negative;
    i64 v = 0;

    if (i == s.n)
        return E_INVALID;
    for (; i < s.n; i++) {
        unsigned digit = (unsigned)(unsigned char)s.p[i] - '0';
        if (digit > 9)
            return E_INVALID;
        /* Accumulates negative values: their range is larger by one. */
        if (__builtin_mul_overflow(v, (i64)10, &v) || __builtin_sub_overflow(v, (i64)digit, &v))
            return E_INVALID;
    }
    if (!negative && v == INT64_MIN)
        return E_INVALID;
    *ret = negative ? v : -v;
    return 0;
}

/* Length of the well-formed character at p, with `n` > 0 bytes left; 0 when it is malformed. The
 * bounds of the second byte are those of table 3-7 of the Unicode standard. */
static size_t char_size(const unsigned char *p, size_t n)
{
    unsigned char c = p[0], low = 0x80, high = 0xBF;
    size_t size;

    if (c < 0x80)
        return 1;
    if (c >= 0xC2 && c <= 0xDF) {
        size = 2;
    } else if (c >= 0xE0 && c <= 0xEF) {
        size = 3;
        low = c == 0xE0 ? 0xA0 : 0x80;
        high = c == 0xED ? 0x9F : 0xBF;
    } else if (c >= 0xF0 && c <= 0xF4) {
        size = 4;
        low = c == 0xF0 ? 0x90 : 0x80;
        high = c == 0xF4 ? 0x8F : 0xBF;
    } else {
        return 0;
    }
    if (n < size || p[1] < low || p[1] > high)
        return 0;
    for (size_t i = 2; i < size; i++)
        if ((p[i] & 0xC0) != 0x80)
            return 0;
    return size;
}

bool str_is_utf8(str s)
{
    const unsigned char *p = (const unsigned char *)s.p;
    size_t i = 0;

    while (i < s.n) {
        while (s.n - i >= 8) {
            u64 eight;
            memcpy(&eight, p + i, 8);
            if (eight & 0x8080808080808080u)
                break;
            i += 8;
        }
        /* Skips a run of characters before trying eight bytes at a time again. */
        for (size_t end = MIN(i + 8, s.n); i < end;) {
            size_t size = char_size(p + i, s.n - i);
            if (!size)
                return false;
            i += size;
        }
    }
    return true;
}

bool str_has_control(str s)
{
    bool has = false;

    for (size_t i = 0; i < s.n; i++)
        has |= (u8)s.p[i] < 0x20;
    return has;
}

u32 str_next_char(str s, size_t *pos)
{
    assert(*pos < s.n);
    const unsigned char *p = (const unsigned char *)s.p + *pos;
    size_t size = char_size(p, s.n - *pos);
    *pos += size ? size : 1;
    switch (size) {
    case 1: return p[0];
    case 2: return (u32)(p[0] & 0x1F) << 6 | (p[1] & 0x3F);
    case 3: return (u32)(p[0] & 0x0F) << 12 | (u32)(p[1] & 0x3F) << 6 | (p[2] & 0x3F);
    case 4:
        return (u32)(p[0] & 0x07) << 18 | (u32)(p[1] & 0x3F) << 12 | (u32)(p[2] & 0x3F) << 6 |
               (p[3] & 0x3F);
    default: return 0xFFFD;
    }
}
