/* topicd's store, delayed. */
#include "common/base/mem.h"
#include "tests/delaying/delaying.h"

struct delaying_topics {
    struct topic_store base;
    struct delaying delaying;
    struct topic_store *inner;
    struct list asking; /* struct outbox_read under way */
};

static struct delaying_topics *of(struct topic_store *s)
{
    return container_of(s, struct delaying_topics, base);
}

static struct delaying_topics *of_delaying(struct delaying *d)
{
    return container_of(d, struct delaying_topics, delaying);
}

static struct buf *record(struct topic_store *s, char op)
{
    return delaying_record(&of(s)->delaying, op);
}

/* --- writing ---------------------------------------------------------------------------------- */

static void put_topic(struct topic_store *s, const struct topic_row *t)
{
    struct buf *b = record(s, 't');

    if (!b)
        return;
    delaying_put(b, t->id);
    delaying_put_str(b, t->arn);
    delaying_put_str(b, t->attributes);
    delaying_put(b, (u64)t->created_ms);
}

static void apply_topic(struct topic_store *s, str *r)
{
    struct topic_row t = {.id = delaying_take(r)};

    t.arn = delaying_take_str(r);
    t.attributes = delaying_take_str(r);
    t.created_ms = (i64)delaying_take(r);
    s->ops->put_topic(s, &t);
}

static void put_sub(struct topic_store *s, const struct sub_row *u)
{
    struct buf *b = record(s, 's');

    if (!b)
        return;
    delaying_put(b, u->id);
    delaying_put(b, u->topic);
    delaying_put_str(b, u->arn);
    delaying_put_str(b, u->protocol);
    delaying_put_str(b, u->endpoint);
    delaying_put_str(b, u->owner);
    delaying_put_str(b, u->attributes);
    delaying_put(b, (u64)u->created_ms);
}

static void apply_sub(struct topic_store *s, str *r)
{
    struct sub_row u = {.id = delaying_take(r)};

    u.topic = delaying_take(r);
    u.arn = delaying_take_str(r);
    u.protocol = delaying_take_str(r);
    u.endpoint = delaying_take_str(r);
    u.owner = delaying_take_str(r);
    u.attributes = delaying_take_str(r);
    u.created_ms = (i64)delaying_take(r);
    s->ops->put_sub(s, &u);
}

/* Whatever is a number and two texts at most. */
static void record_plain(struct topic_store *s, char op, u64 number, str one, str two)
{
    struct buf *b = record(s, op);

    if (!b)
        return;
    delaying_put(b, number);
    delaying_put_str(b, one);
    delaying_put_str(b, two);
}

static void delete_topic(struct topic_store *s, u64 id)
{
    record_plain(s, 'T', id, STR(""), STR(""));
}

static void delete_sub(struct topic_store *s, u64 id)
{
    record_plain(s, 'S', id, STR(""), STR(""));
}

static void put_queued(struct topic_store *s, const struct queued_row *q)
{
    record_plain(s, 'q', q->id, q->name, q->url);
}

static void delete_queued(struct topic_store *s, u64 id)
{
    record_plain(s, 'Q', id, STR(""), STR(""));
}

/* Whatever is three numbers and a text. */
static void record_row(struct topic_store *s, char op, const u64 numbers[3], str text)
{
    struct buf *b = record(s, op);

    if (!b)
        return;
    for (int i = 0; i < 3; i++)
        delaying_put(b, numbers[i]);
    delaying_put_str(b, text);
}

static void merge_queued(struct topic_store *s, u64 from, u64 to)
{
    record_row(s, 'm', (u64[]){from, to, 0}, STR(""));
}

static void outbox_add(struct topic_store *s, const struct outbox_row *r)
{
    record_row(s, 'o', (u64[]){r->id, r->queued, r->attempt}, r->frame);
}

static void outbox_set(struct topic_store *s, struct topic_outbox *o, u64 id, str frame)
{
    record_row(s, 'w', (u64[]){o->queued, id, 0}, frame);
}

static void outbox_acked(struct topic_store *s, struct topic_outbox *o, u64 after, u64 up_to)
{
    record_row(s, 'O', (u64[]){o->queued, after, up_to}, STR(""));
}

static void put_home(struct topic_store *s, str queue_arn, u64 queued)
{
    record_plain(s, 'h', queued, queue_arn, STR(""));
}

static void delete_home(struct topic_store *s, str queue_arn)
{
    record_plain(s, 'H', 0, queue_arn, STR(""));
}

static void clear_homes(struct topic_store *s)
{
    record_plain(s, 'c', 0, STR(""), STR(""));
}

/* The key is bytes, the id text: both in one. */
static void put_dedup(struct topic_store *s, const struct fifo_row *r)
{
    struct buf both = {0};

    buf_str(&both, r->key);
    buf_str(&both, r->message_id);
    record_row(s, 'd', (u64[]){r->sequence, (u64)r->sent_ms, r->key.n}, buf_view(&both));
    buf_deinit(&both);
}

static void delete_dedups(struct topic_store *s, u64 up_to)
{
    record_plain(s, 'D', up_to, STR(""), STR(""));
}

static void put_asset(struct topic_store *s, const struct asset_row *r)
{
    struct buf *b = record(s, 'g');

    if (!b)
        return;
    delaying_put(b, r->id);
    delaying_put(b, r->kind);
    delaying_put_str(b, r->group);
    delaying_put_str(b, r->name);
    delaying_put_str(b, r->alias);
    delaying_put_str(b, r->value);
}

static void apply_asset(struct topic_store *s, str *r)
{
    struct asset_row t = {.id = delaying_take(r)};

    t.kind = (u32)delaying_take(r);
    t.group = delaying_take_str(r);
    t.name = delaying_take_str(r);
    t.alias = delaying_take_str(r);
    t.value = delaying_take_str(r);
    s->ops->put_asset(s, &t);
}

static void delete_asset(struct topic_store *s, u64 id)
{
    record_plain(s, 'G', id, STR(""), STR(""));
}

/* How much went is known now, and not before. */
static void apply_acked(struct delaying_topics *t, const u64 numbers[3])
{
    const struct topic_outbox *o = topic_store_outbox(t->inner, numbers[0]);
    u64 frames = o->frames, bytes = o->bytes;

    topic_store_outbox_acked(t->inner, numbers[0], numbers[1], numbers[2]);
    topic_store_outbox_gone(&t->base, numbers[0], frames - o->frames, bytes - o->bytes);
}

static void apply_set(struct delaying_topics *t, const u64 numbers[3], str frame)
{
    const struct topic_outbox *o = topic_store_outbox(t->inner, numbers[0]);
    u64 bytes = o->bytes + frame.n;

    topic_store_outbox_set(t->inner, numbers[0], numbers[1], frame);
    topic_store_outbox_gone(&t->base, numbers[0], 1, bytes - o->bytes);
}

static void apply_row(struct delaying_topics *t, char op, str *r)
{
    u64 numbers[3];

    for (int i = 0; i < 3; i++)
        numbers[i] = delaying_take(r);
    str text = delaying_take_str(r);

    switch (op) {
    case 'm': topic_store_merge_queued(t->inner, numbers[0], numbers[1]); break;
    case 'o':
        topic_store_outbox_add(t->inner, &(struct outbox_row){.id = numbers[0],
                                                              .queued = numbers[1],
                                                              .attempt = (u32)numbers[2],
                                                              .frame = text});
        break;
    case 'w': apply_set(t, numbers, text); break;
    case 'd':
        topic_store_put_dedup(
            t->inner, &(struct fifo_row){.sequence = numbers[0],
                                         .sent_ms = (i64)numbers[1],
                                         .key = str_slice(text, 0, numbers[2]),
                                         .message_id = str_slice(text, numbers[2], text.n)});
        break;
    default: assert(op == 'O'); apply_acked(t, numbers);
    }
}

static void apply_plain(struct delaying_topics *t, char op, str *r)
{
    struct topic_store *s = t->inner;
    u64 number = delaying_take(r);
    str one = delaying_take_str(r), two = delaying_take_str(r);

    switch (op) {
    case 'T': s->ops->delete_topic(s, number); break;
    case 'S': s->ops->delete_sub(s, number); break;
    case 'q': s->ops->put_queued(s, &(struct queued_row){number, one, two}); break;
    case 'Q': s->ops->delete_queued(s, number); break;
    case 'h': s->ops->put_home(s, one, number); break;
    case 'H': s->ops->delete_home(s, one); break;
    case 'D': s->ops->delete_dedups(s, number); break;
    case 'G': s->ops->delete_asset(s, number); break;
    default: assert(op == 'c'); s->ops->clear_homes(s);
    }
}

static void apply(struct delaying *d, char op, str *r)
{
    struct delaying_topics *t = of_delaying(d);

    switch (op) {
    case 't': apply_topic(t->inner, r); break;
    case 's': apply_sub(t->inner, r); break;
    case 'g': apply_asset(t->inner, r); break;
    case 'm':
    case 'o':
    case 'w':
    case 'd':
    case 'O': apply_row(t, op, r); break;
    default: apply_plain(t, op, r);
    }
}

/* --- reading ---------------------------------------------------------------------------------- */

static struct outbox_read *asker(struct delaying *d, u64 number)
{
    list_each(item, next, &of_delaying(d)->asking) {
        struct outbox_read *o = list_item(item, struct outbox_read, link);

        if (o->turn == number)
            return o;
    }
    return NULL; /* it was taken back */
}

/* A reading of the inner store's. */
struct inner_read {
    struct outbox_read read;
    struct delaying_reading *r;
};

static void inner_row(struct outbox_read *o, const struct outbox_row *row)
{
    struct inner_read *in = container_of(o, struct inner_read, read);

    delaying_put(&in->r->data, row->id);
    delaying_put(&in->r->data, row->attempt);
    delaying_put_str(&in->r->data, row->frame);
}

static void inner_done(struct outbox_read *o, int err)
{
    container_of(o, struct inner_read, read)->r->err = err;
}

/* Only what is durable is asked for, so nothing can be missing. */
static bool read_frames(struct delaying *d, struct delaying_reading *r)
{
    const struct outbox_read *o = asker(d, r->number);
    const struct topic_outbox *of_whom = r->of;
    struct inner_read in = {.r = r};

    if (!o)
        return true;
    in.read = *o;
    in.read.row = inner_row;
    in.read.done = inner_done;
    topic_store_outbox_read(of_delaying(d)->inner, of_whom->queued, &in.read);
    return true;
}

static void bring_frames(struct delaying *d, struct delaying_reading *r)
{
    struct outbox_read *o = asker(d, r->number);
    str data = buf_view(&r->data);

    if (!o)
        return;
    list_remove(&o->link);
    while (data.n) {
        struct outbox_row row = {.id = delaying_take(&data)};

        row.attempt = (u32)delaying_take(&data);
        row.frame = delaying_take_str(&data);
        o->row(o, &row);
    }
    o->done(o, r->err);
}

static void outbox_read(struct topic_store *s, u64 queued, struct outbox_read *r)
{
    struct delaying_topics *t = of(s);

    r->turn = delaying_number(&t->delaying);
    list_init(&r->link);
    list_push_back(&t->asking, &r->link);
    delaying_ask(&t->delaying, r->turn, topic_store_outbox(s, queued));
}

static int load(struct topic_store *s, int (*on_topic)(void *arg, const struct topic_row *t),
                int (*on_sub)(void *arg, const struct sub_row *u), void *arg)
{
    struct topic_store *inner = of(s)->inner;

    assert(delaying_in_flight(&s->engine) == 0);
    return inner->ops->load(inner, on_topic, on_sub, arg);
}

static int load_queueds(struct topic_store *s,
                        int (*on_queued)(void *arg, const struct queued_row *q), void *arg)
{
    struct topic_store *inner = of(s)->inner;

    return inner->ops->load_queueds(inner, on_queued, arg);
}

static int load_homes(struct topic_store *s, int (*on_home)(void *arg, str queue_arn, u64 queued),
                      void *arg)
{
    struct topic_store *inner = of(s)->inner;

    return inner->ops->load_homes(inner, on_home, arg);
}

static int load_dedups(struct topic_store *s, int (*on_row)(void *arg, const struct fifo_row *r),
                       void *arg)
{
    struct topic_store *inner = of(s)->inner;

    return inner->ops->load_dedups(inner, on_row, arg);
}

static int load_assets(struct topic_store *s, u32 first, u32 last,
                       int (*on_row)(void *arg, const struct asset_row *r), void *arg)
{
    struct topic_store *inner = of(s)->inner;

    return inner->ops->load_assets(inner, first, last, on_row, arg);
}

static int load_outboxes(struct topic_store *s, struct topic_store *into)
{
    struct topic_store *inner = of(s)->inner;
    int err = topic_store_recount(inner);

    return err ? err : inner->ops->load_outboxes(inner, into);
}

/* --- life ------------------------------------------------------------------------------------- */

static void delaying_close(struct topic_store *s)
{
    struct delaying_topics *t = of(s);

    delaying_deinit(&t->delaying);
    topic_store_close(t->inner);
    topic_store_deinit(s);
    mem_free(t);
}

static const struct topic_store_ops delaying_topic_ops = {
    .put_topic = put_topic,
    .delete_topic = delete_topic,
    .put_sub = put_sub,
    .delete_sub = delete_sub,
    .load = load,
    .put_queued = put_queued,
    .delete_queued = delete_queued,
    .merge_queued = merge_queued,
    .load_queueds = load_queueds,
    .outbox_add = outbox_add,
    .outbox_set = outbox_set,
    .outbox_acked = outbox_acked,
    .outbox_read = outbox_read,
    .load_outboxes = load_outboxes,
    .put_home = put_home,
    .delete_home = delete_home,
    .clear_homes = clear_homes,
    .load_homes = load_homes,
    .put_dedup = put_dedup,
    .delete_dedups = delete_dedups,
    .load_dedups = load_dedups,
    .put_asset = put_asset,
    .delete_asset = delete_asset,
    .load_assets = load_assets,
    .close = delaying_close,
};

int delaying_topic_store_open(struct topic_store **ret, const struct store_options *o,
                              const struct delaying_conf *conf, struct fault *f)
{
    static const struct delaying_ops ops = {apply, read_frames, bring_frames};
    struct topic_store *inner;
    int err = topic_store_sqlite_open(&inner, o, f);

    if (err)
        return err;
    struct delaying_topics *t = mem_alloc(sizeof(*t));

    t->inner = inner;
    list_init(&t->asking);
    delaying_init(&t->delaying, &ops, &t->base.engine, &inner->engine, conf);
    err = topic_store_init(&t->base, &delaying_topic_ops);
    if (err) {
        delaying_close(&t->base);
        return fault_set(f, err, "%s: the outboxes cannot be counted", o->dir);
    }
    *ret = &t->base;
    return 0;
}
