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
/* Space that is kept for the store for when the disk is full: PATH.reserve, a file of zeros. */
struct store_reserve {
    int fd; /* -1: there is none */
    u64 size, size_max;
};
/* Opens it, as large as it is. size_max 0: there is none, what an earlier one kept is given back. */
void store_reserve_open(struct store_reserve *r, const char *path, u64 size_max);
void store_reserve_close(struct store_reserve *r);
/* Gives half of it back to the file system, all of a small one. False: there was nothing to give. */
bool store_reserve_release(struct store_reserve *r);
/* Makes it whole again if the disk has room for that. On a small file system it is smaller. True: it
 * is whole. */
bool store_reserve_fill(struct store_reserve *r);
/* The disk is so full that not even what an opening writes may fit. */
bool store_reserve_is_needed(const struct store_reserve *r);
/* A new file's name is durable when its directory is. */
int store_file_sync_directory(const char *path) MUST_CHECK;

#endif
