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
        assert_int_equal(h->items[i].node->place, i + 1);
        if (i)
            assert_true(h->items[(i - 1) / 2].due <= h->items[i].due);
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
                earliest = MIN(earliest, heap_due(&h, &nodes[i]));
                n++;
            }
        assert_int_equal(h.n, n);
        if (n)
            assert_true(heap_due(&h, heap_top(&h)) == earliest);
        if (step % 100 == 0)
            check(&h);
    }
    i64 last = INT64_MIN;
    for (struct heap_node *top; (top = heap_top(&h));) {
        assert_true(heap_due(&h, top) >= last);
        last = heap_due(&h, top);
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

/* Also after moves; and memory follows the number of nodes down. */
static void equal_ones_by_their_tie(void **state)
{
    static struct heap_node nodes[NODES];
    struct heap h;
    heap_init(&h);
    for (u32 i = 0; i < NODES; i++) {
        u32 k = i * 71 % NODES;
        heap_set_tied(&h, &nodes[k], 7, UINT64_MAX - k);
        heap_set_tied(&h, &nodes[k], (i64)k % 2, k);
    }
    assert_true(h.cap >= NODES);
    for (u32 i = 0; i < NODES; i++) {
        struct heap_node *top = heap_top(&h);
        assert_ptr_equal(top, &nodes[i < NODES / 2 ? i * 2 : (i - NODES / 2) * 2 + 1]);
        heap_remove(&h, top);
        check(&h);
    }
    assert_true(h.cap <= 64);
    heap_deinit(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_a_list),
        cmocka_unit_test(bounds_of_time),
        cmocka_unit_test(equal_ones_by_their_tie),
    };
    return cmocka_run_group_tests_name("heap", tests, NULL, NULL);
}
