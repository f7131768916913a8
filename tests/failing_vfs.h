/* A file system that fails on order: an SQLite VFS over the usual one, which the tests make the
 * default before they open a store. */
#ifndef TOQUE_TESTS_FAILING_VFS_H
#define TOQUE_TESTS_FAILING_VFS_H

#include "common/base/base.h"

/* What may fail; several at once. */
enum failing_op {
    FAILING_WRITE = 1,
    FAILING_SYNC = 2,
    FAILING_TRUNCATE = 4,
    FAILING_OPEN = 8,
    FAILING_READ = 16,
};
#define FAILING_CHANGES (FAILING_WRITE | FAILING_SYNC | FAILING_TRUNCATE)

/* On which files. */
enum failing_file_kind { FAILING_DB = 1, FAILING_WAL = 2, FAILING_ANY = 3 };

struct failing_order {
    int ops, files;
    int result; /* SQLite code: SQLITE_FULL, SQLITE_IOERR_WRITE, … */
    int after;  /* so many matching operations still go well */
    int times;  /* then so many fail; -1: all of them */
    bool torn;  /* a write that fails has written its first half */
    bool mine;  /* only what the thread does that gave the order, not the checkpointer's */
};

/* Registers it as the default; once, before any store is opened. */
void failing_vfs_install(void);
void failing_vfs_order(struct failing_order order);
/* Everything works again. */
void failing_vfs_heal(void);
/* Operations that the order now in force made fail. */
int failing_vfs_hits(void);
/* Operations of this kind on these files since the last call of failing_vfs_order or _heal. */
int failing_vfs_count(int ops, int files);

#endif
