/* Background work of a daemon: messages that become due in masses, deletion of rows, returning
 * space to the file system. One scheduler runs all of it, so that its total stays within its share
 * of the time.
 *
 * A job is woken when it has work, and does it in pieces, mostly of about equal cost. The scheduler
 * decides when it runs and how many pieces it does:
 *
 *   turn: gather ─> commit ─> answers ─> flush: a slice ──> next turn's commit ─> what did it cost?
 *                                        (one job's step)
 *
 * 1. A slice costs BACKGROUND_SLICE_US at most, what the commit takes longer because of it counted
 *    in: the pieces of a slice follow from what pieces of that job, and their commits, did cost.
 * 2. While there is other work, all slices together take `share_percent` of the time: after one
 *    that cost c, none begins for c * (100 - share) / share. With no other work for
 *    BACKGROUND_IDLE_US they follow on one another.
 * 3. A class precedes those after it, and does not pause because of them. Jobs of one class
 *    take turns.
 * 4. A job of class BACKGROUND_DUE begins at once when it is woken: only what it does not finish
 *    in its first slice is made to wait.
 * 5. A slice begins when the one before it is settled and the store accepts turns.
 *
 * All times are read from the loop's clock: with a simulated clock the costs are simulated, too,
 * and equal runs have equal slices. */
#ifndef TOQUE_BACKGROUND_H
#define TOQUE_BACKGROUND_H

#include "common/io/loop.h"

/* Cost of a slice beside other work, and without other work; in microseconds. */
#define BACKGROUND_SLICE_US      1000
#define BACKGROUND_SLICE_IDLE_US 3000
/* Target for a commit with a slice, as far as the cost of commits without one allows. */
#define BACKGROUND_COMMIT_US 2000
/* No descriptor ready for this long: there is no other work. */
#define BACKGROUND_IDLE_US    100000
#define BACKGROUND_PIECES_MAX 65536

enum background_class {
    BACKGROUND_DUE,   /* a client may wait for it */
    BACKGROUND_CLEAR, /* rows and memory of deleted objects */
    BACKGROUND_SPACE, /* returning free space */
    BACKGROUND_CLASSES,
};

/* Embedded in its owner, zeroed except for name, class, step and arg. */
struct background_job {
    const char *name;
    enum background_class class;
    /* Does up to `pieces` pieces of work and returns how many it did; fewer than asked: no more
     * work for now, and the job sleeps. It may change the turn's transaction (loop_dirty). Where one
     * piece may cost many times what another does, it asks background_is_over between two. */
    u32 (*step)(void *arg, u32 pieces);
    void *arg;
    /* Private to the scheduler. */
    struct list link;
    bool fresh;                  /* woken, and no slice since */
    u32 pieces;                  /* of its last slice */
    i64 step_ns, commit_ns;      /* learned: cost of a piece */
    u64 pieces_done, slices, us; /* since start, for the statistics */
};

struct background_conf {
    u32 share_percent; /* 1 to 100 */
    /* Whether a slice of this class may begin now; asked again soon when not. NULL: always. */
    bool (*may)(void *arg, enum background_class class);
    void *arg;
};

struct background;
struct background *background_new(struct loop *l, const struct background_conf *conf);
/* No job may be awake. NULL accepted. */
void background_free(struct background *b);

/* Wakes the job; no effect when it is awake. */
void background_wake(struct background *b, struct background_job *job);
/* Puts the job to sleep; no effect when it sleeps or was never awake. */
void background_sleep(struct background *b, struct background_job *job);
bool background_is_awake(const struct background_job *job);
/* Within a step: the slice has had its time. The job then returns what it has done, and stays awake. */
bool background_is_over(struct background *b);

struct background_stats {
    u32 awake; /* jobs */
    u64 slices;
    i64 us;               /* cost of all slices including their commits */
    i64 commit_median_us; /* of the last commits that had a slice in them */
};
struct background_stats background_stats(const struct background *b);

#endif
