/* daemon.[ch]: signals become readable, the pid file has one living owner, directories are made. */
#include "common/io/daemon.h"

#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "common/base/mem.h"

static struct fault fault;
static char dir[] = P_tmpdir "/toque-daemon-XXXXXX";

static char *below(const char *name)
{
    return mem_printf("%s/%s", dir, name);
}

static void signals(void **state)
{
    struct daemon d;
    assert_int_equal(daemon_open(&d, &fault), 0);
    struct pollfd p = {.fd = d.signal_fd, .events = POLLIN};
    assert_int_equal(daemon_signal(&d), 0);
    assert_int_equal(poll(&p, 1, 0), 0);
    kill(getpid(), SIGTERM);
    assert_int_equal(poll(&p, 1, 10000), 1);
    assert_int_equal(daemon_signal(&d), SIGTERM);
    assert_int_equal(daemon_signal(&d), 0);
    kill(getpid(), SIGINT);
    kill(getpid(), SIGPIPE); /* ignored: we are still here */
    assert_int_equal(daemon_signal(&d), SIGINT);
    daemon_close(&d);
    assert_int_equal(d.signal_fd, -1);
    daemon_close(&d);
}

static void pid_file(void **state)
{
    struct daemon d, other;
    char *path = below("x.pid"), text[32] = "", want[32];
    assert_int_equal(daemon_open(&d, &fault), 0);
    assert_int_equal(daemon_open(&other, &fault), 0);
    /* What a dead one left behind, longer than ours. */
    int fd = open(path, O_WRONLY | O_CREAT, 0600);
    assert_int_equal(write(fd, "1234567890123\n", 14), 14);
    close(fd);
    assert_int_equal(daemon_write_pid(&d, path, &fault), 0);
    fd = open(path, O_RDONLY);
    assert_true(read(fd, text, sizeof text - 1) > 0);
    close(fd);
    snprintf(want, sizeof want, "%d\n", (int)getpid());
    assert_string_equal(text, want);
    fault_clear(&fault);
    assert_int_equal(daemon_write_pid(&other, path, &fault), E_FAULT);
    snprintf(want, sizeof want, "process %d is", (int)getpid());
    assert_non_null(strstr(fault.text, want));
    assert_int_equal(other.pid_fd, -1);
    daemon_close(&d);
    assert_int_equal(access(path, F_OK), -1);
    assert_int_equal(daemon_write_pid(&other, path, &fault), 0); /* free again */
    daemon_close(&other);
    mem_free(path);
}

static void bad_pid_files(void **state)
{
    struct daemon d;
    char *link = below("link.pid"), *deep = below("missing/x.pid");
    assert_int_equal(daemon_open(&d, &fault), 0);
    assert_int_equal(symlink("/nowhere", link), 0);
    fault_clear(&fault);
    assert_int_equal(daemon_write_pid(&d, link, &fault), E_FAULT);
    fault_clear(&fault);
    assert_int_equal(daemon_write_pid(&d, deep, &fault), E_FAULT);
    assert_non_null(strstr(fault.text, "No such file"));
    unlink(link);
    daemon_close(&d);
    mem_free(link);
    mem_free(deep);
}

static void directories(void **state)
{
    char *deep = below("a//b/c/"), *file = below("file"), *under = below("file/x");
    struct stat st;
    assert_int_equal(daemon_make_dir(deep, 0750, &fault), 0);
    assert_int_equal(stat(deep, &st), 0);
    assert_true(S_ISDIR(st.st_mode) && (st.st_mode & 0777) == 0750);
    assert_int_equal(daemon_make_dir(deep, 0750, &fault), 0);
    assert_int_equal(daemon_make_dir("/", 0750, &fault), geteuid() == 0 ? 0 : E_FAULT);
    close(open(file, O_WRONLY | O_CREAT, 0600));
    fault_clear(&fault);
    assert_int_equal(daemon_make_dir(file, 0750, &fault), E_FAULT);
    assert_non_null(strstr(fault.text, "is not a directory"));
    fault_clear(&fault);
    assert_int_equal(daemon_make_dir(under, 0750, &fault), E_FAULT);
    assert_non_null(strstr(fault.text, "cannot be created: Not a directory"));
    fault_clear(&fault);
    assert_int_equal(daemon_make_dir("/proc/toque", 0750, &fault), E_FAULT);
    fault_clear(&fault);
    assert_int_equal(daemon_make_dir("", 0750, &fault), E_FAULT);
    unlink(file);
    mem_free(deep);
    mem_free(file);
    mem_free(under);
}

static void files(void **state)
{
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    limit.rlim_cur = 64;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    assert_int_equal(daemon_raise_files(32), 64); /* never lowered */
    assert_int_equal(daemon_raise_files(100), 100);
    assert_true(daemon_raise_files((u64)limit.rlim_max) == (u64)limit.rlim_max);
}

static int make_dir(void **state)
{
    return mkdtemp(dir) ? 0 : -1;
}

static int remove_dir(void **state)
{
    static const char *const names[] = {"a/b/c", "a/b", "a", ""};
    int err = 0;
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        char *path = below(names[i]);
        err |= rmdir(path);
        mem_free(path);
    }
    return err;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(signals),     cmocka_unit_test(pid_file), cmocka_unit_test(bad_pid_files),
        cmocka_unit_test(directories), cmocka_unit_test(files),
    };
    return cmocka_run_group_tests_name("daemon", tests, make_dir, remove_dir);
}
