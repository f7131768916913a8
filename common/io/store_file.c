/* The lock, the permissions and the directory of a database file. See store_file.h.
 *
 * The lock is an flock on a file of its own: it ends with the process in any case, and SQLite's own
 * locks on the database stay available for somebody's sqlite3 shell. */
#include "common/io/store_file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "common/base/mem.h"

/* A reserve up to this size is released as a whole. */
#define RESERVE_SMALL (1u << 20)
/* The largest share of a file system for the reserve: 1 / n. */
#define RESERVE_SHARE 8
/* What an opening writes at most: the index of the WAL, and a few pages. */
#define OPENING_SIZE (1u << 20)

static int path_failed(struct fault *f, const char *path)
{
    int err = errno == EACCES || errno == EPERM ? E_DENIED : errno == ENOSPC ? E_FULL : E_IO;
    fault_set(f, err, "%s: %s", path, strerror(errno));
    return err;
}

/* The holder's pid is stored only for the next one's error text: whether it can be written does not
 * matter. */
static void pid_write(int fd)
{
    char pid[32];
    int n = snprintf(pid, sizeof pid, "%ld\n", (long)getpid());
    if (ftruncate(fd, 0) == 0 && pwrite(fd, pid, (size_t)n, 0) == n)
        return;
}

static int held_by_another(int fd, const char *path, struct fault *f)
{
    char pid[32] = "";
    ssize_t n = pread(fd, pid, sizeof pid - 1, 0);
    int digits = n > 0 ? (int)strspn(pid, "0123456789") : 0;
    fault_set(f, E_EXISTS, "%s: in use by another process%s%.*s", path, digits ? ", pid " : "",
              digits, pid);
    return E_EXISTS;
}

int store_file_lock(const char *path, int *ret_fd, struct fault *f)
{
    char *lock_path = mem_printf("%s.lock", path);
    int err = 0;
    int fd = open(lock_path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        err = path_failed(f, lock_path);
    else if (flock(fd, LOCK_EX | LOCK_NB) != 0)
        err = errno == EWOULDBLOCK ? held_by_another(fd, path, f) : path_failed(f, lock_path);
    mem_free(lock_path);
    if (err) {
        if (fd >= 0)
            close(fd);
        return err;
    }
    pid_write(fd);
    *ret_fd = fd;
    return 0;
}

int store_file_create(const char *path, struct fault *f)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return path_failed(f, path);
    close(fd);
    return 0;
}

struct store_file_identity store_file_identify(const char *path)
{
    struct stat st;
    if (stat(path, &st) != 0)
        return (struct store_file_identity){0};
    return (struct store_file_identity){(u64)st.st_dev, (u64)st.st_ino, st.st_size > 0};
}

bool store_file_is(const char *path, const struct store_file_identity *identity)
{
    struct stat st;
    return stat(path, &st) == 0 && (u64)st.st_dev == identity->device &&
           (u64)st.st_ino == identity->number && (st.st_size > 0 || !identity->is_filled);
}

/* --- the reserve ------------------------------------------------------------------------------ */

void store_reserve_open(struct store_reserve *r, const char *path, u64 size_max)
{
    struct stat st;
    char *name = mem_printf("%s.reserve", path);
    *r = (struct store_reserve){.fd = -1, .size_max = size_max};
    if (size_max)
        r->fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    else if (unlink(name) != 0)
        r->size = 0; /* there was none */
    if (r->fd >= 0 && fstat(r->fd, &st) == 0)
        r->size = MIN((u64)st.st_size, (u64)st.st_blocks * 512);
    mem_free(name);
}

void store_reserve_close(struct store_reserve *r)
{
    if (r->fd >= 0)
        close(r->fd);
    r->fd = -1;
}

bool store_reserve_release(struct store_reserve *r)
{
    u64 size = r->size <= RESERVE_SMALL ? 0 : r->size / 2;
    if (r->fd < 0 || r->size == 0 || ftruncate(r->fd, (off_t)size) != 0)
        return false;
    r->size = size;
    return true;
}

/* Bytes available on the file system, and the size of the reserve on a file system of its size. */
static u64 room(const struct store_reserve *r, u64 *ret_whole)
{
    struct statvfs fs;
    if (fstatvfs(r->fd, &fs) != 0)
        return 0;
    *ret_whole = MIN(r->size_max, (u64)fs.f_blocks * fs.f_frsize / RESERVE_SHARE);
    return (u64)fs.f_bavail * fs.f_frsize;
}

bool store_reserve_fill(struct store_reserve *r)
{
    u64 whole = r->size_max;
    if (r->fd < 0)
        return true;
    u64 free = room(r, &whole);
    if (r->size < whole && free > whole - r->size + OPENING_SIZE &&
        posix_fallocate(r->fd, 0, (off_t)whole) == 0)
        r->size = whole;
    return r->size >= whole;
}

bool store_reserve_is_needed(const struct store_reserve *r)
{
    u64 whole;
    return r->fd >= 0 && room(r, &whole) < OPENING_SIZE;
}

int store_file_sync_directory(const char *path)
{
    str whole = str_of(path);
    ptrdiff_t slash = str_rfind(whole, '/');
    char *dir = slash < 0 ? mem_dup(STR(".")) : mem_dup(str_slice(whole, 0, (size_t)slash + 1));
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int err = fd >= 0 && fsync(fd) == 0 ? 0 : E_IO;
    if (fd >= 0)
        close(fd);
    mem_free(dir);
    return err;
}
