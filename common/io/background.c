/* The cost of a slice is known when its turn is settled: the duration of its step, and what it
 * added to the turn's commit. The duration of a commit without a slice is learned from turns that
 * have none; the excess is attributed to the slice. */
#include "common/io/background.h"

#include <stdlib.h>

#include "common/base/mem.h"

#define PIECES_FIRST 64
#define PIECES_MIN   8
/* What a slice may always add to a commit, whatever the commit costs without it. */
#define COMMIT_MORE_US 1000
/* Number of commits over which the median is computed. */
#define COMMITS_KEPT 63
/* Delay before a class that may not work now is asked again. */
#define ASK_AGAIN_US 5000

struct background {
    struct loop *loop;
    struct background_conf conf;
    struct loop_hook hook;
    struct list awake[BACKGROUND_CLASSES];
    i64 rest_until_us[BACKGROUND_CLASSES]; /* while there is other work */
    i64 ask_after_us[BACKGROUND_CLASSES];  /* the class may not work now */
    u32 awake_count;
    i64 commit_us; /* of a turn without a slice */
    i64 busy_us;   /* when there last was other work */
    u64 events, commits;

    struct loop_later settled;
    bool settling;              /* the turn of a slice is not settled yet */
    struct background_job *job; /* of that slice; NULL: it was put to sleep meanwhile */
    u32 pieces;
    i64 step_us;
    i64 end_us; /* of the step */
    bool over;  /* and the job was told so */

    u32 kept[COMMITS_KEPT]; /* durations of the last commits with a slice */
    u64 kept_count;
    u64 slices;
    i64 us;
};

static i64 background_now_us(const struct background *b)
{
    return clock_us(loop_clock(b->loop));
}

/* --- jobs ------------------------------------------------------------------------------------- */

bool background_is_awake(const struct background_job *job)
{
    return job->link.next && !list_is_empty(&job->link);
}

void background_wake(struct background *b, struct background_job *job)
{
    assert(job->step && job->class < BACKGROUND_CLASSES);
    if (background_is_awake(job))
        return;
    if (b->awake_count++ == 0)
        b->busy_us = background_now_us(b); /* whatever woke it is other work */
    job->fresh = true;
    list_push_back(&b->awake[job->class], &job->link);
    loop_again(b->loop);
}

void background_sleep(struct background *b, struct background_job *job)
{
    if (b->job == job)
        b->job = NULL;
    if (!background_is_awake(job))
        return;
    list_remove(&job->link);
    b->awake_count--;
}

/* --- what things cost ------------------------------------------------------------------------- */

/* Follows a rise faster than a fall, so that an overlong slice is not followed by another one. */
static i64 cost_learn(i64 known, i64 seen)
{
    if (known == 0)
        return seen;
    return known + (seen - known) / (seen > known ? 2 : 8);
}

static bool is_idle(const struct background *b, i64 now)
{
    return now - b->busy_us >= BACKGROUND_IDLE_US;
}

/* Accounts for the slice that has just settled; sets how long its class must pause. */
static void class_rest(struct background *b, enum background_class class, i64 cost_us)
{
    i64 now = background_now_us(b), share = b->conf.share_percent;
    for (u32 c = class; c < BACKGROUND_CLASSES; c++)
        b->rest_until_us[c] = MAX(b->rest_until_us[c], now) + cost_us * (100 - share) / share;
}

static void slice_settled(struct loop_later *later, int err)
{
    struct background *b = container_of(later, struct background, settled);
    struct loop_stats loop = loop_stats(b->loop);
    struct background_job *job = b->job;
    bool committed = loop.commits != b->commits, shared = loop.events != b->events;
    i64 commit_us = committed ? loop.commit_last_us : 0;
    i64 more_us = MAX(commit_us - b->commit_us, 0);
    i64 cost_us = b->step_us + (shared ? more_us : commit_us);

    b->settling = false;
    b->job = NULL;
    b->commits = loop.commits; /* the flush of this turn must not learn from it */
    if (committed)
        b->kept[b->kept_count++ % COMMITS_KEPT] = (u32)MIN(commit_us, UINT32_MAX);
    b->slices++;
    b->us += cost_us;
    if (!job)
        return;
    job->step_ns = cost_learn(job->step_ns, b->step_us * 1000 / b->pieces);
    job->commit_ns = cost_learn(job->commit_ns, more_us * 1000 / b->pieces);
    job->slices++;
    job->us += cost_us;
    class_rest(b, job->class, cost_us);
}

/* --- slices ----------------------------------------------------------------------------------- */

static u32 slice_pieces(const struct background *b, const struct background_job *job, bool idle)
{
    i64 slice_us = idle ? BACKGROUND_SLICE_IDLE_US : BACKGROUND_SLICE_US;
    i64 commit_us = MAX(BACKGROUND_COMMIT_US - b->commit_us, COMMIT_MORE_US);
    i64 n = job->pieces ? 2 * (i64)job->pieces : PIECES_FIRST;
    if (!idle)
        commit_us = MIN(commit_us, COMMIT_MORE_US);
    if (job->step_ns + job->commit_ns > 0)
        n = MIN(n, slice_us * 1000 / (job->step_ns + job->commit_ns));
    if (job->commit_ns > 0)
        n = MIN(n, commit_us * 1000 / job->commit_ns);
    return (u32)MIN(MAX(n, PIECES_MIN), BACKGROUND_PIECES_MAX);
}

static bool class_may(const struct background *b, enum background_class class)
{
    return !b->conf.may || b->conf.may(b->conf.arg, class);
}

/* When the next slice of a class with work may begin. */
static i64 class_due_us(const struct background *b, u32 class)
{
    const struct background_job *job = list_item(b->awake[class].next, struct background_job, link);
    bool at_once = class == BACKGROUND_DUE && job->fresh;
    i64 due = at_once ? 0 : MIN(b->rest_until_us[class], b->busy_us + BACKGROUND_IDLE_US);
    return MAX(due, b->ask_after_us[class]);
}

/* The job to run next; NULL: all jobs that are awake must pause. */
static struct background_job *next_job(struct background *b, i64 now)
{
    for (u32 c = 0; c < BACKGROUND_CLASSES; c++) {
        if (list_is_empty(&b->awake[c]) || class_due_us(b, c) > now)
            continue;
        if (class_may(b, c))
            return list_item(b->awake[c].next, struct background_job, link);
        b->ask_after_us[c] = now + ASK_AGAIN_US;
    }
    return NULL;
}

bool background_is_over(struct background *b)
{
    b->over = b->over || (b->settling && background_now_us(b) >= b->end_us);
    return b->over;
}

static void run_slice(struct background *b, struct background_job *job, i64 now)
{
    bool idle = is_idle(b, now);
    u32 pieces = slice_pieces(b, job, idle);

    b->end_us = now + (idle ? BACKGROUND_SLICE_IDLE_US : BACKGROUND_SLICE_US);
    b->over = false;
    job->fresh = false;
    list_remove(&job->link);
    list_push_back(&b->awake[job->class], &job->link);
    b->job = job;
    b->pieces = pieces;
    b->settling = true;
    loop_later(b->loop, &b->settled);
    u32 done = job->step(job->arg, pieces);

    assert(done <= pieces);
    b->step_us = background_now_us(b) - now;
    if (b->job == job) {
        b->pieces = MAX(done, 1);
        job->pieces = pieces;
        job->pieces_done += done;
        if (done < pieces && !b->over) {
            list_remove(&job->link);
            b->awake_count--;
        }
    }
}

/* Learns from a turn without a slice. */
static void note_turn(struct background *b, i64 now)
{
    struct loop_stats loop = loop_stats(b->loop);
    if (loop.events != b->events)
        b->busy_us = now;
    if (loop.commits != b->commits && !b->settling)
        b->commit_us = cost_learn(b->commit_us, loop.commit_last_us);
    b->events = loop.events;
    b->commits = loop.commits;
}

static bool background_flush(struct loop_hook *h)
{
    struct background *b = container_of(h, struct background, hook);

    if (b->settling || loop_is_held(b->loop))
        return false;
    i64 now = b->awake_count ? background_now_us(b) : 0;

    note_turn(b, now);
    struct background_job *job = b->awake_count ? next_job(b, now) : NULL;

    if (!job)
        return false;
    run_slice(b, job, now);
    return true;
}

static i64 background_next_ms(struct loop_hook *h)
{
    struct background *b = container_of(h, struct background, hook);
    i64 due = INT64_MAX;

    if (b->settling || b->awake_count == 0)
        return -1;
    for (u32 c = 0; c < BACKGROUND_CLASSES; c++)
        if (!list_is_empty(&b->awake[c]))
            due = MIN(due, class_due_us(b, c));
    return (due + 999) / 1000; /* the clock's mono_ms and clock_us have the same origin */
}

/* --- life ------------------------------------------------------------------------------------- */

struct background *background_new(struct loop *l, const struct background_conf *conf)
{
    struct background *b = mem_alloc(sizeof(*b));

    assert(conf->share_percent >= 1 && conf->share_percent <= 100);
    b->loop = l;
    b->conf = *conf;
    for (u32 c = 0; c < BACKGROUND_CLASSES; c++)
        list_init(&b->awake[c]);
    b->settled.run = slice_settled;
    b->hook.flush = background_flush;
    b->hook.next_ms = background_next_ms;
    loop_add_hook(l, &b->hook);
    return b;
}

void background_free(struct background *b)
{
    if (!b)
        return;
    assert(b->awake_count == 0);
    loop_later_cancel(b->loop, &b->settled);
    list_remove(&b->hook.link);
    mem_free(b);
}

/* --- figures ---------------------------------------------------------------------------------- */

static int compare_u32(const void *a, const void *b)
{
    u32 x = *(const u32 *)a, y = *(const u32 *)b;
    return x < y ? -1 : x > y;
}

struct background_stats background_stats(const struct background *b)
{
    struct background_stats s = {.awake = b->awake_count, .slices = b->slices, .us = b->us};
    u32 sorted[COMMITS_KEPT], n = (u32)MIN(b->kept_count, COMMITS_KEPT);

    memcpy(sorted, b->kept, n * sizeof(*sorted));
    qsort(sorted, n, sizeof(*sorted), compare_u32);
    s.commit_median_us = n ? sorted[n / 2] : 0;
    return s;
}
