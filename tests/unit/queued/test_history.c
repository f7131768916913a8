/* Why a message died: its deliveries are told, bounded, through restart and moves, and cost no row
 * while a message is received once and deleted. */
#include "rig.h"

#define ARN "arn:aws:sqs:us-east-1:000000000000:"

static struct rig *with_queues(u32 receives_max)
{
    struct rig *r = rig_started();
    rig_create(r, "dead");
    rig_create(r, "q");
    rig_set_policy(r, "q", "dead", receives_max);
    return r;
}

/* What is told of the queue's oldest message, its times counted from the start of the clock. */
static void told(struct rig *r, const char *queue, i64 start_ms, const char *want)
{
    struct arena a;
    struct buf text = {0};

    arena_init(&a);
    str json = history_json(queue_oldest(rig_queue(r, queue)), &a);
    buf_z(&text, "");
    while (json.n) {
        ptrdiff_t colon = str_find(json, ':');
        if (colon < 0 || (size_t)colon + 1 >= json.n || json.p[colon + 1] < '0' ||
            json.p[colon + 1] > '9') {
            size_t n = colon < 0 ? json.n : (size_t)colon + 1;
            buf_str(&text, str_slice(json, 0, n));
            json = str_slice(json, n, json.n);
            continue;
        }
        buf_str(&text, str_slice(json, 0, (size_t)colon + 1));
        json = str_slice(json, (size_t)colon + 1, json.n);
        char *end;
        char *number = mem_dup(str_slice(json, 0, MIN(json.n, (size_t)20)));
        buf_i64(&text, strtoll(number, &end, 10) - start_ms);
        json = str_slice(json, (size_t)(end - number), json.n);
        mem_free(number);
    }
    buf_char(&text, '\0');
    assert_string_equal(text.p, want);
    buf_deinit(&text);
    arena_deinit(&a);
}

#define EVENT(received, visible, ended)                                                            \
    "{\"ReceivedTimestamp\":" #received ",\"VisibleTimestamp\":" #visible ",\"Ended\":\"" ended "\""

static void why_a_message_died(void **state)
{
    struct rig *r = with_queues(2);
    i64 start_ms = r->d->server.clock.now_ms;
    rig_send(r, "q", "a");
    told(r, "q", start_ms, "");
    mem_free(rig_take(r, "q", ",'VisibilityTimeout':10"));
    told(r, "q", start_ms, "[" EVENT(0, 10000, "in flight") "}]");
    assert_int_equal(rig_rows(r, "history"), 0);
    rig_advance(r, 10000);
    told(r, "q", start_ms, "[" EVENT(0, 10000, "timed out") "}]");
    rig_turn(r);
    assert_int_equal(rig_rows(r, "history"), 1);
    rig_restart(r);
    char *handle = rig_take(r, "q", ",'VisibilityTimeout':30");
    rig_advance(r, 500);
    char *body = mem_printf("{'QueueUrl':'q','ReceiptHandle':'%s','VisibilityTimeout':0}", handle);
    rig_do(r, "ChangeMessageVisibility", body);
#define BOTH                                                                                       \
    "[" EVENT(0, 10000, "timed out") "}," EVENT(10000, 10500,                                      \
                                                "made visible") ",\"ChangedTimestamp\":10500}"
    told(r, "q", start_ms, BOTH "]");
    rig_receives(r, "q", "", "");
    rig_counts(r, "dead", 1, 0, 0);
    for (int life = 0; life < 2; life++) {
        told(r, "dead", start_ms, BOTH "]");
        assert_int_equal(rig_rows(r, "history"), 1);
        rig_restart(r);
    }
    mem_free(rig_take(r, "dead", ",'VisibilityTimeout':0"));
    told(r, "dead", start_ms, BOTH "," EVENT(10500, 10500, "timed out") "}]");
    char *dead = rig_take(r, "dead", "");
    mem_free(body);
    body = mem_printf("{'QueueUrl':'dead','ReceiptHandle':'%s'}", dead);
    rig_do(r, "DeleteMessage", body);
    assert_int_equal(rig_rows(r, "history"), 0);
    assert_int_equal(r->d->queues.histories.by_seq.n, 0);
    assert_int_equal(r->d->queues.msgs.origin_of.n, 0);
    mem_free(dead);
    mem_free(body);
    mem_free(handle);
    rig_free(r);
}

/* What has a history keeps it to the end, also when its queue has no dead-letter queue any more. */
static void without_the_policy(void **state)
{
    struct rig *r = with_queues(2);
    i64 start_ms = r->d->server.clock.now_ms;
    rig_send(r, "q", "a");
    mem_free(rig_take(r, "q", ",'VisibilityTimeout':10"));
    rig_advance(r, 10000);
    rig_do(r, "SetQueueAttributes", "{'QueueUrl':'q','Attributes':{'RedrivePolicy':''}}");
    mem_free(rig_take(r, "q", ",'VisibilityTimeout':10"));
    told(r, "q", start_ms,
         "[" EVENT(0, 10000, "timed out") "}," EVENT(10000, 20000, "in flight") "}]");
    rig_free(r);
}

/* Only the last ones are kept. */
static void bounded(void **state)
{
    struct rig *r = with_queues(1000);
    struct arena a;
    rig_send(r, "q", "a");
    for (int i = 0; i < HISTORY_DELIVERIES_MAX + 5; i++) {
        rig_receives(r, "q", ",'VisibilityTimeout':0", "a;");
        rig_advance(r, 1000);
    }
    arena_init(&a);
    for (int life = 0; life < 2; life++) {
        str json = history_json(queue_oldest(rig_queue(r, "q")), &a);
        u32 n = 0;
        for (size_t i = 0; i < json.n; i++)
            n += json.p[i] == '{';
        assert_int_equal(n, HISTORY_DELIVERIES_MAX);
        rig_restart(r);
    }
    arena_deinit(&a);
    rig_do(r, "PurgeQueue", "{'QueueUrl':'q'}");
    RIG_UNTIL(r, r->d->queues.msgs.msgs.used == 0);
    rig_turn(r);
    assert_int_equal(rig_rows(r, "history"), 0);
    rig_free(r);
}

/* A queue without a policy keeps nothing; a message that is received once and deleted costs no
 * row. */
static void what_costs_nothing(void **state)
{
    struct rig *r = with_queues(3);
    rig_create(r, "plain");
    rig_send(r, "plain", "a");
    rig_receives(r, "plain", ",'VisibilityTimeout':0", "a;");
    assert_int_equal(r->d->queues.histories.by_seq.n, 0);
    rig_send(r, "q", "b");
    char *handle = rig_take(r, "q", "");
    char *body = mem_printf("{'QueueUrl':'q','ReceiptHandle':'%s'}", handle);
    rig_do(r, "DeleteMessage", body);
    assert_int_equal(r->d->queues.histories.by_seq.n, 0);
    assert_int_equal(rig_rows(r, "history"), 0);
    mem_free(body);
    mem_free(handle);
    rig_free(r);
}

static void what_no_client_got(void **state)
{
    struct rig *r = with_queues(3);
    struct msg *got[QUEUE_TAKE_MAX];
    i64 start_ms = r->d->server.clock.now_ms;
    rig_send(r, "q", "a");
    rig_receives(r, "q", ",'VisibilityTimeout':0", "a;");
    assert_int_equal(queue_take(rig_queue(r, "q"), 1, 30000, got), 1);
    queue_take_back(got[0], false);
    rig_turn(r);
    rig_restart(r);
    told(r, "q", start_ms, "[" EVENT(0, 0, "timed out") "}]");
    rig_free(r);
}

/* Through a move task; the message is a new one, what became of the old one is told still. */
static void through_a_move_task(void **state)
{
    struct rig *r = with_queues(1);
    i64 start_ms = r->d->server.clock.now_ms;
    rig_send(r, "q", "a");
    rig_receives(r, "q", ",'VisibilityTimeout':0", "a;");
    rig_receives(r, "q", "", "");
    rig_do(r, "StartMessageMoveTask", "{'SourceArn':'" ARN "dead'}");
    RIG_UNTIL(r, rig_queue(r, "q")->visible_count == 1);
    rig_turn(r);
    rig_restart(r);
    told(r, "q", start_ms, "[" EVENT(0, 0, "timed out") "}]");
    rig_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(why_a_message_died),
        cmocka_unit_test(without_the_policy),
        cmocka_unit_test(bounded),
        cmocka_unit_test(what_costs_nothing),
        cmocka_unit_test(what_no_client_got),
        cmocka_unit_test(through_a_move_task),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
