/* SQLite opened, migrated and wrapped: the base of the daemons' *_store_sqlite.c. Their SQL is not
 * here.
 *
 * WAL, one writing connection used by the loop's thread, one transaction a turn. The checkpoint
 * runs on a thread with a connection of its own (PASSIVE), woken as the WAL grows; when it has come
 * close to the end, or past wal_size_max, the loop itself finishes the remainder. Free pages go
 * back to the file system in small slices (incremental vacuum), work in the background.
 *
 * Durability full: synchronous=FULL, a commit is durable when store_commit returns. relaxed:
 * synchronous=NORMAL, survives the death of the process but not of the machine.
 *
 * When the disk is full a part of a reserve is released, and the WAL is kept short: turns that do
 * not make the store grow still succeed, and deletions free space.
 *
 * A failed turn changes nothing: it is rolled back, and frames that its commit may have written
 * after the valid end of the WAL are truncated, so that no restart can recover them. Until that
 * succeeds no turn begins; reads continue. When it does not succeed at once, the commit's error is
 * E_UNSURE: if the process ends before it does, the next one may recover the turn. */
#ifndef TOQUE_STORE_H
#define TOQUE_STORE_H

#include "common/base/str.h"
#include "common/io/engine.h"

struct sqlite3;
struct sqlite3_stmt;
struct store;

struct store_conf {
    const char *path; /* of the database file */
    u32 kind;         /* application_id: whose database it is */
    enum store_durability durability;
    u32 cache_kib;                 /* page cache */
    const struct clock *clock;     /* as in store_options */
    struct id_source *ids;         /* likewise */
    u64 wal_checkpoint_bytes;      /* WAL size that wakes the checkpointer */
    u64 reserve_bytes;             /* kept for when the disk is full; 0: none */
    u64 wal_size_max;              /* above it the loop finishes the checkpoint itself */
    const char *const *migrations; /* SQL; migrations[i] brings user_version i to i + 1 */
    u32 migration_count;           /* = newest user_version known here */
};

/* Opens or creates, and migrates. On failure the E_ code is returned and `f` says in one line what
 * and where: unwritable directory, not a database or another's, E_NEWER: written by a newer toque,
 * held by another process (exclusive lock on PATH.lock). */
int store_open(struct store **ret, const struct store_conf *conf, struct fault *f) MUST_CHECK;
/* Rolls back what is open, stops the checkpointer, checkpoints. NULL accepted. */
void store_close(struct store *s);

/* Keeps in *slot a statement that lives until store_close. The slot must live as long: the
 * statement in it is replaced when the connection is reopened. `sql` is a constant: if it does not
 * compile the schema is damaged, and running it is an error. */
void store_prepare(struct store *s, struct sqlite3_stmt **slot, const char *sql);
/* Called at the beginning of a turn if another process has written the file since the last one,
 * with the turn's transaction open. An E_ code fails the turn; E_FENCED ends the store: it accepts
 * no turn and does not write the file any more. */
void store_set_guard(struct store *s, int (*guard)(void *arg), void *arg);
/* Begins the turn's transaction if it is not open. An error is remembered: the turn is open and its
 * commit will fail. */
int store_begin(struct store *s);
/* The same, and returns the slot's statement: a turn that begins after a failure reopens the
 * connection, which frees statements taken from their slots before. */
struct sqlite3_stmt *store_write(struct store *s, struct sqlite3_stmt **slot);
bool store_is_open(const struct store *s); /* a turn is open */
/* Runs a bound statement that returns no rows, and resets it. Errors are remembered: the commit of
 * this turn will fail, and nothing more of the turn is run. */
int store_run(struct store *s, struct sqlite3_stmt *stmt);
/* The last failure was one of the file: a page that is damaged or cannot be read. */
bool store_is_damaged(const struct store *s);
/* A row: 1; the end: 0 (the statement is reset); else E_ code, remembered while a turn is open. */
int store_row(struct store *s, struct sqlite3_stmt *stmt);
/* The same for a read whose failure does not concern the turn: the open turn continues, unless
 * SQLite has rolled it back. */
int store_read(struct store *s, struct sqlite3_stmt *stmt);
/* Ends a read early. */
void store_row_end(struct sqlite3_stmt *stmt);
/* Commits; on any failure in this turn rolls back and returns E_IO, E_FULL or E_UNSURE. Without an
 * open turn it does nothing and returns the last ticket. */
int store_commit(struct store *s, u64 *ret_ticket) MUST_CHECK;
/* Makes all commits durable now, also with relaxed durability. */
int store_sync(struct store *s) MUST_CHECK;
/* The ticket of the last committed turn. */
u64 store_ticket(const struct store *s);
void store_rollback(struct store *s);
/* This turn deletes: pages may become free. */
void store_freed(struct store *s);
/* Pages were freed since store_give_back found no more. */
bool store_has_free(const struct store *s);
/* Returns up to `pages` free pages to the file system, in the turn; the file keeps some. Returns
 * how many; fewer than asked: that was all. */
u32 store_give_back(struct store *s, u32 pages);
/* Checks that the names of the database, of its WAL and of the WAL's index still refer to the open
 * files, which may be deleted, replaced or moved from outside. E_MOVED: they do not, and this turn
 * fails, with or without changes; the store accepts no turn until they do again, and does not
 * modify files that have taken their names. A turn that begins a second or more after the last
 * check repeats it. */
int store_look(struct store *s);
/* The disk is full: the store uses its reserve. Changes that make it grow should be refused;
 * deletions and in-place updates still succeed. Checks at most once a second whether there is space
 * again. */
bool store_is_full(struct store *s);
/* Maintenance, called after every turn: checkpoints a WAL that has grown, and truncates the
 * file. */
void store_tidy(struct store *s);
/* The WAL is so long that background writes should wait until the checkpointer has finished. */
bool store_is_behind(struct store *s);
/* The last failure, in one line, for the log; "" if none. */
const char *store_error(const struct store *s);

struct store_stats store_stats(struct store *s);

#endif
