/* Every SQL sentence of queued. See queue_store.h for the tables' meaning.
 *
 * Invariants: (1) a column of `message` that changes has the same width whatever its value, so that
 * an update writes into its row's place: pages filled in the order of arrival are full, and a row
 * that grows would split its page at the first receive. (2) meta `id_limit` is above every id
 * stored; it is raised by many at a time, in the transaction of the row that reached it. */
#include "queued/queue_store.h"

#include <sqlite3.h>

#include "common/base/id.h"
#include "common/base/mem.h"

#define QUEUE_STORE_KIND 0x746f7171 /* "toqq" */
#define QUEUE_STORE_FILE "queued.db"
/* Ids are given out of a reserve of so many; what a crash leaves of it is never used. */
#define ID_RESERVE 1000000
/* Checkpoints of many frames at once copy a page once that changed often in between. */
#define WAL_CHECKPOINT_BYTES (16u << 20)
#define WAL_SIZE_MAX         (64u << 20)
#define SECRET_SIZE          16

/* Invariant 1: what stands for "none" is as wide (48 bits) as any time of this century, and a
 * receive count is 16 bits wide up to 32,639. */
#define TIME_NONE     (-((i64)1 << 40))
#define RECEIVES_BASE 32768

static const char *const migrations[] = {
    "CREATE TABLE meta (key TEXT PRIMARY KEY, value) WITHOUT ROWID;"
    "CREATE TABLE queue (id INTEGER PRIMARY KEY, account TEXT, region TEXT, name TEXT,"
    "  attributes TEXT, created_ms INTEGER, modified_ms INTEGER);"
    "CREATE TABLE body (id INTEGER PRIMARY KEY, content BLOB);"
    "CREATE TABLE message (id INTEGER PRIMARY KEY, queue INTEGER, body INTEGER, sent_ms INTEGER,"
    "  due_ms INTEGER, first_ms INTEGER, receives INTEGER, flags INTEGER, extra BLOB);"
    "CREATE TABLE link (instance TEXT PRIMARY KEY, sequence INTEGER) WITHOUT ROWID;",
};

struct queue_store {
    struct store *store;
    char instance[ID_UUID_SIZE];
    u8 secret[SECRET_SIZE];
    u64 next_id;  /* above every id seen */
    u64 id_limit; /* as in meta, or 0 when a failed turn may have taken it back */
    sqlite3_stmt *meta_get, *meta_set;
    sqlite3_stmt *queue_put, *queue_delete, *queue_load;
    sqlite3_stmt *body_add, *body_delete, *body_read;
    sqlite3_stmt *message_add, *message_update, *message_delete, *message_load;
    sqlite3_stmt *applied_set, *applied_get;
};

static void bind_str(sqlite3_stmt *stmt, int at, str s)
{
    sqlite3_bind_text64(stmt, at, s.n ? s.p : "", s.n, SQLITE_STATIC, SQLITE_UTF8);
}

/* An empty blob takes no bytes, as an empty text does, and is never NULL. */
static void bind_bytes(sqlite3_stmt *stmt, int at, str s)
{
    sqlite3_bind_blob64(stmt, at, s.n ? s.p : "", s.n, SQLITE_STATIC);
}

static str column_str(sqlite3_stmt *stmt, int at)
{
    int n = sqlite3_column_bytes(stmt, at); /* the text is UTF-8 already: this converts nothing */
    return n ? str_from(sqlite3_column_blob(stmt, at), (size_t)n) : STR("");
}

static i64 wide_time(i64 ms)
{
    return ms > 0 ? ms : TIME_NONE;
}

static i64 plain_time(i64 stored)
{
    return stored > 0 ? stored : 0;
}

/* --- opening ---------------------------------------------------------------------------------- */

static void prepare_all(struct queue_store *s)
{
    struct store *st = s->store;
    store_prepare(st, &s->meta_get, "SELECT value FROM meta WHERE key=?1");
    store_prepare(st, &s->meta_set, "INSERT OR REPLACE INTO meta(key,value) VALUES(?1,?2)");
    store_prepare(st, &s->queue_put,
                  "INSERT OR REPLACE INTO queue(id,account,region,name,attributes,created_ms,"
                  "modified_ms) VALUES(?1,?2,?3,?4,?5,?6,?7)");
    store_prepare(st, &s->queue_delete, "DELETE FROM queue WHERE id=?1");
    store_prepare(st, &s->queue_load,
                  "SELECT id,account,region,name,attributes,created_ms,modified_ms FROM queue"
                  " ORDER BY id");
    store_prepare(st, &s->body_add, "INSERT INTO body(id,content) VALUES(?1,?2)");
    store_prepare(st, &s->body_delete, "DELETE FROM body WHERE id=?1");
    store_prepare(st, &s->body_read, "SELECT content FROM body WHERE id=?1");
    store_prepare(st, &s->message_add,
                  "INSERT INTO message(id,queue,body,sent_ms,due_ms,first_ms,receives,flags,extra)"
                  " VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9)");
    store_prepare(st, &s->message_update,
                  "UPDATE message SET due_ms=?2,first_ms=?3,receives=?4 WHERE id=?1");
    store_prepare(st, &s->message_delete, "DELETE FROM message WHERE id=?1");
    store_prepare(st, &s->message_load,
                  "SELECT id,queue,body,sent_ms,due_ms,first_ms,receives,flags,extra FROM message"
                  " ORDER BY id");
    store_prepare(st, &s->applied_set,
                  "INSERT OR REPLACE INTO link(instance,sequence) VALUES(?1,?2)");
    store_prepare(st, &s->applied_get, "SELECT sequence FROM link WHERE instance=?1");
}

/* Bytes of a meta value into `ret`, which holds `size`: 0, E_NOT_FOUND, E_INVALID, E_IO. */
static int meta_bytes(struct queue_store *s, const char *key, void *ret, size_t size)
{
    bind_str(s->meta_get, 1, str_of(key));
    int row = store_row(s->store, s->meta_get);
    if (row <= 0)
        return row ? row : E_NOT_FOUND;
    str value = column_str(s->meta_get, 0);
    if (value.n == size)
        memcpy(ret, value.p, size);
    store_row_end(s->meta_get);
    return value.n == size ? 0 : E_INVALID;
}

/* Who this store is: made once, at creation. */
static int identity_read(struct queue_store *s)
{
    struct id_source source;
    u64 ticket;
    int err = meta_bytes(s, "instance", s->instance, ID_UUID_SIZE - 1);
    if (!err)
        return meta_bytes(s, "secret", s->secret, sizeof s->secret);
    if (err != E_NOT_FOUND)
        return err;
    id_init(&source, 0);
    id_uuid(&source, s->instance);
    id_secret(&source, s->secret, sizeof s->secret);
    store_begin(s->store);
    bind_str(s->meta_set, 1, STR("instance"));
    bind_str(s->meta_set, 2, str_of(s->instance));
    store_run(s->store, s->meta_set);
    bind_str(s->meta_set, 1, STR("secret"));
    bind_bytes(s->meta_set, 2, str_from(s->secret, sizeof s->secret));
    store_run(s->store, s->meta_set);
    return store_commit(s->store, &ticket);
}

static int ids_read(struct queue_store *s)
{
    i64 limit = 1;
    int err = queue_store_meta_get(s, "id_limit", &limit);
    if (err && err != E_NOT_FOUND)
        return err;
    s->id_limit = limit > 0 ? (u64)limit : 1;
    s->next_id = MAX(s->next_id, s->id_limit);
    return 0;
}

int queue_store_open(struct queue_store **ret, const char *dir, enum store_durability durability,
                     u32 cache_kib, struct fault *f)
{
    struct queue_store *s = mem_alloc(sizeof(*s));
    char *path = mem_printf("%s/" QUEUE_STORE_FILE, dir);
    struct store_conf conf = {
        .path = path,
        .kind = QUEUE_STORE_KIND,
        .durability = durability,
        .cache_kib = cache_kib,
        .wal_checkpoint_bytes = WAL_CHECKPOINT_BYTES,
        .wal_size_max = WAL_SIZE_MAX,
        .migrations = migrations,
        .migration_count = ARRAY_LEN(migrations),
    };
    int err = store_open(&s->store, &conf, f);
    if (!err) {
        prepare_all(s);
        err = identity_read(s);
        if (!err)
            err = ids_read(s);
        if (err && *queue_store_error(s))
            fault_set(f, err, "%s", queue_store_error(s));
        else if (err)
            fault_set(f, err, "%s: %s", path, err_text(err));
    }
    mem_free(path);
    if (err) {
        store_close(s->store);
        mem_free(s);
        return err;
    }
    *ret = s;
    return 0;
}

/* An orderly end gives the reserve of ids back. */
static void ids_return(struct queue_store *s)
{
    u64 ticket;
    store_rollback(s->store);
    if (s->id_limit == s->next_id)
        return;
    queue_store_meta_set(s, "id_limit", (i64)s->next_id);
    if (store_commit(s->store, &ticket) != 0)
        return; /* then the reserve is skipped */
}

void queue_store_close(struct queue_store *s)
{
    if (!s)
        return;
    ids_return(s);
    store_close(s->store);
    mem_free(s);
}

const char *queue_store_instance(const struct queue_store *s)
{
    return s->instance;
}

const u8 *queue_store_secret(const struct queue_store *s)
{
    return s->secret;
}

const char *queue_store_error(const struct queue_store *s)
{
    return store_error(s->store);
}

/* --- small values ----------------------------------------------------------------------------- */

int queue_store_meta_get(struct queue_store *s, const char *key, i64 *ret)
{
    bind_str(s->meta_get, 1, str_of(key));
    int row = store_row(s->store, s->meta_get);
    if (row <= 0)
        return row ? row : E_NOT_FOUND;
    *ret = sqlite3_column_int64(s->meta_get, 0);
    store_row_end(s->meta_get);
    return 0;
}

void queue_store_meta_set(struct queue_store *s, const char *key, i64 value)
{
    store_begin(s->store);
    bind_str(s->meta_set, 1, str_of(key));
    sqlite3_bind_int64(s->meta_set, 2, value);
    store_run(s->store, s->meta_set);
}

u64 queue_store_next_id(struct queue_store *s)
{
    return s->next_id;
}

/* Invariant 2. A limit that a rolled back turn had raised is raised again by the next row. */
static void note_id(struct queue_store *s, u64 id)
{
    if (id >= s->next_id)
        s->next_id = id + 1;
    if (UNLIKELY(id >= s->id_limit)) {
        s->id_limit = s->next_id + ID_RESERVE;
        queue_store_meta_set(s, "id_limit", (i64)s->id_limit);
    }
}

void queue_store_set_applied(struct queue_store *s, str instance, u64 sequence)
{
    store_begin(s->store);
    bind_str(s->applied_set, 1, instance);
    sqlite3_bind_int64(s->applied_set, 2, (i64)sequence);
    store_run(s->store, s->applied_set);
}

u64 queue_store_applied(struct queue_store *s, str instance)
{
    u64 sequence = 0;
    bind_str(s->applied_get, 1, instance);
    if (store_row(s->store, s->applied_get) == 1) {
        sequence = (u64)sqlite3_column_int64(s->applied_get, 0);
        store_row_end(s->applied_get);
    }
    return sequence;
}

/* --- queues, bodies, messages ----------------------------------------------------------------- */

void queue_store_put_queue(struct queue_store *s, const struct queue_row *q)
{
    sqlite3_stmt *stmt = s->queue_put;
    store_begin(s->store);
    note_id(s, q->id);
    sqlite3_bind_int64(stmt, 1, (i64)q->id);
    bind_str(stmt, 2, q->account);
    bind_str(stmt, 3, q->region);
    bind_str(stmt, 4, q->name);
    bind_str(stmt, 5, q->attributes);
    sqlite3_bind_int64(stmt, 6, q->created_ms);
    sqlite3_bind_int64(stmt, 7, q->modified_ms);
    store_run(s->store, stmt);
}

static void delete_with_id(struct queue_store *s, sqlite3_stmt *stmt, u64 id)
{
    store_begin(s->store);
    store_freed(s->store);
    sqlite3_bind_int64(stmt, 1, (i64)id);
    store_run(s->store, stmt);
}

void queue_store_delete_queue(struct queue_store *s, u64 id)
{
    delete_with_id(s, s->queue_delete, id);
}

void queue_store_add_body(struct queue_store *s, u64 id, str content)
{
    store_begin(s->store);
    note_id(s, id);
    sqlite3_bind_int64(s->body_add, 1, (i64)id);
    bind_bytes(s->body_add, 2, content);
    store_run(s->store, s->body_add);
}

void queue_store_add_message(struct queue_store *s, const struct message_row *m)
{
    sqlite3_stmt *stmt = s->message_add;
    store_begin(s->store);
    note_id(s, m->id);
    sqlite3_bind_int64(stmt, 1, (i64)m->id);
    sqlite3_bind_int64(stmt, 2, (i64)m->queue);
    sqlite3_bind_int64(stmt, 3, (i64)m->body);
    sqlite3_bind_int64(stmt, 4, m->sent_ms);
    sqlite3_bind_int64(stmt, 5, wide_time(m->due_ms));
    sqlite3_bind_int64(stmt, 6, wide_time(m->first_ms));
    sqlite3_bind_int64(stmt, 7, (i64)m->receives - RECEIVES_BASE);
    sqlite3_bind_int64(stmt, 8, m->flags);
    bind_bytes(stmt, 9, m->extra);
    store_run(s->store, stmt);
}

void queue_store_update_message(struct queue_store *s, u64 id, i64 due_ms, i64 first_ms,
                                u32 receives)
{
    sqlite3_stmt *stmt = s->message_update;
    store_begin(s->store);
    sqlite3_bind_int64(stmt, 1, (i64)id);
    sqlite3_bind_int64(stmt, 2, wide_time(due_ms));
    sqlite3_bind_int64(stmt, 3, wide_time(first_ms));
    sqlite3_bind_int64(stmt, 4, (i64)receives - RECEIVES_BASE);
    store_run(s->store, stmt);
}

void queue_store_delete_message(struct queue_store *s, u64 id, bool own_body)
{
    delete_with_id(s, s->message_delete, id);
    if (own_body)
        delete_with_id(s, s->body_delete, id);
}

void queue_store_delete_body(struct queue_store *s, u64 id)
{
    delete_with_id(s, s->body_delete, id);
}

int queue_store_read_body(struct queue_store *s, u64 id, struct buf *out)
{
    sqlite3_bind_int64(s->body_read, 1, (i64)id);
    int row = store_row(s->store, s->body_read);
    if (row <= 0)
        return row ? row : E_NOT_FOUND;
    buf_str(out, column_str(s->body_read, 0));
    store_row_end(s->body_read);
    return 0;
}

/* --- loading ---------------------------------------------------------------------------------- */

static int load_queues(struct queue_store *s, int (*on_queue)(void *arg, const struct queue_row *q),
                       void *arg)
{
    sqlite3_stmt *stmt = s->queue_load;
    int row, err = 0;
    while (err >= 0 && (row = store_row(s->store, stmt)) != 0) {
        if (row < 0)
            return row;
        struct queue_row q = {
            .id = (u64)sqlite3_column_int64(stmt, 0),
            .account = column_str(stmt, 1),
            .region = column_str(stmt, 2),
            .name = column_str(stmt, 3),
            .attributes = column_str(stmt, 4),
            .created_ms = sqlite3_column_int64(stmt, 5),
            .modified_ms = sqlite3_column_int64(stmt, 6),
        };
        err = on_queue(arg, &q);
    }
    store_row_end(stmt);
    return MIN(err, 0);
}

static int load_messages(struct queue_store *s,
                         int (*on_message)(void *arg, const struct message_row *m), void *arg)
{
    sqlite3_stmt *stmt = s->message_load;
    int row, err = 0;
    while (err >= 0 && (row = store_row(s->store, stmt)) != 0) {
        if (row < 0)
            return row;
        struct message_row m = {
            .id = (u64)sqlite3_column_int64(stmt, 0),
            .queue = (u64)sqlite3_column_int64(stmt, 1),
            .body = (u64)sqlite3_column_int64(stmt, 2),
            .sent_ms = sqlite3_column_int64(stmt, 3),
            .due_ms = plain_time(sqlite3_column_int64(stmt, 4)),
            .first_ms = plain_time(sqlite3_column_int64(stmt, 5)),
            .receives = (u32)(sqlite3_column_int64(stmt, 6) + RECEIVES_BASE),
            .flags = (u32)sqlite3_column_int64(stmt, 7),
            .extra = column_str(stmt, 8),
        };
        err = on_message(arg, &m);
    }
    store_row_end(stmt);
    return MIN(err, 0);
}

int queue_store_load(struct queue_store *s, int (*on_queue)(void *arg, const struct queue_row *q),
                     int (*on_message)(void *arg, const struct message_row *m), void *arg)
{
    int err = load_queues(s, on_queue, arg);
    return err < 0 ? err : load_messages(s, on_message, arg);
}

/* --- the turn's end --------------------------------------------------------------------------- */

int queue_store_commit(struct queue_store *s, u64 *ret_ticket)
{
    int err = store_commit(s->store, ret_ticket);
    if (err)
        s->id_limit = 0;
    return err;
}

u64 queue_store_durable(const struct queue_store *s)
{
    return store_durable(s->store);
}

int queue_store_probe(struct queue_store *s)
{
    u64 ticket;
    if (store_is_open(s->store))
        return E_AGAIN;
    queue_store_meta_set(s, "probe", (i64)store_durable(s->store));
    return queue_store_commit(s, &ticket);
}

bool queue_store_tidy(struct queue_store *s)
{
    return store_tidy(s->store);
}

struct store_stats queue_store_stats(struct queue_store *s)
{
    return store_stats(s->store);
}
