#include "common/base/base.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "common/aws/tags.h"
#include "common/base/mem.h"

static void written(const struct tags *t, const char *want)
{
    struct buf out = {0};

    tags_write(t, &out);
    assert_string_equal(out.p, want);
    buf_deinit(&out);
}

static void sorted_and_each_once(void **state)
{
    struct tags t = {0}, copy;

    written(&t, "{}");
    tags_set(&t, STR("b"), STR("2"));
    tags_set(&t, STR("c"), STR(""));
    tags_set(&t, STR("a"), STR("1\""));
    tags_set(&t, STR("b"), STR("two"));
    written(&t, "{\"a\":\"1\\\"\",\"b\":\"two\",\"c\":\"\"}");
    tags_copy(&copy, &t);
    tags_remove(&t, STR("b"));
    tags_remove(&t, STR("bb"));
    tags_remove(&t, STR("d"));
    written(&t, "{\"a\":\"1\\\"\",\"c\":\"\"}");
    written(&copy, "{\"a\":\"1\\\"\",\"b\":\"two\",\"c\":\"\"}");
    assert_null(tags_find(&t, STR("b")));
    assert_true(str_is(tags_find(&copy, STR("b"))->value, "two"));
    tags_deinit(&t);
    tags_deinit(&copy);
}

static void a_part_is_held_with_its_values(void **state)
{
    struct tags whole = {0}, part = {0};

    assert_true(tags_hold(&whole, &part));
    tags_set(&whole, STR("a"), STR("1"));
    tags_set(&whole, STR("b"), STR("2"));
    assert_true(tags_hold(&whole, &part));
    tags_set(&part, STR("b"), STR("2"));
    assert_true(tags_hold(&whole, &part));
    assert_false(tags_hold(&part, &whole));
    tags_set(&part, STR("b"), STR(""));
    assert_false(tags_hold(&whole, &part));
    tags_deinit(&whole);
    tags_deinit(&part);
}

#define ALPHABET                                                                                   \
    " may only contain unicode letters, digits, whitespace, or one of these symbols: _ . : / = + " \
    "- @"

static void lengths_are_of_characters(void **state)
{
    char *key = mem_alloc(2 * 130), *value = mem_alloc(2 * 258);

    for (int i = 0; i < 129; i++)
        memcpy(key + 2 * (size_t)i, "ü", 2);
    for (int i = 0; i < 257; i++)
        memcpy(value + 2 * (size_t)i, "ж", 2);
    assert_null(tags_refuse(str_from(key, 2 * 128), str_from(value, 2 * 256)));
    assert_string_equal(tags_refuse(str_from(key, 2 * 129), STR("")),
                        "Tag keys must be between 1 and 128 characters in length.");
    assert_string_equal(tags_refuse(STR(""), STR("")),
                        "Tag keys must be between 1 and 128 characters in length.");
    assert_string_equal(tags_refuse(STR("k"), str_from(value, 2 * 257)),
                        "Tag values must be between 0 and 256 characters in length.");
    mem_free(key);
    mem_free(value);
}

static void letters_of_every_script(void **state)
{
    static const char *const fine[] = {"aZ09_.:/=+-@", "a b", "naïve",   "値段",
                                       "שלום",         "٣",   "\xc2\xa0"};
    static const char *const bad[] = {"a!", "a,b", "\"", "a\tb", "😀", "€", "\x01", "\xef\xbf\xbf"};

    for (size_t i = 0; i < ARRAY_LEN(fine); i++)
        assert_null(tags_refuse(str_of(fine[i]), str_of(fine[i])));
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        assert_string_equal(tags_refuse(str_of(bad[i]), STR("")), "Tag keys" ALPHABET);
        assert_string_equal(tags_refuse(STR("k"), str_of(bad[i])), "Tag values" ALPHABET);
    }
    assert_string_equal(tags_refuse(STR("a\0b"), STR("")), "Tag keys" ALPHABET);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sorted_and_each_once),
        cmocka_unit_test(a_part_is_held_with_its_values),
        cmocka_unit_test(lengths_are_of_characters),
        cmocka_unit_test(letters_of_every_script),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
