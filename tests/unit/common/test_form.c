/* form.[ch]: pairs come out in order and decoded, broken escapes and floods are refused. */
#include "common/base/form.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#include "common/base/err.h"

/* Pairs as "name=value;" with what was decoded. */
static void check(const char *text, const char *want)
{
    struct arena a;
    struct form f = {0};
    struct buf got = {0};
    arena_init(&a);
    assert_int_equal(form_decode(&f, str_of(text), &a), 0);
    for (size_t i = 0; i < f.n; i++)
        buf_printf(&got, "%.*s=%.*s;", STR_ARG(f.pairs[i].name), STR_ARG(f.pairs[i].value));
    assert_true(str_is(buf_view(&got), want));
    buf_deinit(&got);
    arena_deinit(&a);
}

static void decoding(void **state)
{
    check("", "");
    check("Action=Publish&Version=2010-03-31", "Action=Publish;Version=2010-03-31;");
    check("a=1+2&b=%31%2B%32", "a=1 2;b=1+2;");
    check("a+b=%26%3D%25", "a b=&=%;");
    check("a=b=c", "a=b=c;");
    check("a&b=&=c&=", "a=;b=;=c;=;");
    check("&&a=1&&&b=2&", "a=1;b=2;");
    check("a=%e2%82%ac%E2%82%AC", "a=\xE2\x82\xAC\xE2\x82\xAC;");
    check("x=1&x=2", "x=1;x=2;");
    check("%41=%42", "A=B;");
    check("a=+%20+", "a=   ;");
}

static void refused(void **state)
{
    static const char *const texts[] = {"a=%",   "a=%4",         "a=%4&b=1", "a=%zz",
                                        "a=%4g", "%=1",          "a=%%41",   "a=%-1",
                                        "a=% 1", "a=1&b=%u0041", "a=%@1",    "a=%1`"};
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        struct arena a;
        struct form f = {0};
        arena_init(&a);
        assert_int_equal(form_decode(&f, STR("kept=1"), &a), 0);
        assert_int_equal(form_decode(&f, str_of(texts[i]), &a), E_INVALID);
        assert_int_equal(f.n, 1);
        assert_true(str_is(form_get(&f, STR("kept")), "1"));
        arena_deinit(&a);
    }
}

static void bounded(void **state)
{
    struct arena a;
    struct form f = {0};
    struct buf text = {0};
    arena_init(&a);
    for (int i = 0; i < FORM_PAIRS_MAX; i++)
        buf_z(&text, "a&");
    assert_int_equal(form_decode(&f, buf_view(&text), &a), 0);
    assert_int_equal(f.n, FORM_PAIRS_MAX);
    assert_int_equal(form_decode(&f, STR("one=more"), &a), E_TOO_LARGE);
    assert_int_equal(form_decode(&f, STR("&&&"), &a), 0);
    assert_int_equal(f.n, FORM_PAIRS_MAX);
    f = (struct form){0};
    buf_z(&text, "b");
    assert_int_equal(form_decode(&f, buf_view(&text), &a), E_TOO_LARGE);
    assert_int_equal(f.n, 0);
    buf_deinit(&text);
    arena_deinit(&a);
}

/* Query string and body are put together; a name's first value counts. */
static void merging(void **state)
{
    struct arena a;
    struct form f = {0};
    str plain = STR("TopicArn=x");
    arena_init(&a);
    assert_int_equal(form_decode(&f, STR("Action=Publish"), &a), 0);
    assert_int_equal(form_decode(&f, plain, &a), 0);
    assert_int_equal(form_decode(&f, STR("Action=Other&Empty="), &a), 0);
    assert_int_equal(f.n, 4);
    assert_true(str_is(form_get(&f, STR("Action")), "Publish"));
    assert_ptr_equal(form_get(&f, STR("TopicArn")).p, plain.p + 9); /* a view, no copy */
    assert_non_null(form_get(&f, STR("Empty")).p);
    assert_null(form_get(&f, STR("action")).p);
    arena_deinit(&a);
}

static void unescaping_a_path(void **state)
{
    struct arena a;
    str s;
    arena_init(&a);
    assert_int_equal(form_unescape(STR("/0/a+b%2F%00"), false, &a, &s), 0);
    assert_true(str_eq(s, STR("/0/a+b/\0")));
    assert_int_equal(form_unescape(STR("a+b"), true, &a, &s), 0);
    assert_true(str_is(s, "a b"));
    arena_deinit(&a);
}

/* Every byte, escaped and decoded again. */
static void escaping(void **state)
{
    char all[256];
    struct buf b = {0};
    struct arena a;
    str back;
    arena_init(&a);
    for (int i = 0; i < 256; i++)
        all[i] = (char)i;
    form_escape(&b, STR("az AZ09-._~/+\xC3"));
    assert_string_equal(b.p, "az%20AZ09-._~%2F%2B%C3");
    buf_reset(&b);
    form_escape(&b, (str){all, sizeof all});
    assert_int_equal(form_unescape(buf_view(&b), true, &a, &back), 0);
    assert_true(str_eq(back, (str){all, sizeof all}));
    buf_deinit(&b);
    arena_deinit(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decoding), cmocka_unit_test(refused),  cmocka_unit_test(bounded),
        cmocka_unit_test(merging),  cmocka_unit_test(escaping), cmocka_unit_test(unescaping_a_path),
    };
    return cmocka_run_group_tests_name("form", tests, NULL, NULL);
}
