#include "tests/sim/settle.h"

#include <stdarg.h>

#include "tests/sim/chance.h"
#include "tests/sim/record.h"
#include "tests/sim/setting.h"
#include "tests/sim/worker.h"

#define TRIES_MAX 100
#define TRY_AGAIN WORLD_SECOND_US
/* What the workload's receives and delays hide, at most; and what a drain hides. */
#define HIDDEN_MAX_US (70 * WORLD_SECOND_US + 2 * LEDGER_STEP_MAX_US)
/* A body that could not be read is left alone for so long. */
#define UNREADABLE_US (610 * WORLD_SECOND_US + 2 * LEDGER_STEP_MAX_US)
#define DRAIN_HIDE_S  900
#define DRAIN_HIDE_US (DRAIN_HIDE_S * WORLD_SECOND_US)
#define DRAIN_MAX_US  (600 * WORLD_SECOND_US)

u64 settles;
static u32 drains;
static i64 hidden_until_us; /* by the last drains */

/* --- calls, one after the other --------------------------------------------------------------- */

struct asked {
    struct client_call call;
    bool is_done;
    void (*left)(struct asked *a, const json_t *answer);
    struct ledger_queue *queue;
    u32 found;
    struct held batch[WORKER_BATCH];
};

static void asked_left(struct client_call *c, int status, str body)
{
    struct asked *a = c->arg;
    json_t *answer = NULL;

    if (!a->left || status != 200)
        return;
    answer = json_loadb(body.p, body.n, 0, NULL);
    a->left(a, answer);
    json_decref(answer);
}

static void asked_done(struct client_call *c)
{
    ((struct asked *)c->arg)->is_done = true;
}

/* Asks until it is answered with something else than "try again". The answer is the caller's. */
static json_t *ask(struct asked *a, struct node *to, const char *target, const char *fmt, ...)
    PRINTF_LIKE(4, 5);
static json_t *ask(struct asked *a, struct node *to, const char *target, const char *fmt, ...)
{
    va_list args;
    char text[4096];
    json_t *answer;

    va_start(args, fmt);
    vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    for (u32 i = 0; i < TRIES_MAX; i++) {
        a->call.to = to;
        a->call.target = target;
        a->call.left = asked_left;
        a->call.done = asked_done;
        a->call.arg = a;
        a->is_done = false;
        buf_reset(&a->call.body);
        buf_z(&a->call.body, text);
        client_send(&a->call);
        while (!a->is_done)
            world_step();
        if (a->call.end == CLIENT_ANSWERED && a->call.status < 500)
            break;
        record("settle", "%s at %s: %d %s", target, to->name, a->call.status,
               a->call.end == CLIENT_ANSWERED ? a->call.answer.p : "no answer");
        world_run_until(world_now_us() + TRY_AGAIN);
    }
    if (a->call.end != CLIENT_ANSWERED || a->call.status >= 500)
        world_fail("locked out: %s does not answer %s", to->name, target);
    answer = json_loadb(a->call.answer.p, a->call.answer.n, 0, NULL);
    buf_reset(&a->call.answer);
    return answer;
}

static void asked_deinit(struct asked *a)
{
    client_call_deinit(&a->call);
}

/* --- what is there ---------------------------------------------------------------------------- */

static void thing_is(struct thing *t, const char *name, bool is_there)
{
    if (t->changing)
        world_fail("%s is still changing", name); /* the workload's own mistake */
    if (t->presence == (is_there ? ABSENT : THERE))
        world_fail("%s: %s", is_there ? "back" : "lost", name);
    if (t->presence == UNSURE) {
        thing_change(t, is_there ? THERE : ABSENT);
        thing_changed(t, is_there ? THERE : ABSENT, OUTCOME_DONE);
    }
}

/* By a restore two have it: neither is kept. */
static void unmake_queue(struct ledger_queue *q)
{
    struct asked a = {0};

    for (int i = 0; i < SETTING_QUEUEDS; i++)
        json_decref(ask(&a, setting_queued(i), "AmazonSQS.DeleteQueue",
                        "{\"QueueUrl\":\"http://localhost/000000000000/%s\"}", q->name));
    ledger_empty(q);
    ledger_emptied(q, world_now_us());
    asked_deinit(&a);
}

/* Its home is whoever has it; no two may. */
static void find_queue(struct ledger_queue *q)
{
    struct asked a = {0};
    int homes = 0;

    for (int i = 0; i < SETTING_QUEUEDS; i++) {
        json_decref(
            ask(&a, setting_queued(i), "AmazonSQS.GetQueueUrl", "{\"QueueName\":\"%s\"}", q->name));
        if (a.call.status != 200)
            continue;
        homes++;
        q->home = i;
    }
    if (homes > 1 && !q->is_torn)
        world_fail("doubled: %d queueds have %s", homes, q->name);
    if (homes > 1) {
        unmake_queue(q);
        homes = 0;
    }
    if (!homes)
        q->home = -1;
    q->is_forgotten = q->is_torn = false;
    q->purges = 0;
    q->purged_us = world_now_us();
    thing_is(&q->thing, q->name, homes > 0);
    asked_deinit(&a);
}

static bool is_listed(const json_t *subs, const struct ledger_sub *sub, const struct buf *endpoint,
                      char *ret_arn, size_t size)
{
    const json_t *one;
    size_t at;

    json_array_foreach(subs, at, one) {
        if (!str_eq(json_text(one, "Endpoint"), buf_view(endpoint)))
            continue;
        str arn = json_text(one, "SubscriptionArn");

        assert(arn.n < size);
        memcpy(ret_arn, arn.p, arn.n);
        ret_arn[arn.n] = '\0';
        return true;
    }
    return false;
}

static void find_topic(struct ledger_topic *t)
{
    struct asked a = {0};
    json_t *answer = ask(&a, setting_topicd(), "AmazonSNS.ListSubscriptionsByTopic",
                         "{\"TopicArn\":\"arn:aws:sns:us-east-1:000000000000:%s\"}", t->name);
    const json_t *subs = json_object_get(answer, "Subscriptions");

    thing_is(&t->thing, t->name, a.call.status == 200);
    for (u32 i = 0; i < LEDGER_QUEUES; i++) {
        struct buf endpoint = {0};
        struct ledger_sub *sub = &t->subs[i];

        put_arn(&endpoint, "sqs", ledger_queue(i)->name);
        thing_is(&sub->thing, endpoint.p,
                 is_listed(subs, sub, &endpoint, sub->arn, sizeof(sub->arn)));
        buf_deinit(&endpoint);
    }
    json_decref(answer);
    asked_deinit(&a);
}

/* --- drains ----------------------------------------------------------------------------------- */

static void drained_left(struct asked *a, const json_t *answer)
{
    const json_t *list = json_object_get(answer, "Messages"), *m;
    size_t at;

    u64 number = ledger_answer();

    a->found = 0;
    json_array_foreach(list, at, m) {
        const json_t *attributes = json_object_get(m, "Attributes");
        struct held *h = &a->batch[a->found++];
        str handle = json_text(m, "ReceiptHandle");

        memcpy(h->handle, handle.p, MIN(handle.n, HANDLE_SIZE - 1));
        h->copy = ledger_received(
            &(struct delivery){.queue = a->queue,
                               .issued_us = a->call.issued_us,
                               .hide_ms = DRAIN_HIDE_S * 1000,
                               .direct = true,
                               .drain = drains,
                               .answer = number,
                               .body = json_text(m, "Body"),
                               .message_id = json_text(m, "MessageId"),
                               .count = json_number_text(attributes, "ApproximateReceiveCount"),
                               .sent_ms = json_number_text(attributes, "SentTimestamp")});
    }
}

static void drain_delete(struct asked *a, struct node *at)
{
    struct asked del = {0};
    struct buf entries = {0};

    for (u32 i = 0; i < a->found; i++) {
        ledger_delete(a->batch[i].copy);
        buf_printf(&entries, "%s{\"Id\":\"%u\",\"ReceiptHandle\":\"%s\"}", i ? "," : "", i,
                   a->batch[i].handle);
    }
    json_t *answer = ask(&del, at, "AmazonSQS.DeleteMessageBatch",
                         "{\"QueueUrl\":\"http://localhost/000000000000/%s\",\"Entries\":[%s]}",
                         a->queue->name, entries.p);

    if (json_array_size(json_object_get(answer, "Successful")) != a->found)
        world_fail("a delete of a drain does not succeed");
    for (u32 i = 0; i < a->found; i++)
        ledger_deleted(a->batch[i].copy, OUTCOME_DONE);
    json_decref(answer);
    buf_deinit(&entries);
    asked_deinit(&del);
}

/* Receives everything; `keep`: it becomes visible again later. Of a FIFO queue's group more comes only
 * when the first ones are deleted. */
static void drain(struct ledger_queue *q, bool keep)
{
    struct asked a = {.left = drained_left, .queue = q};
    struct node *home = setting_queued(q->home);
    i64 began_us = world_now_us();
    u32 all = 0;

    drains++;
    do {
        a.found = 0;
        json_decref(ask(&a, home, "AmazonSQS.ReceiveMessage",
                        "{\"QueueUrl\":\"http://localhost/000000000000/%s\","
                        "\"MaxNumberOfMessages\":10,\"VisibilityTimeout\":%d,"
                        "\"AttributeNames\":[\"All\"]}",
                        q->name, DRAIN_HIDE_S));
        all += a.found;
        if (a.found && !keep)
            drain_delete(&a, home);
    } while (a.found > 0);
    if (world_now_us() - began_us > DRAIN_MAX_US)
        world_fail("locked out: to drain %s takes %" PRId64 " s", q->name,
                   (world_now_us() - began_us) / WORLD_SECOND_US);
    ledger_check_drained(q, drains);
    record("settle", "%s: %u messages, %s", q->name, all, keep ? "kept" : "deleted");
    asked_deinit(&a);
}

void settle_begin(void)
{
    drains = 0;
    hidden_until_us = 0;
    disk_read_failed_us = -UNREADABLE_US;
}

void settle(void)
{
    record("settle", "begins");
    for (int i = 0; i < SETTING_NODES; i++)
        while (!node_is_up(setting_node(i)))
            world_run_until(world_now_us() + WORLD_SECOND_US);
    i64 until_us = world_now_us() + setting_link_settles_us() + HIDDEN_MAX_US;

    until_us = MAX(until_us, hidden_until_us);
    world_run_until(MAX(until_us, disk_read_failed_us + UNREADABLE_US));
    for (int i = 0; i < SETTING_NODES; i++)
        node_check(setting_node(i));
    for (u32 i = 0; i < LEDGER_QUEUES; i++)
        find_queue(ledger_queue(i));
    for (u32 i = 0; i < LEDGER_TOPICS; i++)
        find_topic(ledger_topic(i));
    for (u32 i = 0; i < LEDGER_QUEUES; i++)
        if (ledger_queue(i)->thing.presence == THERE)
            drain(ledger_queue(i), chance_one_in(CHANCE_WORK, 3) && !ledger_queue(i)->is_fifo);
    hidden_until_us = world_now_us() + DRAIN_HIDE_US + 2 * LEDGER_STEP_MAX_US + WORLD_SECOND_US;
    ledger_settled();
    settles++;
    record("settle", "ends, digest %016" PRIx64, record_digest());
}
