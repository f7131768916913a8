/* Instructions and last-level cache misses of this thread, where the kernel lets us read them; and
 * how much memory the process has. */
#ifndef TOQUE_TESTS_BENCH_COUNTERS_H
#define TOQUE_TESTS_BENCH_COUNTERS_H

#include <linux/perf_event.h>
#include <malloc.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/base/base.h"

struct counters {
    int fd[2];
};

static inline int counter_open(u64 config)
{
    struct perf_event_attr attr = {.type = PERF_TYPE_HARDWARE,
                                   .size = sizeof(attr),
                                   .config = config,
                                   .exclude_kernel = 1,
                                   .exclude_hv = 1};
    return (int)syscall(SYS_perf_event_open, &attr, 0, -1, -1, 0);
}

static inline void counters_start(struct counters *c)
{
    c->fd[0] = counter_open(PERF_COUNT_HW_INSTRUCTIONS);
    c->fd[1] = counter_open(PERF_COUNT_HW_CACHE_MISSES);
}

/* -1 for what is not to be had. */
static inline void counters_stop(struct counters *c, double *ret_instructions, double *ret_misses)
{
    double *ret[2] = {ret_instructions, ret_misses};
    for (int i = 0; i < 2; i++) {
        u64 value;
        *ret[i] = -1;
        if (c->fd[i] < 0)
            continue;
        if (read(c->fd[i], &value, sizeof(value)) == (ssize_t)sizeof(value))
            *ret[i] = (double)value;
        close(c->fd[i]);
    }
}

static inline size_t resident_bytes(void)
{
    long total = 0, resident = 0;
    FILE *f = fopen("/proc/self/statm", "r");
    if (!f || fscanf(f, "%ld %ld", &total, &resident) != 2)
        resident = 0;
    if (f)
        fclose(f);
    return (size_t)resident * (size_t)sysconf(_SC_PAGESIZE);
}

static inline void release_memory(void)
{
#ifdef __GLIBC__
    malloc_trim(0);
#endif
}

#endif
