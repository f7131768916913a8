/* The interfaces of Landlock and seccomp are declared here, since the system's headers may be older
 * than its kernel. No library is used for the few calls. */
#include "common/io/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/base/mem.h"
#include "common/base/str.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

/* --- files: linux/landlock.h -------------------------------------------------------------------- */

#define LANDLOCK_CREATE   444
#define LANDLOCK_ADD_RULE 445
#define LANDLOCK_RESTRICT 446

#define LANDLOCK_ASK_VERSION   1u
#define LANDLOCK_RULE_BENEATH  1
#define LANDLOCK_SCOPE_SIGNALS 2u

enum {
    RIGHT_EXECUTE = 1 << 0,
    RIGHT_WRITE_FILE = 1 << 1,
    RIGHT_READ_FILE = 1 << 2,
    RIGHT_READ_DIR = 1 << 3,
    RIGHT_REMOVE_DIR = 1 << 4,
    RIGHT_REMOVE_FILE = 1 << 5,
    RIGHT_MAKE_DIR = 1 << 7,
    RIGHT_MAKE_REG = 1 << 8,
    RIGHT_MAKE_SOCK = 1 << 9,
    RIGHTS_OF_1 = (1 << 13) - 1,
    RIGHT_REFER = 1 << 13,    /* since version 2 */
    RIGHT_TRUNCATE = 1 << 14, /* since version 3 */
    RIGHT_IOCTL = 1 << 15,    /* on devices, since version 5 */

    RIGHTS_READ = RIGHT_READ_FILE | RIGHT_READ_DIR,
    RIGHTS_NAMES = RIGHT_READ_DIR | RIGHT_MAKE_SOCK | RIGHT_REMOVE_FILE,
    RIGHTS_WRITE = RIGHTS_READ | RIGHTS_NAMES | RIGHT_WRITE_FILE | RIGHT_REMOVE_DIR |
                   RIGHT_MAKE_DIR | RIGHT_MAKE_REG | RIGHT_REFER | RIGHT_TRUNCATE,
    RIGHTS_OF_A_FILE = RIGHT_EXECUTE | RIGHT_WRITE_FILE | RIGHT_READ_FILE | RIGHT_TRUNCATE,
};

struct landlock_rules {
    u64 files, net, scopes;
};

struct landlock_beneath {
    u64 rights;
    int32_t fd;
} __attribute__((packed));

static u64 rights_of_version(long version)
{
    u64 rights = RIGHTS_OF_1;

    if (version >= 2)
        rights |= RIGHT_REFER;
    if (version >= 3)
        rights |= RIGHT_TRUNCATE;
    if (version >= 5)
        rights |= RIGHT_IOCTL;
    return rights;
}

void sandbox_init(struct sandbox *s, bool may_exec)
{
    long version = syscall(LANDLOCK_CREATE, NULL, 0, LANDLOCK_ASK_VERSION);

    *s = (struct sandbox){.files = -1, .may_exec = may_exec};
    if (version < 1)
        return;
    s->rights = rights_of_version(version);
    if (may_exec)
        s->rights &= ~(u64)RIGHT_EXECUTE;
    if (SANITIZED)
        s->rights &= ~(u64)RIGHTS_READ;
    struct landlock_rules rules = {.files = s->rights};
    if (version >= 6 && !may_exec)
        rules.scopes = LANDLOCK_SCOPE_SIGNALS;
    s->files = (int)syscall(LANDLOCK_CREATE, &rules, sizeof rules, 0);
}

static u64 rights_of_use(enum sandbox_use use)
{
    switch (use) {
    case SANDBOX_READ: return RIGHTS_READ;
    case SANDBOX_WRITE: return RIGHTS_WRITE;
    case SANDBOX_NAMES: return RIGHTS_NAMES;
    }
    return 0;
}

void sandbox_allow(struct sandbox *s, const char *path, enum sandbox_use use)
{
    struct landlock_beneath rule = {rights_of_use(use) & s->rights, -1};
    struct stat st;

    if (s->files < 0)
        return;
    rule.fd = open(path, O_PATH | O_CLOEXEC);
    if (rule.fd < 0)
        return;
    if (fstat(rule.fd, &st) == 0 && !S_ISDIR(st.st_mode))
        rule.rights &= RIGHTS_OF_A_FILE;
    if (rule.rights)
        syscall(LANDLOCK_ADD_RULE, s->files, LANDLOCK_RULE_BENEATH, &rule, 0);
    close(rule.fd);
}

static void allow_directory_of(struct sandbox *s, const char *path, enum sandbox_use use)
{
    ptrdiff_t slash = str_rfind(str_of(path), '/');
    char *directory = slash < 0    ? mem_dup(STR("."))
                      : slash == 0 ? mem_dup(STR("/"))
                                   : mem_dup(str_from(path, (size_t)slash));

    sandbox_allow(s, directory, use);
    mem_free(directory);
}

void sandbox_allow_around(struct sandbox *s, const char *path, enum sandbox_use use)
{
    char *real = realpath(path, NULL);

    allow_directory_of(s, path, use);
    if (real)
        allow_directory_of(s, real, use);
    free(real);
}

/* --- system calls: linux/seccomp.h --------------------------------------------------------------- */

#if defined(__x86_64__)
#define ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCHITECTURE AUDIT_ARCH_AARCH64
#elif defined(__riscv) && __riscv_xlen == 64
#define ARCHITECTURE AUDIT_ARCH_RISCV64
#else
#define ARCHITECTURE 0 /* no filter */
#endif
#define X32_BIT 0x40000000u /* marks call numbers of the x32 ABI of x86-64 */

#define NAMESPACES                                                                                 \
    (CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID |  \
     CLONE_NEWNET)

/* clang-format off */
static const u16 forbidden[] = {
    /* other processes */
    SYS_process_vm_readv, SYS_process_vm_writev, SYS_kcmp, SYS_pidfd_getfd,
    /* the machine */
    SYS_mount, SYS_umount2, SYS_pivot_root, SYS_chroot, SYS_fsopen, SYS_fsconfig, SYS_fsmount,
    SYS_fspick, SYS_move_mount, SYS_open_tree, SYS_init_module, SYS_finit_module, SYS_delete_module,
    SYS_kexec_load, SYS_reboot, SYS_swapon, SYS_swapoff, SYS_acct, SYS_quotactl, SYS_settimeofday,
    SYS_clock_settime, SYS_clock_adjtime, SYS_adjtimex, SYS_sethostname, SYS_setdomainname,
    /* who it is */
    SYS_setuid, SYS_setgid, SYS_setreuid, SYS_setregid, SYS_setresuid, SYS_setresgid,
    SYS_setgroups, SYS_setfsuid, SYS_setfsgid, SYS_unshare, SYS_setns, SYS_personality,
    /* large parts of the kernel that a daemon does not need */
    SYS_bpf, SYS_perf_event_open, SYS_userfaultfd, SYS_keyctl, SYS_add_key, SYS_request_key,
    SYS_io_uring_setup, SYS_io_uring_enter, SYS_io_uring_register, SYS_open_by_handle_at,
    SYS_name_to_handle_at, SYS_fanotify_init, SYS_mknodat,
};
static const u16 families[] = {AF_UNIX, AF_INET, AF_INET6, AF_NETLINK};
/* clang-format on */

struct program {
    struct sock_filter steps[160];
    u16 n;
};

static void step(struct program *p, u16 code, u32 k, u8 yes, u8 no)
{
    assert(p->n < ARRAY_LEN(p->steps));
    p->steps[p->n++] = (struct sock_filter){code, yes, no, k};
}

static void load(struct program *p, size_t at)
{
    step(p, BPF_LD | BPF_W | BPF_ABS, (u32)at, 0, 0);
}

static void load_argument(struct program *p, u32 i)
{
    size_t low = __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ ? 4 : 0;

    load(p, offsetof(struct seccomp_data, args) + i * sizeof(u64) + low);
}

static void give(struct program *p, int error)
{
    step(p, BPF_RET | BPF_K, error ? SECCOMP_RET_ERRNO | (u32)error : SECCOMP_RET_ALLOW, 0, 0);
}

/* The call of this number fails with that error. The call's number is in the accumulator. */
static void forbid(struct program *p, u32 call, int error)
{
    step(p, BPF_JMP | BPF_JEQ | BPF_K, call, 0, 1);
    give(p, error);
}

/* The same if all of these bits of its argument are set, or with `any` one of them. Expects the
 * call's number in the accumulator, and overwrites it for this call. */
static void forbid_bits(struct program *p, u32 call, u32 argument, u32 bits, bool any)
{
    step(p, BPF_JMP | BPF_JEQ | BPF_K, call, 0, any ? 4 : 5);
    load_argument(p, argument);
    if (any) {
        step(p, BPF_JMP | BPF_JSET | BPF_K, bits, 0, 1);
    } else {
        step(p, BPF_ALU | BPF_AND | BPF_K, bits, 0, 0);
        step(p, BPF_JMP | BPF_JEQ | BPF_K, bits, 0, 1);
    }
    give(p, EPERM);
    give(p, 0);
}

static void forbid_families(struct program *p, u32 call)
{
    u8 n = ARRAY_LEN(families);

    step(p, BPF_JMP | BPF_JEQ | BPF_K, call, 0, (u8)(n + 3));
    load_argument(p, 0);
    for (u8 i = 0; i < n; i++)
        step(p, BPF_JMP | BPF_JEQ | BPF_K, families[i], (u8)(n - i), 0);
    give(p, EPERM);
    give(p, 0);
}

static void write_program(struct program *p, bool may_exec)
{
    load(p, offsetof(struct seccomp_data, arch));
    step(p, BPF_JMP | BPF_JEQ | BPF_K, ARCHITECTURE, 1, 0);
    give(p, EPERM);
    load(p, offsetof(struct seccomp_data, nr));
    if (ARCHITECTURE == AUDIT_ARCH_X86_64) {
        step(p, BPF_JMP | BPF_JGE | BPF_K, X32_BIT, 0, 1);
        give(p, EPERM);
    }
    for (size_t i = 0; i < ARRAY_LEN(forbidden); i++)
        forbid(p, forbidden[i], EPERM);
    if (!may_exec) {
        forbid(p, SYS_execve, EPERM);
        forbid(p, SYS_execveat, EPERM);
    }
    if (!SANITIZED)
        forbid(p, SYS_ptrace, EPERM);
    /* Its flags are in memory, which a filter cannot read; libc falls back to clone. */
    forbid(p, SYS_clone3, ENOSYS);
    forbid_bits(p, SYS_clone, 0, NAMESPACES, true);
    forbid_bits(p, SYS_mmap, 2, PROT_WRITE | PROT_EXEC, false);
    forbid_bits(p, SYS_mprotect, 2, PROT_WRITE | PROT_EXEC, false);
    forbid_bits(p, SYS_pkey_mprotect, 2, PROT_WRITE | PROT_EXEC, false);
    forbid_families(p, SYS_socket);
    give(p, 0);
}

static bool filter_calls(bool may_exec)
{
    struct program p = {.n = 0};

    if (ARCHITECTURE == 0)
        return false;
    write_program(&p, may_exec);
    struct sock_fprog program = {p.n, p.steps};
    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) == 0;
}

unsigned sandbox_enter(struct sandbox *s)
{
    unsigned missing = 0;

    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        missing = SANDBOX_NO_FILES | SANDBOX_NO_CALLS;
    if (s->files < 0 || syscall(LANDLOCK_RESTRICT, s->files, 0) != 0)
        missing |= SANDBOX_NO_FILES;
    if (s->files >= 0)
        close(s->files);
    s->files = -1;
    if (!filter_calls(s->may_exec))
        missing |= SANDBOX_NO_CALLS;
    return missing;
}

void sandbox_forbid_dumps(void)
{
    struct rlimit none = {0, 0};

    setrlimit(RLIMIT_CORE, &none);
    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}
