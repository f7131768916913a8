/* slab.[ch]: items are apart and zeroed whatever came and went, and an empty slab holds next to no
 * memory. */
#include "common/base/slab.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

#include "common/base/id.h"

enum { SIZE = 88, ITEMS = 200000 };

static void *items[ITEMS];

static u64 resident_kib(void)
{
    long total, resident = 0;
    FILE *f = fopen("/proc/self/statm", "r");

    assert_non_null(f);
    assert_int_equal(fscanf(f, "%ld %ld", &total, &resident), 2);
    fclose(f);
    return (u64)resident * (u64)sysconf(_SC_PAGESIZE) / 1024;
}

static void take(struct slab *s, u32 i)
{
    static const char zero[SIZE];

    items[i] = slab_take(s);
    assert_memory_equal(items[i], zero, SIZE);
    memset(items[i], (int)(i % 251 + 1), SIZE);
}

static void give(struct slab *s, u32 i)
{
    for (u32 k = 0; k < SIZE; k++)
        assert_int_equal(((u8 *)items[i])[k], i % 251 + 1);
    slab_give(s, items[i]);
    items[i] = NULL;
}

static void items_are_apart(void **state)
{
    struct slab s;
    struct id_source chance;

    id_init(&chance, 7);
    slab_init(&s, SIZE);
    for (u32 step = 0; step < 400000; step++) {
        u32 i = (u32)(id_u64(&chance) % 5000);

        if (items[i])
            give(&s, i);
        else
            take(&s, i);
    }
    for (u32 i = 0; i < ITEMS; i++)
        if (items[i])
            give(&s, i);
    assert_int_equal(s.used, 0);
    slab_deinit(&s);
}

/* In the order in which they came, in another one, and with a survivor here and there. */
static void memory_goes_back(void **state)
{
    struct slab s;

    memset(items, 0, sizeof(items)); /* its own pages are there from here on */
    u64 before = resident_kib();

    slab_init(&s, SIZE);
    for (u32 round = 0; round < 3; round++) {
        for (u32 i = 0; i < ITEMS; i++)
            if (!items[i])
                take(&s, i);
        assert_true(resident_kib() > before + ITEMS * SIZE / 1024 * 9 / 10);
        for (u32 i = 0; i < ITEMS; i++) {
            u32 k = round == 1 ? (u32)((u64)i * 7919 % ITEMS) : i;

            if (k % 20000 != 3)
                give(&s, k);
        }
        assert_int_equal(s.used, ITEMS / 20000);
        assert_true(resident_kib() < before + 2048);
    }
    slab_deinit(&s);
    memset(items, 0, sizeof(items));
    assert_true(resident_kib() < before + 1024);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(items_are_apart),
        cmocka_unit_test(memory_goes_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
