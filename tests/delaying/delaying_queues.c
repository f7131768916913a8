/* queued's store, delayed. */
#include "common/base/mem.h"
#include "tests/delaying/delaying.h"

struct delaying_queues {
    struct queue_store base;
    struct delaying delaying;
    struct queue_store *inner;
    struct list asking; /* struct body_fetch under way */
};

static struct delaying_queues *of(struct queue_store *s)
{
    return container_of(s, struct delaying_queues, base);
}

static struct delaying_queues *of_delaying(struct delaying *d)
{
    return container_of(d, struct delaying_queues, delaying);
}

static struct buf *record(struct queue_store *s, char op)
{
    return delaying_record(&of(s)->delaying, op);
}

/* --- writing ---------------------------------------------------------------------------------- */

static void put_queue(struct queue_store *s, const struct queue_row *q)
{
    struct buf *b = record(s, 'q');

    if (!b)
        return;
    delaying_put(b, q->id);
    delaying_put_str(b, q->account);
    delaying_put_str(b, q->region);
    delaying_put_str(b, q->name);
    delaying_put_str(b, q->attributes);
    delaying_put(b, (u64)q->created_ms);
    delaying_put(b, (u64)q->modified_ms);
}

static void apply_queue(struct queue_store *s, str *r)
{
    struct queue_row q = {.id = delaying_take(r)};

    q.account = delaying_take_str(r);
    q.region = delaying_take_str(r);
    q.name = delaying_take_str(r);
    q.attributes = delaying_take_str(r);
    q.created_ms = (i64)delaying_take(r);
    q.modified_ms = (i64)delaying_take(r);
    s->ops->put_queue(s, &q);
}

static void record_ids(struct queue_store *s, char op, u64 id, u64 more)
{
    struct buf *b = record(s, op);

    if (!b)
        return;
    delaying_put(b, id);
    delaying_put(b, more);
}

static void delete_queue(struct queue_store *s, u64 id)
{
    record_ids(s, 'Q', id, 0);
}

static void delete_message(struct queue_store *s, u64 id, bool own_body)
{
    record_ids(s, 'M', id, own_body);
}

static void delete_body(struct queue_store *s, u64 id)
{
    record_ids(s, 'B', id, 0);
}

static void delete_messages(struct queue_store *s, u64 first, u64 last)
{
    record_ids(s, 'd', first, last);
}

static void delete_bodies(struct queue_store *s, u64 first, u64 last)
{
    record_ids(s, 'D', first, last);
}

static void delete_dedups(struct queue_store *s, u64 up_to_seq)
{
    record_ids(s, 'E', up_to_seq, 0);
}

static void record_text(struct queue_store *s, char op, u64 number, str text)
{
    struct buf *b = record(s, op);

    if (!b)
        return;
    delaying_put(b, number);
    delaying_put_str(b, text);
}

static void put_task(struct queue_store *s, const struct task_row *t)
{
    struct buf *b = record(s, 't');

    if (!b)
        return;
    delaying_put(b, t->id);
    delaying_put(b, t->queue);
    delaying_put_str(b, t->state);
}

static void delete_task(struct queue_store *s, u64 id)
{
    record_ids(s, 'T', id, 0);
}

static void apply_task(struct queue_store *s, str *r)
{
    struct task_row t = {.id = delaying_take(r)};

    t.queue = delaying_take(r);
    t.state = delaying_take_str(r);
    s->ops->put_task(s, &t);
}

static void add_body(struct queue_store *s, u64 id, str content)
{
    record_text(s, 'b', id, content);
}

static void put_history(struct queue_store *s, u64 seq, str deliveries)
{
    record_text(s, 'h', seq, deliveries);
}

static void delete_history(struct queue_store *s, u64 seq)
{
    record_ids(s, 'H', seq, 0);
}

static void set_applied(struct queue_store *s, const struct applied_row *a)
{
    struct buf *b = record(s, 'a');

    if (!b)
        return;
    delaying_put(b, a->sequence);
    delaying_put_str(b, a->incarnation);
    delaying_put(b, a->use);
}

static void forget_applied(struct queue_store *s, str incarnation)
{
    record_text(s, 'A', 0, incarnation);
}

static void add_dedup(struct queue_store *s, const struct dedup_row *e)
{
    struct buf *b = record(s, 'e');

    if (!b)
        return;
    delaying_put(b, e->seq);
    delaying_put(b, (u64)e->sent_ms);
    delaying_put_str(b, e->key);
}

static void apply_dedup(struct queue_store *s, str *r)
{
    struct dedup_row e = {.seq = delaying_take(r)};

    e.sent_ms = (i64)delaying_take(r);
    e.key = delaying_take_str(r);
    s->ops->add_dedup(s, &e);
}

static void add_rejected(struct queue_store *s, const struct rejected_row *r)
{
    struct buf *b = record(s, 'j');

    if (!b)
        return;
    delaying_put(b, r->sequence);
    delaying_put_str(b, r->incarnation);
    delaying_put_str(b, r->places);
}

static void forget_rejected(struct queue_store *s, str incarnation, u64 below)
{
    record_text(s, 'J', below, incarnation);
}

/* The texts of a row, one after the other. */
#define ROW_TEXTS(m)                                                                               \
    {                                                                                              \
        &(m)->origin, &(m)->identity, &(m)->group_id, &(m)->source                                 \
    }

static void put_row(struct buf *b, const struct message_row *m)
{
    const str *const texts[] = ROW_TEXTS(m);

    delaying_put_str(b, str_from(m, sizeof(*m)));
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        delaying_put_str(b, *texts[i]);
}

static void take_row(str *r, struct message_row *m)
{
    str *const texts[] = ROW_TEXTS(m);

    memcpy(m, delaying_take_str(r).p, sizeof(*m));
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        *texts[i] = delaying_take_str(r);
}

static void add_message(struct queue_store *s, const struct message_row *m)
{
    struct buf *b = record(s, 'r');

    if (b)
        put_row(b, m);
}

static void move_message(struct queue_store *s, u64 seq, const struct message_row *m)
{
    struct buf *b = record(s, 'v');

    if (!b)
        return;
    delaying_put(b, seq);
    put_row(b, m);
}

static void apply_message(struct queue_store *s, char op, str *r)
{
    u64 seq = op == 'v' ? delaying_take(r) : 0;
    struct message_row m;

    take_row(r, &m);
    if (op == 'v')
        s->ops->move_message(s, seq, &m);
    else
        s->ops->add_message(s, &m);
}

static void update_message(struct queue_store *s, u64 id, i64 due_ms, i64 first_ms, u32 receives)
{
    struct buf *b = record(s, 'u');

    if (!b)
        return;
    delaying_put(b, id);
    delaying_put(b, (u64)due_ms);
    delaying_put(b, (u64)first_ms);
    delaying_put(b, receives);
}

static void apply_update(struct queue_store *s, str *r)
{
    u64 id = delaying_take(r), due = delaying_take(r), first = delaying_take(r);

    s->ops->update_message(s, id, (i64)due, (i64)first, (u32)delaying_take(r));
}

/* What was recorded as a number and one more, or a number and a text. */
static void apply_applied(struct queue_store *s, u64 sequence, str *r)
{
    struct applied_row a = {.incarnation = delaying_take_str(r), .sequence = sequence};

    a.use = delaying_take(r);
    s->ops->set_applied(s, &a);
}

static void apply_rejected(struct queue_store *s, u64 sequence, str *r)
{
    struct rejected_row row = {.incarnation = delaying_take_str(r), .sequence = sequence};

    row.places = delaying_take_str(r);
    s->ops->add_rejected(s, &row);
}

static void apply_plain(struct queue_store *s, char op, str *r)
{
    u64 id = delaying_take(r);

    switch (op) {
    case 'b': s->ops->add_body(s, id, delaying_take_str(r)); break;
    case 'a': apply_applied(s, id, r); break;
    case 'A': s->ops->forget_applied(s, delaying_take_str(r)); break;
    case 'j': apply_rejected(s, id, r); break;
    case 'J': s->ops->forget_rejected(s, delaying_take_str(r), id); break;
    case 'M': s->ops->delete_message(s, id, delaying_take(r)); break;
    case 'd': s->ops->delete_messages(s, id, delaying_take(r)); break;
    case 'D': s->ops->delete_bodies(s, id, delaying_take(r)); break;
    case 'h': s->ops->put_history(s, id, delaying_take_str(r)); break;
    case 'H':
        delaying_take(r);
        s->ops->delete_history(s, id);
        break;
    case 'T':
        delaying_take(r);
        s->ops->delete_task(s, id);
        break;
    case 'B':
        delaying_take(r);
        s->ops->delete_body(s, id);
        break;
    case 'E':
        delaying_take(r);
        s->ops->delete_dedups(s, id);
        break;
    default:
        assert(op == 'Q');
        delaying_take(r);
        s->ops->delete_queue(s, id);
    }
}

static void apply(struct delaying *d, char op, str *r)
{
    struct queue_store *s = of_delaying(d)->inner;

    switch (op) {
    case 'q': apply_queue(s, r); break;
    case 'r':
    case 'v': apply_message(s, op, r); break;
    case 'u': apply_update(s, r); break;
    case 'e': apply_dedup(s, r); break;
    case 't': apply_task(s, r); break;
    default: apply_plain(s, op, r);
    }
}

/* --- reading ---------------------------------------------------------------------------------- */

static struct body_fetch *asker(struct delaying *d, u64 number)
{
    list_each(item, next, &of_delaying(d)->asking) {
        struct body_fetch *f = list_item(item, struct body_fetch, link);

        if (f->turn == number)
            return f;
    }
    return NULL;
}

/* A fetch of the inner store's. */
struct inner_fetch {
    struct body_fetch fetch;
    struct buf *data;
    bool whole;
};

static void inner_body(struct body_fetch *f, u32 i, int err, str content)
{
    struct inner_fetch *in = container_of(f, struct inner_fetch, fetch);

    in->whole = in->whole && err != E_NOT_FOUND;
    delaying_put(in->data, (u64)(i64)err);
    delaying_put_str(in->data, err ? STR("") : content);
}

static void inner_done(struct body_fetch *f)
{
}

static bool read_bodies(struct delaying *d, struct delaying_reading *r)
{
    struct body_fetch *f = asker(d, r->number);
    struct inner_fetch in = {.data = &r->data, .whole = true};

    assert(f);
    in.fetch = (struct body_fetch){.n = f->n, .body = inner_body, .done = inner_done};
    memcpy(in.fetch.ids, f->ids, sizeof(f->ids));
    queue_store_fetch(of_delaying(d)->inner, &in.fetch);
    return in.whole;
}

static void bring_bodies(struct delaying *d, struct delaying_reading *r)
{
    struct body_fetch *f = asker(d, r->number);
    str data = buf_view(&r->data);

    assert(f);
    list_remove(&f->link);
    for (u32 i = 0; i < f->n; i++) {
        int err = r->err ? r->err : (int)(i64)delaying_take(&data);

        f->body(f, i, err, r->err ? STR_NONE : delaying_take_str(&data));
    }
    f->done(f);
}

static void fetch(struct queue_store *s, struct body_fetch *f)
{
    struct delaying_queues *q = of(s);

    f->turn = delaying_number(&q->delaying);
    list_init(&f->link);
    list_push_back(&q->asking, &f->link);
    delaying_ask(&q->delaying, f->turn, NULL);
}

static int load(struct queue_store *s, struct queue_store *into,
                const struct queue_store_walk *walk)
{
    struct queue_store *inner = of(s)->inner;

    assert(delaying_in_flight(&s->engine) == 0);
    return inner->ops->load(inner, into, walk);
}

/* --- life ------------------------------------------------------------------------------------- */

static void delaying_close(struct queue_store *s)
{
    struct delaying_queues *q = of(s);

    delaying_deinit(&q->delaying);
    queue_store_close(q->inner);
    queue_store_deinit(s);
    mem_free(q);
}

static const struct queue_store_ops delaying_queue_ops = {
    .put_queue = put_queue,
    .delete_queue = delete_queue,
    .put_task = put_task,
    .delete_task = delete_task,
    .add_body = add_body,
    .add_message = add_message,
    .move_message = move_message,
    .update_message = update_message,
    .delete_message = delete_message,
    .delete_body = delete_body,
    .delete_messages = delete_messages,
    .delete_bodies = delete_bodies,
    .put_history = put_history,
    .delete_history = delete_history,
    .add_dedup = add_dedup,
    .delete_dedups = delete_dedups,
    .fetch = fetch,
    .set_applied = set_applied,
    .forget_applied = forget_applied,
    .add_rejected = add_rejected,
    .forget_rejected = forget_rejected,
    .load = load,
    .close = delaying_close,
};

int delaying_queue_store_open(struct queue_store **ret, const struct store_options *o,
                              const struct delaying_conf *conf, struct fault *f)
{
    static const struct delaying_ops ops = {apply, read_bodies, bring_bodies};
    struct queue_store *inner;
    int err = queue_store_sqlite_open(&inner, o, f);

    if (err)
        return err;
    struct delaying_queues *q = mem_alloc(sizeof(*q));

    q->inner = inner;
    list_init(&q->asking);
    delaying_init(&q->delaying, &ops, &q->base.engine, &inner->engine, conf);
    memcpy(q->base.secret, inner->secret, sizeof(inner->secret));
    queue_store_init(&q->base, &delaying_queue_ops);
    *ret = &q->base;
    return 0;
}
