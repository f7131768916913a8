#include "common/io/secret_file.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static int secret_file_check(int fd, const char *path, struct fault *f)
{
    struct stat st;

    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
        return fault_set(f, SECRET_FILE_FAULT, "%s: is not a regular file", path);
    if (st.st_uid != geteuid() && st.st_uid != 0)
        return fault_set(f, SECRET_FILE_FAULT, "%s: belongs to another user", path);
    if (st.st_mode & 077)
        return fault_set(f, SECRET_FILE_FAULT,
                         "%s: others may read or change it: its mode must be 0600, not %04o", path,
                         (unsigned)(st.st_mode & 07777));
    return 0;
}

int secret_file_open(const char *path, int *ret_fd, struct fault *f)
{
    /* Opening a FIFO of that name would block. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

    if (fd < 0)
        return fault_set(f, SECRET_FILE_FAULT, "%s: %s", path, strerror(errno));
    int err = secret_file_check(fd, path, f);

    if (err)
        close(fd);
    else
        *ret_fd = fd;
    return err;
}

int secret_file_read(const char *path, size_t size_min, size_t size_max, struct buf *ret,
                     struct fault *f)
{
    ssize_t n = 1;
    int fd, err = secret_file_open(path, &fd, f);

    if (err)
        return err;
    while (ret->n <= size_max + 1 && (n = read(fd, buf_room(ret, 4096), 4096)) > 0)
        ret->n += (size_t)n;
    close(fd);
    if (n < 0)
        return fault_set(f, SECRET_FILE_FAULT, "%s: %s", path, strerror(errno));
    str text = str_trim(buf_view(ret));

    if (text.n < size_min || text.n > size_max)
        return fault_set(f, SECRET_FILE_FAULT, "%s: must hold %zu to %zu characters", path,
                         size_min, size_max);
    memmove(ret->p, text.p, text.n);
    ret->n = text.n;
    ret->p[ret->n] = '\0';
    return 0;
}
