#include "tests/delaying/delaying.h"

#include <stdlib.h>

#include "common/base/mem.h"

/* Of every so many readings one comes at once, and one before its turn. */
#define AT_ONCE_ONE_IN 4
#define EARLY_ONE_IN   3

static u64 number_of(const char *name, u64 otherwise)
{
    const char *text = getenv(name);
    i64 n;

    return text && str_to_i64(str_of(text), &n) == 0 && n >= 0 ? (u64)n : otherwise;
}

struct delaying_conf delaying_conf_of_environment(void)
{
    return (struct delaying_conf){
        .seed = number_of("TOQUE_DELAY_SEED", 1),
        .delay_max_ms = (u32)number_of("TOQUE_DELAY_MS", 4),
        .window = (u32)number_of("TOQUE_DELAY_WINDOW", 3),
        .fail_one_in = (u32)number_of("TOQUE_DELAY_FAIL", 0),
        .fence_at = number_of("TOQUE_DELAY_FENCE", 0),
    };
}

static i64 now_ms(const struct delaying *d)
{
    return loop_clock(d->loop)->mono_ms;
}

static bool one_in(struct delaying *d, u32 n)
{
    return n && id_u64(&d->chance) % n == 0;
}

static i64 some_time(struct delaying *d)
{
    return (i64)(id_u64(&d->chance) % (d->conf.delay_max_ms + 1));
}

static void set_timer(struct delaying *d);

/* --- records ---------------------------------------------------------------------------------- */

void delaying_put(struct buf *b, u64 n)
{
    buf_add(b, &n, sizeof(n));
}

void delaying_put_str(struct buf *b, str s)
{
    delaying_put(b, s.n);
    buf_str(b, s);
}

u64 delaying_take(str *record)
{
    u64 n;

    assert(record->n >= sizeof(n));
    memcpy(&n, record->p, sizeof(n));
    *record = str_slice(*record, sizeof(n), record->n);
    return n;
}

str delaying_take_str(str *record)
{
    size_t n = (size_t)delaying_take(record);
    str s = str_slice(*record, 0, n);

    assert(record->n >= n);
    *record = str_slice(*record, n, record->n);
    return n ? s : STR("");
}

struct buf *delaying_record(struct delaying *d, char op)
{
    if (d->lost)
        return NULL;
    delaying_put(&d->record, (u64)op);
    return &d->record;
}

static void meta_set(struct engine *e, const char *key, i64 value)
{
    struct buf *b = delaying_record(delaying_of(e), 'm');

    if (!b)
        return;
    delaying_put_str(b, str_of(key));
    delaying_put(b, (u64)value);
}

static void apply_meta(struct delaying *d, str *record)
{
    char *key = mem_dup(delaying_take_str(record));

    d->inner->ops->meta_set(d->inner, key, (i64)delaying_take(record));
    mem_free(key);
}

static int apply(struct delaying *d, str record)
{
    u64 ticket;

    while (record.n) {
        char op = (char)delaying_take(&record);

        if (op == 'm')
            apply_meta(d, &record);
        else
            d->ops->apply(d, op, &record);
    }
    return engine_commit(d->inner, &ticket);
}

/* --- readings --------------------------------------------------------------------------------- */

static void bring(struct delaying *d, struct delaying_reading *r)
{
    list_remove(&r->link);
    d->ops->bring(d, r);
    buf_deinit(&r->data);
    mem_free(r);
}

/* Reads it, if all is there or must be by now. */
static bool try_read(struct delaying *d, struct delaying_reading *r)
{
    r->is_read = d->ops->read(d, r) || r->ticket <= d->durable;
    if (!r->is_read)
        buf_reset(&r->data);
    return r->is_read;
}

/* A turn settled: what was asked for in it can be read, whatever the turns behind it do. */
static void read_settled(struct delaying *d)
{
    list_each(item, next, &d->readings) {
        struct delaying_reading *r = list_item(item, struct delaying_reading, link);

        if (!r->is_read && r->ticket <= d->durable) {
            try_read(d, r);
            r->due_ms = d->loop ? now_ms(d) + some_time(d) : 0;
        }
    }
}

static void bring_due(struct delaying *d)
{
    struct list due;

    list_init(&due);
    list_each(item, next, &d->readings) {
        struct delaying_reading *r = list_item(item, struct delaying_reading, link);

        if (r->is_read && (!d->loop || r->due_ms <= now_ms(d))) {
            list_remove(item);
            list_push_front(&due, item); /* the last one first: nobody may count on an order */
        }
    }
    while (!list_is_empty(&due))
        bring(d, list_item(due.next, struct delaying_reading, link));
}

/* They are given up. */
static void fail_readings(struct delaying *d, bool all)
{
    list_each(item, next, &d->readings) {
        struct delaying_reading *r = list_item(item, struct delaying_reading, link);

        if (r->is_read && !all)
            continue;
        r->is_read = true;
        r->err = E_DOWN;
        r->due_ms = 0;
    }
}

u64 delaying_number(struct delaying *d)
{
    return ++d->numbers;
}

void delaying_ask(struct delaying *d, u64 number, const void *of)
{
    struct delaying_reading *r = mem_alloc(sizeof(*r));

    r->number = number;
    r->of = of;
    r->ticket = d->ticket + (d->record.n > 0);
    list_push_back(&d->readings, &r->link);
    if (d->lost) {
        r->is_read = true;
        r->err = E_DOWN;
    } else if (!d->loop || (!d->conf.by_hand && one_in(d, AT_ONCE_ONE_IN))) {
        if (try_read(d, r) || !d->loop)
            bring(d, r);
    } else if (!d->conf.by_hand && (r->ticket <= d->durable || one_in(d, EARLY_ONE_IN))) {
        try_read(d, r);
        r->due_ms = now_ms(d) + some_time(d);
    }
    set_timer(d);
}

/* --- the turn --------------------------------------------------------------------------------- */

static void lose(struct delaying *d, int err)
{
    list_each(item, next, &d->in_flight) {
        struct delaying_turn *t = list_item(item, struct delaying_turn, link);

        buf_deinit(&t->record);
        mem_free(t);
    }
    list_init(&d->in_flight);
    d->flying = 0;
    buf_reset(&d->record);
    d->lost = err;
    d->told = false;
    d->fenced = err == E_FENCED;
    snprintf(d->error, sizeof(d->error), "turns behind %" PRIu64 " are lost: %s", d->durable,
             err_text(err));
    fail_readings(d, false);
}

static void settle(struct delaying *d, int err)
{
    struct delaying_turn *t = list_item(d->in_flight.next, struct delaying_turn, link);

    list_remove(&t->link);
    d->flying--;
    if (!err)
        err = apply(d, buf_view(&t->record));
    if (err)
        lose(d, err);
    else
        d->durable = t->ticket;
    buf_deinit(&t->record);
    mem_free(t);
    read_settled(d);
}

static void put_in_flight(struct delaying *d)
{
    struct delaying_turn *t = mem_alloc(sizeof(*t)), *last;

    t->ticket = ++d->ticket;
    t->record = d->record;
    d->record = (struct buf){0};
    t->fate = t->ticket == d->conf.fence_at    ? E_FENCED
              : one_in(d, d->conf.fail_one_in) ? one_in(d, 2) ? E_FULL : E_IO
                                               : 0;
    if (d->loop) {
        t->due_ms = now_ms(d) + some_time(d);
        if (d->flying) {
            last = list_item(d->in_flight.prev, struct delaying_turn, link);
            t->due_ms = MAX(t->due_ms, last->due_ms);
        }
    }
    list_push_back(&d->in_flight, &t->link);
    d->flying++;
}

static int commit(struct engine *e, u64 *ret_ticket)
{
    struct delaying *d = delaying_of(e);

    if (d->lost) {
        d->told = true;
        d->durable = d->ticket;
        return d->lost;
    }
    if (d->record.n && d->flying >= d->conf.window)
        return E_AGAIN;
    if (d->record.n)
        put_in_flight(d);
    *ret_ticket = d->ticket;
    set_timer(d);
    return 0;
}

static int settled(struct engine *e, u64 *ret_ticket)
{
    struct delaying *d = delaying_of(e);

    *ret_ticket = d->durable;
    if (!d->lost || d->told)
        return 0;
    d->told = true;
    d->durable = d->ticket;
    return d->lost;
}

/* Without a loop or a delay: at the start and at the end. */
static int flush(struct engine *e)
{
    struct delaying *d = delaying_of(e);

    if (d->record.n && !d->lost)
        put_in_flight(d);
    while (d->flying)
        settle(d, 0);
    return d->lost;
}

static void abandon(struct engine *e)
{
    struct delaying *d = delaying_of(e);

    if (!d->lost)
        lose(d, E_DOWN);
    fail_readings(d, true);
    bring_due(d);
}

static int probe(struct engine *e)
{
    struct delaying *d = delaying_of(e);

    if (d->fenced)
        return E_FENCED;
    if (d->record.n || d->flying)
        return E_AGAIN;
    d->lost = 0;
    return d->inner->ops->probe(d->inner);
}

static bool is_full(struct engine *e)
{
    return engine_is_full(delaying_of(e)->inner);
}

static int look(struct engine *e)
{
    return engine_look(delaying_of(e)->inner);
}

static void tidy(struct engine *e)
{
    engine_tidy(delaying_of(e)->inner);
}

static bool has_free(const struct engine *e)
{
    return engine_has_free(delaying_of(e)->inner);
}

/* Space is nobody's state: it is given back in a turn of SQLite's own. */
static u32 give_back(struct engine *e, u32 pieces)
{
    struct delaying *d = delaying_of(e);
    u32 n = engine_give_back(d->inner, pieces);
    u64 ticket;
    int err = engine_commit(d->inner, &ticket);

    return err ? 0 : n;
}

static bool is_behind(const struct engine *e)
{
    return engine_is_behind(delaying_of(e)->inner);
}

static struct store_stats stats(struct engine *e)
{
    return engine_stats(delaying_of(e)->inner);
}

static const char *error(const struct engine *e)
{
    const struct delaying *d = delaying_of(e);

    return d->lost ? d->error : engine_error(d->inner);
}

/* --- time ------------------------------------------------------------------------------------- */

static void timer_due(struct loop_timer *t)
{
    struct delaying *d = t->arg;

    while (d->flying) {
        struct delaying_turn *first = list_item(d->in_flight.next, struct delaying_turn, link);

        if (first->due_ms > now_ms(d))
            break;
        settle(d, first->fate);
    }
    bring_due(d);
    set_timer(d);
}

static void set_timer(struct delaying *d)
{
    i64 due = INT64_MAX;

    if (!d->loop || d->conf.by_hand)
        return;
    if (d->flying)
        due = list_item(d->in_flight.next, struct delaying_turn, link)->due_ms;
    list_each(item, next, &d->readings) {
        const struct delaying_reading *r = list_item(item, struct delaying_reading, link);

        if (r->is_read)
            due = MIN(due, r->due_ms);
    }
    if (due < INT64_MAX)
        loop_timer_set_real(d->loop, &d->timer, due);
}

static int watch(struct engine *e, struct loop *l)
{
    struct delaying *d = delaying_of(e);

    d->loop = l;
    return 0;
}

bool delaying_settle(struct engine *e, int err)
{
    struct delaying *d = delaying_of(e);

    if (!d->flying)
        return false;
    settle(d, err);
    return true;
}

bool delaying_bring(struct engine *e, u32 n)
{
    struct delaying *d = delaying_of(e);
    struct list *item = d->readings.next;

    while (n-- && item != &d->readings)
        item = item->next;
    if (item == &d->readings)
        return false;
    struct delaying_reading *r = list_item(item, struct delaying_reading, link);

    if (!r->is_read && !try_read(d, r))
        return false;
    bring(d, r);
    return true;
}

u32 delaying_in_flight(const struct engine *e)
{
    return delaying_of(e)->flying;
}

u32 delaying_readings(const struct engine *e)
{
    u32 n = 0;

    list_each(item, next, &delaying_of(e)->readings)
        n++;
    return n;
}

/* --- life ------------------------------------------------------------------------------------- */

static const struct engine_ops delaying_engine_ops = {
    .meta_set = meta_set,
    .commit = commit,
    .settled = settled,
    .flush = flush,
    .watch = watch,
    .abandon = abandon,
    .probe = probe,
    .is_full = is_full,
    .look = look,
    .tidy = tidy,
    .has_free = has_free,
    .give_back = give_back,
    .is_behind = is_behind,
    .stats = stats,
    .error = error,
};

void delaying_init(struct delaying *d, const struct delaying_ops *ops, struct engine *outer,
                   struct engine *inner, const struct delaying_conf *conf)
{
    *d = (struct delaying){.ops = ops, .outer = outer, .inner = inner, .conf = *conf};
    id_init(&d->chance, conf->seed ? conf->seed : 1);
    list_init(&d->in_flight);
    list_init(&d->readings);
    d->timer = (struct loop_timer){.due = timer_due, .arg = d};
    outer->ops = &delaying_engine_ops;
    outer->own = d;
    outer->epoch = inner->epoch;
    outer->last_ms = inner->last_ms;
    outer->noted_ms = inner->noted_ms;
    memcpy(outer->instance, inner->instance, sizeof(outer->instance));
    for (u32 i = 0; i < inner->value_count; i++)
        engine_hold(outer, str_of(inner->values[i].key), inner->values[i].value);
}

void delaying_deinit(struct delaying *d)
{
    if (d->loop)
        loop_timer_clear(d->loop, &d->timer);
    buf_reset(&d->record);
    engine_return_ids(d->outer);
    int err = engine_flush(d->outer); /* a failure skips the reserves */

    (void)err;
    /* The series are ours: what SQLite's engine knows of them is as old as its opening. */
    for (u32 i = 0; i < ENGINE_IDS_MAX; i++)
        d->inner->ids[i].limit = d->inner->ids[i].next;
    fail_readings(d, true);
    d->loop = NULL;
    bring_due(d);
    buf_deinit(&d->record);
    engine_deinit(d->outer);
}
