/* pattern.[ch]: wildcards against a matcher by definition, folding, and the time of hostile
 * patterns. */
#include "filter/policy/pattern.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

static struct arena arena;

static struct pattern pattern(str text)
{
    struct pattern p;
    u32 pos;
    assert_int_equal(pattern_read(&arena, text, &p, &pos), PATTERN_OK);
    return p;
}

static void test_reading(void **state)
{
    (void)state;
    struct pattern p = pattern(STR("*a\\*b\\\\*"));
    assert_int_equal(p.n, 3);
    assert_true(str_is(p.pieces[0], ""));
    assert_true(str_is(p.pieces[1], "a*b\\"));
    assert_true(str_is(p.pieces[2], ""));
    u32 pos;
    assert_int_equal(pattern_read(&arena, STR("abc**def"), &p, &pos), PATTERN_CONSECUTIVE);
    assert_int_equal(pos, 4);
    assert_int_equal(pattern_read(&arena, STR("ab\\c"), &p, &pos), PATTERN_ESCAPE);
    assert_int_equal(pos, 3);
    assert_int_equal(pattern_read(&arena, STR("ab\\"), &p, &pos), PATTERN_ESCAPE);
    assert_int_equal(pattern_read(&arena, STR("a\\**b"), &p, &pos), PATTERN_OK);
    assert_int_equal(p.n, 2);
}

static void test_matching(void **state)
{
    (void)state;
    static const struct {
        const char *pattern, *text;
        bool match;
    } cases[] = {
        {"", "", true},          {"", "a", false},
        {"*", "", true},         {"*", "abc", true},
        {"a*a", "a", false},     {"a*a", "aa", true},
        {"a*", "a", true},       {"*a", "ba", true},
        {"*ab*", "aab", true},   {"a*b*c", "a1b2c", true},
        {"a*b*c", "acb", false}, {"a*bc", "abcbc", true},
        {"a?c", "abc", false},   {"a\\*c", "a*c", true},
        {"a\\*c", "abc", false}, {"*\xc3\xa9", "caf\xc3\xa9", true},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct pattern p = pattern(str_of(cases[i].pattern));
        if (pattern_match(&p, str_of(cases[i].text)) != cases[i].match)
            fail_msg("%s on %s", cases[i].pattern, cases[i].text);
    }
}

/* What a pattern means. */
static bool means(str pattern_text, str text)
{
    if (pattern_text.n == 0)
        return text.n == 0;
    if (pattern_text.p[0] != '*')
        return text.n && text.p[0] == pattern_text.p[0] &&
               means(str_slice(pattern_text, 1, pattern_text.n), str_slice(text, 1, text.n));
    for (size_t i = 0; i <= text.n; i++)
        if (means(str_slice(pattern_text, 1, pattern_text.n), str_slice(text, i, text.n)))
            return true;
    return false;
}

static void test_random(void **state)
{
    (void)state;
    u64 seed = 7;
    u32 hits = 0;
    for (u32 i = 0; i < 200000; i++) {
        char p[12], t[12];
        size_t pn = 0, tn = 0;
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        u64 bits = seed >> 8;
        for (; pn < 7 && bits & 3; bits >>= 3) {
            char c = "ab*"[(bits >> 1) % 3];
            if (c != '*' || pn == 0 || p[pn - 1] != '*')
                p[pn++] = c;
        }
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        for (bits = seed >> 8; tn < 9 && bits & 7; bits >>= 4)
            t[tn++] = "ab"[bits >> 3 & 1];
        struct pattern read = pattern(str_from(p, pn));
        bool want = means(str_from(p, pn), str_from(t, tn));
        hits += want;
        if (pattern_match(&read, str_from(t, tn)) != want)
            fail_msg("%.*s on %.*s", (int)pn, p, (int)tn, t);
        arena_reset(&arena);
    }
    assert_true(hits > 10000);
}

/* Bounded work whatever the pattern: this would not end if it backtracked. */
static void test_hostile(void **state)
{
    (void)state;
    size_t n = 200000;
    char *text = mem_alloc(n), *p = mem_alloc(4000);
    memset(text, 'a', n);
    for (size_t i = 0; i < 4000; i += 4)
        memcpy(p + i, "*aaa", 4);
    p[3999] = 'b';
    struct pattern read = pattern(str_from(p, 4000));
    assert_false(pattern_match(&read, str_from(text, n)));
    mem_free(text);
    mem_free(p);
}

static void test_folding(void **state)
{
    (void)state;
    static const struct {
        const char *a, *b;
        bool equal;
    } cases[] = {
        {"warn", "WARN", true},
        {"\xc3\xa9", "\xc3\x89", true},
        {"i", "\xc4\xb1", false},
        {"i", "\xc4\xb0", false}, /* dotless i, I with a dot */
        {"\xcf\x83", "\xce\xa3", true},
        {"\xcf\x82", "\xcf\x83", false}, /* sigmas */
        {"k", "\xe2\x84\xaa", true},     /* Kelvin */
        {"\xc3\x9f", "ss", false},
        {"\xf0\x90\x90\x80", "\xf0\x90\x90\xa8", true}, /* Deseret */
        {"\xd0\x9f", "\xd0\xbf", true},
        {"\xc8\xba", "\xe2\xb1\xa5", true}, /* grows */
        {"a", "ab", false},
        {"", "", true},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        str a = fold_dup(&arena, str_of(cases[i].a)), b = fold_dup(&arena, str_of(cases[i].b));
        assert_int_equal(str_eq(a, b), cases[i].equal);
        assert_int_equal(fold_eq(a, str_of(cases[i].b)), cases[i].equal);
        assert_int_equal(fold_eq(b, str_of(cases[i].a)), cases[i].equal);
    }
    assert_int_equal(fold_char(0x41), 0x61);
    assert_int_equal(fold_char(0x1e921), 0x1e943);
    assert_int_equal(fold_char(0x10ffff), 0x10ffff);
}

/* The functions that fold on the way agree with folding first, on any bytes. */
static void test_folding_on_the_way(void **state)
{
    (void)state;
    static const char *const bits[] = {
        "a", "B", "\xc3\x89", "\xc3", "\x89", "\xe2\x84\xaa", "\xf0", "\xf0\x9f\x98\x80", "K", ""};
    u64 seed = 3;
    for (u32 i = 0; i < 100000; i++) {
        char t[32], o[32];
        size_t tn = 0, on = 0;
        for (u32 k = 0; k < 8; k++) {
            seed = seed * 6364136223846793005u + 1442695040888963407u;
            str s = str_of(bits[(seed >> 33) % ARRAY_LEN(bits)]);
            bool is_text = k < 5;
            memcpy(is_text ? t + tn : o + on, s.p, s.n);
            tn += is_text ? s.n : 0;
            on += is_text ? 0 : s.n;
        }
        str text = str_from(t, tn), whole = fold_dup(&arena, text);
        str affix = fold_dup(&arena, str_from(o, on));
        assert_true(whole.n <= FOLD_SIZE(tn));
        assert_true(fold_eq(whole, text));
        assert_int_equal(fold_eq(affix, text), str_eq(affix, whole));
        if (!str_is_utf8(text) || !str_is_utf8(str_from(o, on))) {
            arena_reset(&arena);
            continue; /* a piece of a character may match inside one */
        }
        assert_int_equal(fold_starts(affix, text), str_starts(whole, affix));
        assert_int_equal(fold_ends(affix, text), str_ends(whole, affix));
        arena_reset(&arena);
    }
}

/* Every character against Unicode's mapping of one character to one lower-case character: how many
 * have one, and all of them in one number. */
static void test_folding_of_all(void **state)
{
    u64 all = 0xcbf29ce484222325;
    u32 n = 0;
    for (u32 c = 0; c < 0x110000; c++) {
        u32 to = fold_char(c);
        if (to == c)
            continue;
        all = (all ^ ((u64)c << 32 | to)) * 0x100000001b3;
        n++;
    }
    assert_int_equal(n, 1432);
    assert_true(all == 0x20d1c7192e3a0ef7);
    assert_int_equal(fold_char(0x1e9e), 0xdf); /* the capital sharp s */
    assert_int_equal(fold_char(0x212a), 'k');  /* the Kelvin sign */
    assert_int_equal(fold_char(0x130), 0x130); /* I with a dot: two characters */
    assert_int_equal(fold_char(0x17f), 0x17f); /* the long s: a lower-case letter */
}

/* A stray byte behind a character is none of it. */
static void test_folding_of_stray_bytes(void **state)
{
    assert_true(fold_ends(STR("\xa4"), STR("\xc3\x84\xa4")));
    assert_true(fold_ends(STR("\xc3\xa4\xa4"), STR("x\xc3\x84\xa4")));
    assert_false(fold_ends(STR("\xa4"), STR("\xc3\x84")));
    assert_true(fold_eq(STR("\xc3\xa4\xa4"), STR("\xc3\x84\xa4")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reading),        cmocka_unit_test(test_matching),
        cmocka_unit_test(test_random),         cmocka_unit_test(test_hostile),
        cmocka_unit_test(test_folding),        cmocka_unit_test(test_folding_on_the_way),
        cmocka_unit_test(test_folding_of_all), cmocka_unit_test(test_folding_of_stray_bytes),
    };
    arena_init(&arena);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    arena_deinit(&arena);
    return failed;
}
