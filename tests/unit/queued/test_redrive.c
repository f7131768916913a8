/* Messages that move to another queue: they arrive there anew and stay what they are, whatever was
 * purged, deleted or restarted; and the lazy move of those that were received too often. */
#include "rig.h"

#include "queued/redrive.h"

#define ARN "arn:aws:sqs:us-east-1:000000000000:"

static struct rig *with_queues(void)
{
    struct rig *r = rig_started();
    rig_create(r, "q");
    rig_create(r, "dead");
    return r;
}

static void move_oldest(struct rig *r, const char *from, const char *to)
{
    redrive_move(queue_oldest(rig_queue(r, from)), rig_queue(r, to));
    rig_turn(r);
}

/* What a receive that hides nothing says of the first message. */
static char *peek(struct rig *r, const char *queue)
{
    char *body = mem_printf("{'QueueUrl':'%s','VisibilityTimeout':0,"
                            "'MessageSystemAttributeNames':['All']}",
                            queue);
    char *answer = rig_call(r, NULL, "ReceiveMessage", body);
    mem_free(body);
    return answer;
}

static void expect_member(const char *answer, const char *name, const char *value)
{
    char *got = rig_member(answer, name);
    assert_string_equal(got, value);
    mem_free(got);
}

/* MessageId, times, count, content; and it is found although its first seq is below what was purged
 * where it is now. */
static void a_moved_message_stays_what_it_is(void **state)
{
    struct rig *r = with_queues();
    rig_do(r, "SendMessage",
           "{'QueueUrl':'q','MessageBody':'a','MessageGroupId':'g','MessageAttributes':{'k':"
           "{'DataType':'String','StringValue':'v'}}}");
    char *before = peek(r, "q");
    char *id = rig_member(before, "MessageId"), *sent = rig_member(before, "SentTimestamp");
    char *first = rig_member(before, "ApproximateFirstReceiveTimestamp");
    assert_null(strstr(before, "DeadLetterQueueSourceArn"));
    rig_send(r, "dead", "purged");
    rig_do(r, "PurgeQueue", "{'QueueUrl':'dead'}");
    rig_advance(r, 1000);
    move_oldest(r, "q", "dead");
    for (int life = 0; life < 3; life++) {
        char *count = mem_printf("%d", 2 + life);
        rig_counts(r, "q", 0, 0, 0);
        rig_counts(r, "dead", 1, 0, 0);
        char *after = peek(r, "dead");
        expect_member(after, "MessageId", id);
        expect_member(after, "Body", "a");
        expect_member(after, "SentTimestamp", sent);
        expect_member(after, "ApproximateFirstReceiveTimestamp", first);
        expect_member(after, "ApproximateReceiveCount", count);
        expect_member(after, "MessageGroupId", "g");
        expect_member(after, "DeadLetterQueueSourceArn", ARN "q");
        mem_free(after);
        mem_free(count);
        rig_restart(r);
    }
    assert_int_equal(rig_rows(r, "message"), 1);
    assert_int_equal(rig_rows(r, "body"), 1);
    queue_drop(queue_oldest(rig_queue(r, "dead")));
    rig_turn(r);
    assert_int_equal(rig_rows(r, "message"), 0);
    assert_int_equal(rig_rows(r, "body"), 0);
    assert_int_equal(r->d->queues.msgs.bodies.used + r->d->queues.msgs.pasts.used, 0);
    assert_int_equal(r->d->queues.msgs.origin_of.n, 0);
    mem_free(before);
    mem_free(first);
    mem_free(sent);
    mem_free(id);
    rig_free(r);
}

/* Once more, and back: the same MessageId, the last source. */
static void moved_twice(void **state)
{
    struct rig *r = with_queues();
    rig_create(r, "third");
    rig_send(r, "q", "a");
    char *before = peek(r, "q"), *id = rig_member(before, "MessageId");
    move_oldest(r, "q", "dead");
    move_oldest(r, "dead", "third");
    char *after = peek(r, "third");
    expect_member(after, "MessageId", id);
    expect_member(after, "DeadLetterQueueSourceArn", ARN "dead");
    move_oldest(r, "third", "q");
    rig_restart(r);
    mem_free(after);
    after = peek(r, "q");
    expect_member(after, "MessageId", id);
    expect_member(after, "DeadLetterQueueSourceArn", ARN "third");
    rig_counts(r, "q", 1, 0, 0);
    assert_int_equal(rig_rows(r, "body"), 1);
    mem_free(after);
    mem_free(before);
    mem_free(id);
    rig_free(r);
}

/* It is not that queue's any more. */
static void handles_of_the_queue_that_it_left(void **state)
{
    struct rig *r = with_queues();
    rig_send(r, "q", "a");
    char *handle = rig_take(r, "q", "");
    char *here = mem_printf("{'QueueUrl':'q','ReceiptHandle':'%s'}", handle);
    char *there = mem_printf("{'QueueUrl':'dead','ReceiptHandle':'%s'}", handle);
    move_oldest(r, "q", "dead"); /* in flight: its visibility timeout ends with the move */
    rig_counts(r, "q", 0, 0, 0);
    rig_counts(r, "dead", 1, 0, 0);
    rig_do(r, "DeleteMessage", here);
    rig_refused(r, 404, "is not valid for this queue", "DeleteMessage", there);
    rig_receives(r, "dead", ",'VisibilityTimeout':0", "a;");
    rig_advance(r, 60000);
    rig_counts(r, "dead", 1, 0, 0);
    mem_free(here);
    mem_free(there);
    mem_free(handle);
    rig_free(r);
}

/* Retention counts from the first send, whatever arrived before. */
static void a_moved_message_expires_before_younger_ones(void **state)
{
    struct rig *r = with_queues();
    for (int i = 0; i < 2; i++) {
        rig_send(r, "q", i ? "second" : "first");
        rig_advance(r, 10000);
    }
    rig_do(r, "SetQueueAttributes",
           "{'QueueUrl':'dead','Attributes':{'MessageRetentionPeriod':'100'}}");
    rig_send(r, "dead", "own");
    rig_advance(r, 10000);
    move_oldest(r, "q", "dead");
    move_oldest(r, "q", "dead");
    rig_send(r, "dead", "late");
    rig_counts(r, "dead", 4, 0, 0);
    rig_restart(r);
    rig_advance(r, 69999);
    rig_counts(r, "dead", 4, 0, 0);
    rig_advance(r, 1);
    rig_receives(r, "dead", ",'VisibilityTimeout':0", "own;second;late;");
    rig_advance(r, 10000);
    rig_counts(r, "dead", 2, 0, 0);
    rig_do(r, "PurgeQueue", "{'QueueUrl':'dead'}");
    rig_advance(r, 100000);
    rig_counts(r, "dead", 0, 0, 0);
    assert_int_equal(r->d->queues.msgs.msgs.used, 0);
    rig_free(r);
}

/* Moved ones, too, are gone at once and cleared away later. */
static void a_purge_takes_moved_messages(void **state)
{
    struct rig *r = with_queues();
    struct rig_answer purge;
    rig_send(r, "q", "a");
    rig_send(r, "q", "b");
    move_oldest(r, "q", "dead");
    rig_begin(r, &purge, "PurgeQueue", "{'QueueUrl':'dead'}");
    move_oldest(r, "q", "dead"); /* in the same turn, after the purge */
    RIG_UNTIL(r, purge.there);
    rig_end(&purge);
    rig_restart(r);
    rig_counts(r, "dead", 1, 0, 0);
    rig_receives(r, "dead", "", "b;");
    RIG_UNTIL(r, r->d->queues.msgs.msgs.used == 1);
    rig_do(r, "DeleteQueue", "{'QueueUrl':'dead'}");
    RIG_UNTIL(r, r->d->queues.msgs.msgs.used == 0);
    rig_turn(r);
    assert_int_equal(rig_rows(r, "body"), 0);
    rig_free(r);
}

static void a_failed_commit_undoes_a_move(void **state)
{
    struct rig *r = with_queues();
    rig_send(r, "q", "a");
    rig_fail_disk();
    redrive_move(queue_oldest(rig_queue(r, "q")), rig_queue(r, "dead"));
    rig_counts(r, "dead", 1, 0, 0);
    RIG_UNTIL(r, r->d->server.failing);
    failing_vfs_heal();
    RIG_UNTIL(
        r, (loop_timer_set_real(r->d->server.loop, &r->d->server.probe, 0), !r->d->server.failing));
    rig_counts(r, "q", 1, 0, 0);
    rig_counts(r, "dead", 0, 0, 0);
    rig_free(r);
}

/* --- the lazy move ---------------------------------------------------------------------------- */

static struct rig *with_dead_letters(u32 receives_max)
{
    struct rig *r = with_queues();
    rig_set_policy(r, "q", "dead", receives_max);
    return r;
}

static void received_as_often_as_it_may_be(void **state)
{
    struct rig *r = with_dead_letters(2);
    rig_send(r, "q", "a");
    rig_receives(r, "q", ",'VisibilityTimeout':1", "a;");
    rig_advance(r, 1000);
    rig_send(r, "q", "b");
    rig_receives(r, "q", ",'VisibilityTimeout':1", "a;b;");
    rig_advance(r, 1000);
    rig_counts(r, "q", 2, 0, 0); /* it moves when somebody asks, not before */
    rig_counts(r, "dead", 0, 0, 0);
    rig_receives(r, "q", "", "b;");
    rig_counts(r, "dead", 1, 0, 0);
    char *answer = peek(r, "dead");
    expect_member(answer, "ApproximateReceiveCount", "3");
    mem_free(answer);
    rig_free(r);
}

/* A long poll that finds only such ones moves them and waits on; who waits at the other queue gets
 * them. */
static void long_polls_on_both_sides(void **state)
{
    struct rig *r = with_dead_letters(1);
    struct rig_answer here, there;
    rig_send(r, "q", "a");
    rig_receives(r, "q", ",'VisibilityTimeout':0", "a;");
    rig_begin(r, &there, "ReceiveMessage", "{'QueueUrl':'dead','WaitTimeSeconds':20}");
    rig_begin(r, &here, "ReceiveMessage", "{'QueueUrl':'q','WaitTimeSeconds':20}");
    RIG_UNTIL(r, there.there);
    assert_non_null(strstr(there.body.p, "\"Body\":\"a\""));
    assert_false(here.there);
    rig_send(r, "q", "b");
    RIG_UNTIL(r, here.there);
    assert_non_null(strstr(here.body.p, "\"Body\":\"b\""));
    rig_end(&here);
    rig_end(&there);
    rig_free(r);
}

/* A dead-letter queue that has one, too, counts anew: it delivers what arrives as often as its own
 * policy says, also over a restart; the message's count goes on. */
static void a_chain_of_dead_letter_queues(void **state)
{
    struct rig *r = with_dead_letters(3);
    rig_create(r, "last");
    rig_set_policy(r, "dead", "last", 2);
    rig_send(r, "q", "a");
    static const char *const queues[] = {"q", "q", "q", "dead", "dead", "last"};
    for (size_t i = 0; i < ARRAY_LEN(queues); i++) {
        const char *before = queues[i ? i - 1 : 0];
        if (strcmp(before, queues[i]) != 0)
            rig_receives(r, before, "", ""); /* moves it */
        char *answer = peek(r, queues[i]), *count = mem_printf("%zu", i + 1);
        expect_member(answer, "ApproximateReceiveCount", count);
        mem_free(answer);
        rig_restart(r);
        mem_free(count);
    }
    rig_free(r);
}

/* Two queues that are each other's dead-letter queue, and a long poll at each: the message is
 * delivered where it arrives, and moves on at a later receive. */
static void a_cycle_of_dead_letter_queues(void **state)
{
    struct rig *r = with_dead_letters(1);
    struct rig_answer here, there;
    rig_set_policy(r, "dead", "q", 1);
    rig_send(r, "q", "a");
    rig_receives(r, "q", ",'VisibilityTimeout':0", "a;");
    rig_begin(r, &here, "ReceiveMessage",
              "{'QueueUrl':'q','WaitTimeSeconds':20,'VisibilityTimeout':0}");
    rig_begin(r, &there, "ReceiveMessage",
              "{'QueueUrl':'dead','WaitTimeSeconds':20,'VisibilityTimeout':0}");
    RIG_UNTIL(r, there.there);
    assert_non_null(strstr(there.body.p, "\"Body\":\"a\""));
    assert_false(here.there);
    rig_receives(r, "dead", "", "");
    RIG_UNTIL(r, here.there);
    assert_non_null(strstr(here.body.p, "\"Body\":\"a\""));
    rig_counts(r, "q", 1, 0, 0);
    rig_end(&here);
    rig_end(&there);
    rig_free(r);
}

/* A receive that may not move any more stops, and its queue is looked at again in the next turn, not
 * in the same one. */
static void moves_that_are_used_up(void **state)
{
    struct rig *r = with_dead_letters(1);
    struct queues *qs = &r->d->queues;
    struct rig_answer poll;
    struct msg *taken[QUEUE_TAKE_MAX];
    rig_begin(r, &poll, "ReceiveMessage", "{'QueueUrl':'q','WaitTimeSeconds':20}");
    rig_turn(r);
    rig_turn(r);
    queue_put(rig_queue(r, "q"), &(struct new_message){.content = STR("unread")});
    queue_take(rig_queue(r, "q"), 1, 0, taken);
    qs->moves_left = 0;
    assert_int_equal(queue_take(rig_queue(r, "q"), 1, 0, taken), 0);
    assert_true(list_is_empty(&qs->waiting.hungry));
    rig_turn(r);
    rig_turn(r);
    rig_counts(r, "q", 0, 0, 0);
    rig_counts(r, "dead", 1, 0, 0);
    rig_advance(r, 20000);
    RIG_UNTIL(r, poll.there);
    rig_end(&poll);
    rig_free(r);
}

/* Where they cannot go they are given out as before. */
static void no_dead_letter_queue(void **state)
{
    struct rig *r = with_dead_letters(1);
    rig_send(r, "q", "a");
    rig_do(r, "DeleteQueue", "{'QueueUrl':'dead'}");
    for (int i = 0; i < 3; i++)
        rig_receives(r, "q", ",'VisibilityTimeout':0", "a;");
    rig_set_policy(r, "q", "q", 1);
    rig_receives(r, "q", ",'VisibilityTimeout':0", "a;");
    rig_counts(r, "q", 1, 0, 0);
    rig_free(r);
}

/* --- who names whom ---------------------------------------------------------------------------- */

static void sources_are(struct rig *r, const char *want)
{
    char *got = rig_call(r, NULL, "ListDeadLetterSourceQueues", "{'QueueUrl':'dead'}");
    assert_string_equal(got, want);
    mem_free(got);
}

#define URL "http://localhost:9324/000000000000/"

static void sources_of_a_dead_letter_queue(void **state)
{
    struct rig *r = with_queues();
    sources_are(r, "{}");
    rig_set_policy(r, "q", "dead", 3);
    rig_set_policy(r, "dead", "dead", 3); /* a queue may name itself */
    sources_are(r, "{\"queueUrls\":[\"" URL "dead\",\"" URL "q\"]}");
    rig_restart(r);
    sources_are(r, "{\"queueUrls\":[\"" URL "dead\",\"" URL "q\"]}");
    char *first =
        rig_call(r, NULL, "ListDeadLetterSourceQueues", "{'QueueUrl':'dead','MaxResults':1}");
    char *token = rig_member(first, "NextToken");
    char *body = mem_printf("{'QueueUrl':'dead','MaxResults':1,'NextToken':'%s'}", token);
    char *second = rig_call(r, NULL, "ListDeadLetterSourceQueues", body);
    assert_string_equal(second, "{\"queueUrls\":[\"" URL "q\"]}");
    rig_refused(r, 400, "MaxResults must be an integer between 1 and 1000.",
                "ListDeadLetterSourceQueues", "{'QueueUrl':'dead','MaxResults':1001}");
    rig_do(r, "SetQueueAttributes", "{'QueueUrl':'dead','Attributes':{'RedrivePolicy':''}}");
    rig_set_policy(r, "q", "q", 3);
    sources_are(r, "{}");
    rig_set_policy(r, "q", "dead", 3);
    rig_do(r, "DeleteQueue", "{'QueueUrl':'q'}");
    sources_are(r, "{}");
    assert_int_equal(r->d->queues.sources.by_target.n, 0);
    mem_free(second);
    mem_free(body);
    mem_free(token);
    mem_free(first);
    rig_free(r);
}

#define POLICY_OF(arn) "{\\'deadLetterTargetArn\\':\\'" arn "\\',\\'maxReceiveCount\\':3}"
#define POLICY(name)   POLICY_OF(ARN name)
#define NAMES(queue, name)                                                                         \
    "{'QueueUrl':'" queue "','Attributes':{'RedrivePolicy':'" POLICY(name) "','DelaySeconds':'7'}" \
                                                                           "}"

/* A queue has one ARN: that text in the partition of other regions names no queue. */
static void an_arn_of_another_partition(void **state)
{
    struct rig *r = with_queues();
    rig_refused(r, 400, "Reason: Dead letter target does not exist.", "SetQueueAttributes",
                "{'QueueUrl':'q','Attributes':{'RedrivePolicy':'" POLICY_OF(
                    "arn:aws-cn:sqs:us-east-1:000000000000:dead") "'}}");
    assert_int_equal(r->d->queues.sources.by_target.n, 0);
    rig_set_policy(r, "q", "dead", 3);
    rig_refused(r, 404, "specified for the DestinationArn parameter doesn't exist.",
                "StartMessageMoveTask",
                "{'SourceArn':'" ARN "dead','DestinationArn':"
                "'arn:aws-cn:sqs:us-east-1:000000000000:dead'}");
    rig_free(r);
}

/* Nothing is changed by what is refused. */
static void targets_that_are_refused(void **state)
{
    struct rig *r = with_queues();
    rig_do(r, "CreateQueue", "{'QueueName':'f.fifo','Attributes':{'FifoQueue':'true'}}");
    rig_refused(r, 400, "Reason: Dead letter target does not exist.", "SetQueueAttributes",
                NAMES("q", "gone"));
    rig_refused(r, 400, "Dead-letter queue must be same type of queue as the source..",
                "SetQueueAttributes", NAMES("q", "f.fifo"));
    rig_refused(r, 400, "Dead-letter queue must be same type of queue as the source..",
                "SetQueueAttributes", NAMES("f.fifo", "q"));
    rig_refused(r, 400, "Reason: Dead letter target does not exist.", "CreateQueue",
                "{'QueueName':'new','Attributes':{'RedrivePolicy':'" POLICY("new") "'}}");
    assert_null(rig_queue(r, "new"));
    rig_do(r, "SetQueueAttributes",
           "{'QueueUrl':'dead','Attributes':{'RedriveAllowPolicy':"
           "'{\\'redrivePermission\\':\\'byQueue\\',\\'sourceQueueArns\\':[\\'" ARN
           "other\\']}'}}");
    rig_refused(r, 400, "does not permit this queue.", "SetQueueAttributes", NAMES("q", "dead"));
    assert_int_equal(rig_queue(r, "q")->attributes.delay_s, 0);
    assert_int_equal(r->d->queues.sources.by_target.n, 0);
    rig_do(r, "CreateQueue",
           "{'QueueName':'other','Attributes':{'RedrivePolicy':'" POLICY("dead") "'}}");
    /* It is checked when it is set: what a queue has already, it keeps. */
    rig_do(r, "SetQueueAttributes",
           "{'QueueUrl':'dead','Attributes':{'RedriveAllowPolicy':"
           "'{\\'redrivePermission\\':\\'denyAll\\'}'}}");
    rig_do(r, "SetQueueAttributes", "{'QueueUrl':'other','Attributes':{'DelaySeconds':'3'}}");
    rig_do(r, "CreateQueue",
           "{'QueueName':'other','Attributes':{'RedrivePolicy':'" POLICY("dead") "'}}");
    sources_are(r, "{\"queueUrls\":[\"" URL "other\"]}");
    rig_refused(r, 400, "different value for attribute RedrivePolicy", "CreateQueue",
                "{'QueueName':'other','Attributes':{'RedrivePolicy':'" POLICY("q") "'}}");
    rig_free(r);
}

/* A turn moves no more than so many; a long poll looks on in the next ones. */
static void many_dead_letters(void **state)
{
    enum { MANY = 2 * QUEUES_MOVES_A_TURN + 10 };
    struct rig *r = with_dead_letters(1);
    struct rig_answer poll;
    struct queue *q = rig_queue(r, "q"), *dead = rig_queue(r, "dead");
    struct msg *taken[QUEUE_TAKE_MAX];
    for (int i = 0; i < MANY; i++)
        queue_put(q, &(struct new_message){.content = STR("unread")});
    for (int i = 0; i < MANY; i += QUEUE_TAKE_MAX)
        queue_take(q, QUEUE_TAKE_MAX, 1000, taken);
    rig_advance(r, 1000);
    RIG_UNTIL(r, q->visible_count == MANY);
    rig_send(r, "q", "behind them");
    rig_begin(r, &poll, "ReceiveMessage", "{'QueueUrl':'q','WaitTimeSeconds':20}");
    for (u64 want = QUEUES_MOVES_A_TURN; want < MANY; want += QUEUES_MOVES_A_TURN) {
        RIG_UNTIL(r, dead->visible_count > want - QUEUES_MOVES_A_TURN);
        assert_true(dead->visible_count <= want);
        assert_false(poll.there);
        assert_int_equal(loop_wait_ms(r->d->server.loop), 0);
    }
    RIG_UNTIL(r, poll.there);
    assert_non_null(strstr(poll.body.p, "behind them"));
    rig_counts(r, "dead", MANY, 0, 0);
    rig_counts(r, "q", 0, 1, 0);
    rig_end(&poll);
    rig_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_moved_message_stays_what_it_is),
        cmocka_unit_test(moved_twice),
        cmocka_unit_test(handles_of_the_queue_that_it_left),
        cmocka_unit_test(a_moved_message_expires_before_younger_ones),
        cmocka_unit_test(a_purge_takes_moved_messages),
        cmocka_unit_test(a_failed_commit_undoes_a_move),
        cmocka_unit_test(received_as_often_as_it_may_be),
        cmocka_unit_test(long_polls_on_both_sides),
        cmocka_unit_test(a_chain_of_dead_letter_queues),
        cmocka_unit_test(a_cycle_of_dead_letter_queues),
        cmocka_unit_test(moves_that_are_used_up),
        cmocka_unit_test(no_dead_letter_queue),
        cmocka_unit_test(sources_of_a_dead_letter_queue),
        cmocka_unit_test(targets_that_are_refused),
        cmocka_unit_test(an_arn_of_another_partition),
        cmocka_unit_test(many_dead_letters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
