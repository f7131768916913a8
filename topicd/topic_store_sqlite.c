/* All SQL statements of topicd: its store on SQLite. See topic_store.h for the tables' meaning.
 *
 * Outbox rows are stored in the order of arrival, as all rows of toque, and indexed by `queued` and
 * id.
 *
 * In user_version 1 an instance was identified by its link URL, which stays its name until it
 * greets; frames were identified by topicd's instance and a sequence, so their incarnation is that
 * instance. */
#include "topicd/topic_store.h"

#include "common/base/mem.h"
#include "common/io/store_engine.h"
#include "common/io/store_row.h"

static const char *const migrations[] = {
    "CREATE TABLE meta (key TEXT PRIMARY KEY, value) WITHOUT ROWID;"
    "CREATE TABLE topic (id INTEGER PRIMARY KEY, arn TEXT, attributes TEXT, created_ms INTEGER);"
    "CREATE TABLE subscription (id INTEGER PRIMARY KEY, topic INTEGER, arn TEXT, protocol TEXT,"
    "  endpoint TEXT, owner TEXT, attributes TEXT, created_ms INTEGER);"
    "CREATE INDEX subscription_topic ON subscription(topic);"
    "CREATE TABLE queued (id INTEGER PRIMARY KEY, address TEXT UNIQUE);"
    "CREATE TABLE outbox (id INTEGER PRIMARY KEY, queued INTEGER, sequence INTEGER, frame BLOB);"
    "CREATE UNIQUE INDEX outbox_order ON outbox(queued, sequence);"
    "CREATE TABLE home (queue TEXT PRIMARY KEY, queued TEXT) WITHOUT ROWID;",

    "DROP INDEX subscription_topic;"
    "INSERT OR IGNORE INTO queued(address) SELECT DISTINCT queued FROM home;"
    "ALTER TABLE queued RENAME TO queued_1;"
    "CREATE TABLE queued (id INTEGER PRIMARY KEY, name TEXT UNIQUE, url TEXT);"
    "INSERT INTO queued SELECT id,address,address FROM queued_1;"
    "ALTER TABLE home RENAME TO home_1;"
    "CREATE TABLE home (queue TEXT PRIMARY KEY, queued INTEGER) WITHOUT ROWID;"
    "INSERT INTO home SELECT queue,id FROM home_1 JOIN queued_1 ON address=queued;"
    "DROP TABLE home_1; DROP TABLE queued_1;"
    "ALTER TABLE outbox RENAME TO outbox_1;"
    "CREATE TABLE outbox (id INTEGER PRIMARY KEY, queued INTEGER, attempt INTEGER, frame BLOB);"
    /* frame_wire.h: version 2, with the incarnation before the publications. */
    "INSERT INTO outbox SELECT row_number() OVER (ORDER BY queued,sequence),queued,0,"
    "  CAST(x'02' || substr(frame,2,31) || x'24000000'"
    "    || (SELECT value FROM meta WHERE key='instance') || substr(frame,33) AS BLOB)"
    "  FROM outbox_1;"
    "DROP TABLE outbox_1;"
    "CREATE INDEX outbox_order ON outbox(queued, id);"
    "INSERT INTO meta SELECT 'outbox_id',coalesce(max(id),0)+1 FROM outbox;",

    "CREATE TABLE dedup (sequence INTEGER PRIMARY KEY, key BLOB, message_id TEXT,"
    "  sent_ms INTEGER);",

    "CREATE TABLE asset (id INTEGER PRIMARY KEY, kind INTEGER, parent TEXT, name TEXT, alias TEXT,"
    "  value TEXT);",
};

static const struct store_kind sqlite_kind = {
    .file = "topicd.db",
    .kind = 0x746f7174, /* "toqt" */
    .wal_checkpoint_bytes = 8u << 20,
    .migrations = migrations,
    .migration_count = ARRAY_LEN(migrations),
};

static const struct topic_store_ops sqlite_ops;

struct topic_sqlite {
    struct topic_store base;
    struct store_engine sql;
    struct store *store; /* of sql */
    sqlite3_stmt *topic_put, *topic_delete, *topic_load;
    sqlite3_stmt *sub_put, *sub_delete, *sub_load;
    sqlite3_stmt *queued_put, *queued_delete, *queued_load;
    sqlite3_stmt *outbox_add, *outbox_set, *outbox_sum, *outbox_delete, *outbox_read, *outbox_load;
    sqlite3_stmt *outbox_merge, *home_merge;
    sqlite3_stmt *home_put, *home_delete, *home_clear, *home_load;
    sqlite3_stmt *dedup_put, *dedup_delete, *dedup_load;
    sqlite3_stmt *asset_put, *asset_delete, *asset_load;
};

static struct topic_sqlite *topic_sqlite_of(struct topic_store *s)
{
    return container_of(s, struct topic_sqlite, base);
}

/* --- opening ---------------------------------------------------------------------------------- */

static void sql_prepare_outbox(struct topic_sqlite *s)
{
    struct store *st = s->store;
    store_prepare(st, &s->queued_put,
                  "INSERT OR REPLACE INTO queued(id,name,url) VALUES(?1,?2,?3)");
    store_prepare(st, &s->queued_delete, "DELETE FROM queued WHERE id=?1");
    store_prepare(st, &s->queued_load, "SELECT id,name,url FROM queued ORDER BY id");
    store_prepare(st, &s->outbox_add,
                  "INSERT INTO outbox(id,queued,attempt,frame) VALUES(?1,?2,?3,?4)");
    store_prepare(st, &s->outbox_set, "UPDATE outbox SET frame=?2 WHERE id=?1");
    store_prepare(st, &s->outbox_sum,
                  "SELECT count(*),total(length(frame)) FROM outbox"
                  " WHERE queued=?1 AND id>?2 AND id<=?3");
    store_prepare(st, &s->outbox_delete, "DELETE FROM outbox WHERE queued=?1 AND id>?2 AND id<=?3");
    store_prepare(st, &s->outbox_read,
                  "SELECT id,attempt,frame FROM outbox WHERE queued=?1 AND id>?2 AND id<=?3"
                  " ORDER BY id");
    store_prepare(st, &s->outbox_load,
                  "SELECT queued,count(*),total(length(frame)),max(id) FROM outbox"
                  " GROUP BY queued");
    store_prepare(st, &s->outbox_merge, "UPDATE outbox SET queued=?2 WHERE queued=?1");
    store_prepare(st, &s->home_merge, "UPDATE home SET queued=?2 WHERE queued=?1");
    store_prepare(st, &s->home_put, "INSERT OR REPLACE INTO home(queue,queued) VALUES(?1,?2)");
    store_prepare(st, &s->home_delete, "DELETE FROM home WHERE queue=?1");
    store_prepare(st, &s->home_clear, "DELETE FROM home");
    store_prepare(st, &s->home_load, "SELECT queue,queued FROM home");
    store_prepare(st, &s->dedup_put,
                  "INSERT INTO dedup(sequence,key,message_id,sent_ms) VALUES(?1,?2,?3,?4)");
    store_prepare(st, &s->dedup_delete, "DELETE FROM dedup WHERE sequence<=?1");
    store_prepare(st, &s->dedup_load,
                  "SELECT sequence,key,message_id,sent_ms FROM dedup ORDER BY sequence");
    store_prepare(st, &s->asset_put,
                  "INSERT OR REPLACE INTO asset(id,kind,parent,name,alias,value)"
                  " VALUES(?1,?2,?3,?4,?5,?6)");
    store_prepare(st, &s->asset_delete, "DELETE FROM asset WHERE id=?1");
    store_prepare(st, &s->asset_load,
                  "SELECT id,kind,parent,name,alias,value FROM asset WHERE kind>=?1 AND kind<=?2"
                  " ORDER BY id");
}

static void sql_prepare(struct topic_sqlite *s)
{
    struct store *st = s->store;
    store_prepare(st, &s->topic_put,
                  "INSERT OR REPLACE INTO topic(id,arn,attributes,created_ms) VALUES(?1,?2,?3,?4)");
    store_prepare(st, &s->topic_delete, "DELETE FROM topic WHERE id=?1");
    store_prepare(st, &s->topic_load, "SELECT id,arn,attributes,created_ms FROM topic ORDER BY id");
    store_prepare(st, &s->sub_put,
                  "INSERT OR REPLACE INTO subscription(id,topic,arn,protocol,endpoint,owner,"
                  "attributes,created_ms) VALUES(?1,?2,?3,?4,?5,?6,?7,?8)");
    store_prepare(st, &s->sub_delete, "DELETE FROM subscription WHERE id=?1");
    store_prepare(st, &s->sub_load,
                  "SELECT id,topic,arn,protocol,endpoint,owner,attributes,created_ms"
                  " FROM subscription ORDER BY id");
    sql_prepare_outbox(s);
}

static void sql_close(struct topic_store *base)
{
    struct topic_sqlite *s = topic_sqlite_of(base);
    store_engine_close(&s->sql);
    topic_store_deinit(base);
    mem_free(s);
}

static int sql_open(struct topic_sqlite *s, const struct store_options *o, struct fault *f)
{
    int err = store_engine_open(&s->sql, &s->base.engine, o, &sqlite_kind, f);
    if (err)
        return err;
    s->store = s->sql.store;
    sql_prepare(s);
    return store_engine_ready(&s->sql, f);
}

int topic_store_sqlite_open(struct topic_store **ret, const struct store_options *o,
                            struct fault *f)
{
    struct topic_sqlite *s = mem_alloc(sizeof(*s));
    int err = sql_open(s, o, f);
    if (!err && topic_store_init(&s->base, &sqlite_ops))
        err = store_engine_failed(&s->sql, E_IO, f);
    if (err) {
        sql_close(&s->base);
        return err;
    }
    *ret = &s->base;
    return 0;
}

/* --- topics and subscriptions ----------------------------------------------------------------- */

static void sql_put_topic(struct topic_store *base, const struct topic_row *t)
{
    struct topic_sqlite *s = topic_sqlite_of(base);
    sqlite3_stmt *stmt = store_write(s->store, &s->topic_put);
    store_bind_u64(stmt, 1, t->id);
    store_bind_str(stmt, 2, t->arn);
    store_bind_str(stmt, 3, t->attributes);
    sqlite3_bind_int64(stmt, 4, t->created_ms);
    store_run(s->store, stmt);
}

static void sql_delete_topic(struct topic_store *base, u64 id)
{
    struct topic_sqlite *s = topic_sqlite_of(base);
    store_delete_row(s->store, &s->topic_delete, id);
}

static void sql_put_sub(struct topic_store *base, const struct sub_row *u)
{
    struct topic_sqlite *s = topic_sqlite_of(base);
    sqlite3_stmt *stmt = store_write(s->store, &s->sub_put);
    store_bind_u64(stmt, 1, u->id);
    store_bind_u64(stmt, 2, u->topic);
    store_bind_str(stmt, 3, u->arn);
    store_bind_str(stmt, 4, u->protocol);
    store_bind_str(stmt, 5, u->endpoint);
    store_bind_str(stmt, 6, u->owner);
    store_bind_str(stmt, 7, u->attributes);
    sqlite3_bind_int64(stmt, 8, u->created_ms);
    store_run(s->store, stmt);
}

static void sql_delete_sub(struct topic_store *base, u64 id)
{
    struct topic_sqlite *s = topic_sqlite_of(base);
    store_delete_row(s->store, &s->sub_delete, id);
}

/* A walk over the rows of one kind, for the caller's function. */
struct sql_walk {
    int (*on_topic)(void *arg, const struct topic_row *t);
    int (*on_sub)(void *arg, const struct sub_row *u);
    int (*on_queued)(void *arg, const struct queued_row *q);
    int (*on_home)(void *arg, str queue_arn, u64 queued);
    int (*on_fifo)(void *arg, const struct fifo_row *r);
    void *arg;
};

static int sql_topic_row(void *arg, sqlite3_stmt *stmt)
{
    const struct sql_walk *w = arg;
    return w->on_topic(w->arg, &(struct topic_row){
                                   .id = store_column_u64(stmt, 0),
                                   .arn = store_column_str(stmt, 1),
                                   .attributes = store_column_str(stmt, 2),
                                   .created_ms = sqlite3_column_int64(stmt, 3),
                               });
}

static int sql_sub_row(void *arg, sqlite3_stmt *stmt)
{
    const struct sql_walk *w = arg;
    return w->on_sub(w->arg, &(struct sub_row){
                                 .id = store_column_u64(stmt, 0),
                                 .topic = store_column_u64(stmt, 1),
                                 .arn = store_column_str(stmt, 2),
                                 .protocol = store_column_str(stmt, 3),
                                 .endpoint = store_column_str(stmt, 4),
                                 .owner = store_column_str(stmt, 5),
                                 .attributes = store_column_str(stmt, 6),
                                 .created_ms = sqlite3_column_int64(stmt, 7),
                             });
}

static int sql_load(struct topic_store *base, int (*on_topic)(void *arg, const struct topic_row *t),
                    int (*on_sub)(void *arg, const struct sub_row *u), void *arg)
{
    struct topic_sqlite *s = topic_sqlite_of(base);
    struct sql_walk w = {.on_topic = on_topic, .on_sub = on_sub, .arg = arg};
    int err = store_each_row(s->store, s->topic_load, sql_topic_row, &w);
    return err < 0 ? err : store_each_row(s->store, s->sub_load, sql_sub_row, &w);
}

/* --- queueds ---------------------------------------------------------------------------------- */

static void sql_put_queued(struct topic_store *base, const struct queued_row *q)
{
    struct topic_sqlite *s = topic_sqlite_of(base);
    sqlite3_stmt *stmt = store_write(s->store, &s->queued_put);
    store_bind_u64(stmt, 1, q->id);
    store_bind_str(stmt, 2, q->name);
    store_bind_str(stmt, 3, q->url);
    store_run(s->store, stmt);
}

static void sql_delete_queued(struct topic_store *base, u64 id)
{
    struct topic_sqlite *s = topic_sqlite_of(base);
    store_delete_row(s->store, &s->queued_delete, id);
}

static void sql_change_owner(struct topic_sqlite *s, sqlite3_stmt **slot, u64 from, u64 to)
{
    sqlite3_stmt *stmt = store_write(s->store, slot);
    store_bind_u64(stmt, 1, from);
    store_bind_u64(stmt, 2, to);
    store_run(s->store, stmt);
}

static void sql_merge_queued(struct topic_store *base, u64 from, u64 to)
{
    struct topic_sqlite *s = topic_sqlite_of(base);
    sql_change_owner(s, &s->outbox_merge, from, to);
    sql_change_owner(s, &s->home_merge, from, to);
    store_delete_row(s->store, &s->queued_delete, from);
}

static int sql_queued_row(void *arg, sqlite3_stmt *stmt)
{
    const struct sql_walk *w = arg;
    return w->on_queued(w->arg, &(struct queued_row){
                                    .id = store_column_u64(stmt, 0),
                                    .name = store_column_str(stmt, 1),
                                    .url = store_column_str(stmt, 2),
                                });
}

static int sql_load_queueds(struct topic_store *base,
                            int (*on_queued)(void *arg, const struct queued_row *q), void *arg)
{
    struct topic_sqlite *s = topic_sqlite_of(base);
    struct sql_walk w = {.on_queued = on_queued, .arg = arg};
    return store_each_row(s->store, s->queued_load, sql_queued_row, &w);
}

/* --- outboxes --------------------------------------------------------------------------------- */

static void sql_outbox_add(struct topic_store *base, const struct outbox_row *r)
{
    struct topic_sqlite *s = topic_sqlite_of(base);
    sqlite3_stmt *stmt = store_write(s->store, &s->outbox_add);
    store_bind_u64(stmt, 1, r->id);
    store_bind_u64(stmt, 2, r->queued);
    store_bind_u64(stmt, 3, r->attempt);
    store_bind_bytes(stmt, 4, r->frame);
    store_run(s->store, stmt);
}

static void sql_outbox_range(sqlite3_stmt *stmt, u64 queued, u64 after, u64 up_to)
{
    store_bind_u64(stmt, 1, queued);
    store_bind_u64(stmt, 2, MIN(after, (u64)INT64_MAX));
    store_bind_u64(stmt, 3, MIN(up_to, (u64)INT64_MAX));
}

/* Counts the rows in the range; false when there are none. */
static bool sql_outbox_count(struct topic_sqlite *s, struct topic_outbox *o, u64 after, u64 up_to)
{
    u64 frames = 0, bytes = 0;
    store_begin(s->store); /* a count that fails is the turn's failure */
    sql_outbox_range(s->outbox_sum, o->queued, after, up_to);
    if (store_row(s->store, s->outbox_sum) == 1) {
        frames = store_column_u64(s->outbox_sum, 0);
        bytes = (u64)sqlite3_column_double(s->outbox_sum, 1);
        store_row_end(s->outbox_sum);
    }
    topic_store_outbox_gone(&s->base, o->queued, frames, bytes);
    return frames > 0;
}

static void sql_outbox_set(struct topic_store *base, struct topic_outbox *o, u64 id, str frame)
{
    struct topic_sqlite *s = topic_sqlite_of(base);
    sql_outbox_count(s, o, id - 1, id);
    sqlite3_stmt *stmt = store_write(s->store, &s->outbox_set);
    store_bind_u64(stmt, 1, id);
    store_bind_bytes(stmt, 2, frame);
    store_run(s->store, stmt);
}

static void sql_outbox_acked(struct topic_store *base, struct topic_outbox *o, u64 after, u64 up_to)
{
    struct topic_sqlite *s = topic_sqlite_of(base);
    if (!sql_outbox_count(s, o, after, up_to))
        return;
    sqlite3_stmt *stmt = store_write(s->store, &s->outbox_delete);
    store_freed(s->store);
    sql_outbox_range(stmt, o->queued, after, up_to);
    store_run(s->store, stmt);
}

static void sql_outbox_read(struct topic_store *base, u64 queued, struct outbox_read *r)
{
    struct topic_sqlite *s = topic_sqlite_of(base);
    sqlite3_stmt *stmt = s->outbox_read;
    u64 bytes = 0;
    int found = 0;
    sql_outbox_range(stmt, queued, r->after, r->through);
    for (u32 n = 0; n < r->frames_max && bytes < r->bytes_max; n++) {
        found = store_read(s->store, stmt);
        if (found <= 0)
            break;
        struct outbox_row row = {
            .id = store_column_u64(stmt, 0),
            .queued = queued,
            .attempt = (u32)store_column_u64(stmt, 1),
            .frame = store_column_str(stmt, 2),
        };
        bytes += row.frame.n;
        r->row(r, &row);
    }
    store_row_end(stmt);
    r->done(r, MIN(found, 0));
}

static int sql_load_outboxes(struct topic_store *base, struct topic_store *into)
{
    struct topic_sqlite *s = topic_sqlite_of(base);
    sqlite3_stmt *stmt = s->outbox_load;
    int row;
    while ((row = store_row(s->store, stmt)) == 1)
        topic_store_hold_outbox(into, &(struct topic_outbox){
                                          .queued = store_column_u64(stmt, 0),
                                          .frames = store_column_u64(stmt, 1),
                                          .bytes = (u64)sqlite3_column_double(stmt, 2),
                                          .last = store_column_u64(stmt, 3),
                                      });
    return row;
}

/* --- homes of queues -------------------------------------------------------------------------- */

static void sql_put_home(struct topic_store *base, str queue_arn, u64 queued)
{
    struct topic_sqlite *s = topic_sqlite_of(base);
    sqlite3_stmt *stmt = store_write(s->store, &s->home_put);
    store_bind_str(stmt, 1, queue_arn);
    store_bind_u64(stmt, 2, queued);
    store_run(s->store, stmt);
}

static void sql_delete_home(struct topic_store *base, str queue_arn)
{
    struct topic_sqlite *s = topic_sqlite_of(base);
    sqlite3_stmt *stmt = store_write(s->store, &s->home_delete);
    store_bind_str(stmt, 1, queue_arn);
    store_run(s->store, stmt);
}

static void sql_clear_homes(struct topic_store *base)
{
    struct topic_sqlite *s = topic_sqlite_of(base);
    store_run(s->store, store_write(s->store, &s->home_clear));
}

static int sql_home_row(void *arg, sqlite3_stmt *stmt)
{
    const struct sql_walk *w = arg;
    return w->on_home(w->arg, store_column_str(stmt, 0), store_column_u64(stmt, 1));
}

static int sql_load_homes(struct topic_store *base,
                          int (*on_home)(void *arg, str queue_arn, u64 queued), void *arg)
{
    struct topic_sqlite *s = topic_sqlite_of(base);
    struct sql_walk w = {.on_home = on_home, .arg = arg};
    return store_each_row(s->store, s->home_load, sql_home_row, &w);
}

/* --- FIFO topics ------------------------------------------------------------------------------ */

static void sql_put_dedup(struct topic_store *base, const struct fifo_row *r)
{
    struct topic_sqlite *s = topic_sqlite_of(base);
    sqlite3_stmt *stmt = store_write(s->store, &s->dedup_put);
    store_bind_u64(stmt, 1, r->sequence);
    store_bind_bytes(stmt, 2, r->key);
    store_bind_str(stmt, 3, r->message_id);
    sqlite3_bind_int64(stmt, 4, r->sent_ms);
    store_run(s->store, stmt);
}

static void sql_delete_dedups(struct topic_store *base, u64 up_to)
{
    struct topic_sqlite *s = topic_sqlite_of(base);
    store_delete_row(s->store, &s->dedup_delete, up_to);
}

static int sql_fifo_row(void *arg, sqlite3_stmt *stmt)
{
    const struct sql_walk *w = arg;
    return w->on_fifo(w->arg, &(struct fifo_row){
                                  .sequence = store_column_u64(stmt, 0),
                                  .key = store_column_str(stmt, 1),
                                  .message_id = store_column_str(stmt, 2),
                                  .sent_ms = sqlite3_column_int64(stmt, 3),
                              });
}

static int sql_load_dedups(struct topic_store *base,
                           int (*on_row)(void *arg, const struct fifo_row *r), void *arg)
{
    struct topic_sqlite *s = topic_sqlite_of(base);
    struct sql_walk w = {.on_fifo = on_row, .arg = arg};
    return store_each_row(s->store, s->dedup_load, sql_fifo_row, &w);
}

/* --- assets ----------------------------------------------------------------------------------- */

static void sql_put_asset(struct topic_store *base, const struct asset_row *r)
{
    struct topic_sqlite *s = topic_sqlite_of(base);
    sqlite3_stmt *stmt = store_write(s->store, &s->asset_put);
    store_bind_u64(stmt, 1, r->id);
    store_bind_u64(stmt, 2, r->kind);
    store_bind_str(stmt, 3, r->group);
    store_bind_str(stmt, 4, r->name);
    store_bind_str(stmt, 5, r->alias);
    store_bind_str(stmt, 6, r->value);
    store_run(s->store, stmt);
}

static void sql_delete_asset(struct topic_store *base, u64 id)
{
    struct topic_sqlite *s = topic_sqlite_of(base);
    store_delete_row(s->store, &s->asset_delete, id);
}

static int sql_load_assets(struct topic_store *base, u32 first, u32 last,
                           int (*on_row)(void *arg, const struct asset_row *r), void *arg)
{
    struct topic_sqlite *s = topic_sqlite_of(base);
    sqlite3_stmt *stmt = s->asset_load;
    int row, err = 0;
    store_bind_u64(stmt, 1, first);
    store_bind_u64(stmt, 2, last);
    while (err >= 0 && (row = store_row(s->store, stmt)) != 0) {
        if (row < 0)
            return row;
        struct asset_row r = {
            .id = store_column_u64(stmt, 0),
            .kind = (u32)store_column_u64(stmt, 1),
            .group = store_column_str(stmt, 2),
            .name = store_column_str(stmt, 3),
            .alias = store_column_str(stmt, 4),
            .value = store_column_str(stmt, 5),
        };
        err = on_row(arg, &r);
    }
    store_row_end(stmt);
    return MIN(err, 0);
}

static const struct topic_store_ops sqlite_ops = {
    .put_topic = sql_put_topic,
    .delete_topic = sql_delete_topic,
    .put_sub = sql_put_sub,
    .delete_sub = sql_delete_sub,
    .load = sql_load,
    .put_queued = sql_put_queued,
    .delete_queued = sql_delete_queued,
    .merge_queued = sql_merge_queued,
    .load_queueds = sql_load_queueds,
    .outbox_add = sql_outbox_add,
    .outbox_set = sql_outbox_set,
    .outbox_acked = sql_outbox_acked,
    .outbox_read = sql_outbox_read,
    .load_outboxes = sql_load_outboxes,
    .put_home = sql_put_home,
    .delete_home = sql_delete_home,
    .clear_homes = sql_clear_homes,
    .load_homes = sql_load_homes,
    .put_dedup = sql_put_dedup,
    .delete_dedups = sql_delete_dedups,
    .load_dedups = sql_load_dedups,
    .put_asset = sql_put_asset,
    .delete_asset = sql_delete_asset,
    .load_assets = sql_load_assets,
    .close = sql_close,
};
