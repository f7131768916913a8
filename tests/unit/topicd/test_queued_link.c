/* Deliveries over a real link to a queued that the test plays: everything arrives once and in
 * order, whoever goes away in between, and no publish is answered before its message is safe. */
#include "tests/unit/topicd/rig.h"

#define PUBLISH(text) "Action=Publish&TopicArn=" RIG_TOPIC "&Message=" text

static struct rig *open_rig(u32 queueds)
{
    struct rig *r = rig_new(queueds);

    for (u32 i = 0; i < queueds; i++)
        fake_open(&r->fakes[i]);
    rig_start(r);
    RIG_OK(r, "Action=CreateTopic&Name=t");
    RIG_OK(r, "Action=Subscribe&Protocol=sqs&TopicArn=" RIG_TOPIC "&Endpoint=" RIG_QUEUE("a"));
    RIG_UNTIL(r, rig_is_live(r));
    return r;
}

static void bodies_are(struct fake *q, const char *expected)
{
    assert_string_equal(q->bodies.p ? q->bodies.p : "", expected);
}

static u64 stored_frames(const struct rig *r)
{
    u64 n = 0;

    for (u32 i = 0; i < r->t->queueds.homes.n; i++)
        n += r->t->queueds.homes.items[i]->outbox->frames;
    return n;
}

static void test_publish_reaches_the_queued_without_the_disk(void **state)
{
    struct rig *r = open_rig(1);
    u64 commits = topic_store_stats(r->t->store).commits;

    for (int i = 0; i < 3; i++)
        RIG_OK(r, PUBLISH("m"));
    bodies_are(&r->fakes[0], "a=m;a=m;a=m;");
    assert_int_equal(topic_store_stats(r->t->store).commits, commits);
    assert_int_equal(fanout_held_bytes(&r->t->fanout), 0);
    rig_free(r);
}

static void test_answer_waits_for_the_acknowledgement(void **state)
{
    struct rig *r = open_rig(1);
    struct fake *q = &r->fakes[0];
    struct rig_answer a;
    struct buf ack = {0};

    q->silent = true;
    rig_begin(r, PUBLISH("m"), &a);
    RIG_UNTIL(r, q->delivers == 1);
    for (int i = 0; i < 20; i++)
        rig_turn(r);
    assert_false(a.there);
    frame_write_ack(&ack, &(struct frame_ack){q->session, q->received});
    link_send(q->link, &ack);
    RIG_UNTIL(r, a.there);
    assert_int_equal(a.status, 200);
    buf_deinit(&a.body);
    rig_free(r);
}

static void test_publishes_of_one_turn_travel_together(void **state)
{
    struct rig *r = open_rig(1);
    struct rig_answer a[8];

    for (size_t i = 0; i < ARRAY_LEN(a); i++)
        rig_begin(r, PUBLISH("m"), &a[i]);
    RIG_UNTIL(r, a[7].there);
    for (size_t i = 0; i < ARRAY_LEN(a); i++) {
        assert_int_equal(a[i].status, 200);
        buf_deinit(&a[i].body);
    }
    assert_int_equal(r->fakes[0].delivers, 1);
    bodies_are(&r->fakes[0], "a=m;a=m;a=m;a=m;a=m;a=m;a=m;a=m;");
    rig_free(r);
}

static void test_nobody_subscribed_is_answered_at_once(void **state)
{
    struct rig *r = open_rig(1);
    struct rig_answer a;

    RIG_OK(r, "Action=CreateTopic&Name=empty");
    rig_begin(r,
              "Action=Publish&Message=m&TopicArn=arn%3Aaws%3Asns%3Aus-east-1%3A000000000000%3A"
              "empty",
              &a);
    loop_turn(r->t->server.loop, 0);
    assert_true(a.there);
    assert_int_equal(a.status, 200);
    buf_deinit(&a.body);
    rig_free(r);
}

/* However much waits, a turn reads and sends about a mebibyte of it. */
static void test_a_turn_sends_a_part_of_the_outbox(void **state)
{
    enum { MESSAGES = 24, SIZE = 200000 };
    struct rig *r = open_rig(1);
    struct fake *q = &r->fakes[0];
    struct queued_link *link = r->t->queueds.links[0];
    struct buf form = {0};
    u64 most = 0;

    fake_close(q);
    RIG_UNTIL(r, link->state == QUEUED_LINK_DOWN);
    buf_z(&form, PUBLISH(""));
    memset(buf_room(&form, SIZE + 1), 'm', SIZE);
    form.n += SIZE;
    form.p[form.n] = '\0';
    for (int i = 0; i < MESSAGES; i++)
        RIG_OK(r, form.p);
    assert_int_equal(stored_frames(r), MESSAGES);
    fake_open(q);
    while (q->delivers < MESSAGES) {
        u64 sent = link->state == QUEUED_LINK_CATCHING_UP ? link->sent : 0;

        rig_turn(r);
        if (link->state == QUEUED_LINK_CATCHING_UP)
            most = MAX(most, link->sent - sent);
    }
    assert_in_range(most, 2, 6);
    RIG_UNTIL(r, stored_frames(r) == 0);
    buf_deinit(&form);
    rig_free(r);
}

/* Away, publishes go to the outbox; back, they arrive in order, and later ones behind them. */
static void test_outbox_while_away(void **state)
{
    struct rig *r = open_rig(1);
    struct fake *q = &r->fakes[0];

    RIG_OK(r, PUBLISH("1"));
    fake_close(q);
    RIG_UNTIL(r, r->t->queueds.links[0]->state == QUEUED_LINK_DOWN);
    RIG_OK(r, PUBLISH("2"));
    RIG_OK(r, PUBLISH("3"));
    assert_int_equal(stored_frames(r), 2);
    fake_open(q);
    RIG_OK(r, PUBLISH("4"));
    RIG_UNTIL(r, rig_is_live(r) && stored_frames(r) == 0);
    RIG_OK(r, PUBLISH("5"));
    bodies_are(q, "a=1;a=2;a=3;a=4;a=5;");
    assert_int_equal(q->refused, 0);
    assert_int_equal(r->t->queueds.links[0]->home->outbox->frames, 0);
    assert_int_equal(r->t->queueds.links[0]->home->outbox->bytes, 0);
    rig_free(r);
}

/* What was sent and not acknowledged is safe in the outbox, and not applied twice. */
static void test_link_dies_before_the_acknowledgement(void **state)
{
    struct rig *r = open_rig(1);
    struct fake *q = &r->fakes[0];
    struct rig_answer a, b;

    q->silent = true;
    rig_begin(r, PUBLISH("1"), &a);
    RIG_UNTIL(r, q->delivers == 1);
    q->deaf = true;
    rig_begin(r, PUBLISH("2"), &b);
    for (int i = 0; i < 20; i++)
        rig_turn(r);
    assert_false(a.there || b.there);
    fake_close(q);
    RIG_UNTIL(r, a.there && b.there);
    assert_int_equal(a.status, 200);
    assert_int_equal(b.status, 200);
    assert_int_equal(stored_frames(r), 2);
    q->silent = q->deaf = false;
    fake_open(q);
    RIG_UNTIL(r, rig_is_live(r) && stored_frames(r) == 0);
    bodies_are(q, "a=1;a=2;");
    buf_deinit(&a.body);
    buf_deinit(&b.body);
    rig_free(r);
}

static void test_outbox_outlives_the_daemon(void **state)
{
    struct rig *r = open_rig(1);
    struct fake *q = &r->fakes[0];

    RIG_OK(r, PUBLISH("1"));
    fake_close(q);
    RIG_UNTIL(r, r->t->queueds.links[0]->state == QUEUED_LINK_DOWN);
    RIG_OK(r, PUBLISH("2"));
    rig_stop(r);
    rig_start(r);
    RIG_OK(r, PUBLISH("3"));
    fake_open(q);
    RIG_UNTIL(r, rig_is_live(r) && stored_frames(r) == 0);
    bodies_are(q, "a=1;a=2;a=3;");
    rig_free(r);
}

/* One that is alive and says nothing: a new session, and nobody waits for it. */
static void test_silence_is_answered_from_the_outbox(void **state)
{
    struct rig *r = rig_new(1);
    struct fake *q = &r->fakes[0];
    struct rig_answer a;

    rig_set(r, "ack_max_ms", "100");
    fake_open(q);
    rig_start(r);
    RIG_OK(r, "Action=CreateTopic&Name=t");
    RIG_OK(r, "Action=Subscribe&Protocol=sqs&TopicArn=" RIG_TOPIC "&Endpoint=" RIG_QUEUE("a"));
    RIG_UNTIL(r, rig_is_live(r));
    q->deaf = true;
    rig_begin(r, PUBLISH("1"), &a);
    RIG_UNTIL(r, a.there);
    assert_int_equal(a.status, 200);
    assert_int_equal(stored_frames(r), 1);
    q->deaf = false;
    RIG_UNTIL(r, rig_is_live(r) && stored_frames(r) == 0);
    bodies_are(q, "a=1;");
    buf_deinit(&a.body);
    rig_free(r);
}

static void test_a_full_outbox_refuses(void **state)
{
    struct rig *r = rig_new(0);
    struct buf out = {0};
    struct buf form = {0};

    rig_set(r, "outbox_bytes_max", "1MiB");
    rig_start(r);
    RIG_OK(r, "Action=CreateTopic&Name=t");
    RIG_OK(r, "Action=Subscribe&Protocol=sqs&TopicArn=" RIG_TOPIC "&Endpoint=" RIG_QUEUE("a"));
    buf_z(&form, PUBLISH(""));
    memset(buf_room(&form, 200000), 'x', 200000);
    form.n += 200000;
    for (int i = 0; i < 5; i++)
        assert_int_equal(rig_call(r, form.p, &out), 200);
    assert_int_equal(rig_call(r, form.p, &out), 503);
    assert_int_equal(rig_call(r, PUBLISH("small"), &out), 200);
    assert_int_equal(stored_frames(r), 6);
    buf_deinit(&form);
    buf_deinit(&out);
    rig_free(r);
}

/* Frames that nobody acknowledges are bounded; what is beyond waits and then goes, in order. */
static void test_publishes_wait_for_memory(void **state)
{
    struct rig *r = rig_new(1);
    struct fake *q = &r->fakes[0];
    struct rig_answer a[8];
    struct buf form = {0}, ack = {0};

    rig_set(r, "held_bytes_max", "1MiB");
    fake_open(q);
    rig_start(r);
    RIG_OK(r, "Action=CreateTopic&Name=t");
    RIG_OK(r, "Action=Subscribe&Protocol=sqs&TopicArn=" RIG_TOPIC "&Endpoint=" RIG_QUEUE("a"));
    RIG_UNTIL(r, rig_is_live(r));
    buf_z(&form, PUBLISH(""));
    memset(buf_room(&form, 200000), 'x', 200000);
    form.n += 200000;
    q->silent = true;
    for (size_t i = 0; i < ARRAY_LEN(a); i++)
        rig_begin(r, form.p, &a[i]);
    for (int i = 0; i < 50; i++)
        rig_turn(r);
    assert_true(fanout_held_bytes(&r->t->fanout) < 1400000);
    assert_int_equal(desk_waiting(r->t->server.desk), 8);
    struct call *left = rig_begin(r, form.p, NULL);

    for (int i = 0; i < 5; i++)
        rig_turn(r);
    desk_cancel(left);
    q->silent = false;
    frame_write_ack(&ack, &(struct frame_ack){q->session, q->received});
    link_send(q->link, &ack);
    RIG_UNTIL(r, a[7].there);
    for (size_t i = 0; i < ARRAY_LEN(a); i++) {
        assert_int_equal(a[i].status, 200);
        buf_deinit(&a[i].body);
    }
    assert_int_equal(q->bodies.n, 8 * (200000 + 3));
    buf_deinit(&form);
    rig_free(r);
}

/* No queued is there, and one turn brings more than memory may hold: what waits goes to the outbox
 * in the turns that follow; no acknowledgement will come to wake it. */
static void test_waiting_publishes_need_no_queued(void **state)
{
    struct rig *r = open_rig(1);
    struct rig_answer a[8];
    struct buf form = {0};

    fake_close(&r->fakes[0]);
    RIG_UNTIL(r, r->t->queueds.links[0]->state == QUEUED_LINK_DOWN);
    r->t->fanout.held_bytes_max = 300000;
    buf_z(&form, PUBLISH(""));
    memset(buf_room(&form, 200000), 'x', 200000);
    form.n += 200000;
    for (size_t i = 0; i < ARRAY_LEN(a); i++)
        rig_begin(r, form.p, &a[i]);
    RIG_UNTIL(r, a[7].there);
    for (size_t i = 0; i < ARRAY_LEN(a); i++) {
        assert_int_equal(a[i].status, 200);
        buf_deinit(&a[i].body);
    }
    fake_open(&r->fakes[0]);
    RIG_UNTIL(r, rig_is_live(r) && stored_frames(r) == 0);
    assert_int_equal(r->fakes[0].bodies.n, 8 * (200000 + 3));
    buf_deinit(&form);
    rig_free(r);
}

static void test_failing_store(void **state)
{
    struct rig *r = open_rig(1);
    struct fake *q = &r->fakes[0];
    struct buf out = {0};

    fail_disk();
    assert_int_equal(rig_call(r, "Action=CreateTopic&Name=lost", &out), 503);
    assert_true(r->t->server.failing);
    assert_int_equal(rig_call(r, "Action=CreateTopic&Name=lost", &out), 503);
    /* A publish needs no disk while the queued is there. */
    assert_int_equal(rig_call(r, PUBLISH("1"), &out), 200);
    fake_close(q);
    RIG_UNTIL(r, r->t->queueds.links[0]->state == QUEUED_LINK_DOWN);
    assert_int_equal(rig_call(r, PUBLISH("2"), &out), 503);
    failing_vfs_heal();
    RIG_UNTIL(r, !r->t->server.failing);
    assert_int_equal(rig_call(r, "Action=ListTopics", &out), 200);
    assert_null(strstr(out.p, "lost"));
    assert_non_null(strstr(out.p, ":t<"));
    assert_int_equal(rig_call(r, PUBLISH("3"), &out), 200);
    fake_open(q);
    RIG_UNTIL(r, rig_is_live(r) && stored_frames(r) == 0);
    bodies_are(q, "a=1;a=3;");
    buf_deinit(&out);
    rig_free(r);
}

/* A failed turn takes back what it did to a topic in memory, matcher and all. */
static void test_failed_turn_is_taken_back(void **state)
{
    struct rig *r = open_rig(1);
    struct buf out = {0};

    fail_disk();
    assert_int_equal(
        rig_call(r, "Action=Subscribe&Protocol=sqs&TopicArn=" RIG_TOPIC "&Endpoint=" RIG_QUEUE("b"),
                 &out),
        503);
    failing_vfs_heal();
    RIG_UNTIL(r, !r->t->server.failing);
    RIG_OK(r, PUBLISH("m"));
    bodies_are(&r->fakes[0], "a=m;");
    assert_int_equal(r->t->catalog.subs.n, 1);
    buf_deinit(&out);
    rig_free(r);
}

static void test_garbage_on_the_link(void **state)
{
    static const str garbage[] = {
        {"\x01", 1},
        {"\x01\x02\0\0\xff\xff\xff\xff", 8},
        {"\x02\x05\0\0", 4},
        {"\x01\x07\0\0zzzzzzzzzzzz", 16},
        {"\x01\x03\0\0\x01\0\0\0\xff\xff\xff\xff\0\0\0\0\0\0\0\0", 20},
        {"\x01\x05\0\0\x01", 5},
    };
    struct rig *r = open_rig(1);
    struct fake *q = &r->fakes[0];

    for (size_t i = 0; i < ARRAY_LEN(garbage); i++) {
        struct buf out = {0};
        u32 hellos = q->hellos;

        buf_str(&out, garbage[i]);
        RIG_UNTIL(r, link_is_up(q->link));
        assert_int_equal(link_send(q->link, &out), 0);
        RIG_UNTIL(r, q->hellos > hellos && rig_is_live(r));
    }
    RIG_OK(r, PUBLISH("m"));
    bodies_are(q, "a=m;");
    rig_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_publish_reaches_the_queued_without_the_disk),
        cmocka_unit_test(test_answer_waits_for_the_acknowledgement),
        cmocka_unit_test(test_publishes_of_one_turn_travel_together),
        cmocka_unit_test(test_nobody_subscribed_is_answered_at_once),
        cmocka_unit_test(test_outbox_while_away),
        cmocka_unit_test(test_a_turn_sends_a_part_of_the_outbox),
        cmocka_unit_test(test_link_dies_before_the_acknowledgement),
        cmocka_unit_test(test_outbox_outlives_the_daemon),
        cmocka_unit_test(test_silence_is_answered_from_the_outbox),
        cmocka_unit_test(test_a_full_outbox_refuses),
        cmocka_unit_test(test_publishes_wait_for_memory),
        cmocka_unit_test(test_waiting_publishes_need_no_queued),
        cmocka_unit_test(test_failing_store),
        cmocka_unit_test(test_failed_turn_is_taken_back),
        cmocka_unit_test(test_garbage_on_the_link),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
