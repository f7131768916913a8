/* Move tasks: where messages go and what they are there, the rate by the daemon's clock, restart,
 * cancelling, failing, and what is kept of them. */
#include "rig.h"

#define ARN  "arn:aws:sqs:us-east-1:000000000000:"
#define LIST "{'SourceArn':'" ARN "dead','MaxResults':10}"

/* Two queues with a dead-letter queue in common, and one more queue. */
static struct rig *with_queues(void)
{
    struct rig *r = rig_started();
    rig_create(r, "dead");
    rig_create(r, "a");
    rig_create(r, "b");
    rig_create(r, "other");
    rig_set_policy(r, "a", "dead", 1);
    rig_set_policy(r, "b", "dead", 1);
    return r;
}

/* As a dead letter of that queue. */
static void bury(struct rig *r, const char *queue, const char *text)
{
    rig_send(r, queue, text);
    char *take = mem_printf(",'VisibilityTimeout':0");
    char *body = mem_printf("%s;", text);
    rig_receives(r, queue, take, body);
    rig_receives(r, queue, "", "");
    mem_free(body);
    mem_free(take);
}

/* The task's handle; `more` are further members. */
static char *start(struct rig *r, const char *more)
{
    char *body = mem_printf("{'SourceArn':'" ARN "dead'%s}", more);
    char *answer = rig_call(r, NULL, "StartMessageMoveTask", body);
    char *handle = rig_member(answer, "TaskHandle");
    mem_free(answer);
    mem_free(body);
    return handle;
}

static void starts(struct rig *r, const char *more)
{
    mem_free(start(r, more));
}

static struct move_task *newest(struct rig *r)
{
    return list_item(rig_queue(r, "dead")->tasks.next, struct move_task, link);
}

static void ends(struct rig *r, enum move_status status, u64 moved)
{
    RIG_UNTIL(r, !move_task_running(rig_queue(r, "dead")));
    assert_int_equal(newest(r)->status, status);
    assert_int_equal(newest(r)->moved, moved);
}

static void lists(struct rig *r, const char *text)
{
    char *answer = rig_call(r, NULL, "ListMessageMoveTasks", LIST);
    if (!strstr(answer, text))
        fail_msg("%s is not in %s", text, answer);
    mem_free(answer);
}

static void each_goes_back_to_its_queue(void **state)
{
    struct rig *r = with_queues();
    bury(r, "a", "1");
    bury(r, "b", "2");
    bury(r, "a", "3");
    rig_counts(r, "dead", 3, 0, 0);
    starts(r, "");
    ends(r, MOVE_COMPLETED, 3);
    rig_counts(r, "dead", 0, 0, 0);
    rig_receives(r, "a", ",'VisibilityTimeout':0", "1;3;");
    rig_receives(r, "b", "", "2;");
    lists(r, "{\"Results\":[{\"Status\":\"COMPLETED\",\"SourceArn\":\"" ARN
             "dead\",\"ApproximateNumberOfMessagesMoved\":3,"
             "\"ApproximateNumberOfMessagesToMove\":3,\"StartedTimestamp\":");
    rig_free(r);
}

/* It is a new message: it may be received as often as its queue says, and is found so after a
 * restart. */
static void a_moved_message_is_a_new_one(void **state)
{
    struct rig *r = with_queues();
    rig_do(r, "SetQueueAttributes", "{'QueueUrl':'a','Attributes':{'DelaySeconds':'5'}}");
    rig_send(r, "a", "text");
    rig_advance(r, 5000);
    char *first = rig_call(r, NULL, "ReceiveMessage", "{'QueueUrl':'a','VisibilityTimeout':0}");
    char *id = rig_member(first, "MessageId");
    rig_receives(r, "a", "", "");
    rig_advance(r, 1000);
    starts(r, "");
    ends(r, MOVE_COMPLETED, 1);
    rig_counts(r, "a", 0, 0, 1);
    rig_advance(r, 5000);
    for (int life = 0; life < 2; life++) {
        rig_counts(r, "a", 1, 0, 0);
        rig_restart(r);
    }
    char *again = rig_call(r, NULL, "ReceiveMessage", "{'QueueUrl':'a','AttributeNames':['All']}");
    char *other = rig_member(again, "MessageId");
    char *count = rig_member(again, "ApproximateReceiveCount");
    char *sent = rig_member(again, "SentTimestamp");
    i64 now_ms = r->d->server.clock.now_ms;
    assert_string_not_equal(other, id);
    assert_string_equal(count, "1");
    assert_int_equal(strtoll(sent, NULL, 10), now_ms - 5000);
    assert_null(strstr(again, "DeadLetterQueueSourceArn"));
    assert_non_null(strstr(again, "\"Body\":\"text\""));
    assert_int_equal(rig_rows(r, "message"), 1);
    assert_int_equal(rig_rows(r, "body"), 1);
    char *handle = rig_member(again, "ReceiptHandle");
    char *gone = mem_printf("{'QueueUrl':'a','ReceiptHandle':'%s'}", handle);
    rig_do(r, "DeleteMessage", gone);
    assert_int_equal(rig_rows(r, "body"), 0);
    mem_free(gone);
    mem_free(handle);
    mem_free(sent);
    mem_free(count);
    mem_free(other);
    mem_free(again);
    mem_free(id);
    mem_free(first);
    rig_free(r);
}

/* Sent times are in the order of arrival, also where the newest one was sent by a clock that was
 * ahead. */
static void behind_a_younger_one(void **state)
{
    struct rig *r = with_queues();
    bury(r, "a", "1");
    rig_send(r, "a", "2");
    struct queue *a = rig_queue(r, "a");
    i64 ahead_ms = queue_oldest(a)->sent_ms + 5000;
    char *path = mem_printf("%s/queued.db", r->dir);
    char *sql =
        mem_printf("UPDATE message SET sent_ms = sent_ms + 5000 WHERE queue = %" PRIu64, a->id);
    rig_stop(r);
    store_aid_sql(path, sql);
    rig_start(r);
    starts(r, "");
    ends(r, MOVE_COMPLETED, 1);
    a = rig_queue(r, "a");
    assert_int_equal(list_item(a->arrived.prev, struct msg, arrived)->sent_ms, ahead_ms);
    rig_counts(r, "a", 2, 0, 0);
    mem_free(sql);
    mem_free(path);
    rig_free(r);
}

static void to_a_queue_that_is_named(void **state)
{
    struct rig *r = with_queues();
    bury(r, "a", "1");
    rig_send(r, "dead", "of its own");
    starts(r, ",'DestinationArn':'" ARN "other'");
    ends(r, MOVE_COMPLETED, 2);
    rig_receives(r, "other", "", "1;of its own;");
    lists(r, "\"DestinationArn\":\"" ARN "other\"");
    rig_free(r);
}

/* What is in flight stays; a long poll at the destination is woken. */
static void only_visible_ones_move(void **state)
{
    struct rig *r = with_queues();
    struct rig_answer poll;
    bury(r, "a", "1");
    bury(r, "a", "2");
    mem_free(rig_take(r, "dead", ""));
    rig_begin(r, &poll, "ReceiveMessage", "{'QueueUrl':'a','WaitTimeSeconds':20}");
    starts(r, "");
    ends(r, MOVE_COMPLETED, 1);
    RIG_UNTIL(r, poll.there);
    assert_non_null(strstr(poll.body.p, "\"Body\":\"2\""));
    rig_counts(r, "dead", 0, 1, 0);
    rig_end(&poll);
    rig_free(r);
}

static void moved_are(struct rig *r, u64 n)
{
    for (int i = 0; i < 10; i++)
        rig_turn(r);
    assert_int_equal(newest(r)->moved, n);
}

static void a_rate(void **state)
{
    struct rig *r = with_queues();
    for (int i = 0; i < 10; i++)
        rig_send(r, "dead", "m");
    char *handle = start(r, ",'DestinationArn':'" ARN "other','MaxNumberOfMessagesPerSecond':2");
    moved_are(r, 1);
    rig_advance(r, 499);
    moved_are(r, 1);
    rig_advance(r, 1);
    moved_are(r, 2);
    rig_advance(r, 1000);
    moved_are(r, 4);
    rig_restart(r); /* it goes on, the rate counts anew */
    moved_are(r, 5);
    rig_advance(r, 500);
    moved_are(r, 6);
    char *shown = mem_printf("{\"Results\":[{\"TaskHandle\":\"%s\",\"Status\":\"RUNNING\"", handle);
    lists(r, shown);
    lists(r, "\"MaxNumberOfMessagesPerSecond\":2,");
    char *cancel = mem_printf("{'TaskHandle':'%s'}", handle);
    char *answer = rig_call(r, NULL, "CancelMessageMoveTask", cancel);
    assert_string_equal(answer, "{\"ApproximateNumberOfMessagesMoved\":6}");
    lists(r, "{\"Results\":[{\"Status\":\"CANCELLED\"");
    rig_refused(r, 400, "Only active tasks can be cancelled.", "CancelMessageMoveTask", cancel);
    rig_advance(r, 10000);
    rig_restart(r);
    moved_are(r, 6);
    rig_counts(r, "dead", 4, 0, 0);
    rig_counts(r, "other", 6, 0, 0);
    mem_free(answer);
    mem_free(cancel);
    mem_free(shown);
    mem_free(handle);
    rig_free(r);
}

/* With its last message, not when it might move one more. */
static void a_rate_delays_no_end(void **state)
{
    struct rig *r = with_queues();
    bury(r, "a", "1");
    starts(r, ",'MaxNumberOfMessagesPerSecond':1");
    ends(r, MOVE_COMPLETED, 1);
    rig_free(r);
}

static void what_makes_it_fail(void **state)
{
    struct rig *r = with_queues();
    bury(r, "a", "1");
    rig_send(r, "dead", "of its own");
    starts(r, "");
    ends(r, MOVE_FAILED, 1);
    lists(r, "\"FailureReason\":\"CouldNotDetermineMessageSource\"");
    rig_counts(r, "dead", 1, 0, 0);
    rig_send(r, "dead", "second");
    rig_send(r, "dead", "third");
    starts(r, ",'DestinationArn':'" ARN "other','MaxNumberOfMessagesPerSecond':1");
    moved_are(r, 1);
    rig_do(r, "DeleteQueue", "{'QueueUrl':'other'}");
    rig_advance(r, 1000);
    ends(r, MOVE_FAILED, 1);
    rig_restart(r);
    lists(r, "\"FailureReason\":\"AWS.SimpleQueueService.NonExistentQueue\"");
    rig_receives(r, "dead", "", "second;third;"); /* nothing was lost */
    rig_free(r);
}

static void refused_starts(void **state)
{
    struct rig *r = with_queues();
    const char *const start = "StartMessageMoveTask";
    rig_do(r, "CreateQueue", "{'QueueName':'f.fifo','Attributes':{'FifoQueue':'true'}}");
    rig_refused(r, 400, "The request must contain the parameter SourceArn.", start, "{}");
    rig_refused(r, 400,
                "You must use this format to specify the SourceArn: "
                "arn:<partition>:<service>:<region>:<account-id>:<resource-id>",
                start, "{'SourceArn':'dead'}");
    rig_refused(r, 404,
                "The resource that you specified for the SourceArn parameter doesn't exist.", start,
                "{'SourceArn':'" ARN "gone'}");
    rig_refused(r, 400, "Source queue must be configured as a Dead Letter Queue.", start,
                "{'SourceArn':'" ARN "a'}");
#define TO(name) "{'SourceArn':'" ARN "dead','DestinationArn':'" ARN name "'}"
    rig_refused(r, 404,
                "The resource that you specified for the DestinationArn parameter doesn't exist.",
                start, TO("gone"));
    rig_refused(r, 400, "Source queue arn and destination queue arn cannot be the same.", start,
                TO("dead"));
    rig_refused(r, 400, "must be of the same queue type.", start, TO("f.fifo"));
    rig_refused(r, 400, "You must enter a number that's between 1 and 500.", start,
                "{'SourceArn':'" ARN "dead','MaxNumberOfMessagesPerSecond':501}");
    rig_send(r, "dead", "m");
    rig_send(r, "dead", "m");
    starts(r, ",'DestinationArn':'" ARN "other','MaxNumberOfMessagesPerSecond':1");
    rig_refused(r, 400, "There is already a task running.", start, TO("other"));
    rig_refused(r, 400, "You must enter a number that's between 1 and 10.", "ListMessageMoveTasks",
                "{'SourceArn':'" ARN "dead','MaxResults':11}");
    rig_refused(r, 400, "Value for parameter TaskHandle is invalid.", "CancelMessageMoveTask",
                "{'TaskHandle':'foobared'}");
    rig_free(r);
}

/* The last ones, newest first; with the queue they are gone. */
static void what_is_kept(void **state)
{
    struct rig *r = with_queues();
    for (int i = 0; i < MOVE_TASKS_KEPT + 3; i++) {
        rig_advance(r, 1000);
        starts(r, "");
        ends(r, MOVE_COMPLETED, 0);
    }
    for (int life = 0; life < 2; life++) {
        i64 before = INT64_MAX;
        u32 n = 0;
        list_each(at, next, &rig_queue(r, "dead")->tasks) {
            const struct move_task *t = list_item(at, struct move_task, link);
            assert_true(t->started_ms < before);
            before = t->started_ms;
            n++;
        }
        assert_int_equal(n, MOVE_TASKS_KEPT);
        rig_turn(r);
        assert_int_equal(rig_rows(r, "task"), MOVE_TASKS_KEPT);
        rig_restart(r);
    }
    char *one = rig_call(r, NULL, "ListMessageMoveTasks", "{'SourceArn':'" ARN "dead'}");
    assert_null(strstr(strstr(one, "Status") + 1, "Status"));
    mem_free(one);
    rig_send(r, "dead", "m");
    rig_send(r, "dead", "m");
    starts(r, ",'DestinationArn':'" ARN "other','MaxNumberOfMessagesPerSecond':1");
    rig_do(r, "DeleteQueue", "{'QueueUrl':'dead'}");
    assert_int_equal(rig_rows(r, "task"), 0);
    assert_int_equal(r->d->queues.tasks.due.n, 0);
    rig_free(r);
}

/* Order within groups is kept, what stands behind a hidden one stays. */
static void groups(void **state)
{
    struct rig *r = rig_started();
#define FIFO "'Attributes':{'FifoQueue':'true','ContentBasedDeduplication':'true'}"
    rig_do(r, "CreateQueue", "{'QueueName':'dead.fifo'," FIFO "}");
    rig_do(r, "CreateQueue", "{'QueueName':'a.fifo'," FIFO "}");
    rig_set_policy(r, "a.fifo", "dead.fifo", 1);
    const char *const sent[] = {"1-a", "2-a", "1-b", "2-b", "1-c"};
    for (size_t i = 0; i < ARRAY_LEN(sent); i++) {
        char *body = mem_printf("{'QueueUrl':'a.fifo','MessageBody':'%s','MessageGroupId':'%c'}",
                                sent[i], sent[i][0]);
        rig_do(r, "SendMessage", body);
        mem_free(body);
    }
    rig_receives(r, "a.fifo", ",'VisibilityTimeout':0", "1-a;1-b;1-c;2-a;2-b;");
    rig_receives(r, "a.fifo", "", "");
    rig_counts(r, "dead.fifo", 5, 0, 0);
    mem_free(rig_take(r, "dead.fifo", ""));
    rig_do(r, "StartMessageMoveTask", "{'SourceArn':'" ARN "dead.fifo'}");
    RIG_UNTIL(r, !move_task_running(rig_queue(r, "dead.fifo")));
    rig_counts(r, "dead.fifo", 2, 1, 0);
    rig_receives(r, "a.fifo", "", "2-a;2-b;");
    rig_advance(r, 30000);
    rig_do(r, "StartMessageMoveTask", "{'SourceArn':'" ARN "dead.fifo'}");
    RIG_UNTIL(r, !move_task_running(rig_queue(r, "dead.fifo")));
    rig_counts(r, "dead.fifo", 0, 0, 0);
    rig_receives(r, "a.fifo", "", "1-a;1-b;1-c;"); /* the others were received as often as may be */
    rig_free(r);
}

static void a_failed_commit(void **state)
{
    struct rig *r = with_queues();
    for (int i = 0; i < 3; i++)
        rig_send(r, "dead", "m");
    starts(r, ",'DestinationArn':'" ARN "other','MaxNumberOfMessagesPerSecond':1");
    moved_are(r, 1);
    rig_fail_disk();
    r->d->server.clock.now_ms += 1000;
    RIG_UNTIL(r, r->d->server.failing);
    failing_vfs_heal();
    RIG_UNTIL(
        r, (loop_timer_set_real(r->d->server.loop, &r->d->server.probe, 0), !r->d->server.failing));
    rig_advance(r, 10000);
    ends(r, MOVE_COMPLETED, 3);
    rig_counts(r, "dead", 0, 0, 0);
    rig_counts(r, "other", 3, 0, 0);
    rig_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_goes_back_to_its_queue),
        cmocka_unit_test(a_moved_message_is_a_new_one),
        cmocka_unit_test(behind_a_younger_one),
        cmocka_unit_test(to_a_queue_that_is_named),
        cmocka_unit_test(only_visible_ones_move),
        cmocka_unit_test(a_rate),
        cmocka_unit_test(a_rate_delays_no_end),
        cmocka_unit_test(what_makes_it_fail),
        cmocka_unit_test(refused_starts),
        cmocka_unit_test(what_is_kept),
        cmocka_unit_test(groups),
        cmocka_unit_test(a_failed_commit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
