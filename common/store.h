/* sqlite3 opened, migrated, wrapped: what the daemons' *_store.c stand on. No SQL of theirs is here.
 *
 * WAL, one writing connection used by the loop's thread, one transaction a turn. The checkpoint runs
 * on a thread with a connection of its own (PASSIVE), woken as the WAL grows; past wal_size_max the
 * loop itself finishes the remainder. Free pages go back to the file system in small slices
 * (incremental vacuum) while the daemon is idle or the free share is large.
 *
 * Durability full: synchronous=FULL, a commit is durable when store_commit returns. relaxed:
 * synchronous=NORMAL, survives the death of the process but not of the machine. */
#ifndef TOQUE_STORE_H
#define TOQUE_STORE_H

#include "common/err.h"
#include "common/str.h"

struct sqlite3;
struct sqlite3_stmt;
struct store;

enum store_durability { STORE_FULL, STORE_RELAXED };

struct store_conf {
    const char *path;                /* of the database file */
    enum store_durability durability;
    u32 cache_kib;                   /* page cache */
    u64 wal_checkpoint_bytes;        /* WAL size that wakes the checkpointer */
    u64 wal_size_max;                /* above it the loop finishes the checkpoint itself */
    const char *const *migrations;   /* SQL; migrations[i] brings user_version i to i + 1 */
    u32 migration_count;             /* = newest user_version known here */
};

/* Opens or creates, and migrates. On failure 0 is not returned and `f` says in one line what and
 * where: unwritable directory, not a database, E_NEWER: written by a newer toque, held by another
 * process (exclusive lock on PATH.lock). */
int store_open(struct store **ret, const struct store_conf *conf, struct fault *f) MUST_CHECK;
void store_close(struct store *s);

struct sqlite3 *store_db(struct store *s);
/* A statement that lives until store_close. The SQL is ours: one that does not compile is a bug. */
struct sqlite3_stmt *store_prepare(struct store *s, const char *sql);
/* Begins the turn's transaction if it is not open. */
int store_begin(struct store *s) MUST_CHECK;
bool store_is_open(const struct store *s); /* a transaction is open */
/* Runs a bound statement that returns no rows, and resets it. Errors are remembered: the commit of
 * this turn will fail. */
int store_run(struct store *s, struct sqlite3_stmt *stmt);
/* A row: 1; the end: 0 (the statement is reset); else E_ code, remembered. */
int store_row(struct store *s, struct sqlite3_stmt *stmt);
/* Commits; on any failure of this turn rolls back and answers E_IO or E_FULL. */
int store_commit(struct store *s, u64 *ret_ticket) MUST_CHECK;
u64 store_durable(const struct store *s);
void store_rollback(struct store *s);
/* Housekeeping outside a transaction, in slices of at most about 2 ms: finish the checkpoint, give
 * pages back. True: there is more. */
bool store_tidy(struct store *s);

struct store_stats {
    u64 commits, failures, wal_bytes, file_bytes, free_bytes;
    i64 commit_last_us, commit_longest_us;
};
struct store_stats store_stats(struct store *s);

#endif
