/* Exact decimals. A number is what its text says: a sign, digits and an exponent, compared by value
 * and never through a double, so that 12, 12.0 and 1.2e1 are one number and two integers of thirty
 * digits are distinct.
 *
 * A struct number borrows its digits from the text that it was read from: reading allocates nothing
 * and accepts any length. Normal form: value = 0.d1d2d3... * 10^exponent, where d1 and the last
 * digit are not 0; zero has no digits, exponent 0 and no sign. */
#ifndef TOQUE_FILTER_NUMBER_H
#define TOQUE_FILTER_NUMBER_H

#include "common/base/str.h"

/* Larger exponents are saturated to this one: such numbers differ from all others, but not from one
 * another. */
#define NUMBER_EXPONENT_MAX ((i64)1000000000000000)

struct number {
    const char *digits; /* first significant digit; a '.' may stand between the digits */
    u32 span;           /* bytes from there through the last significant digit, a '.' included */
    u32 digit_count;    /* significant digits; 0: the number is zero */
    i64 exponent;
    bool negative;
};

/* Parses the spelling of a Number attribute: [+-] digits [. digits] [e [+-] digits]. This includes
 * all JSON numbers; leading zeros and a plus are accepted too, ".5", "5." and blanks are not.
 * Otherwise E_INVALID, also for texts of 2^31 bytes or more. */
int number_read(str text, struct number *ret);

/* Order by value: negative, 0 or positive. */
int number_cmp(const struct number *a, const struct number *b);
static inline bool number_eq(const struct number *a, const struct number *b)
{
    return a->exponent == b->exponent && a->digit_count == b->digit_count &&
           a->negative == b->negative && number_cmp(a, b) == 0;
}

/* Longest key of number_key for `n`. */
static inline size_t number_key_size(const struct number *n)
{
    return (size_t)n->digit_count + 9;
}
/* Writes bytes that are equal exactly when the numbers are (sign, exponent, digits), for hashing;
 * `out` has room for number_key_size. Returns their count. */
size_t number_key(const struct number *n, char *out);

#endif
