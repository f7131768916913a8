/* In the store: u8 version · u8 deliveries · each: i64 received · i64 until · i64 changed · caller ·
 * caller of the change; a caller is u8 length and bytes. Integers are little-endian. */
#include "queued/history.h"

#include "common/aws/call.h"
#include "common/base/address.h"
#include "common/base/scan.h"
#include "queued/queues.h"

#define HISTORY_VERSION 1

struct delivery {
    i64 received_ms, until_ms;
    i64 changed_ms;     /* last ChangeMessageVisibility; 0: none */
    u32 by, changed_by; /* places of "ACCESS_KEY ADDRESS" among the origins; 0: not known */
};

struct history {
    u64 seq;
    u32 n, cap;
    bool stored;
    struct delivery *items;
};

void histories_init(struct histories *hs, const struct map_seed *seed)
{
    *hs = (struct histories){0};
    idmap_init(&hs->by_seq, seed);
}

static void delivery_forget(struct msgs *ms, const struct delivery *d)
{
    origin_drop(ms, d->by);
    origin_drop(ms, d->changed_by);
}

static void history_free(struct msgs *ms, struct history *h)
{
    for (u32 i = 0; i < h->n; i++)
        delivery_forget(ms, &h->items[i]);
    mem_free(h->items);
    mem_free(h);
}

void histories_deinit(struct histories *hs, struct queues *qs)
{
    struct history *h;

    for (size_t pos = 0; (h = idmap_next(&hs->by_seq, &pos));)
        history_free(&qs->msgs, h);
    idmap_deinit(&hs->by_seq);
}

static struct history *history_of(const struct msg *m)
{
    const struct idmap *by_seq = &m->queue->all->histories.by_seq;

    return by_seq->n ? idmap_get(by_seq, m->seq) : NULL;
}

static struct history *history_new(struct queues *qs, u64 seq)
{
    if (qs->histories.by_seq.n >= HISTORIES_MAX)
        return NULL;
    struct history *h = mem_alloc(sizeof(*h));

    h->seq = seq;
    idmap_put(&qs->histories.by_seq, seq, h);
    return h;
}

/* Adds a zeroed delivery; drops the oldest one when the limit is reached. */
static struct delivery *history_add(struct msgs *ms, struct history *h)
{
    if (h->n == HISTORY_DELIVERIES_MAX) {
        delivery_forget(ms, &h->items[0]);
        memmove(h->items, h->items + 1, --h->n * sizeof(*h->items));
    }
    if (h->n == h->cap) {
        h->cap = MIN(h->cap ? 2 * h->cap : 1, (u32)HISTORY_DELIVERIES_MAX);
        h->items = mem_grow(h->items, h->cap * sizeof(*h->items));
    }
    h->items[h->n] = (struct delivery){0};
    return &h->items[h->n++];
}

/* --- what happens ----------------------------------------------------------------------------- */

/* The place of the present caller among the origins, with one more holder. */
static u32 caller_hold(struct queues *qs)
{
    const struct call *c = qs->histories.caller;
    struct buf text = {0};

    if (!c)
        return 0;
    str key = c->identity.access_key;

    if (key.n && key.n <= HISTORY_CALLER_MAX / 2)
        buf_str(&text, key);
    buf_char(&text, ' ');
    if (c->request.peer.family)
        address_write(&text, &c->request.peer);
    u32 place = text.n > 1 ? origin_hold(&qs->msgs, buf_view(&text)) : 0;

    buf_deinit(&text);
    return place;
}

void history_receive(struct msg *m, i64 until_ms)
{
    struct queues *qs = m->queue->all;
    struct history *h = history_of(m);

    if (!h && !m->queue->receives_max && !msg_past(m))
        return;
    if (!h)
        h = history_new(qs, m->seq);
    if (!h)
        return;
    struct delivery *d = history_add(&qs->msgs, h);

    d->received_ms = qs->clock->now_ms;
    d->until_ms = until_ms;
    d->by = caller_hold(qs);
}

void history_change(struct msg *m, i64 until_ms)
{
    struct queues *qs = m->queue->all;
    struct history *h = history_of(m);

    if (!h || h->n == 0)
        return;
    struct delivery *d = &h->items[h->n - 1];

    origin_drop(&qs->msgs, d->changed_by);
    d->changed_by = caller_hold(qs);
    d->changed_ms = qs->clock->now_ms;
    d->until_ms = until_ms;
}

void history_undo(struct msg *m)
{
    struct history *h = history_of(m);

    if (h && h->n)
        delivery_forget(&m->queue->all->msgs, &h->items[--h->n]);
}

/* --- in the store ----------------------------------------------------------------------------- */

static void put_time(struct buf *out, i64 ms)
{
    for (int i = 0; i < 8; i++)
        buf_char(out, (char)((u64)ms >> 8 * i & 0xff));
}

static void put_caller(struct buf *out, const struct queues *qs, u32 place)
{
    str text = origin_arn(&qs->msgs, place);

    text = str_slice(text, 0, HISTORY_CALLER_MAX);
    buf_char(out, (char)text.n);
    buf_str(out, text);
}

static void history_save(struct queues *qs, struct history *h)
{
    struct buf *out = &qs->work;

    buf_reset(out);
    buf_char(out, HISTORY_VERSION);
    buf_char(out, (char)h->n);
    for (u32 i = 0; i < h->n; i++) {
        const struct delivery *d = &h->items[i];

        put_time(out, d->received_ms);
        put_time(out, d->until_ms);
        put_time(out, d->changed_ms);
        put_caller(out, qs, d->by);
        put_caller(out, qs, d->changed_by);
    }
    queue_store_put_history(qs->store, h->seq, buf_view(out));
    h->stored = true;
    loop_dirty(qs->loop);
}

void history_store(const struct msg *m)
{
    struct history *h = history_of(m);

    if (h)
        history_save(m->queue->all, h);
}

static bool take_time(str *from, i64 *ret)
{
    u64 n = 0;

    if (from->n < 8)
        return false;
    for (int i = 7; i >= 0; i--)
        n = n << 8 | (u8)from->p[i];
    *ret = (i64)n;
    *from = str_slice(*from, 8, from->n);
    return true;
}

static bool take_caller(str *from, struct queues *qs, u32 *ret)
{
    size_t n = from->n ? (u8)from->p[0] : SIZE_MAX;

    if (n > HISTORY_CALLER_MAX || from->n < 1 + n)
        return false;
    *ret = origin_hold(&qs->msgs, str_slice(*from, 1, 1 + n));
    *from = str_slice(*from, 1 + n, from->n);
    return true;
}

/* Of a damaged row, the part that can be read is kept. */
void history_restore(struct queues *qs, u64 seq, str stored)
{
    if (!msg_find(&qs->msgs, seq) || stored.n < 2 || stored.p[0] != HISTORY_VERSION)
        return;
    u32 n = MIN((u8)stored.p[1], (u32)HISTORY_DELIVERIES_MAX);
    struct history *h = history_new(qs, seq);

    if (!h)
        return;
    h->stored = true;
    stored = str_slice(stored, 2, stored.n);
    for (bool fine = true; fine && n > 0; n--) {
        struct delivery *d = history_add(&qs->msgs, h);

        fine = take_time(&stored, &d->received_ms) && take_time(&stored, &d->until_ms) &&
               take_time(&stored, &d->changed_ms) && take_caller(&stored, qs, &d->by) &&
               take_caller(&stored, qs, &d->changed_by);
    }
}

void history_move(const struct msg *m, u64 from)
{
    struct queues *qs = m->queue->all;
    struct histories *hs = &qs->histories;
    struct history *h = hs->by_seq.n ? idmap_get(&hs->by_seq, from) : NULL;

    if (!h)
        return;
    idmap_del(&hs->by_seq, from);
    if (h->stored)
        queue_store_delete_history(qs->store, from);
    h->seq = m->seq;
    idmap_put(&hs->by_seq, h->seq, h);
    history_save(qs, h);
}

void history_forget(const struct msg *m)
{
    struct queues *qs = m->queue->all;
    struct history *h = history_of(m);

    if (!h)
        return;
    idmap_del(&qs->histories.by_seq, m->seq);
    history_free(&qs->msgs, h);
}

void history_end(const struct msg *m)
{
    struct queues *qs = m->queue->all;
    struct history *h = history_of(m);

    if (h && h->stored) {
        queue_store_delete_history(qs->store, m->seq);
        loop_dirty(qs->loop);
    }
    history_forget(m);
}

/* --- told ------------------------------------------------------------------------------------- */

static void json_caller(struct buf *out, const struct queues *qs, u32 place, const char *prefix)
{
    str text = origin_arn(&qs->msgs, place);

    if (!place)
        return;
    str key = str_cut(&text, ' ');

    if (key.n) {
        buf_printf(out, ",\"%sAccessKey\":", prefix);
        scan_quote(out, key);
    }
    if (text.n) {
        buf_printf(out, ",\"%sAddress\":", prefix);
        scan_quote(out, text);
    }
}

/* A change that makes a message visible at once has changed_ms == until_ms. */
static const char *delivery_end(const struct delivery *d, i64 now_ms)
{
    if (d->changed_ms && d->until_ms == d->changed_ms)
        return "made visible";
    return d->until_ms > now_ms ? "in flight" : "timed out";
}

static void json_delivery(struct buf *out, const struct queues *qs, const struct delivery *d)
{
    buf_printf(
        out, "{\"ReceivedTimestamp\":%" PRId64 ",\"VisibleTimestamp\":%" PRId64 ",\"Ended\":\"%s\"",
        d->received_ms, d->until_ms, delivery_end(d, qs->clock->now_ms));
    json_caller(out, qs, d->by, "");
    if (d->changed_ms) {
        buf_printf(out, ",\"ChangedTimestamp\":%" PRId64, d->changed_ms);
        json_caller(out, qs, d->changed_by, "Changer");
    }
    buf_char(out, '}');
}

str history_json(const struct msg *m, struct arena *a)
{
    const struct queues *qs = m->queue->all;
    const struct history *h = history_of(m);
    struct buf out = {0};

    if (!h || h->n == 0)
        return STR("");
    for (u32 i = 0; i < h->n; i++) {
        buf_char(&out, i ? ',' : '[');
        json_delivery(&out, qs, &h->items[i]);
    }
    buf_char(&out, ']');
    str text = arena_dup(a, buf_view(&out));

    buf_deinit(&out);
    return text;
}
