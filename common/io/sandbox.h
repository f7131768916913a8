/* Restricts a process to what it needs: no new privileges, only the allowed files (Landlock), and
 * no system calls that it does not use (a seccomp filter). Child processes inherit the
 * restrictions.
 *
 *     sandbox_init ── sandbox_allow … ── sandbox_enter
 *
 * Enter it before any thread is started: Landlock applies to the calling thread and to those that
 * it starts. If the kernel lacks one of the two, the other is still used.
 *
 * Forbidden calls fail with EPERM: to trace other processes or read their memory, to mount, to load
 * modules, to set clocks, to use keyrings, BPF, io_uring or namespaces, sockets of families other
 * than Unix, IP and netlink, memory that is both writable and executable; and to start programs,
 * unless allowed. A sanitizer build may be traced and may read all files, which its reports
 * need. */
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
    int files;  /* descriptor of the Landlock rules; -1: the kernel has no Landlock */
    u64 rights; /* the access rights that the rules control */
    bool may_exec;
};

void sandbox_init(struct sandbox *s, bool may_exec);
/* Allows a file, or a directory and everything below it. A path that does not exist is ignored. */
void sandbox_allow(struct sandbox *s, const char *path, enum sandbox_use use);
/* Allows the directories of the path and of its link target, so that a file that replaces it is
 * allowed, too. */
void sandbox_allow_around(struct sandbox *s, const char *path, enum sandbox_use use);
/* Applies the restrictions, permanently. Returns the parts that are missing; the struct cannot be
 * used any more. */
unsigned sandbox_enter(struct sandbox *s);

/* Disables core dumps and prevents other processes of the same user from reading this one's
 * memory. */
void sandbox_forbid_dumps(void);

#endif
