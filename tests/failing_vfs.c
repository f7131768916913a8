/* See failing_vfs.h. Every method goes on to the VFS beneath, after the order in force was asked;
 * the checkpointer's thread comes through here too, so the order is under a lock. */
#include "tests/failing_vfs.h"

#include <pthread.h>

#include <sqlite3.h>

struct failing_file {
    sqlite3_file base;
    int kind;
    sqlite3_file *real; /* behind this struct, in the same memory */
};

static sqlite3_vfs *real_vfs;
static sqlite3_vfs failing_vfs;
static pthread_mutex_t order_lock = PTHREAD_MUTEX_INITIALIZER; /* guards what follows */
static struct failing_order order_now;
static pthread_t order_thread;
static int hits;
static int counts[32][4]; /* by bit of op, by kind */

static int bit_of(int op)
{
    int bit = 0;
    while (op > 1) {
        op >>= 1;
        bit++;
    }
    return bit;
}

/* SQLITE_OK, or what this operation fails with. */
static int ask(int op, int kind, bool *ret_torn)
{
    int rc = SQLITE_OK;
    pthread_mutex_lock(&order_lock);
    counts[bit_of(op)][kind]++;
    if ((order_now.ops & op) && (order_now.files & kind) &&
        (!order_now.mine || pthread_equal(order_thread, pthread_self()))) {
        if (order_now.after > 0) {
            order_now.after--;
        } else if (order_now.times != 0) {
            if (order_now.times > 0)
                order_now.times--;
            hits++;
            rc = order_now.result;
            *ret_torn = order_now.torn;
        }
    }
    pthread_mutex_unlock(&order_lock);
    return rc;
}

static struct failing_file *of(sqlite3_file *file)
{
    return (struct failing_file *)(void *)file;
}

static int f_close(sqlite3_file *file)
{
    return of(file)->real->pMethods->xClose(of(file)->real);
}

static int f_read(sqlite3_file *file, void *to, int n, sqlite3_int64 at)
{
    bool torn;
    int rc = ask(FAILING_READ, of(file)->kind, &torn);
    return rc ? rc : of(file)->real->pMethods->xRead(of(file)->real, to, n, at);
}

static int f_write(sqlite3_file *file, const void *from, int n, sqlite3_int64 at)
{
    bool torn = false;
    sqlite3_file *real = of(file)->real;
    int rc = ask(FAILING_WRITE, of(file)->kind, &torn);
    if (rc && torn)
        real->pMethods->xWrite(real, from, n / 2, at);
    return rc ? rc : real->pMethods->xWrite(real, from, n, at);
}

static int f_truncate(sqlite3_file *file, sqlite3_int64 size)
{
    bool torn;
    int rc = ask(FAILING_TRUNCATE, of(file)->kind, &torn);
    return rc ? rc : of(file)->real->pMethods->xTruncate(of(file)->real, size);
}

static int f_sync(sqlite3_file *file, int flags)
{
    bool torn;
    int rc = ask(FAILING_SYNC, of(file)->kind, &torn);
    return rc ? rc : of(file)->real->pMethods->xSync(of(file)->real, flags);
}

static int f_file_size(sqlite3_file *file, sqlite3_int64 *ret)
{
    return of(file)->real->pMethods->xFileSize(of(file)->real, ret);
}

static int f_lock(sqlite3_file *file, int level)
{
    return of(file)->real->pMethods->xLock(of(file)->real, level);
}

static int f_unlock(sqlite3_file *file, int level)
{
    return of(file)->real->pMethods->xUnlock(of(file)->real, level);
}

static int f_check_reserved(sqlite3_file *file, int *ret)
{
    return of(file)->real->pMethods->xCheckReservedLock(of(file)->real, ret);
}

static int f_control(sqlite3_file *file, int op, void *arg)
{
    return of(file)->real->pMethods->xFileControl(of(file)->real, op, arg);
}

static int f_sector_size(sqlite3_file *file)
{
    return of(file)->real->pMethods->xSectorSize(of(file)->real);
}

static int f_characteristics(sqlite3_file *file)
{
    return of(file)->real->pMethods->xDeviceCharacteristics(of(file)->real);
}

static int f_shm_map(sqlite3_file *file, int at, int size, int extend, void volatile **ret)
{
    return of(file)->real->pMethods->xShmMap(of(file)->real, at, size, extend, ret);
}

static int f_shm_lock(sqlite3_file *file, int at, int n, int flags)
{
    return of(file)->real->pMethods->xShmLock(of(file)->real, at, n, flags);
}

static void f_shm_barrier(sqlite3_file *file)
{
    of(file)->real->pMethods->xShmBarrier(of(file)->real);
}

static int f_shm_unmap(sqlite3_file *file, int remove)
{
    return of(file)->real->pMethods->xShmUnmap(of(file)->real, remove);
}

static const sqlite3_io_methods methods = {
    .iVersion = 2,
    .xClose = f_close,
    .xRead = f_read,
    .xWrite = f_write,
    .xTruncate = f_truncate,
    .xSync = f_sync,
    .xFileSize = f_file_size,
    .xLock = f_lock,
    .xUnlock = f_unlock,
    .xCheckReservedLock = f_check_reserved,
    .xFileControl = f_control,
    .xSectorSize = f_sector_size,
    .xDeviceCharacteristics = f_characteristics,
    .xShmMap = f_shm_map,
    .xShmLock = f_shm_lock,
    .xShmBarrier = f_shm_barrier,
    .xShmUnmap = f_shm_unmap,
};

static int v_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *ret_flags)
{
    bool torn;
    struct failing_file *f = of(file);
    f->base.pMethods = NULL;
    f->kind = (flags & SQLITE_OPEN_WAL) ? FAILING_WAL : FAILING_DB;
    f->real = (sqlite3_file *)(void *)(f + 1);
    int rc = ask(FAILING_OPEN, f->kind, &torn);
    if (rc == SQLITE_OK)
        rc = real_vfs->xOpen(real_vfs, name, f->real, flags, ret_flags);
    if (rc == SQLITE_OK)
        f->base.pMethods = &methods;
    return rc;
}

void failing_vfs_install(void)
{
    if (real_vfs)
        return;
    sqlite3_initialize();
    real_vfs = sqlite3_vfs_find(NULL);
    failing_vfs = *real_vfs;
    failing_vfs.zName = "failing";
    failing_vfs.pNext = NULL;
    failing_vfs.szOsFile = (int)sizeof(struct failing_file) + real_vfs->szOsFile;
    failing_vfs.xOpen = v_open;
    sqlite3_vfs_register(&failing_vfs, 1);
}

void failing_vfs_order(struct failing_order order)
{
    pthread_mutex_lock(&order_lock);
    order_now = order;
    order_thread = pthread_self();
    hits = 0;
    memset(counts, 0, sizeof counts);
    pthread_mutex_unlock(&order_lock);
}

void failing_vfs_heal(void)
{
    failing_vfs_order((struct failing_order){0});
}

int failing_vfs_hits(void)
{
    pthread_mutex_lock(&order_lock);
    int n = hits;
    pthread_mutex_unlock(&order_lock);
    return n;
}

int failing_vfs_count(int ops, int files)
{
    int n = 0;
    pthread_mutex_lock(&order_lock);
    for (int bit = 0; bit < 5; bit++)
        for (int kind = 1; kind <= 2; kind++)
            if ((ops & (1 << bit)) && (files & kind))
                n += counts[bit][kind];
    pthread_mutex_unlock(&order_lock);
    return n;
}
