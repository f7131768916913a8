/* The compiled matcher against the reference of the tests, over generated policies and messages: a
 * bounded share of what tests/fuzz/fuzz_match.c does for as long as asked. Policies come and go
 * between the messages. */
#include "filter/filter.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#include "tests/filter_differential.h"

enum { ROUNDS = 1500, SEED = 20261121 };
enum { CROWDS = 3, CROWD_POLICIES = 2500, CROWD_MESSAGES = 30 };

static void test_generated(void **state)
{
    (void)state;
    struct generator g;
    struct differential_stats stats = {0};
    gen_init(&g, SEED, NULL, 0);
    for (u32 i = 0; i < ROUNDS; i++) {
        gen_reset(&g);
        if (!differential_round(&g, &stats))
            fail_msg("round %u", i);
    }
    gen_deinit(&g);
    /* The generator must not have drifted into cases that say nothing. */
    assert_true(stats.pairs > 200000);
    assert_true(stats.hits * 100 > stats.pairs * 4);
    assert_true(stats.hits * 100 < stats.pairs * 40);
    assert_true(stats.refused * 10 < stats.policies);
}

/* Few rounds, many policies. */
static void test_crowds(void **state)
{
    (void)state;
    struct generator g;
    struct differential_stats stats = {0};
    gen_init(&g, SEED + 1, NULL, 0);
    g.is_wide = true;
    for (u32 i = 0; i < CROWDS; i++) {
        gen_reset(&g);
        if (!differential_crowd(&g, CROWD_POLICIES, CROWD_MESSAGES, &stats))
            fail_msg("crowd %u", i);
    }
    gen_deinit(&g);
    assert_true(stats.hits * 100 > stats.pairs * 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_generated),
                                       cmocka_unit_test(test_crowds)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
