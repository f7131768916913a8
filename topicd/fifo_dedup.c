/* When two keys have the same first half, the later one replaces the earlier one in the table. The
 * probability is that of a 64-bit collision. */
#include "topicd/fifo_dedup.h"

#include "common/aws/frame.h"
#include "common/base/hash.h"
#include "common/base/log.h"
#include "common/base/mem.h"

#define WAITING_CAP_MIN 4
/* If the oldest entry is still pending it is checked again after this time. */
#define RETRY_MS 1000

/* Until its messages are safe. */
struct fifo_pending {
    struct completion delivered;
    struct fifo_dedup *dedup;
    struct fifo_entry *entry;
    struct completion **waiting;
    u32 n, cap;
};

struct fifo_entry {
    struct list link;
    u64 key[2]; /* digest of topic, group and id */
    u64 sequence;
    i64 sent_ms;
    struct fifo_pending *pending; /* NULL: safe */
    char message_id[ID_UUID_SIZE];
};

static u32 expire_step(void *arg, u32 pieces);
static void timer_due(struct loop_timer *t);

/* --- the table -------------------------------------------------------------------------------- */

static void key_of(const struct topic *t, const struct publication *p, u64 ret[2])
{
    struct buf text = {0};
    u8 digest[32];

    buf_printf(&text, "%" PRIu64 "\n%.*s\n%.*s", t->id, t->dedup_by_group ? (int)p->group_id.n : 0,
               p->group_id.p, STR_ARG(p->dedup_id));
    hash_sha256(buf_view(&text), digest);
    memcpy(ret, digest, 2 * sizeof(*ret));
    ret[0] |= ret[0] == 0; /* the table knows no 0 */
    buf_deinit(&text);
}

static struct fifo_entry *entry_find(const struct fifo_dedup *d, const u64 key[2], i64 now_ms)
{
    struct fifo_entry *e = idmap_get(&d->table, key[0]);

    return e && e->key[1] == key[1] && (e->pending || now_ms - e->sent_ms < FIFO_DEDUP_WINDOW_MS)
               ? e
               : NULL;
}

static struct fifo_entry *entry_add(struct fifo_dedup *d, const struct fifo_entry *like)
{
    struct fifo_entry *e = mem_alloc(sizeof(*e));

    *e = *like;
    list_init(&e->link);
    list_push_back(&d->entries, &e->link);
    idmap_put(&d->table, e->key[0], e);
    d->count++;
    return e;
}

static void entry_remove(struct fifo_dedup *d, struct fifo_entry *e)
{
    if (idmap_get(&d->table, e->key[0]) == e)
        idmap_del(&d->table, e->key[0]);
    list_remove(&e->link);
    d->count--;
    mem_free(e);
}

bool fifo_dedup_is_full(const struct fifo_dedup *d)
{
    return d->count >= FIFO_DEDUP_MAX;
}

/* --- time ------------------------------------------------------------------------------------- */

static i64 entry_due_ms(const struct fifo_entry *e)
{
    return e->sent_ms + FIFO_DEDUP_WINDOW_MS;
}

/* Wakes the job when something is due, or sets the timer. */
static void expiry_arm(struct fifo_dedup *d)
{
    i64 now_ms = loop_clock(d->loop)->now_ms;

    if (list_is_empty(&d->entries) || background_is_awake(&d->expiring))
        return;
    const struct fifo_entry *e = list_item(d->entries.next, struct fifo_entry, link);

    if (entry_due_ms(e) > now_ms)
        loop_timer_set(d->loop, &d->timer, entry_due_ms(e));
    else if (e->pending)
        loop_timer_set(d->loop, &d->timer, now_ms + RETRY_MS);
    else
        background_wake(d->background, &d->expiring);
}

static void timer_due(struct loop_timer *t)
{
    expiry_arm(t->arg);
}

static u32 expire_step(void *arg, u32 pieces)
{
    struct fifo_dedup *d = arg;
    i64 now_ms = loop_clock(d->loop)->now_ms;
    u64 last = 0;
    u32 n = 0;

    for (; n < pieces && !list_is_empty(&d->entries); n++) {
        struct fifo_entry *e = list_item(d->entries.next, struct fifo_entry, link);

        if (e->pending || entry_due_ms(e) > now_ms)
            break;
        last = e->sequence;
        entry_remove(d, e);
    }
    if (n) {
        topic_store_delete_dedups(d->store, last);
        loop_dirty(d->loop);
    }
    if (n < pieces && !list_is_empty(&d->entries)) {
        const struct fifo_entry *e = list_item(d->entries.next, struct fifo_entry, link);

        loop_timer_set(d->loop, &d->timer, MAX(entry_due_ms(e), now_ms + RETRY_MS));
    }
    return n;
}

/* --- life ------------------------------------------------------------------------------------- */

void fifo_dedup_init(struct fifo_dedup *d, struct topic_store *store, struct loop *l,
                     struct background *background, const struct map_seed *seed)
{
    *d = (struct fifo_dedup){.store = store, .loop = l, .background = background};
    d->expiring = (struct background_job){
        .name = "deduplication", .class = BACKGROUND_CLEAR, .step = expire_step, .arg = d};
    d->timer = (struct loop_timer){.due = timer_due, .arg = d};
    idmap_init(&d->table, seed);
    list_init(&d->entries);
}

void fifo_dedup_deinit(struct fifo_dedup *d)
{
    if (!d->store)
        return;
    background_sleep(d->background, &d->expiring);
    loop_timer_clear(d->loop, &d->timer);
    while (!list_is_empty(&d->entries)) {
        struct fifo_entry *e = list_item(d->entries.next, struct fifo_entry, link);

        assert(!e->pending);
        entry_remove(d, e);
    }
    idmap_deinit(&d->table);
}

/* False: the row is damaged. */
static bool entry_read(const struct fifo_row *row, struct fifo_entry *ret)
{
    *ret = (struct fifo_entry){.sequence = row->sequence, .sent_ms = row->sent_ms};
    if (row->key.n != sizeof(ret->key) || row->message_id.n != ID_UUID_SIZE - 1 ||
        row->sent_ms < 0 || row->sent_ms > FRAME_CLOCK_MAX)
        return false;
    memcpy(ret->key, row->key.p, sizeof(ret->key));
    memcpy(ret->message_id, row->message_id.p, row->message_id.n);
    return ret->key[0] != 0;
}

static int load_row(void *arg, const struct fifo_row *row)
{
    struct fifo_dedup *d = arg;
    struct fifo_entry e;

    engine_saw_id(&d->store->engine, TOPIC_STORE_SEQUENCES, row->sequence);
    if (entry_read(row, &e))
        entry_add(d, &e);
    else
        d->damaged++;
    return 0;
}

int fifo_dedup_load(struct fifo_dedup *d)
{
    int err = topic_store_load_dedups(d->store, load_row, d);

    if (d->damaged)
        log_error("rows of deduplication are damaged and left alone: duplicates of these publishes "
                  "are delivered rows=%" PRIu64,
                  d->damaged);
    d->next = topic_store_next_sequence(d->store);
    expiry_arm(d);
    return err;
}

/* --- publishing ------------------------------------------------------------------------------- */

static void pending_wait(struct fifo_pending *p, struct completion *done)
{
    if (p->n == p->cap) {
        p->cap = MAX(2 * p->cap, (u32)WAITING_CAP_MIN);
        p->waiting = mem_grow(p->waiting, p->cap * sizeof(*p->waiting));
    }
    p->waiting[p->n++] = done;
    completion_add(done);
}

static void entry_keep(struct fifo_dedup *d, const struct fifo_entry *e)
{
    topic_store_put_dedup(d->store, &(struct fifo_row){.sequence = e->sequence,
                                                       .key = str_from(e->key, sizeof(e->key)),
                                                       .message_id = str_of(e->message_id),
                                                       .sent_ms = e->sent_ms});
    loop_dirty(d->loop);
    expiry_arm(d);
}

/* Completion: its messages are safe, or could not be made so. */
static void pending_done(struct completion *delivered, int err)
{
    struct fifo_pending *p = container_of(delivered, struct fifo_pending, delivered);
    struct fifo_entry *e = p->entry;

    e->pending = NULL;
    if (err)
        entry_remove(p->dedup, e);
    else
        entry_keep(p->dedup, e);
    for (u32 i = 0; i < p->n; i++)
        completion_end(p->waiting[i], err);
    mem_free(p->waiting);
    mem_free(p);
}

static u64 next_sequence(struct fifo_dedup *d)
{
    u64 sequence = d->next++;

    if (topic_store_note_sequence(d->store, sequence))
        loop_dirty(d->loop);
    return sequence;
}

static void tell(const struct fifo_entry *e, struct publication *p)
{
    memcpy(p->message_id, e->message_id, sizeof(p->message_id));
    /* Twenty digits, of which the first is always 1. */
    p->fifo = arena_printf(p->arena, "1%019" PRIu64 "%.*s", e->sequence, STR_ARG(p->dedup_id));
}

struct completion *fifo_dedup_begin(struct fifo_dedup *d, const struct topic *t,
                                    struct publication *p, struct completion *done)
{
    struct fifo_entry new = {.sent_ms = p->time_ms};

    key_of(t, p, new.key);
    struct fifo_entry *e = entry_find(d, new.key, p->time_ms);

    if (e) {
        tell(e, p);
        if (e->pending)
            pending_wait(e->pending, done);
        return NULL;
    }
    memcpy(new.message_id, p->message_id, sizeof(new.message_id));
    new.sequence = next_sequence(d);
    e = entry_add(d, &new);
    e->pending = mem_alloc(sizeof(*e->pending));
    *e->pending = (struct fifo_pending){.dedup = d, .entry = e};
    completion_begin(&e->pending->delivered, pending_done);
    pending_wait(e->pending, done);
    tell(e, p);
    return &e->pending->delivered;
}
