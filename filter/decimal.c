/* Digits are gathered into one word; zeros wait until a digit behind them makes them count. */
#include "filter/decimal.h"

#include <math.h>

/* Exponents beyond it are left to number.h. */
enum { EXPONENT_MAX = 5000 };

struct gather {
    u64 digits;
    u32 n, zeros; /* digits taken, and zeros that wait behind them */
    i64 exponent;
};

static const u64 TENS[] = {1,
                           10,
                           100,
                           1000,
                           10000,
                           100000,
                           1000000,
                           10000000,
                           100000000,
                           1000000000,
                           10000000000,
                           100000000000,
                           1000000000000,
                           10000000000000,
                           100000000000000,
                           1000000000000000,
                           10000000000000000,
                           100000000000000000,
                           1000000000000000000,
                           10000000000000000000ull};

static inline bool is_digit(char c)
{
    return (u8)(c - '0') < 10;
}

/* False: too many. */
static inline bool take(struct gather *g, char c)
{
    if (c == '0') {
        g->zeros += g->n != 0;
        return true;
    }
    if (UNLIKELY(g->n + g->zeros >= DECIMAL_DIGITS_MAX))
        return false;
    g->digits = g->digits * TENS[g->zeros + 1] + (u64)(c - '0');
    g->n += g->zeros + 1;
    g->zeros = 0;
    return true;
}

/* A run of digits; NULL: none, or too many. */
static inline const char *take_digits(struct gather *g, const char *p, const char *end)
{
    const char *start = p;
    for (; p < end && is_digit(*p); p++)
        if (!take(g, *p))
            return NULL;
    return p == start ? NULL : p;
}

static const char *take_exponent(struct gather *g, const char *p, const char *end)
{
    bool negative = p < end && *p == '-';
    i64 value = 0;
    if (p < end && (*p == '-' || *p == '+'))
        p++;
    const char *start = p;
    for (; p < end && is_digit(*p) && p - start < 5; p++)
        value = value * 10 + (*p - '0');
    g->exponent += negative ? -value : value;
    return p == start ? NULL : p;
}

static bool finish(const struct gather *g, bool negative, struct decimal *ret)
{
    i64 exponent = g->exponent + g->zeros;
    if (g->digits == 0) {
        *ret = (struct decimal){0};
        return true;
    }
    if (exponent > EXPONENT_MAX || exponent < -EXPONENT_MAX)
        return false;
    *ret = (struct decimal){g->digits, (i32)exponent, negative};
    return true;
}

bool decimal_read(str text, struct decimal *ret)
{
    struct gather g = {0};
    const char *p = text.p, *end = text.p + text.n;
    if (text.n == 0)
        return false;
    bool negative = *p == '-';
    p += negative || *p == '+';
    p = take_digits(&g, p, end);
    if (p && p < end && *p == '.') {
        const char *dot = p;
        p = take_digits(&g, p + 1, end);
        g.exponent = p ? -(p - dot - 1) : 0;
    }
    if (p && p < end && (*p | 0x20) == 'e')
        p = take_exponent(&g, p + 1, end);
    return p == end && finish(&g, negative, ret);
}

bool decimal_of(const struct number *n, struct decimal *ret)
{
    struct gather g = {.exponent = n->exponent};
    if (n->digit_count > DECIMAL_DIGITS_MAX)
        return false;
    for (u32 i = 0; i < n->span; i++)
        if (n->digits[i] != '.')
            g.digits = g.digits * 10 + (u64)(n->digits[i] - '0');
    g.exponent -= n->digit_count;
    return finish(&g, n->negative, ret);
}

double decimal_approx(const struct decimal *d)
{
    static const double tens[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                  1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                  1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    double v = (double)d->digits;
    i32 e = d->exponent;
    if (LIKELY(e <= 0 && e >= -22))
        v /= tens[-e];
    else if (e > 0 && e <= 22)
        v *= tens[e];
    else
        v = (double)((long double)v * powl(10.0L, (long double)e));
    return d->negative ? -v : v;
}

double decimal_approx_of(const struct number *n)
{
    struct decimal d;
    return decimal_of(n, &d) ? decimal_approx(&d) : number_approx(n);
}
