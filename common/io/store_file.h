/* What a store needs from the file system besides its database: an exclusive lock, permissions, a
 * durable name, the check that its names refer to its open files, and a reserve of space. Used by
 * store.c only. */
#ifndef TOQUE_STORE_FILE_H
#define TOQUE_STORE_FILE_H

#include "common/base/err.h"

/* Takes PATH.lock for this process; *ret_fd holds it until it is closed. E_EXISTS: another process
 * has it; `f` says which. */
int store_file_lock(const char *path, int *ret_fd, struct fault *f) MUST_CHECK;
/* Creates the file unless it is there, for its owner only: SQLite gives the WAL the same rights. */
int store_file_create(const char *path, struct fault *f) MUST_CHECK;
/* The file that a name refers to. */
struct store_file_identity {
    u64 device, number; /* 0, 0: there is none */
    bool is_filled;
};
struct store_file_identity store_file_identify(const char *path);
/* Whether the name refers to that file. A file that had content and is empty now counts as a
 * different one. */
bool store_file_is(const char *path, const struct store_file_identity *identity);
/* Space reserved for the store, which it uses when the disk is full: PATH.reserve, a file of
 * zeros. */
struct store_reserve {
    int fd; /* -1: there is none */
    u64 size, size_max;
};
/* Opens the reserve with its present size. size_max 0: no reserve; an existing one is deleted. */
void store_reserve_open(struct store_reserve *r, const char *path, u64 size_max);
void store_reserve_close(struct store_reserve *r);
/* Releases half of it, or all of a small one. False: there was nothing to release. */
bool store_reserve_release(struct store_reserve *r);
/* Restores its full size if the disk has space. On a small file system the full size is smaller.
 * True: it is complete. */
bool store_reserve_fill(struct store_reserve *r);
/* The disk is so full that even the files that an opening writes may not fit. */
bool store_reserve_is_needed(const struct store_reserve *r);
/* A new file's name is durable when its directory is. */
int store_file_sync_directory(const char *path) MUST_CHECK;

#endif
