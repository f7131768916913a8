/* common/io/store_file.h on the simulated disk. There is one process for a directory at a time, so
 * its lock is not needed. */
#include "common/io/store_file.h"

#include "tests/sim/disk_vfs.h"

static const char *last_part(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

int store_file_lock(const char *path, int *ret_fd, struct fault *f)
{
    return 0;
}

int store_file_create(const char *path, struct fault *f)
{
    struct disk *d = disk_vfs_entered();

    if (!disk_find(d, last_part(path)))
        disk_create(d, last_part(path));
    return 0;
}

int store_file_sync_directory(const char *path)
{
    return disk_sync_directory(disk_vfs_entered());
}

/* Nobody deletes or replaces the files of the simulated disk while they are open. */
struct store_file_identity store_file_identify(const char *path)
{
    return (struct store_file_identity){1, 1, true};
}

bool store_file_is(const char *path, const struct store_file_identity *identity)
{
    return true;
}

/* The simulated disk has no reserve: its faults are whole. */
void store_reserve_open(struct store_reserve *r, const char *path, u64 size_max)
{
    *r = (struct store_reserve){.fd = -1};
}

void store_reserve_close(struct store_reserve *r)
{
}

bool store_reserve_release(struct store_reserve *r)
{
    return false;
}

bool store_reserve_fill(struct store_reserve *r)
{
    return true;
}

bool store_reserve_is_needed(const struct store_reserve *r)
{
    return false;
}
