/* topicd's outbox over an engine that settles turns and brings frames when the test says so: a publish
 * is safe when its turn is durable, what is read for one session is not sent in another, and a lost
 * turn leaves nothing behind. */
#include "tests/unit/topicd/rig.h"

#include "tests/delaying/delaying.h"

#define PUBLISH(text) "Action=Publish&TopicArn=" RIG_TOPIC "&Message=" text

static struct delaying_conf conf;

/* In the place of the library's. */
int topic_store_open(struct topic_store **ret, const struct store_options *o, struct fault *f)
{
    return delaying_topic_store_open(ret, o, &conf, f);
}

static struct engine *engine_of(struct rig *r)
{
    return &r->t->store->engine;
}

static void settle_all(struct rig *r)
{
    do
        rig_turn(r);
    while (delaying_settle(engine_of(r), 0));
    rig_turn(r);
}

static void do_now(struct rig *r, const char *form)
{
    struct rig_answer a;

    rig_begin(r, form, &a);
    RIG_UNTIL(r, (settle_all(r), a.there));
    if (a.status != 200)
        fail_msg("%s: %s", form, a.body.p);
    buf_deinit(&a.body);
}

static struct queued_link *link_of(struct rig *r)
{
    return r->t->queueds.links[0];
}

/* A topic with a subscription, its queued known, and away. */
static struct rig *by_hand(void)
{
    conf = (struct delaying_conf){.seed = 1, .window = 3, .by_hand = true};
    struct rig *r = rig_new(1);

    fake_open(&r->fakes[0]);
    rig_start(r);
    RIG_UNTIL(r, (settle_all(r), rig_is_live(r)));
    fake_close(&r->fakes[0]);
    RIG_UNTIL(r, link_of(r)->state == QUEUED_LINK_DOWN);
    do_now(r, "Action=CreateTopic&Name=t");
    do_now(r, "Action=Subscribe&Protocol=sqs&TopicArn=" RIG_TOPIC "&Endpoint=" RIG_QUEUE("a"));
    return r;
}

static void everything_goes_over(struct rig *r)
{
    RIG_UNTIL(r, (delaying_bring(engine_of(r), 0), settle_all(r), rig_is_live(r)));
}

static void bodies_are(struct rig *r, const char *expected)
{
    RIG_UNTIL(r, r->fakes[0].bodies.n >= strlen(expected));
    assert_string_equal(r->fakes[0].bodies.p, expected);
    assert_int_equal(r->fakes[0].refused, 0);
}

static void end(struct rig *r)
{
    RIG_UNTIL(r, (settle_all(r), link_of(r)->home->outbox->frames == 0));
    rig_free(r);
}

static void test_a_publish_waits_for_the_outbox(void **state)
{
    struct rig *r = by_hand();
    struct rig_answer a;

    rig_begin(r, PUBLISH("1"), &a);
    for (int i = 0; i < 5; i++)
        rig_turn(r);
    assert_int_equal(delaying_in_flight(engine_of(r)), 1);
    assert_false(a.there);
    settle_all(r);
    assert_true(a.there);
    assert_int_equal(a.status, 200);
    buf_deinit(&a.body);
    fake_open(&r->fakes[0]);
    RIG_UNTIL(r, delaying_readings(engine_of(r)) == 1);
    for (int i = 0; i < 20; i++)
        rig_turn(r);
    assert_int_equal(delaying_readings(engine_of(r)), 1); /* it waits, and asks no more */
    assert_int_equal(r->fakes[0].delivers, 0);
    everything_goes_over(r);
    bodies_are(r, "a=1;");
    end(r);
}

/* What was read for a session that is over is not sent in the next one. */
static void test_a_session_ends_while_it_reads(void **state)
{
    struct rig *r = by_hand();
    struct fake *q = &r->fakes[0];

    do_now(r, PUBLISH("1"));
    do_now(r, PUBLISH("2"));
    fake_open(q);
    RIG_UNTIL(r, delaying_readings(engine_of(r)) == 1);
    fake_close(q);
    RIG_UNTIL(r, link_of(r)->state == QUEUED_LINK_DOWN);
    do_now(r, PUBLISH("3"));
    fake_open(q);
    RIG_UNTIL(r, link_of(r)->state == QUEUED_LINK_CATCHING_UP);
    rig_turn(r);
    assert_int_equal(delaying_readings(engine_of(r)), 2); /* the first was taken back */
    assert_true(delaying_bring(engine_of(r), 0));
    for (int i = 0; i < 5; i++)
        rig_turn(r);
    assert_int_equal(q->delivers, 0);
    everything_goes_over(r);
    bodies_are(r, "a=1;a=2;a=3;");
    end(r);
}

/* Nothing of it was stored: its publish is refused, and the link does not wait for it. */
static void test_a_lost_turn_leaves_no_frames(void **state)
{
    struct rig *r = by_hand();
    struct rig_answer lost, behind;

    do_now(r, PUBLISH("1"));
    rig_begin(r, PUBLISH("lost"), &lost);
    rig_turn(r);
    rig_turn(r);
    rig_begin(r, PUBLISH("behind"), &behind);
    rig_turn(r);
    rig_turn(r);
    assert_int_equal(link_of(r)->home->outbox->frames, 2);
    assert_true(delaying_settle(engine_of(r), E_IO));
    RIG_UNTIL(r, lost.there && behind.there);
    assert_int_equal(lost.status, 503);
    assert_int_equal(behind.status, 503);
    assert_int_equal(link_of(r)->home->outbox->frames, 1);
    fake_open(&r->fakes[0]);
    everything_goes_over(r); /* while the store still fails */
    bodies_are(r, "a=1;");
    r->t->server.probe.due(&r->t->server.probe); /* a second later */
    do_now(r, PUBLISH("2"));
    everything_goes_over(r); /* a new session, since what was acknowledged could not be deleted */
    bodies_are(r, "a=1;a=2;");
    buf_deinit(&lost.body);
    buf_deinit(&behind.body);
    rig_free(r);
}

/* A frame whose turn is not durable stays where it is, also behind one that goes over. */
static void test_nothing_goes_before_it_is_durable(void **state)
{
    struct rig *r = by_hand();
    struct fake *q = &r->fakes[0];
    struct rig_answer lost;

    do_now(r, PUBLISH("1"));
    rig_begin(r, PUBLISH("lost"), &lost);
    rig_turn(r);
    rig_turn(r);
    assert_int_equal(link_of(r)->home->outbox->frames, 2);
    fake_open(q);
    RIG_UNTIL(r, delaying_readings(engine_of(r)) == 1);
    /* No engine brings it before, and yet none is asked for it. */
    assert_int_equal(link_of(r)->read.through, home_readable(link_of(r)->home));
    assert_true(delaying_bring(engine_of(r), 0));
    RIG_UNTIL(r, q->delivers == 1);
    for (int i = 0; i < 20; i++) {
        delaying_bring(engine_of(r), 0);
        rig_turn(r);
    }
    assert_int_equal(q->delivers, 1);
    assert_false(lost.there);
    assert_true(delaying_settle(engine_of(r), E_IO));
    RIG_UNTIL(r, lost.there);
    assert_int_equal(lost.status, 503);
    r->t->server.probe.due(&r->t->server.probe);
    do_now(r, PUBLISH("2"));
    everything_goes_over(r);
    bodies_are(r, "a=1;a=2;");
    buf_deinit(&lost.body);
    rig_free(r);
}

static void test_stopped_while_it_reads(void **state)
{
    struct rig *r = by_hand();
    struct rig_answer a;

    rig_set(r, "stop_max_ms", "10");
    do_now(r, PUBLISH("1"));
    rig_begin(r, PUBLISH("2"), &a);
    rig_turn(r);
    fake_open(&r->fakes[0]);
    RIG_UNTIL(r, delaying_readings(engine_of(r)) == 1);
    rig_stop(r); /* nothing settles, nothing comes */
    assert_true(a.there);
    assert_int_equal(a.status, 503);
    buf_deinit(&a.body);
    rig_start(r);
    everything_goes_over(r);
    bodies_are(r, "a=1;");
    end(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_publish_waits_for_the_outbox),
        cmocka_unit_test(test_a_session_ends_while_it_reads),
        cmocka_unit_test(test_a_lost_turn_leaves_no_frames),
        cmocka_unit_test(test_nothing_goes_before_it_is_durable),
        cmocka_unit_test(test_stopped_while_it_reads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
