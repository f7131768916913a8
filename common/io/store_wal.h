/* The WAL of a store: how long it is, where it ends, and its copy into the database. Used by store.c
 * and its checkpointer only.
 *
 * Its state is read from the index in shared memory, whose layout is part of SQLite's file format
 * (https://sqlite.org/walformat.html, section 2): no system call, no lock. */
#ifndef TOQUE_STORE_WAL_H
#define TOQUE_STORE_WAL_H

#include "common/base/base.h"

struct sqlite3;

/* A WAL is a header, and pages with a header each. */
#define WAL_HEADER_SIZE           32
#define WAL_FRAME_SIZE(page_size) (24u + (page_size))

struct store_wal {
    u32 frames; /* up to the last commit */
    u32 copied; /* of them, frames that are already in the database file */
};

/* False: there is no WAL yet. `frames` is exact only on the writing thread; elsewhere it may be
 * outdated. */
bool store_wal_look(struct sqlite3 *db, struct store_wal *ret);
/* Whether the loop may copy the last `left` frames itself, between two turns. Few of them cost it a
 * millisecond; up to STORE_WAL_FINISH_MAX it does when the checkpointer gets no closer: it had
 * `before` of them left when it began its last copy (0: there was none). */
#define STORE_WAL_FINISH_FEW 32
#define STORE_WAL_FINISH_MAX 256
bool store_wal_may_finish(u32 left, u32 before);
/* Truncates the WAL after the last commit, and syncs. Returns an SQLite code, 0 on success. */
int store_wal_cut(struct sqlite3 *db, u32 page_size) MUST_CHECK;
int store_wal_sync(struct sqlite3 *db) MUST_CHECK;
/* Called at start: writes the contents of the WAL again, and syncs. After a failed sync the data
 * may be in the page cache only, and no later sync writes it; the process that got the error may
 * have ended before it truncated the WAL. */
int store_wal_write_again(struct sqlite3 *db, u32 page_size) MUST_CHECK;

/* A connection of its own for copying the WAL into the database file, and one copy: of what was
 * committed when it begins, waiting for nobody. SQLite codes; a reader of an older state that
 * hinders it is no error, a later copy gets further. On failure *ret may be open. */
int store_wal_copier_open(struct sqlite3 **ret, const char *path) MUST_CHECK;
int store_wal_copy(struct sqlite3 *db) MUST_CHECK;
/* The same, before the remainder is copied: SQLite syncs the database file only in the copy that
 * completes a checkpoint, which would then wait for everything that was copied before it. */
int store_wal_copy_ahead(struct sqlite3 *db) MUST_CHECK;

#endif
