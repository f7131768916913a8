/* What memory holds of messages: their states, the index by id, origins; the slab and the order
 * beneath and beside it. */
#include "common/base/base.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "common/base/id.h"
#include "common/base/mem.h"
#include "queued/queue.h"
#include "common/base/skiplist.h"

static struct msgs ms;
static struct queue the_queue;

#define QUEUE (&the_queue)

/* The first of the hidden messages. */
static struct msg *first_hidden(void)
{
    struct heap_node *top = heap_top(&the_queue.hidden);
    return top ? container_of(top, struct msg_rare, due)->msg : NULL;
}

static int fresh(void **state)
{
    msgs_init(&ms, NULL);
    heap_init(&the_queue.hidden);
    return 0;
}

static int gone(void **state)
{
    heap_deinit(&the_queue.hidden);
    msgs_deinit(&ms);
    return 0;
}

static void states(void **state)
{
    struct list arrived;
    list_init(&arrived);
    struct msg *m = msg_new(&ms, QUEUE, 7, 1000);
    list_push_back(&arrived, &m->arrived);
    assert_int_equal(msg_state(m), MSG_VISIBLE);
    msg_check(&ms, m);
    msg_hide(&ms, m, 2000);
    assert_int_equal(msg_state(m), MSG_DELAYED);
    assert_int_equal(msg_due_ms(m), 2000);
    assert_ptr_equal(first_hidden(), m);
    msg_check(&ms, m);
    msg_show(&ms, m);
    assert_int_equal(msg_state(m), MSG_VISIBLE);
    assert_null(m->rare); /* nothing is kept of a delay that is over */
    assert_null(first_hidden());
    msg_count(&ms, m, 3000);
    assert_int_equal(msg_state(m), MSG_VISIBLE);
    msg_hide(&ms, m, 4000);
    assert_int_equal(msg_state(m), MSG_LEASED);
    msg_count(&ms, m, 5000);
    msg_check(&ms, m);
    assert_int_equal(msg_receives(m), 2);
    assert_int_equal(msg_first_ms(m), 3000);
    msg_show(&ms, m);
    assert_int_equal(msg_due_ms(m), 0);
    assert_int_equal(msg_receives(m), 2);
    msg_free(&ms, m);
    assert_null(msg_find(&ms, 7));
    assert_int_equal(ms.rares.used, 0);
    assert_int_equal(the_queue.hidden.n, 0);
}

static void what_is_due_at_once_comes_in_the_order_of_arrival(void **state)
{
    enum { MESSAGES = 300 };
    for (u64 i = 0; i < MESSAGES; i++) {
        u64 id = 1 + i * 71 % MESSAGES;
        msg_hide(&ms, msg_new(&ms, QUEUE, id, 1), 5000 + (i64)(id % 3));
    }
    for (u64 rest = 0; rest < 3; rest++)
        for (u64 id = rest ? rest : 3; id <= MESSAGES; id += 3) {
            struct msg *m = first_hidden();
            assert_int_equal(m->seq, id);
            msg_free(&ms, m);
        }
    assert_null(first_hidden());
}

/* Random comings and goings against a plain table. */
static void the_index_finds_what_is_there(void **state)
{
    enum { IDS = 5000 };
    static bool there[IDS];
    struct id_source ids;
    id_init(&ids, 42);
    memset(there, 0, sizeof there);
    for (int step = 0; step < 100000; step++) {
        u64 id = id_u64(&ids) % IDS;
        struct msg *m = msg_find(&ms, id);
        assert_int_equal(m != NULL, there[id]);
        if (m) {
            assert_int_equal(m->seq, id);
            msg_free(&ms, m);
        } else {
            msg_new(&ms, QUEUE, id, (i64)id);
        }
        there[id] = !there[id];
    }
    for (u64 id = 0; id < IDS; id++)
        if (there[id])
            msg_free(&ms, msg_find(&ms, id));
    assert_int_equal(ms.msgs.used, 0);
    assert_int_equal(ms.chunks.n, 0);
}

static void origins_are_shared_and_go_with_the_last(void **state)
{
    u32 a = origin_hold(&ms, STR("arn:a")), b = origin_hold(&ms, STR("arn:b"));
    assert_int_equal(origin_hold(&ms, STR("")), 0);
    assert_int_equal(origin_hold(&ms, STR("arn:a")), a);
    assert_true(a && b && a != b);
    assert_true(str_is(origin_arn(&ms, a), "arn:a"));
    assert_int_equal(origin_arn(&ms, 0).n, 0);
    origin_drop(&ms, a);
    assert_true(str_is(origin_arn(&ms, a), "arn:a"));
    origin_drop(&ms, a);
    u32 c = origin_hold(&ms, STR("arn:c"));
    assert_int_equal(c, a); /* places are used again */
    assert_true(str_is(origin_arn(&ms, b), "arn:b"));
    origin_drop(&ms, b);
    origin_drop(&ms, c);
    assert_int_equal(ms.origin_of.n, 0);
    for (u32 i = 0; i < 1000; i++) {
        char name[16];
        int n = snprintf(name, sizeof name, "%u", i);
        assert_int_equal(origin_hold(&ms, str_from(name, (size_t)n)), i + 1);
    }
}

/* A drained slab keeps no more than a few blocks, and gives what is zeroed. */
static void slabs(void **state)
{
    enum { ITEMS = 20000, SIZE = 72 };
    static void *items[ITEMS];
    struct slab s;
    slab_init(&s, SIZE);
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < ITEMS; i++) {
            items[i] = slab_take(&s);
            for (int k = 0; k < SIZE; k++)
                assert_int_equal(((u8 *)items[i])[k], 0);
            memset(items[i], 0xee, SIZE);
        }
        assert_int_equal(s.used, ITEMS);
        for (int i = 0; i < ITEMS; i += 2)
            slab_give(&s, items[i]);
        for (int i = 1; i < ITEMS; i += 2)
            slab_give(&s, items[i]);
        assert_int_equal(s.used, 0);
    }
    u32 blocks = 0;
    for (struct list *at = s.partly.next; at != &s.partly; at = at->next)
        blocks++;
    assert_true(list_is_empty(&s.full));
    assert_int_equal(blocks, s.idle);
    assert_true(blocks <= 8);
    slab_deinit(&s);
}

static void skiplist_by_name(void **state)
{
    enum { NAMES = 2000 };
    static char names[NAMES][8];
    struct skiplist o;
    skiplist_init(&o);
    for (u32 i = 0; i < NAMES; i++) {
        u32 k = i * 1237 % NAMES; /* every name once, in another order */
        int n = snprintf(names[k], sizeof names[k], "%05u", k);
        skiplist_put(&o, str_from(names[k], (size_t)n), names[k]);
    }
    u32 want = 0;
    for (struct skiplist_node *n = skiplist_from(&o, STR("")); n; n = skiplist_next(n), want++)
        assert_ptr_equal(skiplist_value(n), names[want]);
    assert_int_equal(want, NAMES);
    assert_ptr_equal(skiplist_value(skiplist_from(&o, STR("0077"))), names[770]);
    assert_ptr_equal(skiplist_value(skiplist_from(&o, STR("00771"))), names[771]);
    assert_null(skiplist_from(&o, STR("9")));
    for (u32 i = 0; i < NAMES; i += 2)
        skiplist_del(&o, str_of(names[i]));
    skiplist_del(&o, STR("00000"));
    assert_ptr_equal(skiplist_value(skiplist_from(&o, STR("00100"))), names[101]);
    skiplist_deinit(&o);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(states, fresh, gone),
        cmocka_unit_test_setup_teardown(what_is_due_at_once_comes_in_the_order_of_arrival, fresh,
                                        gone),
        cmocka_unit_test_setup_teardown(the_index_finds_what_is_there, fresh, gone),
        cmocka_unit_test_setup_teardown(origins_are_shared_and_go_with_the_last, fresh, gone),
        cmocka_unit_test(slabs),
        cmocka_unit_test(skiplist_by_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
