/* sqlite3 opened, migrated, wrapped. See store.h for its guarantees.
 *
 * Invariants:
 * (1) Only the loop's thread uses `db` and writes frames; the checkpointer has a connection of its
 * own (store_copier.c).
 * (2) When a statement of a turn has failed, SQLite may have rolled back the whole transaction by
 * itself: so nothing more of that turn is run, since it would commit on its own.
 * (3) `doubt` is set by every failure and cleared by store_mend(): before the next turn the WAL
 * ends at its last valid commit and the connection is a new one. */
#include "common/io/store.h"

#include <errno.h>
#include <pthread.h>
#include <unistd.h>

#include <sqlite3.h>

#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/io/store_connection.h"
#include "common/io/store_copier.h"
#include "common/io/store_file.h"
#include "common/io/store_wal.h"

/* A WAL with fewer frames is not checkpointed when idle: a start reads it quickly. */
#define STORE_IDLE_FRAMES 256
/* Free pages that a file keeps, and the share (1/n) from which on it returns some. */
#define STORE_FREE_KEEP  256
#define STORE_FREE_SHARE 4
/* When idle, the page cache is emptied at most this often, and only above this size. */
#define STORE_RELEASE_US 10000000
#define STORE_CACHE_IDLE (512 * 1024)
#define STORE_ERROR_SIZE 256
/* On a full disk: size of the WAL that wakes the checkpointer, and above which the loop helps. */
#define STORE_FULL_CHECKPOINT (256u << 10)
#define STORE_FULL_WAL_MAX    (1u << 20)
/* How long the result of a check of the file names is valid. */
#define STORE_LOOK_US 1000000
/* The database, its WAL, the WAL's index. */
#define STORE_FILES 3

struct store_statement {
    sqlite3_stmt **slot;
    const char *sql;
};

struct store {
    char *path;
    struct store_conf conf;
    int lock_fd;
    sqlite3 *db;
    struct store_copier *copier;
    struct store_statement *statements;
    u32 statement_count, statement_cap;
    sqlite3_stmt *begin, *commit, *rollback, *vacuum, *free_count, *page_count;

    int (*guard)(void *arg);
    void *guard_arg;
    u32 version; /* of the file's contents, as this connection last saw it */
    bool fenced; /* another process owns it now */
    char *names[STORE_FILES];
    struct store_file_identity files[STORE_FILES];
    i64 looked_us;

    bool turn;   /* a turn is open, in the database too unless err is set */
    int err;     /* first failure of the turn */
    int failure; /* the last one's SQLite code */
    bool doubt;  /* invariant 3 */
    bool uncut;  /* a failed commit may be whole after the WAL's valid end */
    bool freed;  /* there may be more free pages than when last counted */
    bool giving; /* returning pages is in progress */
    bool shrunk; /* pages were returned: the file is truncated when the WAL is copied completely */
    bool full;   /* the disk was full, and the reserve is not complete yet */
    bool is_whole;
    i64 full_us; /* when it was checked last */
    struct store_reserve reserve;
    u64 ticket;
    u32 finish_from; /* do not try to finish the checkpoint below so many frames */
    u32 left_before; /* frames that were not copied yet when the checkpointer was woken last */
    i64 released_us;
    u64 released_commits;
    struct store_stats stats;
    char error[STORE_ERROR_SIZE];
};

static i64 store_now_us(const struct store *s)
{
    return clock_us(s->conf.clock);
}

/* --- errors ----------------------------------------------------------------------------------- */

static int note_error(struct store *s, int rc, const char *doing)
{
    const char *what = s->db ? sqlite3_errmsg(s->db) : "";
    s->failure = (rc & 0xff) == SQLITE_CORRUPT ? SQLITE_CORRUPT : rc;
    snprintf(s->error, sizeof s->error, "%s: %s failed: %s (%d)", s->path, doing,
             *what && sqlite3_errcode(s->db) != SQLITE_OK ? what : sqlite3_errstr(rc), rc);
    return store_err_of(s->db, rc);
}

/* Records a failure: for the log, for this turn, and that the connection is in doubt. */
static int store_failed(struct store *s, int rc, const char *doing)
{
    int err = note_error(s, rc, doing);
    if (s->turn && !s->err)
        s->err = err;
    s->doubt = true;
    return err;
}

bool store_is_damaged(const struct store *s)
{
    return s->failure == SQLITE_CORRUPT || s->failure == SQLITE_NOTADB ||
           s->failure == SQLITE_IOERR_READ || s->failure == SQLITE_IOERR_SHORT_READ ||
           s->failure == SQLITE_IOERR_CORRUPTFS || s->failure == SQLITE_IOERR_DATA;
}

const char *store_error(const struct store *s)
{
    return s->error;
}

/* --- connections ------------------------------------------------------------------------------ */

/* If a statement does not compile, the schema is damaged: the statements are constant. */
static int statement_compile(sqlite3 *db, const char *sql, sqlite3_stmt **ret)
{
    int rc = sqlite3_prepare_v3(db, sql, -1, SQLITE_PREPARE_PERSISTENT, ret, NULL);
    if (rc == SQLITE_ERROR)
        fprintf(stderr, "toque: %s: in %s\n", sqlite3_errmsg(db), sql);
    return rc;
}

void store_prepare(struct store *s, sqlite3_stmt **slot, const char *sql)
{
    if (s->statement_count == s->statement_cap) {
        s->statement_cap = s->statement_cap ? s->statement_cap * 2 : 32;
        s->statements = mem_grow(s->statements, s->statement_cap * sizeof(*s->statements));
    }
    s->statements[s->statement_count++] = (struct store_statement){slot, sql};
    *slot = NULL; /* remains so when the file cannot be read: running it is then an error */
    int rc = statement_compile(s->db, sql, slot);
    if (rc != SQLITE_OK)
        store_failed(s, rc, "reading the schema");
}

static void statements_finalize(struct store *s)
{
    for (u32 i = 0; i < s->statement_count; i++) {
        sqlite3_finalize(*s->statements[i].slot);
        *s->statements[i].slot = NULL;
    }
}

/* Replaces a connection that failed; if that fails too, the old one is kept, so that it can still
 * be read from. */
static int connection_renew(struct store *s)
{
    sqlite3 *db = NULL;
    sqlite3_stmt **fresh = mem_array(s->statement_count, sizeof(*fresh));
    int rc = store_connection_open(&db, &s->conf);
    for (u32 i = 0; i < s->statement_count && rc == SQLITE_OK; i++)
        rc = statement_compile(db, s->statements[i].sql, &fresh[i]);
    if (rc == SQLITE_OK) {
        statements_finalize(s);
        for (u32 i = 0; i < s->statement_count; i++)
            *s->statements[i].slot = fresh[i];
        sqlite3_close(s->db);
        s->db = db;
    } else {
        for (u32 i = 0; i < s->statement_count; i++)
            sqlite3_finalize(fresh[i]);
        sqlite3_close(db);
        rc = store_failed(s, rc, "reopening it");
    }
    mem_free(fresh);
    return rc;
}

/* --- the files and their names ---------------------------------------------------------------- */

static void files_note(struct store *s)
{
    for (size_t i = 0; i < STORE_FILES; i++)
        s->files[i] = store_file_identify(s->names[i]);
    s->looked_us = store_now_us(s);
}

/* The name that no longer refers to its file, or NULL. */
static const char *files_find_moved(const struct store *s)
{
    for (size_t i = 0; i < STORE_FILES; i++)
        if (s->files[i].number && !store_file_is(s->names[i], &s->files[i]))
            return s->names[i];
    return NULL;
}

static int files_look(struct store *s)
{
    const char *moved = files_find_moved(s);
    s->looked_us = store_now_us(s);
    if (!moved)
        return 0;
    snprintf(s->error, sizeof s->error,
             "%s was deleted, replaced, emptied or moved while it was in use", moved);
    if (s->turn && !s->err)
        s->err = E_MOVED;
    s->doubt = true;
    return E_MOVED;
}

int store_look(struct store *s)
{
    int err = s->fenced ? 0 : files_look(s);
    if (err && !s->turn) {
        s->turn = true;
        s->err = err;
    }
    return err;
}

/* The disk is full: a part of the reserve is used for the time being. */
static void disk_is_full(struct store *s)
{
    if (!store_reserve_release(&s->reserve))
        return;
    s->full = true;
    s->is_whole = false;
    s->full_us = store_now_us(s);
}

bool store_is_full(struct store *s)
{
    if (!s->is_whole && store_now_us(s) - s->full_us >= STORE_LOOK_US) {
        s->full_us = store_now_us(s);
        s->is_whole = store_reserve_fill(&s->reserve);
        s->full = s->full && !s->is_whole;
    }
    return s->full;
}

/* Restores a store in doubt to the state of its last commit. */
static int store_mend(struct store *s)
{
    int err = files_look(s);
    if (err)
        return err;
    if (!sqlite3_get_autocommit(s->db)) {
        sqlite3_step(s->rollback);
        sqlite3_reset(s->rollback);
    }
    int rc = store_wal_cut(s->db, STORE_PAGE_SIZE);
    s->uncut = s->uncut && rc != SQLITE_OK;
    err = rc == SQLITE_OK ? connection_renew(s) : store_failed(s, rc, "cutting the WAL");
    if (!err)
        s->doubt = false;
    return err;
}

/* --- the checkpoint --------------------------------------------------------------------------- */

/* After a commit: keeps the WAL near wal_checkpoint_bytes. A checkpoint beside unbroken writing is
 * never complete, and only a complete one lets the next turn start the WAL from its beginning: so
 * the checkpointer does the bulk, in copies that leave less and less, and the loop does the rest. A
 * reader of an old state prevents that; the next attempt is then made only after more frames. */
static void checkpoint_drive(struct store *s)
{
    struct store_wal wal;
    if (!store_wal_look(s->db, &wal))
        return;
    u64 bytes = (u64)wal.frames * WAL_FRAME_SIZE(STORE_PAGE_SIZE);
    u64 enough = s->full ? STORE_FULL_CHECKPOINT : s->conf.wal_checkpoint_bytes;
    u64 most = s->full ? STORE_FULL_WAL_MAX : s->conf.wal_size_max;
    if (bytes < enough) {
        s->finish_from = s->left_before = 0;
        return;
    }
    bool over = bytes > most;
    if ((!s->full && wal.frames < s->finish_from) || !store_copier_rests(s->copier, over))
        return;
    if (over)
        store_wal_look(s->db, &wal);
    u32 left = wal.frames - wal.copied;
    if (left == 0)
        return;
    if (over || store_wal_may_finish(left, s->left_before)) {
        s->finish_from = wal.frames + STORE_WAL_FINISH_MAX * 4;
        s->left_before = 0;
        int rc = store_wal_copy(s->db);
        if (rc != SQLITE_OK)
            s->stats.failures++;
        if (rc != SQLITE_OK && store_err_of(s->db, rc) == E_FULL)
            disk_is_full(s);
    } else {
        s->left_before = left;
        store_copier_wake(s->copier);
    }
}

/* On a full disk the whole WAL is copied at once, using the space that the reserve has just
 * released: the next turns write from its beginning and need no more space. */
static void checkpoint_full(struct store *s)
{
    store_copier_rests(s->copier, true);
    int rc = store_wal_copy(s->db);
    while (rc != SQLITE_OK && store_err_of(s->db, rc) == E_FULL &&
           store_reserve_release(&s->reserve))
        rc = store_wal_copy(s->db);
    if (rc != SQLITE_OK)
        s->stats.failures++;
}

/* --- opening ---------------------------------------------------------------------------------- */

static int open_failed(struct fault *f, int err, const char *path, const char *why)
{
    fault_set(f, err, "%s: %s", path, why);
    return err;
}

static int open_steps(struct store *s, struct fault *f)
{
    int err = store_file_lock(s->path, &s->lock_fd, f);
    if (!err)
        err = store_file_create(s->path, f);
    if (err)
        return err;
    store_reserve_open(&s->reserve, s->path, s->conf.reserve_bytes);
    if (store_reserve_is_needed(&s->reserve))
        disk_is_full(s);
    else
        s->is_whole = store_reserve_fill(&s->reserve);
    int rc = store_connection_open(&s->db, &s->conf);
    if (rc != SQLITE_OK)
        return open_failed(f, (rc & 0xff) == SQLITE_NOTADB ? E_INVALID : store_err_of(s->db, rc),
                           s->path,
                           s->db && sqlite3_errcode(s->db) != SQLITE_OK ? sqlite3_errmsg(s->db)
                                                                        : sqlite3_errstr(rc));
    rc = store_wal_write_again(s->db, STORE_PAGE_SIZE);
    if (rc != SQLITE_OK)
        return open_failed(f, store_err_of(s->db, rc), s->path, sqlite3_errstr(rc));
    err = store_connection_migrate(s->db, &s->conf, f);
    if (err)
        return err;
    store_prepare(s, &s->begin, "BEGIN IMMEDIATE");
    store_prepare(s, &s->commit, "COMMIT");
    store_prepare(s, &s->rollback, "ROLLBACK");
    store_prepare(s, &s->vacuum, "PRAGMA incremental_vacuum");
    store_prepare(s, &s->free_count, "PRAGMA freelist_count");
    store_prepare(s, &s->page_count, "PRAGMA page_count");
    s->freed = true; /* the previous process may not have done it */
    rc = store_copier_start(&s->copier, s->path);
    files_note(s);
    return rc == SQLITE_OK ? 0 : open_failed(f, E_IO, s->path, sqlite3_errstr(rc));
}

int store_open(struct store **ret, const struct store_conf *conf, struct fault *f)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    struct store *s = mem_alloc(sizeof(*s));

    pthread_once(&once, store_connection_init);
    s->conf = *conf;
    s->path = mem_dup(str_of(conf->path));
    s->conf.path = s->path;
    s->names[0] = mem_dup(str_of(s->path));
    s->names[1] = mem_printf("%s-wal", s->path);
    s->names[2] = mem_printf("%s-shm", s->path);
    s->lock_fd = s->reserve.fd = -1;
    int err = open_steps(s, f);
    if (err) {
        store_close(s);
        return err;
    }
    *ret = s;
    return 0;
}

void store_close(struct store *s)
{
    if (!s)
        return;
    store_rollback(s);
    if (s->doubt && s->db && !files_find_moved(s) &&
        store_wal_cut(s->db, STORE_PAGE_SIZE) != SQLITE_OK)
        s->doubt = true; /* unchanged; an error could not be reported */
    store_copier_stop(s->copier);
    statements_finalize(s);
    /* The last connection deletes the WAL by its name: not if that is another file's. */
    if (s->db && files_find_moved(s))
        sqlite3_db_config(s->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    int rc = sqlite3_close(s->db);
    assert(rc == SQLITE_OK); /* otherwise a caller has kept a statement of its own */
    store_reserve_close(&s->reserve);
    if (s->lock_fd >= 0)
        close(s->lock_fd);
    for (size_t i = 0; i < STORE_FILES; i++)
        mem_free(s->names[i]);
    mem_free(s->statements);
    mem_free(s->path);
    mem_free(s);
}

/* --- the turn --------------------------------------------------------------------------------- */

bool store_is_open(const struct store *s)
{
    return s->turn;
}

void store_set_guard(struct store *s, int (*guard)(void *arg), void *arg)
{
    s->guard = guard;
    s->guard_arg = arg;
}

/* Grows with every change of the file that this connection makes or notices; costs no I/O. */
static u32 file_version(struct store *s)
{
    u32 version = 0;
    sqlite3_file_control(s->db, "main", SQLITE_FCNTL_DATA_VERSION, &version);
    return version;
}

/* After BEGIN IMMEDIATE no other process can write until this turn ends. */
static int check_owner(struct store *s)
{
    if (LIKELY(file_version(s) == s->version) || !s->guard)
        return 0;
    int err = s->guard(s->guard_arg);
    if (err == E_FENCED) {
        s->fenced = true;
        snprintf(s->error, sizeof s->error, "%s: another process has taken this store", s->path);
    }
    if (err && !s->err)
        s->err = err;
    return err;
}

int store_begin(struct store *s)
{
    if (LIKELY(s->turn))
        return s->err;
    s->turn = true;
    s->err = s->fenced ? E_FENCED : 0;
    if (!s->doubt && !s->err && store_now_us(s) - s->looked_us >= STORE_LOOK_US)
        files_look(s);
    if (s->doubt && !s->err)
        s->err = store_mend(s);
    if (s->err || store_run(s, s->begin))
        return s->err;
    return check_owner(s);
}

sqlite3_stmt *store_write(struct store *s, sqlite3_stmt **slot)
{
    store_begin(s);
    return *slot;
}

int store_run(struct store *s, sqlite3_stmt *stmt)
{
    if (UNLIKELY(s->turn && s->err))
        return s->err;
    int rc = sqlite3_step(stmt);
    sqlite3_reset(stmt);
    if (LIKELY(rc == SQLITE_DONE))
        return 0;
    assert(rc != SQLITE_ROW);
    return store_failed(s, rc, "writing");
}

int store_row(struct store *s, sqlite3_stmt *stmt)
{
    if (UNLIKELY(s->turn && s->err)) {
        sqlite3_reset(stmt);
        return s->err;
    }
    int rc = sqlite3_step(stmt);
    if (LIKELY(rc == SQLITE_ROW))
        return 1;
    sqlite3_reset(stmt);
    return rc == SQLITE_DONE ? 0 : store_failed(s, rc, "reading");
}

int store_read(struct store *s, sqlite3_stmt *stmt)
{
    if (UNLIKELY(s->turn && s->err))
        return s->err;
    int rc = sqlite3_step(stmt);
    if (LIKELY(rc == SQLITE_ROW))
        return 1;
    sqlite3_reset(stmt);
    if (rc == SQLITE_DONE)
        return 0;
    bool rolled_back = s->turn && sqlite3_get_autocommit(s->db);
    return rolled_back ? store_failed(s, rc, "reading") : note_error(s, rc, "reading");
}

void store_row_end(sqlite3_stmt *stmt)
{
    sqlite3_reset(stmt);
}

void store_rollback(struct store *s)
{
    s->turn = false;
    s->err = 0;
    if (s->db && !sqlite3_get_autocommit(s->db)) {
        int rc = sqlite3_step(s->rollback);
        sqlite3_reset(s->rollback);
        if (rc != SQLITE_DONE)
            store_failed(s, rc, "rolling back");
    }
}

int store_commit(struct store *s, u64 *ret_ticket)
{
    int err = 0;
    if (s->turn) {
        i64 start = store_now_us(s);
        bool tried = !s->err;
        err = store_run(s, s->commit);
        /* A write that found no room is not whole, and a commit without its last frame is none. */
        bool whole = tried && err && (sqlite3_errcode(s->db) & 0xff) == SQLITE_IOERR;
        store_rollback(s);
        s->version = file_version(s);
        s->stats.commit_last_us = store_now_us(s) - start;
        s->stats.commit_longest_us = MAX(s->stats.commit_longest_us, s->stats.commit_last_us);
        if (err) {
            s->stats.failures++;
            s->freed = true; /* pages returned in this turn are free again */
            if (s->fenced)
                return err;
            if (err == E_FULL)
                disk_is_full(s);
            /* At once, so that a crash before the next turn does not find the failed one in the
             * WAL. On a full disk there may be room again once the WAL can restart. */
            s->uncut = whole;
            store_mend(s);
            if (s->full && !s->doubt)
                checkpoint_full(s);
            store_copier_wake(s->copier);
            return s->uncut ? E_UNSURE : err;
        }
        s->stats.commits++;
        s->ticket++;
        checkpoint_drive(s);
    }
    *ret_ticket = s->ticket;
    return 0;
}

int store_sync(struct store *s)
{
    int rc = store_wal_sync(s->db);
    return rc == SQLITE_OK ? 0 : store_failed(s, rc, "syncing");
}

u64 store_ticket(const struct store *s)
{
    return s->ticket;
}

/* --- housekeeping ----------------------------------------------------------------------------- */

static u64 page_figure(struct store *s, sqlite3_stmt *stmt)
{
    u64 n = 0;
    if (store_row(s, stmt) == 1)
        n = (u64)sqlite3_column_int64(stmt, 0);
    sqlite3_reset(stmt);
    return n;
}

/* Free pages to return now: starts at a share of the file and continues to half of it. */
static u64 pages_to_give(struct store *s)
{
    u64 free = page_figure(s, s->free_count);
    u64 share = page_figure(s, s->page_count) / STORE_FREE_SHARE;
    u64 keep = MAX((u64)STORE_FREE_KEEP, share / 2);
    if (free > STORE_FREE_KEEP && free > share)
        s->giving = true;
    else if (free <= keep)
        s->giving = false;
    return s->giving ? free - keep : 0;
}

void store_freed(struct store *s)
{
    s->freed = true;
}

bool store_has_free(const struct store *s)
{
    return s->freed && !s->doubt && !s->fenced;
}

/* Each row of the statement is one returned page; stopping in between is harmless. */
u32 store_give_back(struct store *s, u32 pages)
{
    u32 n = 0;
    if (!store_has_free(s) || store_begin(s))
        return 0;
    u32 most = (u32)MIN((u64)pages, pages_to_give(s));
    while (n < most && store_row(s, s->vacuum) == 1)
        n++;
    sqlite3_reset(s->vacuum);
    if (n > 0)
        s->shrunk = true;
    if (n < pages)
        s->freed = s->giving = false;
    return n;
}

/* An idle daemon keeps no pages in memory, but one between two calls does. */
static void release_memory(struct store *s)
{
    int now = 0, highest;
    i64 at = store_now_us(s);
    if (s->released_commits == s->stats.commits || at - s->released_us < STORE_RELEASE_US)
        return;
    s->released_us = at;
    s->released_commits = s->stats.commits;
    if (sqlite3_db_status(s->db, SQLITE_DBSTATUS_CACHE_USED, &now, &highest, 0) == SQLITE_OK &&
        now > STORE_CACHE_IDLE)
        sqlite3_db_release_memory(s->db);
}

void store_tidy(struct store *s)
{
    struct store_wal wal;
    if (s->turn || s->doubt || s->fenced)
        return; /* the next turn mends it first */
    if (store_wal_look(s->db, &wal)) {
        s->shrunk = s->shrunk && wal.copied < wal.frames;
        if (s->shrunk || wal.frames - wal.copied > STORE_IDLE_FRAMES)
            store_copier_wake_later(s->copier);
    }
    release_memory(s);
}

bool store_is_behind(struct store *s)
{
    struct store_wal wal;
    u64 limit = (s->conf.wal_checkpoint_bytes + s->conf.wal_size_max) / 2;
    if (!store_wal_look(s->db, &wal) || wal.copied == wal.frames ||
        (u64)wal.frames * WAL_FRAME_SIZE(STORE_PAGE_SIZE) < limit)
        return false;
    store_copier_wake(s->copier);
    return true;
}

struct store_stats store_stats(struct store *s)
{
    struct store_wal wal;
    struct store_stats stats = s->stats;
    if (store_wal_look(s->db, &wal) && wal.frames)
        stats.wal_bytes = WAL_HEADER_SIZE + (u64)wal.frames * WAL_FRAME_SIZE(STORE_PAGE_SIZE);
    stats.file_bytes = page_figure(s, s->page_count) * STORE_PAGE_SIZE;
    stats.free_bytes = page_figure(s, s->free_count) * STORE_PAGE_SIZE;
    stats.failures += store_copier_failures(s->copier);
    return stats;
}
