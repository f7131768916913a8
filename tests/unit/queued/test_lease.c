/* Receives whose answers are sent, cut, or not sent at all: what becomes of their messages. */
#include "rig.h"

#define RECEIVE "'QueueUrl':'q','MaxNumberOfMessages':10,'AttributeNames':['All']"

static struct rig *r;
static struct {
    enum call_outcome outcome;
    struct call *call;
    u32 n;
} replied;

static int setup(void **state)
{
    r = rig_started();
    rig_create(r, "q");
    return 0;
}

static int teardown(void **state)
{
    rig_free(r);
    return 0;
}

static enum call_outcome reply(void *arg, struct call *c)
{
    replied.n++;
    return replied.outcome;
}

/* A call whose answer has this end. */
static void ask(enum call_outcome outcome, const char *action, const char *body)
{
    char *text = mem_printf("%s", body), *target = mem_printf("AmazonSQS.%s", action);
    for (char *p = text; *p; p++)
        if (*p == '\'')
            *p = '"';
    struct request rq = request_blank(DOOR_TCP);
    rq.method = STR("POST");
    rq.path = STR("/");
    rq.target = str_of(target);
    rq.body = str_of(text);
    replied.outcome = outcome;
    replied.n = 0;
    replied.call = desk_take(r->d->server.desk, &rq, reply, NULL);
    RIG_UNTIL(r, replied.n);
    mem_free(target);
    mem_free(text);
}

/* What a receive gives now: its bodies, each with its receive count. */
static void expect(const char *queue, const char *first, const char *want_count)
{
    char *body =
        mem_printf("{'QueueUrl':'%s','MaxNumberOfMessages':10,'AttributeNames':['All']}", queue);
    char *answer = rig_call(r, NULL, "ReceiveMessage", body), *got = rig_bodies(answer);
    assert_string_equal(got, first);
    if (want_count)
        assert_non_null(strstr(answer, want_count));
    mem_free(got);
    mem_free(answer);
    mem_free(body);
}

static void test_not_sent(void **state)
{
    rig_send(r, "q", "a");
    rig_send(r, "q", "b");
    ask(CALL_LOST, "ReceiveMessage", "{" RECEIVE "}");
    rig_counts(r, "q", 2, 0, 0);
    rig_send(r, "q", "c");
    /* As if nothing had been received, also for who reads the store. */
    rig_restart(r);
    rig_counts(r, "q", 3, 0, 0);
    assert_int_equal(msg_receives(queue_oldest(rig_queue(r, "q"))), 0);
    expect("q", "a;b;c;", "\"ApproximateReceiveCount\":\"1\"");
}

static void test_cut(void **state)
{
    rig_send(r, "q", "a");
    ask(CALL_CUT, "ReceiveMessage", "{" RECEIVE "}");
    rig_counts(r, "q", 1, 0, 0);
    expect("q", "a;", "\"ApproximateReceiveCount\":\"2\"");
}

static void test_sending(void **state)
{
    rig_send(r, "q", "a");
    ask(CALL_SENDING, "ReceiveMessage", "{" RECEIVE "}");
    rig_counts(r, "q", 0, 1, 0);
    rig_advance(r, 10000);
    desk_sent(replied.call, CALL_SENT);
    /* 30 s from when the answer was sent, not from when it was made. */
    rig_advance(r, 29999);
    rig_counts(r, "q", 0, 1, 0);
    rig_advance(r, 1);
    rig_counts(r, "q", 1, 0, 0);

    ask(CALL_SENDING, "ReceiveMessage", "{" RECEIVE "}");
    desk_sent(replied.call, CALL_LOST);
    expect("q", "a;", "\"ApproximateReceiveCount\":\"2\"");
}

/* A lease that is over before its answer was sent. */
static void test_over(void **state)
{
    rig_send(r, "q", "a");
    ask(CALL_SENDING, "ReceiveMessage", "{'VisibilityTimeout':5," RECEIVE "}");
    struct call *slow = replied.call;
    rig_advance(r, 6000);
    rig_counts(r, "q", 1, 0, 0);
    desk_sent(slow, CALL_SENT);
    rig_counts(r, "q", 0, 1, 0);
    rig_advance(r, 5000);
    /* Another one has it meanwhile: it stays that one's. */
    ask(CALL_SENDING, "ReceiveMessage", "{'VisibilityTimeout':5," RECEIVE "}");
    slow = replied.call;
    rig_advance(r, 6000);
    expect("q", "a;", "\"ApproximateReceiveCount\":\"3\"");
    desk_sent(slow, CALL_LOST);
    rig_counts(r, "q", 0, 1, 0);
}

/* Deleted, purged, or its queue gone before it is known that nobody heard. */
static void test_gone_meanwhile(void **state)
{
    rig_send(r, "q", "a");
    ask(CALL_SENDING, "ReceiveMessage", "{" RECEIVE "}");
    struct call *slow = replied.call;
    rig_do(r, "PurgeQueue", "{'QueueUrl':'q'}");
    desk_sent(slow, CALL_LOST);
    rig_counts(r, "q", 0, 0, 0);
    rig_send(r, "q", "b");
    ask(CALL_SENDING, "ReceiveMessage", "{" RECEIVE "}");
    slow = replied.call;
    rig_do(r, "DeleteQueue", "{'QueueUrl':'q'}");
    desk_sent(slow, CALL_LOST);
    rig_turn(r);
}

/* A long poll that waits is given what comes back. */
static void test_waiter_is_served(void **state)
{
    struct rig_answer a;
    rig_send(r, "q", "a");
    ask(CALL_SENDING, "ReceiveMessage", "{" RECEIVE "}");
    struct call *slow = replied.call;
    rig_begin(r, &a, "ReceiveMessage", "{'QueueUrl':'q','WaitTimeSeconds':20}");
    rig_turn(r);
    assert_false(a.there);
    desk_sent(slow, CALL_LOST);
    RIG_UNTIL(r, a.there);
    assert_non_null(strstr(a.body.p, "\"Body\":\"a\""));
    rig_end(&a);
}

static void test_change(void **state)
{
    rig_send(r, "q", "a");
    char *handle = rig_take(r, "q", "");
    char *body = mem_printf("{'QueueUrl':'q','ReceiptHandle':'%s','VisibilityTimeout':60}", handle);
    ask(CALL_SENDING, "ChangeMessageVisibility", body);
    rig_advance(r, 10000);
    desk_sent(replied.call, CALL_SENT);
    rig_advance(r, 59999);
    rig_counts(r, "q", 0, 1, 0);
    rig_advance(r, 1);
    rig_counts(r, "q", 1, 0, 0);
    mem_free(body);
    mem_free(handle);
}

/* Of two entries for one message the last one counts. */
static void test_change_twice(void **state)
{
    rig_send(r, "q", "a");
    char *handle = rig_take(r, "q", "");
    char *body = mem_printf("{'QueueUrl':'q','Entries':[{'Id':'1','ReceiptHandle':'%s',"
                            "'VisibilityTimeout':60},{'Id':'2','ReceiptHandle':'%s',"
                            "'VisibilityTimeout':0}]}",
                            handle, handle);
    rig_do(r, "ChangeMessageVisibilityBatch", body);
    rig_counts(r, "q", 1, 0, 0);
    mem_free(body);
    mem_free(handle);
}

/* --- FIFO: order, and receives that are repeated ---------------------------------------------- */

static void make_fifo(void)
{
    rig_do(r, "CreateQueue",
           "{'QueueName':'f.fifo','Attributes':{'FifoQueue':'true',"
           "'ContentBasedDeduplication':'true'}}");
    for (const char *p = "abc"; *p; p++) {
        char *body =
            mem_printf("{'QueueUrl':'f.fifo','MessageGroupId':'g','MessageBody':'%c'}", *p);
        rig_do(r, "SendMessage", body);
        mem_free(body);
    }
}

#define ATTEMPT                                                                                    \
    "{'QueueUrl':'f.fifo','MaxNumberOfMessages':2,'ReceiveRequestAttemptId':'x',"                  \
    "'AttributeNames':['All']}"

static void test_fifo_order(void **state)
{
    make_fifo();
    ask(CALL_LOST, "ReceiveMessage", ATTEMPT);
    rig_counts(r, "f.fifo", 3, 0, 0);
    /* The same attempt is a new receive. */
    char *answer = rig_call(r, NULL, "ReceiveMessage", ATTEMPT), *got = rig_bodies(answer);
    assert_string_equal(got, "a;b;");
    mem_free(got);
    /* Repeated: the same. */
    char *again = rig_call(r, NULL, "ReceiveMessage", ATTEMPT);
    assert_string_equal(answer, again);
    mem_free(again);
    mem_free(answer);
}

/* One of two answers to the same attempt is sent: its messages stay with its client. */
static void test_fifo_two_answers(void **state)
{
    static const enum call_outcome ends[][2] = {
        {CALL_SENT, CALL_LOST}, {CALL_LOST, CALL_SENT}, {CALL_LOST, CALL_LOST}};
    make_fifo();
    for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
        bool kept = i < 2;
        ask(CALL_SENDING, "ReceiveMessage", ATTEMPT);
        struct call *first = replied.call;
        ask(CALL_SENDING, "ReceiveMessage", ATTEMPT);
        desk_sent(first, ends[i][0]);
        desk_sent(replied.call, ends[i][1]);
        rig_counts(r, "f.fifo", kept ? 1 : 3, kept ? 2 : 0, 0);
        rig_advance(r, 301 * 1000);
        rig_counts(r, "f.fifo", 3, 0, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_not_sent, setup, teardown),
        cmocka_unit_test_setup_teardown(test_cut, setup, teardown),
        cmocka_unit_test_setup_teardown(test_sending, setup, teardown),
        cmocka_unit_test_setup_teardown(test_over, setup, teardown),
        cmocka_unit_test_setup_teardown(test_gone_meanwhile, setup, teardown),
        cmocka_unit_test_setup_teardown(test_waiter_is_served, setup, teardown),
        cmocka_unit_test_setup_teardown(test_change, setup, teardown),
        cmocka_unit_test_setup_teardown(test_change_twice, setup, teardown),
        cmocka_unit_test_setup_teardown(test_fifo_order, setup, teardown),
        cmocka_unit_test_setup_teardown(test_fifo_two_answers, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
