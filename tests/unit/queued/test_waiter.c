/* Parked long polls: woken by everything that makes a message visible, oldest first, and never
 * given a message when their client has left. */
#include "rig.h"

#include "queued/waiter.h"

#define POLL "{'QueueUrl':'q','WaitTimeSeconds':20}"

static struct rig *with_queue(void)
{
    struct rig *r = rig_started();
    rig_create(r, "q");
    return r;
}

static void begin_poll(struct rig *r, struct rig_answer *a)
{
    rig_begin(r, a, "ReceiveMessage", POLL);
    rig_turn(r);
    rig_turn(r);
    assert_false(a->there);
}

static void expect_body(struct rig *r, struct rig_answer *a, const char *bodies)
{
    RIG_UNTIL(r, a->there);
    assert_int_equal(a->status, 200);
    char *got = rig_bodies(a->body.p);
    assert_string_equal(got, bodies);
    mem_free(got);
    rig_end(a);
}

static void a_send_wakes_the_oldest(void **state)
{
    struct rig *r = with_queue();
    struct rig_answer first, second;
    begin_poll(r, &first);
    begin_poll(r, &second);
    rig_send(r, "q", "a");
    expect_body(r, &first, "a;");
    assert_false(second.there);
    rig_send(r, "q", "b");
    expect_body(r, &second, "b;");
    rig_counts(r, "q", 0, 2, 0);
    rig_free(r);
}

static void delay_and_visibility_wake(void **state)
{
    struct rig *r = with_queue();
    struct rig_answer poll;
    rig_do(r, "SendMessage", "{'QueueUrl':'q','MessageBody':'late','DelaySeconds':5}");
    begin_poll(r, &poll);
    rig_advance(r, 5000);
    expect_body(r, &poll, "late;");
    begin_poll(r, &poll);
    rig_advance(r, 19999);
    assert_false(poll.there);
    rig_advance(r, 1);
    expect_body(r, &poll, "");
    begin_poll(r, &poll);
    rig_advance(r, 10000);
    expect_body(r, &poll, "late;");
    rig_free(r);
}

static void visibility_nought_wakes(void **state)
{
    struct rig *r = with_queue();
    struct rig_answer poll;
    char body[300];
    rig_send(r, "q", "m");
    char *handle = rig_take(r, "q", "");
    begin_poll(r, &poll);
    snprintf(body, sizeof body, "{'QueueUrl':'q','ReceiptHandle':'%s','VisibilityTimeout':0}",
             handle);
    rig_do(r, "ChangeMessageVisibility", body);
    expect_body(r, &poll, "m;");
    mem_free(handle);
    rig_free(r);
}

static void a_batch_wakes_with_what_came(void **state)
{
    struct rig *r = with_queue();
    struct rig_answer poll;
    rig_begin(r, &poll, "ReceiveMessage",
              "{'QueueUrl':'q','WaitTimeSeconds':20,'MaxNumberOfMessages':10}");
    rig_turn(r);
    rig_do(r, "SendMessageBatch",
           "{'QueueUrl':'q','Entries':[{'Id':'1','MessageBody':'a'},{'Id':"
           "'2','MessageBody':'b'}]}");
    expect_body(r, &poll, "a;b;");
    rig_free(r);
}

static void a_client_that_left_hides_nothing(void **state)
{
    struct rig *r = with_queue();
    struct rig_answer poll;
    struct call *c = rig_begin(r, &poll, "ReceiveMessage", POLL);
    rig_turn(r);
    desk_cancel(c);
    rig_send(r, "q", "m");
    RIG_UNTIL(r, poll.there);
    rig_counts(r, "q", 1, 0, 0);
    assert_int_equal(r->d->queues.waiting.parked, 0);
    rig_end(&poll);
    rig_free(r);
}

static void a_queue_that_goes_tells_them(void **state)
{
    struct rig *r = with_queue();
    struct rig_answer poll;
    begin_poll(r, &poll);
    rig_do(r, "DeleteQueue", "{'QueueUrl':'q'}");
    RIG_UNTIL(r, poll.there);
    assert_int_equal(poll.status, 400);
    assert_non_null(strstr(poll.body.p, "QueueDoesNotExist"));
    rig_end(&poll);
    rig_free(r);
}

static void the_queues_own_wait_counts_unless_told(void **state)
{
    struct rig *r = with_queue();
    struct rig_answer poll;
    rig_do(r, "SetQueueAttributes",
           "{'QueueUrl':'q','Attributes':{'ReceiveMessageWaitTimeSeconds':'3'}}");
    rig_receives(r, "q", ",'WaitTimeSeconds':0", "");
    rig_begin(r, &poll, "ReceiveMessage", "{'QueueUrl':'q'}");
    rig_advance(r, 2999);
    assert_false(poll.there);
    rig_advance(r, 1);
    expect_body(r, &poll, "");
    rig_free(r);
}

static void no_more_than_the_limit_may_wait(void **state)
{
    struct rig *r = rig_new();
    struct rig_answer poll;
    rig_set(r, "long_polls_max", "1");
    rig_start(r);
    rig_create(r, "q");
    begin_poll(r, &poll);
    rig_refused(r, 403, "RequestThrottled", "ReceiveMessage", POLL);
    rig_receives(r, "q", "", "");
    rig_advance(r, 20000);
    expect_body(r, &poll, "");
    rig_free(r);
}

static void an_orderly_end_answers_them(void **state)
{
    struct rig *r = with_queue();
    struct rig_answer poll;
    begin_poll(r, &poll);
    rig_stop(r);
    assert_true(poll.there);
    assert_string_equal(poll.body.p, "{}");
    rig_end(&poll);
    rig_free(r);
}

/* --- many at once ----------------------------------------------------------------------------- */

enum { MANY = 2 * WAITERS_A_TURN + 44 };

static struct rig_answer polls[MANY];

static void begin_many(struct rig *r)
{
    for (int i = 0; i < MANY; i++)
        rig_begin(r, &polls[i], "ReceiveMessage", POLL);
    rig_turn(r);
    rig_turn(r);
    assert_int_equal(r->d->queues.waiting.parked, MANY);
}

/* Each turn ends as many waits as it may, and no turn waits while there are more. */
static void expect_in_three_turns(struct rig *r)
{
    for (u32 left = MANY; left > 0;) {
        u32 step = MIN(left, (u32)WAITERS_A_TURN);
        assert_int_equal(loop_wait_ms(r->d->server.loop), 0);
        rig_turn(r);
        assert_int_equal(r->d->queues.waiting.parked, left - step);
        left -= step;
    }
    for (int i = 0; i < MANY; i++)
        RIG_UNTIL(r, polls[i].there);
}

static void end_many(int status)
{
    for (int i = 0; i < MANY; i++) {
        assert_int_equal(polls[i].status, status);
        rig_end(&polls[i]);
    }
}

static void waits_that_end_together(void **state)
{
    struct rig *r = with_queue();
    begin_many(r);
    clock_advance(&r->d->server.clock, 20000);
    expect_in_three_turns(r);
    end_many(200);
    rig_free(r);
}

static void waits_that_end_together_in_real_time(void **state)
{
    struct rig *r = with_queue();
    begin_many(r);
    struct heap *due = &r->d->queues.waiting.due_real;
    for (struct list *at = rig_queue(r, "q")->waiters.next; at != &rig_queue(r, "q")->waiters;
         at = at->next)
        heap_set(due, &list_item(at, struct waiter, link)->due_real, r->d->server.clock.mono_ms);
    loop_again(r->d->server.loop);
    expect_in_three_turns(r);
    end_many(200);
    rig_free(r);
}

static void a_queue_that_goes_with_many(void **state)
{
    struct rig *r = with_queue();
    struct rig_answer gone;
    begin_many(r);
    rig_begin(r, &gone, "DeleteQueue", "{'QueueUrl':'q'}");
    assert_null(rig_queue(r, "q"));
    expect_in_three_turns(r);
    RIG_UNTIL(r, gone.there);
    rig_end(&gone);
    end_many(400);
    rig_free(r);
}

/* As many messages become visible at once: oldest waiter and earliest message first, and another
 * queue's waiter does not wait for all of them. */
static void messages_that_come_together(void **state)
{
    struct rig *r = with_queue();
    struct rig_answer other;
    rig_create(r, "other");
    for (int i = 0; i < MANY; i++) {
        char *body = mem_printf("{'QueueUrl':'q','MessageBody':'%d','DelaySeconds':5}", i);
        rig_do(r, "SendMessage", body);
        mem_free(body);
    }
    rig_do(r, "SendMessage", "{'QueueUrl':'other','MessageBody':'m','DelaySeconds':5}");
    begin_many(r);
    rig_begin(r, &other, "ReceiveMessage", "{'QueueUrl':'other','WaitTimeSeconds':20}");
    rig_turn(r);
    clock_advance(&r->d->server.clock, 5000);
    RIG_UNTIL(r, r->d->queues.waiting.parked < MANY + 1);
    assert_true(r->d->queues.waiting.parked >= MANY + 1 - WAITERS_A_TURN);
    expect_body(r, &other, "m;");
    assert_true(r->d->queues.waiting.parked > 0);
    for (int i = 0; i < MANY; i++) {
        char text[16];
        snprintf(text, sizeof text, "%d;", i);
        expect_body(r, &polls[i], text);
    }
    rig_counts(r, "q", 0, MANY, 0);
    rig_free(r);
}

/* However many queues are hungry in every turn, waits that are due end, and those of a queue that is
 * deleted. */
static void hungry_queues_keep_nobody_waiting(void **state)
{
    enum { QUEUES = WAITERS_A_TURN + 10 };
    struct rig *r = with_queue();
    static struct queue *queues[QUEUES];
    struct rig_answer due, lost, gone;
    char text[100];
    rig_create(r, "gone");
    for (int i = 0; i < QUEUES; i++) {
        snprintf(text, sizeof text, "q%d", i);
        rig_create(r, text);
        queues[i] = rig_queue(r, text);
        snprintf(text, sizeof text, "{'QueueUrl':'q%d','WaitTimeSeconds':20}", i);
        rig_begin(r, &polls[i], "ReceiveMessage", text);
    }
    rig_begin(r, &due, "ReceiveMessage", "{'QueueUrl':'q','WaitTimeSeconds':1}");
    rig_begin(r, &lost, "ReceiveMessage", "{'QueueUrl':'gone','WaitTimeSeconds':20}");
    RIG_UNTIL(r, r->d->queues.waiting.parked == QUEUES + 2);
    rig_begin(r, &gone, "DeleteQueue", "{'QueueUrl':'gone'}");
    clock_advance(r->d->queues.clock, 1000);
    for (int turn = 0; turn < 5; turn++) {
        for (int i = 0; i < QUEUES; i++)
            queue_wake(queues[i]);
        rig_turn(r);
    }
    assert_true(due.there && lost.there && gone.there);
    rig_end(&gone);
    rig_end(&due);
    rig_end(&lost);
    rig_advance(r, 19000);
    for (int i = 0; i < QUEUES; i++)
        expect_body(r, &polls[i], "");
    rig_free(r);
}

/* Who may not receive any more, when there is a message, does not get it. */
static void a_policy_that_changed_meanwhile(void **state)
{
    struct rig *r = rig_new();
    struct rig_answer denied, allowed;
    rig_set(r, "enforce_policies", "true");
    rig_start(r);
    rig_create(r, "q");
    begin_poll(r, &denied);
    rig_do(r, "SetQueueAttributes",
           "{'QueueUrl':'q','Attributes':{'Policy':'{\\'Statement\\':{\\'Effect\\':\\'Deny\\',"
           "\\'Principal\\':\\'*\\',\\'Action\\':\\'sqs:ReceiveMessage\\',"
           "\\'Resource\\':\\'*\\'}}'}}");
    rig_send(r, "q", "m");
    RIG_UNTIL(r, denied.there);
    assert_int_equal(denied.status, 403);
    assert_non_null(strstr(denied.body.p, "AccessDenied"));
    rig_counts(r, "q", 1, 0, 0);
    rig_do(r, "SetQueueAttributes", "{'QueueUrl':'q','Attributes':{'Policy':''}}");
    rig_begin(r, &allowed, "ReceiveMessage", POLL);
    expect_body(r, &allowed, "m;");
    rig_end(&denied);
    rig_free(r);
}

/* The store fails: who waits goes on waiting, and is served when it works again. */
static void they_outlive_a_failing_store(void **state)
{
    struct rig *r = with_queue();
    struct rig_answer poll, gone, send, lost;
    begin_poll(r, &poll);
    rig_fail_disk();
    /* A queue that never was, with somebody who waits there. */
    rig_begin(r, &lost, "CreateQueue", "{'QueueName':'never'}");
    rig_begin(r, &gone, "ReceiveMessage", "{'QueueUrl':'never','WaitTimeSeconds':20}");
    rig_begin(r, &send, "SendMessage", "{'QueueUrl':'q','MessageBody':'lost'}");
    RIG_UNTIL(r, send.there && lost.there && gone.there);
    assert_int_equal(send.status, 503);
    assert_int_equal(gone.status, 400); /* there is no such queue, and it is read again */
    rig_end(&send);
    rig_end(&lost);
    rig_end(&gone);
    /* The poll was given the message in the turn that failed: its client asks again. */
    RIG_UNTIL(r, poll.there);
    assert_int_equal(poll.status, 503);
    rig_end(&poll);
    failing_vfs_heal();
    RIG_UNTIL(
        r, (loop_timer_set_real(r->d->server.loop, &r->d->server.probe, 0), !r->d->server.failing));
    begin_poll(r, &poll);
    rig_fail_disk();
    rig_begin(r, &lost, "CreateQueue", "{'QueueName':'never'}");
    RIG_UNTIL(r, lost.there);
    rig_end(&lost);
    assert_false(poll.there);
    failing_vfs_heal();
    RIG_UNTIL(
        r, (loop_timer_set_real(r->d->server.loop, &r->d->server.probe, 0), !r->d->server.failing));
    assert_false(poll.there);
    rig_send(r, "q", "m");
    expect_body(r, &poll, "m;");
    rig_free(r);
}

/* The end comes while the store can be neither written nor read: who waits is let go. */
static void an_end_without_a_store_answers_them(void **state)
{
    struct rig *r = with_queue();
    struct rig_answer poll, create;
    begin_poll(r, &poll);
    failing_vfs_order((struct failing_order){.ops = FAILING_CHANGES | FAILING_READ | FAILING_OPEN,
                                             .files = FAILING_ANY,
                                             .result = 10 /* SQLITE_IOERR */,
                                             .times = -1});
    rig_begin(r, &create, "CreateQueue", "{'QueueName':'never'}");
    RIG_UNTIL(r, create.there);
    assert_true(r->d->server.lost);
    assert_false(poll.there);
    server_stop(&r->d->server);
    RIG_UNTIL(r, poll.there);
    assert_int_equal(poll.status, 200);
    failing_vfs_heal();
    rig_end(&poll);
    rig_end(&create);
    rig_free(r);
}

/* In the turn that fails one receive takes the message, and another one parks: the first is refused,
 * and the second gets it when the store works again, not when it has waited its time. */
static void a_message_given_in_a_lost_turn(void **state)
{
    struct rig *r = rig_started();
    struct rig_answer taken, poll;
    rig_create(r, "q");
    rig_send(r, "q", "m");
    rig_fail_disk();
    rig_begin(r, &taken, "ReceiveMessage", "{'QueueUrl':'q'}");
    rig_begin(r, &poll, "ReceiveMessage", "{'QueueUrl':'q','WaitTimeSeconds':20}");
    RIG_UNTIL(r, taken.there);
    assert_int_equal(taken.status, 503);
    rig_end(&taken);
    assert_false(poll.there);
    failing_vfs_heal();
    RIG_UNTIL(
        r, (loop_timer_set_real(r->d->server.loop, &r->d->server.probe, 0), !r->d->server.failing));
    RIG_UNTIL(r, poll.there);
    expect_body(r, &poll, "m;");
    rig_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_send_wakes_the_oldest),
        cmocka_unit_test(delay_and_visibility_wake),
        cmocka_unit_test(visibility_nought_wakes),
        cmocka_unit_test(a_batch_wakes_with_what_came),
        cmocka_unit_test(a_client_that_left_hides_nothing),
        cmocka_unit_test(a_queue_that_goes_tells_them),
        cmocka_unit_test(the_queues_own_wait_counts_unless_told),
        cmocka_unit_test(no_more_than_the_limit_may_wait),
        cmocka_unit_test(an_orderly_end_answers_them),
        cmocka_unit_test(waits_that_end_together),
        cmocka_unit_test(waits_that_end_together_in_real_time),
        cmocka_unit_test(a_queue_that_goes_with_many),
        cmocka_unit_test(messages_that_come_together),
        cmocka_unit_test(hungry_queues_keep_nobody_waiting),
        cmocka_unit_test(a_policy_that_changed_meanwhile),
        cmocka_unit_test(they_outlive_a_failing_store),
        cmocka_unit_test(a_message_given_in_a_lost_turn),
        cmocka_unit_test(an_end_without_a_store_answers_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
