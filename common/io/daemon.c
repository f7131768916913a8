#include "common/io/daemon.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/mem.h"

#define DAEMON_UMASK  027
#define PID_TRIES_MAX 16 /* attempts while other processes take or remove the file */
#define PID_TEXT_SIZE 24

int daemon_open(struct daemon *d, struct fault *f)
{
    *d = (struct daemon){.signal_fd = -1, .pid_fd = -1};
    umask(DAEMON_UMASK);
    signal(SIGPIPE, SIG_IGN);
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    if (sigprocmask(SIG_BLOCK, &set, NULL) == 0)
        d->signal_fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    if (d->signal_fd < 0)
        return fault_set(f, DAEMON_FAULT, "signals cannot be received: %s", strerror(errno));
    return 0;
}

void daemon_close(struct daemon *d)
{
    if (d->pid_fd >= 0) {
        /* Removed while still locked: it cannot be another process's file. */
        unlink(d->pid_path);
        close(d->pid_fd);
    }
    if (d->signal_fd >= 0)
        close(d->signal_fd);
    mem_free(d->pid_path);
    *d = (struct daemon){.signal_fd = -1, .pid_fd = -1};
}

int daemon_signal(struct daemon *d)
{
    struct signalfd_siginfo info;
    ssize_t n;
    do
        n = read(d->signal_fd, &info, sizeof info);
    while (n < 0 && errno == EINTR);
    return n == (ssize_t)sizeof info ? (int)info.ssi_signo : 0;
}

/* The first line of the pid file, for the error text; empty when there is none. */
static void read_holder(int fd, char ret[PID_TEXT_SIZE])
{
    ssize_t n = pread(fd, ret, PID_TEXT_SIZE - 1, 0);
    ret[n > 0 ? n : 0] = '\0';
    ret[strspn(ret, "0123456789")] = '\0';
}

/* Opens and locks the file. E_AGAIN: it was removed between the two steps. */
static int lock_pid_file(const char *path, int *ret_fd, struct fault *f)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
    if (fd < 0)
        return fault_set(f, DAEMON_FAULT, "pid file %s cannot be opened: %s", path,
                         strerror(errno));
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        char holder[PID_TEXT_SIZE];
        int why = errno;
        read_holder(fd, holder);
        close(fd);
        if (why == EWOULDBLOCK)
            return fault_set(f, DAEMON_FAULT,
                             "pid file %s is locked: process %s is already running", path,
                             holder[0] ? holder : "(unknown)");
        return fault_set(f, DAEMON_FAULT, "pid file %s cannot be locked: %s", path, strerror(why));
    }
    struct stat ours, there;
    if (fstat(fd, &ours) != 0 || stat(path, &there) != 0 || ours.st_ino != there.st_ino ||
        ours.st_dev != there.st_dev) {
        close(fd);
        return E_AGAIN;
    }
    *ret_fd = fd;
    return 0;
}

int daemon_write_pid(struct daemon *d, const char *path, struct fault *f)
{
    assert(d->pid_fd < 0);
    int fd = -1, err = E_AGAIN;
    for (int i = 0; i < PID_TRIES_MAX && err == E_AGAIN; i++)
        err = lock_pid_file(path, &fd, f);
    if (err == E_AGAIN)
        return fault_set(f, DAEMON_FAULT, "pid file %s is repeatedly removed by other processes",
                         path);
    if (err != 0)
        return err;
    char text[PID_TEXT_SIZE];
    int n = snprintf(text, sizeof text, "%ld\n", (long)getpid());
    if (ftruncate(fd, 0) != 0 || pwrite(fd, text, (size_t)n, 0) != n) {
        int why = errno;
        close(fd);
        return fault_set(f, DAEMON_FAULT, "pid file %s cannot be written: %s", path, strerror(why));
    }
    d->pid_fd = fd;
    d->pid_path = mem_dup(str_of(path));
    return 0;
}

u64 daemon_raise_files(u64 want)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return 0;
    if (limit.rlim_cur < want) {
        struct rlimit more = {.rlim_cur = want, .rlim_max = MAX(limit.rlim_max, (rlim_t)want)};
        /* Only privileged processes may raise the hard limit; others can raise the soft limit up to
         * it. */
        if (setrlimit(RLIMIT_NOFILE, &more) != 0) {
            more = (struct rlimit){MIN((rlim_t)want, limit.rlim_max), limit.rlim_max};
            setrlimit(RLIMIT_NOFILE, &more);
        }
        getrlimit(RLIMIT_NOFILE, &limit);
    }
    return limit.rlim_cur;
}

int daemon_make_dir(const char *path, mode_t mode, struct fault *f)
{
    char *part = mem_dup(str_of(path));
    int err = 0;
    for (char *at = part; *at && !err; at++) {
        while (*at == '/')
            at++;
        at += strcspn(at, "/");
        char after = *at;
        *at = '\0';
        if (*part && mkdir(part, mode) != 0 && errno != EEXIST)
            err = fault_set(f, DAEMON_FAULT, "directory %s cannot be created: %s", part,
                            strerror(errno));
        *at = after;
        if (!after)
            break;
    }
    mem_free(part);
    struct stat st;
    if (err)
        return err;
    if (stat(path, &st) != 0)
        return fault_set(f, DAEMON_FAULT, "directory %s: %s", path, strerror(errno));
    if (!S_ISDIR(st.st_mode))
        return fault_set(f, DAEMON_FAULT, "%s is not a directory", path);
    if (faccessat(AT_FDCWD, path, R_OK | W_OK | X_OK, AT_EACCESS) != 0)
        return fault_set(f, DAEMON_FAULT, "directory %s is not writable: %s", path,
                         strerror(errno));
    return 0;
}
