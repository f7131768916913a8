/* A daemon's manners towards its system: signals as a descriptor, pid file, limits, directories.
 * What goes wrong here ends the start: every fault's text is the whole line for the log. */
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
    int pid_fd;    /* holds the lock of the pid file; -1: there is none */
    char *pid_path;
};

/* Before any thread is started: SIGTERM, SIGINT and SIGHUP come through signal_fd from now on, in
 * all threads; SIGPIPE is ignored; the umask keeps others out of what is created. */
int daemon_open(struct daemon *d, struct fault *f) MUST_CHECK;
/* Removes the pid file, closes; signals stay blocked, as the process is about to end. */
void daemon_close(struct daemon *d);
/* The next signal that waits on signal_fd, or 0. Never blocks. */
int daemon_signal(struct daemon *d);

/* Writes the pid file and holds it locked; refused while another process that lives holds it. What
 * a dead one left behind is taken over. */
int daemon_write_pid(struct daemon *d, const char *path, struct fault *f) MUST_CHECK;

/* Raises the number of descriptors to `want`, or as far as the system lets. Returns what it is. */
u64 daemon_raise_files(u64 want);

/* Makes the directory and those above it where they are missing, with `mode`, and makes sure that
 * we may create files in it. */
int daemon_make_dir(const char *path, mode_t mode, struct fault *f) MUST_CHECK;

#endif
