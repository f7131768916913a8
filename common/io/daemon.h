/* A daemon's interface to the operating system: signals as a descriptor, pid file, limits,
 * directories. A failure here ends the start: every fault's text is the whole line for the log. */
#ifndef TOQUE_DAEMON_H
#define TOQUE_DAEMON_H

#include <sys/types.h>

#include "common/base/err.h"
#include "common/base/str.h"

enum {
    DAEMON_FAULT = 800, /* the one code of a struct fault from here */
};

struct daemon {
    int signal_fd; /* for the loop: readable when a signal came; -1 when closed */
    int pid_fd;    /* holds the lock of the pid file; -1: no pid file */
    char *pid_path;
};

/* Call it before any thread is started. From now on SIGTERM, SIGINT and SIGHUP are read from
 * signal_fd, in all threads; SIGPIPE is ignored; the umask denies others access to new files. */
int daemon_open(struct daemon *d, struct fault *f) MUST_CHECK;
/* Removes the pid file, closes; signals stay blocked, as the process is about to end. */
void daemon_close(struct daemon *d);
/* The next pending signal on signal_fd, or 0. Never blocks. */
int daemon_signal(struct daemon *d);

/* Writes the pid file and keeps it locked; fails while another live process holds it. A stale file
 * is replaced. */
int daemon_write_pid(struct daemon *d, const char *path, struct fault *f) MUST_CHECK;

/* Raises the limit on descriptors to `want`, or as far as the system allows. Returns the limit. */
u64 daemon_raise_files(u64 want);

/* Creates the directory and its parents with `mode` if they are missing, and checks that files can
 * be created in it. */
int daemon_make_dir(const char *path, mode_t mode, struct fault *f) MUST_CHECK;

#endif
