/* FIFO queues: groups in order and what blocks them, who is next, deduplication, handles that expire;
 * that all of it outlives restarts, purges and failed commits. */
#include "rig.h"

#define FIFO "'Attributes':{'FifoQueue':'true','ContentBasedDeduplication':'true'}"

static struct rig *with_fifo(void)
{
    struct rig *r = rig_started();
    rig_do(r, "CreateQueue", "{'QueueName':'q.fifo'," FIFO "}");
    return r;
}

/* Messages named "group-text", one after the other: "1-a 1-b 2-a". */
static void send_all(struct rig *r, const char *names)
{
    str rest = str_of(names);
    while (rest.n) {
        str name = str_cut(&rest, ' '), group = str_slice(name, 0, (size_t)str_find(name, '-'));
        char *body =
            mem_printf("{'QueueUrl':'q.fifo','MessageBody':'%.*s','MessageGroupId':'%.*s'}",
                       STR_ARG(name), STR_ARG(group));
        rig_do(r, "SendMessage", body);
        mem_free(body);
    }
}

/* Receives up to `max` and returns the handles; the bodies are as wanted. */
static char *take(struct rig *r, int max, const char *more, const char *bodies)
{
    char *body = mem_printf("{'QueueUrl':'q.fifo','MaxNumberOfMessages':%d%s}", max, more);
    char *answer = rig_call(r, NULL, "ReceiveMessage", body), *got = rig_bodies(answer);
    assert_string_equal(got, bodies);
    queue_check(rig_queue(r, "q.fifo"));
    mem_free(got);
    mem_free(body);
    return answer;
}

static void takes(struct rig *r, int max, const char *bodies)
{
    mem_free(take(r, max, "", bodies));
}

/* The n-th handle of a receive's answer. */
static char *handle_of(const char *answer, int n)
{
    const char *at = answer;
    for (int i = 0; i < n; i++) {
        at = strstr(at + 1, "\"ReceiptHandle\":");
        assert_non_null(at);
    }
    return rig_member(at, "ReceiptHandle");
}

static void by_handle(struct rig *r, const char *action, const char *answer, int n,
                      const char *more)
{
    char *handle = handle_of(answer, n);
    char *body = mem_printf("{'QueueUrl':'q.fifo','ReceiptHandle':'%s'%s}", handle, more);
    rig_do(r, action, body);
    queue_check(rig_queue(r, "q.fifo"));
    mem_free(body);
    mem_free(handle);
}

static void delete_nth(struct rig *r, const char *answer, int n)
{
    by_handle(r, "DeleteMessage", answer, n, "");
}

static void hide_nth(struct rig *r, const char *answer, int n, int timeout_s)
{
    char *more = mem_printf(",'VisibilityTimeout':%d", timeout_s);
    by_handle(r, "ChangeMessageVisibility", answer, n, more);
    mem_free(more);
}

/* --- order and blocking ----------------------------------------------------------------------- */

static void as_many_of_a_group_as_it_can(void **state)
{
    struct rig *r = with_fifo();
    send_all(r, "1-a 2-a 1-b 1-c");
    rig_counts(r, "q.fifo", 4, 0, 0);
    takes(r, 10, "1-a;1-b;1-c;2-a;");
    rig_counts(r, "q.fifo", 0, 4, 0);
    rig_free(r);
}

static void a_group_in_flight_is_passed_over(void **state)
{
    struct rig *r = with_fifo();
    send_all(r, "1-a 1-b 2-a 2-b 3-a 3-b");
    takes(r, 1, "1-a;");
    takes(r, 1, "2-a;");
    rig_counts(r, "q.fifo", 4, 2, 0);
    takes(r, 10, "3-a;3-b;");
    takes(r, 10, "");
    send_all(r, "1-c");
    takes(r, 10, "");
    rig_restart(r);
    takes(r, 10, "");
    rig_advance(r, 30000);
    rig_counts(r, "q.fifo", 7, 0, 0);
    takes(r, 10, "1-a;1-b;1-c;2-a;2-b;3-a;3-b;");
    rig_free(r);
}

static void deleting_all_in_flight_unblocks(void **state)
{
    struct rig *r = with_fifo();
    struct rig_answer poll;
    send_all(r, "1-a 1-b 1-c");
    char *got = take(r, 2, "", "1-a;1-b;");
    rig_begin(r, &poll, "ReceiveMessage", "{'QueueUrl':'q.fifo','WaitTimeSeconds':20}");
    delete_nth(r, got, 1);
    takes(r, 10, "");
    assert_false(poll.there);
    delete_nth(r, got, 2);
    RIG_UNTIL(r, poll.there);
    assert_non_null(strstr(poll.body.p, "\"Body\":\"1-c\""));
    rig_end(&poll);
    mem_free(got);
    rig_free(r);
}

/* m0 m1 m2 received together, one of them kept hidden longer: what is before it comes back. */
static void what_stands_before_a_hidden_one_may_be_taken(void **state)
{
    static const char *const want[] = {"", "1-a;", "1-a;1-b;"};
    for (int kept = 0; kept < 3; kept++) {
        struct rig *r = with_fifo();
        send_all(r, "1-a 1-b 1-c 1-d");
        char *got = take(r, 3, ",'VisibilityTimeout':1", "1-a;1-b;1-c;");
        hide_nth(r, got, kept + 1, 4);
        rig_advance(r, 2500);
        rig_counts(r, "q.fifo", 3, 1, 0);
        takes(r, 10, want[kept]);
        mem_free(got);
        rig_free(r);
    }
}

static void a_group_that_comes_back_goes_behind_the_others(void **state)
{
    struct rig *r = with_fifo();
    send_all(r, "1-a 1-b 2-a");
    char *got = take(r, 2, "", "1-a;1-b;");
    hide_nth(r, got, 1, 0);
    takes(r, 3, "2-a;1-a;");
    mem_free(got);
    rig_free(r);
}

static void groups_rotate_where_nothing_is_hidden(void **state)
{
    struct rig *r = with_fifo();
    send_all(r, "1-a 1-b 2-a 3-a");
    mem_free(take(r, 1, ",'VisibilityTimeout':0", "1-a;"));
    mem_free(take(r, 10, ",'VisibilityTimeout':0", "2-a;3-a;1-a;1-b;"));
    rig_counts(r, "q.fifo", 4, 0, 0);
    mem_free(take(r, 3, ",'VisibilityTimeout':0", "2-a;3-a;1-a;"));
    rig_free(r);
}

static void an_emptied_group_is_used_again(void **state)
{
    struct rig *r = with_fifo();
    send_all(r, "1-a");
    char *got = take(r, 10, "", "1-a;");
    delete_nth(r, got, 1);
    assert_int_equal(rig_queue(r, "q.fifo")->groups.n, 0);
    takes(r, 10, "");
    send_all(r, "1-b");
    takes(r, 10, "1-b;");
    mem_free(got);
    rig_free(r);
}

static void interleaved_groups(void **state)
{
    struct rig *r = with_fifo();
    send_all(r, "1-a 2-a 1-b 2-b 1-c 1-c 1-d 3-a");
    char *got = take(r, 2, "", "1-a;1-b;");
    delete_nth(r, got, 1);
    delete_nth(r, got, 2);
    takes(r, 10, "2-a;2-b;3-a;1-c;1-d;");
    mem_free(got);
    rig_free(r);
}

static void one_group_for_one_poll_at_a_time(void **state)
{
    struct rig *r = with_fifo();
    struct rig_answer polls[3];
    for (int i = 0; i < 3; i++)
        rig_begin(r, &polls[i], "ReceiveMessage", "{'QueueUrl':'q.fifo','WaitTimeSeconds':20}");
    send_all(r, "1-a 1-b");
    RIG_UNTIL(r, polls[0].there);
    rig_turn(r);
    assert_false(polls[1].there || polls[2].there);
    delete_nth(r, polls[0].body.p, 1);
    RIG_UNTIL(r, polls[1].there);
    assert_non_null(strstr(polls[1].body.p, "1-b"));
    rig_advance(r, 20000);
    for (int i = 0; i < 3; i++)
        rig_end(&polls[i]);
    rig_free(r);
}

static void the_queues_delay_keeps_the_order(void **state)
{
    struct rig *r = with_fifo();
    rig_do(r, "SetQueueAttributes", "{'QueueUrl':'q.fifo','Attributes':{'DelaySeconds':'2'}}");
    send_all(r, "1-a 2-a 1-b");
    rig_counts(r, "q.fifo", 0, 0, 3);
    takes(r, 10, "");
    rig_advance(r, 2000);
    takes(r, 10, "1-a;1-b;2-a;");
    rig_free(r);
}

static void set_delay(struct rig *r, int delay_s)
{
    char *body = mem_printf("{'QueueUrl':'q.fifo','Attributes':{'DelaySeconds':'%d'}}", delay_s);
    rig_do(r, "SetQueueAttributes", body);
    mem_free(body);
    RIG_UNTIL(r, list_is_empty(&r->d->queues.redelay));
    queue_check(rig_queue(r, "q.fifo"));
}

/* Another delay is that of messages which are there, too: longer, shorter, none, and after a
 * restart. What was received once has no delay any more. */
static void another_delay(void **state)
{
    struct rig *r = with_fifo();
    send_all(r, "0-a");
    mem_free(take(r, 1, ",'VisibilityTimeout':0", "0-a;"));
    set_delay(r, 10);
    send_all(r, "1-a 1-b");
    rig_counts(r, "q.fifo", 1, 0, 2);
    rig_advance(r, 5000);
    send_all(r, "2-a");
    set_delay(r, 6);
    rig_advance(r, 1000);
    rig_counts(r, "q.fifo", 3, 0, 1);
    set_delay(r, 900);
    rig_counts(r, "q.fifo", 1, 0, 3);
    takes(r, 10, "0-a;");
    rig_restart(r);
    rig_counts(r, "q.fifo", 0, 1, 3);
    rig_advance(r, 894000);
    rig_counts(r, "q.fifo", 3, 0, 1);
    set_delay(r, 0);
    takes(r, 10, "0-a;1-a;1-b;2-a;");
    rig_free(r);
}

/* While they are looked through, messages go. */
static void another_delay_of_many(void **state)
{
    enum { MANY = 3000 };
    struct rig *r = with_fifo();
    struct queue *q = rig_queue(r, "q.fifo");
    set_delay(r, 600);
    for (int i = 0; i < MANY; i++)
        queue_put(q, &(struct new_message){
                         .content = STR("x"), .group_id = STR("g"), .delay_ms = 600000});
    q->attributes.delay_s = 0;
    queue_redelay(q);
    for (u32 n = 1; q->redelayed; n++) {
        struct msg *next = q->redelayed;
        if (n % 3 == 0)
            queue_drop(next);
        else
            queue_redelay_some(q, n % 5);
        queue_check(q);
    }
    assert_int_equal(q->delayed_count, 0);
    assert_true(q->visible_count > 0);
    queue_redelay(q);
    queue_purge(q);
    assert_null(q->redelayed);
    assert_true(list_is_empty(&r->d->queues.redelay));
    rig_free(r);
}

/* Retention and purge take what blocks, too. */
static void what_blocks_may_expire(void **state)
{
    struct rig *r = with_fifo();
    rig_do(r, "SetQueueAttributes",
           "{'QueueUrl':'q.fifo','Attributes':{'MessageRetentionPeriod':'60'}}");
    send_all(r, "1-a");
    mem_free(take(r, 1, ",'VisibilityTimeout':600", "1-a;"));
    rig_advance(r, 30000);
    send_all(r, "1-b");
    rig_advance(r, 30000);
    takes(r, 10, "1-b;");
    rig_do(r, "PurgeQueue", "{'QueueUrl':'q.fifo'}");
    send_all(r, "1-c");
    takes(r, 10, "1-c;");
    RIG_UNTIL(r, r->d->queues.msgs.msgs.used == 1);
    queue_check(rig_queue(r, "q.fifo"));
    rig_do(r, "DeleteQueue", "{'QueueUrl':'q.fifo'}");
    RIG_UNTIL(r, r->d->queues.msgs.msgs.used == 0);
    rig_free(r);
}

static void dead_letters_unblock(void **state)
{
    struct rig *r = with_fifo();
    rig_do(r, "CreateQueue", "{'QueueName':'dead.fifo'," FIFO "}");
    rig_set_policy(r, "q.fifo", "dead.fifo", 1);
    send_all(r, "1-a 1-b 2-a");
    char *first = take(r, 1, ",'VisibilityTimeout':0", "1-a;");
    char *id = rig_member(first, "MessageId");
    takes(r, 10, "2-a;1-b;");
    rig_counts(r, "dead.fifo", 1, 0, 0);
    char *dead =
        rig_call(r, NULL, "ReceiveMessage", "{'QueueUrl':'dead.fifo','AttributeNames':['All']}");
    char *group = rig_member(dead, "MessageGroupId"), *same = rig_member(dead, "MessageId");
    char *dedup = rig_member(dead, "MessageDeduplicationId");
    assert_string_equal(group, "1");
    assert_string_equal(same, id);
    assert_string_equal(dedup, id);
    rig_restart(r);
    rig_counts(r, "dead.fifo", 0, 1, 0);
    rig_counts(r, "q.fifo", 0, 2, 0);
    mem_free(dedup);
    mem_free(same);
    mem_free(group);
    mem_free(dead);
    mem_free(id);
    mem_free(first);
    rig_free(r);
}

/* A receive costs what it returns: a hundred thousand blocked messages and groups are in nobody's
 * way. Told by the groups that the pick has in line. */
static void blocked_groups_are_not_in_line(void **state)
{
    enum { GROUPS = 2000 };
    struct rig *r = with_fifo();
    struct queue *q = rig_queue(r, "q.fifo");
    struct msg *taken[QUEUE_TAKE_MAX];
    char id[16];
    for (int i = 0; i < 2 * GROUPS; i++) {
        int n = snprintf(id, sizeof id, "%d", i % GROUPS);
        queue_put(q,
                  &(struct new_message){.content = STR("x"), .group_id = str_from(id, (size_t)n)});
    }
    for (int i = 0; i < GROUPS; i++)
        assert_int_equal(queue_take(q, 1, 1000, taken), 1);
    assert_int_equal(queue_take(q, 10, 1000, taken), 0);
    assert_true(list_is_empty(&q->pick_state.fifo.ready));
    queue_check(q);
    rig_free(r);
}

/* --- deduplication ---------------------------------------------------------------------------- */

static char *send_known(struct rig *r, const char *more, const char *name)
{
    char *body = mem_printf("{'QueueUrl':'q.fifo','MessageGroupId':'g'%s}", more);
    char *answer = rig_call(r, NULL, "SendMessage", body), *got = rig_member(answer, name);
    mem_free(answer);
    mem_free(body);
    return got;
}

static void expect_known(struct rig *r, const char *more, const char *name, const char *value,
                         bool same)
{
    char *got = send_known(r, more, name);
    if ((strcmp(got, value) == 0) != same)
        fail_msg("%s of %s is %s", name, more, got);
    mem_free(got);
}

#define A ",'MessageBody':'a'"

static void duplicates_within_five_minutes(void **state)
{
    struct rig *r = with_fifo();
    char *id = send_known(r, A, "MessageId");
    char *sequence = send_known(r, A, "SequenceNumber");
    assert_int_equal(strlen(sequence), 20);
    rig_counts(r, "q.fifo", 1, 0, 0);
    char *got = take(r, 10, "", "a;");
    delete_nth(r, got, 1);
    for (int life = 0; life < 2; life++) {
        expect_known(r, A, "MessageId", id, true);
        expect_known(r, A, "SequenceNumber", sequence, true);
        rig_restart(r);
    }
    /* A restart goes on with the real time. */
    i64 left_ms = dedup_due_ms(&r->d->queues.dedup) - r->d->server.clock.now_ms;
    rig_advance(r, left_ms - 1);
    expect_known(r, A, "MessageId", id, true);
    rig_counts(r, "q.fifo", 0, 0, 0);
    rig_advance(r, 1);
    expect_known(r, A, "MessageId", id, false);
    rig_counts(r, "q.fifo", 1, 0, 0);
    assert_int_equal(r->d->queues.dedup.entries, 1);
    rig_turn(r);
    assert_int_equal(rig_rows(r, "dedup"), 1);
    mem_free(got);
    mem_free(sequence);
    mem_free(id);
    rig_free(r);
}

/* The body's digest is an id as any other; other bodies under one id are duplicates. */
static void ids_of_deduplication(void **state)
{
    struct rig *r = with_fifo();
    char *id = send_known(r, ",'MessageBody':'same'", "MessageId");
    expect_known(r,
                 ",'MessageBody':'other','MessageDeduplicationId':"
                 "'0967115f2813a3541eaef77de9d9d5773f1c0c04314b0bbfe4ff3b3b1c55b5d5'",
                 "MessageId", id, true);
    expect_known(r, ",'MessageBody':'same','MessageDeduplicationId':'own'", "MessageId", id, false);
    rig_counts(r, "q.fifo", 2, 0, 0);
    char *answer = take(r, 1, ",'AttributeNames':['MessageDeduplicationId']", "same;");
    assert_non_null(strstr(answer, "\"MessageDeduplicationId\":\"0967115f2813a354"));
    mem_free(answer);
    mem_free(id);
    rig_free(r);
}

static void purged_deduplication(void **state)
{
    struct rig *r = with_fifo();
    char *id = send_known(r, A, "MessageId");
    rig_do(r, "PurgeQueue", "{'QueueUrl':'q.fifo'}");
    rig_restart(r);
    expect_known(r, A, "MessageId", id, false);
    rig_counts(r, "q.fifo", 1, 0, 0);
    rig_do(r, "DeleteQueue", "{'QueueUrl':'q.fifo'}");
    rig_do(r, "CreateQueue", "{'QueueName':'q.fifo'," FIFO "}");
    rig_counts(r, "q.fifo", 0, 0, 0);
    expect_known(r, A, "MessageId", id, false);
    rig_counts(r, "q.fifo", 1, 0, 0);
    mem_free(id);
    rig_free(r);
}

static void send_same(struct rig *r, const char *queue, const char *group)
{
    char *body =
        mem_printf("{'QueueUrl':'%s','MessageBody':'same','MessageGroupId':'%s'}", queue, group);
    rig_do(r, "SendMessage", body);
    mem_free(body);
}

/* By queue, or by group where the queue was created so; a later scope changes nothing. */
static void scopes_of_deduplication(void **state)
{
    struct rig *r = with_fifo();
    send_same(r, "q.fifo", "1");
    send_same(r, "q.fifo", "2");
    rig_counts(r, "q.fifo", 1, 0, 0);
    rig_do(r, "SetQueueAttributes",
           "{'QueueUrl':'q.fifo','Attributes':{'DeduplicationScope':'messageGroup',"
           "'FifoThroughputLimit':'perMessageGroupId'}}");
    send_same(r, "q.fifo", "3");
    rig_counts(r, "q.fifo", 1, 0, 0);
    rig_do(r, "CreateQueue",
           "{'QueueName':'g.fifo','Attributes':{'FifoQueue':'true','ContentBasedDeduplication':"
           "'true','DeduplicationScope':'messageGroup'}}");
    send_same(r, "g.fifo", "1");
    send_same(r, "g.fifo", "2");
    send_same(r, "g.fifo", "2");
    rig_restart(r);
    send_same(r, "g.fifo", "1");
    rig_counts(r, "g.fifo", 2, 0, 0);
    rig_free(r);
}

static void a_failed_send_is_no_duplicate(void **state)
{
    struct rig *r = with_fifo();
    struct rig_answer send;
    rig_fail_disk();
    rig_begin(r, &send, "SendMessage",
              "{'QueueUrl':'q.fifo','MessageBody':'a','MessageGroupId':'g'}");
    RIG_UNTIL(r, send.there);
    assert_int_equal(send.status, 503);
    rig_end(&send);
    failing_vfs_heal();
    RIG_UNTIL(
        r, (loop_timer_set_real(r->d->server.loop, &r->d->server.probe, 0), !r->d->server.failing));
    send_all(r, "g-a");
    rig_counts(r, "q.fifo", 1, 0, 0);
    mem_free(send_known(r, A, "MessageId"));
    rig_counts(r, "q.fifo", 2, 0, 0);
    rig_free(r);
}

/* --- the rest --------------------------------------------------------------------------------- */

static void handles_expire(void **state)
{
    struct rig *r = with_fifo();
    send_all(r, "1-a");
    char *got = take(r, 1, ",'VisibilityTimeout':5", "1-a;"), *handle = handle_of(got, 1);
    char *body = mem_printf("{'QueueUrl':'q.fifo','ReceiptHandle':'%s'}", handle);
    char *more =
        mem_printf("{'QueueUrl':'q.fifo','ReceiptHandle':'%s','VisibilityTimeout':9}", handle);
    rig_advance(r, 4999);
    rig_do(r, "ChangeMessageVisibility", more);
    rig_advance(r, 8999);
    rig_do(r, "ChangeMessageVisibility", more);
    rig_advance(r, 9000);
    rig_refused(r, 400, "Reason: The receipt handle has expired.", "DeleteMessage", body);
    rig_refused(r, 400, "Reason: The receipt handle has expired.", "ChangeMessageVisibility", more);
    char *again = take(r, 1, "", "1-a;");
    rig_refused(r, 400, "Reason: The receipt handle has expired.", "DeleteMessage", body);
    delete_nth(r, again, 1);
    rig_do(r, "DeleteMessage", body); /* it is gone: nothing to do */
    rig_counts(r, "q.fifo", 0, 0, 0);
    mem_free(again);
    mem_free(more);
    mem_free(body);
    mem_free(handle);
    mem_free(got);
    rig_free(r);
}

#define AGAIN(id) ",'ReceiveRequestAttemptId':'" id "'"

static void same_handle(struct rig *r, const char *first, const char *id, const char *bodies)
{
    char *more = mem_printf(",'AttributeNames':['All']%s", id);
    char *again = take(r, 10, more, bodies), *a = handle_of(first, 1), *b = handle_of(again, 1);
    assert_string_equal(a, b);
    assert_non_null(strstr(again, "\"ApproximateReceiveCount\":\"1\""));
    mem_free(a);
    mem_free(b);
    mem_free(again);
    mem_free(more);
}

static void not_repeatable(struct rig *r, const char *id)
{
    char *body = mem_printf("{'QueueUrl':'q.fifo'%s}", id);
    rig_refused(r, 400,
                "The receiveRequestAttemptId is not valid anymore since the receive call is "
                "not retryable.",
                "ReceiveMessage", body);
    mem_free(body);
}

/* The same messages, the same handles, and their time begins anew; until one of them changes. */
static void receives_may_be_repeated(void **state)
{
    struct rig *r = with_fifo();
    send_all(r, "1-a 1-b 2-a");
    char *first = take(r, 2, AGAIN("x"), "1-a;1-b;");
    same_handle(r, first, AGAIN("x"), "1-a;1-b;");
    rig_counts(r, "q.fifo", 1, 2, 0);
    rig_advance(r, 29000);
    same_handle(r, first, AGAIN("x"), "1-a;1-b;");
    rig_advance(r, 29000);
    rig_counts(r, "q.fifo", 1, 2, 0);
    mem_free(take(r, 10, AGAIN("y"), "2-a;"));
    hide_nth(r, first, 2, 77);
    not_repeatable(r, AGAIN("x"));
    mem_free(take(r, 10, AGAIN("z"), ""));
    rig_free(r);
    mem_free(first);
}

static void receives_that_cannot_be_repeated(void **state)
{
    struct rig *r = with_fifo();
    send_all(r, "1-a 2-a 3-a 4-a");
    char *deleted = take(r, 1, AGAIN("deleted"), "1-a;");
    delete_nth(r, deleted, 1);
    not_repeatable(r, AGAIN("deleted"));
    mem_free(take(r, 1, AGAIN("over") ",'VisibilityTimeout':1", "2-a;"));
    mem_free(take(r, 1, AGAIN("purged"), "3-a;"));
    mem_free(take(r, 1, AGAIN("late") ",'VisibilityTimeout':43200", "4-a;"));
    rig_advance(r, 1000);
    not_repeatable(r, AGAIN("over"));
    rig_advance(r, 299000);
    takes(r, 10, "2-a;3-a;");
    mem_free(take(r, 10, AGAIN("late"), "")); /* after five minutes it is a new receive */
    rig_do(r, "PurgeQueue", "{'QueueUrl':'q.fifo'}");
    send_all(r, "5-a");
    char *blocked = take(r, 1, AGAIN("new"), "5-a;");
    rig_refused(r, 400, "can only include alphanumeric and punctuation characters",
                "ReceiveMessage", "{'QueueUrl':'q.fifo','ReceiveRequestAttemptId':'a b'}");
    rig_create(r, "plain");
    rig_refused(r, 400, "not valid for this queue type", "ReceiveMessage",
                "{'QueueUrl':'plain','ReceiveRequestAttemptId':'a'}");
    mem_free(blocked);
    mem_free(deleted);
    rig_free(r);
}

/* Nobody who gives every receive an id fills memory. */
static void attempts_are_bounded(void **state)
{
    struct rig *r = with_fifo();
    struct queue *q = rig_queue(r, "q.fifo");
    struct msg *taken[QUEUE_TAKE_MAX];
    char id[16];
    send_all(r, "1-a");
    assert_int_equal(queue_take(q, 1, 1000, taken), 1);
    for (int i = 0; i < ATTEMPTS_MAX + 10; i++) {
        int n = snprintf(id, sizeof id, "%d", i);
        attempt_note(q, str_from(id, (size_t)n), taken, 1, r->d->server.clock.now_ms);
    }
    assert_int_equal(r->d->queues.attempts.by_key.n, ATTEMPTS_MAX);
    rig_free(r);
}

static void what_is_told_of_a_message(void **state)
{
    struct rig *r = with_fifo();
    char *first = send_known(r, A, "SequenceNumber");
    char *second = send_known(r, ",'MessageBody':'b'", "SequenceNumber");
    assert_true(strcmp(first, second) < 0);
    char *answer = take(r, 1, ",'AttributeNames':['All']", "a;");
    char *sequence = rig_member(answer, "SequenceNumber");
    assert_string_equal(sequence, first);
    assert_non_null(strstr(answer, "\"MessageGroupId\":\"g\""));
    assert_non_null(strstr(answer, "\"MessageDeduplicationId\":\"ca978112ca1bbdca"));
    mem_free(sequence);
    mem_free(answer);
    mem_free(second);
    mem_free(first);
    rig_free(r);
}

#define SEND "{'QueueUrl':'n.fifo','MessageBody':'a'"

static void what_is_refused(void **state)
{
    struct rig *r = rig_started();
    rig_do(r, "CreateQueue", "{'QueueName':'n.fifo','Attributes':{'FifoQueue':'True'}}");
    rig_refused(r, 400,
                "MissingRequiredParameterException\",\"message\":\"The request must contain "
                "the parameter MessageGroupId.",
                "SendMessage", SEND "}");
    rig_refused(r, 400,
                "The queue should either have ContentBasedDeduplication enabled or "
                "MessageDeduplicationId provided explicitly",
                "SendMessage", SEND ",'MessageGroupId':'g'}");
    rig_refused(r, 400,
                "Value  for parameter MessageDeduplicationId is invalid. Reason: "
                "MessageDeduplicationId can only include alphanumeric and punctuation "
                "characters. 1 to 128 in length.",
                "SendMessage", SEND ",'MessageGroupId':'g','MessageDeduplicationId':''}");
    rig_refused(r, 400,
                "Value 2 for parameter DelaySeconds is invalid. Reason: The request include "
                "parameter that is not valid for this queue type.",
                "SendMessage",
                SEND ",'DelaySeconds':2,'MessageGroupId':'g','MessageDeduplicationId':'d'}");
    rig_do(r, "SendMessage",
           SEND ",'DelaySeconds':0,'MessageGroupId':'g','MessageDeduplicationId':'d'}");
    rig_refused(r, 400,
                "InvalidParameterValueException\",\"message\":\"The request must contain the "
                "parameter MessageGroupId.",
                "SendMessageBatch",
                "{'QueueUrl':'n.fifo','Entries':["
                "{'Id':'1','MessageBody':'b','MessageGroupId':'g','MessageDeduplicationId':'b'},"
                "{'Id':'2','MessageBody':'c','MessageDeduplicationId':'c'}]}");
    rig_refused(r, 400, "The queue should either have", "SendMessageBatch",
                "{'QueueUrl':'n.fifo','Entries':["
                "{'Id':'1','MessageBody':'b','MessageGroupId':'g','MessageDeduplicationId':'b'},"
                "{'Id':'2','MessageBody':'c','MessageGroupId':'g'}]}");
    rig_counts(r, "n.fifo", 1, 0, 0);
    char *answer = rig_call(r, NULL, "SendMessageBatch",
                            "{'QueueUrl':'n.fifo','Entries':["
                            "{'Id':'1','MessageBody':'b','MessageGroupId':'g',"
                            "'MessageDeduplicationId':'b'},"
                            "{'Id':'2','MessageBody':'c','MessageGroupId':'g',"
                            "'MessageDeduplicationId':'b'}]}");
    char *id = rig_member(answer, "MessageId");
    assert_non_null(strstr(strstr(answer, id) + 1, id)); /* the second one is the first */
    rig_counts(r, "n.fifo", 2, 0, 0);
    mem_free(id);
    mem_free(answer);
    rig_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_many_of_a_group_as_it_can),
        cmocka_unit_test(a_group_in_flight_is_passed_over),
        cmocka_unit_test(deleting_all_in_flight_unblocks),
        cmocka_unit_test(what_stands_before_a_hidden_one_may_be_taken),
        cmocka_unit_test(a_group_that_comes_back_goes_behind_the_others),
        cmocka_unit_test(groups_rotate_where_nothing_is_hidden),
        cmocka_unit_test(an_emptied_group_is_used_again),
        cmocka_unit_test(interleaved_groups),
        cmocka_unit_test(one_group_for_one_poll_at_a_time),
        cmocka_unit_test(the_queues_delay_keeps_the_order),
        cmocka_unit_test(another_delay),
        cmocka_unit_test(another_delay_of_many),
        cmocka_unit_test(what_blocks_may_expire),
        cmocka_unit_test(dead_letters_unblock),
        cmocka_unit_test(blocked_groups_are_not_in_line),
        cmocka_unit_test(duplicates_within_five_minutes),
        cmocka_unit_test(ids_of_deduplication),
        cmocka_unit_test(purged_deduplication),
        cmocka_unit_test(scopes_of_deduplication),
        cmocka_unit_test(a_failed_send_is_no_duplicate),
        cmocka_unit_test(handles_expire),
        cmocka_unit_test(receives_may_be_repeated),
        cmocka_unit_test(receives_that_cannot_be_repeated),
        cmocka_unit_test(attempts_are_bounded),
        cmocka_unit_test(what_is_told_of_a_message),
        cmocka_unit_test(what_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
