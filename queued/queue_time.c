/* The timed changes of a queue's messages: hidden ones become visible, old ones expire.
 *
 * Invariants:
 * 1. A queue with hidden messages is in queues.falls, due at or before the first of them; or on
 *    queues.showing, when that time has come and the background is making them visible.
 * 2. A queue whose messages are to have another delay is on queues.redelay, `redelayed` being the
 *    next of them, from the last that arrived on.
 * 3. A queue with messages is in queues.retire, due at or before the time when the oldest expires. */
#include "queued/queues.h"

/* Messages that queue_catch_up handles: a fraction of the cost of a call. */
#define CATCH_UP_MAX 64

/* --- visible ---------------------------------------------------------------------------------- */

void queue_set_falls(struct queue *q, i64 due_ms)
{
    struct heap *falls = &q->all->falls;
    if (list_is_empty(&q->showing) && (!q->falls.place || due_ms < heap_due(falls, &q->falls)))
        heap_set(falls, &q->falls, due_ms);
}

static struct msg *msg_first_due(const struct queue *q)
{
    struct heap_node *top = heap_top(&q->hidden);
    if (!top || heap_due(&q->hidden, top) > q->all->clock->now_ms)
        return NULL;
    return container_of(top, struct msg_rare, due)->msg;
}

u32 queue_show_due(struct queue *q, u32 max)
{
    struct msg *m;
    u32 n = 0;
    for (; n < max && (m = msg_first_due(q)); n++)
        queue_return(m);
    return n;
}

/* --- delayed ---------------------------------------------------------------------------------- */

i64 queue_delay_over_ms(const struct msg *m)
{
    i64 delay_ms = m->queue->attributes.delay_s * 1000;
    return delay_ms ? m->sent_ms + delay_ms : 0;
}

/* The message that arrived before it; NULL for the first. */
static struct msg *msg_before(const struct msg *m)
{
    struct list *before = m->arrived.prev;
    return before == &m->queue->arrived ? NULL : list_item(before, struct msg, arrived);
}

void queue_redelay(struct queue *q)
{
    if (list_is_empty(&q->arrived))
        return;
    q->redelayed = list_item(q->arrived.prev, struct msg, arrived);
    if (list_is_empty(&q->redelay))
        list_push_back(&q->all->redelay, &q->redelay);
}

void queue_redelay_next(struct queue *q)
{
    q->redelayed = msg_before(q->redelayed);
    if (!q->redelayed)
        list_remove(&q->redelay);
}

static void msg_redelay(struct msg *m)
{
    i64 due_ms = queue_delay_over_ms(m);
    if (due_ms > m->queue->all->clock->now_ms)
        queue_hide_until(m, due_ms);
    else if (msg_state(m) == MSG_DELAYED)
        queue_return(m);
}

u32 queue_redelay_some(struct queue *q, u32 max)
{
    i64 oldest_ms = q->all->clock->now_ms - QUEUE_DELAY_MAX_S * 1000;
    u32 n = 0;
    for (; n < max && q->redelayed; n++) {
        struct msg *m = q->redelayed;
        if (!msg_past(m) && m->sent_ms < oldest_ms) {
            q->redelayed = NULL;
            list_remove(&q->redelay);
            break;
        }
        queue_redelay_next(q);
        if (msg_receives(m) == 0)
            msg_redelay(m);
    }
    return n;
}

/* --- old -------------------------------------------------------------------------------------- */

/* Messages sent here were sent in the order of arrival; a moved message may be older than all
 * before it. */
struct msg *queue_oldest(const struct queue *q)
{
    struct heap_node *top = heap_top(&q->moved);
    if (list_is_empty(&q->arrived))
        return NULL;
    struct msg *first = list_item(q->arrived.next, struct msg, arrived);
    if (top && heap_due(&q->moved, top) < first->sent_ms)
        return container_of(top, struct msg_past, moved)->msg;
    return first;
}

i64 queue_expiry_ms(const struct queue *q, const struct msg *m)
{
    if (UNLIKELY(m->seq < q->expired_seq && m->sent_ms <= q->expired_ms))
        return m->sent_ms;
    return m->sent_ms + q->attributes.retention_s * 1000;
}

/* A later change includes the effect of an earlier one, unless the earlier expired_ms was later. */
void queue_raised_retention(struct queue *q, i64 old_retention_s)
{
    i64 expired_ms = queues_expiry_now_ms(q->all) - old_retention_s * 1000;
    if (q->attributes.retention_s <= old_retention_s || expired_ms < q->expired_ms)
        return;
    q->expired_ms = expired_ms;
    q->expired_seq = q->all->next_id;
}

void queue_set_retire(struct queue *q)
{
    const struct msg *oldest = queue_oldest(q);
    if (!oldest) {
        heap_remove(&q->all->retire, &q->retire); /* the next one may expire earlier */
        return;
    }
    i64 due = queue_expiry_ms(q, oldest);
    if (!q->retire.place || due < heap_due(&q->all->retire, &q->retire))
        heap_set(&q->all->retire, &q->retire, due);
}

u32 queue_doom_expired(struct queue *q, u32 max)
{
    struct heap *retire = &q->all->retire;
    i64 now_ms = queues_expiry_now_ms(q->all);
    struct msg *m;
    u32 n = 0;
    if (!q->retire.place || heap_due(retire, &q->retire) > now_ms)
        return 0;
    for (; n < max && (m = queue_oldest(q)) && queue_expiry_ms(q, m) <= now_ms; n++)
        queue_doom(m);
    m = queue_oldest(q);
    if (m)
        heap_set(retire, &q->retire, queue_expiry_ms(q, m));
    else
        heap_remove(retire, &q->retire);
    return n;
}

/* --- both ------------------------------------------------------------------------------------- */

void queue_catch_up(struct queue *q)
{
    queue_doom_expired(q, CATCH_UP_MAX);
    queue_show_due(q, CATCH_UP_MAX);
}

void queue_clear_due(struct queue *q)
{
    struct queues *qs = q->all;
    heap_deinit(&q->hidden);
    heap_remove(&qs->falls, &q->falls);
    list_remove(&q->showing);
    list_remove(&q->redelay);
    q->redelayed = NULL;
    heap_remove(&qs->retire, &q->retire);
}
