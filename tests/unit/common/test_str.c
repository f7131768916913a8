/* str.[ch]: views are compared, searched and cut as their bytes say, numbers and UTF-8 strictly. */
#include "common/base/str.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#include "common/base/err.h"

static void comparing(void **state)
{
    assert_true(str_cmp(STR("a"), STR("b")) < 0);
    assert_true(str_cmp(STR("ab"), STR("a")) > 0);
    assert_true(str_cmp(STR("a"), STR("ab")) < 0);
    assert_true(str_cmp(STR("\x80"), STR("a")) > 0);
    assert_int_equal(str_cmp(STR_NONE, STR("")), 0);
    assert_true(str_eq(STR_NONE, STR("")));
    assert_true(str_starts(STR("arn:aws"), STR("arn:")));
    assert_false(str_starts(STR("arn"), STR("arn:")));
    assert_true(str_starts(STR("x"), STR_NONE));
    assert_true(str_ends(STR("a.fifo"), STR(".fifo")));
    assert_false(str_ends(STR("fifo"), STR(".fifo")));
    assert_true(str_eq_nocase(STR("Content-Type"), STR("content-tYPE")));
    assert_false(str_eq_nocase(STR("a"), STR("ab")));
    assert_false(str_eq_nocase(STR("["), STR("{")));
    assert_false(str_eq_nocase(STR("@"), STR("`")));
    assert_true(str_starts_nocase(STR("AWS4-HMAC"), STR("aws4")));
    assert_false(str_starts_nocase(STR("AW"), STR("aws4")));
}

static void searching(void **state)
{
    assert_int_equal(str_find(STR("a:b:c"), ':'), 1);
    assert_int_equal(str_rfind(STR("a:b:c"), ':'), 3);
    assert_int_equal(str_find(STR("abc"), ':'), -1);
    assert_int_equal(str_rfind(STR("abc"), ':'), -1);
    assert_int_equal(str_find(STR_NONE, ':'), -1);
    assert_int_equal(str_rfind(STR_NONE, ':'), -1);
    assert_true(str_is(str_trim(STR(" \t\r\na b\n ")), "a b"));
    assert_int_equal(str_trim(STR(" \n")).n, 0);
    assert_true(str_is(str_slice(STR("abcdef"), 2, 4), "cd"));
    assert_int_equal(str_slice(STR("abc"), 5, 9).n, 0);
    assert_true(str_is(str_slice(STR("abc"), 1, 99), "bc"));
    assert_int_equal(str_slice(STR_NONE, 0, 3).n, 0);
}

static void cutting(void **state)
{
    str rest = STR("a::b");
    assert_true(str_is(str_cut(&rest, ':'), "a"));
    assert_true(str_is(str_cut(&rest, ':'), ""));
    assert_non_null(rest.p);
    assert_true(str_is(str_cut(&rest, ':'), "b"));
    assert_null(rest.p);
    assert_int_equal(str_cut(&rest, ':').n, 0);
    rest = STR("a:");
    str_cut(&rest, ':');
    assert_non_null(rest.p); /* an empty last part is one */
    assert_int_equal(rest.n, 0);
}

static void numbers(void **state)
{
    static const struct {
        const char *text;
        i64 v;
    } good[] = {{"0", 0},
                {"-0", 0},
                {"007", 7},
                {"43200", 43200},
                {"-1", -1},
                {"9223372036854775807", INT64_MAX},
                {"-9223372036854775808", INT64_MIN}};
    static const char *const bad[] = {"",
                                      "-",
                                      "+1",
                                      " 1",
                                      "1 ",
                                      "1.0",
                                      "0x1",
                                      "1e3",
                                      "--1",
                                      "a",
                                      "9223372036854775808",
                                      "-9223372036854775809",
                                      "99999999999999999999"};
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        i64 v = 99;
        assert_int_equal(str_to_i64(str_of(good[i].text), &v), 0);
        assert_true(v == good[i].v);
    }
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        i64 v = 99;
        assert_int_equal(str_to_i64(str_of(bad[i]), &v), E_INVALID);
        assert_true(v == 99);
    }
}

static void utf8_tables(void **state)
{
    static const char *const good[] = {"",
                                       "plain",
                                       "\x7F",
                                       "\xC2\x80",
                                       "\xDF\xBF",
                                       "\xE0\xA0\x80",
                                       "\xED\x9F\xBF",
                                       "\xEE\x80\x80",
                                       "\xEF\xBF\xBF",
                                       "\xF0\x90\x80\x80",
                                       "\xF4\x8F\xBF\xBF",
                                       "12345678\xC3\xA9xyz45678\xE2\x82\xAC"};
    static const char *const bad[] = {"\x80",
                                      "\xBF",
                                      "\xC0\x80",
                                      "\xC1\xBF",
                                      "\xC2",
                                      "\xC2\x41",
                                      "\xE0\x9F\xBF",
                                      "\xED\xA0\x80",
                                      "\xED\xBF\xBF",
                                      "\xE2\x82",
                                      "\xF0\x8F\xBF\xBF",
                                      "\xF4\x90\x80\x80",
                                      "\xF5\x80\x80\x80",
                                      "\xFF",
                                      "\xFE",
                                      "\xF0\x90\x80",
                                      "\xE2\x28\xA1",
                                      "1234567890\xFFxyz4567890"};
    for (size_t i = 0; i < ARRAY_LEN(good); i++)
        assert_true(str_is_utf8(str_of(good[i])));
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_false(str_is_utf8(str_of(bad[i])));
    assert_true(str_is_utf8(STR("a\0b")));
    assert_true(str_is_utf8(STR_NONE));
}

/* A bad byte is found wherever it stands in relation to the eight bytes read at once. */
static void utf8_places(void **state)
{
    for (size_t n = 1; n < 40; n++)
        for (size_t at = 0; at < n; at++) {
            char *exact = malloc(n); /* its end is guarded under the sanitizer */
            memset(exact, 'a', n);
            assert_true(str_is_utf8((str){exact, n}));
            exact[at] = (char)0xC3;
            assert_false(str_is_utf8((str){exact, n}));
            if (at + 1 < n) {
                exact[at + 1] = (char)0xA9;
                assert_true(str_is_utf8((str){exact, n}));
            }
            free(exact);
        }
}

static size_t encode(u32 c, char *to)
{
    if (c < 0x80) {
        to[0] = (char)c;
        return 1;
    }
    size_t n = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    for (size_t i = n - 1; i > 0; i--, c >>= 6)
        to[i] = (char)(0x80 | (c & 0x3F));
    to[0] = (char)((n == 2 ? 0xC0 : n == 3 ? 0xE0 : 0xF0) | c);
    return n;
}

/* Every code point there is, encoded by the rule, comes back; surrogates do not. */
static void every_character(void **state)
{
    for (u32 c = 0; c <= 0x110000; c++) {
        char text[4];
        str s = {text, encode(c, text)};
        size_t pos = 0;
        bool good = c <= 0x10FFFF && !(c >= 0xD800 && c <= 0xDFFF);
        u32 got = str_next_char(s, &pos);
        if (str_is_utf8(s) != good || got != (good ? c : 0xFFFD) || pos != (good ? s.n : 1))
            fail_msg("character U+%04X", c);
    }
}

static void malformed_goes_byte_by_byte(void **state)
{
    str s = STR("a\xE2\x82z");
    const u32 want[] = {'a', 0xFFFD, 0xFFFD, 'z'};
    size_t pos = 0;
    for (size_t i = 0; i < ARRAY_LEN(want); i++)
        assert_int_equal(str_next_char(s, &pos), want[i]);
    assert_int_equal(pos, s.n);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(comparing),       cmocka_unit_test(searching),
        cmocka_unit_test(cutting),         cmocka_unit_test(numbers),
        cmocka_unit_test(utf8_tables),     cmocka_unit_test(utf8_places),
        cmocka_unit_test(every_character), cmocka_unit_test(malformed_goes_byte_by_byte),
    };
    return cmocka_run_group_tests_name("str", tests, NULL, NULL);
}
