/* ctl_lint: what is said of entries is held against the matcher. When one entry is said to cover
 * another, every value that the matcher takes for the other it takes for the one; a key that is
 * said to be open takes every value. */
#include "filter/ctl/lint.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#include "tests/filter_generator.h"

static const char *const ENTRIES[] = {
    "\"a\"",
    "\"ab\"",
    "\"abc\"",
    "\"A\"",
    "\"\"",
    "\"10.1.2.3\"",
    "\"010.1.2.3\"",
    "{\"prefix\":\"10.\"}",
    "{\"prefix\":\"0\"}",
    "{\"anything-but\":{\"prefix\":\"0\"}}",
    "{\"anything-but\":{\"prefix\":\"10.\"}}",
    "\"é\"",
    "\"É\"",
    "\"aXb\"",
    "5",
    "5.0",
    "-1",
    "1e1",
    "true",
    "false",
    "null",
    "{\"prefix\":\"\"}",
    "{\"prefix\":\"a\"}",
    "{\"prefix\":\"ab\"}",
    "{\"suffix\":\"\"}",
    "{\"suffix\":\"b\"}",
    "{\"suffix\":\"bc\"}",
    "{\"suffix\":\"ab\"}",
    "{\"equals-ignore-case\":\"AB\"}",
    "{\"equals-ignore-case\":\"é\"}",
    "{\"prefix\":{\"equals-ignore-case\":\"AB\"}}",
    "{\"suffix\":{\"equals-ignore-case\":\"BC\"}}",
    "{\"wildcard\":\"*\"}",
    "{\"wildcard\":\"a*\"}",
    "{\"wildcard\":\"*b\"}",
    "{\"wildcard\":\"a*b\"}",
    "{\"wildcard\":\"ab*b\"}",
    "{\"wildcard\":\"*a*\"}",
    "{\"wildcard\":\"a*b*c\"}",
    "{\"wildcard\":\"ab\"}",
    "{\"numeric\":[\"=\",5]}",
    "{\"numeric\":[\">\",0]}",
    "{\"numeric\":[\">=\",0]}",
    "{\"numeric\":[\">=\",0,\"<\",5]}",
    "{\"numeric\":[\">\",0,\"<=\",5]}",
    "{\"numeric\":[\"<\",10]}",
    "{\"numeric\":[\"<=\",10]}",
    "{\"exists\":true}",
    "{\"exists\":false}",
    "{\"cidr\":\"10.0.0.0/8\"}",
    "{\"cidr\":\"10.1.0.0/16\"}",
    "{\"cidr\":\"0.0.0.0/0\"}",
    "{\"anything-but\":\"a\"}",
    "{\"anything-but\":[\"a\",\"ab\"]}",
    "{\"anything-but\":[\"ab\",\"a\",\"abc\"]}",
    "{\"anything-but\":5}",
    "{\"anything-but\":[5,10]}",
    "{\"anything-but\":{\"prefix\":\"a\"}}",
    "{\"anything-but\":{\"prefix\":\"ab\"}}",
    "{\"anything-but\":{\"suffix\":\"b\"}}",
    "{\"anything-but\":{\"wildcard\":\"a*b\"}}",
    "{\"anything-but\":{\"wildcard\":\"*\"}}",
    "{\"anything-but\":{\"equals-ignore-case\":\"ab\"}}",
};

static const char *const VALUES[] = {
    "\"a\"",
    "\"A\"",
    "\"ab\"",
    "\"AB\"",
    "\"aB\"",
    "\"abc\"",
    "\"ABC\"",
    "\"aXb\"",
    "\"abb\"",
    "\"abcb\"",
    "\"b\"",
    "\"bc\"",
    "\"ba\"",
    "\"bca\"",
    "\"\"",
    "\" a\"",
    "\"5\"",
    "\"é\"",
    "\"É\"",
    "\"10.1.2.3\"",
    "\"010.1.2.3\"",
    "\"10.2.0.1\"",
    "\"::1\"",
    "\"host\"",
    "0",
    "-0",
    "5",
    "5.0",
    "-1",
    "10",
    "1e1",
    "4.9999",
    "0.0001",
    "11",
    "true",
    "false",
    "null",
};

static struct policy *policy_of(const char *entries)
{
    struct policy *p = NULL;
    struct fault f;
    char *text = mem_printf("{\"k\":[%s]}", entries);
    fault_clear(&f);
    int err = policy_new(&p, str_of(text), FILTER_BODY, &FILTER_LIMITS_NONE, &f);
    if (err)
        print_error("%s: %s\n", text, f.text);
    assert_int_equal(err, 0);
    mem_free(text);
    return p;
}

/* Whether subscription `id` is among those that a body with this value, or none, reaches. */
static void ask(struct matcher *m, const char *value, bool *ret, u32 n)
{
    struct filter_hits h = {0};
    char *body = value ? mem_printf("{\"k\":%s}", value) : mem_printf("{\"j\":1}");
    struct filter_message msg = {.body = str_of(body)};
    memset(ret, 0, n * sizeof *ret);
    matcher_match(m, &msg, &h);
    for (size_t s = 0; s < h.n; s++)
        for (u32 i = 0; i < h.spans[s].n; i++)
            ret[h.spans[s].ids[i]] = true;
    filter_hits_deinit(&h);
    mem_free(body);
}

static void test_cover_is_never_wrong(void **state)
{
    struct policy *policies[ARRAY_LEN(ENTRIES)];
    bool takes[ARRAY_LEN(ENTRIES)];
    struct matcher *m = matcher_new(NULL);
    u32 covers = 0;
    (void)state;
    for (u32 i = 0; i < ARRAY_LEN(ENTRIES); i++) {
        policies[i] = policy_of(ENTRIES[i]);
        matcher_add(m, i, policies[i]);
    }
    for (size_t v = 0; v <= ARRAY_LEN(VALUES); v++) {
        ask(m, v < ARRAY_LEN(VALUES) ? VALUES[v] : NULL, takes, ARRAY_LEN(ENTRIES));
        for (u32 a = 0; a < ARRAY_LEN(ENTRIES); a++)
            for (u32 b = 0; b < ARRAY_LEN(ENTRIES); b++) {
                const struct policy_entry *ea = policies[a]->branches[0].leaves[0]->entries;
                const struct policy_entry *eb = policies[b]->branches[0].leaves[0]->entries;
                bool is = entry_covers(ea, eb);
                covers += is;
                if (is && takes[b] && !takes[a])
                    fail_msg("%s is said to cover %s, but not for %s", ENTRIES[a], ENTRIES[b],
                             v < ARRAY_LEN(VALUES) ? VALUES[v] : "absence");
            }
    }
    assert_true(covers > 10 * ARRAY_LEN(ENTRIES));
    for (u32 i = 0; i < ARRAY_LEN(ENTRIES); i++)
        policy_free(policies[i]);
    matcher_free(m);
}

/* Two entries of one list that are said to be open. */
static void test_open_is_never_wrong(void **state)
{
    u32 open = 0;
    bool takes;
    (void)state;
    for (u32 a = 0; a < ARRAY_LEN(ENTRIES); a++)
        for (u32 b = 0; b < ARRAY_LEN(ENTRIES); b++) {
            char *both = mem_printf("%s,%s", ENTRIES[a], ENTRIES[b]);
            struct policy *p = policy_of(both);
            if (leaf_is_open(p->branches[0].leaves[0])) {
                struct matcher *m = matcher_new(NULL);
                matcher_add(m, 0, p);
                for (size_t v = 0; v < ARRAY_LEN(VALUES); v++) {
                    ask(m, VALUES[v], &takes, 1);
                    if (!takes)
                        fail_msg("[%s] is said to be open, but not for %s", both, VALUES[v]);
                }
                matcher_free(m);
                open++;
            }
            policy_free(p);
            mem_free(both);
        }
    assert_true(open > ARRAY_LEN(ENTRIES));
}

static const struct {
    const char *a, *b;
    bool covers;
} PAIRS[] = {
    {"{\"prefix\":\"a\"}", "\"ab\"", true},
    {"{\"prefix\":\"ab\"}", "{\"prefix\":\"a\"}", false},
    {"{\"suffix\":\"b\"}", "{\"suffix\":\"ab\"}", true},
    {"{\"wildcard\":\"a*\"}", "{\"prefix\":\"ab\"}", true},
    {"{\"wildcard\":\"*\"}", "{\"cidr\":\"10.0.0.0/8\"}", true},
    {"{\"wildcard\":\"*\"}", "5", false},
    {"{\"wildcard\":\"ab*b\"}", "\"ab\"", false},
    {"{\"equals-ignore-case\":\"AB\"}", "\"aB\"", true},
    {"{\"prefix\":{\"equals-ignore-case\":\"A\"}}", "{\"equals-ignore-case\":\"ab\"}", true},
    {"{\"numeric\":[\">=\",0]}", "{\"numeric\":[\">\",0,\"<\",5]}", true},
    {"{\"numeric\":[\">\",0]}", "{\"numeric\":[\">=\",0,\"<\",5]}", false},
    {"{\"numeric\":[\"<\",5]}", "4.99999", true},
    {"{\"cidr\":\"10.0.0.0/8\"}", "\"010.1.2.3\"", true},
    {"{\"exists\":true}", "null", true},
    {"{\"exists\":true}", "{\"exists\":false}", false},
    {"{\"anything-but\":\"a\"}", "\"b\"", true},
    {"{\"anything-but\":\"a\"}", "{\"anything-but\":[\"b\",\"a\"]}", true},
    {"{\"anything-but\":[\"b\",\"a\"]}", "{\"anything-but\":\"a\"}", false},
    {"5", "5.0", true},
    {"5", "\"5\"", false},
    {"\"10.0.0.1\"", "\"010.0.0.1\"", true},
    /* An address has other spellings, which a prefix does not see. */
    {"{\"prefix\":\"10.\"}", "\"10.0.0.1\"", false},
    {"{\"anything-but\":{\"prefix\":\"0\"}}", "\"10.0.0.1\"", false},
};

static void test_known_pairs(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(PAIRS); i++) {
        struct policy *a = policy_of(PAIRS[i].a), *b = policy_of(PAIRS[i].b);
        if (entry_covers(a->branches[0].leaves[0]->entries, b->branches[0].leaves[0]->entries) !=
            PAIRS[i].covers)
            fail_msg("%s, %s", PAIRS[i].a, PAIRS[i].b);
        policy_free(a);
        policy_free(b);
    }
}

/* --- whole policies --------------------------------------------------------------------------- */

#define POLICIES 4000
#define MESSAGES 20

struct claims {
    bool always, never;
};

static struct claims claims_of(struct policy *p, str text)
{
    struct ctl_policy subject = {.text = text, .scope = p->scope, .policy = p, .line = 1};
    struct claims c = {false, false};
    struct lint l;
    lint_init(&l, &subject);
    lint_run(&l);
    for (size_t i = 0; i < l.n; i++) {
        assert_true(l.findings[i].at < text.n || !text.n);
        c.always |= strcmp(l.findings[i].code, "L105") == 0;
        c.never |= strcmp(l.findings[i].code, "L106") == 0;
    }
    lint_deinit(&l);
    return c;
}

/* Subscription 0 has the policy, 1 one that every usable message passes. */
static void check_claims(struct generator *g, struct policy *p, struct claims c)
{
    struct policy *any = NULL;
    struct fault f;
    struct filter_hits h = {0};
    struct matcher *m = matcher_new(NULL);
    fault_clear(&f);
    assert_int_equal(policy_new(&any, STR("{\"x\":[{\"exists\":true},{\"exists\":false}]}"),
                                p->scope, &FILTER_LIMITS_NONE, &f),
                     0);
    matcher_add(m, 0, p);
    matcher_add(m, 1, any);
    for (int i = 0; i < MESSAGES; i++) {
        struct filter_message msg = gen_message(g);
        bool has[2] = {false, false};
        matcher_match(m, &msg, &h);
        for (size_t s = 0; s < h.n; s++)
            for (u32 k = 0; k < h.spans[s].n; k++)
                has[h.spans[s].ids[k]] = true;
        if ((c.never && has[0]) || (c.always && has[1] && !has[0]))
            fail_msg("%.*s is said to be %s true", STR_ARG(p->text), c.never ? "never" : "always");
    }
    filter_hits_deinit(&h);
    matcher_free(m);
    policy_free(any);
}

/* Without an alternative that is said to be covered by another, a policy lets the same through. */
static bool check_covered(struct generator *g, struct policy *p)
{
    struct policy_branch *rest = mem_array(p->n, sizeof *rest);
    struct filter_hits h = {0};
    u32 covered = p->n;
    for (u32 b = 0; b < p->n; b++)
        for (u32 a = 0; a < p->n; a++)
            if (a != b && branch_covers(&p->branches[a], &p->branches[b]))
                covered = b;
    if (covered < p->n) {
        struct policy without = *p;
        without.n = 0;
        for (u32 b = 0; b < p->n; b++)
            if (b != covered)
                rest[without.n++] = p->branches[b];
        without.branches = rest;
        struct matcher *m = matcher_new(NULL), *n = matcher_new(NULL);
        matcher_add(m, 0, p);
        matcher_add(n, 0, &without);
        for (int i = 0; i < MESSAGES; i++) {
            struct filter_message msg = gen_message(g);
            matcher_match(m, &msg, &h);
            bool passes = h.total > 0;
            matcher_match(n, &msg, &h);
            if (passes != (h.total > 0))
                fail_msg("%.*s: alternative %u is no more than another", STR_ARG(p->text), covered);
        }
        matcher_free(m);
        matcher_free(n);
    }
    filter_hits_deinit(&h);
    mem_free(rest);
    return covered < p->n;
}

static void test_whole_policies(void **state)
{
    struct generator g;
    u32 always = 0, covered = 0;
    (void)state;
    gen_init(&g, 7, NULL, 0);
    for (int i = 0; i < POLICIES; i++) {
        struct buf text = {0};
        struct policy *p = NULL;
        struct fault f;
        enum filter_scope scope = i % 2 ? FILTER_BODY : FILTER_ATTRIBUTES;
        gen_reset(&g);
        gen_policy(&g, scope, &text);
        fault_clear(&f);
        if (policy_new(&p, buf_view(&text), scope, &FILTER_LIMITS_NONE, &f) == 0) {
            struct claims c = claims_of(p, buf_view(&text));
            always += c.always;
            if (c.always || c.never)
                check_claims(&g, p, c);
            covered += p->n > 1 && check_covered(&g, p);
        }
        policy_free(p);
        buf_deinit(&text);
    }
    gen_deinit(&g);
    assert_true(always > 10);
    assert_true(covered > 10);
}

/* --- refused policies ------------------------------------------------------------------------- */

/* What is advised follows from the refusal's words, not from the policy that it quotes. */
static void test_advice(void **state)
{
    static const struct {
        const char *policy, *advice;
    } cases[] = {
        {"{\"k\":[{\"anything-but\":\"a\",\"exists\":false}]}", "Only one operator"},
        {"{\"k\":[{\"prefix\":\"a\",\"exists\":false}]}", "Only one operator"},
        {"{\"wildcard\":[{\"cidr\":\"a\"}]}", "Write an address and its prefix"},
        {"{\"CIDR\":[{\"wildcard\":\"**\"}]}", "One asterisk matches"},
        {"{\"IP address\":[]}", "List at least one value"},
        {"{\"$or\":[{\"a\":[{}]},{\"b\":[1]}]}", "Name an operator"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct fault f;
        struct policy *p = NULL;
        str text = str_of(cases[i].policy);
        struct lint l;
        fault_clear(&f);
        assert_int_equal(policy_new(&p, text, FILTER_BODY, &FILTER_LIMITS_SNS, &f), E_FAULT);
        struct ctl_policy subject = {.text = text, .scope = FILTER_BODY, .fault = &f, .line = 1};
        lint_init(&l, &subject);
        lint_run(&l);
        assert_int_equal(l.n, 1);
        if (!str_starts(str_of(l.findings[0].advice), str_of(cases[i].advice)))
            fail_msg("%s: %s", cases[i].policy, l.findings[0].advice);
        lint_deinit(&l);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cover_is_never_wrong),
        cmocka_unit_test(test_open_is_never_wrong),
        cmocka_unit_test(test_known_pairs),
        cmocka_unit_test(test_whole_policies),
        cmocka_unit_test(test_advice),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
