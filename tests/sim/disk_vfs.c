/* The methods that SQLite wants of a file system. Locks and the WAL's index in shared memory belong
 * to the file: they are there as long as somebody has it open, and gone with the last. */
#include "tests/sim/disk_vfs.h"

#include <sqlite3.h>

#include "common/base/err.h"
#include "common/base/mem.h"
#include "tests/sim/chance.h"
#include "tests/sim/world.h"

#define SECTOR_SIZE   4096
#define NAME_SIZE_MAX 256
/* 2026-11-30, in ms since the Julian epoch. */
#define JULIAN_MS INT64_C(212662915200000)

/* What all handles of one file share. */
struct vfs_shared {
    u32 handles;
    u32 readers;               /* handles with SHARED or more */
    struct vfs_file *reserved; /* the handle with RESERVED or more */
    bool pending;
    char **pieces; /* of the index */
    u32 piece_count;
    u32 index_readers[SQLITE_SHM_NLOCK];
    struct vfs_file *index_writer[SQLITE_SHM_NLOCK];
};

struct vfs_file {
    sqlite3_file base;
    struct disk_file *file;
    struct vfs_shared *shared;
    int level; /* SQLITE_LOCK_… */
    bool reads_index[SQLITE_SHM_NLOCK];
    bool delete_on_close, enter; /* `enter`: its name is synced with its first sync */
};

static struct disk *entered;

static struct vfs_file *of(sqlite3_file *base)
{
    return (struct vfs_file *)(void *)base;
}

static int code_of(int err, int io)
{
    return err == 0 ? SQLITE_OK : err == E_FULL ? SQLITE_FULL : io;
}

/* --- bytes ------------------------------------------------------------------------------------ */

static int file_read(sqlite3_file *base, void *to, int n, sqlite3_int64 at)
{
    size_t got;
    int err = disk_read(of(base)->file, to, (size_t)n, (u64)at, &got);

    if (err)
        return SQLITE_IOERR_READ;
    if (got == (size_t)n)
        return SQLITE_OK;
    memset((char *)to + got, 0, (size_t)n - got);
    return SQLITE_IOERR_SHORT_READ;
}

static int file_write(sqlite3_file *base, const void *from, int n, sqlite3_int64 at)
{
    return code_of(disk_write(of(base)->file, from, (size_t)n, (u64)at), SQLITE_IOERR_WRITE);
}

static int file_truncate(sqlite3_file *base, sqlite3_int64 size)
{
    return code_of(disk_truncate(of(base)->file, (u64)size), SQLITE_IOERR_TRUNCATE);
}

static int file_sync(sqlite3_file *base, int flags)
{
    struct vfs_file *v = of(base);
    int err = disk_sync(v->file);

    if (!err && v->enter)
        err = disk_sync_directory(v->file->disk);
    v->enter = v->enter && err;
    return code_of(err, SQLITE_IOERR_FSYNC);
}

static int file_size(sqlite3_file *base, sqlite3_int64 *ret)
{
    *ret = (sqlite3_int64)of(base)->file->now.n;
    return SQLITE_OK;
}

/* --- locks on the database -------------------------------------------------------------------- */

static int file_unlock(sqlite3_file *base, int level)
{
    struct vfs_file *v = of(base);
    struct vfs_shared *s = v->shared;

    if (v->level <= level)
        return SQLITE_OK;
    if (s->reserved == v && level < SQLITE_LOCK_RESERVED) {
        s->reserved = NULL;
        s->pending = false;
    }
    if (level == SQLITE_LOCK_NONE)
        s->readers--;
    v->level = level;
    return SQLITE_OK;
}

static int file_lock(sqlite3_file *base, int level)
{
    struct vfs_file *v = of(base);
    struct vfs_shared *s = v->shared;

    if (v->level >= level)
        return SQLITE_OK;
    if (level == SQLITE_LOCK_SHARED) {
        if (s->pending)
            return SQLITE_BUSY;
        s->readers++;
        v->level = level;
        return SQLITE_OK;
    }
    if (s->reserved && s->reserved != v)
        return SQLITE_BUSY;
    s->reserved = v;
    v->level = SQLITE_LOCK_RESERVED;
    if (level == SQLITE_LOCK_RESERVED)
        return SQLITE_OK;
    s->pending = true;
    v->level = SQLITE_LOCK_PENDING;
    if (s->readers > 1)
        return SQLITE_BUSY;
    v->level = level;
    return SQLITE_OK;
}

static int file_check_reserved(sqlite3_file *base, int *ret)
{
    *ret = of(base)->shared->reserved != NULL;
    return SQLITE_OK;
}

/* --- the WAL's index -------------------------------------------------------------------------- */

static int index_map(sqlite3_file *base, int piece, int size, int extend, void volatile **ret)
{
    struct vfs_shared *s = of(base)->shared;

    *ret = NULL;
    if ((u32)piece >= s->piece_count && !extend)
        return SQLITE_OK;
    while ((u32)piece >= s->piece_count) {
        s->pieces = mem_grow(s->pieces, (s->piece_count + 1) * sizeof(*s->pieces));
        s->pieces[s->piece_count++] = mem_alloc((size_t)size);
    }
    *ret = s->pieces[piece];
    return SQLITE_OK;
}

static bool index_is_free(const struct vfs_file *v, int slot, bool exclusive)
{
    const struct vfs_shared *s = v->shared;
    u32 others = s->index_readers[slot] - v->reads_index[slot];

    return (!s->index_writer[slot] || s->index_writer[slot] == v) && (!exclusive || others == 0);
}

static void index_unlock(struct vfs_file *v, int slot)
{
    struct vfs_shared *s = v->shared;

    s->index_readers[slot] -= v->reads_index[slot];
    v->reads_index[slot] = false;
    if (s->index_writer[slot] == v)
        s->index_writer[slot] = NULL;
}

static int index_lock(sqlite3_file *base, int at, int n, int flags)
{
    struct vfs_file *v = of(base);
    bool exclusive = flags & SQLITE_SHM_EXCLUSIVE;

    for (int i = at; i < at + n && (flags & SQLITE_SHM_LOCK); i++)
        if (!index_is_free(v, i, exclusive))
            return SQLITE_BUSY;
    for (int i = at; i < at + n; i++) {
        index_unlock(v, i);
        if (!(flags & SQLITE_SHM_LOCK))
            continue;
        if (exclusive) {
            v->shared->index_writer[i] = v;
        } else {
            v->reads_index[i] = true;
            v->shared->index_readers[i]++;
        }
    }
    return SQLITE_OK;
}

static void index_barrier(sqlite3_file *base)
{
}

static int index_unmap(sqlite3_file *base, int remove)
{
    for (int i = 0; i < SQLITE_SHM_NLOCK; i++)
        index_unlock(of(base), i);
    return SQLITE_OK;
}

/* --- handles ---------------------------------------------------------------------------------- */

static void shared_unref(struct disk_file *f)
{
    struct vfs_shared *s = f->shared;

    if (--s->handles > 0)
        return;
    for (u32 i = 0; i < s->piece_count; i++)
        mem_free(s->pieces[i]);
    mem_free(s->pieces);
    mem_free(s);
    f->shared = NULL;
}

static int file_close(sqlite3_file *base)
{
    struct vfs_file *v = of(base);

    index_unmap(base, 0);
    file_unlock(base, SQLITE_LOCK_NONE);
    shared_unref(v->file);
    disk_close(v->file);
    if (v->delete_on_close)
        disk_delete(v->file);
    return SQLITE_OK;
}

static int file_control(sqlite3_file *base, int op, void *arg)
{
    return SQLITE_NOTFOUND;
}

static int file_sector_size(sqlite3_file *base)
{
    return SECTOR_SIZE;
}

static int file_characteristics(sqlite3_file *base)
{
    return SQLITE_IOCAP_POWERSAFE_OVERWRITE;
}

static const sqlite3_io_methods methods = {
    .iVersion = 2,
    .xClose = file_close,
    .xRead = file_read,
    .xWrite = file_write,
    .xTruncate = file_truncate,
    .xSync = file_sync,
    .xFileSize = file_size,
    .xLock = file_lock,
    .xUnlock = file_unlock,
    .xCheckReservedLock = file_check_reserved,
    .xFileControl = file_control,
    .xSectorSize = file_sector_size,
    .xDeviceCharacteristics = file_characteristics,
    .xShmMap = index_map,
    .xShmLock = index_lock,
    .xShmBarrier = index_barrier,
    .xShmUnmap = index_unmap,
};

static const char *last_part(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

static int vfs_open(sqlite3_vfs *vfs, const char *path, sqlite3_file *base, int flags,
                    int *ret_flags)
{
    struct vfs_file *v = of(base);
    struct disk_file *f = disk_find(entered, last_part(path));

    *v = (struct vfs_file){0};
    if (!f && !(flags & SQLITE_OPEN_CREATE))
        return SQLITE_CANTOPEN;
    if (!f)
        f = disk_create(entered, last_part(path));
    if (!f->shared)
        f->shared = mem_alloc(sizeof(struct vfs_shared));
    v->file = f;
    v->shared = f->shared;
    v->shared->handles++;
    v->delete_on_close = flags & SQLITE_OPEN_DELETEONCLOSE;
    v->enter =
        (flags & SQLITE_OPEN_CREATE) && (flags & (SQLITE_OPEN_WAL | SQLITE_OPEN_MAIN_JOURNAL));
    f->open++;
    if (ret_flags)
        *ret_flags = flags;
    v->base.pMethods = &methods;
    return SQLITE_OK;
}

static int vfs_delete(sqlite3_vfs *vfs, const char *path, int sync_directory)
{
    struct disk_file *f = disk_find(entered, last_part(path));

    if (!f)
        return SQLITE_IOERR_DELETE_NOENT;
    disk_delete(f);
    return sync_directory ? code_of(disk_sync_directory(entered), SQLITE_IOERR_DIR_FSYNC)
                          : SQLITE_OK;
}

static int vfs_access(sqlite3_vfs *vfs, const char *path, int flags, int *ret)
{
    const struct disk_file *f = disk_find(entered, last_part(path));

    *ret = f && (flags != SQLITE_ACCESS_EXISTS || f->now.n > 0);
    return SQLITE_OK;
}

static int vfs_full_path(sqlite3_vfs *vfs, const char *path, int size, char *ret)
{
    int n = snprintf(ret, (size_t)size, "%s", path);

    return n < size ? SQLITE_OK : SQLITE_CANTOPEN;
}

static int vfs_chance(sqlite3_vfs *vfs, int n, char *ret)
{
    for (int i = 0; i < n; i++)
        ret[i] = (char)chance_u64(CHANCE_DISK);
    return n;
}

static int vfs_sleep(sqlite3_vfs *vfs, int us)
{
    world_spend_us(us);
    return us;
}

static int vfs_time(sqlite3_vfs *vfs, sqlite3_int64 *ret_ms)
{
    *ret_ms = JULIAN_MS + world_now_us() / 1000;
    return SQLITE_OK;
}

static int vfs_last_error(sqlite3_vfs *vfs, int n, char *ret)
{
    return 0;
}

void disk_vfs_begin(void)
{
    static sqlite3_vfs vfs = {
        .iVersion = 2,
        .szOsFile = sizeof(struct vfs_file),
        .mxPathname = NAME_SIZE_MAX,
        .zName = "sim",
        .xOpen = vfs_open,
        .xDelete = vfs_delete,
        .xAccess = vfs_access,
        .xFullPathname = vfs_full_path,
        .xRandomness = vfs_chance,
        .xSleep = vfs_sleep,
        .xCurrentTimeInt64 = vfs_time,
        .xGetLastError = vfs_last_error,
    };

    sqlite3_vfs_register(&vfs, 1); /* harmless when it is already */
    sqlite3_randomness(0, NULL);
}

void disk_vfs_enter(struct disk *d)
{
    entered = d;
}

struct disk *disk_vfs_entered(void)
{
    return entered;
}
