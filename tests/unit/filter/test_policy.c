/* policy.[ch]: which policies are refused, in which words and at which place; what is kept of those
 * that are accepted: compact text, branches, counts. */
#include "filter/policy/policy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#include "tests/filter_cases.h"

static struct fault fault;

/* The refusal of `text`, or NULL. */
static const char *refusal(const char *text, enum filter_scope scope)
{
    struct policy *p = NULL;
    fault_clear(&fault);
    int err = policy_new(&p, str_of(text), scope, &FILTER_LIMITS_SNS, &fault);
    if (err == 0) {
        policy_free(p);
        return NULL;
    }
    assert_int_equal(err, E_FAULT);
    assert_null(p);
    return fault.text;
}

static struct policy *accepted(const char *text, enum filter_scope scope)
{
    struct policy *p = NULL;
    fault_clear(&fault);
    int err = policy_new(&p, str_of(text), scope, &FILTER_LIMITS_SNS, &fault);
    if (err)
        print_error("%s: %s\n", text, fault.text);
    assert_int_equal(err, 0);
    return p;
}

static void check_case(const struct filter_case *c)
{
    struct policy *p = NULL;
    fault_clear(&fault);
    int err = policy_new(&p, c->policy, c->scope, &FILTER_LIMITS_SNS, &fault);
    bool is_invalid = strcmp(c->expect, "invalid") == 0;
    if (is_invalid != (err != 0) || (c->error && !strstr(fault.text, c->error)))
        fail_msg("%s: %s", c->id, err ? fault.text : "accepted");
    policy_free(p);
}

static size_t check_file(const char *path)
{
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    struct filter_case c;
    size_t n = 0;
    for (; case_read(f, &c); n++) {
        check_case(&c);
        case_deinit(&c);
    }
    fclose(f);
    return n;
}

static void test_cases(void **state)
{
    (void)state;
    assert_int_equal(check_file("tests/cases/filter/vectors.jsonl"), 313);
    assert_int_equal(check_file("tests/cases/filter/language.jsonl"), 871);
}

/* Texts with their places, as the service was recorded answering. */
static void test_recorded_places(void **state)
{
    (void)state;
    FILE *f = fopen("tests/cases/filter/refusals.jsonl", "r");
    assert_non_null(f);
    struct filter_case c;
    size_t n = 0;
    for (; case_read(f, &c); n++) {
        const char *policy = c.policy.p;
        const char *text = json_string_value(json_object_get(c.json, "text"));
        int column = (int)json_integer_value(json_object_get(c.json, "column"));
        char want[1024];
        if (column)
            snprintf(want, sizeof want, "%s\n at [Source: (String)\"%s\"; line: 1, column: %d]",
                     text, policy, column);
        else
            snprintf(want, sizeof want, "%s", text);
        const char *got = refusal(policy, FILTER_ATTRIBUTES);
        assert_non_null(got);
        assert_string_equal(got, want);
        assert_int_equal(fault.code, FILTER_FAULT_POLICY);
        case_deinit(&c);
    }
    fclose(f);
    assert_int_equal(n, 38);
}

#define HIDDEN                                                                                     \
    "\n at [Source: REDACTED (`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION` disabled); line: "

static void test_syntax(void **state)
{
    (void)state;
    static const struct {
        const char *text, *words;
    } cases[] = {
        {"invalid-json",
         "Unrecognized token 'invalid': was expecting (JSON String, Number, Array, Object or token "
         "'null', 'true' or 'false')" HIDDEN "1, column: 8]"},
        {"{invalidjson}",
         "Unexpected character ('i' (code 105)): was expecting double-quote to start field "
         "name" HIDDEN "1, column: 2]"},
        {"{\"k\":[\"v\",]}", "Unexpected character (']' (code 93)): expected a valid value (JSON "
                             "String, Number, Array, "
                             "Object or token 'null', 'true' or 'false')" HIDDEN "1, column: 11]"},
        {"{\n \"k\" 1}",
         "Unexpected character ('1' (code 49)): was expecting a colon to separate field name and "
         "value" HIDDEN "2, column: 6]"},
        {"{\"k\":[1}", "Unexpected close marker '}': expected ']' (for Array starting at [Source:"},
        {"{\"k\":[\"v\"", "Unexpected end-of-input: expected close marker for Array (start marker"},
        {"{\"k\":[\"v]}",
         "Unexpected end-of-input: was expecting closing quote for a string value"},
        {"{\"k\":[01]}", "Invalid numeric value: Leading zeroes not allowed"},
        {"{\"k\":[1.]}", "Unexpected character (']' (code 93)) in numeric value: Decimal point not "
                         "followed by a digit"},
        {"{\"k\":[\"\\x\"]}", "Unrecognized character escape 'x' (code 120)"},
        {"{\"k\":[\"a\tb\"]}",
         "Illegal unquoted character ((CTRL-CHAR, code 9)): has to be escaped"},
        {"{\"k\":[tru]}", "Unrecognized token 'tru': was expecting"},
        {"{\"k\":[1]} x", "Unrecognized token 'x'"},
        {"{\"k\":[\"\xff\"]}", "Invalid UTF-8"},
        {"{\"k\" : [1] \"l\"", "Unexpected character ('\"' (code 34)): was expecting comma to "
                               "separate Object entries"},
        {" ", "No content to map due to end-of-input"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const char *got = refusal(cases[i].text, FILTER_BODY);
        assert_non_null(got);
        static const char frame[] = "failed to parse JSON. ";
        if (strncmp(got, frame, strlen(frame)) != 0 ||
            strncmp(got + strlen(frame), cases[i].words, strlen(cases[i].words)) != 0)
            fail_msg("%s: %s", cases[i].text, got);
    }
}

/* The first mistake in document order wins; counting comes after compiling, nesting last. */
static void test_order(void **state)
{
    (void)state;
    assert_non_null(strstr(refusal("{\"a\":[],\"b\":5}", FILTER_BODY), "Empty arrays"));
    assert_non_null(strstr(refusal("{\"b\":5,\"a\":[]}", FILTER_BODY), "\"b\" must be"));
    assert_non_null(
        strstr(refusal("{\"a\":[1],\"b\":[1],\"c\":[1],\"d\":[1],\"e\":[1],\"f\":5}", FILTER_BODY),
               "\"f\" must be"));
    assert_string_equal(
        refusal("{\"o\":{\"a\":[1],\"b\":[1],\"c\":[1],\"d\":[1],\"e\":[1],\"f\":[1]}}",
                FILTER_ATTRIBUTES),
        "Filter policy can not have more than 5 keys");
    assert_string_equal(
        refusal("{\"o\":{\"k\":[1]}}", FILTER_ATTRIBUTES),
        "Filter policy scope MessageAttributes does not support nested filter policy");
    assert_int_equal(fault.code, FILTER_FAULT_SCOPE);
    assert_null(refusal("{\"o\":{\"k\":[1]}}", FILTER_BODY));
    assert_non_null(strstr(refusal("[]", FILTER_BODY), "Filter is not an object\n at [Source: "
                                                       "(String)\"[]\"; line: 1, column: 2]"));
    /* A string that only sits behind the limit of what is shown is cut. */
    char text[700];
    snprintf(text, sizeof text, "{\"%0600d\":5}", 0);
    assert_non_null(
        strstr(refusal(text, FILTER_BODY), "\"[truncated 106 chars]; line: 1, column: 606]"));
    /* Places count UTF-16 units. */
    assert_non_null(strstr(refusal("{\"\xf0\x9f\x98\x80\xc3\xa9\":5}", FILTER_BODY), "column: 9]"));
    /* The fault's own place is the caller's text. */
    refusal("{\n  \"a\" : [ [] ] }", FILTER_BODY);
    assert_int_equal(fault.line, 2);
    assert_int_equal(fault.column, 11);
}

static void test_or(void **state)
{
    (void)state;
    assert_non_null(strstr(refusal("{\"$or\":[{\"a\":[1]}]}", FILTER_BODY),
                           "There must have at least 2 Objects in $or relationship.\n at [Source: "
                           "(String)\"{\"$or\":[{\"a\":[1]}]}\"; line: 1, column: 19]"));
    assert_non_null(
        strstr(refusal("{\"$or\":\"a\"}", FILTER_BODY), "It must be an Array followed with $or."));
    struct policy *p = accepted("{\"s\":[1,2,3],\"$or\":[{\"m\":[1,2,3,4,5,6]},{\"t\":[1,2,3,4],"
                                "\"$or\":[{\"i\":[1,2,3,4]},{\"j\":[1,2,3,4,5,6,7]}]}]}",
                                FILTER_ATTRIBUTES);
    assert_int_equal(p->n, 3);
    assert_int_equal(p->combinations, 150);
    assert_int_equal(p->leaf_count, 5);
    assert_int_equal(p->branches[0].n, 2);
    assert_int_equal(p->branches[2].n, 3);
    assert_true(str_is(p->branches[2].leaves[2]->path, "j"));
    assert_ptr_equal(p->branches[0].leaves[0], p->branches[1].leaves[0]);
    policy_free(p);
    /* A member replaces what stands before the $or; what stands behind it replaces the member's. */
    p = accepted("{\"a\":[1],\"$or\":[{\"a\":[2]},{\"b\":[3]}],\"b\":[4]}", FILTER_BODY);
    assert_int_equal(p->n, 2);
    assert_int_equal(p->branches[0].n, 2);
    assert_true(str_is(p->branches[0].leaves[0]->entries[0].operands[0].text, "2"));
    assert_true(str_is(p->branches[1].leaves[0]->entries[0].operands[0].text, "1"));
    assert_true(str_is(p->branches[1].leaves[1]->entries[0].operands[0].text, "4"));
    policy_free(p);
}

static void test_compact_text(void **state)
{
    (void)state;
    struct policy *p = accepted(" { \"b\" : [ 12.0 , 1E+2, \"\\u00e9\\/\\n\" ] ,\n\"a\":[ null ],"
                                "\"b\":[ -0 ] } ",
                                FILTER_ATTRIBUTES);
    assert_true(str_is(policy_text(p), "{\"b\":[-0],\"a\":[null]}"));
    assert_int_equal(p->branches[0].leaves[1]->at, 10);
    policy_free(p);
    p = accepted("{ \"b\" : [ 12.0 , 1E+2, \"\\u00e9\\/\\n\\\"\" ] }", FILTER_ATTRIBUTES);
    assert_true(str_is(policy_text(p), "{\"b\":[12.0,1E+2,\"\xc3\xa9/\\n\\\"\"]}"));
    policy_free(p);
    /* What is excluded costs one point, however many stars it has. */
    p = accepted("{\"a\":[{\"anything-but\":{\"wildcard\":[\"*a*b*\",\"*c*d*\",\"*e*f*\",\"*g*h*\","
                 "\"*i*j*\","
                 "\"*k*l*\",\"*m*n*\",\"*o*p*\"]}}]}",
                 FILTER_ATTRIBUTES);
    policy_free(p);
    p = accepted("", FILTER_ATTRIBUTES);
    assert_true(policy_is_empty(p));
    policy_free(p);
    p = accepted(" {} ", FILTER_BODY);
    assert_true(policy_is_empty(p));
    assert_true(str_is(policy_text(p), "{}"));
    assert_int_equal(policy_scope(p), FILTER_BODY);
    policy_free(p);
}

static void test_paths(void **state)
{
    (void)state;
    struct policy *p = accepted("{\"a\":{\"b.c\":{\"d\":[1]}},\"\":{\"e\":[1]}}", FILTER_BODY);
    assert_true(str_is(p->branches[0].leaves[0]->path, "a.b.c.d"));
    assert_int_equal(p->branches[0].leaves[0]->level, 3);
    assert_true(str_is(p->branches[0].leaves[1]->path, ".e"));
    policy_free(p);
    p = accepted("{\"a.b\":[1],\"a\":{\"b\":[2]}}", FILTER_BODY);
    assert_int_equal(p->branches[0].n, 1);
    assert_int_equal(p->leaf_count, 2);
    policy_free(p);
}

/* Without limits the expansion of $or and the joined paths are still bounded. */
static void test_bounds(void **state)
{
    (void)state;
    struct policy *p = NULL;
    struct buf b = {0};
    buf_char(&b, '{');
    for (int i = 0; i < 40; i++)
        buf_printf(&b, "\"k%d\":{\"$or\":[{\"a\":[1]},{\"b\":[1]}]},", i);
    buf_z(&b, "\"z\":[1]}");
    fault_clear(&fault);
    assert_int_equal(policy_new(&p, buf_view(&b), FILTER_BODY, &FILTER_LIMITS_NONE, &fault),
                     E_FAULT);
    assert_string_equal(fault.text, "Filter policy is too complex");
    buf_reset(&b);
    for (int i = 0; i < 900; i++)
        buf_printf(&b, "{\"%0100d\":", i);
    buf_char(&b, '{');
    for (int i = 0; i < 3000; i++)
        buf_printf(&b, "\"%d\":[1],", i);
    buf_z(&b, "\"z\":[1]}");
    for (int i = 0; i < 900; i++)
        buf_char(&b, '}');
    fault_clear(&fault);
    assert_int_equal(policy_new(&p, buf_view(&b), FILTER_BODY, &FILTER_LIMITS_NONE, &fault),
                     E_FAULT);
    assert_string_equal(fault.text, "Filter policy is too complex");
    buf_reset(&b);
    /* Paths that are written twice replace one another, in time linear in their number. */
    buf_z(&b, "{\"a\":{\"z\":[1]");
    for (int i = 0; i < 60000; i++)
        buf_printf(&b, ",\"%d\":[1]", i);
    buf_z(&b, "},\"a.z\":[2]");
    for (int i = 0; i < 60000; i++)
        buf_printf(&b, ",\"a.%d\":[2]", i);
    buf_char(&b, '}');
    fault_clear(&fault);
    assert_int_equal(policy_new(&p, buf_view(&b), FILTER_BODY, &FILTER_LIMITS_NONE, &fault), 0);
    assert_int_equal(p->n, 1);
    assert_int_equal(p->branches[0].n, 60001);
    assert_int_equal(p->leaf_count, 120002);
    for (u32 i = 0; i < p->branches[0].n; i++)
        assert_true(str_is(p->branches[0].leaves[i]->entries[0].operands[0].text, "2"));
    policy_free(p);
    p = NULL;
    buf_reset(&b);
    for (int i = 0; i < 100000; i++)
        buf_char(&b, '[');
    fault_clear(&fault);
    assert_int_equal(policy_new(&p, buf_view(&b), FILTER_BODY, &FILTER_LIMITS_SNS, &fault),
                     E_FAULT);
    assert_non_null(strstr(fault.text, "nesting depth"));
    buf_deinit(&b);
}

/* 256 KB are taken, blanks included, and no byte more. */
static void test_size(void **state)
{
    (void)state;
    struct policy *p = NULL;
    struct buf b = {0};
    buf_z(&b, "{\"k\":[\"v\"]}");
    while (b.n < 256 * 1024)
        buf_char(&b, ' ');
    fault_clear(&fault);
    assert_int_equal(policy_new(&p, buf_view(&b), FILTER_BODY, &FILTER_LIMITS_SNS, &fault), 0);
    policy_free(p);
    buf_char(&b, ' ');
    assert_int_equal(policy_new(&p, buf_view(&b), FILTER_BODY, &FILTER_LIMITS_SNS, &fault),
                     E_FAULT);
    assert_string_equal(fault.text, "Filter policy is too complex");
    assert_int_equal(fault.column, 256 * 1024 + 1);
    buf_deinit(&b);
}

static void test_scope_names(void **state)
{
    (void)state;
    enum filter_scope scope = FILTER_ATTRIBUTES;
    assert_int_equal(filter_scope_read(STR("MessageBody"), &scope), 0);
    assert_int_equal(scope, FILTER_BODY);
    assert_int_equal(filter_scope_read(STR("messagebody"), &scope), E_INVALID);
    assert_string_equal(filter_scope_name(FILTER_ATTRIBUTES), "MessageAttributes");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cases),       cmocka_unit_test(test_recorded_places),
        cmocka_unit_test(test_syntax),      cmocka_unit_test(test_order),
        cmocka_unit_test(test_or),          cmocka_unit_test(test_compact_text),
        cmocka_unit_test(test_paths),       cmocka_unit_test(test_bounds),
        cmocka_unit_test(test_scope_names), cmocka_unit_test(test_size),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
