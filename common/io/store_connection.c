/* A writing connection and the schema of its file. See store_connection.h. */
#include "common/io/store_connection.h"

#include <errno.h>

#include <sqlite3.h>

#include "common/io/store_file.h"

#define PAGE_SQL_OF(size) #size
#define PAGE_SQL(size)    PAGE_SQL_OF(size)
/* How long other processes (the sqlite3 shell) are waited for before a turn fails. */
#define STORE_BUSY_MS 1000

int store_err_of(sqlite3 *db, int rc)
{
    if ((rc & 0xff) == SQLITE_FULL)
        return E_FULL;
    if ((rc & 0xff) == SQLITE_IOERR && db) {
        int no = sqlite3_system_errno(db);
        if (no == ENOSPC || no == EDQUOT)
            return E_FULL;
    }
    return E_IO;
}

void store_connection_init(void)
{
    /* Counting allocations costs a lock each; this is refused, harmlessly, once sqlite3 is in
     * use. */
    sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}

static int pragma_int(sqlite3 *db, const char *sql, i64 *ret)
{
    sqlite3_stmt *stmt;
    int rc = sqlite3_prepare_v2(db, sql, -1, &stmt, NULL);
    if (rc != SQLITE_OK)
        return rc;
    rc = sqlite3_step(stmt);
    if (rc == SQLITE_ROW) {
        *ret = sqlite3_column_int64(stmt, 0);
        rc = SQLITE_OK;
    } else if (rc == SQLITE_DONE) {
        rc = SQLITE_ERROR;
    }
    sqlite3_finalize(stmt);
    return rc;
}

static int journal_is_wal(sqlite3 *db, bool *ret)
{
    sqlite3_stmt *stmt;
    int rc = sqlite3_prepare_v2(db, "PRAGMA journal_mode=WAL", -1, &stmt, NULL);
    if (rc != SQLITE_OK)
        return rc;
    rc = sqlite3_step(stmt);
    if (rc == SQLITE_ROW) {
        const char *mode = (const char *)sqlite3_column_text(stmt, 0);
        *ret = mode && strcmp(mode, "wal") == 0;
        rc = SQLITE_OK;
    }
    sqlite3_finalize(stmt);
    return rc;
}

/* Settings of the writing connection. Page size and auto_vacuum apply to a new file, before its
 * WAL; for an existing file they would be rewritten with every open. */
static int set_up(sqlite3 *db, const struct store_conf *conf)
{
    char sql[256];
    bool wal = false;
    i64 pages = 0;
    sqlite3_extended_result_codes(db, 1);
    sqlite3_busy_timeout(db, STORE_BUSY_MS);
    sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    int rc = sqlite3_exec(db,
                          "PRAGMA mmap_size=0; PRAGMA temp_store=MEMORY; PRAGMA secure_delete=OFF;"
                          "PRAGMA wal_autocheckpoint=0;",
                          NULL, NULL, NULL);
    if (rc == SQLITE_OK)
        rc = pragma_int(db, "PRAGMA page_count", &pages);
    if (rc == SQLITE_OK && pages == 0)
        rc = sqlite3_exec(
            db, "PRAGMA page_size=" PAGE_SQL(STORE_PAGE_SIZE) "; PRAGMA auto_vacuum=INCREMENTAL",
            NULL, NULL, NULL);
    if (rc == SQLITE_OK)
        rc = journal_is_wal(db, &wal);
    if (rc == SQLITE_OK && !wal)
        rc = SQLITE_CANTOPEN;
    if (rc != SQLITE_OK)
        return rc;
    snprintf(sql, sizeof sql,
             "PRAGMA synchronous=%s; PRAGMA cache_size=-%u; PRAGMA journal_size_limit=%" PRIu64,
             conf->durability == STORE_FULL ? "FULL" : "NORMAL", conf->cache_kib,
             conf->wal_size_max);
    return sqlite3_exec(db, sql, NULL, NULL, NULL);
}

int store_connection_open(sqlite3 **ret, const struct store_conf *conf)
{
    int rc = sqlite3_open_v2(conf->path, ret, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_db_readonly(*ret, "main") == 1 ? SQLITE_READONLY : SQLITE_OK;
    return rc == SQLITE_OK ? set_up(*ret, conf) : rc;
}

/* --- the schema ------------------------------------------------------------------------------- */

static int open_failed(struct fault *f, int err, const char *path, const char *why)
{
    fault_set(f, err, "%s: %s", path, why);
    return err;
}

static int migrate_steps(sqlite3 *db, const struct store_conf *conf, i64 from)
{
    char sql[96];
    int rc = sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL);
    for (u32 i = (u32)from; i < conf->migration_count && rc == SQLITE_OK; i++)
        rc = sqlite3_exec(db, conf->migrations[i], NULL, NULL, NULL);
    snprintf(sql, sizeof sql, "PRAGMA application_id=%u; PRAGMA user_version=%u; COMMIT",
             conf->kind, conf->migration_count);
    if (rc == SQLITE_OK)
        rc = sqlite3_exec(db, sql, NULL, NULL, NULL);
    return rc;
}

int store_connection_migrate(sqlite3 *db, const struct store_conf *conf, struct fault *f)
{
    i64 version = 0, kind = 0, things = 0, page_size = 0;
    int rc = pragma_int(db, "PRAGMA user_version", &version);
    if (rc == SQLITE_OK)
        rc = pragma_int(db, "PRAGMA application_id", &kind);
    if (rc == SQLITE_OK)
        rc = pragma_int(db, "SELECT count(*) FROM sqlite_schema", &things);
    if (rc == SQLITE_OK)
        rc = pragma_int(db, "PRAGMA page_size", &page_size);
    if (rc != SQLITE_OK)
        return open_failed(f, store_err_of(db, rc), conf->path, sqlite3_errmsg(db));
    bool fresh = things == 0 && version == 0 && kind == 0;
    if ((!fresh && kind != (i64)conf->kind) || page_size != STORE_PAGE_SIZE || version < 0)
        return open_failed(f, E_INVALID, conf->path, "a database, but not one of this daemon");
    if (version > (i64)conf->migration_count) {
        fault_set(f, E_NEWER,
                  "%s: written by a newer version of toque (schema %" PRId64 ", this one knows %u)",
                  conf->path, version, conf->migration_count);
        return E_NEWER;
    }
    if (!fresh && version == (i64)conf->migration_count)
        return 0;
    rc = migrate_steps(db, conf, version);
    if (rc != SQLITE_OK)
        return open_failed(f, store_err_of(db, rc), conf->path, sqlite3_errmsg(db));
    if (store_file_sync_directory(conf->path) != 0)
        return open_failed(f, E_IO, conf->path, "its directory cannot be synced");
    return 0;
}
