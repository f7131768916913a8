/* Invariants:
 * 1. visible_count, leased_count and delayed_count are the numbers of messages on `arrived` in each
 *    state.
 * 2. `arrived` is in the order of ids, and every id on it is above purged_id.
 * 3. A message that is gone (purged, or its queue deleted) is on `doomed`; nobody is given it, its
 *    handles find nothing, and the pick does not know it. sweep.c clears it away.
 * 4. `retire` is due at or before the time when the oldest message expires. */
#include "queued/queue.h"

#include "common/base/hash.h"
#include "common/base/mem.h"
#include "common/base/scan.h"
#include "queued/queues.h"

/* --- life ------------------------------------------------------------------------------------- */

/* One made-up principal an account, in the form of the service's: clients show it, none reads it.
 */
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
    q->arn =
        mem_printf("arn:aws:sqs:%.*s:%.*s:%.*s", STR_ARG(region), STR_ARG(account), STR_ARG(name));
    make_sender(q);
    queue_attr_init(&q->attributes);
    list_init(&q->arrived);
    list_init(&q->waiters);
    list_init(&q->hungry);
    list_init(&q->doomed);
    list_init(&q->reap);
    q->pick = &pick_standard;
    q->pick->init(q);
    return q;
}

void queue_free(struct queue *q)
{
    assert(list_is_empty(&q->waiters));
    heap_remove(&q->all->retire, &q->retire);
    list_remove(&q->hungry);
    list_remove(&q->reap);
    q->pick->clear(q);
    queue_attr_deinit(&q->attributes);
    mem_free(q->arn);
    mem_free((char *)(uintptr_t)q->key.p);
    mem_free(q);
}

void queue_save(struct queue *q)
{
    struct buf text = {0};
    buf_char(&text, '{');
    queue_attr_write(&q->attributes, &text);
    buf_printf(&text, ",\"purged_id\":%" PRIu64 ",\"purged_ms\":%" PRId64 "}", q->purged_id,
               q->purged_ms);
    queue_store_put_queue(q->all->store, &(struct queue_row){.id = q->id,
                                                             .account = q->account,
                                                             .region = q->region,
                                                             .name = q->name,
                                                             .attributes = buf_view(&text),
                                                             .created_ms = q->created_ms,
                                                             .modified_ms = q->modified_ms});
    buf_deinit(&text);
    loop_dirty(q->all->loop);
}

static void read_number(struct queue *q, str name, str spelling)
{
    i64 n;
    if (str_to_i64(spelling, &n))
        return;
    if (str_is(name, "purged_id"))
        q->purged_id = (u64)n;
    else if (str_is(name, "purged_ms"))
        q->purged_ms = n;
    else
        queue_attr_read_int(&q->attributes, name, n);
}

static void read_string(struct queue *q, str name, const struct scan_text *text)
{
    char *value = mem_dup(text->raw);
    size_t n = scan_unescape(text->raw, value);
    queue_attr_read_text(&q->attributes, name, str_from(value, n));
    mem_free(value);
}

int queue_read_row(struct queue *q, str attributes)
{
    struct scan s;
    struct scan_text text;
    enum scan_token token;
    str name = STR_NONE;
    scan_init(&s, attributes);
    while ((token = scan_next(&s, &text)) != SCAN_END) {
        switch (token) {
        case SCAN_ERROR: return E_INVALID;
        case SCAN_NAME: name = text.raw; break; /* names of ours need no escapes */
        case SCAN_NUMBER: read_number(q, name, text.raw); break;
        case SCAN_STRING: read_string(q, name, &text); break;
        default: break;
        }
    }
    return 0;
}

/* --- counting, offering ----------------------------------------------------------------------- */

static u64 *counter(struct queue *q, const struct msg *m)
{
    switch (msg_state(m)) {
    case MSG_VISIBLE: return &q->visible_count;
    case MSG_LEASED: return &q->leased_count;
    default: return &q->delayed_count;
    }
}

static bool is_gone(const struct msg *m)
{
    return m->queue->deleted || m->id <= m->queue->purged_id;
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

/* Invariant 4, when the oldest message may be another. */
static void set_retire(struct queue *q)
{
    if (list_is_empty(&q->arrived))
        return;
    const struct msg *oldest = list_item(q->arrived.next, struct msg, arrived);
    i64 due = oldest->sent_ms + q->attributes.retention_s * 1000;
    if (!q->retire.place || due < heap_due(&q->all->retire, &q->retire))
        heap_set(&q->all->retire, &q->retire, due);
}

static void store_state(const struct msg *m)
{
    struct queues *qs = m->queue->all;
    queue_store_update_message(qs->store, m->id, msg_due_ms(&qs->msgs, m), msg_first_ms(m),
                               msg_receives(m));
    loop_dirty(qs->loop);
}

/* --- in --------------------------------------------------------------------------------------- */

static void store_new(struct queue *q, const struct msg *m, const struct new_message *p)
{
    struct queues *qs = q->all;
    if (!p->shared)
        queue_store_add_body(qs->store, m->id, p->content);
    queue_store_add_message(qs->store, &(struct message_row){.id = m->id,
                                                             .queue = q->id,
                                                             .body = p->shared ? p->shared->id : 0,
                                                             .sent_ms = m->sent_ms,
                                                             .due_ms = msg_due_ms(&qs->msgs, m),
                                                             .flags = m->flags,
                                                             .extra = p->origin});
    loop_dirty(qs->loop);
}

/* The message is the queue's from here on, the newest of all; its state is set. */
static void queue_arrive(struct queue *q, struct msg *m)
{
    list_push_back(&q->arrived, &m->arrived);
    ++*counter(q, m);
    q->pick->arrive(q, m);
    if (UNLIKELY(!q->retire.place))
        set_retire(q);
    queue_wake(q);
}

u64 queue_put(struct queue *q, const struct new_message *p)
{
    struct queues *qs = q->all;
    i64 now_ms = qs->clock->now_ms;
    assert(!q->deleted);
    struct msg *m = msg_new(&qs->msgs, q, qs->next_id++, now_ms);
    m->body = p->shared;
    if (m->body)
        m->body->holders++;
    m->origin = origin_hold(&qs->msgs, p->origin);
    m->flags = p->flags;
    if (p->delay_ms > 0)
        msg_hide(&qs->msgs, m, now_ms + p->delay_ms);
    queue_arrive(q, m);
    store_new(q, m, p);
    return m->id;
}

void queue_restore(struct queue *q, struct msg *m, i64 due_ms, i64 first_ms, u32 receives)
{
    struct queues *qs = q->all;
    if (receives)
        msg_set_receives(&qs->msgs, m, receives, first_ms);
    if (q->deleted || m->id <= q->purged_id) {
        list_push_back(&q->doomed, &m->arrived);
        if (list_is_empty(&q->reap))
            list_push_back(&qs->reap, &q->reap);
        return;
    }
    if (due_ms > qs->clock->now_ms)
        msg_hide(&qs->msgs, m, due_ms);
    queue_arrive(q, m);
}

/* --- out -------------------------------------------------------------------------------------- */

/* Counts the receive of a message that was taken, and hides it. */
static void lease(struct queue *q, struct msg *m, i64 hide_ms)
{
    struct queues *qs = q->all;
    msg_count(&qs->msgs, m, qs->clock->now_ms);
    if (hide_ms > 0) {
        msg_hide(&qs->msgs, m, qs->clock->now_ms + hide_ms);
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
    u32 n = 0;
    struct msg *m;
    assert(max <= QUEUE_TAKE_MAX);
    while (n < max && !queue_is_full(q) && (m = q->pick->take(q))) {
        lease(q, m, hide_ms);
        ret[n++] = m;
    }
    for (u32 i = 0; hide_ms == 0 && i < n; i++)
        q->pick->show(q, ret[i]);
    q->pick->taken_all(q);
    return n;
}

/* Shared bodies go with their last holder. */
static void drop_body(struct queues *qs, struct msg *m)
{
    if (!m->body)
        return;
    assert(m->body->holders > 0);
    if (--m->body->holders == 0) {
        queue_store_delete_body(qs->store, m->body->id);
        mem_free(m->body);
    }
    m->body = NULL;
}

void queue_drop(struct msg *m)
{
    struct queue *q = m->queue;
    struct queues *qs = q->all;
    if (!is_gone(m)) {
        --*counter(q, m);
        q->pick->drop(q, m);
        queue_wake(q); /* there is room in flight again, or what it was in front of is free */
    }
    queue_store_delete_message(qs->store, m->id, !m->body);
    drop_body(qs, m);
    msg_free(&qs->msgs, m);
    loop_dirty(qs->loop);
}

/* --- back ------------------------------------------------------------------------------------- */

void queue_return(struct msg *m)
{
    struct queue *q = m->queue;
    assert(msg_state(m) != MSG_VISIBLE);
    if (is_gone(m)) {
        msg_show(&q->all->msgs, m);
        return;
    }
    --*counter(q, m);
    msg_show(&q->all->msgs, m);
    q->visible_count++;
    q->pick->show(q, m);
    queue_wake(q);
}

void queue_hide(struct msg *m, i64 hide_ms)
{
    struct queue *q = m->queue;
    struct queues *qs = q->all;
    bool was_visible = msg_state(m) == MSG_VISIBLE;
    assert(!is_gone(m) && msg_receives(m));
    if (hide_ms > 0) {
        --*counter(q, m);
        msg_hide(&qs->msgs, m, qs->clock->now_ms + hide_ms);
        ++*counter(q, m);
        if (was_visible)
            q->pick->hide(q, m);
    } else if (!was_visible) {
        queue_return(m);
    }
    store_state(m);
}

/* --- handles ---------------------------------------------------------------------------------- */

int queue_find_receipt(struct queue *q, str text, struct receipt *ret_handle, struct msg **ret)
{
    struct receipt h;
    if (receipt_read(queue_store_secret(q->all->store), text, &h) || h.queue != q->id)
        return E_INVALID;
    struct msg *m = msg_find(&q->all->msgs, h.message);
    *ret_handle = h;
    *ret = m && m->queue == q && !is_gone(m) ? m : NULL;
    return 0;
}

str queue_receipt(const struct msg *m, char ret[RECEIPT_SIZE])
{
    const struct queues *qs = m->queue->all;
    struct receipt h = {.queue = m->queue->id,
                        .message = m->id,
                        .delivery = msg_receives(m),
                        .received_ms = qs->clock->now_ms};
    return receipt_issue(queue_store_secret(qs->store), &h, ret);
}

/* --- all at once ------------------------------------------------------------------------------ */

void queue_purge(struct queue *q)
{
    struct queues *qs = q->all;
    q->purged_id = qs->next_id - 1;
    q->purged_ms = qs->clock->now_ms;
    list_move_all(&q->doomed, &q->arrived);
    q->pick->clear(q);
    q->visible_count = q->leased_count = q->delayed_count = 0;
    heap_remove(&qs->retire, &q->retire);
    list_remove(&q->hungry);
    if (!list_is_empty(&q->doomed) && list_is_empty(&q->reap))
        list_push_back(&qs->reap, &q->reap);
    if (!q->deleted)
        queue_save(q);
}

void queue_changed(struct queue *q)
{
    q->modified_ms = q->all->clock->now_ms;
    set_retire(q);
    queue_save(q);
}

void queue_check(const struct queue *q)
{
    u64 count[3] = {0}, before = q->purged_id;
    for (const struct list *at = q->arrived.next; at != &q->arrived; at = at->next) {
        const struct msg *m = list_item(at, struct msg, arrived);
        msg_check(&q->all->msgs, m);
        assert(m->queue == q && m->id > before);
        before = m->id;
        count[msg_state(m)]++;
    }
    assert(count[MSG_VISIBLE] == q->visible_count);
    assert(count[MSG_LEASED] == q->leased_count);
    assert(count[MSG_DELAYED] == q->delayed_count);
    assert(list_is_empty(&q->arrived) || q->retire.place);
    assert(list_is_empty(&q->doomed) || !list_is_empty(&q->reap));
    q->pick->check(q);
}
