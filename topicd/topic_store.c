/* Every SQL sentence of topicd. See topic_store.h for the tables' meaning.
 *
 * The outbox's rows lie in the order of arrival, as all rows of toque, and are found by their
 * queued's number and their sequence. What waits for each queued is counted in memory: summed when
 * it is first asked for, and again after a failed turn.
 *
 * Ids of topics and subscriptions are never given twice: meta `topic_id` and `sub_id` are above
 * every one stored, raised by many at a time in the transaction of the row that reached them. */
#include "topicd/topic_store.h"

#include <sqlite3.h>

#include "common/base/clock.h"
#include "common/base/id.h"
#include "common/base/mem.h"

#define TOPIC_STORE_KIND 0x746f7174 /* "toqt" */
#define TOPIC_STORE_FILE "topicd.db"
/* Ids are given out of a reserve of so many; what a crash leaves of it is never used. */
#define ID_RESERVE           10000
#define EPOCH_BEGIN_MS       INT64_C(1577836800000)
#define EPOCH_MAX            (INT64_C(1) << TOPIC_STORE_EPOCH_BITS)
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

/* Ids that only grow. */
struct id_series {
    const char *key; /* in meta */
    u64 next;        /* above every id seen */
    u64 limit;       /* as in meta, or 0 when a failed turn may have taken it back */
};

/* What waits for one queued. */
struct outbox {
    char *address;
    i64 id;
    u64 frames, bytes;
};

struct topic_store {
    struct store *store;
    char instance[ID_UUID_SIZE];
    u64 epoch;
    struct id_series topic_ids, sub_ids;
    struct outbox *outboxes; /* as far as they were asked for; few */
    u32 outbox_count;
    sqlite3_stmt *meta_get, *meta_set;
    sqlite3_stmt *topic_put, *topic_delete, *topic_load;
    sqlite3_stmt *sub_put, *sub_delete, *sub_delete_of, *sub_load;
    sqlite3_stmt *queued_find, *queued_add;
    sqlite3_stmt *outbox_add, *outbox_sum, *outbox_delete, *outbox_next;
    sqlite3_stmt *home_put, *home_delete, *home_clear, *home_load;
};

static void bind_str(sqlite3_stmt *stmt, int at, str s)
{
    sqlite3_bind_text64(stmt, at, s.n ? s.p : "", s.n, SQLITE_STATIC, SQLITE_UTF8);
}

static str column_str(sqlite3_stmt *stmt, int at)
{
    int n = sqlite3_column_bytes(stmt, at); /* the text is UTF-8 already: this converts nothing */
    return n ? str_from(sqlite3_column_blob(stmt, at), (size_t)n) : STR("");
}

/* --- opening ---------------------------------------------------------------------------------- */

static void prepare_outbox(struct topic_store *s)
{
    struct store *st = s->store;
    store_prepare(st, &s->queued_find, "SELECT id FROM queued WHERE address=?1");
    store_prepare(st, &s->queued_add, "INSERT INTO queued(address) VALUES(?1)");
    store_prepare(st, &s->outbox_add, "INSERT INTO outbox(queued,sequence,frame) VALUES(?1,?2,?3)");
    store_prepare(
        st, &s->outbox_sum,
        "SELECT count(*),total(length(frame)) FROM outbox WHERE queued=?1 AND sequence<=?2");
    store_prepare(st, &s->outbox_delete, "DELETE FROM outbox WHERE queued=?1 AND sequence<=?2");
    store_prepare(st, &s->outbox_next,
                  "SELECT sequence,frame FROM outbox WHERE queued=?1 AND sequence>?2"
                  " ORDER BY sequence LIMIT 1");
    store_prepare(st, &s->home_put, "INSERT OR REPLACE INTO home(queue,queued) VALUES(?1,?2)");
    store_prepare(st, &s->home_delete, "DELETE FROM home WHERE queue=?1");
    store_prepare(st, &s->home_clear, "DELETE FROM home");
    store_prepare(st, &s->home_load, "SELECT queue,queued FROM home");
}

static void prepare_all(struct topic_store *s)
{
    struct store *st = s->store;
    store_prepare(st, &s->meta_get, "SELECT value FROM meta WHERE key=?1");
    store_prepare(st, &s->meta_set, "INSERT OR REPLACE INTO meta(key,value) VALUES(?1,?2)");
    store_prepare(st, &s->topic_put,
                  "INSERT OR REPLACE INTO topic(id,arn,attributes,created_ms) VALUES(?1,?2,?3,?4)");
    store_prepare(st, &s->topic_delete, "DELETE FROM topic WHERE id=?1");
    store_prepare(st, &s->topic_load, "SELECT id,arn,attributes,created_ms FROM topic ORDER BY id");
    store_prepare(st, &s->sub_put,
                  "INSERT OR REPLACE INTO subscription(id,topic,arn,protocol,endpoint,owner,"
                  "attributes,created_ms) VALUES(?1,?2,?3,?4,?5,?6,?7,?8)");
    store_prepare(st, &s->sub_delete, "DELETE FROM subscription WHERE id=?1");
    store_prepare(st, &s->sub_delete_of, "DELETE FROM subscription WHERE topic=?1");
    store_prepare(st, &s->sub_load,
                  "SELECT id,topic,arn,protocol,endpoint,owner,attributes,created_ms"
                  " FROM subscription ORDER BY id");
    prepare_outbox(s);
}

/* Made once, at creation; read at every later open. */
static int instance_read(struct topic_store *s)
{
    struct id_source source;
    bind_str(s->meta_get, 1, STR("instance"));
    int row = store_row(s->store, s->meta_get);
    if (row < 0)
        return row;
    if (row == 1) {
        str value = column_str(s->meta_get, 0);
        bool whole = value.n == ID_UUID_SIZE - 1;
        if (whole)
            memcpy(s->instance, value.p, value.n);
        store_row_end(s->meta_get);
        return whole ? 0 : E_INVALID;
    }
    id_init(&source, 0);
    id_uuid(&source, s->instance);
    store_begin(s->store);
    bind_str(s->meta_set, 1, STR("instance"));
    bind_str(s->meta_set, 2, str_of(s->instance));
    return store_run(s->store, s->meta_set);
}

static int series_read(struct topic_store *s, struct id_series *ids, const char *key)
{
    i64 limit = 1;
    int err = topic_store_meta_get(s, key, &limit);
    ids->key = key;
    ids->limit = limit > 0 ? (u64)limit : 1;
    ids->next = ids->limit;
    return err == E_NOT_FOUND ? 0 : err;
}

/* Milliseconds since the beginning of 2020, by the real clock. */
static i64 epoch_of_now(void)
{
    struct clock real;
    clock_init(&real, false);
    i64 ms = real.now_ms - EPOCH_BEGIN_MS;
    return ms < EPOCH_MAX ? ms : 0;
}

/* Takes the next epoch, durably whatever the durability asked for: sequences that were used before
 * a loss of power must not be used again, or what carries them would be taken for old. */
static int epoch_take(struct topic_store *s)
{
    u64 ticket;
    i64 epoch = 0;
    int err = topic_store_meta_get(s, "epoch", &epoch);
    if (err && err != E_NOT_FOUND)
        return err;
    if (epoch < 0 || epoch >= EPOCH_MAX)
        return E_INVALID;
    s->epoch = (u64)MAX(epoch + 1, epoch_of_now());
    topic_store_meta_set(s, "epoch", (i64)s->epoch);
    err = store_commit(s->store, &ticket);
    return err ? err : store_sync(s->store);
}

static int open_steps(struct topic_store *s, const char *path, struct fault *f)
{
    prepare_all(s);
    int err = instance_read(s);
    if (!err)
        err = series_read(s, &s->topic_ids, "topic_id");
    if (!err)
        err = series_read(s, &s->sub_ids, "sub_id");
    if (!err)
        err = epoch_take(s);
    if (err && *topic_store_error(s))
        fault_set(f, err, "%s", topic_store_error(s));
    else if (err)
        fault_set(f, err, "%s: %s", path, err_text(err));
    return err;
}

int topic_store_open(struct topic_store **ret, const char *dir, enum store_durability durability,
                     u32 cache_kib, struct fault *f)
{
    struct topic_store *s = mem_alloc(sizeof(*s));
    char *path = mem_printf("%s/" TOPIC_STORE_FILE, dir);
    struct store_conf conf = {
        .path = path,
        .kind = TOPIC_STORE_KIND,
        .durability = durability,
        .cache_kib = cache_kib,
        .wal_checkpoint_bytes = WAL_CHECKPOINT_BYTES,
        .wal_size_max = WAL_SIZE_MAX,
        .migrations = migrations,
        .migration_count = ARRAY_LEN(migrations),
    };
    int err = store_open(&s->store, &conf, f);
    if (!err)
        err = open_steps(s, path, f);
    mem_free(path);
    if (err) {
        store_close(s->store);
        mem_free(s);
        return err;
    }
    *ret = s;
    return 0;
}

static void outboxes_forget(struct topic_store *s)
{
    for (u32 i = 0; i < s->outbox_count; i++)
        mem_free(s->outboxes[i].address);
    mem_free(s->outboxes);
    s->outboxes = NULL;
    s->outbox_count = 0;
}

/* An orderly end gives the reserves of ids back. */
static void series_return(struct topic_store *s, struct id_series *ids)
{
    if (ids->limit != ids->next)
        topic_store_meta_set(s, ids->key, (i64)ids->next);
}

void topic_store_close(struct topic_store *s)
{
    u64 ticket;
    if (!s)
        return;
    store_rollback(s->store);
    series_return(s, &s->topic_ids);
    series_return(s, &s->sub_ids);
    if (store_commit(s->store, &ticket) != 0)
        store_rollback(s->store); /* then the reserves are skipped */
    outboxes_forget(s);
    store_close(s->store);
    mem_free(s);
}

const char *topic_store_instance(const struct topic_store *s)
{
    return s->instance;
}

u64 topic_store_epoch(const struct topic_store *s)
{
    return s->epoch;
}

const char *topic_store_error(const struct topic_store *s)
{
    return store_error(s->store);
}

/* --- small values and ids --------------------------------------------------------------------- */

int topic_store_meta_get(struct topic_store *s, const char *key, i64 *ret)
{
    bind_str(s->meta_get, 1, str_of(key));
    int row = store_row(s->store, s->meta_get);
    if (row <= 0)
        return row ? row : E_NOT_FOUND;
    *ret = sqlite3_column_int64(s->meta_get, 0);
    store_row_end(s->meta_get);
    return 0;
}

void topic_store_meta_set(struct topic_store *s, const char *key, i64 value)
{
    store_begin(s->store);
    bind_str(s->meta_set, 1, str_of(key));
    sqlite3_bind_int64(s->meta_set, 2, value);
    store_run(s->store, s->meta_set);
}

u64 topic_store_next_topic_id(struct topic_store *s)
{
    return s->topic_ids.next;
}

u64 topic_store_next_sub_id(struct topic_store *s)
{
    return s->sub_ids.next;
}

static void note_id(struct topic_store *s, struct id_series *ids, u64 id)
{
    if (id >= ids->next)
        ids->next = id + 1;
    if (id >= ids->limit) {
        ids->limit = ids->next + ID_RESERVE;
        topic_store_meta_set(s, ids->key, (i64)ids->limit);
    }
}

/* --- topics and subscriptions ----------------------------------------------------------------- */

void topic_store_put_topic(struct topic_store *s, const struct topic_row *t)
{
    sqlite3_stmt *stmt = s->topic_put;
    store_begin(s->store);
    note_id(s, &s->topic_ids, t->id);
    sqlite3_bind_int64(stmt, 1, (i64)t->id);
    bind_str(stmt, 2, t->arn);
    bind_str(stmt, 3, t->attributes);
    sqlite3_bind_int64(stmt, 4, t->created_ms);
    store_run(s->store, stmt);
}

static void delete_with_id(struct topic_store *s, sqlite3_stmt *stmt, u64 id)
{
    store_begin(s->store);
    store_freed(s->store);
    sqlite3_bind_int64(stmt, 1, (i64)id);
    store_run(s->store, stmt);
}

void topic_store_delete_topic(struct topic_store *s, u64 id)
{
    delete_with_id(s, s->sub_delete_of, id);
    delete_with_id(s, s->topic_delete, id);
}

void topic_store_put_sub(struct topic_store *s, const struct sub_row *u)
{
    sqlite3_stmt *stmt = s->sub_put;
    store_begin(s->store);
    note_id(s, &s->sub_ids, u->id);
    sqlite3_bind_int64(stmt, 1, (i64)u->id);
    sqlite3_bind_int64(stmt, 2, (i64)u->topic);
    bind_str(stmt, 3, u->arn);
    bind_str(stmt, 4, u->protocol);
    bind_str(stmt, 5, u->endpoint);
    bind_str(stmt, 6, u->owner);
    bind_str(stmt, 7, u->attributes);
    sqlite3_bind_int64(stmt, 8, u->created_ms);
    store_run(s->store, stmt);
}

void topic_store_delete_sub(struct topic_store *s, u64 id)
{
    delete_with_id(s, s->sub_delete, id);
}

static int load_topics(struct topic_store *s, int (*on_topic)(void *arg, const struct topic_row *t),
                       void *arg)
{
    sqlite3_stmt *stmt = s->topic_load;
    int row, err = 0;
    while (err >= 0 && (row = store_row(s->store, stmt)) != 0) {
        if (row < 0)
            return row;
        struct topic_row t = {
            .id = (u64)sqlite3_column_int64(stmt, 0),
            .arn = column_str(stmt, 1),
            .attributes = column_str(stmt, 2),
            .created_ms = sqlite3_column_int64(stmt, 3),
        };
        err = on_topic(arg, &t);
    }
    store_row_end(stmt);
    return MIN(err, 0);
}

static int load_subs(struct topic_store *s, int (*on_sub)(void *arg, const struct sub_row *u),
                     void *arg)
{
    sqlite3_stmt *stmt = s->sub_load;
    int row, err = 0;
    while (err >= 0 && (row = store_row(s->store, stmt)) != 0) {
        if (row < 0)
            return row;
        struct sub_row u = {
            .id = (u64)sqlite3_column_int64(stmt, 0),
            .topic = (u64)sqlite3_column_int64(stmt, 1),
            .arn = column_str(stmt, 2),
            .protocol = column_str(stmt, 3),
            .endpoint = column_str(stmt, 4),
            .owner = column_str(stmt, 5),
            .attributes = column_str(stmt, 6),
            .created_ms = sqlite3_column_int64(stmt, 7),
        };
        err = on_sub(arg, &u);
    }
    store_row_end(stmt);
    return MIN(err, 0);
}

int topic_store_load(struct topic_store *s, int (*on_topic)(void *arg, const struct topic_row *t),
                     int (*on_sub)(void *arg, const struct sub_row *u), void *arg)
{
    int err = load_topics(s, on_topic, arg);
    return err < 0 ? err : load_subs(s, on_sub, arg);
}

/* --- the outbox ------------------------------------------------------------------------------- */

static int outbox_count_rows(struct topic_store *s, i64 id, u64 up_to, u64 *ret_frames,
                             u64 *ret_bytes)
{
    sqlite3_bind_int64(s->outbox_sum, 1, id);
    sqlite3_bind_int64(s->outbox_sum, 2, (i64)MIN(up_to, (u64)INT64_MAX));
    int row = store_row(s->store, s->outbox_sum);
    if (row <= 0)
        return row ? row : E_IO;
    *ret_frames = (u64)sqlite3_column_int64(s->outbox_sum, 0);
    *ret_bytes = (u64)sqlite3_column_double(s->outbox_sum, 1);
    store_row_end(s->outbox_sum);
    return 0;
}

static int queued_id(struct topic_store *s, str queued, i64 *ret)
{
    bind_str(s->queued_find, 1, queued);
    int row = store_row(s->store, s->queued_find);
    if (row <= 0)
        return row ? row : E_NOT_FOUND;
    *ret = sqlite3_column_int64(s->queued_find, 0);
    store_row_end(s->queued_find);
    return 0;
}

/* A queued that has, or had, an outbox; E_NOT_FOUND otherwise. The pointer holds until the next
 * call. */
static int outbox_find(struct topic_store *s, str queued, struct outbox **ret)
{
    struct outbox found;
    for (u32 i = 0; i < s->outbox_count; i++) {
        if (str_is(queued, s->outboxes[i].address)) {
            *ret = &s->outboxes[i];
            return 0;
        }
    }
    int err = queued_id(s, queued, &found.id);
    if (!err)
        err = outbox_count_rows(s, found.id, INT64_MAX, &found.frames, &found.bytes);
    if (err)
        return err;
    found.address = mem_dup(queued);
    s->outboxes = mem_grow(s->outboxes, (s->outbox_count + 1) * sizeof(*s->outboxes));
    s->outboxes[s->outbox_count] = found;
    *ret = &s->outboxes[s->outbox_count++];
    return 0;
}

void topic_store_outbox_add(struct topic_store *s, str queued, u64 sequence, str frame)
{
    struct outbox *o;
    assert(sequence <= INT64_MAX);
    store_begin(s->store);
    int err = outbox_find(s, queued, &o);
    if (err == E_NOT_FOUND) {
        bind_str(s->queued_add, 1, queued);
        err = store_run(s->store, s->queued_add);
        if (!err)
            err = outbox_find(s, queued, &o);
    }
    if (err)
        return; /* remembered: the turn fails */
    sqlite3_bind_int64(s->outbox_add, 1, o->id);
    sqlite3_bind_int64(s->outbox_add, 2, (i64)sequence);
    sqlite3_bind_blob64(s->outbox_add, 3, frame.n ? frame.p : "", frame.n, SQLITE_STATIC);
    store_run(s->store, s->outbox_add);
    o->frames++;
    o->bytes += frame.n;
}

void topic_store_outbox_acked(struct topic_store *s, str queued, u64 sequence)
{
    struct outbox *o;
    u64 frames, bytes;
    if (outbox_find(s, queued, &o) != 0 || o->frames == 0 ||
        outbox_count_rows(s, o->id, sequence, &frames, &bytes) != 0 || frames == 0)
        return;
    store_begin(s->store);
    store_freed(s->store);
    sqlite3_bind_int64(s->outbox_delete, 1, o->id);
    sqlite3_bind_int64(s->outbox_delete, 2, (i64)MIN(sequence, (u64)INT64_MAX));
    store_run(s->store, s->outbox_delete);
    o->frames -= frames;
    o->bytes -= bytes;
}

int topic_store_outbox_next(struct topic_store *s, str queued, u64 after, u64 *ret_sequence,
                            struct buf *out)
{
    struct outbox *o;
    int err = outbox_find(s, queued, &o);
    if (err)
        return err;
    if (o->frames == 0 || after >= INT64_MAX)
        return E_NOT_FOUND;
    sqlite3_bind_int64(s->outbox_next, 1, o->id);
    sqlite3_bind_int64(s->outbox_next, 2, (i64)after);
    int row = store_row(s->store, s->outbox_next);
    if (row <= 0)
        return row ? row : E_NOT_FOUND;
    *ret_sequence = (u64)sqlite3_column_int64(s->outbox_next, 0);
    buf_str(out, column_str(s->outbox_next, 1));
    store_row_end(s->outbox_next);
    return 0;
}

int topic_store_outbox_size(struct topic_store *s, str queued, u64 *ret_frames, u64 *ret_bytes)
{
    struct outbox *o;
    int err = outbox_find(s, queued, &o);
    if (err && err != E_NOT_FOUND)
        return err;
    *ret_frames = err ? 0 : o->frames;
    *ret_bytes = err ? 0 : o->bytes;
    return 0;
}

/* --- homes of queues -------------------------------------------------------------------------- */

void topic_store_put_home(struct topic_store *s, str queue_arn, str queued)
{
    store_begin(s->store);
    bind_str(s->home_put, 1, queue_arn);
    bind_str(s->home_put, 2, queued);
    store_run(s->store, s->home_put);
}

void topic_store_delete_home(struct topic_store *s, str queue_arn)
{
    store_begin(s->store);
    bind_str(s->home_delete, 1, queue_arn);
    store_run(s->store, s->home_delete);
}

void topic_store_clear_homes(struct topic_store *s)
{
    store_begin(s->store);
    store_run(s->store, s->home_clear);
}

int topic_store_load_homes(struct topic_store *s,
                           int (*on_home)(void *arg, str queue_arn, str queued), void *arg)
{
    int row, err = 0;
    while (err >= 0 && (row = store_row(s->store, s->home_load)) != 0) {
        if (row < 0)
            return row;
        err = on_home(arg, column_str(s->home_load, 0), column_str(s->home_load, 1));
    }
    store_row_end(s->home_load);
    return MIN(err, 0);
}

/* --- the turn's end --------------------------------------------------------------------------- */

int topic_store_commit(struct topic_store *s, u64 *ret_ticket)
{
    int err = store_commit(s->store, ret_ticket);
    if (err) {
        s->topic_ids.limit = s->sub_ids.limit = 0;
        outboxes_forget(s);
    }
    return err;
}

u64 topic_store_durable(const struct topic_store *s)
{
    return store_durable(s->store);
}

int topic_store_probe(struct topic_store *s)
{
    u64 ticket;
    if (store_is_open(s->store))
        return E_AGAIN;
    topic_store_meta_set(s, "probe", (i64)store_durable(s->store));
    return topic_store_commit(s, &ticket);
}

bool topic_store_tidy(struct topic_store *s)
{
    return store_tidy(s->store);
}

struct store_stats topic_store_stats(struct topic_store *s)
{
    return store_stats(s->store);
}
