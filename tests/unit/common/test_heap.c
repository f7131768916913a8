/* heap.[ch]: whatever is put in, moved and taken out, the top is the earliest. */
#include "common/base/heap.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#include "common/base/id.h"

enum { NODES = 500, STEPS = 20000 };

static void check(const struct heap *h)
{
    for (u32 i = 0; i < h->n; i++) {
        assert_int_equal(h->nodes[i]->place, i + 1);
        if (i)
            assert_true(h->nodes[(i - 1) / 2]->due <= h->nodes[i]->due);
    }
}

static void as_a_list(void **state)
{
    static struct heap_node nodes[NODES];
    struct id_source chance;
    struct heap h;
    id_init(&chance, 5);
    heap_init(&h);
    assert_null(heap_top(&h));
    for (int step = 0; step < STEPS; step++) {
        struct heap_node *node = &nodes[id_u64(&chance) % NODES];
        if (id_u64(&chance) % 3)
            heap_set(&h, node, (i64)(id_u64(&chance) % 1000) - 500);
        else
            heap_remove(&h, node);
        i64 earliest = INT64_MAX;
        u32 n = 0;
        for (int i = 0; i < NODES; i++)
            if (nodes[i].place) {
                earliest = MIN(earliest, nodes[i].due);
                n++;
            }
        assert_int_equal(h.n, n);
        if (n)
            assert_true(heap_top(&h)->due == earliest);
        if (step % 100 == 0)
            check(&h);
    }
    i64 last = INT64_MIN;
    for (struct heap_node *top; (top = heap_top(&h));) {
        assert_true(top->due >= last);
        last = top->due;
        heap_remove(&h, top);
        assert_int_equal(top->place, 0);
        heap_remove(&h, top); /* harmless */
    }
    assert_int_equal(h.n, 0);
    heap_deinit(&h);
}

static void bounds_of_time(void **state)
{
    struct heap_node a = {0}, b = {0}, c = {0};
    struct heap h;
    heap_init(&h);
    heap_set(&h, &a, INT64_MAX);
    heap_set(&h, &b, INT64_MIN);
    heap_set(&h, &c, 0);
    assert_ptr_equal(heap_top(&h), &b);
    heap_set(&h, &b, INT64_MAX);
    assert_ptr_equal(heap_top(&h), &c);
    heap_deinit(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_a_list),
        cmocka_unit_test(bounds_of_time),
    };
    return cmocka_run_group_tests_name("heap", tests, NULL, NULL);
}
