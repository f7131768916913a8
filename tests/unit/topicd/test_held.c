/* Deliveries whose queue's home is not known, or is not where it was thought to be: nothing is
 * guessed away, nothing overtakes, and only what nobody has has failed. */
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

static const struct topic_outbox *held(const struct rig *r)
{
    return r->t->queueds.homes.items[HOME_NOWHERE]->outbox;
}

static u64 failed(const struct rig *r)
{
    return failed_deliveries_count(&r->t->queueds.failed);
}

static void bodies_are(struct fake *q, const char *expected)
{
    assert_string_equal(q->bodies.p ? q->bodies.p : "", expected);
}

static void turns(struct rig *r, int n)
{
    for (int i = 0; i < n; i++)
        rig_turn(r);
}

static void close_fake(struct rig *r, u32 i)
{
    fake_close(&r->fakes[i]);
    RIG_UNTIL(r, r->t->queueds.links[i]->state == QUEUED_LINK_DOWN);
}

/* --- unknown queues --------------------------------------------------------------------------- */

static void test_nobody_has_it(void **state)
{
    struct rig *r = open_rig(3);

    RIG_OK(r, PUBLISH("1"));
    RIG_UNTIL(r, failed(r) == 1);
    RIG_OK(r, PUBLISH("2"));
    RIG_UNTIL(r, failed(r) == 2);
    assert_int_equal(r->t->queueds.failed.counts[FAILURE_NO_QUEUE], 2);
    RIG_UNTIL(r, held(r)->frames == 0);
    assert_int_equal(held(r)->bytes, 0);
    assert_int_equal(r->t->queueds.directory.queues.n, 0);
    rig_free(r);
}

/* As long as one has not said what it has, nobody knows; then all arrives, in order. */
static void test_one_is_away(void **state)
{
    struct rig *r = open_rig(2);

    RIG_OK(r, SUBSCRIBE("b"));
    fake_announce(&r->fakes[0], "b");
    RIG_UNTIL(r, r->t->queueds.directory.queues.n == 1);
    close_fake(r, 1);
    RIG_OK(r, PUBLISH("1"));
    RIG_OK(r, PUBLISH("2"));
    turns(r, 50);
    bodies_are(&r->fakes[0], "b=1;b=2;");
    assert_int_equal(held(r)->frames, 2);
    assert_int_equal(failed(r), 0);
    r->fakes[1].queues = "a";
    fake_open(&r->fakes[1]);
    RIG_OK(r, PUBLISH("3"));
    RIG_UNTIL(r, rig_is_live(r) && r->fakes[1].bodies.n == strlen("a=1;a=2;a=3;"));
    bodies_are(&r->fakes[1], "a=1;a=2;a=3;");
    RIG_OK(r, PUBLISH("4"));
    bodies_are(&r->fakes[1], "a=1;a=2;a=3;a=4;");
    bodies_are(&r->fakes[0], "b=1;b=2;b=3;b=4;");
    assert_int_equal(held(r)->frames, 0);
    assert_int_equal(failed(r), 0);
    rig_free(r);
}

static void test_what_is_held_outlives_the_daemon(void **state)
{
    struct rig *r = open_rig(2);

    close_fake(r, 1);
    RIG_OK(r, PUBLISH("1"));
    rig_stop(r);
    rig_start(r);
    RIG_OK(r, PUBLISH("2"));
    r->fakes[1].queues = "a";
    fake_open(&r->fakes[1]);
    RIG_UNTIL(r, held(r)->frames == 0);
    RIG_OK(r, PUBLISH("3"));
    RIG_UNTIL(r, rig_is_live(r) && r->fakes[1].bodies.n == strlen("a=1;a=2;a=3;"));
    bodies_are(&r->fakes[1], "a=1;a=2;a=3;");
    rig_free(r);
}

/* A queue that comes while its message is held, and one that comes too late. */
static void test_the_answer_to_a_sync_counts(void **state)
{
    struct rig *r = open_rig(2);

    r->fakes[1].mute = true;
    RIG_OK(r, PUBLISH("1"));
    turns(r, 50);
    assert_int_equal(held(r)->frames, 1);
    fake_announce(&r->fakes[1], "a");
    RIG_UNTIL(r, r->fakes[1].bodies.n);
    bodies_are(&r->fakes[1], "a=1;");
    fake_announce(&r->fakes[1], "");
    RIG_UNTIL(r, r->t->queueds.directory.queues.n == 0);
    RIG_OK(r, PUBLISH("2"));
    turns(r, 50);
    assert_int_equal(failed(r), 0);
    r->fakes[1].mute = false;
    close_fake(r, 1);
    fake_open(&r->fakes[1]);
    RIG_UNTIL(r, failed(r) == 1);
    bodies_are(&r->fakes[1], "a=1;");
    rig_free(r);
}

/* The home is known, and what is held is not there yet: what is published now comes behind it. */
static void test_nothing_overtakes(void **state)
{
    struct rig *r = open_rig(2);
    struct queueds *q = &r->t->queueds;
    struct buf frame = {0};
    struct frame_queues queues;
    struct rig_answer a;

    r->fakes[1].mute = true;
    RIG_OK(r, PUBLISH("1"));
    RIG_OK(r, PUBLISH("2"));
    frame_queues_begin(&frame, false, false);
    frame_queues_add(&frame, STR(RIG_QUEUE("a")));
    frame_queues_end(&frame);
    assert_int_equal(frame_read_queues(buf_view(&frame), &queues), 0);
    directory_announced(&q->directory, q->links[1]->home, &queues);
    rig_begin(r, PUBLISH("3"), &a);
    RIG_UNTIL(r, a.there && r->fakes[1].bodies.n >= strlen("a=1;a=2;a=3;"));
    bodies_are(&r->fakes[1], "a=1;a=2;a=3;");
    assert_int_equal(a.status, 200);
    RIG_OK(r, PUBLISH("4"));
    RIG_UNTIL(r, r->fakes[1].bodies.n >= strlen("a=1;a=2;a=3;a=4;"));
    bodies_are(&r->fakes[1], "a=1;a=2;a=3;a=4;");
    buf_deinit(&a.body);
    buf_deinit(&frame);
    rig_free(r);
}

/* One frame holds what is for several queues; each goes when its home is known. */
static void test_one_frame_for_several_queues(void **state)
{
    struct rig *r = open_rig(3);

    RIG_OK(r, SUBSCRIBE("b"));
    RIG_OK(r, SUBSCRIBE("c"));
    close_fake(r, 1);
    close_fake(r, 2);
    RIG_OK(r, PUBLISH("1"));
    RIG_OK(r, PUBLISH("2"));
    r->fakes[1].queues = "b";
    fake_open(&r->fakes[1]);
    RIG_UNTIL(r, r->fakes[1].bodies.n == strlen("b=1;b=2;"));
    RIG_OK(r, PUBLISH("3"));
    bodies_are(&r->fakes[1], "b=1;b=2;b=3;");
    assert_int_equal(held(r)->frames, 3);
    rig_stop(r);
    rig_start(r);
    r->fakes[2].queues = "c";
    fake_open(&r->fakes[2]);
    RIG_UNTIL(r, failed(r) == 3 && held(r)->frames == 0);
    RIG_UNTIL(r, r->fakes[2].bodies.n == strlen("c=1;c=2;c=3;"));
    bodies_are(&r->fakes[2], "c=1;c=2;c=3;");
    bodies_are(&r->fakes[1], "b=1;b=2;b=3;");
    assert_int_equal(r->t->queueds.directory.held, 0);
    rig_free(r);
}

/* A bound on what may be held, as on every outbox. */
static void test_too_much_is_refused(void **state)
{
    struct rig *r = rig_new(2);
    struct buf out = {0}, form = {0};

    rig_set(r, "outbox_bytes_max", "1MiB");
    fake_open(&r->fakes[0]);
    rig_start(r);
    RIG_OK(r, "Action=CreateTopic&Name=t");
    RIG_OK(r, SUBSCRIBE("a"));
    buf_z(&form, PUBLISH(""));
    memset(buf_room(&form, 200000), 'x', 200000);
    form.n += 200000;
    for (int i = 0; i < 5; i++)
        assert_int_equal(rig_call(r, form.p, &out), 200);
    assert_int_equal(rig_call(r, form.p, &out), 503);
    assert_int_equal(held(r)->frames, 5);
    r->fakes[1].queues = "a";
    fake_open(&r->fakes[1]);
    RIG_UNTIL(r, rig_is_live(r) && r->fakes[1].bodies.n == 5 * (200000 + 3));
    RIG_OK(r, PUBLISH("next"));
    assert_int_equal(r->t->queueds.directory.held, 0);
    buf_deinit(&form);
    buf_deinit(&out);
    rig_free(r);
}

/* A single queued that nobody has met yet: it has all queues, whoever it is. */
static void test_a_single_one_that_is_not_known_yet(void **state)
{
    struct rig *r = rig_new(1);

    rig_start(r);
    RIG_OK(r, "Action=CreateTopic&Name=t");
    RIG_OK(r, SUBSCRIBE("a"));
    RIG_OK(r, PUBLISH("1"));
    rig_stop(r);
    rig_start(r);
    RIG_OK(r, PUBLISH("2"));
    assert_int_equal(held(r)->frames, 2);
    fake_open(&r->fakes[0]);
    RIG_UNTIL(r, held(r)->frames == 0);
    RIG_OK(r, PUBLISH("3"));
    RIG_UNTIL(r, rig_is_live(r) && r->fakes[0].bodies.n == strlen("a=1;a=2;a=3;"));
    bodies_are(&r->fakes[0], "a=1;a=2;a=3;");
    rig_free(r);
}

/* --- rejected targets ------------------------------------------------------------------------- */

static void test_a_single_one_rejects(void **state)
{
    struct rig *r = open_rig(1);

    RIG_OK(r, SUBSCRIBE("b"));
    r->fakes[0].lacks = "a";
    RIG_OK(r, PUBLISH("1"));
    bodies_are(&r->fakes[0], "b=1;");
    assert_int_equal(r->t->queueds.failed.counts[FAILURE_NO_QUEUE], 1);
    assert_int_equal(held(r)->frames, 0);
    r->fakes[0].lacks = NULL;
    RIG_OK(r, PUBLISH("2"));
    RIG_UNTIL(r, r->fakes[0].delivers == 2);
    assert_int_equal(failed(r), 1);
    rig_free(r);
}

/* It was there, and is somewhere else now. */
static void test_the_queue_has_moved(void **state)
{
    struct rig *r = open_rig(2);

    fake_announce(&r->fakes[0], "a");
    RIG_UNTIL(r, r->t->queueds.directory.queues.n == 1);
    RIG_OK(r, PUBLISH("1"));
    r->fakes[0].lacks = "a";
    r->fakes[1].mute = true;
    RIG_OK(r, PUBLISH("2"));
    RIG_OK(r, PUBLISH("3"));
    turns(r, 50);
    assert_int_equal(held(r)->frames, 2);
    fake_announce(&r->fakes[1], "a");
    RIG_UNTIL(r, r->fakes[1].bodies.n == strlen("a=2;a=3;"));
    RIG_OK(r, PUBLISH("4"));
    bodies_are(&r->fakes[0], "a=1;");
    bodies_are(&r->fakes[1], "a=2;a=3;a=4;");
    assert_int_equal(failed(r), 0);
    rig_free(r);
}

/* What is rejected may be of a time when the queue was not there: its announcement counts. */
static void test_the_queue_came_again(void **state)
{
    struct rig *r = open_rig(2);

    fake_announce(&r->fakes[0], "a");
    RIG_UNTIL(r, r->t->queueds.directory.queues.n == 1);
    r->fakes[0].lacks = "a";
    r->fakes[0].stubborn = true;
    RIG_OK(r, PUBLISH("1"));
    r->fakes[0].lacks = NULL;
    RIG_UNTIL(r, r->fakes[0].bodies.n);
    RIG_OK(r, PUBLISH("2"));
    RIG_UNTIL(r, r->fakes[0].bodies.n >= strlen("a=1;a=2;"));
    bodies_are(&r->fakes[0], "a=1;a=2;");
    assert_ptr_equal(directory_owner(&r->t->queueds.directory, STR(RIG_QUEUE("a"))),
                     r->t->queueds.links[0]->home);
    assert_int_equal(failed(r), 0);
    rig_free(r);
}

/* It says that it has the queue, and rejects what is for it, again and again. */
static void test_it_does_not_wander_for_ever(void **state)
{
    struct rig *r = open_rig(2);

    r->fakes[0].lacks = "a";
    r->fakes[0].stubborn = true;
    r->fakes[1].mute = true;
    fake_announce(&r->fakes[0], "a");
    RIG_UNTIL(r, r->t->queueds.directory.queues.n == 1);
    RIG_OK(r, PUBLISH("1"));
    for (int i = 0; i < 100 && failed(r) == 0; i++) {
        fake_announce(&r->fakes[0], "a");
        turns(r, 20);
    }
    assert_int_equal(r->t->queueds.failed.counts[FAILURE_WANDERING], 1);
    assert_int_equal(held(r)->frames, 0);
    rig_free(r);
}

/* The rejection was heard, and the daemon died before it kept what was rejected: what is sent again
 * is rejected again. */
static void test_a_rejection_that_is_lost(void **state)
{
    struct rig *r = open_rig(2);

    fake_announce(&r->fakes[0], "a");
    RIG_UNTIL(r, r->t->queueds.directory.queues.n == 1);
    close_fake(r, 0);
    RIG_OK(r, PUBLISH("1")); /* into its outbox */
    r->fakes[0].lacks = "a";
    r->fakes[0].silent = true; /* applies it, and dies before it says so */
    fake_open(&r->fakes[0]);
    RIG_UNTIL(r, r->fakes[0].delivers == 1);
    close_fake(r, 0);
    r->fakes[0].silent = false;
    r->fakes[0].queues = "";
    fake_open(&r->fakes[0]);
    RIG_UNTIL(r, failed(r) == 1);
    assert_int_equal(r->fakes[0].again, 1);
    RIG_UNTIL(r, held(r)->frames == 0);
    bodies_are(&r->fakes[0], "");
    rig_free(r);
}

/* The rejection was heard, and the session ended before the acknowledgement: what is sent again is
 * rejected again, and held once. */
static void test_a_rejection_that_comes_twice(void **state)
{
    struct rig *r = open_rig(2);
    struct fake *q = &r->fakes[0];
    struct buf out = {0};
    u32 hellos;

    fake_announce(q, "a");
    RIG_UNTIL(r, r->t->queueds.directory.queues.n == 1);
    close_fake(r, 0);
    RIG_OK(r, PUBLISH("1")); /* into its outbox */
    q->lacks = "a";
    q->silent = true;
    r->fakes[1].mute = true;
    fake_open(q);
    RIG_UNTIL(r, q->delivers == 1);
    hellos = q->hellos;
    frame_rejected_begin(&out, q->session, 1);
    frame_rejected_add(&out, (struct frame_place){0, 0, FRAME_REJECTED_NO_QUEUE});
    assert_int_equal(link_send(q->link, &out), 0);
    turns(r, 50);
    assert_int_equal(held(r)->frames, 0); /* not before the acknowledgement */
    q->silent = false;
    q->queues = "";
    close_fake(r, 0);
    fake_open(q);
    RIG_UNTIL(r, q->hellos > hellos && held(r)->frames && rig_is_live(r));
    turns(r, 50);
    assert_int_equal(held(r)->frames, 1);
    q->lacks = NULL;
    fake_announce(q, "a");
    RIG_UNTIL(r, held(r)->frames == 0 && q->bodies.n);
    bodies_are(q, "a=1;");
    assert_int_equal(failed(r), 0);
    rig_free(r);
}

/* Rejected while nothing can be stored: who published is told. */
static void test_rejected_while_the_store_fails(void **state)
{
    struct rig *r = open_rig(2);
    struct buf out = {0};

    fake_announce(&r->fakes[0], "a");
    RIG_UNTIL(r, r->t->queueds.directory.queues.n == 1);
    fail_disk();
    assert_int_equal(rig_call(r, "Action=CreateTopic&Name=lost", &out), 503);
    r->fakes[0].lacks = "a";
    assert_int_equal(rig_call(r, PUBLISH("1"), &out), 503);
    failing_vfs_heal();
    RIG_UNTIL(r, !r->t->server.failing);
    assert_int_equal(r->t->queueds.directory.held, 0);
    RIG_OK(r, PUBLISH("2"));
    RIG_UNTIL(r, failed(r) == 1);
    buf_deinit(&out);
    rig_free(r);
}

/* A commit that failed and cannot be undone: a restart may find it, and nobody is told that nothing
 * happened. */
static void test_a_turn_of_which_nobody_knows(void **state)
{
    struct rig *r = open_rig(2);
    struct buf out = {0};
    struct failing_order order = {.ops = FAILING_SYNC | FAILING_TRUNCATE,
                                  .files = FAILING_WAL,
                                  .result = 1034 /* SQLITE_IOERR_FSYNC */,
                                  .times = -1};

    close_fake(r, 1);
    failing_vfs_order(order);
    assert_int_equal(rig_call(r, PUBLISH("1"), &out), 500); /* held */
    assert_non_null(strstr(out.p, "<Code>InternalError</Code>"));
    assert_int_equal(rig_call(r, PUBLISH("2"), &out), 503); /* this one was not even tried */
    failing_vfs_heal();
    RIG_UNTIL(r, !r->t->server.failing);
    failing_vfs_order(order);
    assert_int_equal(rig_call(r, "Action=CreateTopic&Name=other", &out), 500);
    failing_vfs_heal();
    RIG_UNTIL(r, !r->t->server.failing);
    assert_int_equal(held(r)->frames, 0);
    buf_deinit(&out);
    rig_free(r);
}

/* What is held when turns are lost is known again when the store works. */
static void test_held_over_a_failing_store(void **state)
{
    struct rig *r = open_rig(2);
    struct buf out = {0};

    close_fake(r, 1);
    RIG_OK(r, PUBLISH("1"));
    fail_disk();
    assert_int_equal(rig_call(r, PUBLISH("2"), &out), 503);
    failing_vfs_heal();
    RIG_UNTIL(r, !r->t->server.failing);
    RIG_OK(r, PUBLISH("3"));
    assert_int_equal(held(r)->frames, 2);
    r->fakes[1].queues = "a";
    fake_open(&r->fakes[1]);
    RIG_UNTIL(r, held(r)->frames == 0);
    RIG_OK(r, PUBLISH("4"));
    RIG_UNTIL(r, rig_is_live(r) && r->fakes[1].bodies.n == strlen("a=1;a=3;a=4;"));
    bodies_are(&r->fakes[1], "a=1;a=3;a=4;");
    buf_deinit(&out);
    rig_free(r);
}

/* A queue that forbids it is there: nothing is held, and nobody is asked. */
static void test_what_a_queue_forbids_has_failed(void **state)
{
    struct rig *r = open_rig(2);
    struct fake *q = &r->fakes[0];

    fake_announce(q, "a");
    RIG_UNTIL(r, r->t->queueds.directory.queues.n == 1);
    q->lacks = "a";
    q->why = FRAME_REJECTED_FORBIDDEN;
    q->stubborn = true;
    RIG_OK(r, PUBLISH("1"));
    assert_int_equal(r->t->queueds.failed.counts[FAILURE_FORBIDDEN], 1);
    assert_int_equal(failed(r), 1);
    assert_int_equal(held(r)->frames, 0);
    q->lacks = NULL;
    RIG_OK(r, PUBLISH("2"));
    RIG_UNTIL(r, q->bodies.n);
    bodies_are(q, "a=2;");
    rig_free(r);
}

#define AT(publication, target)                                                                    \
    {                                                                                              \
        publication, target, FRAME_REJECTED_NO_QUEUE                                               \
    }

/* What makes no sense ends the pipe, and nothing else. */
static void test_rejections_that_make_no_sense(void **state)
{
    static const struct {
        u32 session;
        u64 ordinal;
        struct frame_place places[2];
        u32 n;
    } said[] = {
        {0, 0, {AT(0, 0)}, 1},
        {0, 5, {AT(0, 0)}, 1},
        {0, 1, {AT(1, 0)}, 1},
        {0, 1, {AT(0, 1)}, 1},
        {0, 1, {AT(0, 0), AT(0, 0)}, 2},
        {0, UINT64_MAX, {AT(0, 0)}, 1},
        {0, 1, {AT(0xffffff, 0)}, 1},
        {0, 1, {AT(0, UINT32_MAX)}, 1},
        {0, 1, {{0, 0, FRAME_REJECTIONS}}, 1},
    };
    struct rig *r = open_rig(2);
    struct fake *q = &r->fakes[0];

    fake_announce(q, "a");
    RIG_UNTIL(r, r->t->queueds.directory.queues.n == 1);
    q->silent = true;
    for (size_t i = 0; i < ARRAY_LEN(said); i++) {
        struct rig_answer a;
        struct buf out = {0};
        u32 hellos = q->hellos, delivers = q->delivers;

        rig_begin(r, PUBLISH("m"), &a);
        RIG_UNTIL(r, q->delivers > delivers);
        frame_rejected_begin(&out, q->session + said[i].session, said[i].ordinal);
        for (u32 k = 0; k < said[i].n; k++)
            frame_rejected_add(&out, said[i].places[k]);
        assert_int_equal(link_send(q->link, &out), 0);
        RIG_UNTIL(r, q->hellos > hellos && a.there);
        assert_int_equal(a.status, 200);
        buf_deinit(&a.body);
        q->silent = false;
        RIG_UNTIL(r, rig_is_live(r) && r->t->queueds.links[0]->home->outbox->frames == 0);
        q->silent = true;
    }
    assert_true(strncmp(q->bodies.p, "a=m;a=m;a=m;", 12) == 0);
    rig_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nobody_has_it),
        cmocka_unit_test(test_one_is_away),
        cmocka_unit_test(test_what_is_held_outlives_the_daemon),
        cmocka_unit_test(test_the_answer_to_a_sync_counts),
        cmocka_unit_test(test_nothing_overtakes),
        cmocka_unit_test(test_one_frame_for_several_queues),
        cmocka_unit_test(test_too_much_is_refused),
        cmocka_unit_test(test_a_single_one_that_is_not_known_yet),
        cmocka_unit_test(test_a_single_one_rejects),
        cmocka_unit_test(test_the_queue_has_moved),
        cmocka_unit_test(test_the_queue_came_again),
        cmocka_unit_test(test_it_does_not_wander_for_ever),
        cmocka_unit_test(test_a_rejection_that_is_lost),
        cmocka_unit_test(test_a_rejection_that_comes_twice),
        cmocka_unit_test(test_rejected_while_the_store_fails),
        cmocka_unit_test(test_a_turn_of_which_nobody_knows),
        cmocka_unit_test(test_held_over_a_failing_store),
        cmocka_unit_test(test_rejections_that_make_no_sense),
        cmocka_unit_test(test_what_a_queue_forbids_has_failed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
