/* What clients do with messages. */
#include "tests/sim/chance.h"
#include "tests/sim/faults.h"
#include "tests/sim/setting.h"
#include "tests/sim/worker.h"

#define VISIBILITY_MAX_S 40
#define WAIT_MAX_S       20
/* A send is repeated so long after it at most: within the five minutes of deduplication. */
#define AGAIN_MAX_US (240 * WORLD_SECOND_US)
/* Received messages that nobody deals with: one in so many. */
#define ABANDON_ONE_IN 5

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

/* Entries of a batch: {"Id":"0",…}, … */
static void batch_begin(struct buf *body, const char *list)
{
    buf_printf(body, ",\"%s\":[", list);
}

static void batch_entry(struct buf *body, u32 i)
{
    buf_printf(body, "%s{\"Id\":\"%u\",", i ? "," : "", i);
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

/* The entry of that id among the successful ones, or NULL. */
static const json_t *batch_success(const json_t *answer, u32 i)
{
    const json_t *list = json_object_get(answer, "Successful"), *entry;
    size_t at;

    json_array_foreach(list, at, entry)
        if (json_number_text(entry, "Id") == (i64)i)
            return entry;
    return NULL;
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

/* --- receive ---------------------------------------------------------------------------------- */

static bool receive_begin(struct worker *w, struct buf *body)
{
    u64 max = chance_one_in(CHANCE_WORK, 3) ? 1 : 10;
    u64 wait_s = chance_one_in(CHANCE_WORK, 2) ? 0 : 1 + chance_below(CHANCE_WORK, WAIT_MAX_S);

    if (w->held_count > WORKER_HELD_MAX - WORKER_BATCH)
        return false;
    worker_to_queue(w, worker_choose_queue());
    put_queue_url(body, w->queue);
    buf_printf(body,
               ",\"MaxNumberOfMessages\":%" PRIu64 ",\"WaitTimeSeconds\":%" PRIu64
               ",\"AttributeNames\":[\"All\"]",
               max, wait_s);
    w->hide_ms = w->queue->visibility_ms;
    if (chance_one_in(CHANCE_WORK, 2)) {
        w->hide_ms = chance_skewed(CHANCE_WORK, 0, VISIBILITY_MAX_S) * 1000;
        buf_printf(body, ",\"VisibilityTimeout\":%" PRId64, w->hide_ms / 1000);
    }
    return true;
}

static void receive_left(struct worker *w, const json_t *answer)
{
    const json_t *list = json_object_get(answer, "Messages"), *m;
    size_t at;

    u64 number = ledger_answer();

    json_array_foreach(list, at, m) {
        const json_t *attributes = json_object_get(m, "Attributes");
        struct held *h = &w->batch[w->batch_count++];
        str handle = json_text(m, "ReceiptHandle");

        assert(w->batch_count <= WORKER_BATCH && handle.n < HANDLE_SIZE);
        h->restores = w->queue->restores;
        memcpy(h->handle, handle.p, handle.n);
        h->handle[handle.n] = '\0';
        h->copy = ledger_received(
            &(struct delivery){.queue = w->queue,
                               .issued_us = w->call.issued_us,
                               .hide_ms = w->hide_ms,
                               .direct = w->direct && setting_keeps_order(),
                               .answer = number,
                               .body = json_text(m, "Body"),
                               .message_id = json_text(m, "MessageId"),
                               .count = json_number_text(attributes, "ApproximateReceiveCount"),
                               .sent_ms = json_number_text(attributes, "SentTimestamp")});
    }
}

static void receive_answered(struct worker *w, const json_t *answer)
{
    for (u32 i = 0; i < w->batch_count; i++)
        if (!chance_one_in(CHANCE_WORK, ABANDON_ONE_IN))
            w->held[w->held_count++] = w->batch[i];
}

static void receive_failed(struct worker *w, enum outcome o)
{
    if (o == OUTCOME_UNKNOWN && !w->direct)
        ledger_receive_lost(w->queue, world_now_us() + faults_delay_us());
}

static void receive_cut(struct worker *w)
{
    for (u32 i = 0; i < w->batch_count; i++)
        ledger_returned(w->batch[i].copy);
}

/* --- delete, and change of visibility --------------------------------------------------------- */

/* Takes up to `max` held messages of one queue into w->batch; w->queue is theirs. */
static bool take_held(struct worker *w, u32 max)
{
    for (u32 i = 0; i < w->held_count;)
        if (w->held[i].restores == w->held[i].copy->queue->restores)
            i++;
        else
            w->held[i] = w->held[--w->held_count];
    if (w->held_count == 0)
        return false;
    worker_to_queue(w, w->held[chance_below(CHANCE_WORK, w->held_count)].copy->queue);
    for (u32 i = 0; i < w->held_count && w->batch_count < max;) {
        if (w->held[i].copy->queue != w->queue) {
            i++;
            continue;
        }
        w->batch[w->batch_count++] = w->held[i];
        w->held[i] = w->held[--w->held_count];
    }
    return true;
}

static bool delete_begin(struct worker *w, struct buf *body)
{
    if (!take_held(w, 1))
        return false;
    put_queue_url(body, w->queue);
    buf_printf(body, ",\"ReceiptHandle\":\"%s\"", w->batch[0].handle);
    ledger_delete(w->batch[0].copy);
    return true;
}

/* What was done before a restore may be undone by it. */
static enum outcome lasting(const struct worker *w, enum outcome o)
{
    bool restored = w->queue->restores != w->restores;

    return o == OUTCOME_DONE && restored ? OUTCOME_UNKNOWN : o;
}

static void delete_answered(struct worker *w, const json_t *answer)
{
    ledger_deleted(w->batch[0].copy, lasting(w, OUTCOME_DONE));
}

static void delete_failed(struct worker *w, enum outcome o)
{
    for (u32 i = 0; i < w->batch_count; i++)
        ledger_deleted(w->batch[i].copy, o);
}

static void put_batch(struct worker *w, struct buf *body, i64 visibility_s)
{
    put_queue_url(body, w->queue);
    batch_begin(body, "Entries");
    for (u32 i = 0; i < w->batch_count; i++) {
        batch_entry(body, i);
        buf_printf(body, "\"ReceiptHandle\":\"%s\"", w->batch[i].handle);
        if (visibility_s >= 0)
            buf_printf(body, ",\"VisibilityTimeout\":%" PRId64, visibility_s);
        buf_char(body, '}');
    }
    buf_char(body, ']');
}

static bool delete_batch_begin(struct worker *w, struct buf *body)
{
    if (!take_held(w, WORKER_BATCH))
        return false;
    put_batch(w, body, -1);
    for (u32 i = 0; i < w->batch_count; i++)
        ledger_delete(w->batch[i].copy);
    return true;
}

static void delete_batch_answered(struct worker *w, const json_t *answer)
{
    for (u32 i = 0; i < w->batch_count; i++)
        ledger_deleted(w->batch[i].copy,
                       lasting(w, batch_success(answer, i) ? OUTCOME_DONE : OUTCOME_REFUSED));
}

static bool hide_begin(struct worker *w, struct buf *body)
{
    if (!take_held(w, WORKER_BATCH))
        return false;
    w->hide_ms =
        chance_one_in(CHANCE_WORK, 3) ? 0 : chance_skewed(CHANCE_WORK, 1, VISIBILITY_MAX_S) * 1000;
    put_batch(w, body, w->hide_ms / 1000);
    for (u32 i = 0; i < w->batch_count; i++)
        ledger_hide(w->batch[i].copy, w->hide_ms);
    return true;
}

static void hide_answered(struct worker *w, const json_t *answer)
{
    for (u32 i = 0; i < w->batch_count; i++) {
        enum outcome o = lasting(w, batch_success(answer, i) ? OUTCOME_DONE : OUTCOME_REFUSED);

        ledger_hidden(w->batch[i].copy, w->call.issued_us, w->hide_ms, o);
        if (o == OUTCOME_DONE && w->hide_ms)
            w->held[w->held_count++] = w->batch[i];
    }
}

static void hide_failed(struct worker *w, enum outcome o)
{
    for (u32 i = 0; i < w->batch_count; i++)
        ledger_hidden(w->batch[i].copy, w->call.issued_us, w->hide_ms, o);
}

/* --- purge ------------------------------------------------------------------------------------ */

static bool purge_begin(struct worker *w, struct buf *body)
{
    worker_to_queue(w, worker_choose_queue());
    put_queue_url(body, w->queue);
    ledger_purge(w->queue);
    return true;
}

static void purge_failed(struct worker *w, enum outcome o)
{
    ledger_purged(w->queue, w->call.issued_us, lasting(w, o));
}

static void purge_answered(struct worker *w, const json_t *answer)
{
    purge_failed(w, OUTCOME_DONE);
}

struct operation OPERATIONS_MESSAGES[] = {
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
    {.name = "receive",
     .target = "AmazonSQS.ReceiveMessage",
     .weight = 200,
     .begin = receive_begin,
     .answered = receive_answered,
     .failed = receive_failed,
     .left = receive_left,
     .cut = receive_cut},
    {.name = "delete",
     .target = "AmazonSQS.DeleteMessage",
     .weight = 100,
     .begin = delete_begin,
     .answered = delete_answered,
     .failed = delete_failed},
    {.name = "delete batch",
     .target = "AmazonSQS.DeleteMessageBatch",
     .weight = 60,
     .begin = delete_batch_begin,
     .answered = delete_batch_answered,
     .failed = delete_failed},
    {.name = "visibility",
     .target = "AmazonSQS.ChangeMessageVisibilityBatch",
     .weight = 40,
     .begin = hide_begin,
     .answered = hide_answered,
     .failed = hide_failed},
    {.name = "purge",
     .target = "AmazonSQS.PurgeQueue",
     .weight = 2,
     .begin = purge_begin,
     .answered = purge_answered,
     .failed = purge_failed},
    {.name = NULL},
};
