/* Every match and no-match case: by the reference matcher of the tests and by the compiled one. */
#include "filter/filter.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#include "tests/filter_cases.h"
#include "tests/reference_filter.h"

static struct fault fault;

/* The compiled matcher's verdict with `p` as its only policy. */
static bool compiled_match(const struct policy *p, const struct filter_message *msg)
{
    struct matcher *m = matcher_new(NULL);
    struct filter_hits hits = {0};
    matcher_add(m, 7, p);
    matcher_match(m, msg, &hits);
    assert_true(hits.total <= 1);
    bool hit = hits.total == 1;
    if (hit) {
        assert_int_equal(hits.n, 1);
        assert_int_equal(hits.spans[0].ids[0], 7);
    }
    filter_hits_deinit(&hits);
    matcher_free(m);
    return hit;
}

static void check_case(const struct filter_case *c)
{
    struct policy *p = NULL;
    fault_clear(&fault);
    if (policy_new(&p, c->policy, c->scope, &FILTER_LIMITS_SNS, &fault))
        fail_msg("%s: %s", c->id, fault.text);
    bool want = strcmp(c->expect, "match") == 0;
    if (reference_match(p, &c->message) != want)
        fail_msg("%s: the reference says otherwise", c->id);
    if (compiled_match(p, &c->message) != want)
        fail_msg("%s: the matcher says otherwise", c->id);
    policy_free(p);
}

static size_t check_file(const char *path)
{
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    struct filter_case c;
    size_t n = 0;
    while (case_read(f, &c)) {
        if (strcmp(c.expect, "invalid") != 0) {
            check_case(&c);
            n++;
        }
        case_deinit(&c);
    }
    fclose(f);
    return n;
}

static void test_vectors(void **state)
{
    (void)state;
    assert_int_equal(check_file("tests/cases/filter/vectors.jsonl"), 246);
}

static void test_language(void **state)
{
    (void)state;
    assert_int_equal(check_file("tests/cases/filter/language.jsonl"), 681);
}

static void test_arrays(void **state)
{
    (void)state;
    assert_int_equal(check_file("tests/cases/filter/arrays.jsonl"), 51);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_vectors),
                                       cmocka_unit_test(test_language),
                                       cmocka_unit_test(test_arrays)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
