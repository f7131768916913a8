/* A view of bytes: pointer and length. It never owns its bytes, need not end in a NUL, and is not
 * kept after the call that received it unless its owner is known to live longer. */
#ifndef TOQUE_STR_H
#define TOQUE_STR_H

#include "common/base/base.h"

typedef struct str {
    const char *p;
    size_t n;
} str;

/* For printf("%.*s", STR_ARG(s)). */
#define STR_ARG(s) (int)(s).n, (s).p
/* A literal as a view. */
#define STR(lit) ((str){"" lit, sizeof(lit) - 1})
/* The same for initialisers of static objects, where C allows no compound literal. */
#define STR_INIT(lit)                                                                              \
    {                                                                                              \
        "" lit, sizeof(lit) - 1                                                                    \
    }
#define STR_NONE ((str){NULL, 0})

/* The precision for "%.*s" that shows at most `max` bytes of s. */
static inline int str_shown(str s, size_t max)
{
    return (int)MIN(s.n, max);
}

static inline str str_of(const char *z)
{
    return (str){z, z ? strlen(z) : 0};
}

static inline str str_from(const void *p, size_t n)
{
    return (str){(const char *)p, n};
}

static inline bool str_eq(str a, str b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

static inline bool str_is(str a, const char *z)
{
    return str_eq(a, str_of(z));
}

/* Bytes [from, to) of s; both are limited to its length. */
static inline str str_slice(str s, size_t from, size_t to)
{
    if (to > s.n)
        to = s.n;
    if (from > to)
        from = to;
    return (str){from ? s.p + from : s.p, to - from};
}

/* Order by bytes, as memcmp; a prefix comes first. */
int str_cmp(str a, str b);
bool str_starts(str s, str prefix);
bool str_ends(str s, str suffix);
/* Equal, ignoring ASCII case. */
bool str_eq_nocase(str a, str b);
bool str_starts_nocase(str s, str prefix);
/* Position of the first `c` in s, or -1. */
ptrdiff_t str_find(str s, char c);
/* Position of the last `c` in s, or -1. */
ptrdiff_t str_rfind(str s, char c);
/* Without blanks (space, tab, CR, LF) at both ends. */
str str_trim(str s);
/* Removes the part before the first `sep`, and `sep`, from `rest` and returns it; without a `sep`
 * returns all of it, and `rest` becomes STR_NONE. */
str str_cut(str *rest, char sep);
/* A decimal integer with an optional minus sign, without surrounding characters. E_INVALID
 * otherwise, also when it does not fit. */
int str_to_i64(str s, i64 *ret);
/* Whether s is well-formed UTF-8 (no surrogates, no overlong forms, nothing above U+10FFFF). */
bool str_is_utf8(str s);
/* Whether it has a control character below U+0020. */
bool str_has_control(str s);
/* The next code point of well-formed UTF-8 at *pos, which moves behind it. Malformed bytes give
 * U+FFFD, one byte at a time. Needs *pos < s.n. */
u32 str_next_char(str s, size_t *pos);

#endif
