/* ctl_resolve.c: what becomes of CloudFormation's functions inside a policy. */
#include "filter/ctl/template.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

static const char PARAMETERS[] = "Env: {Type: String, Default: prod}\n"
                                 "Limit: {Type: Number, Default: 5}\n"
                                 "Kinds: {Type: CommaDelimitedList, Default: 'a, b,c'}\n"
                                 "Open: {Type: String}\n"
                                 "Kept: {Type: 'AWS::SSM::Parameter::Value<String>', Default: /x}\n"
                                 "Odd: {Type: String, Default: [x]}\n"
                                 "Word: nothing\n";

static struct node *read_tree(struct arena *a, const char *yaml)
{
    struct node *root;
    struct fault f;
    fault_clear(&f);
    assert_int_equal(yaml_read(a, str_of(yaml), &root, &f), 0);
    return root;
}

static void becomes(const char *policy, const char *json, const char *unknown, u32 unknown_n)
{
    struct arena a;
    struct buf got = {0};
    arena_init(&a);
    struct node *root = read_tree(&a, policy);
    struct resolution r = template_resolve(&a, root, read_tree(&a, PARAMETERS));
    node_write(&got, root);
    assert_string_equal(got.p, json);
    assert_int_equal(r.unknown_n, unknown_n);
    assert_true(str_is(r.unknown, unknown));
    buf_deinit(&got);
    arena_deinit(&a);
}

static void test_known(void **state)
{
    (void)state;
    becomes("k: [a, 5, null]", "{\"k\":[\"a\",5,null]}", "", 0);
    becomes("k: [!Ref Env, !Ref Limit]", "{\"k\":[\"prod\",\"5\"]}", "", 0);
    becomes("k: !Ref Kinds", "{\"k\":[\"a\",\"b\",\"c\"]}", "", 0);
    becomes("k: [!Sub '${Env}-${Limit}', !Sub '${!Env}$', !Sub ['${x}', {x: !Ref Env}]]",
            "{\"k\":[\"prod-5\",\"${Env}$\",\"prod\"]}", "", 0);
    becomes("!Sub '{\"k\":[\"${Env}\"]}'", "\"{\\\"k\\\":[\\\"prod\\\"]}\"", "", 0);
    becomes("k: [!Join ['-', [x, !Ref Env]], !Join ['', []]]", "{\"k\":[\"x-prod\",\"\"]}", "", 0);
    becomes("k: !If [IsProd, [a], [b]]", "{\"k\":[\"a\"]}", "", 0);
    becomes("Fn::ToJsonString: {k: [!Ref Env]}", "{\"k\":[\"prod\"]}", "", 0);
    becomes("k: [a, !Ref AWS::NoValue]\nl: !If [C, !Ref AWS::NoValue, [x]]", "{\"k\":[\"a\"]}", "",
            0);
    becomes("!Ref AWS::NoValue", "null", "", 0);
}

static void test_unknown(void **state)
{
    (void)state;
    becomes("k: [!Ref Open, !Ref Kept, !Ref Odd, !Ref Word, !Ref None]",
            "{\"k\":[\"${Open}\",\"${Kept}\",\"${Odd}\",\"${Word}\",\"${None}\"]}", "${Open}", 5);
    becomes("k: [!GetAtt Q.Arn, !GetAtt [Q, Arn], !Sub 'x${AWS::Region}', !Sub 'a${b']",
            "{\"k\":[\"${Q.Arn}\",\"${Q.Arn}\",\"x${AWS::Region}\",\"a${b\"]}", "${Q.Arn}", 3);
    becomes("k: [!FindInMap [M, a, b], !Join [x], !Join ['', [[y]]], !Sub [], !If [x]]",
            "{\"k\":[\"${Fn::FindInMap}\",\"${Fn::Join}\",\"${Fn::Join}\",\"${Fn::Sub}\",\"${Fn::"
            "If}\"]}",
            "${Fn::FindInMap}", 5);
    becomes("a: {Ref: [x], b: [1]}", "{\"a\":{\"Ref\":[\"x\"],\"b\":[1]}}", "", 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known),
        cmocka_unit_test(test_unknown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
