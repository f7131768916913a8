/* explain.[ch]: its telling agrees with the matcher's verdict on all generated cases and all
 * vectors, and the nearest miss is named. */
#include "filter/explain/explain.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#include "tests/filter_cases.h"
#include "tests/filter_generator.h"
#include "tests/reference_filter.h"

enum { ROUNDS = 4000, POLICIES = 3, MESSAGES = 5, SEED = 4 };

static struct fault fault;

static void check_shape(const struct explanation *x)
{
    assert_true(x->words.n > 0);
    for (u32 i = 0; i < x->branch_count; i++) {
        const struct explain_branch *b = &x->branches[i];
        u32 failed = 0;
        for (u32 k = 0; k < b->key_count; k++) {
            const struct explain_key *key = &b->keys[k];
            failed += !key->holds;
            assert_non_null(key->nearest);
            assert_int_equal(key->holds, key->nearest->miss == EXPLAIN_MET);
            assert_true(key->words.n > 0);
            for (u32 r = 0; r < key->rule_count; r++) {
                assert_int_equal(key->rules[r].holds, key->rules[r].miss == EXPLAIN_MET);
                assert_true(key->rules[r].words.n > 0);
            }
        }
        assert_int_equal(failed, b->failed);
        assert_int_equal(b->holds, failed == 0 && !b->is_split);
    }
    if (x->reason == EXPLAIN_FAILED)
        assert_true(x->nearest->is_split || x->decided);
}

/* The telling and the two verdicts are one. */
static void check_agreement(const struct policy *p, const struct filter_message *msg,
                            const char *id)
{
    struct explanation *x = explain_new(p, msg);
    bool told = x->reason == EXPLAIN_HELD || x->reason == EXPLAIN_NO_POLICY;
    if (told != x->match || x->match != reference_match(p, msg))
        fail_msg("%s: %.*s on %.*s: told %d, matcher %d: %.*s", id, STR_ARG(policy_text(p)),
                 STR_ARG(msg->body), told, x->match, STR_ARG(x->words));
    if (x->reason != EXPLAIN_NO_POLICY)
        assert_int_equal(x->eligibility, reference_eligibility(policy_scope(p), msg));
    check_shape(x);
    explain_free(x);
}

static void check_file(const char *path)
{
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    struct filter_case c;
    while (case_read(f, &c)) {
        struct policy *p;
        fault_clear(&fault);
        if (policy_new(&p, c.policy, c.scope, &FILTER_LIMITS_SNS, &fault) == 0) {
            check_agreement(p, &c.message, c.id);
            policy_free(p);
        }
        case_deinit(&c);
    }
    fclose(f);
}

static void test_vectors(void **state)
{
    (void)state;
    check_file("tests/cases/filter/vectors.jsonl");
    check_file("tests/cases/filter/language.jsonl");
}

static void test_generated(void **state)
{
    (void)state;
    struct generator g;
    gen_init(&g, SEED, NULL, 0);
    for (u32 i = 0; i < ROUNDS; i++) {
        gen_reset(&g);
        struct policy *policies[POLICIES];
        u32 n = 0;
        for (u32 k = 0; k < POLICIES; k++) {
            struct buf b = {0};
            enum filter_scope scope = gen_below(&g, 3) ? FILTER_BODY : FILTER_ATTRIBUTES;
            gen_policy(&g, scope, &b);
            fault_clear(&fault);
            n += policy_new(&policies[n], buf_view(&b), scope, &FILTER_LIMITS_NONE, &fault) == 0;
            buf_deinit(&b);
        }
        for (u32 m = 0; m < MESSAGES; m++) {
            struct filter_message msg = gen_message(&g);
            for (u32 k = 0; k < n; k++)
                check_agreement(policies[k], &msg, "generated");
        }
        for (u32 k = 0; k < n; k++)
            policy_free(policies[k]);
    }
    gen_deinit(&g);
}

/* --- near misses ------------------------------------------------------------------------------ */

static void check_miss(const char *policy, enum filter_scope scope,
                       const struct filter_message *msg, enum explain_miss want)
{
    struct policy *p;
    fault_clear(&fault);
    assert_int_equal(policy_new(&p, str_of(policy), scope, &FILTER_LIMITS_SNS, &fault), 0);
    struct explanation *x = explain_new(p, msg);
    assert_false(x->match);
    assert_int_equal(x->reason, EXPLAIN_FAILED);
    assert_non_null(x->decided);
    if (x->decided->nearest->miss != want)
        fail_msg("%s: %s, not %s: %.*s", policy, explain_miss_name(x->decided->nearest->miss),
                 explain_miss_name(want), STR_ARG(x->words));
    explain_free(x);
    policy_free(p);
}

static void test_body_misses(void **state)
{
    (void)state;
    static const struct {
        const char *policy, *body;
        enum explain_miss miss;
    } cases[] = {
        {"{\"k\":[\"paid\"]}", "{\"k\":\"Paid\"}", EXPLAIN_CASE},
        {"{\"k\":[{\"wildcard\":\"pa*d\"}]}", "{\"k\":\"PAID\"}", EXPLAIN_CASE},
        {"{\"k\":[\"paid\"]}", "{\"k\":\"paid \"}", EXPLAIN_BLANK},
        {"{\"k\":[12]}", "{\"k\":\"12\"}", EXPLAIN_NUMBER_QUOTED},
        {"{\"k\":[{\"numeric\":[\">\",10]}]}", "{\"k\":\"12\"}", EXPLAIN_NUMBER_QUOTED},
        {"{\"k\":[\"12\"]}", "{\"k\":12}", EXPLAIN_NUMBER_BARE},
        {"{\"k\":[\"true\"]}", "{\"k\":true}", EXPLAIN_LITERAL_QUOTED},
        {"{\"k\":[null]}", "{\"k\":\"null\"}", EXPLAIN_LITERAL_QUOTED},
        {"{\"k\":[true]}", "{\"k\":false}", EXPLAIN_OTHER},
        {"{\"k\":[{\"prefix\":\"x\"}]}", "{\"k\":null}", EXPLAIN_TYPE},
        {"{\"k\":[{\"prefix\":\"order\"}]}", "{\"k\":\"reorder\"}", EXPLAIN_SUBSTRING},
        {"{\"k\":[{\"anything-but\":[\"void\"]}]}", "{\"k\":\"void\"}", EXPLAIN_EXCLUDED},
        {"{\"k\":[{\"numeric\":[\">\",5]}]}", "{\"k\":5.0}", EXPLAIN_BOUND},
        {"{\"k\":[{\"numeric\":[\">\",5,\"<\",9]}]}", "{\"k\":4}", EXPLAIN_BELOW},
        {"{\"k\":[{\"numeric\":[\">\",5,\"<\",9]}]}", "{\"k\":10}", EXPLAIN_ABOVE},
        {"{\"k\":[{\"cidr\":\"10.0.0.0/8\"}]}", "{\"k\":\"host\"}", EXPLAIN_NO_ADDRESS},
        {"{\"k\":[{\"cidr\":\"10.0.0.0/8\"}]}", "{\"k\":\"::1\"}", EXPLAIN_ADDRESS_FAMILY},
        {"{\"k\":[{\"exists\":false}]}", "{\"k\":1}", EXPLAIN_PRESENT},
        {"{\"k\":[1]}", "{\"m\":1}", EXPLAIN_ABSENT},
        {"{\"k\":[1]}", "{\"K\":1}", EXPLAIN_KEY_CASE},
        {"{\"k\":[1]}", "{\"o\":{\"k\":1}}", EXPLAIN_DEEPER},
        {"{\"a\":{\"k\":[1]}}", "{\"a\":{\"o\":{\"k\":1}}}", EXPLAIN_DEEPER},
        {"{\"a\":{\"k\":[1]}}", "{\"k\":{\"o\":{\"a\":1}}}", EXPLAIN_ABSENT},
        {"{\"o\":{\"k\":[1]}}", "{\"k\":1}", EXPLAIN_HIGHER},
        {"{\"k\":[1]}", "{\"k\":{\"a\":1}}", EXPLAIN_OBJECT},
        {"{\"k\":[1]}", "{\"k\":[]}", EXPLAIN_EMPTY_ARRAY},
        {"{\"k\":[1,\"paid\",{\"prefix\":\"z\"}]}", "{\"k\":[\"a\",\"PAID\",7]}", EXPLAIN_CASE},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct filter_message msg = {.body = str_of(cases[i].body)};
        check_miss(cases[i].policy, FILTER_BODY, &msg, cases[i].miss);
    }
}

static void test_attribute_misses(void **state)
{
    (void)state;
    static const struct {
        const char *policy, *name, *type, *value, *body;
        enum explain_miss miss;
    } cases[] = {
        {"{\"k\":[\"5\\\" pipe\"]}", "k", "String", "5\" pipe", "", EXPLAIN_ESCAPE},
        {"{\"k\":[\"a\"]}", "k", "String", "[\"a\"]", "", EXPLAIN_ARRAY_IN_STRING},
        {"{\"k\":[1]}", "k", "Binary", "1", "", EXPLAIN_BINARY},
        {"{\"k\":[1]}", "k", "String.Array", "[]", "", EXPLAIN_EMPTY_ARRAY},
        {"{\"k\":[1]}", "z", "String", "1", "{\"k\":1}", EXPLAIN_OTHER_SCOPE},
        {"{\"k\":[1]}", "k", "String", "1", "", EXPLAIN_NUMBER_QUOTED},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct filter_attr attrs[] = {
            {str_of(cases[i].name), str_of(cases[i].type), str_of(cases[i].value)},
            {STR("other"), STR("String"), STR("x")},
        };
        struct filter_message msg = {attrs, 2, str_of(cases[i].body)};
        check_miss(cases[i].policy, FILTER_ATTRIBUTES, &msg, cases[i].miss);
    }
    struct filter_attr attr = {STR("k"), STR("String"), STR("x")};
    struct filter_message msg = {&attr, 1, STR("{\"m\":1}")};
    check_miss("{\"k\":[\"x\"]}", FILTER_BODY, &msg, EXPLAIN_OTHER_SCOPE);
}

static void test_words(void **state)
{
    (void)state;
    struct policy *p;
    fault_clear(&fault);
    assert_int_equal(policy_new(&p, STR("{\"o\":{\"a\":[1],\"b\":[{\"prefix\":\"x\"}]}}"),
                                FILTER_BODY, &FILTER_LIMITS_SNS, &fault),
                     0);
    struct filter_message msg = {.body =
                                     STR("{\"o\":[{\"a\":1,\"b\":\"y\"},{\"a\":2,\"b\":\"xz\"}]}")};
    struct explanation *x = explain_new(p, &msg);
    assert_true(x->nearest->is_split);
    assert_null(x->decided);
    assert_true(str_is(x->nearest->keys[1].nearest->value->place, "o[1].b"));
    assert_true(str_is(x->nearest->keys[1].words, "o.b: \"xz\" matches {\"prefix\":\"x\"}."));
    explain_free(x);
    msg.body = STR("not json");
    x = explain_new(p, &msg);
    assert_int_equal(x->reason, EXPLAIN_NOT_ELIGIBLE);
    assert_true(str_is(x->words,
                       "The message is rejected regardless of the policy's rules: its body is "
                       "not JSON (line 1, column 4), and the policy applies to the body."));
    explain_free(x);
    msg.body = STR("{\"o\":{\"a\":1}}");
    x = explain_new(p, &msg);
    assert_true(str_is(x->words, "The policy rejects the message. o.b: the message has no \"o.b\"; "
                                 "{\"prefix\":\"x\"} needs a value."));
    explain_free(x);
    policy_free(p);
}

/* Many elements, each with a part of the keys: an answer, whatever it is, in bounded time. */
static void test_hostile_body(void **state)
{
    (void)state;
    struct buf policy = {0}, body = {0};
    buf_char(&policy, '{');
    buf_z(&body, "{\"x\":[");
    for (u32 i = 0; i < 40; i++)
        buf_printf(&policy, "%s\"x.k%u\":[1]", i ? "," : "", i);
    buf_char(&policy, '}');
    for (u32 i = 0; i < 2000; i++) {
        buf_printf(&body, "%s[", i ? "," : "");
        for (u32 k = 0; k < 20; k++)
            buf_printf(&body, "%s{\"k%u\":1,\"k%u\":1}", k ? "," : "", (i + k) % 40,
                       (i * 7 + k * 3) % 40);
        buf_char(&body, ']');
    }
    buf_z(&body, "]}");
    struct policy *p;
    fault_clear(&fault);
    assert_int_equal(policy_new(&p, buf_view(&policy), FILTER_BODY, &FILTER_LIMITS_NONE, &fault),
                     0);
    struct filter_message msg = {.body = buf_view(&body)};
    struct explanation *x = explain_new(p, &msg);
    assert_false(x->match);
    assert_int_equal(x->reason, EXPLAIN_FAILED);
    explain_free(x);
    policy_free(p);
    buf_deinit(&policy);
    buf_deinit(&body);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vectors),     cmocka_unit_test(test_generated),
        cmocka_unit_test(test_body_misses), cmocka_unit_test(test_attribute_misses),
        cmocka_unit_test(test_words),       cmocka_unit_test(test_hostile_body),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
