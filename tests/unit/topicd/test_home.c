/* Queueds are known by the names of their stores, wherever they are reached: what waits for one
 * waits for that one, and for nobody who stands in its place. */
#include "tests/unit/topicd/rig.h"

#define PUBLISH(text) "Action=Publish&TopicArn=" RIG_TOPIC "&Message=" text
#define SUBSCRIBE(q)  "Action=Subscribe&Protocol=sqs&TopicArn=" RIG_TOPIC "&Endpoint=" RIG_QUEUE(q)

static struct rig *open_rig(u32 queueds)
{
    struct rig *r = rig_new(queueds);

    for (u32 i = 0; i < queueds; i++)
        fake_open(&r->fakes[i]);
    rig_start(r);
    RIG_OK(r, "Action=CreateTopic&Name=t");
    RIG_OK(r, SUBSCRIBE("a"));
    RIG_UNTIL(r, rig_is_live(r));
    return r;
}

static void bodies_are(struct fake *q, const char *expected)
{
    assert_string_equal(q->bodies.p ? q->bodies.p : "", expected);
}

#define BODIES_COME(r, q, expected)                                                                \
    do {                                                                                           \
        RIG_UNTIL(r, (q)->bodies.n >= strlen(expected));                                           \
        bodies_are(q, expected);                                                                   \
    } while (0)

static void close_fake(struct rig *r, u32 i)
{
    fake_close(&r->fakes[i]);
    RIG_UNTIL(r, r->t->queueds.links[i]->state == QUEUED_LINK_DOWN);
}

/* From now on another one is played there, who never heard anything. */
static void replace(struct fake *q, const char *instance)
{
    snprintf(q->instance, sizeof(q->instance), "%s", instance);
    memset(q->runs, 0, sizeof(q->runs));
    buf_reset(&q->bodies);
    buf_z(&q->bodies, "");
}

static u64 waiting(const struct rig *r, const char *instance)
{
    const struct home *h = homes_find(&r->t->queueds.homes, str_of(instance));

    return h ? h->outbox->frames : UINT64_MAX;
}

#define FIRST  "00000000-0000-4000-8000-000000000000"
#define SECOND "00000000-0000-4000-8000-000000000001"
#define OTHER  "00000000-0000-4000-8000-00000000000f"

/* Another one is behind the link: it gets nothing that waits for the first, which gets it all when
 * it is back, over a restart, too. */
static void test_another_one_in_its_place(void **state)
{
    struct rig *r = open_rig(1);
    struct fake *q = &r->fakes[0];
    struct fake_run runs[RIG_RUNS_MAX];

    RIG_OK(r, PUBLISH("1"));
    close_fake(r, 0);
    RIG_OK(r, PUBLISH("2"));
    assert_int_equal(waiting(r, FIRST), 1);
    memcpy(runs, q->runs, sizeof(runs));
    replace(q, OTHER);
    fake_open(q);
    RIG_UNTIL(r, rig_is_live(r));
    RIG_OK(r, PUBLISH("3"));
    BODIES_COME(r, q, "a=3;");
    assert_int_equal(waiting(r, FIRST), 1);
    assert_true(home_is_orphan(homes_find(&r->t->queueds.homes, STR(FIRST))));
    close_fake(r, 0);
    RIG_OK(r, PUBLISH("4"));
    assert_int_equal(waiting(r, OTHER), 1);
    rig_stop(r);
    rig_start(r);
    assert_true(home_is_orphan(homes_find(&r->t->queueds.homes, STR(FIRST))));
    RIG_OK(r, PUBLISH("5"));
    assert_int_equal(waiting(r, OTHER), 2);
    replace(q, FIRST);
    memcpy(q->runs, runs, sizeof(runs));
    fake_open(q);
    RIG_UNTIL(r, rig_is_live(r));
    BODIES_COME(r, q, "a=2;");
    RIG_OK(r, PUBLISH("6"));
    BODIES_COME(r, q, "a=2;a=6;");
    assert_int_equal(waiting(r, OTHER), 2);
    rig_free(r);
}

/* It is reached at another URL: what waited for it, and what it owns, goes with it. */
static void test_it_has_moved(void **state)
{
    struct rig *r = open_rig(2);

    fake_announce(&r->fakes[0], "a");
    RIG_UNTIL(r, r->t->queueds.directory.queues.n == 1);
    RIG_OK(r, PUBLISH("1"));
    close_fake(r, 0);
    RIG_OK(r, PUBLISH("2"));
    close_fake(r, 1);
    /* The first is at the second's place, and nobody is at its own. */
    replace(&r->fakes[1], FIRST);
    memcpy(r->fakes[1].runs, r->fakes[0].runs, sizeof(r->fakes[0].runs));
    r->fakes[1].queues = "a";
    fake_open(&r->fakes[1]);
    RIG_UNTIL(r, r->t->queueds.links[1]->state == QUEUED_LINK_LIVE);
    BODIES_COME(r, &r->fakes[1], "a=2;");
    RIG_OK(r, PUBLISH("3"));
    BODIES_COME(r, &r->fakes[1], "a=2;a=3;");
    rig_stop(r);
    rig_start(r);
    RIG_OK(r, PUBLISH("4"));
    RIG_UNTIL(r, r->t->queueds.links[1]->state == QUEUED_LINK_LIVE);
    BODIES_COME(r, &r->fakes[1], "a=2;a=3;a=4;");
    rig_free(r);
}

/* Two of one name: the second is a copy of the first one's store, and not used. */
static void test_a_copy_is_not_used(void **state)
{
    struct rig *r = rig_new(2);

    snprintf(r->fakes[1].instance, ID_UUID_SIZE, "%s", FIRST);
    r->fakes[0].queues = "a";
    fake_open(&r->fakes[0]);
    rig_start(r);
    RIG_UNTIL(r, r->t->queueds.links[0]->state == QUEUED_LINK_LIVE);
    fake_open(&r->fakes[1]);
    RIG_UNTIL(r, r->fakes[1].hellos >= 2);
    assert_true(r->t->queueds.links[1]->is_copy);
    assert_false(queued_link_is_up(r->t->queueds.links[1]));
    RIG_OK(r, "Action=CreateTopic&Name=t");
    RIG_OK(r, SUBSCRIBE("a"));
    RIG_OK(r, PUBLISH("1"));
    BODIES_COME(r, &r->fakes[0], "a=1;");
    assert_int_equal(r->fakes[1].delivers, 0);
    fake_close(&r->fakes[1]);
    replace(&r->fakes[1], SECOND);
    fake_open(&r->fakes[1]);
    RIG_UNTIL(r, rig_is_live(r));
    assert_false(r->t->queueds.links[1]->is_copy);
    rig_free(r);
}

/* --- a store of user_version 1 ---------------------------------------------------------------- */

#define RECEIPTS "arn:aws:sns:us-east-1:000000000000:receipts"
#define FAR(text)                                                                                  \
    "Action=Publish&TopicArn=" RECEIPTS "&MessageAttributes.entry.1.Name=kind"                     \
    "&MessageAttributes.entry.1.Value.DataType=String"                                             \
    "&MessageAttributes.entry.1.Value.StringValue=far&Message=" text
#define OLD_RUN "ab781070-a9fa-4d9c-9f7d-93d6387a67e7"

/* The store that the earlier version left, its queueds at the rig's URLs. */
static struct rig *open_version_1(u32 queueds)
{
    struct rig *r = rig_new(queueds);
    char *path = mem_printf("%s/topicd.db", r->dir);

    store_aid_copy("tests/stores/v1/topicd.db", path);
    for (u32 i = 0; i < 2; i++) {
        char *sql = mem_printf("UPDATE queued SET address='ipc://%s/queued%u.link' WHERE "
                               "address='ipc:///run/toque/queued%s.link';"
                               "UPDATE home SET queued='ipc://%s/queued%u.link' WHERE "
                               "queued='ipc:///run/toque/queued%s.link'",
                               r->dir, i, i ? "2" : "", r->dir, i, i ? "2" : "");

        store_aid_sql(path, sql);
        mem_free(sql);
    }
    mem_free(path);
    return r;
}

static u64 far_5(const struct fake *q)
{
    u64 n = 0;

    for (const char *at = q->bodies.p; at && (at = strstr(at, "far-5=")); at++)
        n++;
    return n;
}

static void test_version_1_is_named_when_it_greets(void **state)
{
    struct rig *r = open_version_1(2);
    struct queueds *q;

    r->fakes[0].queues = "far-0,far-1,far-2,far-3,far-4,plain,wrapped";
    r->fakes[1].queues = "delayed,far-5,in-flight,purged,raw";
    /* The first of what waits was applied, and topicd died before it heard so. */
    memcpy(r->fakes[1].runs[0].incarnation, OLD_RUN, sizeof(OLD_RUN));
    r->fakes[1].runs[0].applied = 915198260447019011;
    rig_start(r);
    q = &r->t->queueds;
    assert_int_equal(q->links[1]->home->outbox->frames, 3);
    assert_true(home_is_unnamed(q->links[1]->home));
    RIG_OK(r, FAR("new")); /* for the old name's outbox */
    assert_int_equal(q->links[1]->home->outbox->frames, 4);
    fake_open(&r->fakes[0]);
    fake_open(&r->fakes[1]);
    RIG_UNTIL(r, rig_is_live(r) && q->links[1]->home->outbox->frames == 0);
    assert_string_equal(q->links[1]->home->name, SECOND);
    assert_int_equal(far_5(&r->fakes[1]), 3); /* two of the old ones, and the new one */
    assert_int_equal(r->fakes[1].again, 1);
    assert_int_equal(q->homes.items[HOME_NOWHERE]->outbox->frames, 0);
    rig_stop(r);
    rig_start(r);
    assert_non_null(homes_find(&r->t->queueds.homes, STR(SECOND)));
    assert_int_equal(r->t->queueds.homes.n, 3);
    rig_free(r);
}

/* It was met at another URL first, so what waits under the old one joins it later. */
static void test_version_1_joins_a_name_that_is_known(void **state)
{
    struct rig *r = open_version_1(1);
    struct fake *q = &r->fakes[0];
    char *elsewhere = mem_printf("ipc://%s/elsewhere.link", r->dir);
    char *url = q->url;

    snprintf(q->instance, ID_UUID_SIZE, "%s", SECOND);
    rig_set(r, "queued", elsewhere);
    q->url = elsewhere;
    fake_open(q);
    rig_start(r);
    RIG_UNTIL(r, rig_is_live(r));
    assert_int_equal(far_5(q), 0);
    fake_close(q);
    RIG_UNTIL(r, r->t->queueds.links[0]->state == QUEUED_LINK_DOWN);
    RIG_OK(r, FAR("new"));
    rig_stop(r);
    /* Back at what was the second one's URL. */
    char *second = mem_printf("ipc://%s/queued1.link", r->dir);

    rig_set(r, "queued", second);
    q->url = second;
    rig_start(r);
    assert_int_equal(r->t->queueds.links[0]->home->outbox->frames, 3);
    RIG_OK(r, FAR("newer"));
    fake_open(q);
    RIG_UNTIL(r, rig_is_live(r) && waiting(r, SECOND) == 0);
    assert_int_equal(far_5(q), 3 + 2);
    RIG_OK(r, FAR("newest"));
    assert_int_equal(far_5(q), 3 + 3);
    mem_free(url);
    mem_free(elsewhere);
    rig_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_another_one_in_its_place),
        cmocka_unit_test(test_it_has_moved),
        cmocka_unit_test(test_a_copy_is_not_used),
        cmocka_unit_test(test_version_1_is_named_when_it_greets),
        cmocka_unit_test(test_version_1_joins_a_name_that_is_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
