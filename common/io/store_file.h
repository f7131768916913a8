/* What a store needs of the file system besides its database: exclusive lock, permissions, a
 * durable name, and that its names go on leading to its open files. Used by store.c only. */
#ifndef TOQUE_STORE_FILE_H
#define TOQUE_STORE_FILE_H

#include "common/base/err.h"

/* Takes PATH.lock for this process; *ret_fd holds it until it is closed. E_EXISTS: another process
 * has it; `f` says which. */
int store_file_lock(const char *path, int *ret_fd, struct fault *f) MUST_CHECK;
/* Creates the file unless it is there, for its owner only: SQLite gives the WAL the same rights. */
int store_file_create(const char *path, struct fault *f) MUST_CHECK;
/* Which file a name leads to. */
struct store_file_identity {
    u64 device, number; /* 0, 0: there is none */
    bool is_filled;
};
struct store_file_identity store_file_identify(const char *path);
/* Whether the name leads to that file. A filled one that has been emptied is another one. */
bool store_file_is(const char *path, const struct store_file_identity *identity);
/* A new file's name is durable when its directory is. */
int store_file_sync_directory(const char *path) MUST_CHECK;

#endif
