/* The lock, the rights and the directory of a database file. See store_file.h.
 *
 * The lock is flock's on a file of its own: it goes with the process however that ends, and
 * SQLite's own locks on the database stay free for the shell that somebody looks at it with. */
#include "common/io/store_file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/mem.h"

static int path_failed(struct fault *f, const char *path)
{
    int err = errno == EACCES || errno == EPERM ? E_DENIED : errno == ENOSPC ? E_FULL : E_IO;
    fault_set(f, err, "%s: %s", path, strerror(errno));
    return err;
}

/* The holder's pid goes into the file, only for the words that the next one gets: whether it can be
 * written does not matter. */
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
