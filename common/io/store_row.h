/* Rows of SQLite: values into and out of a statement, deletion by id, and walks; for the files with
 * SQL statements. */
#ifndef TOQUE_STORE_ROW_H
#define TOQUE_STORE_ROW_H

#include <sqlite3.h>

#include "common/base/str.h"
#include "common/io/store.h"

static inline void store_bind_str(sqlite3_stmt *stmt, int at, str s)
{
    sqlite3_bind_text64(stmt, at, s.n ? s.p : "", s.n, SQLITE_STATIC, SQLITE_UTF8);
}

/* An empty blob takes no space, like an empty text, and is never NULL. */
static inline void store_bind_bytes(sqlite3_stmt *stmt, int at, str s)
{
    sqlite3_bind_blob64(stmt, at, s.n ? s.p : "", s.n, SQLITE_STATIC);
}

static inline void store_bind_u64(sqlite3_stmt *stmt, int at, u64 n)
{
    sqlite3_bind_int64(stmt, at, (i64)n);
}

static inline str store_column_str(sqlite3_stmt *stmt, int at)
{
    int n = sqlite3_column_bytes(stmt, at); /* the text is UTF-8 already: no conversion */
    return n ? str_from(sqlite3_column_blob(stmt, at), (size_t)n) : STR("");
}

static inline u64 store_column_u64(sqlite3_stmt *stmt, int at)
{
    return (u64)sqlite3_column_int64(stmt, at);
}

/* A time that may be "none" (0) in a row that is updated in place: both values are 48 bits wide, so
 * that the row never grows, which would split its page. */
#define STORE_TIME_NONE (-((i64)1 << 40))

static inline void store_bind_time(sqlite3_stmt *stmt, int at, i64 ms)
{
    sqlite3_bind_int64(stmt, at, ms > 0 ? ms : STORE_TIME_NONE);
}

static inline i64 store_column_time(sqlite3_stmt *stmt, int at)
{
    i64 stored = sqlite3_column_int64(stmt, at);
    return stored > 0 ? stored : 0;
}

/* Runs the slot's statement with this id; what it deletes may free pages. */
void store_delete_row(struct store *s, sqlite3_stmt **slot, u64 id);
/* Calls `row` for each row of a bound statement. A negative result of `row` ends the walk and is
 * returned, and so is the E_ code of a failed read; otherwise 0. */
int store_each_row(struct store *s, sqlite3_stmt *stmt, int (*row)(void *arg, sqlite3_stmt *stmt),
                   void *arg) MUST_CHECK;

#endif
