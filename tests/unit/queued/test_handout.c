/* queued over an engine that settles turns and brings bodies when the test says so: no answer leaves
 * before its turn, a receive goes on when its bodies come, and what is lost never happened. */
#include "tests/unit/queued/rig.h"

#include "tests/delaying/delaying.h"

static struct delaying_conf conf;

/* In the place of the library's. */
int queue_store_open(struct queue_store **ret, const struct store_options *o, struct fault *f)
{
    return delaying_queue_store_open(ret, o, &conf, f);
}

static struct engine *engine_of(struct rig *r)
{
    return &r->d->store->engine;
}

static bool settle(struct rig *r, int err)
{
    bool there = delaying_settle(engine_of(r), err);

    rig_turn(r);
    return there;
}

static bool bring(struct rig *r, u32 n)
{
    bool there = delaying_bring(engine_of(r), n);

    rig_turn(r);
    return there;
}

static void everything_comes(struct rig *r)
{
    do
        rig_turn(r);
    while (settle(r, 0) || bring(r, 0));
}

/* A call that waits for nothing; 200. */
static void do_now(struct rig *r, const char *action, const char *body)
{
    struct rig_answer a;

    rig_begin(r, &a, action, body);
    everything_comes(r);
    assert_true(a.there);
    if (a.status != 200)
        fail_msg("%s: %s", action, a.body.p);
    rig_end(&a);
}

static void send(struct rig *r, const char *queue, const char *text)
{
    char *body = mem_printf("{'QueueUrl':'%s','MessageBody':'%s'}", queue, text);

    do_now(r, "SendMessage", body);
    mem_free(body);
}

static void receive(struct rig *r, struct rig_answer *a, const char *queue)
{
    char *body =
        mem_printf("{'QueueUrl':'%s','MaxNumberOfMessages':10,'AttributeNames':['All']}", queue);

    rig_begin(r, a, "ReceiveMessage", body);
    rig_turn(r);
    mem_free(body);
}

static void answered(struct rig_answer *a, const char *bodies)
{
    assert_true(a->there);
    assert_int_equal(a->status, 200);
    char *got = rig_bodies(a->body.p);

    assert_string_equal(got, bodies);
    mem_free(got);
    rig_end(a);
}

static struct rig *by_hand(void)
{
    conf = (struct delaying_conf){.seed = 1, .window = 3, .by_hand = true};
    struct rig *r = rig_started();

    do_now(r, "CreateQueue", "{'QueueName':'a'}");
    do_now(r, "CreateQueue", "{'QueueName':'b'}");
    return r;
}

static void end(struct rig *r)
{
    everything_comes(r);
    rig_free(r);
}

static void test_no_answer_before_its_turn(void **state)
{
    struct rig *r = by_hand();
    struct rig_answer send_a, send_b, look;

    rig_begin(r, &send_a, "SendMessage", "{'QueueUrl':'a','MessageBody':'1'}");
    rig_turn(r);
    rig_begin(r, &send_b, "SendMessage", "{'QueueUrl':'b','MessageBody':'2'}");
    rig_turn(r);
    /* What it sees is not durable yet. */
    rig_begin(r, &look, "GetQueueAttributes", "{'QueueUrl':'a','AttributeNames':['All']}");
    rig_turn(r);
    assert_int_equal(delaying_in_flight(engine_of(r)), 2);
    assert_false(send_a.there || send_b.there || look.there);
    settle(r, 0);
    assert_true(send_a.there);
    assert_false(send_b.there || look.there);
    settle(r, 0);
    assert_true(send_b.there && look.there);
    assert_int_equal(send_a.status | send_b.status | look.status, 200);
    rig_end(&send_a);
    rig_end(&send_b);
    rig_end(&look);
    end(r);
}

static void test_the_window_is_full(void **state)
{
    struct rig *r = by_hand();
    struct rig_answer a[6];

    for (size_t i = 0; i < ARRAY_LEN(a); i++) {
        rig_begin(r, &a[i], "SendMessage", "{'QueueUrl':'a','MessageBody':'m'}");
        rig_turn(r);
    }
    assert_int_equal(delaying_in_flight(engine_of(r)), 3);
    settle(r, 0); /* and the open turn, of three, goes */
    assert_int_equal(delaying_in_flight(engine_of(r)), 3);
    assert_true(a[0].there);
    assert_false(a[1].there);
    settle(r, 0);
    settle(r, 0);
    assert_false(a[3].there || a[5].there);
    settle(r, 0);
    for (size_t i = 0; i < ARRAY_LEN(a); i++) {
        assert_true(a[i].there);
        assert_int_equal(a[i].status, 200);
        rig_end(&a[i]);
    }
    rig_counts(r, "a", 6, 0, 0);
    end(r);
}

static void test_bodies_with_their_turn(void **state)
{
    struct rig *r = by_hand();
    struct rig_answer first, second;

    send(r, "a", "1");
    send(r, "a", "2");
    send(r, "b", "3");
    receive(r, &first, "a");
    receive(r, &second, "b");
    assert_int_equal(delaying_readings(engine_of(r)), 2);
    assert_true(bring(r, 1)); /* in whichever order */
    assert_true(bring(r, 0));
    assert_false(first.there || second.there);
    settle(r, 0);
    answered(&first, "1;2;");
    assert_false(second.there);
    settle(r, 0);
    answered(&second, "3;");
    end(r);
}

/* The turn is durable, others are not, and the answer waits for its bodies alone. */
static void test_bodies_behind_their_turn(void **state)
{
    struct rig *r = by_hand();
    struct rig_answer got, other;

    send(r, "a", "1");
    receive(r, &got, "a");
    rig_begin(r, &other, "SendMessage", "{'QueueUrl':'b','MessageBody':'x'}");
    settle(r, 0);
    assert_false(got.there);
    assert_int_equal(delaying_in_flight(engine_of(r)), 1);
    bring(r, 0);
    answered(&got, "1;");
    assert_false(other.there);
    everything_comes(r);
    rig_end(&other);
    end(r);
}

/* A body that is in flight itself, sent in the turn before, comes all the same. */
static void test_bodies_in_flight(void **state)
{
    struct rig *r = by_hand();
    struct rig_answer sent, got;

    rig_begin(r, &sent, "SendMessage", "{'QueueUrl':'a','MessageBody':'new'}");
    rig_turn(r);
    receive(r, &got, "a");
    assert_false(bring(r, 0)); /* it is nowhere but in flight */
    settle(r, 0);
    settle(r, 0);
    assert_true(sent.there);
    assert_false(got.there);
    bring(r, 0);
    answered(&got, "new;");
    rig_end(&sent);
    end(r);
}

/* What is told of a message was noted when it was taken. */
static void test_messages_go_while_bodies_come(void **state)
{
    struct rig *r = by_hand();
    struct rig_answer again, late, deleted, purged;

    send(r, "a", "1");
    send(r, "b", "2");
    do_now(r, "ReceiveMessage", "{'QueueUrl':'a','VisibilityTimeout':0}");
    receive(r, &again, "a");
    receive(r, &late, "b");
    settle(r, 0);
    settle(r, 0);
    rig_begin(r, &deleted, "DeleteQueue", "{'QueueUrl':'b'}");
    rig_turn(r);
    settle(r, 0);
    rig_begin(r, &purged, "PurgeQueue", "{'QueueUrl':'a'}");
    for (int i = 0; i < 5; i++)
        settle(r, 0); /* clearing away, too */
    assert_null(rig_queue(r, "b"));
    bring(r, 0);
    bring(r, 0);
    assert_true(again.there && late.there);
    assert_non_null(strstr(again.body.p, "\"ApproximateReceiveCount\":\"2\""));
    answered(&again, "1;");
    answered(&late, "2;");
    assert_true(deleted.there && purged.there);
    rig_end(&deleted);
    rig_end(&purged);
    end(r);
}

/* Everything behind the lost turn is refused and never happened; then things go on. */
static void test_a_turn_is_lost(void **state)
{
    struct rig *r = by_hand();
    struct rig_answer good, bad, got, poll;

    send(r, "a", "kept");
    rig_begin(r, &poll, "ReceiveMessage", "{'QueueUrl':'b','WaitTimeSeconds':20}");
    rig_turn(r);
    rig_begin(r, &good, "SendMessage", "{'QueueUrl':'a','MessageBody':'good'}");
    rig_turn(r);
    rig_begin(r, &bad, "SendMessage", "{'QueueUrl':'b','MessageBody':'bad'}");
    rig_turn(r);
    receive(r, &got, "a");
    rig_turn(r);
    rig_counts(r, "a", 0, 2, 0);
    settle(r, 0);
    settle(r, E_FULL);
    assert_true(good.there && bad.there);
    assert_int_equal(good.status, 200);
    assert_int_equal(bad.status, 503);
    assert_false(got.there); /* its bodies are under way to it */
    rig_counts(r, "a", 2, 0, 0);
    rig_counts(r, "b", 0, 0, 0);
    while (bring(r, 0))
        ;
    assert_true(got.there);
    assert_int_equal(got.status, 503);
    assert_true(poll.there); /* it had been given the message that was lost */
    assert_int_equal(poll.status, 503);
    rig_end(&good);
    rig_end(&bad);
    rig_end(&got);
    rig_end(&poll);
    assert_true(r->d->server.failing);
    r->d->server.probe.due(&r->d->server.probe); /* a second later */
    assert_false(r->d->server.failing);
    receive(r, &got, "a");
    everything_comes(r);
    assert_non_null(strstr(got.body.p, "\"ApproximateReceiveCount\":\"1\""));
    answered(&got, "kept;good;");
    end(r);
}

/* Another owner: nothing is answered any more but that, and the daemon ends. */
static void test_the_owner_is_replaced(void **state)
{
    struct rig *r = by_hand();
    struct rig_answer sent, got, poll, late;

    send(r, "a", "1");
    rig_begin(r, &poll, "ReceiveMessage", "{'QueueUrl':'b','WaitTimeSeconds':20}");
    rig_begin(r, &sent, "SendMessage", "{'QueueUrl':'a','MessageBody':'2'}");
    rig_turn(r);
    receive(r, &got, "a");
    settle(r, E_FENCED);
    rig_begin(r, &late, "ListQueues", "{}");
    while (bring(r, 0))
        ;
    RIG_UNTIL(r, loop_is_stopped(r->d->server.loop));
    assert_true(r->d->server.fenced);
    assert_true(sent.there && got.there && poll.there && late.there);
    assert_int_equal(sent.status, 503);
    assert_int_equal(got.status, 503);
    assert_int_equal(late.status, 503);
    rig_end(&sent);
    rig_end(&got);
    rig_end(&poll);
    rig_end(&late);
    queued_close(r->d);
    r->d = NULL;
    rig_start(r);
    rig_counts(r, "a", 1, 0, 0);
    end(r);
}

/* The end does not wait for ever for an engine that says nothing. */
static void test_stopped_with_a_dead_engine(void **state)
{
    struct rig *r = by_hand();
    struct rig_answer sent, got;

    send(r, "a", "1");
    rig_set(r, "stop_max_ms", "10");
    rig_begin(r, &sent, "SendMessage", "{'QueueUrl':'a','MessageBody':'2'}");
    rig_turn(r);
    receive(r, &got, "a");
    server_stop(&r->d->server);
    server_run(&r->d->server);
    assert_true(sent.there && got.there);
    assert_int_equal(sent.status, 503);
    assert_int_equal(got.status, 503);
    rig_end(&sent);
    rig_end(&got);
    queued_close(r->d);
    r->d = NULL;
    rig_start(r);
    rig_counts(r, "a", 1, 0, 0);
    end(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_answer_before_its_turn),
        cmocka_unit_test(test_the_window_is_full),
        cmocka_unit_test(test_bodies_with_their_turn),
        cmocka_unit_test(test_bodies_behind_their_turn),
        cmocka_unit_test(test_bodies_in_flight),
        cmocka_unit_test(test_messages_go_while_bodies_come),
        cmocka_unit_test(test_a_turn_is_lost),
        cmocka_unit_test(test_the_owner_is_replaced),
        cmocka_unit_test(test_stopped_with_a_dead_engine),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
