/* pool.[ch]: blocks come back, up to the bound. */
#include "common/base/pool.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

static void sizes(void **state)
{
    struct pool p;

    pool_init(&p, 1 << 20);
    for (size_t want = 1; want < 200000; want = want * 3 + 1) {
        size_t size = want;
        char *block = pool_take(&p, &size);

        assert_true(size >= want);
        memset(block, 'x', size);
        pool_give(&p, block, size);
    }
    pool_give(&p, NULL, 0);
    pool_deinit(&p);
}

static void used_again(void **state)
{
    struct pool p;
    size_t one = 700, two = 900, other = 3000;

    pool_init(&p, 1 << 20);
    void *a = pool_take(&p, &one);

    pool_give(&p, a, one);
    void *b = pool_take(&p, &other);

    assert_ptr_equal(pool_take(&p, &two), a);
    assert_int_equal(p.kept, 0);
    pool_give(&p, a, two);
    pool_give(&p, b, other);
    assert_int_equal(p.kept, two + other);
    pool_deinit(&p);
}

static void bounded(void **state)
{
    struct pool p;
    void *blocks[10];
    size_t size = 4096, large = 100000;

    pool_init(&p, 3 * 4096);
    for (int i = 0; i < 10; i++)
        blocks[i] = pool_take(&p, &size);
    for (int i = 0; i < 10; i++)
        pool_give(&p, blocks[i], size);
    assert_int_equal(p.kept, 3 * 4096);
    void *block = pool_take(&p, &large);

    assert_int_equal(large, 100000);
    pool_give(&p, block, large);
    assert_int_equal(p.kept, 3 * 4096);
    pool_deinit(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sizes),
        cmocka_unit_test(used_again),
        cmocka_unit_test(bounded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
