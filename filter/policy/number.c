/* Exact decimals parsed, compared and keyed. The digits stay in the text; a walk over them skips
 * the one '.' that may stand between. */
#include "filter/policy/number.h"

#include "common/base/ascii.h"
#include "common/base/err.h"

#define TEXT_MAX ((size_t)1 << 31)

/* Reads [+-] digits at *p into a saturated exponent. False when there is no digit. */
static bool read_exponent(const char **p, const char *end, i64 *ret)
{
    bool negative = false;

    if (*p < end && (**p == '+' || **p == '-')) {
        negative = **p == '-';
        ++*p;
    }
    if (*p == end || !ascii_is_digit(**p))
        return false;
    i64 v = 0;
    for (; *p < end && ascii_is_digit(**p); ++*p)
        v = MIN(v * 10 + (**p - '0'), NUMBER_EXPONENT_MAX);
    *ret = negative ? -v : v;
    return true;
}

/* What read_digits finds; pointers are NULL where there is nothing. */
struct span {
    const char *first, *last; /* significant digits */
    const char *dot;
    const char *whole_end; /* end of the digits before the point */
};

/* Digits [. digits] at *p, each part with at least one. */
static bool read_digits(const char **p, const char *end, struct span *ret)
{
    const char *at = *p;
    const char *start = at;

    *ret = (struct span){0};
    for (; at < end && ascii_is_digit(*at); at++) {
        if (*at == '0')
            continue;
        if (!ret->first)
            ret->first = at;
        ret->last = at;
    }
    if (at == start)
        return false;
    ret->whole_end = at;
    if (at < end && *at == '.') {
        ret->dot = at++;
        start = at;
        for (; at < end && ascii_is_digit(*at); at++) {
            if (*at == '0')
                continue;
            if (!ret->first)
                ret->first = at;
            ret->last = at;
        }
        if (at == start)
            return false;
    }
    *p = at;
    return true;
}

int number_read(str text, struct number *ret)
{
    if (text.n == 0 || text.n >= TEXT_MAX)
        return E_INVALID;
    const char *p = text.p, *end = text.p + text.n;
    bool negative = *p == '-';
    if (*p == '-' || *p == '+')
        p++;
    struct span s;
    if (!read_digits(&p, end, &s))
        return E_INVALID;
    i64 exponent = 0;
    if (p < end && (*p == 'e' || *p == 'E')) {
        p++;
        if (!read_exponent(&p, end, &exponent))
            return E_INVALID;
    }
    if (p != end)
        return E_INVALID;

    *ret = (struct number){0};
    if (!s.first)
        return 0;
    ret->digits = s.first;
    ret->span = (u32)(s.last - s.first) + 1;
    ret->digit_count = ret->span - (s.dot && s.first < s.dot && s.last > s.dot);
    if (s.first < s.whole_end)
        exponent += s.whole_end - s.first;
    else
        exponent -= s.first - (s.dot + 1);
    ret->exponent = MAX(MIN(exponent, NUMBER_EXPONENT_MAX), -NUMBER_EXPONENT_MAX);
    ret->negative = negative;
    return 0;
}

static int digits_cmp(const struct number *a, const struct number *b)
{
    const char *p = a->digits, *q = b->digits;
    u32 n = MIN(a->digit_count, b->digit_count);

    for (u32 i = 0; i < n; i++, p++, q++) {
        p += *p == '.';
        q += *q == '.';
        if (*p != *q)
            return *p < *q ? -1 : 1;
    }
    if (a->digit_count == b->digit_count)
        return 0;
    return a->digit_count < b->digit_count ? -1 : 1;
}

static int sign_of(const struct number *n)
{
    return n->digit_count == 0 ? 0 : n->negative ? -1 : 1;
}

int number_cmp(const struct number *a, const struct number *b)
{
    int sa = sign_of(a), sb = sign_of(b);

    if (sa != sb)
        return sa < sb ? -1 : 1;
    if (sa == 0)
        return 0;
    int r = a->exponent == b->exponent ? digits_cmp(a, b) : a->exponent < b->exponent ? -1 : 1;
    return sa < 0 ? -r : r;
}

size_t number_key(const struct number *n, char *out)
{
    out[0] = (char)('0' + (n->digit_count > 0) + n->negative);
    for (u32 i = 0; i < 8; i++)
        out[1 + i] = (char)((u64)n->exponent >> (8 * i));
    const char *p = n->digits;
    for (u32 i = 0; i < n->digit_count; i++, p++) {
        p += *p == '.';
        out[9 + i] = *p;
    }
    return 9 + (size_t)n->digit_count;
}
