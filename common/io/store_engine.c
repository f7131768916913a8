#include "common/io/store_engine.h"

#include "common/base/mem.h"
#include "common/io/store_row.h"

/* The WAL size from which on the loop itself finishes the checkpoint. */
#define WAL_SIZE_MAX (64u << 20)

#define EPOCH_STEP_MAX (1u << 20) /* a quarter of an hour */

static const struct engine_ops store_engine_ops;

static struct store_engine *store_engine_of(const struct engine *e)
{
    return e->own;
}

/* --- small values ----------------------------------------------------------------------------- */

static void sql_meta_set(struct engine *e, const char *key, i64 value)
{
    struct store_engine *q = store_engine_of(e);

    store_begin(q->store);
    store_bind_str(q->meta_set, 1, str_of(key));
    sqlite3_bind_int64(q->meta_set, 2, value);
    store_run(q->store, q->meta_set);
}

/* Reads every number; E_INVALID: the instance is malformed. */
static int meta_read(struct store_engine *q)
{
    struct engine *e = q->engine;
    int row, err = 0;

    while ((row = store_row(q->store, q->meta_all)) == 1) {
        str key = store_column_str(q->meta_all, 0);

        if (sqlite3_column_type(q->meta_all, 1) == SQLITE_INTEGER) {
            engine_hold(e, key, sqlite3_column_int64(q->meta_all, 1));
        } else if (str_is(key, "instance")) {
            str value = store_column_str(q->meta_all, 1);

            if (value.n != ID_UUID_SIZE - 1)
                err = E_INVALID;
            else
                memcpy(e->instance, value.p, value.n);
        }
    }
    return row ? row : err;
}

/* --- opening ---------------------------------------------------------------------------------- */

static void instance_make(struct store_engine *q)
{
    if (q->engine->instance[0])
        return;
    id_uuid(q->ids, q->engine->instance);
    store_begin(q->store);
    store_bind_str(q->meta_set, 1, STR("instance"));
    store_bind_str(q->meta_set, 2, str_of(q->engine->instance));
    store_run(q->store, q->meta_set);
}

int store_engine_secret(struct store_engine *q, u8 *ret, size_t size)
{
    store_bind_str(q->meta_get, 1, STR("secret"));
    int row = store_row(q->store, q->meta_get);
    if (row < 0)
        return row;
    if (row == 1) {
        str value = store_column_str(q->meta_get, 0);
        bool whole = value.n == size;

        if (whole)
            memcpy(ret, value.p, size);
        store_row_end(q->meta_get);
        return whole ? 0 : E_INVALID;
    }
    id_secret(q->ids, ret, size);
    store_begin(q->store);
    store_bind_str(q->meta_set, 1, STR("secret"));
    store_bind_bytes(q->meta_set, 2, str_from(ret, size));
    store_run(q->store, q->meta_set);
    return 0;
}

/* If the clock is behind the last epoch, the new epoch is a random step after it: the store may be
 * an older copy, and a later opening of the original must not have had the same epoch. */
static u64 epoch_after(struct store_engine *q, u64 last)
{
    u64 next = engine_epoch_after(last, q->clock);

    return next == last + 1 ? engine_epoch_after(last + id_u64(q->ids) % EPOCH_STEP_MAX, q->clock)
                            : next;
}

static int epoch_take(struct store_engine *q)
{
    i64 last = 0;

    engine_meta_get(q->engine, "epoch", &last);
    q->engine->epoch = last < 0 ? 0 : epoch_after(q, (u64)last);
    if (!q->engine->epoch)
        return E_INVALID;
    engine_meta_set(q->engine, "epoch", (i64)q->engine->epoch);
    engine_open_time(q->engine, q->clock->now_ms);
    return 0;
}

/* Another process took a later epoch, or the epoch is missing: this process no longer owns the
 * file. */
static int epoch_check(void *arg)
{
    struct store_engine *q = arg;
    u64 epoch = 0;

    store_bind_str(q->meta_get, 1, STR("epoch"));
    int row = store_row(q->store, q->meta_get);
    if (row < 0)
        return row;
    if (row == 1) {
        epoch = store_column_u64(q->meta_get, 0);
        store_row_end(q->meta_get);
    }
    return epoch == q->engine->epoch ? 0 : E_FENCED;
}

int store_engine_failed(struct store_engine *q, int err, struct fault *f)
{
    if (q->store && *store_error(q->store))
        fault_set(f, err, "%s", store_error(q->store));
    else
        fault_set(f, err, "%s: %s", q->path, err_text(err));
    return err;
}

int store_engine_open(struct store_engine *q, struct engine *e, const struct store_options *o,
                      const struct store_kind *kind, struct fault *f)
{
    *q = (struct store_engine){.engine = e, .clock = o->clock, .ids = o->ids};
    char *path = mem_printf("%s/%s", o->dir, kind->file);
    struct store_conf conf = {.path = path,
                              .kind = kind->kind,
                              .durability = o->durability,
                              .cache_kib = o->cache_kib,
                              .clock = o->clock,
                              .ids = o->ids,
                              .wal_checkpoint_bytes = kind->wal_checkpoint_bytes,
                              .wal_size_max = WAL_SIZE_MAX,
                              .reserve_bytes = o->reserve_bytes,
                              .migrations = kind->migrations,
                              .migration_count = kind->migration_count};
    int err = store_open(&q->store, &conf, f);

    if (err) {
        mem_free(path);
        return err;
    }
    e->ops = &store_engine_ops;
    e->own = q;
    q->path = path;
    store_prepare(q->store, &q->meta_all, "SELECT key,value FROM meta");
    store_prepare(q->store, &q->meta_get, "SELECT value FROM meta WHERE key=?1");
    store_prepare(q->store, &q->meta_set, "INSERT OR REPLACE INTO meta(key,value) VALUES(?1,?2)");
    err = meta_read(q);
    if (!err) {
        instance_make(q);
        err = epoch_take(q);
    }
    return err ? store_engine_failed(q, err, f) : 0;
}

/* Durable in any case: an epoch that was used before a power loss must not be assigned again, or
 * its messages would be taken for old ones. */
int store_engine_ready(struct store_engine *q, struct fault *f)
{
    u64 ticket;
    int err = store_commit(q->store, &ticket);

    if (!err)
        err = store_sync(q->store);
    q->is_ready = !err;
    store_set_guard(q->store, epoch_check, q);
    return err ? store_engine_failed(q, err, f) : 0;
}

void store_engine_close(struct store_engine *q)
{
    u64 ticket;

    if (q->is_ready) {
        store_rollback(q->store);
        engine_return_ids(q->engine);
        engine_end_time(q->engine, q->clock->now_ms);
        if (store_commit(q->store, &ticket) != 0)
            store_rollback(q->store); /* then the reserved ids are skipped */
    }
    store_close(q->store);
    engine_deinit(q->engine);
    mem_free(q->path);
}

/* --- the turn --------------------------------------------------------------------------------- */

static int sql_commit(struct engine *e, u64 *ret_ticket)
{
    return store_commit(store_engine_of(e)->store, ret_ticket);
}

/* A commit is durable, as far as configured, when it returns. */
static int sql_settled(struct engine *e, u64 *ret_ticket)
{
    *ret_ticket = store_ticket(store_engine_of(e)->store);
    return 0;
}

static int sql_flush(struct engine *e)
{
    u64 ticket;

    return store_commit(store_engine_of(e)->store, &ticket);
}

static int sql_probe(struct engine *e)
{
    struct store *s = store_engine_of(e)->store;
    u64 ticket;

    if (store_is_open(s))
        return E_AGAIN;
    sql_meta_set(e, "probe", (i64)store_ticket(s));
    return engine_commit(e, &ticket);
}

static bool sql_is_full(struct engine *e)
{
    return store_is_full(store_engine_of(e)->store);
}

static bool sql_is_damaged(const struct engine *e)
{
    return store_is_damaged(store_engine_of(e)->store);
}

static int sql_look(struct engine *e)
{
    return store_look(store_engine_of(e)->store);
}

static void sql_tidy(struct engine *e)
{
    store_tidy(store_engine_of(e)->store);
}

static bool sql_has_free(const struct engine *e)
{
    return store_has_free(store_engine_of(e)->store);
}

static u32 sql_give_back(struct engine *e, u32 pieces)
{
    return store_give_back(store_engine_of(e)->store, pieces);
}

static bool sql_is_behind(const struct engine *e)
{
    return store_is_behind(store_engine_of(e)->store);
}

static struct store_stats sql_stats(struct engine *e)
{
    return store_stats(store_engine_of(e)->store);
}

static const char *sql_error(const struct engine *e)
{
    return store_error(store_engine_of(e)->store);
}

static const struct engine_ops store_engine_ops = {
    .meta_set = sql_meta_set,
    .commit = sql_commit,
    .settled = sql_settled,
    .flush = sql_flush,
    .probe = sql_probe,
    .is_full = sql_is_full,
    .is_damaged = sql_is_damaged,
    .look = sql_look,
    .tidy = sql_tidy,
    .has_free = sql_has_free,
    .give_back = sql_give_back,
    .is_behind = sql_is_behind,
    .stats = sql_stats,
    .error = sql_error,
};
