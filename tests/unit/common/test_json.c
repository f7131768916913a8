/* json.[ch]: members are got with their types, and complaints name the place where they stand. */
#include "common/base/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

static struct fault fault;

static void open_text(struct json_doc *d, const char *text)
{
    fault_clear(&fault);
    assert_int_equal(json_open(d, str_of(text), "t.json", false, &fault), 0);
}

static void getters(void **state)
{
    struct json_doc d;
    open_text(&d, "{\"s\":\"x\\u00e9\",\"i\":-5,\"b\":true,\"n\":null}");
    struct json_at root = json_root(&d), at;
    str s;
    i64 i;
    assert_int_equal(json_get_str(&root, "s", &s, &fault), 0);
    assert_true(str_is(s, "x\xC3\xA9"));
    assert_int_equal(json_get_i64(&root, "i", &i, &fault), 0);
    assert_true(i == -5);
    assert_int_equal(json_get_i64(&root, "missing", &i, &fault), E_NOT_FOUND);
    assert_int_equal(json_get(&root, "n", &at, &fault), 0);
    assert_int_equal(fault.code, 0);
    json_close(&d);
    json_close(&d); /* harmless */
}

static void wrong_types(void **state)
{
    static const struct {
        const char *member, *want;
    } cases[] = {
        {"i", "t.json:3:5: i: must be a string, not an integer"},
        {"long name", "t.json:4:25: long name: must be a string, not an object"},
        {"\xC3\xA9\"", "t.json:5:12: \xC3\xA9\": must be a string, not true or false"},
    };
    struct json_doc d;
    open_text(&d, "{\n  \"s\": [1, {\"i\": \"no\"}],\n\"i\":5,\n\"skip\":null,\"long name\":{},\n"
                  "\"\\u00e9\\\"\":false}");
    struct json_at root = json_root(&d);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        str s;
        fault_clear(&fault);
        assert_int_equal(json_get_str(&root, cases[i].member, &s, &fault), E_FAULT);
        assert_string_equal(fault.text, cases[i].want);
        assert_int_equal(fault.line, 3 + i);
        assert_int_equal(fault.code, JSON_FAULT);
    }
    json_close(&d);
}

static void way_down(void **state)
{
    struct json_doc d;
    open_text(&d, "{\"queues\":[{\"Name\":\"a\"},\n  [[],{}],\n  {\"x\":{\"Name\":7}}]}");
    struct json_at root = json_root(&d), queues, x;
    str s;
    assert_int_equal(json_get(&root, "queues", &queues, &fault), 0);
    struct json_at third = json_item(&queues, 2);
    assert_int_equal(json_get(&third, "x", &x, &fault), 0);
    assert_int_equal(json_get_str(&x, "Name", &s, &fault), E_FAULT);
    assert_string_equal(fault.text,
                        "t.json:3:16: queues[2].x.Name: must be a string, not an integer");
    assert_int_equal(fault.column, 16);
    struct json_at second = json_item(&queues, 1);
    fault_clear(&fault);
    assert_int_equal(json_get_str(&second, "Name", &s, &fault), E_FAULT);
    assert_string_equal(fault.text, "t.json:2:3: queues[1]: must be an object, not an array");
    fault_clear(&fault);
    assert_int_equal(json_complain(&root, &fault, "no %s", "topics"), E_FAULT);
    assert_string_equal(fault.text, "t.json:1:1: no topics");
    json_close(&d);
}

static void bad_texts(void **state)
{
    static const struct {
        const char *text;
        u32 line;
    } cases[] = {{"", 1},
                 {"{", 1},
                 {"{\n\"a\":1,\n}", 3},
                 {"[1]\n\nx", 3},
                 {"7", 1},
                 {"{\"a\":1\n,\"a\":2}", 2},
                 {"[\"\xFF\"]", 1},
                 {"[\"\\u0000\"]", 1},
                 {"[1e999]", 1}};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct json_doc d;
        fault_clear(&fault);
        assert_int_equal(json_open(&d, str_of(cases[i].text), NULL, false, &fault), E_FAULT);
        assert_int_equal(fault.line, cases[i].line);
        assert_true(fault.column > 0);
        assert_non_null(strstr(fault.text, "line "));
    }
    struct json_doc d;
    fault_clear(&fault);
    assert_int_equal(json_open(&d, STR("{\"a\":1,\"a\":2}"), NULL, true, &fault), 0);
    json_close(&d);
}

static void bad_files(void **state)
{
    struct json_doc d;
    fault_clear(&fault);
    assert_int_equal(json_open_file(&d, "/nowhere/x.json", 100, false, &fault), E_FAULT);
    assert_string_equal(fault.text, "/nowhere/x.json: No such file or directory");
    fault_clear(&fault);
    assert_int_equal(json_open_file(&d, "/", 100, false, &fault), E_FAULT);
    assert_string_equal(fault.text, "/: is a directory");
    fault_clear(&fault);
    assert_int_equal(json_open_file(&d, "/dev/zero", 100000, false, &fault), E_FAULT);
    assert_string_equal(fault.text, "/dev/zero: file is too large");
}

static void writing(void **state)
{
    struct json_doc d;
    struct buf b = {0};
    const char *text = "{\"z\":[1,2.5,null],\"a\":\"\xC3\xA9/\\n\",\"m\":{}}";
    open_text(&d, text);
    json_write(&b, d.root);
    assert_string_equal(b.p, text);
    json_close(&d);
    buf_deinit(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(getters),   cmocka_unit_test(wrong_types), cmocka_unit_test(way_down),
        cmocka_unit_test(bad_texts), cmocka_unit_test(bad_files),   cmocka_unit_test(writing),
    };
    json_setup();
    return cmocka_run_group_tests_name("json", tests, NULL, NULL);
}
