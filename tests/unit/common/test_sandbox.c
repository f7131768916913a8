/* sandbox.[ch]: a child enters it and tries what is forbidden and what is not. */
#include "common/io/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "common/base/mem.h"

#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

static char dir[] = P_tmpdir "/toque-sandbox-XXXXXX";
static unsigned missing; /* on this machine */

static char *below(const char *name)
{
    return mem_printf("%s/%s", dir, name);
}

static int set_up(void **state)
{
    static const char *const places[] = {"data", "sockets", "read", "elsewhere"};
    if (!mkdtemp(dir))
        return -1;
    for (size_t i = 0; i < ARRAY_LEN(places); i++) {
        char *path = below(places[i]), *file = mem_printf("%s/old", path);
        if (mkdir(path, 0700) != 0 || close(open(file, O_CREAT | O_WRONLY, 0600)) != 0)
            return -1;
        mem_free(file);
        mem_free(path);
    }
    return 0;
}

static unsigned enter(bool may_exec)
{
    struct sandbox s;
    char *data = below("data"), *socket = below("sockets/x.sock"), *file = below("read/old");
    sandbox_init(&s, may_exec);
    sandbox_allow(&s, "/usr", SANDBOX_READ);
    sandbox_allow(&s, "/lib", SANDBOX_READ);
    sandbox_allow(&s, "/lib64", SANDBOX_READ);
    sandbox_allow(&s, "/etc/ld.so.cache", SANDBOX_READ);
    sandbox_allow(&s, "/nowhere/at/all", SANDBOX_WRITE);
    sandbox_allow(&s, data, SANDBOX_WRITE);
    sandbox_allow_around(&s, socket, SANDBOX_NAMES);
    sandbox_allow_around(&s, file, SANDBOX_READ);
    mem_free(data);
    mem_free(socket);
    mem_free(file);
    return sandbox_enter(&s);
}

/* The exit status of a child that entered the sandbox and did this; an assertion in it is 255. */
static int inside(int (*act)(void), bool may_exec)
{
    int status;
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        enter(may_exec);
        _exit(act());
    }
    assert_true(child > 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

static int enters(void)
{
    return 0;
}

static void what_there_is(void **state)
{
    int status;
    pid_t child = fork();
    if (child == 0)
        _exit((int)enter(false));
    waitpid(child, &status, 0);
    assert_true(WIFEXITED(status));
    missing = (unsigned)WEXITSTATUS(status);
    if (missing)
        print_message("this kernel lacks parts of the sandbox: %u\n", missing);
    assert_int_equal(inside(enters, false), 0);
}

/* 0, or the number of the first that does not go as it should. */
static int open_errno(const char *name, int flags)
{
    char *path = below(name);
    int fd = open(path, flags | O_CLOEXEC, 0600), no = fd < 0 ? errno : 0;
    if (fd >= 0)
        close(fd);
    mem_free(path);
    return no;
}

static int own_files(void)
{
    char *from = below("data/new"), *to = below("data/newer"), *sub = below("data/sub");
    int wrong = open_errno("data/old", O_RDWR)                         ? 1
                : open_errno("data/new", O_CREAT | O_WRONLY)           ? 2
                : rename(from, to) != 0                                ? 3
                : truncate(to, 10) != 0                                ? 4
                : mkdir(sub, 0700) != 0                                ? 5
                : open_errno("data/sub/new", O_CREAT | O_RDWR)         ? 6
                : unlink(to) != 0                                      ? 7
                : open_errno("read/old", O_RDONLY)                     ? 8
                : open_errno("read/new", O_CREAT | O_WRONLY) != EACCES ? 9
                : open_errno("read/old", O_WRONLY) != EACCES           ? 10
                                                                       : 0;
    mem_free(from);
    mem_free(to);
    mem_free(sub);
    return wrong;
}

static int other_files(void)
{
    char *old = below("elsewhere/old"), *to = below("data/stolen");
    int wrong = open_errno("elsewhere/new", O_CREAT | O_WRONLY) != EACCES       ? 1
                : open_errno("elsewhere/old", O_WRONLY) != EACCES               ? 2
                : !SANITIZED && open_errno("elsewhere/old", O_RDONLY) != EACCES ? 3
                : unlink(old) == 0                                              ? 4
                : rename(old, to) == 0                                          ? 5
                : !SANITIZED && open("/proc/self/maps", O_RDONLY) >= 0          ? 6
                                                                                : 0;
    mem_free(old);
    mem_free(to);
    return wrong;
}

static int sockets(void)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    snprintf(at.sun_path, sizeof at.sun_path, "%s/sockets/x.sock", dir);
    if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof at) != 0)
        return 1;
    if (unlink(at.sun_path) != 0)
        return 2;
    if (open_errno("sockets/new", O_CREAT | O_WRONLY) != EACCES)
        return 3;
    snprintf(at.sun_path, sizeof at.sun_path, "%s/elsewhere/x.sock", dir);
    fd = socket(AF_UNIX, SOCK_STREAM, 0);
    return bind(fd, (struct sockaddr *)&at, sizeof at) == 0 ? 4 : 0;
}

static void files(void **state)
{
    if (missing & SANDBOX_NO_FILES)
        skip();
    assert_int_equal(inside(own_files, false), 0);
    assert_int_equal(inside(other_files, false), 0);
    assert_int_equal(inside(other_files, true), 0);
    assert_int_equal(inside(sockets, false), 0);
}

static int runs_true(void)
{
    char name[] = "true", *argv[] = {name, NULL}, *env[] = {NULL};
    execve("/usr/bin/true", argv, env);
    return errno;
}

static void programs(void **state)
{
    if (missing & SANDBOX_NO_CALLS)
        skip();
    assert_int_equal(inside(runs_true, false), EPERM);
    assert_int_equal(inside(runs_true, true), 0);
}

#define REFUSED(call) (errno = 0, (call) == -1 && errno == EPERM)

static int calls(void)
{
    void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    char few[8] = "";
    return !SANITIZED && !REFUSED(ptrace(PTRACE_TRACEME, 0, NULL, NULL))                   ? 1
           : !REFUSED(syscall(SYS_process_vm_readv, getppid(), few, 0, few, 0, 0))         ? 2
           : !REFUSED(unshare(CLONE_NEWUSER))                                              ? 3
           : !REFUSED(syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, NULL, NULL, NULL, NULL)) ? 4
           : !REFUSED(syscall(SYS_bpf, 0, few, sizeof few))                                ? 5
           : !REFUSED(syscall(SYS_io_uring_setup, 1, few))                                 ? 6
           : !REFUSED(syscall(SYS_keyctl, 0, 0, 0))                                        ? 7
           : !REFUSED(syscall(SYS_mount, "x", "/", "tmpfs", 0, NULL))                      ? 8
           : !REFUSED(syscall(SYS_setuid, getuid()))                                       ? 9
           : !REFUSED(socket(AF_PACKET, SOCK_RAW, 0))                                      ? 10
           : !REFUSED(socket(AF_VSOCK, SOCK_STREAM, 0))                                    ? 11
           : !REFUSED(mprotect(page, 4096, PROT_READ | PROT_WRITE | PROT_EXEC))            ? 12
           : mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1,
                  0) != MAP_FAILED
               ? 13
               : 0;
}

static void *thread_runs(void *arg)
{
    *(bool *)arg = true;
    return NULL;
}

static int useful_calls(void)
{
    pthread_t thread;
    bool ran = false;
    void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    int families[] = {AF_UNIX, AF_INET, AF_INET6, AF_NETLINK};
    if (page == MAP_FAILED || mprotect(page, 4096, PROT_READ) != 0)
        return 1;
    if (pthread_create(&thread, NULL, thread_runs, &ran) != 0 || pthread_join(thread, NULL) != 0)
        return 2;
    for (size_t i = 0; i < ARRAY_LEN(families); i++)
        if (socket(families[i], families[i] == AF_NETLINK ? SOCK_RAW : SOCK_STREAM, 0) < 0 &&
            errno == EPERM)
            return 3;
    pid_t child = fork();
    if (child == 0)
        _exit(7);
    int status;
    return waitpid(child, &status, 0) == child && WEXITSTATUS(status) == 7 && ran ? 0 : 4;
}

static void system_calls(void **state)
{
    if (missing & SANDBOX_NO_CALLS)
        skip();
    assert_int_equal(inside(calls, false), 0);
    assert_int_equal(inside(calls, true), 0);
    assert_int_equal(inside(useful_calls, false), 0);
}

static int privileges(void)
{
    return prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 ? 0 : 1;
}

static int dumps(void)
{
    struct rlimit limit;
    sandbox_forbid_dumps();
    return getrlimit(RLIMIT_CORE, &limit) == 0 && limit.rlim_cur == 0 &&
                   prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0
               ? 0
               : 1;
}

static void privileges_and_dumps(void **state)
{
    assert_int_equal(inside(privileges, false), 0);
    assert_int_equal(inside(privileges, true), 0);
    assert_int_equal(inside(dumps, false), 0);
}

static int tear_down(void **state)
{
    char *command = mem_printf("rm -rf %s", dir);
    int status = system(command);
    mem_free(command);
    return status;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_there_is),
        cmocka_unit_test(files),
        cmocka_unit_test(programs),
        cmocka_unit_test(system_calls),
        cmocka_unit_test(privileges_and_dumps),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
