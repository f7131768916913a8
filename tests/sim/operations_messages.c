/* What clients do with messages. */
#include "tests/sim/chance.h"
#include "tests/sim/faults.h"
#include "tests/sim/setting.h"
#include "tests/sim/worker.h"

#define VISIBILITY_MAX_S 40
#define WAIT_MAX_S       20
/* Received messages that nobody deals with: one in so many. */
#define ABANDON_ONE_IN 5

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

/* What was done before a restore may be undone by it; and a handle of before may name a message that
 * is not there any more, though the same body came again. */
static enum outcome lasting(const struct worker *w, u32 restores, enum outcome o)
{
    return o == OUTCOME_DONE && w->queue->restores != restores ? OUTCOME_UNKNOWN : o;
}

static void delete_answered(struct worker *w, const json_t *answer)
{
    ledger_deleted(w->batch[0].copy, lasting(w, w->batch[0].restores, OUTCOME_DONE));
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
                       lasting(w, w->batch[i].restores,
                               batch_success(answer, i) ? OUTCOME_DONE : OUTCOME_REFUSED));
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
        enum outcome o = lasting(w, w->batch[i].restores,
                                 batch_success(answer, i) ? OUTCOME_DONE : OUTCOME_REFUSED);

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
    ledger_purged(w->queue, w->call.issued_us, lasting(w, w->restores, o));
}

static void purge_answered(struct worker *w, const json_t *answer)
{
    purge_failed(w, OUTCOME_DONE);
}

struct operation OPERATIONS_MESSAGES[] = {
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
