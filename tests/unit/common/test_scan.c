/* The tokenizer: what it gives, what it refuses and where, and that skipping checks as reading
 * does. */
#include "common/base/base.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "common/base/scan.h"

/* One letter a token, with names, strings and numbers behind theirs. */
static void trace(str text, bool skip, char *out, size_t size)
{
    static const char letters[] = "!.{}[]nsdTFN";
    struct scan s;
    struct scan_text t;
    enum scan_token token;
    size_t n = 0;
    scan_init(&s, text);
    do {
        token = scan_next(&s, &t);
        n += (size_t)snprintf(out + n, size - n, "%c", letters[token]);
        if (token == SCAN_NAME || token == SCAN_STRING || token == SCAN_NUMBER)
            n += (size_t)snprintf(out + n, size - n, "<%.*s>", STR_ARG(t.raw));
        if (skip && s.depth > 1) {
            token = scan_skip(&s);
            n += (size_t)snprintf(out + n, size - n, "~%c", letters[token]);
        }
    } while (token != SCAN_END && token != SCAN_ERROR && n + 300 < size);
    assert_int_equal(scan_next(&s, &t), token);
    assert_true(s.at <= s.text.n);
}

#define CHECK_TRACE(text, expected)                                                                \
    do {                                                                                           \
        char got[4096];                                                                            \
        trace(STR(text), false, got, sizeof(got));                                                 \
        assert_string_equal(got, expected);                                                        \
    } while (0)

static void test_tokens(void **state)
{
    (void)state;
    CHECK_TRACE("{}", "{}.");
    CHECK_TRACE(" [ ] ", "[].");
    CHECK_TRACE("\"x\"", "s<x>.");
    CHECK_TRACE("-0.5e+10", "d<-0.5e+10>.");
    CHECK_TRACE("{\"a\":1,\"b\" : [true,false , null,\"\"]}", "{n<a>d<1>n<b>[TFNs<>]}.");
    CHECK_TRACE("[[[{}],{}]]\r\n\t ", "[[[{}]{}]].");
    CHECK_TRACE("[\"01234567890123456789\\\\\"]", "[s<01234567890123456789\\\\>].");
    CHECK_TRACE("[\"z\xC3\xBCrich \xE2\x82\xAC \xF0\x9F\x98\x80\"]",
                "[s<z\xC3\xBCrich \xE2\x82\xAC \xF0\x9F\x98\x80>].");
}

static void test_refused(void **state)
{
    static const struct {
        const char *text;
        size_t at;
        const char *why;
    } cases[] = {
        {"", 0, "the text ends before the value does"},
        {"  ", 2, "the text ends before the value does"},
        {"{", 1, "the text ends before the value does"},
        {"[1,", 3, "the text ends before the value does"},
        {"{\"a\":", 5, "the text ends before the value does"},
        {"\"abc", 4, "the text ends before the value does"},
        {"{]", 1, "a member name in double quotes was expected"},
        {"{a:1}", 1, "a member name in double quotes was expected"},
        {"{\"a\":1,}", 7, "a member name in double quotes was expected"},
        {"{\"a\" 1}", 5, "a colon was expected"},
        {"{\"a\":}", 5, "a value was expected"},
        {"[1,]", 3, "a value was expected"},
        {"[,1]", 1, "a value was expected"},
        {"nul", 0, "a value was expected"},
        {"tru\xC3", 0, "a value was expected"},
        {"{\"a\":1]", 6, "a comma or a closing brace was expected"},
        {"[1}", 2, "a comma or a closing bracket was expected"},
        {"[1 2]", 3, "a comma or a closing bracket was expected"},
        {"{} {}", 3, "nothing but blanks may follow the value"},
        {"1]", 1, "nothing but blanks may follow the value"},
        {"truex", 4, "nothing but blanks may follow the value"},
        {"\"\x01\"", 1, "a control character in a string must be escaped"},
        {"\"01234567\n\"", 9, "a control character in a string must be escaped"},
        {"\"\\x\"", 1, "no such escape"},
        {"\"\\u12g4\"", 1, "no such escape"},
        {"\"\\u123\"", 1, "no such escape"},
        {"\"\x80\"", 1, "the string is not well-formed UTF-8"},
        {"\"\xC0\x80\"", 1, "the string is not well-formed UTF-8"},
        {"\"\xED\xA0\x80\"", 1, "the string is not well-formed UTF-8"},
        {"\"\xF4\x90\x80\x80\"", 1, "the string is not well-formed UTF-8"},
        {"\"\xE2\x82\"", 1, "the string is not well-formed UTF-8"},
        {"01", 1, "the number is not spelled as JSON demands"},
        {"-x", 1, "the number is not spelled as JSON demands"},
        {"1.]", 2, "the number is not spelled as JSON demands"},
        {"[1e+]", 4, "the number is not spelled as JSON demands"},
        {"[.5]", 1, "a value was expected"},
        {"[+5]", 1, "a value was expected"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct scan s;
        struct scan_text t;
        enum scan_token token;
        scan_init(&s, str_of(cases[i].text));
        do
            token = scan_next(&s, &t);
        while (token != SCAN_ERROR && token != SCAN_END);
        if (token != SCAN_ERROR || s.at != cases[i].at || strcmp(s.why, cases[i].why) != 0)
            fail_msg("%s: token %d at %zu: %s", cases[i].text, (int)token, s.at, s.why);
    }
}

static void test_depth(void **state)
{
    char text[2 * SCAN_DEPTH_MAX + 2];
    (void)state;
    for (size_t over = 0; over < 2; over++) {
        struct scan s;
        struct scan_text t;
        enum scan_token token;
        size_t n = SCAN_DEPTH_MAX + over;
        memset(text, '[', n);
        memset(text + n, ']', n);
        scan_init(&s, str_from(text, 2 * n));
        do
            token = scan_next(&s, &t);
        while (token != SCAN_ERROR && token != SCAN_END);
        assert_int_equal(token, over ? SCAN_ERROR : SCAN_END);
        if (over)
            assert_string_equal(s.why, "the text is nested too deeply");
    }
}

static void test_skip(void **state)
{
    char got[4096];
    (void)state;
    trace(STR("{\"a\":{\"b\":[1,{}],\"c\":\"}\"},\"d\":[[],\"]\"],\"e\":5}"), true, got,
          sizeof(got));
    assert_string_equal(got, "{n<a>{~}n<d>[~]n<e>d<5>}.");
    trace(STR("[[1,{\"a\":01}],2]"), true, got, sizeof(got));
    assert_string_equal(got, "[[~!");
}

static void test_unescape(void **state)
{
    const struct {
        str raw, text;
    } cases[] = {
        {STR("plain"), STR("plain")},
        {STR("\\\"\\\\\\/\\b\\f\\n\\r\\t"), STR("\"\\/\b\f\n\r\t")},
        {STR("a\\u00e9\\u20AC\\u0000z"), STR("a\xC3\xA9\xE2\x82\xAC\0z")},
        {STR("\\ud83d\\ude00"), STR("\xF0\x9F\x98\x80")},
        {STR("\\ud83dx"), STR("\xEF\xBF\xBDx")},
        {STR("\\ud83d\\u0041"), STR("\xEF\xBF\xBD"
                                    "A")},
        {STR("\\ude00"), STR("\xEF\xBF\xBD")},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char out[64];
        assert_true(cases[i].raw.n < sizeof(out));
        size_t n = scan_unescape(cases[i].raw, out);
        assert_int_equal(n, cases[i].text.n);
        assert_memory_equal(out, cases[i].text.p, n);
    }
}

static void test_quote(void **state)
{
    struct buf b = {0};
    (void)state;
    scan_quote(&b, STR("a\"b\\c/d\b\f\n\r\t\v\x1f\0 z\xC3\xBC and a tail without any"));
    assert_string_equal(b.p, "\"a\\\"b\\\\c/d\\b\\f\\n\\r\\t\\u000b\\u001f\\u0000 z\xC3\xBC"
                             " and a tail without any\"");
    buf_deinit(&b);
}

static void test_place(void **state)
{
    u32 line, column;
    (void)state;
    scan_place(STR("ab\n\xC3\xBC"
                   "c"),
               5, &line, &column);
    assert_int_equal(line, 2);
    assert_int_equal(column, 2);
    scan_place(STR("ab"), 0, &line, &column);
    assert_int_equal(line, 1);
    assert_int_equal(column, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tokens),   cmocka_unit_test(test_refused),
        cmocka_unit_test(test_depth),    cmocka_unit_test(test_skip),
        cmocka_unit_test(test_unescape), cmocka_unit_test(test_quote),
        cmocka_unit_test(test_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
