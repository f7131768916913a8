/* Invariants:
 * 1. A queue is in `by_key` and `order` while it exists, and in `by_id` until its last message is
 * removed.
 * 2. Ids ascend and are never used twice, even after a failed turn or with a store that is an older
 * copy: an old handle, MessageId or SequenceNumber never refers to another message.
 * 3. Messages that a reload finds without a queue row belong to a deleted queue and are doomed. */
#include "queued/queues.h"

#include "common/aws/arn.h"
#include "common/aws/frame.h"
#include "common/aws/queue_place.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "queued/aids.h"
#include "queued/group.h"
#include "queued/redrive.h"
#include "queued/sweep.h"
#include "queued/waiter.h"

/* ACCOUNT/REGION/NAME, each within its checked bounds. */
#define KEY_SIZE_MAX 256
/* Every id is below it. */
#define ID_MAX (UINT64_C(1) << 63)

/* The name of a recently deleted queue. */
struct tomb {
    struct list link; /* in queues.tombs */
    str key;
    i64 deleted_ms;
};
/* Tombs are kept for the strict rules only, and are no reason to fill memory. */
#define TOMBS_MAX 100000
/* Expired tombs removed with every new one: more than one, so that their number falls; few, so that
 * no call is delayed. */
#define TOMBS_AT_ONCE 8

/* NULL accepted. */
static void tomb_remove(struct queues *qs, struct tomb *t)
{
    if (!t)
        return;
    map_del(&qs->deleted, t->key);
    map_shrink(&qs->deleted);
    list_remove(&t->link);
    mem_free(t);
}

static void empty_init(struct queues *qs)
{
    map_init(&qs->by_key, qs->seed);
    idmap_init(&qs->by_id, qs->seed);
    skiplist_init(&qs->order);
    msgs_init(&qs->msgs, qs->seed);
    heap_init(&qs->falls);
    list_init(&qs->showing);
    list_init(&qs->redelay);
    heap_init(&qs->retire);
    heap_init(&qs->reap);
    redrive_sources_init(&qs->sources, qs->seed);
    move_tasks_init(&qs->tasks);
    histories_init(&qs->histories, qs->seed);
    dedup_init(&qs->dedup, qs->seed);
    attempts_init(&qs->attempts, qs->seed);
}

void queues_init(struct queues *qs, struct loop *l, struct background *background,
                 struct queue_store *store, const struct map_seed *seed,
                 const struct queues_limits *limits)
{
    *qs = (struct queues){
        .loop = l, .clock = loop_clock(l), .store = store, .seed = seed, .limits = *limits};
    waiters_init(qs);
    sweep_init(qs, background);
    qs->moves_left = QUEUES_MOVES_A_TURN;
    list_init(&qs->tombs);
    map_init(&qs->deleted, seed);
    empty_init(qs);
}

/* Frees everything except limits, tombs and scratch buffers. */
static void drop_all(struct queues *qs)
{
    struct queue *q;
    for (size_t pos = 0; (q = idmap_next(&qs->by_id, &pos));)
        queue_free(q);
    sweep_stop(qs);
    attempts_deinit(&qs->attempts);
    dedup_deinit(&qs->dedup);
    move_tasks_deinit(&qs->tasks);
    histories_deinit(&qs->histories, qs);
    redrive_sources_deinit(&qs->sources);
    heap_deinit(&qs->reap);
    heap_deinit(&qs->retire);
    heap_deinit(&qs->falls);
    msgs_deinit(&qs->msgs);
    skiplist_deinit(&qs->order);
    idmap_deinit(&qs->by_id);
    map_deinit(&qs->by_key);
}

void queues_deinit(struct queues *qs)
{
    struct tomb *t;
    drop_all(qs);
    waiters_deinit(qs);
    for (size_t pos = 0; (t = map_next(&qs->deleted, &pos));)
        mem_free(t);
    map_deinit(&qs->deleted);
    buf_deinit(&qs->row);
    buf_deinit(&qs->content);
    buf_deinit(&qs->work);
}

/* --- loading ---------------------------------------------------------------------------------- */

struct loading {
    struct queues *all;
    u64 damaged;         /* rows with invalid values */
    struct queue *last;  /* of the last message: neighbours often share it */
    struct idmap bodies; /* body rows held by several messages or by a moved one */
    struct msg_body *last_body;
};

static void queue_enter(struct queue *q)
{
    struct queues *qs = q->all;
    idmap_put(&qs->by_id, q->id, q);
    map_put(&qs->by_key, q->key, q);
    skiplist_put(&qs->order, q->key, q);
}

/* Every row is checked as untrusted input, since disks fail. */
static bool is_sound_queue(const struct loading *l, const struct queue_row *row)
{
    return row->id && row->id < ID_MAX && arn_is_account(row->account) &&
           arn_is_region(row->region) && row->name.n <= ARN_QUEUE_NAME_MAX &&
           arn_is_queue_name(row->name) && !idmap_get(&l->all->by_id, row->id) &&
           !queues_find(l->all, row->account, row->region, row->name);
}

/* A mark above every id that was ever used is damage and would hide what comes. */
static void queue_forget_damage(struct queue *q)
{
    const struct queues *qs = q->all;
    u64 end = MAX(queue_store_next_id(qs->store), queue_store_first_id(qs->store));
    end = MAX(end, qs->next_id);
    if (q->purged_seq >= end)
        q->purged_seq = 0;
    if (q->expired_seq > end)
        q->expired_seq = 0;
}

static int on_queue(void *arg, const struct queue_row *row)
{
    struct loading *l = arg;
    if (!is_sound_queue(l, row)) {
        l->damaged++;
        return 0;
    }
    struct queue *q = queue_new(l->all, row->id, row->account, row->region, row->name);
    q->created_ms = row->created_ms;
    q->modified_ms = row->modified_ms;
    if (queue_read_row(q, row->attributes)) {
        char name[LOG_VALUE_SIZE];
        log_error("attributes of a queue are damaged, some have their defaults now queue=%s",
                  log_value(q->name, name));
    }
    q->attributes.fifo = arn_is_fifo_name(q->name); /* whatever a damaged row says */
    queue_forget_damage(q);
    queue_set_kind(q);
    redrive_apply(q);
    queue_enter(q);
    return 0;
}

static int on_task(void *arg, const struct task_row *row)
{
    struct loading *l = arg;
    struct queue *q = row->id && row->queue ? idmap_get(&l->all->by_id, row->queue) : NULL;
    if (q)
        move_task_restore(q, row);
    return 0;
}

/* Messages of a deleted queue that are not removed yet get a queue without a name, which counts as
 * deleted. */
static struct queue *queue_of_row(struct loading *l, u64 id)
{
    if (l->last && l->last->id == id)
        return l->last;
    struct queue *q = idmap_get(&l->all->by_id, id);
    if (!q) {
        q = queue_new(l->all, id, STR(""), STR(""), STR(""));
        q->deleted = true;
        idmap_put(&l->all->by_id, id, q);
    }
    return l->last = q;
}

static struct msg_body *body_of_row(struct loading *l, u64 row)
{
    if (l->last_body && l->last_body->row == row)
        return l->last_body;
    struct msg_body *b = idmap_get(&l->bodies, row);
    if (!b) {
        b = msg_body_new(&l->all->msgs, row);
        idmap_put(&l->bodies, row, b);
    }
    return l->last_body = b;
}

static bool is_sound_message(const struct loading *l, const struct message_row *row)
{
    return row->seq && row->seq < ID_MAX && row->queue && row->queue < ID_MAX &&
           row->body < ID_MAX && row->sent_ms >= 0 && row->sent_ms <= FRAME_CLOCK_MAX &&
           row->receives <= INT32_MAX && row->group_id.n <= GROUP_ID_MAX &&
           row->origin.n <= MESSAGE_TEXT_MAX && !msg_find(&l->all->msgs, row->seq);
}

static int on_message(void *arg, const struct message_row *row)
{
    struct loading *l = arg;
    if (!is_sound_message(l, row)) {
        l->damaged++;
        return 0;
    }
    struct queue *q = queue_of_row(l, row->queue);
    struct msgs *ms = &l->all->msgs;
    struct msg *m = msg_new(ms, q, row->seq, row->sent_ms);
    m->flags = (u16)(row->flags & MSG_RAW);
    m->origin = origin_hold(ms, row->origin);
    if (row->body)
        msg_body_hold(m, body_of_row(l, row->body));
    if (row->identity.n == MSG_IDENTITY_SIZE)
        msg_set_past(ms, m, (const u8 *)row->identity.p, row->source, row->receives_before);
    if (row->receives)
        msg_set_receives(ms, m, row->receives, row->first_ms);
    queue_restore(q, m, row->due_ms, row->group_id);
    return 0;
}

void queues_add_dedup(struct queues *qs, const struct dedup_entry *e)
{
    dedup_add(&qs->dedup, e);
    queue_store_add_dedup(qs->store, &(struct dedup_row){.seq = e->seq,
                                                         .key = str_from(e->key, sizeof e->key),
                                                         .sent_ms = e->sent_ms});
}

static int on_history(void *arg, u64 seq, str deliveries)
{
    struct loading *l = arg;
    history_restore(l->all, seq, deliveries);
    return 0;
}

static int on_dedup(void *arg, const struct dedup_row *row)
{
    struct loading *l = arg;
    struct dedup_entry e = {.seq = row->seq, .sent_ms = row->sent_ms};
    bool is_sound =
        row->key.n == sizeof e.key && row->sent_ms >= 0 && row->sent_ms <= FRAME_CLOCK_MAX;
    if (is_sound)
        memcpy(e.key, row->key.p, sizeof e.key);
    if (!is_sound || e.key[0] == 0) {
        l->damaged++;
        return 0;
    }
    dedup_add(&l->all->dedup, &e);
    return 0;
}

/* Logs only damage that is new: a reload finds the same again. */
static void tell_damage(struct queues *qs, u64 rows)
{
    if (rows > qs->damaged)
        log_error("the store is damaged: what cannot be read is set aside, everything else goes on "
                  "rows=%" PRIu64,
                  rows);
    qs->damaged = MAX(qs->damaged, rows);
}

int queues_reload(struct queues *qs)
{
    struct queue *q;
    struct loading l = {.all = qs};
    struct idmap aids;
    for (size_t pos = 0; (q = idmap_next(&qs->by_id, &pos));)
        waiters_orphan(q);
    aids_set_aside(qs, &aids);
    drop_all(qs);
    list_init(&qs->waiting.hungry);
    list_init(&qs->waiting.stopped);
    empty_init(qs);
    idmap_init(&l.bodies, qs->seed);
    int err = queue_store_load(qs->store, &(struct queue_store_walk){.queue = on_queue,
                                                                     .task = on_task,
                                                                     .message = on_message,
                                                                     .history = on_history,
                                                                     .dedup = on_dedup,
                                                                     .arg = &l});
    idmap_deinit(&l.bodies);
    aids_give_back(qs, &aids);
    tell_damage(qs, l.damaged + queue_store_unreadable(qs->store));
    qs->next_id = MAX(qs->next_id, queue_store_next_id(qs->store));
    qs->next_id = MAX(qs->next_id, queue_store_first_id(qs->store));
    if (!err)
        waiters_adopt(qs);
    return err;
}

/* --- finding ---------------------------------------------------------------------------------- */

static str make_key(char buf[KEY_SIZE_MAX], str account, str region, str name)
{
    size_t n = account.n + region.n + name.n + 2;
    if (n > KEY_SIZE_MAX)
        return STR_NONE;
    char *p = buf;
    memcpy(p, account.p, account.n);
    p += account.n;
    *p++ = '/';
    memcpy(p, region.p, region.n);
    p += region.n;
    *p++ = '/';
    if (name.n)
        memcpy(p, name.p, name.n);
    return (str){buf, n};
}

struct queue *queues_find(const struct queues *qs, str account, str region, str name)
{
    char buf[KEY_SIZE_MAX];
    str key = make_key(buf, account, region, name);
    return key.p ? map_get(&qs->by_key, key) : NULL;
}

struct queue *queues_find_arn(const struct queues *qs, str arn)
{
    struct arn a;
    if (arn_read(arn, &a) || !str_is(a.service, "sqs"))
        return NULL;
    struct queue *q = queues_find(qs, a.account, a.region, a.resource);
    return q && str_is(arn, q->arn) ? q : NULL;
}

struct queue *queues_resolve(const struct queues *qs, str url, str account, str region)
{
    struct queue_place place = {region, account, STR_NONE};
    queue_place_read(url, &place);
    return place.name.n ? queues_find(qs, place.account, place.region, place.name) : NULL;
}

struct skiplist_node *queues_list(const struct queues *qs, str account, str region, str prefix,
                                  str after)
{
    char buf[KEY_SIZE_MAX];
    bool from_after = after.n && str_cmp(after, prefix) >= 0;
    str key = make_key(buf, account, region, from_after ? after : prefix);
    if (!key.p)
        return NULL;
    struct skiplist_node *n = skiplist_from(&qs->order, key);
    if (n && from_after && str_eq(((struct queue *)skiplist_value(n))->key, key))
        n = skiplist_next(n);
    return n && queues_is_of(n, account, region, prefix) ? n : NULL;
}

bool queues_is_of(const struct skiplist_node *n, str account, str region, str prefix)
{
    const struct queue *q = skiplist_value(n);
    return str_eq(q->account, account) && str_eq(q->region, region) && str_starts(q->name, prefix);
}

/* --- coming and going ------------------------------------------------------------------------- */

struct queue *queues_add(struct queues *qs, str account, str region, str name,
                         struct queue_attrs *attributes, struct tags *tags)
{
    struct queue *q = queue_new(qs, qs->next_id++, account, region, name);
    queue_attr_deinit(&q->attributes);
    q->attributes = *attributes;
    q->tags = *tags;
    q->dedup_by_group = attributes->dedup_by_group;
    queue_set_kind(q);
    redrive_apply(q);
    q->created_ms = q->modified_ms = qs->clock->now_ms;
    queue_enter(q);
    queue_save(q);
    tomb_remove(qs, map_get(&qs->deleted, q->key));
    if (qs->changed)
        qs->changed(qs->changed_arg, q);
    return q;
}

/* Adds a tomb for the queue's name, and removes a few expired ones. */
static void tomb_add(struct queue *q)
{
    struct queues *qs = q->all;
    tomb_remove(qs, map_get(&qs->deleted, q->key));
    for (u32 n = 0; n < TOMBS_AT_ONCE && !list_is_empty(&qs->tombs); n++) {
        struct tomb *old = list_item(qs->tombs.next, struct tomb, link);
        if (qs->clock->now_ms - old->deleted_ms < QUEUES_STRICT_WAIT_MS)
            break;
        tomb_remove(qs, old);
    }
    if (!qs->limits.strict || qs->deleted.n >= TOMBS_MAX)
        return;
    struct tomb *t = mem_alloc(sizeof *t + q->key.n);
    memcpy(t + 1, q->key.p, q->key.n);
    *t = (struct tomb){.key = str_from(t + 1, q->key.n), .deleted_ms = qs->clock->now_ms};
    list_push_back(&qs->tombs, &t->link);
    map_put(&qs->deleted, t->key, t);
}

static void queue_forget(struct queue *q)
{
    idmap_del(&q->all->by_id, q->id);
    idmap_shrink(&q->all->by_id);
    queue_free(q);
}

void queues_remove(struct queue *q)
{
    struct queues *qs = q->all;
    assert(list_is_empty(&q->waiters));
    tomb_add(q);
    redrive_sources_remove(&qs->sources, q);
    move_tasks_end(q, true);
    map_del(&qs->by_key, q->key);
    map_shrink(&qs->by_key);
    skiplist_del(&qs->order, q->key);
    q->deleted = true;
    queue_purge(q);
    queue_store_delete_queue(qs->store, q->id);
    loop_dirty(qs->loop);
    if (qs->changed)
        qs->changed(qs->changed_arg, q);
    if (list_is_empty(&q->doomed))
        queue_forget(q);
}

struct msg *queues_first_doomed(const struct queues *qs)
{
    struct heap_node *top = heap_top(&qs->reap);
    struct queue *q = top ? container_of(top, struct queue, reaped) : NULL;
    return q ? list_item(q->doomed.next, struct msg, arrived) : NULL;
}

void queues_cleared(struct queue *q)
{
    assert(list_is_empty(&q->doomed));
    if (q->deleted)
        queue_forget(q);
}

i64 queues_deleted_ms(const struct queues *qs, str account, str region, str name)
{
    char buf[KEY_SIZE_MAX];
    str key = make_key(buf, account, region, name);
    const struct tomb *t = key.p ? map_get(&qs->deleted, key) : NULL;
    return t ? qs->clock->now_ms - t->deleted_ms : -1;
}
