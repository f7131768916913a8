/* Every SQL sentence of topicd: its store on SQLite. See topic_store.h for the tables' meaning.
 *
 * The outbox's rows lie in the order of arrival, as all rows of toque, and are found by their
 * queued's number and their sequence. */
#include "topicd/topic_store.h"

#include "common/base/mem.h"
#include "common/io/store_engine.h"
#include "common/io/store_row.h"

#define TOPIC_STORE_KIND     0x746f7174 /* "toqt" */
#define TOPIC_STORE_FILE     "topicd.db"
#define WAL_CHECKPOINT_BYTES (8u << 20)
#define WAL_SIZE_MAX         (64u << 20)

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
};

static const struct topic_store_ops sqlite_ops;

struct topic_sqlite {
    struct topic_store base;
    struct store_engine sql;
    struct store *store; /* of sql */
    sqlite3_stmt *topic_put, *topic_delete, *topic_load;
    sqlite3_stmt *sub_put, *sub_delete, *sub_load;
    sqlite3_stmt *queued_find, *queued_add;
    sqlite3_stmt *outbox_add, *outbox_sum, *outbox_delete, *outbox_read, *outbox_load;
    sqlite3_stmt *home_put, *home_delete, *home_clear, *home_load;
};

static struct topic_sqlite *topic_sqlite_of(struct topic_store *s)
{
    return container_of(s, struct topic_sqlite, base);
}

/* --- opening ---------------------------------------------------------------------------------- */

static void sql_prepare_outbox(struct topic_sqlite *s)
{
    struct store *st = s->store;
    store_prepare(st, &s->queued_find, "SELECT id FROM queued WHERE address=?1");
    store_prepare(st, &s->queued_add, "INSERT INTO queued(address) VALUES(?1)");
    store_prepare(st, &s->outbox_add, "INSERT INTO outbox(queued,sequence,frame) VALUES(?1,?2,?3)");
    store_prepare(
        st, &s->outbox_sum,
        "SELECT count(*),total(length(frame)) FROM outbox WHERE queued=?1 AND sequence<=?2");
    store_prepare(st, &s->outbox_delete, "DELETE FROM outbox WHERE queued=?1 AND sequence<=?2");
    store_prepare(st, &s->outbox_read,
                  "SELECT sequence,frame FROM outbox WHERE queued=?1 AND sequence>?2"
                  " AND sequence<=?3 ORDER BY sequence");
    store_prepare(st, &s->outbox_load,
                  "SELECT q.address,q.id,count(o.id),total(length(o.frame)),max(o.sequence)"
                  " FROM queued q JOIN outbox o ON o.queued=q.id GROUP BY q.id");
    store_prepare(st, &s->home_put, "INSERT OR REPLACE INTO home(queue,queued) VALUES(?1,?2)");
    store_prepare(st, &s->home_delete, "DELETE FROM home WHERE queue=?1");
    store_prepare(st, &s->home_clear, "DELETE FROM home");
    store_prepare(st, &s->home_load, "SELECT queue,queued FROM home");
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

static int sql_open(struct topic_sqlite *s, const struct store_conf *conf, struct fault *f)
{
    int err = store_engine_open(&s->sql, &s->base.engine, conf, f);
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
    char *path = mem_printf("%s/" TOPIC_STORE_FILE, o->dir);
    struct store_conf conf = {
        .path = path,
        .kind = TOPIC_STORE_KIND,
        .durability = o->durability,
        .cache_kib = o->cache_kib,
        .clock = o->clock,
        .ids = o->ids,
        .wal_checkpoint_bytes = WAL_CHECKPOINT_BYTES,
        .wal_size_max = WAL_SIZE_MAX,
        .migrations = migrations,
        .migration_count = ARRAY_LEN(migrations),
    };
    int err = sql_open(s, &conf, f);
    if (!err && topic_store_init(&s->base, &sqlite_ops))
        err = store_engine_failed(&s->sql, E_IO, f);
    mem_free(path);
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

static void sql_delete(struct topic_sqlite *s, sqlite3_stmt **slot, u64 id)
{
    sqlite3_stmt *stmt = store_write(s->store, slot);
    store_freed(s->store);
    store_bind_u64(stmt, 1, id);
    store_run(s->store, stmt);
}

static void sql_delete_topic(struct topic_store *base, u64 id)
{
    struct topic_sqlite *s = topic_sqlite_of(base);
    sql_delete(s, &s->topic_delete, id);
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
    sql_delete(s, &s->sub_delete, id);
}

static int sql_load_topics(struct topic_sqlite *s,
                           int (*on_topic)(void *arg, const struct topic_row *t), void *arg)
{
    sqlite3_stmt *stmt = s->topic_load;
    int row, err = 0;
    while (err >= 0 && (row = store_row(s->store, stmt)) != 0) {
        if (row < 0)
            return row;
        struct topic_row t = {
            .id = store_column_u64(stmt, 0),
            .arn = store_column_str(stmt, 1),
            .attributes = store_column_str(stmt, 2),
            .created_ms = sqlite3_column_int64(stmt, 3),
        };
        err = on_topic(arg, &t);
    }
    store_row_end(stmt);
    return MIN(err, 0);
}

static int sql_load_subs(struct topic_sqlite *s, int (*on_sub)(void *arg, const struct sub_row *u),
                         void *arg)
{
    sqlite3_stmt *stmt = s->sub_load;
    int row, err = 0;
    while (err >= 0 && (row = store_row(s->store, stmt)) != 0) {
        if (row < 0)
            return row;
        struct sub_row u = {
            .id = store_column_u64(stmt, 0),
            .topic = store_column_u64(stmt, 1),
            .arn = store_column_str(stmt, 2),
            .protocol = store_column_str(stmt, 3),
            .endpoint = store_column_str(stmt, 4),
            .owner = store_column_str(stmt, 5),
            .attributes = store_column_str(stmt, 6),
            .created_ms = sqlite3_column_int64(stmt, 7),
        };
        err = on_sub(arg, &u);
    }
    store_row_end(stmt);
    return MIN(err, 0);
}

static int sql_load(struct topic_store *base, int (*on_topic)(void *arg, const struct topic_row *t),
                    int (*on_sub)(void *arg, const struct sub_row *u), void *arg)
{
    struct topic_sqlite *s = topic_sqlite_of(base);
    int err = sql_load_topics(s, on_topic, arg);
    return err < 0 ? err : sql_load_subs(s, on_sub, arg);
}

/* --- the outbox ------------------------------------------------------------------------------- */

/* The number of the queued's rows, given when its first one is put. */
static int sql_outbox_row(struct topic_sqlite *s, struct topic_outbox *o)
{
    store_bind_str(s->queued_find, 1, str_of(o->queued));
    int row = store_row(s->store, s->queued_find);
    if (row == 1) {
        o->row = sqlite3_column_int64(s->queued_find, 0);
        store_row_end(s->queued_find);
    }
    return row;
}

static int sql_outbox_open(struct topic_sqlite *s, struct topic_outbox *o)
{
    if (o->row)
        return 1;
    int row = sql_outbox_row(s, o);
    if (row)
        return row;
    store_bind_str(s->queued_add, 1, str_of(o->queued));
    int err = store_run(s->store, s->queued_add);
    return err ? err : sql_outbox_row(s, o);
}

static void sql_outbox_add(struct topic_store *base, struct topic_outbox *o, u64 sequence,
                           str frame)
{
    struct topic_sqlite *s = topic_sqlite_of(base);
    store_begin(s->store);
    if (sql_outbox_open(s, o) != 1)
        return; /* remembered: the turn fails */
    sqlite3_bind_int64(s->outbox_add, 1, o->row);
    store_bind_u64(s->outbox_add, 2, sequence);
    store_bind_bytes(s->outbox_add, 3, frame);
    store_run(s->store, s->outbox_add);
}

static void sql_outbox_acked(struct topic_store *base, struct topic_outbox *o, u64 sequence)
{
    struct topic_sqlite *s = topic_sqlite_of(base);
    u64 frames = 0, bytes = 0;
    sqlite3_bind_int64(s->outbox_sum, 1, o->row);
    store_bind_u64(s->outbox_sum, 2, sequence);
    if (store_row(s->store, s->outbox_sum) == 1) {
        frames = store_column_u64(s->outbox_sum, 0);
        bytes = (u64)sqlite3_column_double(s->outbox_sum, 1);
        store_row_end(s->outbox_sum);
    }
    if (!frames)
        return;
    store_begin(s->store);
    store_freed(s->store);
    sqlite3_bind_int64(s->outbox_delete, 1, o->row);
    store_bind_u64(s->outbox_delete, 2, sequence);
    store_run(s->store, s->outbox_delete);
    topic_store_outbox_gone(base, str_of(o->queued), frames, bytes);
}

static void sql_outbox_read(struct topic_store *base, const struct topic_outbox *o,
                            struct outbox_read *r)
{
    struct topic_sqlite *s = topic_sqlite_of(base);
    sqlite3_stmt *stmt = s->outbox_read;
    u64 bytes = 0;
    int row = 0;
    sqlite3_bind_int64(stmt, 1, o->row);
    store_bind_u64(stmt, 2, MIN(r->after, (u64)INT64_MAX));
    store_bind_u64(stmt, 3, MIN(r->through, (u64)INT64_MAX));
    for (u32 n = 0; n < r->frames_max && bytes < r->bytes_max; n++) {
        row = store_read(s->store, stmt);
        if (row <= 0)
            break;
        str frame = store_column_str(stmt, 1);
        bytes += frame.n;
        r->frame(r, store_column_u64(stmt, 0), frame);
    }
    store_row_end(stmt);
    r->done(r, MIN(row, 0));
}

static int sql_load_outboxes(struct topic_store *base, struct topic_store *into)
{
    struct topic_sqlite *s = topic_sqlite_of(base);
    sqlite3_stmt *stmt = s->outbox_load;
    int row;
    while ((row = store_row(s->store, stmt)) == 1)
        topic_store_hold_outbox(into, store_column_str(stmt, 0),
                                (struct topic_outbox){
                                    .row = sqlite3_column_int64(stmt, 1),
                                    .frames = store_column_u64(stmt, 2),
                                    .bytes = (u64)sqlite3_column_double(stmt, 3),
                                    .last = store_column_u64(stmt, 4),
                                });
    return row;
}

/* --- homes of queues -------------------------------------------------------------------------- */

static void sql_put_home(struct topic_store *base, str queue_arn, str queued)
{
    struct topic_sqlite *s = topic_sqlite_of(base);
    store_begin(s->store);
    store_bind_str(s->home_put, 1, queue_arn);
    store_bind_str(s->home_put, 2, queued);
    store_run(s->store, s->home_put);
}

static void sql_delete_home(struct topic_store *base, str queue_arn)
{
    struct topic_sqlite *s = topic_sqlite_of(base);
    store_begin(s->store);
    store_bind_str(s->home_delete, 1, queue_arn);
    store_run(s->store, s->home_delete);
}

static void sql_clear_homes(struct topic_store *base)
{
    struct topic_sqlite *s = topic_sqlite_of(base);
    store_begin(s->store);
    store_run(s->store, s->home_clear);
}

static int sql_load_homes(struct topic_store *base,
                          int (*on_home)(void *arg, str queue_arn, str queued), void *arg)
{
    struct topic_sqlite *s = topic_sqlite_of(base);
    int row, err = 0;
    while (err >= 0 && (row = store_row(s->store, s->home_load)) != 0) {
        if (row < 0)
            return row;
        err = on_home(arg, store_column_str(s->home_load, 0), store_column_str(s->home_load, 1));
    }
    store_row_end(s->home_load);
    return MIN(err, 0);
}

static const struct topic_store_ops sqlite_ops = {
    .put_topic = sql_put_topic,
    .delete_topic = sql_delete_topic,
    .put_sub = sql_put_sub,
    .delete_sub = sql_delete_sub,
    .load = sql_load,
    .outbox_add = sql_outbox_add,
    .outbox_acked = sql_outbox_acked,
    .outbox_read = sql_outbox_read,
    .load_outboxes = sql_load_outboxes,
    .put_home = sql_put_home,
    .delete_home = sql_delete_home,
    .clear_homes = sql_clear_homes,
    .load_homes = sql_load_homes,
    .close = sql_close,
};
