/* The simulator: topicd and three queueds in one process, on a simulated network, disk and clock,
 * from one seed. See README.md.
 *
 *   sim [--seed=S] [--seeds=N] [--hours=H] [--minutes=M] [--jobs=J] [--log] [--twice]
 *
 * N seeds from S on, each for H simulated hours, until M minutes are over, by J processes; --log
 * prints the event log; --twice runs each seed twice and compares. Exit status 1 when a promise was
 * broken, or a run could not be repeated; 3 when a kind of fault was never met in many hours. */
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "common/base/json.h"
#include "common/base/str.h"
#include "tests/sim/counts.h"
#include "tests/sim/record.h"
#include "tests/sim/run.h"
#include "tests/sim/world.h"

#define JOBS_MAX 64
/* In so many hours every kind of fault is met. */
#define MANY_HOURS 200

struct arguments {
    i64 seed, seeds, hours, minutes, jobs;
    bool log, twice;
};

struct job {
    pid_t pid;
    FILE *counts; /* what it wrote, when it is over */
};

static char run_name[128];
static time_t began;

static int usage(void)
{
    fprintf(stderr, "usage: sim [--seed=S] [--seeds=N] [--hours=H] [--minutes=M] [--jobs=J] "
                    "[--log] [--twice]\n");
    return 2;
}

static bool read_argument(struct arguments *a, str text)
{
    const struct {
        const char *name;
        i64 *number;
        bool *flag;
    } known[] = {
        {"--seed", &a->seed, NULL},   {"--seeds", &a->seeds, NULL},
        {"--hours", &a->hours, NULL}, {"--minutes", &a->minutes, NULL},
        {"--jobs", &a->jobs, NULL},   {"--log", NULL, &a->log},
        {"--twice", NULL, &a->twice},
    };
    str name = str_cut(&text, '=');

    for (size_t i = 0; i < ARRAY_LEN(known); i++) {
        if (!str_is(name, known[i].name))
            continue;
        if (known[i].number)
            return text.p && str_to_i64(text, known[i].number) == 0 && *known[i].number >= 0;
        return *known[i].flag = true;
    }
    return false;
}

/* An assertion of a daemon's failed: what led to it. */
static void aborted(int signal_number)
{
    record_print_tail(stderr);
    fprintf(stderr, "sim: again with its log: %s\n", run_name);
}

/* Every jobs-th seed, from the first + `job` on. Returns how many were run. */
static i64 run_seeds(const struct arguments *a, i64 job)
{
    i64 n = 0;

    for (i64 i = job; i < a->seeds && time(NULL) - began < a->minutes * 60; i += a->jobs, n++) {
        u64 seed = (u64)(a->seed + i);

        snprintf(run_name, sizeof(run_name), "make sim SEED=%" PRIu64 " SIM_HOURS=%" PRId64, seed,
                 a->hours);
        u64 digest = run(seed, a->hours, a->log ? stdout : NULL);

        if (a->twice && run(seed, a->hours, NULL) != digest) {
            fprintf(stderr, "sim: seed %" PRIu64 " does not run the same way twice\n", seed);
            exit(1);
        }
        fprintf(stderr, "seed %" PRIu64 ": digest %016" PRIx64 "\n", seed, digest);
    }
    return n;
}

static void job_run(const struct arguments *a, i64 number, FILE *counts)
{
    i64 n = run_seeds(a, number);

    counts_write(counts);
    count_write(counts, "simulated", "seeds", (u64)n);
    count_write(counts, "simulated", "hours", (u64)(n * a->hours));
    fflush(counts);
}

static struct job job_start(const struct arguments *a, i64 number)
{
    struct job j = {.counts = tmpfile()};

    assert(j.counts);
    j.pid = fork();
    assert(j.pid >= 0);
    if (j.pid > 0)
        return j;
    job_run(a, number, j.counts);
    _exit(0);
}

/* Ends those that are left: one failure is enough to look at. */
static void jobs_end(struct job *jobs, i64 n)
{
    for (i64 i = 0; i < n; i++)
        if (jobs[i].pid > 0)
            kill(jobs[i].pid, SIGTERM);
}

static bool jobs_wait(struct job *jobs, i64 n)
{
    for (i64 left = n; left > 0; left--) {
        int status;
        pid_t pid = wait(&status);

        for (i64 i = 0; i < n; i++)
            if (jobs[i].pid == pid)
                jobs[i].pid = 0;
        if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
            continue;
        jobs_end(jobs, n);
        return false;
    }
    return true;
}

static int run_jobs(const struct arguments *a)
{
    struct job jobs[JOBS_MAX];
    u32 never;

    for (i64 i = 0; i < a->jobs; i++)
        jobs[i] = job_start(a, i);
    if (!jobs_wait(jobs, a->jobs))
        return 1;
    for (i64 i = 0; i < a->jobs; i++) {
        rewind(jobs[i].counts);
        counts_add(jobs[i].counts);
        fclose(jobs[i].counts);
    }
    never = counts_print(stdout);
    if (never && a->seeds * a->hours >= MANY_HOURS) {
        fprintf(stderr, "sim: %u kinds of faults were never met\n", never);
        return 3;
    }
    printf("sim: nothing broken\n");
    return 0;
}

int main(int argc, char **argv)
{
    struct arguments a = {.seed = 1, .seeds = 1, .hours = 10, .minutes = INT32_MAX, .jobs = 1};

    for (int i = 1; i < argc; i++)
        if (!read_argument(&a, str_of(argv[i])))
            return usage();
    if (a.jobs < 1 || a.jobs > JOBS_MAX)
        return usage();
    began = time(NULL);
    json_setup();
    signal(SIGABRT, aborted);
    world_name_run(run_name);
    return run_jobs(&a);
}
