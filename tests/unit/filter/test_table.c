/* The table: entries are found while it grows, shrinks and moves, whatever their tags. */
#include "common/base/base.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "common/base/mem.h"
#include "filter/match/table.h"

#define COUNT 20000u

static u32 tag_of(u32 id, u32 spread)
{
    return id % spread * 0x9E3779B1u;
}

static bool is_there(const struct table *t, u32 tag, u32 id)
{
    struct table_walk w;
    u32 found;
    table_start(&w, t, tag);
    while ((found = table_next(&w)) != 0)
        if (found == id)
            return true;
    return false;
}

static void check_all(const struct table *t, const u8 *in, u32 spread)
{
    u32 n = 0;
    for (u32 id = 1; id <= COUNT; id++) {
        assert_int_equal(is_there(t, tag_of(id, spread), id), in[id]);
        n += in[id];
    }
    assert_int_equal(t->n, n);
}

static void churn(u32 spread)
{
    struct table t;
    u8 *in = mem_alloc(COUNT + 1);
    table_init(&t);
    for (u32 id = 1; id <= COUNT; id++) {
        table_put(&t, tag_of(id, spread), id);
        in[id] = 1;
    }
    check_all(&t, in, spread);
    for (u32 i = 0; i < 3 * COUNT; i++) {
        u32 id = 1 + (u32)((u64)i * 7919 % COUNT);
        bool out = i < COUNT ? id % 4 != 0 : id % 2 != 0;
        if (in[id] && out)
            table_remove(&t, tag_of(id, spread), id);
        else if (!in[id] && !out)
            table_put(&t, tag_of(id, spread), id);
        else
            continue;
        in[id] = !in[id];
        if (i % 9973 == 0)
            check_all(&t, in, spread);
    }
    check_all(&t, in, spread);
    while (table_step(&t, 100))
        check_all(&t, in, spread);
    for (u32 id = 1; id <= COUNT; id++)
        if (in[id])
            table_remove(&t, tag_of(id, spread), id);
    assert_int_equal(t.n, 0);
    while (table_step(&t, 1000))
        ;
    assert_true(table_bytes(&t) < 4 * COUNT); /* it was ten times that */
    table_deinit(&t);
    mem_free(in);
}

static void test_churn(void **state)
{
    (void)state;
    churn(COUNT);     /* all tags differ */
    churn(COUNT / 8); /* eight entries a tag */
    churn(97);        /* long runs */
}

static void test_step_is_bounded(void **state)
{
    struct table t;
    (void)state;
    table_init(&t);
    for (u32 id = 1; !t.old || t.old_bits < 12; id++)
        table_put(&t, id * 0x9E3779B1u, id);
    u32 before = t.old_at;
    assert_true(table_step(&t, 5));
    assert_int_equal(t.old_at, before + 5);
    table_deinit(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_churn),
        cmocka_unit_test(test_step_is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
