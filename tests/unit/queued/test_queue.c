/* A queue's life through the whole daemon: what comes in, is hidden, comes back, goes; that counts
 * are exact at every moment; that a restart and a failed commit leave what was promised and nothing
 * else. */
#include "rig.h"

static void messages_come_in_order_and_hide(void **state)
{
    struct rig *r = rig_started();
    rig_create(r, "q");
    rig_send(r, "q", "a");
    rig_send(r, "q", "b");
    rig_counts(r, "q", 2, 0, 0);
    rig_receives(r, "q", "", "a;b;");
    rig_counts(r, "q", 0, 2, 0);
    rig_receives(r, "q", "", "");
    rig_advance(r, 29999);
    rig_receives(r, "q", "", "");
    rig_advance(r, 1);
    rig_counts(r, "q", 2, 0, 0);
    rig_receives(r, "q", ",'VisibilityTimeout':0", "a;b;");
    rig_counts(r, "q", 2, 0, 0);
    rig_free(r);
}

/* A message that stays visible keeps its place, and comes once in one receive. */
static void what_stays_visible_keeps_its_place(void **state)
{
    struct rig *r = rig_started();
    rig_create(r, "q");
    rig_send(r, "q", "a");
    rig_send(r, "q", "b");
    mem_free(rig_take(r, "q", ",'VisibilityTimeout':0"));
    rig_counts(r, "q", 2, 0, 0);
    rig_receives(r, "q", ",'VisibilityTimeout':0", "a;b;");
    rig_send(r, "q", "c");
    rig_receives(r, "q", "", "a;b;c;");
    rig_free(r);
}

static void send_letters(struct rig *r, const char *letters)
{
    for (const char *at = letters; *at; at++) {
        char text[2] = {*at, '\0'};
        rig_send(r, "q", text);
    }
}

static void change(struct rig *r, const char *handle, i64 timeout_s)
{
    char *body = mem_printf("{'QueueUrl':'q','ReceiptHandle':'%s','VisibilityTimeout':%" PRId64 "}",
                            handle, timeout_s);
    rig_do(r, "ChangeMessageVisibility", body);
    mem_free(body);
}

static void what_comes_back_stands_by_its_arrival(void **state)
{
    struct rig *r = rig_started();
    rig_create(r, "q");
    send_letters(r, "abcdef");
    char *a = rig_take(r, "q", ""), *b = rig_take(r, "q", ""), *c = rig_take(r, "q", "");
    change(r, c, 0);
    change(r, a, 0);
    rig_counts(r, "q", 5, 1, 0);
    rig_receives(r, "q", ",'VisibilityTimeout':7", "a;c;d;e;f;");
    /* Hidden until different times, back in the order of arrival, before what came meanwhile. */
    change(r, b, 3);
    rig_advance(r, 3000);
    rig_send(r, "q", "g");
    rig_counts(r, "q", 2, 1 + 4, 0);
    rig_advance(r, 4000);
    rig_receives(r, "q", "", "a;b;c;d;e;f;g;");
    mem_free(a);
    mem_free(b);
    mem_free(c);
    rig_free(r);
}

/* Hidden or deleted in the midst of what came back, and of what never went. */
static void what_came_back_may_go_again(void **state)
{
    struct rig *r = rig_started();
    char *handles[6];
    rig_create(r, "q");
    send_letters(r, "abcdef");
    for (int i = 0; i < 6; i++)
        handles[i] = rig_take(r, "q", "");
    for (int i = 5; i >= 0; i--) /* f stands in line, the others come back before it */
        change(r, handles[i], 0);
    rig_counts(r, "q", 6, 0, 0);
    change(r, handles[2], 50);
    change(r, handles[5], 50);
    rig_counts(r, "q", 4, 2, 0);
    char *body = mem_printf("{'QueueUrl':'q','ReceiptHandle':'%s'}", handles[3]);
    rig_do(r, "DeleteMessage", body);
    rig_counts(r, "q", 3, 2, 0);
    rig_receives(r, "q", ",'VisibilityTimeout':50", "a;b;e;");
    rig_restart(r);
    rig_advance(r, 50000);
    rig_receives(r, "q", "", "a;b;c;e;f;");
    mem_free(body);
    for (int i = 0; i < 6; i++)
        mem_free(handles[i]);
    rig_free(r);
}

static void equal_delays_keep_the_order(void **state)
{
    struct rig *r = rig_started();
    struct buf want = {0};
    rig_create(r, "q");
    for (int i = 0; i < 40; i++) {
        char *body = mem_printf("{'QueueUrl':'q','MessageBody':'%d','DelaySeconds':5}", i);
        rig_do(r, "SendMessage", body);
        mem_free(body);
    }
    rig_counts(r, "q", 0, 0, 40);
    rig_advance(r, 5000);
    for (int i = 0; i < 40; i += 10) {
        buf_reset(&want);
        for (int k = i; k < i + 10; k++)
            buf_printf(&want, "%d;", k);
        rig_receives(r, "q", "", want.p);
    }
    buf_deinit(&want);
    rig_free(r);
}

/* The waiting rule of PurgeQueue goes on over a restart. */
static void purges_after_a_restart(void **state)
{
    struct rig *r = rig_new();
    rig_set(r, "strict_waits", "true");
    rig_start(r);
    rig_create(r, "q");
    rig_send(r, "q", "a");
    rig_do(r, "PurgeQueue", "{'QueueUrl':'q'}");
    rig_restart(r);
    rig_receives(r, "q", "", "");
    rig_advance(r, 50000);
    rig_refused(r, 403, "Only one PurgeQueue operation on q is allowed every 60 seconds.",
                "PurgeQueue", "{'QueueUrl':'q'}");
    rig_advance(r, 10000);
    rig_do(r, "PurgeQueue", "{'QueueUrl':'q'}");
    rig_free(r);
}

/* Exactly the largest size passes, a byte more does not, wherever the bytes are. */
static void sizes_of_batches(void **state)
{
    static const struct {
        size_t bytes; /* of the value of a Binary attribute "n" beside the body "b" */
        bool fits;
    } cases[] = {{1048576 - 8, true}, {1048576 - 7, false}};
    struct rig *r = rig_started();
    rig_create(r, "q");
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct buf zeros = {0}, text = {0}, body = {0};
        memset(buf_room(&zeros, cases[i].bytes), 0, cases[i].bytes);
        zeros.n = cases[i].bytes;
        hash_base64(&text, buf_view(&zeros));
        buf_printf(
            &body,
            "{'QueueUrl':'q','Entries':[{'Id':'1','MessageBody':'b','MessageAttributes':{'n':"
            "{'DataType':'Binary','BinaryValue':'%s'}}}]}",
            text.p);
        if (cases[i].fits)
            rig_do(r, "SendMessageBatch", body.p);
        else
            rig_refused(r, 400, "You have sent 1048577 bytes.", "SendMessageBatch", body.p);
        buf_deinit(&zeros);
        buf_deinit(&text);
        buf_deinit(&body);
    }
    rig_free(r);
}

static void delays(void **state)
{
    struct rig *r = rig_started();
    rig_create(r, "q");
    rig_do(r, "SendMessage", "{'QueueUrl':'q','MessageBody':'late','DelaySeconds':900}");
    rig_do(r, "SetQueueAttributes", "{'QueueUrl':'q','Attributes':{'DelaySeconds':'10'}}");
    rig_send(r, "q", "ten");
    rig_do(r, "SendMessage", "{'QueueUrl':'q','MessageBody':'now','DelaySeconds':0}");
    rig_counts(r, "q", 1, 0, 2);
    rig_receives(r, "q", "", "now;");
    rig_advance(r, 10000);
    rig_receives(r, "q", "", "ten;");
    rig_restart(r);
    rig_counts(r, "q", 0, 2, 1);
    rig_advance(r, 890000);
    rig_counts(r, "q", 3, 0, 0);
    rig_free(r);
}

static void retention_takes_the_oldest_wherever_they_are(void **state)
{
    struct rig *r = rig_started();
    rig_do(r, "CreateQueue",
           "{'QueueName':'q','Attributes':{'MessageRetentionPeriod':'60','VisibilityTimeout':"
           "'43200'}}");
    rig_send(r, "q", "leased");
    mem_free(rig_take(r, "q", ""));
    rig_send(r, "q", "visible");
    rig_do(r, "SendMessage", "{'QueueUrl':'q','MessageBody':'delayed','DelaySeconds':900}");
    rig_advance(r, 30000);
    rig_send(r, "q", "young");
    rig_advance(r, 30000);
    rig_counts(r, "q", 1, 0, 0);
    rig_receives(r, "q", "", "young;");
    rig_do(r, "SetQueueAttributes",
           "{'QueueUrl':'q','Attributes':{'MessageRetentionPeriod':'120'}}");
    rig_advance(r, 60000);
    rig_counts(r, "q", 0, 1, 0);
    rig_do(r, "SetQueueAttributes",
           "{'QueueUrl':'q','Attributes':{'MessageRetentionPeriod':'60'}}");
    rig_advance(r, 0);
    rig_counts(r, "q", 0, 0, 0);
    assert_int_equal(r->d->queues.msgs.msgs.used, 0);
    rig_free(r);
}

/* What has expired stays so when the retention is raised, also when its rows are there still after a
 * restart; what is younger lives on. */
static void a_longer_retention_brings_nothing_back(void **state)
{
    struct rig *r = rig_started();
    rig_do(r, "CreateQueue", "{'QueueName':'q','Attributes':{'MessageRetentionPeriod':'60'}}");
    rig_send(r, "q", "old");
    rig_advance(r, 30000);
    rig_send(r, "q", "young");
    clock_advance(&r->d->server.clock, 30000);
    struct rig_answer set;
    rig_begin(r, &set, "SetQueueAttributes",
              "{'QueueUrl':'q','Attributes':{'MessageRetentionPeriod':'1209600'}}");
    RIG_UNTIL(r, set.there);
    rig_end(&set);
    rig_restart(r);
    rig_receives(r, "q", ",'VisibilityTimeout':0", "young;");
    rig_restart(r);
    rig_advance(r, 100000);
    rig_receives(r, "q", "", "young;");
    RIG_UNTIL(r, r->d->queues.msgs.msgs.used == 1);
    rig_counts(r, "q", 0, 1, 0);
    rig_free(r);
}

/* Though the queue was empty when it was told so. */
static void a_shorter_retention_is_that_of_new_messages(void **state)
{
    struct rig *r = rig_started();
    rig_create(r, "q");
    rig_send(r, "q", "before");
    queue_drop(queue_oldest(rig_queue(r, "q")));
    rig_do(r, "SetQueueAttributes",
           "{'QueueUrl':'q','Attributes':{'MessageRetentionPeriod':'60'}}");
    rig_send(r, "q", "m");
    rig_advance(r, 60000);
    rig_counts(r, "q", 0, 0, 0);
    rig_free(r);
}

static void handles_old_and_new(void **state)
{
    struct rig *r = rig_started();
    char body[400];
    rig_create(r, "q");
    rig_create(r, "other");
    rig_send(r, "q", "m");
    char *first = rig_take(r, "q", ",'VisibilityTimeout':5");
    rig_advance(r, 5000);
    char *second = rig_take(r, "q", ",'VisibilityTimeout':50");
    assert_string_not_equal(first, second);
    /* An older handle makes it visible while a later receive hides it. */
    snprintf(body, sizeof body, "{'QueueUrl':'q','ReceiptHandle':'%s','VisibilityTimeout':0}",
             first);
    rig_do(r, "ChangeMessageVisibility", body);
    rig_counts(r, "q", 1, 0, 0);
    /* And hides it though it is visible. */
    snprintf(body, sizeof body, "{'QueueUrl':'q','ReceiptHandle':'%s','VisibilityTimeout':7}",
             second);
    rig_do(r, "ChangeMessageVisibility", body);
    rig_counts(r, "q", 0, 1, 0);
    snprintf(body, sizeof body, "{'QueueUrl':'other','ReceiptHandle':'%s'}", first);
    rig_refused(r, 404, "is not valid for this queue", "DeleteMessage", body);
    rig_advance(r, 7000);
    snprintf(body, sizeof body, "{'QueueUrl':'q','ReceiptHandle':'%s'}", first);
    rig_do(r, "DeleteMessage", body);
    rig_do(r, "DeleteMessage", body);
    rig_counts(r, "q", 0, 0, 0);
    snprintf(body, sizeof body, "{'QueueUrl':'q','ReceiptHandle':'%s','VisibilityTimeout':1}",
             second);
    rig_refused(r, 400, "Message does not exist or is not available for visibility timeout change.",
                "ChangeMessageVisibility", body);
    mem_free(first);
    mem_free(second);
    rig_free(r);
}

static void twelve_hours_from_the_receive(void **state)
{
    struct rig *r = rig_started();
    char body[400];
    rig_create(r, "q");
    rig_send(r, "q", "m");
    char *handle = rig_take(r, "q", ",'VisibilityTimeout':43200");
    rig_advance(r, 1000);
    snprintf(body, sizeof body, "{'QueueUrl':'q','ReceiptHandle':'%s','VisibilityTimeout':43200}",
             handle);
    rig_refused(r, 400, "Total VisibilityTimeout for the message is beyond the limit",
                "ChangeMessageVisibility", body);
    snprintf(body, sizeof body, "{'QueueUrl':'q','ReceiptHandle':'%s','VisibilityTimeout':43199}",
             handle);
    rig_do(r, "ChangeMessageVisibility", body);
    mem_free(handle);
    rig_free(r);
}

static void in_flight_has_its_limit(void **state)
{
    struct rig *r = rig_new();
    char body[300];
    rig_set(r, "in_flight_max", "2");
    rig_start(r);
    rig_create(r, "q");
    rig_send(r, "q", "a");
    rig_send(r, "q", "b");
    rig_send(r, "q", "c");
    char *handle = rig_take(r, "q", "");
    rig_receives(r, "q", "", "b;");
    rig_refused(r, 403, "OverLimit", "ReceiveMessage", "{'QueueUrl':'q'}");
    struct rig_answer poll;
    rig_begin(r, &poll, "ReceiveMessage", "{'QueueUrl':'q','WaitTimeSeconds':20}");
    rig_turn(r);
    assert_false(poll.there);
    snprintf(body, sizeof body, "{'QueueUrl':'q','ReceiptHandle':'%s'}", handle);
    rig_do(r, "DeleteMessage", body);
    RIG_UNTIL(r, poll.there);
    assert_non_null(strstr(poll.body.p, "\"Body\":\"c\""));
    rig_end(&poll);
    mem_free(handle);
    rig_free(r);
}

static void purge_and_delete_take_all_at_once(void **state)
{
    struct rig *r = rig_new();
    char text[16];
    rig_start(r);
    rig_create(r, "q");
    for (int i = 0; i < 2000; i++) {
        snprintf(text, sizeof text, "%d", i);
        rig_send(r, "q", text);
    }
    char *handle = rig_take(r, "q", "");
    rig_do(r, "PurgeQueue", "{'QueueUrl':'q'}");
    rig_counts(r, "q", 0, 0, 0);
    rig_send(r, "q", "after");
    rig_receives(r, "q", "", "after;");
    char *body = mem_printf("{'QueueUrl':'q','ReceiptHandle':'%s'}", handle);
    rig_do(r, "DeleteMessage", body);
    rig_counts(r, "q", 0, 1, 0);
    RIG_UNTIL(r, r->d->queues.msgs.msgs.used == 1);
    rig_do(r, "DeleteQueue", "{'QueueUrl':'q'}");
    rig_refused(r, 400, "QueueDoesNotExist", "ReceiveMessage", "{'QueueUrl':'q'}");
    rig_create(r, "q");
    rig_receives(r, "q", "", "");
    RIG_UNTIL(r, r->d->queues.msgs.msgs.used == 0);
    assert_int_equal(r->d->queues.by_id.n, 1);
    mem_free(body);
    mem_free(handle);
    rig_free(r);
}

static void what_a_restart_cut_short_is_cleared_away(void **state)
{
    struct rig *r = rig_started();
    rig_create(r, "purged");
    rig_create(r, "deleted");
    for (int i = 0; i < 10; i++) {
        rig_send(r, "purged", "m");
        rig_send(r, "deleted", "m");
    }
    /* Nothing is cleared away before the process ends: the two calls are the last turns. */
    struct rig_answer a, b;
    rig_begin(r, &a, "PurgeQueue", "{'QueueUrl':'purged'}");
    rig_begin(r, &b, "DeleteQueue", "{'QueueUrl':'deleted'}");
    RIG_UNTIL(r, a.there && b.there);
    rig_end(&a);
    rig_end(&b);
    rig_restart(r);
    rig_counts(r, "purged", 0, 0, 0);
    assert_null(rig_queue(r, "deleted"));
    rig_receives(r, "purged", "", "");
    RIG_UNTIL(r, r->d->queues.msgs.msgs.used == 0);
    rig_stop(r);
    assert_int_equal(rig_rows(r, "message"), 0);
    assert_int_equal(rig_rows(r, "body"), 0);
    rig_free(r);
}

/* Whatever queues they belong to. */
static void what_is_gone_is_cleared_in_the_order_of_rows(void **state)
{
    struct rig *r = rig_started();
    struct queues *qs = &r->d->queues;
    struct msg *m;
    u64 before = 0, n = 0;
    rig_create(r, "a");
    rig_create(r, "b");
    for (int i = 0; i < 10; i++) {
        rig_send(r, "a", "m");
        rig_send(r, "b", "m");
        rig_send(r, "b", "m");
        if (i == 4)
            queue_purge(rig_queue(r, "b"));
    }
    queue_purge(rig_queue(r, "a"));
    queues_remove(rig_queue(r, "b"));
    for (; (m = queues_first_doomed(qs)); n++) {
        assert_true(m->seq > before);
        before = m->seq;
        assert_int_equal(qs->sweep.clear.step(qs, 1), 1);
    }
    assert_int_equal(qs->msgs.msgs.used, 0);
    assert_int_equal(qs->by_id.n, 1);
    assert_true(n > 0);
    rig_free(r);
}

static void everything_outlives_a_restart(void **state)
{
    struct rig *r = rig_started();
    rig_do(r, "CreateQueue",
           "{'QueueName':'q','Attributes':{'VisibilityTimeout':'77','Policy':'{\\'Statement\\':[]}'"
           "}}");
    rig_send(r, "q", "a");
    rig_send(r, "q", "b");
    char *handle = rig_take(r, "q", "");
    rig_restart(r);
    rig_counts(r, "q", 1, 1, 0);
    char *got = rig_call(r, NULL, "GetQueueAttributes",
                         "{'QueueUrl':'q','AttributeNames':['VisibilityTimeout','Policy']}");
    assert_string_equal(got, "{\"Attributes\":{\"VisibilityTimeout\":\"77\","
                             "\"Policy\":\"{\\\"Statement\\\":[]}\"}}");
    mem_free(got);
    rig_advance(r, 77000);
    got = rig_call(r, NULL, "ReceiveMessage",
                   "{'QueueUrl':'q','MaxNumberOfMessages':10,'AttributeNames':"
                   "['ApproximateReceiveCount']}");
    assert_non_null(strstr(got, "\"ApproximateReceiveCount\":\"2\""));
    mem_free(got);
    char *body = mem_printf("{'QueueUrl':'q','ReceiptHandle':'%s'}", handle);
    rig_do(r, "DeleteMessage", body);
    rig_restart(r);
    rig_counts(r, "q", 0, 1, 0);
    mem_free(body);
    mem_free(handle);
    rig_free(r);
}

static void a_failed_commit_leaves_nothing(void **state)
{
    struct rig *r = rig_started();
    struct rig_answer send, take, create;
    rig_create(r, "q");
    rig_send(r, "q", "kept");
    rig_fail_disk();
    rig_begin(r, &send, "SendMessage", "{'QueueUrl':'q','MessageBody':'lost'}");
    rig_begin(r, &take, "ReceiveMessage", "{'QueueUrl':'q'}");
    rig_begin(r, &create, "CreateQueue", "{'QueueName':'never'}");
    RIG_UNTIL(r, send.there && take.there && create.there);
    assert_int_equal(send.status, 503);
    assert_int_equal(take.status, 503);
    assert_null(strstr(take.body.p, "kept"));
    assert_int_equal(create.status, 503);
    assert_null(rig_queue(r, "never"));
    rig_counts(r, "q", 1, 0, 0);
    rig_refused(r, 503, "ServiceUnavailable", "SendMessage", "{'QueueUrl':'q','MessageBody':'x'}");
    rig_do(r, "GetQueueUrl", "{'QueueName':'q'}");
    failing_vfs_heal();
    RIG_UNTIL(
        r, (loop_timer_set_real(r->d->server.loop, &r->d->server.probe, 0), !r->d->server.failing));
    rig_receives(r, "q", "", "kept;");
    rig_end(&send);
    rig_end(&take);
    rig_end(&create);
    rig_free(r);
}

/* A store from before a receive, an old copy of it or what a loss of power left of relaxed
 * durability, meets the handle of that receive. */
static void handles_of_receives_that_never_were(void **state)
{
    struct rig *r = rig_started();
    char text[RECEIPT_SIZE];
    rig_create(r, "q");
    rig_send(r, "q", "m");
    rig_do(r, "SendMessage", "{'QueueUrl':'q','MessageBody':'later','DelaySeconds':9}");
    for (struct list *at = rig_queue(r, "q")->arrived.next; at != &rig_queue(r, "q")->arrived;
         at = at->next) {
        struct receipt h = {.queue = rig_queue(r, "q")->id,
                            .message = list_item(at, struct msg, arrived)->seq,
                            .delivery = 1,
                            .received_ms = r->d->server.clock.now_ms};
        receipt_issue(queue_store_secret(r->d->store), &h, text);
        char *body =
            mem_printf("{'QueueUrl':'q','ReceiptHandle':'%s','VisibilityTimeout':9}", text);
        rig_refused(r, 400, "not available for visibility timeout change",
                    "ChangeMessageVisibility", body);
        mem_free(body);
    }
    rig_counts(r, "q", 1, 0, 1);
    rig_free(r);
}

/* Neither written nor read: what memory does not know it must not deny. */
static void a_store_that_cannot_be_read_denies_nothing(void **state)
{
    struct rig *r = rig_started();
    rig_create(r, "q");
    failing_vfs_order((struct failing_order){.ops = FAILING_CHANGES | FAILING_READ | FAILING_OPEN,
                                             .files = FAILING_ANY,
                                             .result = 10 /* SQLITE_IOERR */,
                                             .times = -1});
    rig_refused(r, 500, "InternalFailure", "SendMessage", "{'QueueUrl':'q','MessageBody':'x'}");
    assert_true(r->d->server.lost);
    rig_refused(r, 503, "ServiceUnavailable", "GetQueueUrl", "{'QueueName':'q'}");
    rig_refused(r, 503, "ServiceUnavailable", "ListQueues", "{}");
    failing_vfs_heal();
    RIG_UNTIL(
        r, (loop_timer_set_real(r->d->server.loop, &r->d->server.probe, 0), !r->d->server.failing));
    rig_do(r, "GetQueueUrl", "{'QueueName':'q'}");
    rig_free(r);
}

/* What arrives later is never older, or it would outlive its retention behind what came before. */
static void a_clock_that_is_set_back(void **state)
{
    struct rig *r = rig_started();
    rig_create(r, "q");
    rig_do(r, "SendMessage", "{'QueueUrl':'q','MessageBody':'1'}");
    r->d->server.clock.now_ms -= 30000;
    rig_do(r, "SendMessage", "{'QueueUrl':'q','MessageBody':'2'}");
    struct queue *q = rig_queue(r, "q");
    queue_check(q);
    i64 sent_ms = queue_oldest(q)->sent_ms;
    rig_do(r, "PurgeQueue", "{'QueueUrl':'q'}");
    rig_do(r, "SendMessage", "{'QueueUrl':'q','MessageBody':'3'}");
    assert_true(queue_oldest(q)->sent_ms < sent_ms); /* but it is as old as it is */
    rig_free(r);
}

static void strict_rules_make_wait(void **state)
{
    struct rig *r = rig_new();
    rig_set(r, "strict_waits", "true");
    rig_start(r);
    rig_create(r, "q");
    rig_do(r, "PurgeQueue", "{'QueueUrl':'q'}");
    rig_refused(r, 403, "Only one PurgeQueue operation on q is allowed every 60 seconds.",
                "PurgeQueue", "{'QueueUrl':'q'}");
    rig_advance(r, 60000);
    rig_do(r, "PurgeQueue", "{'QueueUrl':'q'}");
    rig_do(r, "DeleteQueue", "{'QueueUrl':'q'}");
    rig_refused(r, 400, "You must wait 60 seconds after deleting a queue", "CreateQueue",
                "{'QueueName':'q'}");
    rig_advance(r, 60000);
    rig_create(r, "q");
    rig_free(r);
}

static void create_and_delete(struct rig *r, int n)
{
    char input[64];
    snprintf(input, sizeof input, "{'QueueName':'gone%d'}", n);
    rig_do(r, "CreateQueue", input);
    snprintf(input, sizeof input, "{'QueueUrl':'gone%d'}", n);
    rig_do(r, "DeleteQueue", input);
}

/* However many names rest no longer, no call removes more than a few of them. */
static void old_names_go_little_by_little(void **state)
{
    struct rig *r = rig_new();
    rig_set(r, "strict_waits", "true");
    rig_start(r);
    for (int i = 0; i < 60; i++)
        create_and_delete(r, i);
    rig_advance(r, 60000);
    for (int i = 60; i < 80; i++) {
        size_t before = r->d->queues.deleted.n;
        create_and_delete(r, i);
        assert_in_range(r->d->queues.deleted.n, before - MIN(before, 7), before + 1);
    }
    assert_int_equal(r->d->queues.deleted.n, 20);
    rig_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_come_in_order_and_hide),
        cmocka_unit_test(what_stays_visible_keeps_its_place),
        cmocka_unit_test(what_comes_back_stands_by_its_arrival),
        cmocka_unit_test(what_came_back_may_go_again),
        cmocka_unit_test(equal_delays_keep_the_order),
        cmocka_unit_test(purges_after_a_restart),
        cmocka_unit_test(sizes_of_batches),
        cmocka_unit_test(delays),
        cmocka_unit_test(retention_takes_the_oldest_wherever_they_are),
        cmocka_unit_test(a_longer_retention_brings_nothing_back),
        cmocka_unit_test(a_shorter_retention_is_that_of_new_messages),
        cmocka_unit_test(handles_old_and_new),
        cmocka_unit_test(twelve_hours_from_the_receive),
        cmocka_unit_test(in_flight_has_its_limit),
        cmocka_unit_test(purge_and_delete_take_all_at_once),
        cmocka_unit_test(what_a_restart_cut_short_is_cleared_away),
        cmocka_unit_test(what_is_gone_is_cleared_in_the_order_of_rows),
        cmocka_unit_test(everything_outlives_a_restart),
        cmocka_unit_test(a_failed_commit_leaves_nothing),
        cmocka_unit_test(handles_of_receives_that_never_were),
        cmocka_unit_test(a_store_that_cannot_be_read_denies_nothing),
        cmocka_unit_test(a_clock_that_is_set_back),
        cmocka_unit_test(strict_rules_make_wait),
        cmocka_unit_test(old_names_go_little_by_little),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
