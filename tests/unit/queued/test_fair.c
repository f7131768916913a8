/* Fair queues: while a group is noisy, messages of the others come first; nothing is lost, blocked or
 * given twice. */
#include "rig.h"

#include "queued/group.h"

static void send_to(struct rig *r, const char *group, const char *text)
{
    char *member = mem_printf(",'MessageGroupId':'%s'", group);
    char *body = mem_printf("{'QueueUrl':'q','MessageBody':'%s'%s}", text, *group ? member : "");
    rig_do(r, "SendMessage", body);
    mem_free(body);
    mem_free(member);
}

static void send_many(struct rig *r, const char *group, int n)
{
    for (int i = 0; i < n; i++)
        send_to(r, group, group);
}

static struct rig *with_queue(void)
{
    struct rig *r = rig_started();
    rig_create(r, "q");
    return r;
}

/* Receives n messages, ten at most; `hide_s` as text. Returns how many there were. */
static u32 take(struct rig *r, u32 n, i64 hide_ms, struct msg *ret[QUEUE_TAKE_MAX])
{
    u32 got = queue_take(rig_queue(r, "q"), n, hide_ms, ret);
    rig_turn(r);
    queue_check(rig_queue(r, "q"));
    return got;
}

static void take_from(struct rig *r, const char *group, u32 n, bool deleted)
{
    struct msg *got[QUEUE_TAKE_MAX];
    for (u32 i = 0; i < n; i++) {
        assert_int_equal(take(r, 1, 30000, got), 1);
        assert_true(str_is(got[0]->group->id, group));
        if (deleted)
            queue_drop(got[0]);
    }
}

#define NEXT(r, bodies) rig_receives(r, "q", ",'VisibilityTimeout':0", bodies)

/* Below both bounds the order is that of arrival. */
static void a_group_with_few_is_quiet(void **state)
{
    struct rig *r = with_queue();
    send_many(r, "loud", FAIR_NOISY_MIN - 1);
    send_to(r, "quiet", "quiet");
    send_to(r, "", "alone");
    take_from(r, "loud", FAIR_NOISY_MIN - 3, false);
    NEXT(r, "loud;loud;quiet;alone;");
    rig_free(r);
}

static void noisy_by_what_is_in_flight(void **state)
{
    struct rig *r = with_queue();
    send_many(r, "loud", 2 * FAIR_NOISY_MIN);
    send_to(r, "quiet", "first");
    send_to(r, "", "second");
    send_to(r, "quiet", "third");
    take_from(r, "loud", FAIR_NOISY_MIN, false);
    struct msg *got[QUEUE_TAKE_MAX];
    rig_receives(r, "q", ",'MaxNumberOfMessages':3", "first;second;third;");
    rig_restart(r); /* what is in flight is still, so the group is noisy still */
    send_to(r, "quiet", "fourth");
    rig_receives(r, "q", ",'MaxNumberOfMessages':1", "fourth;");
    assert_int_equal(take(r, 1, 30000, got), 1); /* nobody else waits */
    assert_true(str_is(got[0]->group->id, "loud"));
    rig_free(r);
}

/* One that is given most of the receives is noisy, however fast its consumers are. */
static void noisy_by_what_it_was_given(void **state)
{
    struct rig *r = with_queue();
    send_many(r, "loud", 3 * FAIR_NOISY_MIN);
    send_many(r, "quiet", 2);
    take_from(r, "loud", FAIR_NOISY_MIN, true);
    take_from(r, "quiet", 2, true);
    take_from(r, "loud", 10, true);
    send_many(r, "quiet", 1);
    take_from(r, "quiet", 1, true);
    rig_free(r);
}

static void among_noisy_ones_the_fewest_in_flight(void **state)
{
    struct rig *r = with_queue();
    send_many(r, "a", FAIR_NOISY_MIN + 10);
    send_many(r, "b", FAIR_NOISY_MIN + 10);
    take_from(r, "a", FAIR_NOISY_MIN, false);
    take_from(r, "b", FAIR_NOISY_MIN, false); /* quiet until now */
    take_from(r, "a", 1, false);
    take_from(r, "b", 1, false);
    take_from(r, "a", 1, false);
    rig_free(r);
}

/* When what was in flight is back or gone, and the receives were long ago. */
static void noisy_no_more(void **state)
{
    struct rig *r = with_queue();
    struct msg *got[QUEUE_TAKE_MAX];
    send_many(r, "loud", FAIR_NOISY_MIN + 1);
    take_from(r, "loud", FAIR_NOISY_MIN, false);
    for (u32 i = 0; i < 40 * FAIR_EPOCH; i++) {
        queue_put(rig_queue(r, "q"),
                  &(struct new_message){.content = STR("x"),
                                        .group_id = str_of(i % 20 ? "many" : "others")});
        assert_int_equal(queue_take(rig_queue(r, "q"), 1, 30000, got), 1);
        queue_drop(got[0]);
    }
    rig_advance(r, 30000);
    RIG_UNTIL(r, rig_queue(r, "q")->visible_count == FAIR_NOISY_MIN + 1);
    send_to(r, "quiet", "quiet");
    take_from(r, "loud", 1, false);
    rig_free(r);
}

/* Everything that may happen to messages of groups, at random; the queue's own check asserts. */
static void anything(void **state)
{
    static const char *const groups[] = {"", "a", "b", "c", "d"};
    struct rig *r = with_queue();
    struct id_source random;
    struct msg *got[QUEUE_TAKE_MAX];
    id_init(&random, 7);
    for (int i = 0; i < 3000; i++) {
        struct queue *q = rig_queue(r, "q");
        u64 roll = id_u64(&random) % 100;
        str group = str_of(groups[id_u64(&random) % ARRAY_LEN(groups)]);
        if (roll < 45)
            queue_put(q, &(struct new_message){.content = STR("x"),
                                               .group_id = group,
                                               .delay_ms = roll < 5 ? 3000 : 0});
        u32 n = roll >= 45 && roll < 80
                    ? queue_take(q, 1 + (u32)roll % 10, roll < 50 ? 0 : 5000, got)
                    : 0;
        for (u32 k = 0; k < n; k++)
            if (id_u64(&random) % 3 == 0)
                queue_drop(got[k]);
            else if (id_u64(&random) % 3 == 0)
                queue_hide(got[k], id_u64(&random) % 2 ? 0 : 7000);
        if (roll >= 80 && roll < 97)
            rig_advance(r, 1000);
        else if (roll == 97)
            rig_restart(r);
        else if (roll == 98 && i % 7 == 0)
            queue_purge(q);
        queue_check(rig_queue(r, "q"));
    }
    rig_do(r, "DeleteQueue", "{'QueueUrl':'q'}");
    RIG_UNTIL(r, r->d->queues.msgs.msgs.used == 0);
    rig_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_group_with_few_is_quiet),
        cmocka_unit_test(noisy_by_what_is_in_flight),
        cmocka_unit_test(noisy_by_what_it_was_given),
        cmocka_unit_test(among_noisy_ones_the_fewest_in_flight),
        cmocka_unit_test(noisy_no_more),
        cmocka_unit_test(anything),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
