/* Numbers of up to nineteen digits, which nearly all are: an integer times a power of ten. They
 * preselect and serve as keys; what they leave open (longer numbers, bounds within the error of a
 * double) is decided by number.h. */
#ifndef TOQUE_FILTER_DECIMAL_H
#define TOQUE_FILTER_DECIMAL_H

#include "filter/policy/number.h"

#define DECIMAL_DIGITS_MAX 19

/* Normal form: digits does not end in a zero; 0 has exponent 0 and no sign. */
struct decimal {
    u64 digits;
    i32 exponent;
    bool negative;
};

/* False when it has more digits or a larger exponent than a decimal. */
bool decimal_of(const struct number *n, struct decimal *ret);
/* The same for a number's text; also false when it is not a number. */
bool decimal_read(str text, struct decimal *ret);
#define DECIMAL_PARTS 20 /* tenths, hundredths and so on */
extern const double decimal_parts[DECIMAL_PARTS];
double decimal_far_approx(const struct decimal *d);
/* The number as a double with a relative error of at most DECIMAL_ERROR; infinite where it is too
 * large. */
static inline double decimal_approx(const struct decimal *d)
{
    if (UNLIKELY((u32)-d->exponent >= DECIMAL_PARTS || d->digits >> 63))
        return decimal_far_approx(d);
    double v = (double)(i64)d->digits * decimal_parts[-d->exponent];
    return d->negative ? -v : v;
}
/* The same for any number, by its first digits. */
double decimal_approx_of(const struct number *n);
#define DECIMAL_ERROR 0x1p-45
#define DECIMAL_LEAST 0x1p-1060 /* absolute error, where doubles lose digits */

/* Whether `v` is surely above the bound (1), below (-1), or too close for doubles to tell (0). */
static inline int decimal_against(double v, double bound)
{
    double away = v - bound, error = __builtin_fabs(bound) * DECIMAL_ERROR + DECIMAL_LEAST;

    return away > error ? 1 : away < -error ? -1 : 0;
}

#define DECIMAL_KEY_SIZE 13
/* Bytes that are equal exactly when the numbers are. They never equal a key of number_key, which is
 * for numbers that are not decimals. */
static inline str decimal_key(const struct decimal *d, char out[DECIMAL_KEY_SIZE])
{
    memcpy(out, &d->digits, 8);
    memcpy(out + 8, &d->exponent, 4);
    out[12] = d->negative ? 2 : 1;
    return str_from(out, DECIMAL_KEY_SIZE);
}

#endif
