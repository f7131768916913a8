/* The WAL of a store: how long it is, where it ends, and the thread that copies it into the
 * database. Used by store.c only.
 *
 * Its state is read from the index in shared memory, whose layout is part of SQLite's file format
 * (https://sqlite.org/walformat.html, section 2): no system call, no lock. */
#ifndef TOQUE_STORE_WAL_H
#define TOQUE_STORE_WAL_H

#include "common/base/base.h"

struct sqlite3;
struct store_copier;

/* A WAL is a header, and pages with a header each. */
#define WAL_HEADER_SIZE           32
#define WAL_FRAME_SIZE(page_size) (24u + (page_size))

struct store_wal {
    u32 frames; /* up to the last commit */
    u32 copied; /* of them, those that the database file has already */
};

/* False: there is no WAL yet. Only on the thread that writes is `frames` more than a moment's
 * truth. */
bool store_wal_look(struct sqlite3 *db, struct store_wal *ret);
/* Cuts off what is behind the last commit, and syncs. An SQLite code, 0 when it went well. */
int store_wal_cut(struct sqlite3 *db, u32 page_size) MUST_CHECK;
int store_wal_sync(struct sqlite3 *db) MUST_CHECK;

/* The checkpointer: a thread and a connection of its own. Several copies that are asked for while
 * it works become one. An SQLite code. */
int store_copier_start(struct store_copier **ret, const char *path) MUST_CHECK;
/* Waits for its end. NULL accepted. */
void store_copier_stop(struct store_copier *c);
void store_copier_wake(struct store_copier *c);
/* A copy in a second or so, by when it may be more that is copied at once. */
void store_copier_wake_later(struct store_copier *c);
/* Whether it has nothing to do; with `wait` true it has when this returns. */
bool store_copier_rests(struct store_copier *c, bool wait);
u64 store_copier_failures(struct store_copier *c);

#endif
