/* Loaded into a daemon (LD_PRELOAD): when it waits for the first time, in its loop, with all that it
 * needs open, it tries what it must not be able to do, and writes one line each to standard error:
 * "probe NAME ERRNO", 0 for what was possible. PROBE_FILE is a file that is none of the daemon's. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

static void tell(const char *name, int failed)
{
    fprintf(stderr, "probe %s %d\n", name, failed ? errno : 0);
}

static void try_program(void)
{
    int status = 0;
    pid_t child = fork();
    if (child == 0) {
        execl("/bin/true", "true", (char *)NULL);
        _exit(errno);
    }
    errno = waitpid(child, &status, 0) == child ? WEXITSTATUS(status) : errno;
    tell("exec", errno);
}

static void probe(void)
{
    const char *file = getenv("PROBE_FILE");
    tell("read", open(file, O_RDONLY) < 0);
    tell("write", open(file, O_WRONLY) < 0);
    tell("remove", unlink(file) < 0);
    tell("data", open(getenv("PROBE_DATA"), O_WRONLY | O_CREAT, 0600) < 0);
    tell("packets", socket(AF_PACKET, SOCK_RAW, 0) < 0);
    tell("code", mmap(NULL, 4096, PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) ==
                     MAP_FAILED);
    tell("trace", process_vm_readv(getppid(), NULL, 0, NULL, 0, 0) < 0);
    try_program();
    fprintf(stderr, "probe over\n");
}

int epoll_wait(int fd, struct epoll_event *events, int n, int timeout)
{
    static int done;
    int (*real)(int, struct epoll_event *, int, int) =
        (int (*)(int, struct epoll_event *, int, int))dlsym(RTLD_NEXT, "epoll_wait");
    if (!done++)
        probe();
    return real(fd, events, n, timeout);
}
