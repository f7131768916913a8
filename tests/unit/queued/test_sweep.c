/* What queued does in the background: what falls due in masses, what expires, and the rows of what is
 * gone, whatever lies between them. */
#include "tests/unit/queued/rig.h"

#include "common/base/id.h"
#include "queued/sweep.h"

/* Moves the clock without a turn: nothing has been done about it yet. */
static void pass(struct rig *r, i64 ms)
{
    clock_advance(&r->d->server.clock, ms);
}

static void put_many(struct rig *r, const char *name, u32 n, i64 delay_ms)
{
    struct queue *q = rig_queue(r, name);
    for (u32 i = 0; i < n; i++)
        queue_put(q, &(struct new_message){.content = STR("x"), .delay_ms = delay_ms});
}

static void a_mass_of_one_queue_does_not_delay_another(void **state)
{
    struct rig *r = rig_started();
    struct queues *qs = &r->d->queues;
    rig_create(r, "mass");
    rig_create(r, "other");
    put_many(r, "mass", 10000, 5000);
    put_many(r, "other", 1, 6000);
    rig_turn(r);
    pass(r, 7000);
    assert_int_equal(qs->sweep.show.step(qs, 100), 100);
    assert_int_equal(rig_queue(r, "other")->visible_count, 1);
    assert_in_range(rig_queue(r, "mass")->visible_count, 50, 100);
    while (qs->sweep.show.step(qs, 100) == 100)
        ;
    rig_counts(r, "mass", 10000, 0, 0);
    assert_true(list_is_empty(&qs->showing));
    assert_null(heap_top(&qs->falls));
    rig_free(r);
}

/* Many queues whose time comes at once are lined up one by one. */
static void many_queues_at_once(void **state)
{
    enum { QUEUES = 300 };
    struct rig *r = rig_started();
    struct queues *qs = &r->d->queues;
    char name[16];
    for (int i = 0; i < QUEUES; i++) {
        snprintf(name, sizeof name, "q%d", i);
        rig_create(r, name);
        put_many(r, name, 1 + (u32)i % 3, 1000 + i % 7);
    }
    pass(r, 1003);
    u32 done = 0, n;
    while ((n = qs->sweep.show.step(qs, 10)) == 10)
        done += n;
    done += n;
    u32 due = 0;
    for (int i = 0; i < QUEUES; i++) {
        snprintf(name, sizeof name, "q%d", i);
        u32 there = 1 + (u32)i % 3;
        bool is_due = i % 7 <= 3;
        due += is_due ? there : 0;
        struct queue *q = rig_queue(r, name);
        queue_check(q);
        assert_int_equal(q->visible_count, is_due ? there : 0);
    }
    assert_int_equal(done, due);
    rig_free(r);
}

/* However much is due, a call finds what a few messages need. */
static void a_call_finds_what_is_due(void **state)
{
    struct rig *r = rig_started();
    rig_create(r, "q");
    rig_create(r, "mass");
    rig_send(r, "q", "m");
    put_many(r, "mass", 5000, 1000);
    char *handle = rig_take(r, "q", ",'VisibilityTimeout':1");
    mem_free(handle);
    pass(r, 1000);
    rig_receives(r, "q", "", "m;");
    rig_free(r);
}

static void what_has_expired_is_not_given_out(void **state)
{
    struct rig *r = rig_started();
    struct queues *qs = &r->d->queues;
    rig_do(r, "CreateQueue", "{'QueueName':'q','Attributes':{'MessageRetentionPeriod':'60'}}");
    put_many(r, "q", 1000, 0);
    rig_turn(r);
    pass(r, 59999);
    put_many(r, "q", 1, 0);
    rig_counts(r, "q", 1001, 0, 0);
    pass(r, 1);
    struct queue *q = rig_queue(r, "q");
    struct msg *taken[QUEUE_TAKE_MAX];
    assert_int_equal(queue_take(q, 10, 1000, taken), 0);
    assert_in_range(q->visible_count, 800, 1000); /* it passed over some, and left it at that */
    queue_check(q);
    RIG_UNTIL(r, q->visible_count == 1);
    assert_int_equal(queue_take(q, 10, 1000, taken), 1);
    RIG_UNTIL(r, qs->msgs.msgs.used == 1);
    rig_turn(r); /* which commits */
    assert_int_equal(rig_rows(r, "message"), 1);
    assert_int_equal(rig_rows(r, "body"), 1);
    rig_free(r);
}

/* --- rows ------------------------------------------------------------------------------------- */

enum { QUEUES = 8 };

static struct queue *some_queue(struct rig *r, u64 i)
{
    char name[16];
    snprintf(name, sizeof name, "q%u", (unsigned)(i % QUEUES));
    return rig_queue(r, name);
}

/* A publication for several queues, its body once. */
static void put_shared(struct rig *r, struct id_source *chance)
{
    struct queues *qs = &r->d->queues;
    u32 n = 2 + (u32)(id_u64(chance) % 5);
    struct msg_body *body = msg_body_new(&qs->msgs, qs->next_id++);
    queue_store_add_body(qs->store, body->row, STR("shared"));
    for (u32 i = 0; i < n; i++)
        queue_put(some_queue(r, id_u64(chance)),
                  &(struct new_message){.shared = body, .delay_ms = id_u64(chance) % 3 * 1000});
}

static void do_something(struct rig *r, struct id_source *chance)
{
    struct queue *q = some_queue(r, id_u64(chance));
    struct msg *m = queue_oldest(q);
    switch (id_u64(chance) % 16) {
    case 0: queue_purge(q); break;
    case 1:
        queues_remove(q);
        rig_create(r, "q0"); /* harmless where it is another one */
        break;
    case 2:
        if (m)
            queue_drop(m);
        break;
    case 3:
        if (m)
            queue_doom(m);
        break;
    case 4:
    case 5:
    case 6: put_shared(r, chance); break;
    default: queue_put(q, &(struct new_message){.content = STR("own")}); break;
    }
    for (int i = 0; i < QUEUES; i++)
        if (!some_queue(r, (u64)i)) {
            char name[16];
            snprintf(name, sizeof name, "q%d", i);
            rig_create(r, name);
        }
}

/* Rows of live messages, and of their bodies. */
static void check_rows(struct rig *r)
{
    struct queues *qs = &r->d->queues;
    struct idmap bodies;
    u64 live = 0, body_rows = 0;
    idmap_init(&bodies, NULL);
    for (int i = 0; i < QUEUES; i++) {
        struct queue *q = some_queue(r, (u64)i);
        queue_check(q);
        list_each(at, next, &q->arrived) {
            struct msg *m = list_item(at, struct msg, arrived);
            live++;
            body_rows += !idmap_put(&bodies, msg_body_row(m), m);
        }
    }
    idmap_deinit(&bodies);
    assert_int_equal(qs->msgs.msgs.used, live);
    assert_int_equal(rig_rows(r, "message"), live);
    assert_int_equal(rig_rows(r, "body"), body_rows);
}

/* Random comings and goings over several queues: what is cleared away is what is gone, no more and
 * no less, in whatever pieces it is done. */
static void clearing_leaves_the_rest(void **state)
{
    for (u64 seed = 1; seed <= 6; seed++) {
        struct rig *r = rig_started();
        struct queues *qs = &r->d->queues;
        struct id_source chance;
        id_init(&chance, seed);
        for (int i = 0; i < QUEUES; i++) {
            char name[16];
            snprintf(name, sizeof name, "q%d", i);
            rig_create(r, name);
        }
        for (int round = 0; round < 20; round++) {
            for (int i = 0; i < 100; i++) {
                do_something(r, &chance);
                if (id_u64(&chance) % 8 == 0)
                    qs->sweep.clear.step(qs, 1 + (u32)(id_u64(&chance) % 40));
            }
            while (queues_first_doomed(qs))
                qs->sweep.clear.step(qs, 1 + (u32)(id_u64(&chance) % 100));
            rig_turn(r);
            check_rows(r);
            if (round % 7 == 6) {
                rig_restart(r);
                qs = &r->d->queues;
                check_rows(r);
            }
        }
        rig_free(r);
    }
}

/* The disk is full in the midst of it: nothing that is gone comes back, nothing else goes. */
static void a_clearing_that_fails(void **state)
{
    struct rig *r = rig_started();
    struct queues *qs = &r->d->queues;
    rig_create(r, "gone");
    rig_create(r, "kept");
    for (int i = 0; i < 2000; i++)
        put_many(r, i % 2 ? "kept" : "gone", 1, 0);
    rig_turn(r);
    rig_do(r, "PurgeQueue", "{'QueueUrl':'gone'}");
    assert_non_null(queues_first_doomed(qs));
    rig_fail_disk();
    RIG_UNTIL(r, r->d->server.failing);
    failing_vfs_heal();
    rig_counts(r, "gone", 0, 0, 0);
    rig_counts(r, "kept", 1000, 0, 0);
    while (r->d->server.failing)
        loop_turn(r->d->server.loop, 100);
    RIG_UNTIL(r, qs->msgs.msgs.used == 1000);
    rig_restart(r);
    rig_counts(r, "gone", 0, 0, 0);
    rig_counts(r, "kept", 1000, 0, 0);
    assert_int_equal(rig_rows(r, "message"), 1000);
    assert_int_equal(rig_rows(r, "body"), 1000);
    rig_free(r);
}

/* What was in flight when its queue was purged is neither due nor counted any more. */
static void purged_in_flight(void **state)
{
    struct rig *r = rig_started();
    struct queues *qs = &r->d->queues;
    struct msg *taken[QUEUE_TAKE_MAX];
    rig_create(r, "q");
    put_many(r, "q", 2000, 0);
    for (int i = 0; i < 150; i++)
        assert_int_equal(queue_take(rig_queue(r, "q"), 10, 5000 + i, taken), 10);
    queue_purge(rig_queue(r, "q"));
    assert_null(heap_top(&qs->falls));
    put_many(r, "q", 3, 1000);
    assert_int_equal(qs->sweep.clear.step(qs, 700), 700);
    pass(r, 60000);
    assert_int_equal(qs->sweep.show.step(qs, 700), 3);
    rig_counts(r, "q", 3, 0, 0);
    RIG_UNTIL(r, qs->msgs.msgs.used == 3);
    rig_counts(r, "q", 3, 0, 0);
    assert_int_equal(qs->msgs.rares.used, 0);
    rig_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_mass_of_one_queue_does_not_delay_another),
        cmocka_unit_test(many_queues_at_once),
        cmocka_unit_test(a_call_finds_what_is_due),
        cmocka_unit_test(what_has_expired_is_not_given_out),
        cmocka_unit_test(clearing_leaves_the_rest),
        cmocka_unit_test(a_clearing_that_fails),
        cmocka_unit_test(purged_in_flight),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
