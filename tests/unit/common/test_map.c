/* map.[ch]: both tables against a plain array that does the same, entry by entry, over random
 * insertions, replacements, removals and walks. */
#include "common/base/map.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

#include "common/base/buf.h"
#include "common/base/id.h"
#include "common/base/mem.h"

enum { KEYS = 3000, STEPS = 200000 };

static char names[KEYS][24];
static int marks[KEYS]; /* &marks[i] is a value for key i */
static bool present[KEYS];

static str name_of(size_t i)
{
    return str_of(names[i]);
}

static size_t count_present(void)
{
    size_t n = 0;
    for (size_t i = 0; i < KEYS; i++)
        n += present[i];
    return n;
}

static void prepare(void)
{
    for (size_t i = 0; i < KEYS; i++) {
        /* Lengths from 1 to beyond 16, where the hash takes another road. */
        snprintf(names[i], sizeof names[i], "%zu%.*s", i, (int)(i % 18), "queue-name-suffix");
        present[i] = false;
        marks[i] = 0;
    }
}

static void map_as_array(void **state)
{
    struct id_source chance;
    struct map m;
    id_init(&chance, 11);
    map_init(&m, NULL);
    prepare();
    assert_null(map_get(&m, STR("none")));
    assert_null(map_del(&m, STR("none")));
    for (int step = 0; step < STEPS; step++) {
        /* The range swells and shrinks, so that the table fills and empties. */
        size_t i = id_u64(&chance) % (step / 1000 % 2 ? KEYS : 50);
        void *before = present[i] ? &marks[i] : NULL;
        switch (id_u64(&chance) % 3) {
        case 0:
            assert_ptr_equal(map_put(&m, name_of(i), &marks[i]), before);
            present[i] = true;
            break;
        case 1:
            assert_ptr_equal(map_del(&m, name_of(i)), before);
            present[i] = false;
            break;
        default: assert_ptr_equal(map_get(&m, name_of(i)), before);
        }
    }
    assert_int_equal(m.n, count_present());
    for (size_t i = 0; i < KEYS; i++)
        assert_ptr_equal(map_get(&m, name_of(i)), present[i] ? &marks[i] : NULL);
    map_deinit(&m);
}

/* A walk that removes every other entry it meets sees every entry once, whatever part of it has moved
 * to a larger table. */
static void map_walk(void **state)
{
    for (size_t keys = 0; keys < 300; keys++) {
        struct map m;
        size_t pos = 0, seen = 0;
        int *v;
        map_init(&m, NULL);
        prepare();
        for (size_t i = 0; i < keys; i++)
            map_put(&m, name_of(i), &marks[i]);
        for (; (v = map_next(&m, &pos)); seen++) {
            assert_int_equal((*v)++, 0);
            if (seen % 2)
                assert_ptr_equal(map_del(&m, name_of((size_t)(v - marks))), v);
        }
        assert_int_equal(seen, keys);
        assert_int_equal(m.n, keys - keys / 2);
        map_deinit(&m);
    }
}

/* No put moves more than a few entries, and a table is filled before it has to grow again. */
static void growth_is_bounded(void **state)
{
    struct map m;
    struct idmap ids;
    size_t grown = 0;
    map_init(&m, NULL);
    idmap_init(&ids, NULL);
    prepare();
    for (size_t i = 0; i < KEYS; i++) {
        size_t left = m.old.n, cap = m.cap, ids_at = ids.old.at, ids_cap = ids.cap;
        map_put(&m, name_of(i), &marks[i]);
        idmap_put(&ids, i + 1, &marks[i]);
        grown += m.old.slots && m.cap != cap;
        if (m.cap != cap && cap) {
            assert_int_equal(left, 0);
            assert_in_range(m.old.n, i < 16 ? 0 : i - 16, i);
        } else {
            assert_in_range(m.old.n, left < 16 ? 0 : left - 16, left);
        }
        if (ids.cap != ids_cap)
            assert_int_equal(ids_at, 0);
        else if (ids.old.slots)
            assert_in_range(ids.old.at, ids_at, ids_at + 16);
    }
    assert_true(grown >= 6);
    map_deinit(&m);
    idmap_deinit(&ids);
}

/* A drain leaves a small table, which is reached in small steps. */
static void tables_shrink(void **state)
{
    struct map m;
    struct idmap ids;
    map_init(&m, NULL);
    idmap_init(&ids, NULL);
    prepare();
    for (u64 i = 1; i <= 40000; i++)
        idmap_put(&ids, i, &ids);
    for (size_t i = 0; i < KEYS; i++)
        map_put(&m, name_of(i), &marks[i]);
    for (u64 i = 1; i <= 39990; i++) {
        assert_ptr_equal(idmap_del(&ids, i), &ids);
        size_t at = ids.old.at;
        idmap_shrink(&ids);
        assert_true(!ids.old.slots || ids.old.at <= at + 64);
        assert_ptr_equal(idmap_get(&ids, i + 1), &ids);
    }
    for (size_t i = 0; i < KEYS - 10; i++) {
        assert_ptr_equal(map_del(&m, name_of(i)), &marks[i]);
        map_shrink(&m);
        assert_ptr_equal(map_get(&m, name_of(i + 1)), &marks[i + 1]);
    }
    assert_int_equal(ids.cap, 4096);
    assert_int_equal(m.cap, 1024);
    for (u64 i = 39991; i <= 40000; i++)
        assert_ptr_equal(idmap_get(&ids, i), &ids);
    for (size_t i = KEYS - 10; i < KEYS; i++)
        assert_ptr_equal(map_get(&m, name_of(i)), &marks[i]);
    assert_int_equal(ids.n, 10);
    assert_int_equal(m.n, 10);
    map_deinit(&m);
    idmap_deinit(&ids);
}

/* The order of both tables' walks under the seed that this number draws, as a text. */
static char *walk_order(u64 number)
{
    struct id_source chance;
    struct map_seed seed;
    struct map m;
    struct idmap ids;
    struct buf out = {0};
    int *v;

    id_init(&chance, number);
    map_seed_init(&seed, &chance);
    map_init(&m, &seed);
    idmap_init(&ids, &seed);
    for (size_t i = 0; i < KEYS; i++) {
        map_put(&m, name_of(i), &marks[i]);
        idmap_put(&ids, i + 1, &marks[i]);
    }
    for (size_t pos = 0; (v = map_next(&m, &pos));)
        buf_printf(&out, "%zu ", (size_t)(v - marks));
    for (size_t pos = 0; (v = idmap_next(&ids, &pos));)
        buf_printf(&out, "%zu ", (size_t)(v - marks));
    map_deinit(&m);
    idmap_deinit(&ids);
    return out.p;
}

/* One seed, one order; another seed, another one. */
static void walk_follows_the_seed(void **state)
{
    prepare();
    char *one = walk_order(7), *again = walk_order(7), *other = walk_order(8);

    assert_string_equal(one, again);
    assert_string_not_equal(one, other);
    mem_free(one);
    mem_free(again);
    mem_free(other);
}

/* Many that come and go leave a table of the size that a few need. */
static void map_does_not_creep(void **state)
{
    struct map m;
    map_init(&m, NULL);
    for (int round = 0; round < 100000; round++) {
        char name[24];
        snprintf(name, sizeof name, "round-%d", round);
        map_put(&m, str_of(name), &marks[0]);
        assert_non_null(map_del(&m, str_of(name)));
    }
    assert_int_equal(m.n, 0);
    assert_true(m.cap <= 64);
    map_deinit(&m);
}

static void map_replaces_the_key(void **state)
{
    struct map m;
    char first[] = "key", second[] = "key";
    int value;
    map_init(&m, NULL);
    assert_null(map_put(&m, str_of(first), &value));
    assert_ptr_equal(map_put(&m, str_of(second), &value), &value);
    memset(first, 'x', 3); /* the first key is no longer read */
    assert_ptr_equal(map_get(&m, STR("key")), &value);
    assert_ptr_equal(map_put(&m, STR(""), &value), NULL);
    assert_ptr_equal(map_get(&m, STR_NONE), &value);
    map_deinit(&m);
}

static void hash_differs(void **state)
{
    /* Every byte and the length count: flipping any bit changes the hash. */
    char text[64];
    for (size_t n = 1; n <= sizeof text; n++) {
        memset(text, 'q', sizeof text);
        u64 h = map_hash(NULL, (str){text, n});
        assert_true(h != map_hash(NULL, (str){text, n - 1}));
        for (size_t bit = 0; bit < n * 8; bit++) {
            text[bit / 8] ^= (char)(1 << bit % 8);
            assert_true(h != map_hash(NULL, (str){text, n}));
            text[bit / 8] ^= (char)(1 << bit % 8);
        }
        assert_true(h == map_hash(NULL, (str){text, n}));
    }
}

static u64 id_of(size_t i)
{
    /* In step with powers of two, the worst for a table that would mask only. */
    return (u64)(i + 1) << 20;
}

static void idmap_as_array(void **state)
{
    struct id_source chance;
    struct idmap m;
    id_init(&chance, 12);
    idmap_init(&m, NULL);
    prepare();
    assert_null(idmap_get(&m, 5));
    assert_null(idmap_del(&m, 5));
    for (int step = 0; step < STEPS; step++) {
        size_t i = id_u64(&chance) % (step / 1000 % 2 ? KEYS : 50);
        void *before = present[i] ? &marks[i] : NULL;
        switch (id_u64(&chance) % 3) {
        case 0:
            assert_ptr_equal(idmap_put(&m, id_of(i), &marks[i]), before);
            present[i] = true;
            break;
        case 1:
            assert_ptr_equal(idmap_del(&m, id_of(i)), before);
            present[i] = false;
            break;
        default: assert_ptr_equal(idmap_get(&m, id_of(i)), before);
        }
    }
    assert_int_equal(m.n, count_present());
    for (size_t i = 0; i < KEYS; i++)
        assert_ptr_equal(idmap_get(&m, id_of(i)), present[i] ? &marks[i] : NULL);
    idmap_deinit(&m);
}

/* Walks over tables of every filling, removing by chance; removal moves entries about here. */
static void idmap_walk(void **state)
{
    struct id_source chance;
    id_init(&chance, 13);
    for (size_t keys = 0; keys < 300; keys++) {
        struct idmap m;
        size_t pos = 0, seen = 0, removed = 0;
        int *v;
        idmap_init(&m, NULL);
        prepare();
        for (size_t i = 0; i < keys; i++)
            idmap_put(&m, id_of(i) + keys, &marks[i]);
        for (; (v = idmap_next(&m, &pos)); seen++) {
            assert_int_equal((*v)++, 0);
            if (id_u64(&chance) % 4 == 0)
                continue;
            assert_ptr_equal(idmap_del(&m, id_of((size_t)(v - marks)) + keys), v);
            removed++;
        }
        assert_int_equal(seen, keys);
        assert_int_equal(m.n, keys - removed);
        idmap_deinit(&m);
    }
}

/* Load up to seven eighths, as memory per waiting message is counted on it. */
static void idmap_is_dense(void **state)
{
    struct idmap m;
    idmap_init(&m, NULL);
    for (u64 i = 1; i <= 14 * 1024; i++)
        idmap_put(&m, i, &m);
    assert_int_equal(m.cap, 16 * 1024);
    idmap_put(&m, 14 * 1024 + 1, &m);
    assert_int_equal(m.cap, 32 * 1024);
    idmap_deinit(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(map_as_array),          cmocka_unit_test(map_walk),
        cmocka_unit_test(walk_follows_the_seed), cmocka_unit_test(map_does_not_creep),
        cmocka_unit_test(map_replaces_the_key),  cmocka_unit_test(hash_differs),
        cmocka_unit_test(idmap_as_array),        cmocka_unit_test(idmap_walk),
        cmocka_unit_test(idmap_is_dense),        cmocka_unit_test(growth_is_bounded),
        cmocka_unit_test(tables_shrink),
    };
    return cmocka_run_group_tests_name("map", tests, NULL, NULL);
}
