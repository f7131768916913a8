/* The WAL's state, read from its index in shared memory. See store_wal.h. */
#include "common/io/store_wal.h"

#include <sqlite3.h>

/* SQLite maps the index in pieces of this size; mxFrame of the first header copy, and nBackfill
 * after both copies, are in the first piece. */
#define INDEX_PIECE  32768
#define INDEX_FRAMES 16
#define INDEX_COPIED 96

#define WAL_PAGE_SIZE_MAX 65536

/* The WAL's open file, or NULL. */
static sqlite3_file *wal_file(sqlite3 *db)
{
    sqlite3_file *file = NULL;
    if (sqlite3_file_control(db, "main", SQLITE_FCNTL_JOURNAL_POINTER, &file) != SQLITE_OK)
        return NULL;
    return file && file->pMethods ? file : NULL;
}

static u32 index_u32(void volatile *index, size_t at)
{
    return __atomic_load_n((volatile u32 *)(void volatile *)((volatile u8 *)index + at),
                           __ATOMIC_RELAXED);
}

bool store_wal_look(sqlite3 *db, struct store_wal *ret)
{
    sqlite3_file *file = NULL;
    void volatile *index = NULL;
    if (sqlite3_file_control(db, "main", SQLITE_FCNTL_FILE_POINTER, &file) != SQLITE_OK || !file ||
        !file->pMethods || file->pMethods->iVersion < 2 ||
        file->pMethods->xShmMap(file, 0, INDEX_PIECE, 0, &index) != SQLITE_OK || !index)
        return false;
    ret->frames = index_u32(index, INDEX_FRAMES);
    ret->copied = index_u32(index, INDEX_COPIED);
    return true;
}

bool store_wal_may_finish(u32 left, u32 before)
{
    bool closer = before == 0 || left <= before / 2;
    return left <= STORE_WAL_FINISH_FEW || (left <= STORE_WAL_FINISH_MAX && !closer);
}

int store_wal_cut(sqlite3 *db, u32 page_size)
{
    struct store_wal wal;
    sqlite3_int64 size;
    sqlite3_file *file = wal_file(db);
    if (!file)
        return SQLITE_OK;
    if (!store_wal_look(db, &wal))
        return SQLITE_IOERR_SHMMAP;
    sqlite3_int64 valid = WAL_HEADER_SIZE + (sqlite3_int64)wal.frames * WAL_FRAME_SIZE(page_size);
    int rc = file->pMethods->xFileSize(file, &size);
    if (rc == SQLITE_OK && size > valid)
        rc = file->pMethods->xTruncate(file, valid);
    return rc == SQLITE_OK ? store_wal_sync(db) : rc;
}

int store_wal_sync(sqlite3 *db)
{
    sqlite3_file *file = wal_file(db);
    if (!file)
        return SQLITE_OK;
    return file->pMethods->xSync(file, SQLITE_SYNC_NORMAL | SQLITE_SYNC_DATAONLY);
}

/* Of the file as it is, which nobody else writes meanwhile. */
static int wal_write_again(sqlite3 *db, u32 page_size)
{
    char frame[WAL_FRAME_SIZE(WAL_PAGE_SIZE_MAX)];
    struct store_wal wal;
    sqlite3_file *file = wal_file(db);
    int rc = SQLITE_OK;

    if (!file || !store_wal_look(db, &wal) || !wal.frames)
        return SQLITE_OK;
    assert(page_size <= WAL_PAGE_SIZE_MAX);
    for (u32 i = 0; i <= wal.frames && rc == SQLITE_OK; i++) {
        int n = i == 0 ? WAL_HEADER_SIZE : (int)WAL_FRAME_SIZE(page_size);
        sqlite3_int64 at =
            i == 0 ? 0 : WAL_HEADER_SIZE + (sqlite3_int64)(i - 1) * WAL_FRAME_SIZE(page_size);

        rc = file->pMethods->xRead(file, frame, n, at);
        if (rc == SQLITE_OK)
            rc = file->pMethods->xWrite(file, frame, n, at);
    }
    return rc == SQLITE_OK ? store_wal_sync(db) : rc;
}

int store_wal_write_again(sqlite3 *db, u32 page_size)
{
    int rc = sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL);

    if (rc != SQLITE_OK)
        return rc;
    rc = wal_write_again(db, page_size);
    int end = sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);

    return rc == SQLITE_OK ? end : rc;
}

int store_wal_copier_open(sqlite3 **ret, const char *path)
{
    int rc = sqlite3_open_v2(path, ret, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);

    if (rc != SQLITE_OK)
        return rc;
    /* A connection notices the WAL only when it reads. */
    return sqlite3_exec(*ret,
                        "PRAGMA mmap_size=0; PRAGMA cache_size=4; PRAGMA wal_autocheckpoint=0;"
                        "PRAGMA synchronous=FULL; SELECT count(*) FROM sqlite_schema",
                        NULL, NULL, NULL);
}

int store_wal_copy(sqlite3 *db)
{
    int rc = sqlite3_wal_checkpoint_v2(db, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);

    return (rc & 0xff) == SQLITE_BUSY ? SQLITE_OK : rc;
}

int store_wal_copy_ahead(sqlite3 *db)
{
    sqlite3_file *file = NULL;
    int rc = store_wal_copy(db);

    if (rc == SQLITE_OK)
        rc = sqlite3_file_control(db, "main", SQLITE_FCNTL_FILE_POINTER, &file);
    if (rc != SQLITE_OK || !file || !file->pMethods)
        return rc;
    return file->pMethods->xSync(file, SQLITE_SYNC_NORMAL | SQLITE_SYNC_DATAONLY);
}
