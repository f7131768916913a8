/* The one wait point of a daemon: gather, apply, commit, answer.
 *
 * A turn: wait for descriptors and deadlines; let every ready source apply what it has to the
 * in-memory state and to the open transaction; commit once; then, and only then, run what waited
 * for that commit (answers, acknowledgements). Nobody hears "stored" before it is stored.
 *
 *   gather ── watch callbacks, timers ──> apply ── loop_dirty ──> before_commit ──> commit
 *          ──> later callbacks ──> flush
 *
 * Invariants: (1) one thread; nothing reaches in from outside but through a descriptor; (2) a later
 * callback of a turn with changes runs only after the ticket of that turn is durable, or with the
 * error of the commit that failed; (3) later callbacks run in the order in which they were put. */
#ifndef TOQUE_LOOP_H
#define TOQUE_LOOP_H

#include "common/base/clock.h"
#include "common/base/heap.h"
#include "common/base/list.h"

struct loop;

/* How the loop's owner makes a turn durable. */
struct loop_store {
    /* Commits what the turn changed; *ret_ticket is durable later or already. Negative E_ code:
     * none of it happened on disk, and `failed` has been, or will be, called before anybody is
     * told. */
    int (*commit)(void *arg, u64 *ret_ticket);
    /* Highest ticket that is durable. */
    u64 (*durable)(void *arg);
    /* The commit failed: bring the in-memory state back to what is on disk. */
    void (*failed)(void *arg, int err);
    void *arg;
};

struct loop *loop_new(struct clock *clock);
void loop_free(struct loop *l);
struct clock *loop_clock(struct loop *l);
void loop_set_store(struct loop *l, struct loop_store store);

/* A watched descriptor. Lives in its owner; events are EPOLLIN, EPOLLOUT, EPOLLRDHUP, level
 * triggered. */
struct loop_watch {
    int fd; /* -1: not watched */
    void (*ready)(struct loop_watch *w, u32 events);
    void *arg;
};
int loop_watch(struct loop *l, struct loop_watch *w, u32 events) MUST_CHECK;
int loop_watch_change(struct loop *l, struct loop_watch *w, u32 events);
/* Harmless when not watched; safe from any callback. */
void loop_unwatch(struct loop *l, struct loop_watch *w);

/* A deadline. Lives in its owner, zeroed before its first use. Wall deadlines follow the clock,
 * also when it is moved by hand; real ones follow time that nobody moves (heartbeats, idle limits).
 */
struct loop_timer {
    struct heap_node node;
    bool real;
    void (*due)(struct loop_timer *t);
    void *arg;
};
void loop_timer_set(struct loop *l, struct loop_timer *t, i64 due_ms); /* clock->now_ms based */
void loop_timer_set_real(struct loop *l, struct loop_timer *t, i64 due_mono_ms);
void loop_timer_clear(struct loop *l, struct loop_timer *t);

/* Something to do when this turn's changes are durable (err 0), or when its commit failed (err < 0:
 * none of the turn's effects remain). Lives in its owner; may be put only once at a time. */
struct loop_later {
    struct list link;
    u64 ticket; /* the loop's own, as err */
    int err;
    void (*run)(struct loop_later *later, int err);
};
void loop_later(struct loop *l, struct loop_later *later);
/* Takes it back; harmless when it was not put. */
void loop_later_cancel(struct loop *l, struct loop_later *later);
/* This turn changed something that must be committed. */
void loop_dirty(struct loop *l);

/* Called in every turn. True: there is work left, do not wait in the next turn. A hook may be added
 * at start only. */
struct loop_hook {
    struct list link;
    /* When all that was ready is applied, before the commit: what follows from it and belongs to
     * the same turn. May be NULL. */
    bool (*before_commit)(struct loop_hook *h);
    /* After the later callbacks ran (doors send what was answered), before the next wait. */
    bool (*flush)(struct loop_hook *h);
    /* Earliest real deadline of the hook's own (mono ms), or -1; may be NULL. */
    i64 (*next_ms)(struct loop_hook *h);
};
void loop_add_hook(struct loop *l, struct loop_hook *h);

/* Do not wait in the next turn. */
void loop_again(struct loop *l);
/* Runs until loop_stop. */
void loop_run(struct loop *l);
void loop_stop(struct loop *l);
bool loop_is_stopped(const struct loop *l);
/* Who turns the loop himself, instead of loop_run: one turn, waiting for at most max_wait_ms (-1:
 * as long as needed); and how many ms the next turn would wait when no descriptor gets ready (-1:
 * for ever). */
void loop_turn(struct loop *l, int max_wait_ms);
i64 loop_wait_ms(struct loop *l);

/* Figures since the last call: turns, the longest turn without its wait, later callbacks run. */
struct loop_stats {
    u64 turns, commits, laters;
    i64 longest_us, commit_longest_us;
};
struct loop_stats loop_stats(struct loop *l);

#endif
