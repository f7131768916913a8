/* Loaded before libc into a daemon under test (LD_PRELOAD): sees what it does to its databases and
 * what it says to its callers. Five things, each asked for by a variable of the environment:
 *
 * PLUG_FAIL=FILE: while FILE exists, operations on databases fail. Its text says how: "ERRNO OP
 * OP", ERRNO one of ENOSPC EIO EROFS EDQUOT, OP of write (any), grow (behind the file's end), sync,
 * truncate, open.
 *
 * PLUG_KILL=FILE: where FILE holds a number, so many operations that change or sync a database are
 * done; instead of the next one the process dies, as by kill -9.
 *
 * PLUG_CLOCK=FILE: the wall clock is so many seconds ahead, or behind, as FILE says.
 *
 * PLUG_JOURNAL=DIR: every change of a database is kept there, with what was before it, until it is
 * synced: after a kill, power_cut.py takes back what a loss of power could take.
 *
 * PLUG_TRACE=FILE: one line an event, in the order of things, several daemons into one file.
 *   W NAME MARK MARK   before a write; each mark ("toque-mark-" and eight digits) found in it
 *   S NAME             after a sync returned well; s NAME: it failed
 *   A STATUS ID ID     before an answer leaves by a socket; each MessageId found in it; "-" for a
 *                      status: no HTTP, but talk between the daemons or at the ipc door
 *
 * A database is a file that ends in .db or .db-wal. The index in shared memory (.db-shm) is made
 * anew after a crash, so it does not count. Nothing here may use what it replaces: its own files
 * are written by bare system calls. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define FDS_MAX      4096
#define MARK         "toque-mark-"
#define MARK_DIGITS  8
#define MESSAGE_ID   36
#define RECORD_MAGIC 0x67756c70u

enum { OTHER, DATABASE, DIRECTORY };

/* A database and its changes that are not synced, in `journal`; or a directory. Positions in the
 * journal are counted from its first day on, `cut` bytes of which are gone. */
struct file {
    int kind, journal;
    char path[PATH_MAX]; /* "" when the name is gone */
    uint64_t cut;
    struct file *next;
};

/* In the journal of a file, before the bytes that were there and those that came. */
struct record {
    uint32_t magic, kind; /* 'W' or 'T' */
    uint64_t offset, old_size;
    uint64_t old_n, new_n;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* guards what follows */
static struct file *seen[FDS_MAX];                       /* by descriptor */
static struct file *files;
static const char *fail_path, *kill_path, *clock_path, *journal_dir, *trace_path;
static int trace_fd = -1, entries_fd = -1;

static int (*real_open)(const char *, int, ...);
static int (*real_openat)(int, const char *, int, ...);
static int (*real_close)(int);
static int (*real_unlink)(const char *);
static int (*real_ftruncate)(int, off_t);
static int (*real_fdatasync)(int);
static int (*real_fsync)(int);
static int (*real_clock_gettime)(clockid_t, struct timespec *);
static ssize_t (*real_pwrite)(int, const void *, size_t, off_t);
static ssize_t (*real_write)(int, const void *, size_t);
static ssize_t (*real_send)(int, const void *, size_t, int);
static ssize_t (*real_sendto)(int, const void *, size_t, int, const struct sockaddr *, socklen_t);
static ssize_t (*real_sendmsg)(int, const struct msghdr *, int);
static ssize_t (*real_writev)(int, const struct iovec *, int);

static void find(void *function, const char *name)
{
    void *found = dlsym(RTLD_NEXT, name);
    memcpy(function, &found, sizeof found);
}

static void die(const char *what)
{
    fprintf(stderr, "plug: %s: %s\n", what, strerror(errno));
    abort();
}

static int own_open(const char *path, int flags)
{
    return (int)syscall(SYS_openat, AT_FDCWD, path, flags | O_CLOEXEC, 0600);
}

static void own_write(int fd, const void *from, size_t n)
{
    if (syscall(SYS_write, fd, from, n) != (ssize_t)n)
        die("writing my own file");
}

/* Once, from the first call that comes through here: other libraries' constructors may be that. */
static void set_up(void)
{
    char path[PATH_MAX];
    find(&real_open, "open64");
    find(&real_openat, "openat64");
    find(&real_close, "close");
    find(&real_unlink, "unlink");
    find(&real_ftruncate, "ftruncate64");
    find(&real_fdatasync, "fdatasync");
    find(&real_fsync, "fsync");
    find(&real_clock_gettime, "clock_gettime");
    find(&real_pwrite, "pwrite64");
    find(&real_write, "write");
    find(&real_send, "send");
    find(&real_sendto, "sendto");
    find(&real_sendmsg, "sendmsg");
    find(&real_writev, "writev");
    fail_path = getenv("PLUG_FAIL");
    kill_path = getenv("PLUG_KILL");
    clock_path = getenv("PLUG_CLOCK");
    journal_dir = getenv("PLUG_JOURNAL");
    trace_path = getenv("PLUG_TRACE");
    if (trace_path && (trace_fd = own_open(trace_path, O_WRONLY | O_CREAT | O_APPEND)) < 0)
        die(trace_path);
    if (journal_dir) {
        snprintf(path, sizeof path, "%s/entries", journal_dir);
        if ((entries_fd = own_open(path, O_WRONLY | O_CREAT | O_APPEND)) < 0)
            die(path);
    }
}

static void ready(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, set_up);
}

/* --- what fails ------------------------------------------------------------------------------- */

/* The text of a control file, "" where there is none. */
static void read_control(const char *path, char *text, size_t size)
{
    text[0] = '\0';
    int fd = path ? own_open(path, O_RDONLY) : -1;
    if (fd < 0)
        return;
    ssize_t n = syscall(SYS_read, fd, text, size - 1);
    syscall(SYS_close, fd);
    text[n > 0 ? n : 0] = '\0';
}

/* Before every operation: counts down to the one at which the process dies. */
static void may_die(void)
{
    char text[16];
    if (!kill_path)
        return;
    read_control(kill_path, text, sizeof text);
    if (!text[0])
        return;
    int left = atoi(text);
    if (left == 0)
        kill(getpid(), SIGKILL);
    int fd = own_open(kill_path, O_WRONLY | O_TRUNC);
    if (fd < 0)
        die(kill_path);
    own_write(fd, text, (size_t)snprintf(text, sizeof text, "%d", left - 1));
    syscall(SYS_close, fd);
}

/* True, with errno set, when the control file says that `op` fails. */
static int fails(const char *op)
{
    static const struct {
        const char *name;
        int no;
    } errors[] = {{"ENOSPC", ENOSPC}, {"EIO", EIO}, {"EROFS", EROFS}, {"EDQUOT", EDQUOT}};
    char text[128];
    read_control(fail_path, text, sizeof text);
    if (!strstr(text, op))
        return 0;
    for (size_t i = 0; i < sizeof errors / sizeof *errors; i++) {
        if (strncmp(text, errors[i].name, strlen(errors[i].name)) == 0) {
            errno = errors[i].no;
            return 1;
        }
    }
    return 0;
}

int clock_gettime(clockid_t which, struct timespec *to)
{
    char text[32];
    ready();
    int err = real_clock_gettime(which, to);
    if (err || which != CLOCK_REALTIME || !clock_path)
        return err;
    read_control(clock_path, text, sizeof text);
    to->tv_sec += atol(text);
    return 0;
}

/* --- descriptors ------------------------------------------------------------------------------ */

static int ends_in(const char *path, const char *end)
{
    size_t n = strlen(path), m = strlen(end);
    return n >= m && strcmp(path + n - m, end) == 0;
}

static int is_database(const char *path)
{
    return ends_in(path, ".db") || ends_in(path, ".db-wal");
}

static const char *name_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static void journal_path(char *to, size_t size, const char *path)
{
    int n = snprintf(to, size, "%s/", journal_dir);
    snprintf(to + n, size - (size_t)n, "%s", path);
    for (char *c = to + n; *c; c++)
        if (*c == '/')
            *c = '%';
}

static void entry_note(char kind, const char *path)
{
    char line[PATH_MAX + 4];
    int n = snprintf(line, sizeof line, "%c %s\n", kind, path);
    own_write(entries_fd, line, (size_t)n);
}

/* Called with the lock held. */
static struct file *file_of(const char *path, int kind)
{
    char journal[PATH_MAX * 2];
    struct file *f;
    for (f = files; f; f = f->next)
        if (strcmp(f->path, path) == 0)
            return f;
    f = calloc(1, sizeof *f);
    if (!f)
        die("memory");
    snprintf(f->path, sizeof f->path, "%s", path);
    f->kind = kind;
    f->journal = -1;
    if (kind == DATABASE && journal_dir) {
        journal_path(journal, sizeof journal, path);
        if ((f->journal = own_open(journal, O_RDWR | O_CREAT)) < 0)
            die(journal);
    }
    f->next = files;
    files = f;
    return f;
}

static void opened(int fd, const char *path, int created)
{
    char whole[PATH_MAX];
    struct stat st;
    if (fd < 0 || fd >= FDS_MAX || fstat(fd, &st) != 0)
        return;
    int kind = S_ISDIR(st.st_mode)                        ? DIRECTORY
               : S_ISREG(st.st_mode) && is_database(path) ? DATABASE
                                                          : OTHER;
    if (kind == OTHER || !realpath(path, whole))
        return;
    pthread_mutex_lock(&lock);
    seen[fd] = file_of(whole, kind);
    if (created && entries_fd >= 0)
        entry_note('C', whole);
    pthread_mutex_unlock(&lock);
}

static struct file *of(int fd)
{
    return fd >= 0 && fd < FDS_MAX ? seen[fd] : NULL;
}

static struct file *database(int fd)
{
    struct file *f = of(fd);
    return f && f->kind == DATABASE ? f : NULL;
}

/* --- the journal ------------------------------------------------------------------------------ */

/* Keeps what the change is about to replace. Called with the lock held. */
static void journal_note(struct file *f, int fd, char kind, const void *from, size_t n, off_t at)
{
    struct stat st;
    if (f->journal < 0 || fstat(fd, &st) != 0)
        return;
    struct record r = {.magic = RECORD_MAGIC,
                       .kind = (uint32_t)kind,
                       .offset = (uint64_t)at,
                       .old_size = (uint64_t)st.st_size,
                       .new_n = n};
    if (at < st.st_size)
        r.old_n =
            (uint64_t)(kind == 'T' || at + (off_t)n > st.st_size ? st.st_size - at : (off_t)n);
    char *whole = malloc(sizeof r + r.old_n + n);
    if (!whole)
        die("memory");
    memcpy(whole, &r, sizeof r);
    if (r.old_n && syscall(SYS_pread64, fd, whole + sizeof r, r.old_n, at) != (ssize_t)r.old_n)
        die("reading what is to be replaced");
    if (n)
        memcpy(whole + sizeof r + r.old_n, from, n);
    syscall(SYS_lseek, f->journal, 0, SEEK_END);
    own_write(f->journal, whole, sizeof r + r.old_n + n);
    free(whole);
}

static uint64_t journal_end(struct file *f)
{
    return f->journal < 0 ? 0 : f->cut + (uint64_t)syscall(SYS_lseek, f->journal, 0, SEEK_END);
}

/* What was there when the sync began is safe; what came since stays. Another thread's sync of the
 * same file may have been told first. */
static void journal_synced(struct file *f, uint64_t upto)
{
    if (f->journal < 0 || upto <= f->cut)
        return;
    uint64_t rest = journal_end(f) - upto;
    char *keep = malloc(rest ? rest : 1);
    if (!keep ||
        (rest && syscall(SYS_pread64, f->journal, keep, rest, upto - f->cut) != (ssize_t)rest))
        die("the journal");
    syscall(SYS_ftruncate, f->journal, 0);
    syscall(SYS_lseek, f->journal, 0, SEEK_SET);
    if (rest)
        own_write(f->journal, keep, rest);
    f->cut = upto;
    free(keep);
}

/* --- the trace -------------------------------------------------------------------------------- */

static void trace(const char *line, size_t n)
{
    if (trace_fd >= 0)
        own_write(trace_fd, line, n);
}

static void trace_sync(struct file *f, int well)
{
    char line[PATH_MAX + 4];
    int n = snprintf(line, sizeof line, "%c %s\n", well ? 'S' : 's', name_of(f->path));
    trace(line, (size_t)n);
}

/* A page's free space may hold no more than the beginning of an old mark. */
static bool is_number(const char *at)
{
    for (int i = 0; i < MARK_DIGITS; i++)
        if (at[i] < '0' || at[i] > '9')
            return false;
    return true;
}

static void trace_write(struct file *f, const char *from, size_t size)
{
    char line[65536];
    if (trace_fd < 0)
        return;
    size_t n = (size_t)snprintf(line, sizeof line, "W %s", name_of(f->path));
    const char *end = from + size, *at = from;
    while ((at = memmem(at, (size_t)(end - at), MARK, strlen(MARK))) && n + 64 < sizeof line) {
        at += strlen(MARK);
        if (end - at >= MARK_DIGITS && is_number(at))
            n += (size_t)snprintf(line + n, sizeof line - n, " %.*s", MARK_DIGITS, at);
    }
    line[n++] = '\n';
    trace(line, n);
}

/* The ids that an answer tells, in JSON and in XML. */
static void trace_answer(int fd, const struct iovec *parts, size_t count)
{
    static const char *const before[] = {"\"MessageId\":\"", "<MessageId>"};
    char line[65536], *all;
    size_t size = 0, n;
    struct stat st;
    if (trace_fd < 0 || fstat(fd, &st) != 0 || !S_ISSOCK(st.st_mode))
        return;
    for (size_t i = 0; i < count; i++)
        size += parts[i].iov_len;
    char *text = all = malloc(size + 1);
    if (!all)
        die("memory");
    for (size_t i = 0; i < count; i++)
        text = (char *)mempcpy(text, parts[i].iov_base, parts[i].iov_len);
    n = (size_t)snprintf(line, sizeof line, "A %.3s",
                         size > 12 && memcmp(all, "HTTP/1.", 7) == 0 ? all + 9 : "-");
    for (size_t k = 0; k < 2; k++) {
        char *at = all, *end = all + size;
        while ((at = memmem(at, (size_t)(end - at), before[k], strlen(before[k]))) &&
               n + 64 < sizeof line) {
            at += strlen(before[k]);
            if (end - at >= MESSAGE_ID)
                n += (size_t)snprintf(line + n, sizeof line - n, " %.*s", MESSAGE_ID, at);
        }
    }
    line[n++] = '\n';
    if (n > strlen("A -\n")) /* neither HTTP nor an id: talk between the daemons */
        trace(line, n);
    free(all);
}

/* --- what libc's callers see ------------------------------------------------------------------ */

static int open_any(int dir, const char *path, int flags, mode_t mode)
{
    struct stat st;
    ready();
    int counts = is_database(path);
    if (counts && (flags & (O_WRONLY | O_RDWR)) && fails("open"))
        return -1;
    int there = counts && stat(path, &st) == 0;
    int fd = dir == AT_FDCWD ? real_open(path, flags, mode) : real_openat(dir, path, flags, mode);
    int no = errno;
    if (fd >= 0 && (counts || (flags & O_ACCMODE) == O_RDONLY))
        opened(fd, path, counts && !there);
    errno = no;
    return fd;
}

#define MODE(flags, mode)                                                                          \
    mode_t mode = 0;                                                                               \
    if ((flags) & (O_CREAT | O_TMPFILE)) {                                                         \
        va_list args;                                                                              \
        va_start(args, flags);                                                                     \
        mode = (mode_t)va_arg(args, int);                                                          \
        va_end(args);                                                                              \
    }

int open(const char *path, int flags, ...)
{
    MODE(flags, mode)
    return open_any(AT_FDCWD, path, flags, mode);
}

int open64(const char *path, int flags, ...)
{
    MODE(flags, mode)
    return open_any(AT_FDCWD, path, flags, mode);
}

int openat(int dir, const char *path, int flags, ...)
{
    MODE(flags, mode)
    return open_any(dir, path, flags, mode);
}

int openat64(int dir, const char *path, int flags, ...)
{
    MODE(flags, mode)
    return open_any(dir, path, flags, mode);
}

/* What is known of a file stays: it may be opened again. */
int close(int fd)
{
    ready();
    pthread_mutex_lock(&lock);
    if (fd >= 0 && fd < FDS_MAX)
        seen[fd] = NULL;
    pthread_mutex_unlock(&lock);
    return real_close(fd);
}

/* A file that goes keeps a second name, and its journal, until its directory is synced. */
int unlink(const char *path)
{
    static int number;
    char whole[PATH_MAX], journal[PATH_MAX * 2], saved[PATH_MAX * 2], line[PATH_MAX * 3];
    ready();
    if (!is_database(path) || !journal_dir || !realpath(path, whole))
        return real_unlink(path);
    may_die();
    pthread_mutex_lock(&lock);
    snprintf(saved, sizeof saved, "%s/gone.%d.%d", journal_dir, (int)getpid(), number++);
    if (syscall(SYS_linkat, AT_FDCWD, whole, AT_FDCWD, saved, 0) != 0)
        die(saved);
    snprintf(line, sizeof line, "%s %s", saved, whole);
    entry_note('U', line);
    int result = real_unlink(path);
    journal_path(journal, sizeof journal, whole);
    snprintf(line, sizeof line, "%s.journal", saved);
    if (syscall(SYS_renameat, AT_FDCWD, journal, AT_FDCWD, line) != 0 && errno != ENOENT)
        die(line);
    for (struct file *f = files; f; f = f->next)
        if (strcmp(f->path, whole) == 0)
            f->path[0] = '\0';
    pthread_mutex_unlock(&lock);
    return result;
}

static int truncate_any(int fd, off_t size)
{
    ready();
    struct file *f = database(fd);
    if (!f)
        return real_ftruncate(fd, size);
    may_die();
    if (fails("truncate"))
        return -1;
    pthread_mutex_lock(&lock);
    journal_note(f, fd, 'T', NULL, 0, size);
    int result = real_ftruncate(fd, size);
    pthread_mutex_unlock(&lock);
    return result;
}

int ftruncate(int fd, off_t size)
{
    return truncate_any(fd, size);
}

int ftruncate64(int fd, off64_t size)
{
    return truncate_any(fd, size);
}

static int sync_any(int fd, int (*how)(int))
{
    struct file *f = of(fd);
    if (!f)
        return how(fd);
    may_die();
    if (f->kind == DATABASE && fails("sync")) {
        trace_sync(f, 0);
        return -1;
    }
    pthread_mutex_lock(&lock);
    uint64_t upto = journal_end(f);
    pthread_mutex_unlock(&lock);
    int result = how(fd);
    int no = errno;
    if (f->kind == DATABASE)
        trace_sync(f, result == 0);
    pthread_mutex_lock(&lock);
    if (result == 0 && f->kind == DATABASE)
        journal_synced(f, upto);
    else if (result == 0 && entries_fd >= 0)
        entry_note('D', f->path);
    pthread_mutex_unlock(&lock);
    errno = no;
    return result;
}

int fdatasync(int fd)
{
    ready();
    return sync_any(fd, real_fdatasync);
}

int fsync(int fd)
{
    ready();
    return sync_any(fd, real_fsync);
}

static ssize_t pwrite_any(int fd, const void *from, size_t n, off_t at)
{
    struct stat st;
    ready();
    struct file *f = database(fd);
    if (!f)
        return real_pwrite(fd, from, n, at);
    may_die();
    int grows = fstat(fd, &st) == 0 && at + (off_t)n > st.st_size;
    if (fails("write") || (grows && fails("grow")))
        return -1;
    trace_write(f, from, n);
    pthread_mutex_lock(&lock);
    journal_note(f, fd, 'W', from, n, at);
    ssize_t result = real_pwrite(fd, from, n, at);
    pthread_mutex_unlock(&lock);
    return result;
}

ssize_t pwrite(int fd, const void *from, size_t n, off_t at)
{
    return pwrite_any(fd, from, n, at);
}

ssize_t pwrite64(int fd, const void *from, size_t n, off64_t at)
{
    return pwrite_any(fd, from, n, at);
}

ssize_t write(int fd, const void *from, size_t n)
{
    ready();
    trace_answer(fd, &(struct iovec){(void *)(uintptr_t)from, n}, 1);
    return real_write(fd, from, n);
}

ssize_t send(int fd, const void *from, size_t n, int flags)
{
    ready();
    trace_answer(fd, &(struct iovec){(void *)(uintptr_t)from, n}, 1);
    return real_send(fd, from, n, flags);
}

ssize_t sendto(int fd, const void *from, size_t n, int flags, const struct sockaddr *to,
               socklen_t to_n)
{
    ready();
    trace_answer(fd, &(struct iovec){(void *)(uintptr_t)from, n}, 1);
    return real_sendto(fd, from, n, flags, to, to_n);
}

ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
    ready();
    trace_answer(fd, message->msg_iov, message->msg_iovlen);
    return real_sendmsg(fd, message, flags);
}

ssize_t writev(int fd, const struct iovec *parts, int count)
{
    ready();
    trace_answer(fd, parts, (size_t)count);
    return real_writev(fd, parts, count);
}
