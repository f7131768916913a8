/* The index of a body: every builder says what the tokenizer says and finds the same, for
 * well-formed texts, for texts with one byte changed, and at every offset from a block's edge. */
#include "common/base/base.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "common/base/id.h"
#include "common/base/mem.h"
#include "filter/match/index.h"

static bool is_object(str text)
{
    struct scan s;
    struct scan_text t;
    enum scan_token token;
    scan_init(&s, text);
    if (scan_next(&s, &t) != SCAN_OBJECT)
        return false;
    do
        token = scan_next(&s, &t);
    while (token != SCAN_ERROR && token != SCAN_END);
    return token == SCAN_END;
}

static void assert_same(const struct index *x, const struct index *y, str text)
{
    size_t n = (text.n + 63) / 64 + 1, size = n * sizeof(u64);
    assert_int_equal(x->root, y->root);
    assert_int_equal(x->has_escapes, y->has_escapes);
    assert_memory_equal(x->quotes, y->quotes, size);
    assert_memory_equal(x->ops, y->ops, size);
    assert_memory_equal(x->opens, y->opens, size);
    assert_memory_equal(x->closes, y->closes, size);
    assert_memory_equal(x->least, y->least, n * sizeof(*x->least));
}

static const char *const NAMES[] = {"portable", "avx2", "avx512"};

static void check(str text)
{
    struct index *first = NULL;
    bool want = is_object(text);
    for (size_t i = 0; i < ARRAY_LEN(NAMES); i++) {
        struct index *x = mem_alloc(sizeof(*x));
        if (!index_use(str_of(NAMES[i]))) {
            mem_free(x);
            continue;
        }
        if (index_of(x, text, INDEX_CHECKED) != want)
            fail_msg("%s: %.*s", NAMES[i], STR_ARG(text));
        assert_true(!want || index_of(x, text, INDEX_SKIP));
        assert_true(!want || index_of(x, text, INDEX_STRUCTURAL));
        assert_int_equal(index_of(x, text, INDEX_CHECKED), want);
        if (!first) {
            first = x;
            continue;
        }
        if (want)
            assert_same(x, first, text);
        index_deinit(x);
        mem_free(x);
    }
    index_deinit(first);
    mem_free(first);
}

static const char *const GOOD[] = {
    "{}",
    " {\t} \r\n",
    "{\"a\":1}",
    "{\"a\" : -0.5e+10 , \"b\":[ ],\"c\":[1,2,[3,{}]],\"\":{\"x\":null}}",
    "{\"a\":\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\ud83d\",\"b\":[true,false,null]}",
    "{\"z\xC3\xBCrich\":\"\xE2\x82\xAC \xF0\x9F\x98\x80\",\"n\":[0,-0,0.0,10,1e5,1E-5,1.25e0]}",
    "{\"{\":\"[\",\"}\":\"]\",\",\":\":\",\"\\\\\":\"\\\\\\\\\"}",
};

static const char *const BAD[] = {
    "",
    "[]",
    "1",
    "\"a\"",
    "{",
    "}",
    "{]",
    "[}",
    "{\"a\"}",
    "{\"a\":}",
    "{\"a\":1,}",
    "{,}",
    "{\"a\":1 \"b\":2}",
    "{\"a\":1,\"b\"}",
    "{\"a\":[1,\"b\":2]}",
    "{\"a\":{1,2}}",
    "{\"a\":{\"b\"}}",
    "{1:2}",
    "{true:1}",
    "{\"a\":\"b\":1}",
    "{\"a\"::1}",
    "{\"a\":1}}",
    "{\"a\":[1]]",
    "{}{}",
    "{},{}",
    "{},\"a\":1",
    "{} x",
    "8,{}",
    "\"a\",{}",
    "x{}",
    "null{}",
    "{}1",
    "{\"a\":[}",
    "{\"a\":[,]}",
    "{\"a\":[1,]}",
    "{\"a\":[1 2]}",
    "{\"a\":[\"x\"\"y\"]}",
    "{\"a\":tru}",
    "{\"a\":truex}",
    "{\"a\":true1}",
    "{\"a\":1true}",
    "{\"a\":nul}",
    "{\"a\":01}",
    "{\"a\":-01}",
    "{\"a\":1.}",
    "{\"a\":.5}",
    "{\"a\":+1}",
    "{\"a\":-}",
    "{\"a\":1.2.3}",
    "{\"a\":1e}",
    "{\"a\":1e+}",
    "{\"a\":1e5.2}",
    "{\"a\":1e5e5}",
    "{\"a\":1e+-5}",
    "{\"a\":1-2}",
    "{\"a\":1+2}",
    "{\"a\":--1}",
    "{\"a\":1e05e}",
    "{\"a\":\"\\x\"}",
    "{\"a\":\"\\u12g4\"}",
    "{\"a\":\"\\u123\"}",
    "{\"a\":\"\x01\"}",
    "{\"a\":\"\x80\"}",
    "{\x01}",
    "{\"a\":1\x0b}",
    "{\"a\":\\n}",
    "{\"a\":'b'}",
    "{\"a\":1/2}",
    "{\"a\":\"b}",
    "{\"a\":\"b\\\"}",
};

/* Blanks in front move the text over the edges of blocks. */
static void test_cases(void **state)
{
    char text[256];
    (void)state;
    for (size_t blanks = 0; blanks < 66; blanks++) {
        memset(text, ' ', blanks);
        for (size_t i = 0; i < ARRAY_LEN(GOOD); i++) {
            memcpy(text + blanks, GOOD[i], strlen(GOOD[i]));
            assert_true(is_object(str_from(text, blanks + strlen(GOOD[i]))));
            check(str_from(text, blanks + strlen(GOOD[i])));
        }
        for (size_t i = 0; i < ARRAY_LEN(BAD); i++) {
            memcpy(text + blanks, BAD[i], strlen(BAD[i]));
            assert_false(is_object(str_from(text, blanks + strlen(BAD[i]))));
            check(str_from(text, blanks + strlen(BAD[i])));
        }
    }
}

/* Each control character in a string, at each place of a block, by each scanner. */
static void test_control_characters(void **state)
{
    char text[140];
    for (u32 at = 6; at < 134; at++) {
        for (u32 c = 0; c <= 0x20; c++) {
            memset(text, 'x', sizeof text);
            memcpy(text, "{\"a\":\"", 6);
            memcpy(text + 136, "\"}", 2);
            text[5] = '"';
            text[at] = (char)c;
            str whole = str_from(text, 138);
            check(whole);
            struct index x = {0};
            for (size_t i = 0; i < ARRAY_LEN(NAMES); i++)
                if (index_use(str_of(NAMES[i])))
                    assert_int_equal(index_of(&x, whole, INDEX_CHECKED), c == 0x20);
            index_deinit(&x);
        }
    }
}

static void test_one_byte_changed(void **state)
{
    static const char bytes[] = "{}[]:,\"\\ \n019-+.eEtfn\x01\xC3";
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(GOOD); i++) {
        size_t n = strlen(GOOD[i]);
        char *text = mem_dup(str_of(GOOD[i]));
        for (size_t at = 0; at < n; at++)
            for (size_t b = 0; b < sizeof(bytes); b++) {
                char old = text[at];
                text[at] = bytes[b];
                check(str_from(text, n));
                text[at] = old;
            }
        mem_free(text);
    }
}

static void test_random(void **state)
{
    static const char *const pieces[] = {"{",        "}",  "[",  "]",   ":",  ",",    "\"a\"",
                                         "\"\\\\\"", "1",  "-0", "1.5", "e5", "true", "null",
                                         " ",        "\n", "\"", "\\",  "0"};
    struct id_source chance;
    char text[256];
    (void)state;
    id_init(&chance, 7);
    for (u32 round = 0; round < 40000; round++) {
        size_t n = 0;
        u64 count = id_u64(&chance) % 40;
        n += (size_t)snprintf(text, sizeof(text), "{\"k\":");
        for (u64 i = 0; i < count; i++)
            n += (size_t)snprintf(text + n, sizeof(text) - n, "%s",
                                  pieces[id_u64(&chance) % ARRAY_LEN(pieces)]);
        check(str_from(text, n));
    }
}

static void test_depth(void **state)
{
    char text[3 * SCAN_DEPTH_MAX + 16];
    (void)state;
    for (size_t over = 0; over < 2; over++) {
        size_t depth = SCAN_DEPTH_MAX - 1 + over, n = 0;
        memcpy(text, "{\"a\":", 5);
        n += 5;
        memset(text + n, '[', depth);
        memset(text + n + depth, ']', depth);
        n += 2 * depth;
        text[n++] = '}';
        assert_int_equal(is_object(str_from(text, n)), !over);
        check(str_from(text, n));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cases),
        cmocka_unit_test(test_control_characters),
        cmocka_unit_test(test_one_byte_changed),
        cmocka_unit_test(test_random),
        cmocka_unit_test(test_depth),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
