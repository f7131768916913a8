/* What clients do with queues, topics and subscriptions. There is one call under way that makes or
 * unmakes a thing. */
#include "tests/sim/chance.h"
#include "tests/sim/setting.h"
#include "tests/sim/worker.h"

/* --- queues ----------------------------------------------------------------------------------- */

/* The attributes of a queue are the same whenever it is made, so that making it again is no
 * conflict. */
static bool create_queue_begin(struct worker *w, struct buf *body)
{
    struct ledger_queue *q = ledger_queue((u32)chance_below(CHANCE_WORK, LEDGER_QUEUES));

    if (q->thing.changing || (q->thing.presence == THERE && !chance_one_in(CHANCE_WORK, 20)))
        return false;
    if (q->is_forgotten || q->is_torn) /* topicd may make another, beside the one that there is */
        return false;
    w->queue = q;
    if (q->thing.presence == ABSENT) {
        q->is_direct = chance_one_in(CHANCE_WORK, 3);
        q->home = q->is_direct ? (int)chance_below(CHANCE_WORK, SETTING_QUEUEDS) : -1;
    }
    if (q->is_direct)
        worker_to_queued(w, q->home);
    else
        worker_to_topicd(w, false);
    buf_printf(body,
               "\"QueueName\":\"%s\",\"Attributes\":{\"VisibilityTimeout\":\"%" PRId64
               "\",\"MessageRetentionPeriod\":\"%" PRId64 "\",\"DelaySeconds\":\"%" PRId64 "\"%s}",
               q->name, q->visibility_ms / 1000, q->retention_ms / 1000, q->delay_ms / 1000,
               q->is_fifo ? ",\"FifoQueue\":\"true\"" : "");
    thing_change(&q->thing, THERE);
    return true;
}

static void create_queue_answered(struct worker *w, const json_t *answer)
{
    thing_changed(&w->queue->thing, THERE, OUTCOME_DONE);
}

static void create_queue_failed(struct worker *w, enum outcome o)
{
    thing_changed(&w->queue->thing, THERE, o);
}

static bool delete_queue_begin(struct worker *w, struct buf *body)
{
    struct ledger_queue *q = worker_choose_queue();

    if (q->thing.changing || q->thing.presence == ABSENT || q->is_torn)
        return false;
    thing_change(&q->thing, ABSENT);
    worker_to_queue(w, q);
    put_queue_url(body, q);
    ledger_empty(q);
    return true;
}

static void delete_queue_answered(struct worker *w, const json_t *answer)
{
    if (!w->queue->thing.undone)
        ledger_emptied(w->queue, w->call.issued_us);
    thing_changed(&w->queue->thing, ABSENT, OUTCOME_DONE);
}

static void delete_queue_failed(struct worker *w, enum outcome o)
{
    thing_changed(&w->queue->thing, ABSENT, o);
}

/* Asks one queued after the other which of them has it. */
static bool find_queue_begin(struct worker *w, struct buf *body)
{
    struct ledger_queue *q = worker_choose_queue();

    if (q->thing.presence != THERE || q->home >= 0)
        return false;
    worker_to_queued(w, (int)chance_below(CHANCE_WORK, SETTING_QUEUEDS));
    w->queue = q;
    w->queue_version = q->thing.version - 1; /* not there means that another has it */
    buf_printf(body, "\"QueueName\":\"%s\"", q->name);
    return true;
}

static void find_queue_answered(struct worker *w, const json_t *answer)
{
    if (thing_stands(&w->queue->thing, w->queue_version + 1))
        w->queue->home = w->node;
}

static void find_queue_failed(struct worker *w, enum outcome o)
{
}

/* --- topics ----------------------------------------------------------------------------------- */

static bool create_topic_begin(struct worker *w, struct buf *body)
{
    struct ledger_topic *t = ledger_topic((u32)chance_below(CHANCE_WORK, LEDGER_TOPICS));

    if (t->thing.changing || (t->thing.presence == THERE && !chance_one_in(CHANCE_WORK, 20)))
        return false;
    w->topic = t;
    worker_to_topicd(w, true);
    buf_printf(body, "\"Name\":\"%s\"", t->name);
    thing_change(&t->thing, THERE);
    return true;
}

static void create_topic_answered(struct worker *w, const json_t *answer)
{
    thing_changed(&w->topic->thing, THERE, OUTCOME_DONE);
}

static void create_topic_failed(struct worker *w, enum outcome o)
{
    thing_changed(&w->topic->thing, THERE, o);
}

/* Its subscriptions go with it: none of them may be changing. */
static bool delete_topic_begin(struct worker *w, struct buf *body)
{
    struct ledger_topic *t = worker_choose_topic();

    if (t->thing.changing || t->thing.presence == ABSENT)
        return false;
    for (u32 i = 0; i < LEDGER_QUEUES; i++)
        if (t->subs[i].thing.changing)
            return false;
    w->topic = t;
    worker_to_topicd(w, true);
    buf_z(body, "\"TopicArn\":\"");
    put_arn(body, "sns", t->name);
    buf_char(body, '"');
    thing_change(&t->thing, ABSENT);
    for (u32 i = 0; i < LEDGER_QUEUES; i++)
        if (t->subs[i].thing.presence != ABSENT)
            thing_change(&t->subs[i].thing, ABSENT);
    return true;
}

static void delete_topic_ended(struct worker *w, enum outcome o)
{
    struct ledger_topic *t = w->topic;

    thing_changed(&t->thing, ABSENT, o);
    for (u32 i = 0; i < LEDGER_QUEUES; i++)
        if (t->subs[i].thing.changing)
            thing_changed(&t->subs[i].thing, ABSENT, o);
}

static void delete_topic_answered(struct worker *w, const json_t *answer)
{
    delete_topic_ended(w, OUTCOME_DONE);
}

/* --- subscriptions ---------------------------------------------------------------------------- */

static bool subscribe_begin(struct worker *w, struct buf *body)
{
    struct ledger_topic *t = worker_choose_topic();
    struct ledger_queue *q = worker_choose_queue();
    struct ledger_sub *sub = &t->subs[q->index];

    if (t->thing.changing || sub->thing.changing || sub->thing.presence != ABSENT || q->is_fifo)
        return false;
    w->topic = t;
    w->topic_version = t->thing.version;
    w->sub = sub;
    worker_to_topicd(w, true);
    buf_z(body, "\"TopicArn\":\"");
    put_arn(body, "sns", t->name);
    buf_z(body, "\",\"Protocol\":\"sqs\",\"ReturnSubscriptionArn\":true,\"Endpoint\":\"");
    put_arn(body, "sqs", q->name);
    buf_printf(body, "\",\"Attributes\":{\"RawMessageDelivery\":\"%s\"",
               sub->raw ? "true" : "false");
    if (MESSAGE_POLICIES[sub->policy].json) {
        buf_printf(body, ",\"FilterPolicyScope\":\"%s\",\"FilterPolicy\":",
                   MESSAGE_POLICIES[sub->policy].in_body ? "MessageBody" : "MessageAttributes");
        message_quote(body, str_of(MESSAGE_POLICIES[sub->policy].json));
    }
    buf_char(body, '}');
    thing_change(&sub->thing, THERE);
    return true;
}

static void subscribe_answered(struct worker *w, const json_t *answer)
{
    str arn = json_text(answer, "SubscriptionArn");

    assert(arn.n < sizeof(w->sub->arn));
    memcpy(w->sub->arn, arn.p, arn.n);
    w->sub->arn[arn.n] = '\0';
    thing_changed(&w->sub->thing, THERE, OUTCOME_DONE);
}

static void subscribe_failed(struct worker *w, enum outcome o)
{
    thing_changed(&w->sub->thing, THERE, o);
}

static bool unsubscribe_begin(struct worker *w, struct buf *body)
{
    struct ledger_topic *t = worker_choose_topic();
    struct ledger_sub *sub = &t->subs[chance_below(CHANCE_WORK, LEDGER_QUEUES)];

    if (t->thing.changing || sub->thing.changing || sub->thing.presence != THERE)
        return false;
    w->sub = sub;
    worker_to_topicd(w, true);
    buf_printf(body, "\"SubscriptionArn\":\"%s\"", sub->arn);
    thing_change(&sub->thing, ABSENT);
    return true;
}

static void unsubscribe_answered(struct worker *w, const json_t *answer)
{
    thing_changed(&w->sub->thing, ABSENT, OUTCOME_DONE);
}

static void unsubscribe_failed(struct worker *w, enum outcome o)
{
    thing_changed(&w->sub->thing, ABSENT, o);
}

struct operation OPERATIONS_THINGS[] = {
    {.name = "create queue",
     .target = "AmazonSQS.CreateQueue",
     .weight = 12,
     .begin = create_queue_begin,
     .answered = create_queue_answered,
     .failed = create_queue_failed},
    {.name = "delete queue",
     .target = "AmazonSQS.DeleteQueue",
     .weight = 2,
     .begin = delete_queue_begin,
     .answered = delete_queue_answered,
     .failed = delete_queue_failed},
    {.name = "find queue",
     .target = "AmazonSQS.GetQueueUrl",
     .weight = 40,
     .begin = find_queue_begin,
     .answered = find_queue_answered,
     .failed = find_queue_failed},
    {.name = "create topic",
     .target = "AmazonSNS.CreateTopic",
     .weight = 12,
     .begin = create_topic_begin,
     .answered = create_topic_answered,
     .failed = create_topic_failed},
    {.name = "delete topic",
     .target = "AmazonSNS.DeleteTopic",
     .weight = 1,
     .begin = delete_topic_begin,
     .answered = delete_topic_answered,
     .failed = delete_topic_ended},
    {.name = "subscribe",
     .target = "AmazonSNS.Subscribe",
     .weight = 30,
     .begin = subscribe_begin,
     .answered = subscribe_answered,
     .failed = subscribe_failed},
    {.name = "unsubscribe",
     .target = "AmazonSNS.Unsubscribe",
     .weight = 2,
     .begin = unsubscribe_begin,
     .answered = unsubscribe_answered,
     .failed = unsubscribe_failed},
    {.name = NULL},
};
