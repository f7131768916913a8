/* What clients send and publish. */
#include "tests/sim/chance.h"
#include "tests/sim/worker.h"

/* A send is repeated so long after it at most: within the five minutes of deduplication. */
#define AGAIN_MAX_US (200 * WORLD_SECOND_US)

/* --- send ------------------------------------------------------------------------------------- */

static struct intent *intent_new(struct worker *w, u32 sender)
{
    struct intent *in = &w->intents[w->batch_count++];

    *in = (struct intent){.mark = ledger_mark(sender, w->topic)};
    in->mark->color = (u32)chance_below(CHANCE_WORK, 3);
    in->mark->size = (u32)chance_below(CHANCE_WORK, 10);
    return in;
}

static void put_body(struct buf *out, const char *name, const struct mark *m)
{
    struct buf text = {0};

    message_put_body(m, &text);
    buf_printf(out, "\"%s\":", name);
    message_quote(out, buf_view(&text));
    buf_deinit(&text);
}

static void put_message(struct worker *w, const struct mark *m, struct buf *body)
{
    put_body(body, "MessageBody", m);
    if (w->queue->is_fifo)
        buf_printf(body, ",\"MessageGroupId\":\"g%u\",\"MessageDeduplicationId\":\"d%" PRIu64 "\"",
                   m->group, m->number);
}

static void put_send(struct worker *w, struct buf *body)
{
    struct intent *in = intent_new(w, LEDGER_SENDERS / 2 + w->index);

    in->copies[in->copy_count++] = ledger_send(w->queue, in->mark);
    in->queue_versions[0] = w->queue->thing.version;
    if (w->queue->is_fifo)
        in->mark->group = 2 * w->index + (u32)chance_below(CHANCE_WORK, 2);
    put_message(w, in->mark, body);
}

static bool send_begin(struct worker *w, struct buf *body)
{
    worker_to_queue(w, worker_choose_queue());
    put_queue_url(body, w->queue);
    buf_char(body, ',');
    put_send(w, body);
    if (w->queue->is_fifo)
        w->last = w->intents[0];
    return true;
}

static void sent(struct worker *w, struct intent *in, enum outcome o, str message_id)
{
    bool stands = thing_stands(&w->queue->thing, in->queue_versions[0]);

    ledger_mark_ended(in->mark);
    /* Sent to a queue that went: it may have been the one before or the one after. */
    if (o == OUTCOME_DONE && !stands)
        ledger_delete(in->copies[0]);
    ledger_sent(in->copies[0], o, stands, message_id);
}

static void send_answered(struct worker *w, const json_t *answer)
{
    sent(w, &w->intents[0], OUTCOME_DONE, json_text(answer, "MessageId"));
}

static void send_failed(struct worker *w, enum outcome o)
{
    for (u32 i = 0; i < w->batch_count; i++)
        sent(w, &w->intents[i], o, STR(""));
}

/* What this worker sent last, to a FIFO queue, once more, whatever became of it: it is there once. (A purge
 * ends deduplication, too.) */
static bool send_again_begin(struct worker *w, struct buf *body)
{
    struct copy *c = w->last.copies[0];

    if (!c || !ledger_is_deduplicated(c) || world_now_us() - c->mark->issued_us > AGAIN_MAX_US ||
        !thing_stands(&c->queue->thing, w->last.queue_versions[0]))
        return false;
    c->refused = false;
    worker_to_queue(w, c->queue);
    w->intents[w->batch_count++] = w->last;
    put_queue_url(body, w->queue);
    buf_char(body, ',');
    put_message(w, c->mark, body);
    return true;
}

/* It may be there from the first time. */
static void send_again_failed(struct worker *w, enum outcome o)
{
    sent(w, &w->intents[0], OUTCOME_UNKNOWN, STR(""));
}

static bool send_batch_begin(struct worker *w, struct buf *body)
{
    u32 n = (u32)chance_between(CHANCE_WORK, 1, WORKER_BATCH);

    worker_to_queue(w, worker_choose_queue());
    put_queue_url(body, w->queue);
    batch_begin(body, "Entries");
    if (w->queue->is_fifo)
        w->last.copies[0] = NULL; /* is not the last one any more */
    for (u32 i = 0; i < n; i++) {
        batch_entry(body, i);
        put_send(w, body);
        buf_char(body, '}');
    }
    buf_char(body, ']');
    return true;
}

static void send_batch_answered(struct worker *w, const json_t *answer)
{
    for (u32 i = 0; i < w->batch_count; i++) {
        const json_t *entry = batch_success(answer, i);

        sent(w, &w->intents[i], entry ? OUTCOME_DONE : OUTCOME_UNKNOWN,
             json_text(entry, "MessageId"));
    }
}

/* --- publish ---------------------------------------------------------------------------------- */

static void put_publish(struct worker *w, struct buf *body)
{
    struct intent *in = intent_new(w, w->index);

    for (u32 i = 0; i < LEDGER_QUEUES; i++) {
        const struct ledger_sub *sub = &w->topic->subs[i];
        u32 n = in->copy_count;

        if (sub->thing.presence == ABSENT || !MESSAGE_POLICIES[sub->policy].matches(in->mark))
            continue;
        in->copies[n] = ledger_send(ledger_queue(i), in->mark);
        in->queue_versions[n] = ledger_queue(i)->thing.version;
        in->sub_versions[n] = sub->thing.version;
        in->copy_count++;
    }
    put_body(body, "Message", in->mark);
    buf_z(body, ",\"MessageAttributes\":{");
    message_put_attributes(in->mark, body);
    buf_char(body, '}');
}

static void publish_to(struct worker *w, struct buf *body)
{
    w->topic = worker_choose_topic();
    w->topic_version = w->topic->thing.version;
    worker_to_topicd(w, false);
    buf_z(body, "\"TopicArn\":\"");
    put_arn(body, "sns", w->topic->name);
    buf_char(body, '"');
}

static bool publish_begin(struct worker *w, struct buf *body)
{
    publish_to(w, body);
    buf_char(body, ',');
    put_publish(w, body);
    return true;
}

static void published(struct worker *w, struct intent *in, enum outcome o)
{
    ledger_mark_ended(in->mark);
    for (u32 i = 0; i < in->copy_count; i++) {
        struct copy *c = in->copies[i];
        const struct ledger_sub *sub = &w->topic->subs[c->queue->index];
        bool stands = thing_stands(&c->queue->thing, in->queue_versions[i]) &&
                      thing_stands(&sub->thing, in->sub_versions[i]) &&
                      thing_stands(&w->topic->thing, w->topic_version);

        ledger_sent(c, o == OUTCOME_DONE && !stands ? OUTCOME_UNKNOWN : o, false, STR(""));
    }
}

static void publish_answered(struct worker *w, const json_t *answer)
{
    published(w, &w->intents[0], OUTCOME_DONE);
}

static void publish_failed(struct worker *w, enum outcome o)
{
    for (u32 i = 0; i < w->batch_count; i++)
        published(w, &w->intents[i], o);
}

static bool publish_batch_begin(struct worker *w, struct buf *body)
{
    u32 n = (u32)chance_between(CHANCE_WORK, 1, WORKER_BATCH);

    publish_to(w, body);
    batch_begin(body, "PublishBatchRequestEntries");
    for (u32 i = 0; i < n; i++) {
        batch_entry(body, i);
        put_publish(w, body);
        buf_char(body, '}');
    }
    buf_char(body, ']');
    return true;
}

static void publish_batch_answered(struct worker *w, const json_t *answer)
{
    for (u32 i = 0; i < w->batch_count; i++)
        published(w, &w->intents[i], batch_success(answer, i) ? OUTCOME_DONE : OUTCOME_UNKNOWN);
}

struct operation OPERATIONS_SENDS[] = {
    {.name = "send",
     .target = "AmazonSQS.SendMessage",
     .weight = 100,
     .begin = send_begin,
     .answered = send_answered,
     .failed = send_failed},
    {.name = "send again",
     .target = "AmazonSQS.SendMessage",
     .weight = 20,
     .begin = send_again_begin,
     .answered = send_answered,
     .failed = send_again_failed},
    {.name = "send batch",
     .target = "AmazonSQS.SendMessageBatch",
     .weight = 30,
     .begin = send_batch_begin,
     .answered = send_batch_answered,
     .failed = send_failed},
    {.name = "publish",
     .target = "AmazonSNS.Publish",
     .weight = 160,
     .begin = publish_begin,
     .answered = publish_answered,
     .failed = publish_failed},
    {.name = "publish batch",
     .target = "AmazonSNS.PublishBatch",
     .weight = 30,
     .begin = publish_batch_begin,
     .answered = publish_batch_answered,
     .failed = publish_failed},
    {.name = NULL},
};
