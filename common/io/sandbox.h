/* What a process gives up once it knows what it will need: new privileges, files elsewhere (Landlock),
 * and system calls of no use to it (a seccomp filter). What it starts inherits all of that.
 *
 *     sandbox_init ── sandbox_allow … ── sandbox_enter
 *
 * Enter it before any thread is started: Landlock holds for the calling thread and for those that it
 * starts. A kernel without one of the two still has the other.
 *
 * Forbidden calls fail with EPERM: to trace other processes or read their memory, to mount, to load
 * modules, to set clocks, to use keyrings, BPF, io_uring or namespaces, sockets of families other than
 * Unix, IP and netlink, memory that is both writable and executable; and to start programs, unless
 * they are let. A build under a sanitizer may be traced, and reads files anywhere: its reports do. */
#ifndef TOQUE_SANDBOX_H
#define TOQUE_SANDBOX_H

#include "common/base/base.h"

enum sandbox_use {
    SANDBOX_READ,  /* files below it are read */
    SANDBOX_WRITE, /* and written, created and removed */
    SANDBOX_NAMES, /* sockets are created in it, and files removed */
};

/* Parts that the kernel does not have: the result of sandbox_enter. */
enum {
    SANDBOX_NO_FILES = 1,
    SANDBOX_NO_CALLS = 2,
};

struct sandbox {
    int files;  /* descriptor of the rules; -1: the kernel has no such rules */
    u64 rights; /* that the rules are about */
    bool may_exec;
};

void sandbox_init(struct sandbox *s, bool may_exec);
/* A file, or a directory with all that is below it. One that is not there allows nothing. */
void sandbox_allow(struct sandbox *s, const char *path, enum sandbox_use use);
/* The directories of the path and of what it links to, so that a file which replaces it is allowed. */
void sandbox_allow_around(struct sandbox *s, const char *path, enum sandbox_use use);
/* There is no way back. Returns the parts that are missing; the struct is over. */
unsigned sandbox_enter(struct sandbox *s);

/* No core dumps, and no other process of the same user may read this one's memory. */
void sandbox_forbid_dumps(void);

#endif
