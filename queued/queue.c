/* Invariants:
 * 1. visible_count, leased_count and delayed_count are the numbers of messages on `arrived` in each
 *    state.
 * 2. `arrived` is in the order of seqs, and every seq on it is above purged_seq. Messages that were
 *    moved here are in `moved`, too.
 * 3. A message that is gone (purged, expired, or its queue deleted) is on `doomed`; it is not
 *    delivered, its handles find nothing, and the pick does not have it. sweep.c removes it. */
#include "queued/queue.h"

#include "common/aws/arn.h"
#include "common/base/hash.h"
#include "common/base/mem.h"
#include "queued/access.h"
#include "queued/aids.h"
#include "queued/group.h"
#include "queued/queues.h"
#include "queued/redrive.h"

/* Expired messages that one receive skips; where there are more, the background dooms them
 * first. */
#define TAKE_EXPIRED_MAX 64

/* --- life ------------------------------------------------------------------------------------- */

/* One invented principal per account, in the service's form; clients only display it. */
static void make_sender(struct queue *q)
{
    u8 digest[32];
    hash_sha256(q->account, digest);
    memcpy(q->sender, "AIDA", 4);
    for (size_t i = 4; i < sizeof q->sender - 1; i++)
        q->sender[i] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"[digest[i] & 31];
}

struct queue *queue_new(struct queues *all, u64 id, str account, str region, str name)
{
    struct queue *q = mem_alloc(sizeof *q);
    q->id = id;
    q->all = all;
    q->key.p = mem_printf("%.*s/%.*s/%.*s", STR_ARG(account), STR_ARG(region), STR_ARG(name));
    q->key.n = account.n + region.n + name.n + 2;
    q->account = str_slice(q->key, 0, account.n);
    q->region = str_slice(q->key, account.n + 1, account.n + 1 + region.n);
    q->name = str_slice(q->key, q->key.n - name.n, q->key.n);
    q->arn = mem_printf("arn:%.*s:sqs:%.*s:%.*s:%.*s", STR_ARG(arn_partition(region)),
                        STR_ARG(region), STR_ARG(account), STR_ARG(name));
    make_sender(q);
    queue_attr_init(&q->attributes);
    list_init(&q->arrived);
    list_init(&q->waiters);
    list_init(&q->hungry);
    list_init(&q->doomed);
    list_init(&q->showing);
    list_init(&q->redelay);
    list_init(&q->tasks);
    heap_init(&q->hidden);
    heap_init(&q->moved);
    map_init(&q->groups, all->seed);
    queue_set_kind(q);
    return q;
}

void queue_set_kind(struct queue *q)
{
    q->pick = q->attributes.fifo ? &pick_fifo : &pick_standard;
    q->pick->init(q);
}

static void leave_groups(struct list *messages)
{
    list_each(at, after, messages)
        group_leave(list_item(at, struct msg, arrived), true);
}

void queue_free(struct queue *q)
{
    assert(list_is_empty(&q->waiters));
    queue_clear_due(q);
    move_tasks_end(q, false);
    heap_remove(&q->all->reap, &q->reaped);
    list_remove(&q->hungry);
    q->pick->clear(q);
    if (q->has_groups) {
        leave_groups(&q->arrived);
        leave_groups(&q->doomed);
    }
    map_deinit(&q->groups);
    heap_deinit(&q->moved);
    mem_free(q->dead_letter_arn);
    access_forget(q);
    tags_deinit(&q->tags);
    aids_free(q->aids);
    queue_attr_deinit(&q->attributes);
    mem_free(q->arn);
    mem_free((char *)(uintptr_t)q->key.p);
    mem_free(q);
}

/* --- counting, offering ----------------------------------------------------------------------- */

static u64 *state_counter(struct queue *q, const struct msg *m)
{
    switch (msg_state(m)) {
    case MSG_VISIBLE: return &q->visible_count;
    case MSG_LEASED: return &q->leased_count;
    default: return &q->delayed_count;
    }
}

void queue_reap(struct queue *q)
{
    struct heap *reap = &q->all->reap;
    if (list_is_empty(&q->doomed))
        heap_remove(reap, &q->reaped);
    else
        heap_set(reap, &q->reaped, (i64)list_item(q->doomed.next, struct msg, arrived)->seq);
}

static bool is_gone(const struct msg *m)
{
    return m->queue->deleted || m->seq <= m->queue->purged_seq || (m->flags & MSG_GONE);
}

bool queue_is_full(const struct queue *q)
{
    return q->leased_count >= q->all->limits.in_flight_max;
}

void queue_wake(struct queue *q)
{
    if (!list_is_empty(&q->waiters) && list_is_empty(&q->hungry))
        list_push_back(&q->all->waiting.hungry, &q->hungry);
}

static void wake_next_turn(struct queue *q)
{
    list_remove(&q->hungry);
    if (!list_is_empty(&q->waiters))
        list_push_back(&q->all->waiting.stopped, &q->hungry);
}

/* --- identity --------------------------------------------------------------------------------- */

/* Derived from the seq of its first arrival with the store's secret; a moved message keeps it in
 * msg_past. */
void queue_identity(const struct msg *m, u8 ret[MSG_IDENTITY_SIZE])
{
    const struct msg_past *past = msg_past(m);
    if (past)
        memcpy(ret, past->identity, MSG_IDENTITY_SIZE);
    else
        id_derive(queue_store_secret(m->queue->all->store), m->seq, ret);
}

str queue_first_id(const struct queue *q, u64 seq, char *ret)
{
    u8 identity[MSG_IDENTITY_SIZE];
    id_derive(queue_store_secret(q->all->store), seq, identity);
    return (str){id_uuid_of(identity, ret), ID_UUID_SIZE - 1};
}

str queue_sequence(u64 seq, char *ret)
{
    snprintf(ret, QUEUE_SEQUENCE_SIZE, "1%019" PRIu64, seq);
    return (str){ret, QUEUE_SEQUENCE_SIZE - 1};
}

str queue_message_id(const struct msg *m, char *ret)
{
    u8 identity[MSG_IDENTITY_SIZE];
    queue_identity(m, identity);
    return (str){id_uuid_of(identity, ret), ID_UUID_SIZE - 1};
}

/* --- in and out of the queue ------------------------------------------------------------------ */

void queue_arrive(struct queue *q, struct msg *m)
{
    struct msg_past *past = msg_past(m);
    list_push_back(&q->arrived, &m->arrived);
    q->newest_ms = MAX(q->newest_ms, m->sent_ms);
    ++*state_counter(q, m);
    if (UNLIKELY(past))
        heap_set_tied(&q->moved, &past->moved, m->sent_ms, m->seq);
    q->pick->arrive(q, m);
    if (UNLIKELY(past || !q->retire.place))
        queue_set_retire(q);
    queue_wake(q);
}

void queue_let_go(struct queue *q, struct msg *m)
{
    struct msg_past *past = msg_past(m);
    assert(!is_gone(m));
    --*state_counter(q, m);
    if (UNLIKELY(past))
        heap_remove(&q->moved, &past->moved);
    if (UNLIKELY(q->redelayed == m))
        queue_redelay_next(q);
    q->pick->drop(q, m);
    group_leave(m, false);
    queue_wake(q);
}

static void hide_until(struct queue *q, struct msg *m, i64 due_ms)
{
    msg_hide(&q->all->msgs, m, due_ms);
    queue_set_falls(q, due_ms);
}

static void store_state(const struct msg *m)
{
    struct queues *qs = m->queue->all;
    queue_store_update_message(qs->store, m->seq, msg_due_ms(m), msg_first_ms(m), msg_receives(m));
    loop_dirty(qs->loop);
}

struct message_row queue_message_row(const struct msg *m)
{
    const struct queues *qs = m->queue->all;
    const struct msg_past *past = msg_past(m);
    struct message_row row = {.seq = m->seq,
                              .queue = m->queue->id,
                              .body = m->body ? m->body->row : 0,
                              .sent_ms = m->sent_ms,
                              .due_ms = msg_due_ms(m),
                              .first_ms = msg_first_ms(m),
                              .receives = msg_receives(m),
                              .flags = m->flags,
                              .origin = origin_arn(&qs->msgs, m->origin)};
    if (UNLIKELY(past)) {
        row.identity = str_from(past->identity, MSG_IDENTITY_SIZE);
        row.source = origin_arn(&qs->msgs, past->source);
        row.receives_before = past->receives;
    }
    return row;
}

i64 queue_arrival_ms(struct queue *q)
{
    i64 now_ms = q->all->clock->now_ms;
    if (list_is_empty(&q->arrived))
        q->newest_ms = now_ms;
    return MAX(now_ms, q->newest_ms);
}

const struct msg *queue_put(struct queue *q, const struct new_message *p)
{
    struct queues *qs = q->all;
    i64 now_ms = qs->clock->now_ms;
    assert(!q->deleted);
    struct msg *m = msg_new(&qs->msgs, q, qs->next_id++, queue_arrival_ms(q));
    msg_body_hold(m, p->shared);
    m->origin = origin_hold(&qs->msgs, p->origin);
    m->flags = p->flags;
    if (p->group_id.n)
        group_join(m, p->group_id);
    i64 delay_ms = p->delay_ms + aids_delay_ms(q);
    if (delay_ms > 0)
        hide_until(q, m, now_ms + delay_ms);
    queue_arrive(q, m);
    if (!p->shared)
        queue_store_add_body(qs->store, m->seq, p->content);
    struct message_row row = queue_message_row(m);
    row.group_id = p->group_id;
    queue_store_add_message(qs->store, &row);
    loop_dirty(qs->loop);
    return m;
}

void queue_restore(struct queue *q, struct msg *m, i64 due_ms, str group_id)
{
    struct queues *qs = q->all;
    if (is_gone(m)) {
        list_push_back(&q->doomed, &m->arrived);
        if (!q->reaped.place)
            queue_reap(q);
        return;
    }
    if (q->attributes.fifo && !msg_receives(m))
        due_ms = queue_delay_over_ms(m); /* the queue's present delay counts */
    /* The clock may have been ahead when it was hidden. */
    due_ms = MIN(due_ms, qs->clock->now_ms + QUEUE_HIDDEN_MAX_S * INT64_C(1000));
    if (due_ms > qs->clock->now_ms)
        hide_until(q, m, due_ms);
    if (q->pick->by_group && !group_id.n)
        group_id = STR("?"); /* the row is damaged */
    if (group_id.n)
        group_join(m, group_id);
    queue_arrive(q, m);
}

/* --- out -------------------------------------------------------------------------------------- */

/* Counts the receive of a message that was taken, and hides it. */
static void msg_receive(struct queue *q, struct msg *m, i64 hide_ms)
{
    struct queues *qs = q->all;
    msg_count(&qs->msgs, m, qs->clock->now_ms);
    if (UNLIKELY(q->receives_max || msg_past(m) || qs->histories.by_seq.n))
        history_receive(m, qs->clock->now_ms + hide_ms);
    if (hide_ms > 0) {
        hide_until(q, m, qs->clock->now_ms + hide_ms);
        q->visible_count--;
        q->leased_count++;
    }
    store_state(m);
}

bool queue_has_next(const struct queue *q)
{
    return !queue_is_full(q) && q->pick->has_next(q);
}

u32 queue_take(struct queue *q, u32 max, i64 hide_ms, struct msg *ret[QUEUE_TAKE_MAX])
{
    u32 n = 0, expired_left = TAKE_EXPIRED_MAX;
    struct msg *m;
    assert(max <= QUEUE_TAKE_MAX);
    hide_ms = aids_hide_ms(q, hide_ms);
    while (n < max && !queue_is_full(q) && (m = q->pick->take(q))) {
        bool expired = queue_expiry_ms(q, m) <= queues_expiry_now_ms(q->all);
        struct queue *to = expired ? NULL : redrive_target(q, m);
        if (LIKELY(!to && !expired)) {
            msg_receive(q, m, hide_ms);
            ret[n++] = m;
        } else if (expired && expired_left > 0) {
            expired_left--;
            queue_doom(m);
        } else if (to && q->all->moves_left > 0) {
            q->all->moves_left--;
            redrive_move(m, to);
        } else {
            q->pick->show(q, m);
            wake_next_turn(q);
            break;
        }
    }
    for (u32 i = 0; hide_ms == 0 && i < n; i++) {
        q->pick->show(q, ret[i]);
        history_store(ret[i]);
    }
    q->pick->taken_all(q);
    aids_took(q, n);
    return n;
}

void queue_drop(struct msg *m)
{
    struct queue *q = m->queue;
    struct queues *qs = q->all;
    queue_let_go(q, m);
    u64 row = msg_body_row(m);
    bool is_own = !m->body, is_last = msg_body_drop(&qs->msgs, m);
    history_end(m);
    queue_store_delete_message(qs->store, m->seq, is_own);
    if (is_last && !is_own)
        queue_store_delete_body(qs->store, row);
    msg_free(&qs->msgs, m);
    loop_dirty(qs->loop);
}

void queue_set_aside(struct msg *m)
{
    struct queues *qs = m->queue->all;
    bool is_last = false;
    history_forget(m);
    queue_let_go(m->queue, m);
    is_last = msg_body_drop(&qs->msgs, m);
    (void)is_last; /* its body row stays in the store, too */
    msg_free(&qs->msgs, m);
    qs->set_aside++;
}

void queue_doom(struct msg *m)
{
    struct queue *q = m->queue;
    queue_let_go(q, m);
    msg_show(&q->all->msgs, m);
    m->flags |= MSG_GONE;
    list_remove(&m->arrived);
    list_push_back(&q->doomed, &m->arrived);
    if (!q->reaped.place)
        queue_reap(q);
}

/* --- back ------------------------------------------------------------------------------------- */

void queue_return(struct msg *m)
{
    struct queue *q = m->queue;
    assert(msg_state(m) != MSG_VISIBLE && !is_gone(m));
    --*state_counter(q, m);
    msg_show(&q->all->msgs, m);
    q->visible_count++;
    q->pick->show(q, m);
    history_store(m);
    queue_wake(q);
}

void queue_hide_until(struct msg *m, i64 due_ms)
{
    struct queue *q = m->queue;
    bool was_visible = msg_state(m) == MSG_VISIBLE;
    --*state_counter(q, m);
    hide_until(q, m, due_ms);
    ++*state_counter(q, m);
    if (was_visible)
        q->pick->hide(q, m);
}

void queue_hide(struct msg *m, i64 hide_ms)
{
    struct queue *q = m->queue;
    struct queues *qs = q->all;
    bool was_visible = msg_state(m) == MSG_VISIBLE;
    assert(!is_gone(m) && msg_receives(m));
    history_change(m, qs->clock->now_ms + hide_ms);
    if (hide_ms > 0)
        queue_hide_until(m, qs->clock->now_ms + hide_ms);
    else if (!was_visible)
        queue_return(m);
    store_state(m);
}

void queue_take_back(struct msg *m, bool is_counted)
{
    if (!is_counted)
        history_undo(m);
    if (msg_state(m) == MSG_LEASED)
        queue_return(m);
    if (!is_counted)
        msg_uncount(&m->queue->all->msgs, m);
    store_state(m);
}

/* --- handles ---------------------------------------------------------------------------------- */

struct msg *queue_find(const struct queue *q, u64 seq)
{
    struct msg *m = msg_find(&q->all->msgs, seq);
    return m && m->queue == q && !is_gone(m) ? m : NULL;
}

int queue_find_receipt(struct queue *q, str text, struct receipt *ret_handle, struct msg **ret)
{
    struct receipt h;
    if (receipt_read(queue_store_secret(q->all->store), text, &h))
        return E_INVALID;
    if (h.queue != q->id)
        return E_NOT_FOUND;
    *ret_handle = h;
    *ret = queue_find(q, h.message);
    return 0;
}

str queue_receipt(const struct msg *m, i64 received_ms, char ret[RECEIPT_SIZE])
{
    const struct queues *qs = m->queue->all;
    struct receipt h = {.queue = m->queue->id,
                        .message = m->seq,
                        .delivery = msg_receives(m),
                        .received_ms = received_ms};
    return receipt_issue(queue_store_secret(qs->store), &h, ret);
}

/* --- all at once ------------------------------------------------------------------------------ */

void queue_purge(struct queue *q)
{
    struct queues *qs = q->all;
    q->purged_seq = qs->next_id - 1;
    q->purged_ms = qs->clock->now_ms;
    list_move_all(&q->doomed, &q->arrived);
    heap_deinit(&q->moved);
    q->pick->clear(q);
    map_deinit(&q->groups);
    map_init(&q->groups, qs->seed);
    q->visible_count = q->leased_count = q->delayed_count = 0;
    queue_clear_due(q);
    list_remove(&q->hungry);
    queue_reap(q);
    if (!q->deleted)
        queue_save(q);
}

void queue_changed(struct queue *q, i64 old_delay_s, i64 old_retention_s)
{
    q->modified_ms = q->all->clock->now_ms;
    access_forget(q);
    queue_raised_retention(q, old_retention_s);
    queue_set_retire(q);
    redrive_apply(q);
    if (q->attributes.fifo && q->attributes.delay_s != old_delay_s)
        queue_redelay(q);
    queue_save(q);
}

void queue_check(const struct queue *q)
{
    u64 count[3] = {0}, before = q->purged_seq;
    u32 moved = 0;
    for (const struct list *at = q->arrived.next; at != &q->arrived; at = at->next) {
        const struct msg *m = list_item(at, struct msg, arrived);
        msg_check(&q->all->msgs, m);
        assert(m->queue == q && m->seq > before);
        before = m->seq;
        count[msg_state(m)]++;
        moved += msg_past(m) != NULL;
        assert(queue_oldest(q)->sent_ms <= m->sent_ms);
    }
    assert(count[MSG_VISIBLE] == q->visible_count);
    assert(count[MSG_LEASED] == q->leased_count);
    assert(count[MSG_DELAYED] == q->delayed_count);
    assert(list_is_empty(&q->arrived) || q->retire.place);
    assert(q->hidden.n == count[MSG_LEASED] + count[MSG_DELAYED]);
    assert(!q->hidden.n || !q->falls.place == !list_is_empty(&q->showing));
    assert(moved == q->moved.n);
    assert(list_is_empty(&q->doomed) == !q->reaped.place);
    q->pick->check(q);
}
