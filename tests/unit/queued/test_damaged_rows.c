/* Rows that say what cannot be: no row stops the daemon or hides what is sent later. */
#include "rig.h"

#define ARN "arn:aws:sqs:us-east-1:000000000000:"

static struct rig *r;

static int setup(void **state)
{
    r = rig_started();
    rig_create(r, "q");
    rig_create(r, "dead");
    rig_do(r, "CreateQueue", "{'QueueName':'dead.fifo','Attributes':{'FifoQueue':'true'}}");
    rig_set_policy(r, "q", "dead", 1);
    rig_do(r, "SendMessage", "{'QueueUrl':'q','MessageBody':'a','MessageGroupId':'g'}");
    return 0;
}

static int teardown(void **state)
{
    rig_free(r);
    return 0;
}

/* The daemon finds its store so; so many rows cannot be read. */
static void found(const char *sql, u64 damaged)
{
    char *path = mem_printf("%s/queued.db", r->dir);
    rig_stop(r);
    store_aid_sql(path, sql);
    rig_start(r);
    assert_int_equal(r->d->queues.damaged, damaged);
    mem_free(path);
}

static void a_long_group_id(void **state)
{
    found("UPDATE message SET extra = CAST(x'03A00F' || hex(zeroblob(2000)) AS BLOB)", 1);
    rig_receives(r, "q", ",'VisibilityTimeout':0", "");
    rig_send(r, "q", "b");
    rig_receives(r, "q", ",'VisibilityTimeout':0", "b;");
}

static void more_receives_than_there_are(void **state)
{
    found("UPDATE message SET receives = receives - 1", 1);
    rig_counts(r, "q", 0, 0, 0);
}

static void marks_above_all_ids(void **state)
{
    static const char *const marks[] = {
        "\"purged_seq\":9000000000000000000", "\"purged_seq\":-1",
        "\"purged_seq\":0,\"expired_seq\":9000000000000000000,\"expired_ms\":9000000000000000",
        "\"purged_seq\":0,\"expired_seq\":-1,\"expired_ms\":9000000000000000"};
    for (size_t i = 0; i < ARRAY_LEN(marks); i++) {
        char *sql = mem_printf("UPDATE queue SET attributes ="
                               " replace(attributes, '\"purged_seq\":0', '%s') WHERE name = 'q'",
                               marks[i]);
        rig_create(r, "other");
        found(sql, 0);
        rig_counts(r, "q", 1, 0, 0);
        rig_do(r, "SetQueueAttributes", "{'QueueUrl':'q','Attributes':{'DelaySeconds':'0'}}");
        rig_restart(r);
        rig_counts(r, "q", 1, 0, 0);
        mem_free(sql);
    }
}

/* The name tells the kind; a dead letter goes to a queue of its own kind only. */
static void kinds(void **state)
{
    rig_do(r, "CreateQueue", "{'QueueName':'a.fifo','Attributes':{'FifoQueue':'true'}}");
    rig_set_policy(r, "a.fifo", "dead.fifo", 1);
    rig_do(r, "SendMessage",
           "{'QueueUrl':'a.fifo','MessageBody':'f','MessageGroupId':'g',"
           "'MessageDeduplicationId':'1'}");
    found("UPDATE queue SET attributes ="
          " replace(replace(attributes, '\"FifoQueue\":1', '\"FifoQueue\":3'), ':dead\\\"',"
          " ':dead.fifo\\\"') WHERE name IN ('q', 'a.fifo')",
          0);
    for (int i = 0; i < 2; i++) {
        rig_receives(r, "q", ",'VisibilityTimeout':0", "a;");
        rig_receives(r, "a.fifo", ",'VisibilityTimeout':0", i ? "" : "f;");
    }
    rig_counts(r, "dead.fifo", 1, 0, 0);
    rig_counts(r, "q", 1, 0, 0);
}

static void a_task_to_another_kind(void **state)
{
    rig_create(r, "other");
    rig_send(r, "dead", "1");
    rig_send(r, "dead", "2");
    rig_do(r, "StartMessageMoveTask",
           "{'SourceArn':'" ARN "dead','DestinationArn':'" ARN "other',"
           "'MaxNumberOfMessagesPerSecond':1}");
    found("UPDATE task SET state = replace(state, ':other', ':dead.fifo')", 0);
    for (int i = 0; i < 5 && move_task_running(rig_queue(r, "dead")); i++)
        rig_advance(r, 1000);
    struct move_task *t = list_item(rig_queue(r, "dead")->tasks.next, struct move_task, link);
    assert_int_equal(t->status, MOVE_FAILED);
    rig_counts(r, "dead.fifo", 0, 0, 0);
}

/* Of a queue's tasks only the newest may run, and only if its row says so. */
static void tasks(void **state)
{
    static const char start[] = "{'SourceArn':'" ARN "dead','DestinationArn':'" ARN "other'}";
    rig_create(r, "other");
    for (int i = 0; i < 2; i++) {
        rig_do(r, "StartMessageMoveTask", start);
        RIG_UNTIL(r, !move_task_running(rig_queue(r, "dead")));
    }
    rig_send(r, "dead", "1");
    found("UPDATE task SET state = replace(state, '\"status\":1', '\"status\":0')", 0);
    assert_int_equal(r->d->queues.tasks.due.n, 1);
    RIG_UNTIL(r, !move_task_running(rig_queue(r, "dead")));
    found("UPDATE task SET state = '{\"stat'", 0);
    assert_int_equal(r->d->queues.tasks.due.n, 0);
    rig_do(r, "ListMessageMoveTasks", "{'SourceArn':'" ARN "dead','MaxResults':10}");
}

/* A message whose body is gone stays in the store with its history, and takes no memory. */
static void a_body_that_is_gone(void **state)
{
    rig_receives(r, "q", ",'VisibilityTimeout':0", "a;");
    rig_receives(r, "q", "", "");
    rig_counts(r, "dead", 1, 0, 0);
    found("DELETE FROM body", 0);
    assert_int_equal(r->d->queues.histories.by_seq.n, 1);
    rig_receives(r, "dead", "", "");
    assert_int_equal(r->d->queues.set_aside, 1);
    assert_int_equal(r->d->queues.histories.by_seq.n, 0);
    assert_int_equal(rig_rows(r, "message"), 1);
    assert_int_equal(rig_rows(r, "history"), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_long_group_id, setup, teardown),
        cmocka_unit_test_setup_teardown(more_receives_than_there_are, setup, teardown),
        cmocka_unit_test_setup_teardown(marks_above_all_ids, setup, teardown),
        cmocka_unit_test_setup_teardown(kinds, setup, teardown),
        cmocka_unit_test_setup_teardown(a_task_to_another_kind, setup, teardown),
        cmocka_unit_test_setup_teardown(tasks, setup, teardown),
        cmocka_unit_test_setup_teardown(a_body_that_is_gone, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
