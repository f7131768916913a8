/* number.[ch]: spellings, order by value, keys, steering doubles. decimal.[ch]: what it reads in
 * one go is what number.c reads. */
#include "filter/policy/decimal.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#include "common/base/err.h"
#include "common/base/mem.h"
#include "filter/policy/digits.h"

static struct number number(const char *text)
{
    struct number n;
    assert_int_equal(number_read(str_of(text), &n), 0);
    return n;
}

static void test_spelling(void **state)
{
    (void)state;
    static const char *const good[] = {"0",     "-0",      "+5",
                                       "05",    "1.50",    "1e5",
                                       "1E+5",  "1.5e-05", "123456789012345678901234567890",
                                       "0.0e99"};
    static const char *const bad[] = {"",    "+",    "-",   ".5",   "5.",  " 5",  "5 ",   "1e",
                                      "1e+", "0x10", "1,5", "1..2", "--1", "NaN", "1e5.0"};
    struct number n;
    for (size_t i = 0; i < ARRAY_LEN(good); i++)
        assert_int_equal(number_read(str_of(good[i]), &n), 0);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_int_equal(number_read(str_of(bad[i]), &n), E_INVALID);
}

/* Ascending; spellings of one value share a line. */
static const char *const ORDER[][6] = {
    {"-1e400"},
    {"-123456789012345678901234567891"},
    {"-123456789012345678901234567890", "-1.2345678901234567890123456789e29"},
    {"-1000"},
    {"-0.5", "-5e-1", "-0.50"},
    {"-1e-400"},
    {"0", "-0", "0.000", "0e5", "+0"},
    {"1e-400", "0.1e-399"},
    {"0.099999999999999999999"},
    {"0.1", "1e-1", "00.10", "10e-2"},
    {"1.23456"},
    {"1.234565"},
    {"1.23457"},
    {"9.99999999999999999999"},
    {"10", "1e1", "10.0", "0.1e2", "1000e-2"},
    {"10.00000000000000000001"},
    {"9007199254740992"},
    {"9007199254740993"},
    {"1e400", "10e399"},
    {"1e99999999999999"},
};

static void check_pair(const char *a, const char *b, int want)
{
    struct number x = number(a), y = number(b);
    int got = number_cmp(&x, &y);
    if ((got > 0) - (got < 0) != want)
        fail_msg("%s against %s: %d", a, b, got);
    assert_int_equal(number_eq(&x, &y), want == 0);
    char kx[64], ky[64];
    assert_true(number_key_size(&x) <= sizeof kx && number_key_size(&y) <= sizeof ky);
    str key_x = str_from(kx, number_key(&x, kx)), key_y = str_from(ky, number_key(&y, ky));
    assert_int_equal(str_eq(key_x, key_y), want == 0);
    if (want <= 0)
        assert_true(decimal_against(decimal_approx_of(&x), decimal_approx_of(&y)) <= 0);
}

static void test_order(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(ORDER); i++)
        for (size_t k = 0; k < ARRAY_LEN(ORDER); k++)
            for (size_t a = 0; a < 6 && ORDER[i][a]; a++)
                for (size_t b = 0; b < 6 && ORDER[k][b]; b++)
                    check_pair(ORDER[i][a], ORDER[k][b], (i > k) - (i < k));
}

/* Exponents beyond all reason are far out, whatever their digits. */
static void test_saturation(void **state)
{
    (void)state;
    check_pair("1e99999999999999999999999999", "1e400", 1);
    check_pair("1e-99999999999999999999999999", "1e-400", -1);
    check_pair("1e-99999999999999999999999999", "0", 1);
    check_pair("-1e99999999999999999999999999", "-1e400", -1);
}

/* The steering double never turns an order around, also between neighbours across a power of ten,
 * whose digits are few or many, and far out.
 */
static void test_approx_keeps_order(void **state)
{
    (void)state;
    for (int e = -320; e <= 320; e++) {
        char low[64], high[64], higher[64], between[64];
        snprintf(low, sizeof low, "9.9999999999999999e%d", e);
        snprintf(high, sizeof high, "1e%d", e + 1);
        snprintf(between, sizeof between, "1.00000000000009999999999999999e%d", e + 1);
        snprintf(higher, sizeof higher, "1.0000000000001e%d", e + 1);
        check_pair(low, high, -1);
        check_pair(high, higher, -1);
        check_pair(high, between, -1);
        check_pair(between, higher, -1);
        snprintf(low, sizeof low, "1.00000000000005e%d", e + 1);
        check_pair(low, between, -1);
    }
    struct number half = number("0.5"), big = number("123456.00000000000000000000001");
    assert_true(decimal_approx_of(&half) == 0.5);
    assert_true(fabs(decimal_approx_of(&big) - 123456) < 1e-9);
}

/* Any length, nothing allocated; the last of many digits tells. */
static void test_long(void **state)
{
    (void)state;
    size_t size = 100000;
    char *text = mem_alloc(size + 1);
    memset(text, '7', size);
    text[size / 2] = '.';
    char *other = mem_dup(str_of(text));
    other[size - 1] = '8';
    struct number a = number(text), b = number(other), c = number("7");
    assert_int_equal(a.digit_count, size - 1);
    assert_int_equal(a.exponent, size / 2);
    assert_true(number_cmp(&a, &b) < 0);
    assert_true(number_cmp(&b, &a) > 0);
    assert_true(number_cmp(&c, &a) < 0);
    mem_free(text);
    mem_free(other);
}

/* Read as a decimal, the text is the number that number.c finds, or left to it. */
static void check_decimal(const char *text, size_t n)
{
    char *exact = mem_alloc(n + 1); /* what is read beyond the end is found out by the sanitizer */
    char *at = exact + 1;
    memcpy(at, text, n);
    struct decimal got, want;
    struct number number;
    bool is_number = number_read(str_from(at, n), &number) == 0;
    bool is_decimal = is_number && decimal_of(&number, &want);
    if (decimal_read(str_from(at, n), &got) != is_decimal)
        fail_msg("%.*s: %d", (int)n, text, is_decimal);
    if (is_decimal && (got.digits != want.digits || got.exponent != want.exponent ||
                       got.negative != want.negative))
        fail_msg("%.*s: %llu e %d", (int)n, text, (unsigned long long)got.digits, got.exponent);
    struct digits_shape shape = {0};
    digits_place place = 0;
    if (digits_shape(str_from(at, n), &shape)) { /* then it is a number, of that shape itself */
        assert_true(is_number && !memchr(at, 'e', n) && !memchr(at, 'E', n));
        assert_true(digits_place_of(&shape, str_from(at, n), &place));
    }
    double near = is_decimal ? decimal_approx(&got) : 0, error = fabs(near) * DECIMAL_ERROR;
    if (is_decimal && fabs(near - strtod(text, NULL)) > error + DECIMAL_LEAST)
        fail_msg("%.*s: %g", (int)n, text, near);
    mem_free(exact);
}

/* The text as it is, with other signs, with exponents, and with each of its characters spoilt. */
static void check_spellings(const char *digits)
{
    static const char *const signs[] = {"", "-", "+"}, *const exponents[] = {"", "e0", "E-7",
                                                                             "e+12"};
    static const char odd[] = {'.', '/', ':',  ' ',    '-',    'e',
                               '0', '9', '\0', '\x80', '\xB0', '\xFF'};
    char text[64];
    for (size_t i = 0; i < ARRAY_LEN(signs); i++)
        for (size_t k = 0; k < ARRAY_LEN(exponents); k++) {
            int n = snprintf(text, sizeof(text), "%s%s%s", signs[i], digits, exponents[k]);
            check_decimal(text, (size_t)n);
        }
    int n = snprintf(text, sizeof(text), "-%s", digits);
    for (int at = 0; at < n; at++)
        for (size_t k = 0; k < sizeof(odd); k++) {
            char was = text[at];
            text[at] = odd[k];
            check_decimal(text, (size_t)n);
            check_decimal(text + 1, (size_t)n - 1);
            text[at] = was;
        }
}

static void test_decimals(void **state)
{
    static const char *const patterns[] = {
        "1234567890123456789012345", "9999999999999999999999999", "0000000000000000000000000",
        "1000000000000000000000000", "0000000700000000000000000", "1844674407370955161600000",
        "0000001844674407370955161", "9876543210000000000000001",
    };
    (void)state;
    check_decimal("", 0);
    for (size_t i = 0; i < ARRAY_LEN(patterns); i++)
        for (int n = 1; n <= 25; n++)
            for (int dot = 0; dot <= n; dot++) {
                char digits[32];
                snprintf(digits, sizeof(digits), "%.*s%s%.*s", dot, patterns[i],
                         dot < n && dot > 0 ? "." : "", n - dot, patterns[i] + dot);
                check_spellings(digits);
            }
}

static u32 next_random(u32 *state)
{
    *state = *state * 1664525u + 1013904223u;
    return *state >> 8;
}

/* Digits with a point at `point`, mostly the same ones. */
static void draw_digits(u32 *random, u32 n, u32 point, char *out)
{
    memset(out, '5', n);
    for (u32 i = 0; i < 2; i++)
        out[next_random(random) % n] = (char)('0' + next_random(random) % 10);
    if (point)
        out[point] = '.';
    out[n] = 0;
}

/* Texts of one shape stand in the order of their numbers. */
static void test_shapes(void **state)
{
    u32 random = 1;
    (void)state;
    for (u32 n = DIGITS_SHAPE_MIN; n <= DIGITS_SHAPE_MAX; n++)
        for (u32 point = 0; point + 1 < n; point++)
            for (u32 i = 0; i < 50; i++) {
                char a[32], b[32];
                struct digits_shape shape = {0};
                digits_place place_a = 0, place_b = 0;
                draw_digits(&random, n, point, a);
                draw_digits(&random, n, point, b);
                struct number x = number(a), y = number(b);
                assert_true(digits_shape(str_of(a), &shape));
                assert_true(digits_place_of(&shape, str_of(a), &place_a));
                assert_true(digits_place_of(&shape, str_of(b), &place_b));
                int order = number_cmp(&x, &y);
                assert_int_equal((place_a > place_b) - (place_a < place_b),
                                 (order > 0) - (order < 0));
                u32 at = next_random(&random) % n;
                b[at] =
                    "e.:/-\x80\xBA "[i % 8]; /* no longer of that shape, unless the point stays */
                if (digits_place_of(&shape, str_of(b), &place_b) &&
                    (!point || at != point || i % 8 != 1))
                    fail_msg("%s as %s", b, a);
                assert_false(digits_place_of(&shape, str_from(b, n - 1), &place_b));
            }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_spelling),   cmocka_unit_test(test_order),
        cmocka_unit_test(test_saturation), cmocka_unit_test(test_approx_keeps_order),
        cmocka_unit_test(test_long),       cmocka_unit_test(test_decimals),
        cmocka_unit_test(test_shapes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
