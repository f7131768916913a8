/* ctl_yaml.c: what YAML texts are as JSON, and which are refused. */
#include "filter/ctl/template.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

static struct fault fault;

static int read_text(const char *yaml, struct buf *ret)
{
    struct arena a;
    struct node *root;
    arena_init(&a);
    fault_clear(&fault);
    int err = yaml_read(&a, str_of(yaml), &root, &fault);
    if (err == 0)
        node_write(ret, root);
    arena_deinit(&a);
    return err;
}

static void is(const char *yaml, const char *json)
{
    struct buf got = {0};
    int err = read_text(yaml, &got);
    if (err)
        print_error("%s: %s\n", yaml, fault.text);
    assert_int_equal(err, 0);
    assert_string_equal(got.p, json);
    buf_deinit(&got);
}

static void refuses(const char *yaml, const char *words)
{
    struct buf got = {0};
    assert_int_equal(read_text(yaml, &got), E_FAULT);
    if (!strstr(fault.text, words))
        print_error("%s: %s\n", yaml, fault.text);
    assert_non_null(strstr(fault.text, words));
    assert_true(fault.line >= 1 && fault.column >= 1);
    buf_deinit(&got);
}

static void test_shapes(void **state)
{
    (void)state;
    is("a: [x, 'y', \"z\"]\nb:\n  - c: 1\n  - d",
       "{\"a\":[\"x\",\"y\",\"z\"],\"b\":[{\"c\":1},\"d\"]}");
    is("{\"a\":[1,{\"b\":null}]}", "{\"a\":[1,{\"b\":null}]}");
    is("a: |\n  x\n  y\n", "{\"a\":\"x\\ny\\n\"}");
    is("a: 1\na: 2\nb: 3", "{\"a\":2,\"b\":3}");
}

static void test_scalars(void **state)
{
    (void)state;
    is("[1, -1, +1, 1.50, .5, 5., 1e5, 1.5E-3, 007, -0]", "[1,-1,1,1.50,0.5,5,1e5,1.5E-3,7,-0]");
    is("[true, False, null, ~, '', ]", "[true,false,null,null,\"\"]");
    is("['1', \"true\", yes, 0x10, 1_000, 1.2.3, e5, -, .]",
       "[\"1\",\"true\",\"yes\",\"0x10\",\"1_000\",\"1.2.3\",\"e5\",\"-\",\".\"]");
    is("a:", "{\"a\":null}");
}

static void test_functions(void **state)
{
    (void)state;
    is("a: !Ref X", "{\"a\":{\"Ref\":\"X\"}}");
    is("a: !GetAtt Q.Arn", "{\"a\":{\"Fn::GetAtt\":\"Q.Arn\"}}");
    is("a: !Join ['', [x, !Ref Y]]", "{\"a\":{\"Fn::Join\":[\"\",[\"x\",{\"Ref\":\"Y\"}]]}}");
    is("a: !!str 5", "{\"a\":\"5\"}");
}

static void test_anchors(void **state)
{
    (void)state;
    is("a: &x [1]\nb: *x\nc: [*x, *x]", "{\"a\":[1],\"b\":[1],\"c\":[[1],[1]]}");
    is("a: &x {k: 1, l: 2}\nb:\n  <<: *x\n  l: 3",
       "{\"a\":{\"k\":1,\"l\":2},\"b\":{\"l\":3,\"k\":1}}");
    is("a: &x {k: 1}\nb: &y {l: 2}\nc:\n  <<: [*x, *y]",
       "{\"a\":{\"k\":1},\"b\":{\"l\":2},\"c\":{\"k\":1,\"l\":2}}");
}

static void test_refusals(void **state)
{
    struct buf deep = {0}, laughs = {0};
    (void)state;
    refuses("", "empty document");
    refuses("a: [", "");
    refuses("? [a]\n: b", "must be a scalar");
    refuses("a: *none", "an alias without an anchor");
    refuses("a: &x [*x]", "an alias inside");
    for (int i = 0; i < YAML_DEPTH_MAX + 10; i++)
        buf_char(&deep, '[');
    refuses(deep.p, "too deeply");
    buf_z(&laughs, "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n");
    for (int i = 1; i < 12; i++) {
        buf_printf(&laughs, "a%d: &a%d [", i, i);
        for (int k = 0; k < 10; k++)
            buf_printf(&laughs, "%s*a%d", k ? "," : "", i - 1);
        buf_z(&laughs, "]\n");
    }
    refuses(laughs.p, "too many nodes");
    buf_deinit(&deep);
    buf_deinit(&laughs);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shapes),    cmocka_unit_test(test_scalars),
        cmocka_unit_test(test_functions), cmocka_unit_test(test_anchors),
        cmocka_unit_test(test_refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
