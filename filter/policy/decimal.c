/* Most numbers have up to seven digits before the point and sixteen after it, or no point and up to
 * nineteen digits: those are read eight digits at a time. All others are left to number.c. */
#include "filter/policy/decimal.h"

#include <math.h>

#include "filter/policy/digits.h"

/* Larger exponents are left to number.h; as doubles they are infinite or 0. */
enum { EXPONENT_MAX = 5000 };

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

/* Trailing zeros go into the exponent. */
static inline struct decimal normal(u64 digits, i64 exponent, bool negative)
{
    for (u64 tenth; (tenth = digits / 10) * 10 == digits; digits = tenth)
        exponent++;
    return (struct decimal){digits, (i32)exponent, negative};
}

bool decimal_of(const struct number *n, struct decimal *ret)
{
    i64 exponent = n->exponent - n->digit_count;
    u64 digits = 0;

    if (n->digit_count == 0) {
        *ret = (struct decimal){0};
        return true;
    }
    if (n->digit_count > DECIMAL_DIGITS_MAX || exponent > EXPONENT_MAX || exponent < -EXPONENT_MAX)
        return false;
    for (u32 i = 0; i < n->span; i++)
        if (n->digits[i] != '.')
            digits = digits * 10 + (u64)(n->digits[i] - '0');
    *ret = normal(digits, exponent, n->negative);
    return true;
}

/* --- eight digits at a time ------------------------------------------------------------------- */

/* n < 8 characters; the ones after them become non-digits. */
static inline u64 load_few(const char *p, size_t n)
{
    u64 w = 0;

    if (n >= 4) {
        u32 low, high;
        memcpy(&low, p, 4);
        memcpy(&high, p + n - 4, 4);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
        low = __builtin_bswap32(low);
        high = __builtin_bswap32(high);
#endif
        w = low | (u64)high << (8 * (n - 4));
    } else if (n > 0) {
        w = (u64)(u8)p[0] | (u64)(u8)p[n / 2] << (8 * (n / 2)) | (u64)(u8)p[n - 1] << (8 * (n - 1));
    }
    return w ^ SCAN_WORD_ONES * '0';
}

/* The value of eight digits. */
static inline u64 eight(u64 w)
{
    w = (w * (10 * 256 + 1)) >> 8;
    w = ((w & 0x00FF00FF00FF00FFull) * (100 * 65536 + 1)) >> 16;
    return ((w & 0x0000FFFF0000FFFFull) * (10000 * 4294967296ull + 1)) >> 32;
}

/* The value of the first n of them, 1 to 8. */
static inline u64 first_digits(u64 w, size_t n)
{
    return eight(w << (64 - 8 * n));
}

/* Fewer than eight characters. */
static inline bool read_few(const char *p, size_t n, u64 *ret_digits, size_t *ret_fraction)
{
    u64 w = load_few(p, n), odd = digits_others(w);
    size_t k = (size_t)__builtin_ctzll(odd) / 8;

    *ret_fraction = 0;
    if (k == 0)
        return false;
    if (k < n) {
        u64 before = (1ull << (8 * k)) - 1;
        odd &= odd - 1;
        if (p[k] != '.' || k + 1 == n || (size_t)__builtin_ctzll(odd) / 8 != n)
            return false;
        w = (w & before) | (w >> 8 & ~before);
        *ret_fraction = n - k - 1;
        n--;
    }
    *ret_digits = first_digits(w, n);
    return true;
}

/* Eight characters or more: `last` are the last eight, w the first ones. */
static inline bool read_whole(const char *p, u64 w, u64 last, size_t n, u64 *ret_digits)
{
    if (n > DECIMAL_DIGITS_MAX || digits_others(last))
        return false;
    *ret_digits = eight(last);
    if (n > 16) {
        u64 middle = digits_load(p + n - 16);
        if (digits_others(middle))
            return false;
        *ret_digits += first_digits(w, n - 16) * TENS[16] + eight(middle) * TENS[8];
    } else if (n > 8) {
        *ret_digits += first_digits(w, n - 8) * TENS[8];
    }
    return true;
}

/* Ten to seventeen characters with a point at k < 8: eight digits without the point, and the
 * rest. */
static inline bool read_two(const char *p, u64 w, u64 last, size_t n, size_t k, u64 *ret_digits)
{
    u64 before = (1ull << (8 * k)) - 1, next = digits_load(p + 1);

    last &= ~0ull << (8 * (17 - n));
    if ((digits_others(next) & ~before) | digits_others(last))
        return false;
    *ret_digits = eight((w & before) | (next & ~before)) * TENS[n - 9] + eight(last);
    return true;
}

static inline bool read_many(const char *p, size_t n, u64 *ret_digits, size_t *ret_fraction)
{
    u64 w = digits_load(p), odd = digits_others(w), last = digits_load(p + n - 8);

    *ret_fraction = 0;
    if (!odd)
        return read_whole(p, w, last, n, ret_digits);
    size_t k = (size_t)__builtin_ctzll(odd) / 8, f = n - k - 1;
    if (k == 0 || p[k] != '.' || f == 0 || f > 16 || k + f > DECIMAL_DIGITS_MAX)
        return false;
    *ret_fraction = f;
    if (n >= 10 && n <= 17)
        return read_two(p, w, last, n, k, ret_digits);
    u64 digits = first_digits(w, k) * TENS[f];
    if (f > 8) {
        u64 next = digits_load(p + k + 1);
        if (digits_others(next))
            return false;
        digits += first_digits(next, f - 8) * TENS[8];
    } else {
        last &= ~0ull << (64 - 8 * f);
    }
    if (digits_others(last))
        return false;
    *ret_digits = digits + eight(last);
    return true;
}

static __attribute__((noinline)) bool read_any(str text, struct decimal *ret)
{
    struct number any;

    return number_read(text, &any) == 0 && decimal_of(&any, ret);
}

bool decimal_read(str text, struct decimal *ret)
{
    u64 digits;
    size_t fraction;
    bool negative = text.n && text.p[0] == '-';
    const char *p = text.p + negative;
    size_t n = text.n - negative;

    if (!(LIKELY(n >= 8) ? read_many(p, n, &digits, &fraction)
                         : read_few(p, n, &digits, &fraction)))
        return read_any(text, ret);
    if (LIKELY(p[n - 1] != '0'))
        *ret = (struct decimal){digits, -(i32)fraction, negative};
    else
        *ret = digits ? normal(digits, -(i64)fraction, negative) : (struct decimal){0};
    return true;
}

/* --- as doubles ------------------------------------------------------------------------------- */

const double decimal_parts[DECIMAL_PARTS] = {1e0,   1e-1,  1e-2,  1e-3,  1e-4,  1e-5,  1e-6,
                                             1e-7,  1e-8,  1e-9,  1e-10, 1e-11, 1e-12, 1e-13,
                                             1e-14, 1e-15, 1e-16, 1e-17, 1e-18, 1e-19};

double decimal_far_approx(const struct decimal *d)
{
    static const double tens[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                  1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                  1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    double v = (double)d->digits;
    i32 e = d->exponent;

    if (e <= 0 && -e < (i32)ARRAY_LEN(tens))
        v /= tens[-e];
    else if (e > 0 && e < (i32)ARRAY_LEN(tens))
        v *= tens[e];
    else
        v = (double)((long double)v * powl(10.0L, (long double)e));
    return d->negative ? -v : v;
}

double decimal_approx_of(const struct number *n)
{
    struct decimal d = {.negative = n->negative};
    u32 taken = MIN(n->digit_count, DECIMAL_DIGITS_MAX);
    const char *p = n->digits;

    for (u32 i = 0; i < taken; i++, p++) {
        p += *p == '.';
        d.digits = d.digits * 10 + (u64)(*p - '0');
    }
    d.exponent = (i32)MAX(MIN(n->exponent - taken, EXPONENT_MAX), -EXPONENT_MAX);
    return decimal_approx(&d);
}
