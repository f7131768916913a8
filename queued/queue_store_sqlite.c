/* All SQL statements of queued: its store on SQLite. See queue_store.h for the tables' meaning.
 * Rows are stored in the order of arrival, not by queue, so that one publication for a hundred
 * queues changes only a page or two.
 *
 * Invariant: a column of `message` that is updated has the same width for all values, so that an
 * update is done in place: pages filled in the order of arrival are full, and a row that grows
 * would split its page at the first receive.
 *
 * An update rewrites its row, so every column adds to the cost of every receive. Values that few
 * messages have are therefore in one column, `extra` (message_extra.h). */
#include "queued/queue_sqlite.h"

#include <sys/stat.h>

#include "common/base/mem.h"
#include "queued/message_extra.h"

/* How long bodies that could not be read are not read again, and how many of them are
 * remembered. */
#define READ_AGAIN_MS  600000
#define UNREADABLE_MAX 10000

static const char *const migrations[] = {
    "CREATE TABLE meta (key TEXT PRIMARY KEY, value) WITHOUT ROWID;"
    "CREATE TABLE queue (id INTEGER PRIMARY KEY, account TEXT, region TEXT, name TEXT,"
    "  attributes TEXT, created_ms INTEGER, modified_ms INTEGER);"
    "CREATE TABLE body (id INTEGER PRIMARY KEY, content BLOB);"
    "CREATE TABLE message (id INTEGER PRIMARY KEY, queue INTEGER, body INTEGER, sent_ms INTEGER,"
    "  due_ms INTEGER, first_ms INTEGER, receives INTEGER, flags INTEGER, extra BLOB);"
    "CREATE TABLE link (instance TEXT PRIMARY KEY, sequence INTEGER) WITHOUT ROWID;",
    /* 2: `extra` may hold tagged texts. */
    "ALTER TABLE message RENAME COLUMN id TO seq;",
    /* 3: several incarnations of one topicd. The instance of version 1 was one for all. */
    "ALTER TABLE link RENAME COLUMN instance TO incarnation;"
    "ALTER TABLE link ADD COLUMN use INTEGER DEFAULT 0;",
    /* 4: recent sends to FIFO queues. */
    "CREATE TABLE dedup (seq INTEGER PRIMARY KEY, key BLOB, sent_ms INTEGER);",
    /* 5: rejected targets that a topicd may not know of. */
    "CREATE TABLE rejected (incarnation TEXT, sequence INTEGER, places BLOB,"
    "  PRIMARY KEY(incarnation, sequence)) WITHOUT ROWID;",
    /* 6: move tasks. */
    "CREATE TABLE task (id INTEGER PRIMARY KEY, queue INTEGER, state TEXT);",
    /* 7: deliveries of messages that may become dead letters. */
    "CREATE TABLE history (seq INTEGER PRIMARY KEY, deliveries BLOB);",
};

static const struct store_kind sqlite_kind = {
    .file = "queued.db",
    .kind = 0x746f7171, /* "toqq" */
    /* With long intervals, a checkpoint copies a page that changed often only once. */
    .wal_checkpoint_bytes = 16u << 20,
    .migrations = migrations,
    .migration_count = ARRAY_LEN(migrations),
};

static const struct queue_store_ops sqlite_ops;

i64 queue_store_sqlite_bytes(const char *dir)
{
    char *path = mem_printf("%s/%s", dir, sqlite_kind.file);
    struct stat s;
    int rc = stat(path, &s);
    mem_free(path);
    return rc == 0 ? s.st_size : -1;
}

/* --- opening ---------------------------------------------------------------------------------- */

static void sql_prepare(struct queue_sqlite *s)
{
    struct store *st = s->store;
    store_prepare(st, &s->queue_put,
                  "INSERT OR REPLACE INTO queue(id,account,region,name,attributes,created_ms,"
                  "modified_ms) VALUES(?1,?2,?3,?4,?5,?6,?7)");
    store_prepare(st, &s->queue_delete, "DELETE FROM queue WHERE id=?1");
    store_prepare(st, &s->queue_load,
                  "SELECT id,account,region,name,attributes,created_ms,modified_ms FROM queue"
                  " WHERE id>=?1 ORDER BY id");
    store_prepare(st, &s->task_put, "INSERT OR REPLACE INTO task(id,queue,state) VALUES(?1,?2,?3)");
    store_prepare(st, &s->task_delete, "DELETE FROM task WHERE id=?1");
    store_prepare(st, &s->task_load, "SELECT id,queue,state FROM task WHERE id>=?1 ORDER BY id");
    store_prepare(st, &s->body_add, "INSERT INTO body(id,content) VALUES(?1,?2)");
    store_prepare(st, &s->body_delete, "DELETE FROM body WHERE id=?1");
    store_prepare(st, &s->bodies_delete, "DELETE FROM body WHERE id BETWEEN ?1 AND ?2");
    store_prepare(st, &s->body_read, "SELECT content FROM body WHERE id=?1");
    store_prepare(st, &s->message_add,
                  "INSERT INTO message(seq,queue,body,sent_ms,due_ms,first_ms,receives,flags,extra)"
                  " VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9)");
    store_prepare(st, &s->message_move,
                  "UPDATE message SET seq=?1,queue=?2,body=?3,sent_ms=?4,due_ms=?5,first_ms=?6,"
                  "receives=?7,flags=?8,extra=?9 WHERE seq=?10");
    store_prepare(st, &s->message_extra, "SELECT extra FROM message WHERE seq=?1");
    store_prepare(st, &s->message_update,
                  "UPDATE message SET due_ms=?2,first_ms=?3,receives=?4 WHERE seq=?1");
    store_prepare(st, &s->message_delete, "DELETE FROM message WHERE seq=?1");
    store_prepare(st, &s->messages_delete, "DELETE FROM message WHERE seq BETWEEN ?1 AND ?2");
    store_prepare(st, &s->message_load,
                  "SELECT seq,queue,body,sent_ms,due_ms,first_ms,receives,flags,extra FROM message"
                  " WHERE seq>=?1 ORDER BY seq");
    store_prepare(st, &s->history_put,
                  "INSERT OR REPLACE INTO history(seq,deliveries) VALUES(?1,?2)");
    store_prepare(st, &s->history_delete, "DELETE FROM history WHERE seq=?1");
    store_prepare(st, &s->history_load,
                  "SELECT seq,deliveries FROM history WHERE seq>=?1 ORDER BY seq");
    store_prepare(st, &s->dedup_add, "INSERT INTO dedup(seq,key,sent_ms) VALUES(?1,?2,?3)");
    store_prepare(st, &s->dedup_delete, "DELETE FROM dedup WHERE seq<=?1");
    store_prepare(st, &s->dedup_load,
                  "SELECT seq,key,sent_ms FROM dedup WHERE seq>=?1 ORDER BY seq");
    store_prepare(st, &s->applied_set,
                  "INSERT OR REPLACE INTO link(incarnation,sequence,use) VALUES(?1,?2,?3)");
    store_prepare(st, &s->applied_forget, "DELETE FROM link WHERE incarnation=?1");
    store_prepare(st, &s->applied_load, "SELECT incarnation,sequence,use FROM link");
    store_prepare(st, &s->rejected_add,
                  "INSERT OR REPLACE INTO rejected(incarnation,sequence,places) VALUES(?1,?2,?3)");
    store_prepare(st, &s->rejected_forget,
                  "DELETE FROM rejected WHERE incarnation=?1 AND sequence<?2");
    store_prepare(st, &s->rejected_load,
                  "SELECT incarnation,sequence,places FROM rejected ORDER BY incarnation,sequence");
}

static void sql_close(struct queue_store *base)
{
    struct queue_sqlite *s = queue_sqlite_of(base);
    store_engine_close(&s->sql);
    idmap_deinit(&s->unreadable);
    idmap_deinit(&s->left_alone);
    queue_store_deinit(base);
    buf_deinit(&s->extra);
    buf_deinit(&s->moved);
    mem_free(s);
}

static int sql_open(struct queue_sqlite *s, const struct store_options *o, struct fault *f)
{
    int err = store_engine_open(&s->sql, &s->base.engine, o, &sqlite_kind, f);
    if (err)
        return err;
    s->store = s->sql.store;
    sql_prepare(s);
    err = store_engine_secret(&s->sql, s->base.secret, sizeof s->base.secret);
    return err ? store_engine_failed(&s->sql, err, f) : store_engine_ready(&s->sql, f);
}

int queue_store_sqlite_open(struct queue_store **ret, const struct store_options *o,
                            struct fault *f)
{
    struct queue_sqlite *s = mem_alloc(sizeof(*s));
    s->clock = o->clock;
    idmap_init(&s->unreadable, NULL);
    idmap_init(&s->left_alone, NULL);
    int err = sql_open(s, o, f);
    if (err) {
        sql_close(&s->base);
        return err;
    }
    queue_store_init(&s->base, &sqlite_ops);
    *ret = &s->base;
    return 0;
}

/* --- queues, bodies, messages ----------------------------------------------------------------- */

static void sql_put_queue(struct queue_store *base, const struct queue_row *q)
{
    struct queue_sqlite *s = queue_sqlite_of(base);
    sqlite3_stmt *stmt = store_write(s->store, &s->queue_put);
    store_bind_u64(stmt, 1, q->id);
    store_bind_str(stmt, 2, q->account);
    store_bind_str(stmt, 3, q->region);
    store_bind_str(stmt, 4, q->name);
    store_bind_str(stmt, 5, q->attributes);
    sqlite3_bind_int64(stmt, 6, q->created_ms);
    sqlite3_bind_int64(stmt, 7, q->modified_ms);
    store_run(s->store, stmt);
}

/* Runs a statement on one message. If the file is damaged there, the turn fails; the next load
 * skips the message, so that later turns do not fail for it. */
static void sql_run_on_message(struct queue_sqlite *s, sqlite3_stmt *stmt, u64 seq)
{
    bool was_sound = store_begin(s->store) == 0;
    if (store_run(s->store, stmt) && was_sound && store_is_damaged(s->store) &&
        s->left_alone.n < UNREADABLE_MAX)
        idmap_put(&s->left_alone, seq, s);
}

static void sql_delete_queue(struct queue_store *base, u64 id)
{
    struct queue_sqlite *s = queue_sqlite_of(base);
    store_delete_row(s->store, &s->queue_delete, id);
}

static void sql_put_task(struct queue_store *base, const struct task_row *t)
{
    struct queue_sqlite *s = queue_sqlite_of(base);
    sqlite3_stmt *stmt = store_write(s->store, &s->task_put);
    store_bind_u64(stmt, 1, t->id);
    store_bind_u64(stmt, 2, t->queue);
    store_bind_str(stmt, 3, t->state);
    store_run(s->store, stmt);
}

static void sql_delete_task(struct queue_store *base, u64 id)
{
    struct queue_sqlite *s = queue_sqlite_of(base);
    store_delete_row(s->store, &s->task_delete, id);
}

static void sql_add_body(struct queue_store *base, u64 id, str content)
{
    struct queue_sqlite *s = queue_sqlite_of(base);
    store_begin(s->store);
    store_bind_u64(s->body_add, 1, id);
    store_bind_bytes(s->body_add, 2, content);
    store_run(s->store, s->body_add);
}

/* Binds the columns that the statements for new and moved messages share. */
static void sql_bind_message(struct queue_sqlite *s, sqlite3_stmt *stmt,
                             const struct message_row *m)
{
    store_bind_u64(stmt, 1, m->seq);
    store_bind_u64(stmt, 2, m->queue);
    store_bind_u64(stmt, 3, m->body);
    sqlite3_bind_int64(stmt, 4, m->sent_ms);
    store_bind_time(stmt, 5, m->due_ms);
    store_bind_time(stmt, 6, m->first_ms);
    sqlite3_bind_int64(stmt, 7, (i64)m->receives - QUEUE_SQLITE_RECEIVES_BASE);
    sqlite3_bind_int64(stmt, 8, m->flags);
    store_bind_bytes(stmt, 9, message_extra_write(m, &s->extra));
}

static void sql_add_message(struct queue_store *base, const struct message_row *m)
{
    struct queue_sqlite *s = queue_sqlite_of(base);
    store_begin(s->store);
    sql_bind_message(s, s->message_add, m);
    store_run(s->store, s->message_add);
}

static void sql_move_message(struct queue_store *base, u64 seq, const struct message_row *m)
{
    struct queue_sqlite *s = queue_sqlite_of(base);
    struct message_row before = {0}, after = *m;
    store_begin(s->store);
    store_bind_u64(s->message_extra, 1, seq);
    if (store_row(s->store, s->message_extra) != 1)
        return; /* an error fails the turn; no row: there is nothing to move */
    buf_reset(&s->moved);
    buf_str(&s->moved, store_column_str(s->message_extra, 0));
    store_row_end(s->message_extra);
    message_extra_read(buf_view(&s->moved), &before);
    after.origin = before.origin;
    after.group_id = before.group_id;
    sql_bind_message(s, s->message_move, &after);
    store_bind_u64(s->message_move, 10, seq);
    store_run(s->store, s->message_move);
}

static void sql_update_message(struct queue_store *base, u64 seq, i64 due_ms, i64 first_ms,
                               u32 receives)
{
    struct queue_sqlite *s = queue_sqlite_of(base);
    sqlite3_stmt *stmt = store_write(s->store, &s->message_update);
    store_bind_u64(stmt, 1, seq);
    store_bind_time(stmt, 2, due_ms);
    store_bind_time(stmt, 3, first_ms);
    sqlite3_bind_int64(stmt, 4, (i64)receives - QUEUE_SQLITE_RECEIVES_BASE);
    sql_run_on_message(s, stmt, seq);
}

static void sql_delete_message(struct queue_store *base, u64 seq, bool own_body)
{
    struct queue_sqlite *s = queue_sqlite_of(base);
    sqlite3_stmt *stmt = store_write(s->store, &s->message_delete);
    store_freed(s->store);
    store_bind_u64(stmt, 1, seq);
    sql_run_on_message(s, stmt, seq);
    if (own_body)
        store_delete_row(s->store, &s->body_delete, seq);
}

static void sql_delete_body(struct queue_store *base, u64 id)
{
    struct queue_sqlite *s = queue_sqlite_of(base);
    store_delete_row(s->store, &s->body_delete, id);
}

static void sql_delete_range(struct queue_sqlite *s, sqlite3_stmt **slot, u64 first, u64 last)
{
    sqlite3_stmt *stmt = store_write(s->store, slot);
    store_freed(s->store);
    store_bind_u64(stmt, 1, first);
    store_bind_u64(stmt, 2, last);
    store_run(s->store, stmt);
}

static void sql_delete_messages(struct queue_store *base, u64 first, u64 last)
{
    struct queue_sqlite *s = queue_sqlite_of(base);
    sql_delete_range(s, &s->messages_delete, first, last);
}

static void sql_delete_bodies(struct queue_store *base, u64 first, u64 last)
{
    struct queue_sqlite *s = queue_sqlite_of(base);
    sql_delete_range(s, &s->bodies_delete, first, last);
}

/* A bad sector, for which SQLite rolls back the whole turn. The body is not read again for
 * READ_AGAIN_MS, so that the next turn does not fail, too. */
static void sql_note_unreadable(struct queue_sqlite *s, u64 id)
{
    if (s->unreadable.n == 0)
        s->unreadable_until_ms = s->clock->mono_ms + READ_AGAIN_MS;
    if (s->unreadable.n < UNREADABLE_MAX)
        idmap_put(&s->unreadable, id, s);
}

static bool sql_is_unreadable(struct queue_sqlite *s, u64 id)
{
    if (s->clock->mono_ms >= s->unreadable_until_ms) {
        idmap_deinit(&s->unreadable);
        idmap_init(&s->unreadable, NULL);
    }
    return idmap_get(&s->unreadable, id) != NULL;
}

static int sql_read_body(struct queue_sqlite *s, u64 id)
{
    if (UNLIKELY(s->unreadable.n) && sql_is_unreadable(s, id))
        return E_IO;
    store_bind_u64(s->body_read, 1, id);
    int row = store_read(s->store, s->body_read);
    if (UNLIKELY(row < 0))
        sql_note_unreadable(s, id);
    return row == 1 ? 0 : row ? row : E_NOT_FOUND;
}

/* SQLite reads the bodies at once, within the call. */
static void sql_fetch(struct queue_store *base, struct body_fetch *f)
{
    struct queue_sqlite *s = queue_sqlite_of(base);
    for (u32 i = 0; i < f->n; i++) {
        int err = sql_read_body(s, f->ids[i]);
        f->body(f, i, err, err ? STR_NONE : store_column_str(s->body_read, 0));
        store_row_end(s->body_read);
    }
    f->done(f);
}

static void sql_put_history(struct queue_store *base, u64 seq, str deliveries)
{
    struct queue_sqlite *s = queue_sqlite_of(base);
    sqlite3_stmt *stmt = store_write(s->store, &s->history_put);
    store_bind_u64(stmt, 1, seq);
    store_bind_bytes(stmt, 2, deliveries);
    store_run(s->store, stmt);
}

static void sql_delete_history(struct queue_store *base, u64 seq)
{
    struct queue_sqlite *s = queue_sqlite_of(base);
    store_delete_row(s->store, &s->history_delete, seq);
}

static void sql_add_dedup(struct queue_store *base, const struct dedup_row *e)
{
    struct queue_sqlite *s = queue_sqlite_of(base);
    sqlite3_stmt *stmt = store_write(s->store, &s->dedup_add);
    store_bind_u64(stmt, 1, e->seq);
    store_bind_bytes(stmt, 2, e->key);
    sqlite3_bind_int64(stmt, 3, e->sent_ms);
    store_run(s->store, stmt);
}

static void sql_delete_dedups(struct queue_store *base, u64 up_to_seq)
{
    struct queue_sqlite *s = queue_sqlite_of(base);
    store_delete_row(s->store, &s->dedup_delete, up_to_seq);
}

static void sql_set_applied(struct queue_store *base, const struct applied_row *a)
{
    struct queue_sqlite *s = queue_sqlite_of(base);
    sqlite3_stmt *stmt = store_write(s->store, &s->applied_set);
    store_bind_str(stmt, 1, a->incarnation);
    store_bind_u64(stmt, 2, a->sequence);
    store_bind_u64(stmt, 3, a->use);
    store_run(s->store, stmt);
}

static void sql_add_rejected(struct queue_store *base, const struct rejected_row *r)
{
    struct queue_sqlite *s = queue_sqlite_of(base);
    sqlite3_stmt *stmt = store_write(s->store, &s->rejected_add);
    store_bind_str(stmt, 1, r->incarnation);
    store_bind_u64(stmt, 2, r->sequence);
    store_bind_bytes(stmt, 3, r->places);
    store_run(s->store, stmt);
}

static void sql_forget_rejected(struct queue_store *base, str incarnation, u64 below)
{
    struct queue_sqlite *s = queue_sqlite_of(base);
    sqlite3_stmt *stmt = store_write(s->store, &s->rejected_forget);
    store_bind_str(stmt, 1, incarnation);
    store_bind_u64(stmt, 2, MIN(below, (u64)INT64_MAX));
    store_run(s->store, stmt);
}

static void sql_forget_applied(struct queue_store *base, str incarnation)
{
    sql_forget_rejected(base, incarnation, INT64_MAX);
    struct queue_sqlite *s = queue_sqlite_of(base);
    sqlite3_stmt *stmt = store_write(s->store, &s->applied_forget);
    store_bind_str(stmt, 1, incarnation);
    store_run(s->store, stmt);
}

static const struct queue_store_ops sqlite_ops = {
    .put_queue = sql_put_queue,
    .delete_queue = sql_delete_queue,
    .put_task = sql_put_task,
    .delete_task = sql_delete_task,
    .add_body = sql_add_body,
    .add_message = sql_add_message,
    .move_message = sql_move_message,
    .update_message = sql_update_message,
    .delete_message = sql_delete_message,
    .delete_body = sql_delete_body,
    .delete_messages = sql_delete_messages,
    .delete_bodies = sql_delete_bodies,
    .put_history = sql_put_history,
    .delete_history = sql_delete_history,
    .add_dedup = sql_add_dedup,
    .delete_dedups = sql_delete_dedups,
    .fetch = sql_fetch,
    .set_applied = sql_set_applied,
    .forget_applied = sql_forget_applied,
    .add_rejected = sql_add_rejected,
    .forget_rejected = sql_forget_rejected,
    .load = queue_sqlite_load,
    .close = sql_close,
};
