/* The one wait point of a daemon: gather, apply, commit, answer.
 *
 * A turn: wait for descriptors and deadlines; let every ready source apply what it has to the
 * in-memory state and to the open transaction; commit once; then, and only then, run what waited
 * for that commit (answers, acknowledgements). No client gets "stored" before it is stored.
 *
 *   gather ── watch callbacks, timers ──> apply ── loop_dirty ──> before_commit ──> commit
 *          ──> later callbacks ──> flush
 *
 * A store may settle a turn later: further turns run meanwhile, and later callbacks wait for the
 * ticket of their own turn. When too much is in flight the store accepts no further turn: the turn
 * stays open (held), and further changes are gathered into it.
 *
 * Invariants: (1) one thread; nothing reaches in from outside but through a descriptor; (2) a later
 * callback runs only when its turn and all before it are durable, or with the error by which its
 * turn was lost; (3) later callbacks run in the order in which they were put; (4) when a turn is
 * lost, so is everything behind it that is not settled, the open turn too: memory was built on it.
 * */
#ifndef TOQUE_LOOP_H
#define TOQUE_LOOP_H

#include "common/base/clock.h"
#include "common/base/heap.h"
#include "common/base/list.h"

struct loop;

/* How the loop's owner makes a turn durable. */
struct loop_store {
    /* Ends the turn and gives it a ticket, higher than those before it. E_AGAIN: too much is in
     * flight, the turn stays open; the store wakes the loop when there is room again. Other E_
     * codes: this turn, and whatever is not settled yet, is lost. */
    int (*commit)(void *arg, u64 *ret_ticket);
    /* *ret_ticket: all turns up to it are durable. An E_ code: those behind it are lost. The store
     * wakes the loop when this changes. */
    int (*settled)(void *arg, u64 *ret_ticket);
    /* Turns were lost: reload the in-memory state from disk. Called before any callback gets the
     * error; its changes belong to a new turn. */
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
/* No effect when not watched; safe from any callback. */
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

/* Something to do when this turn's changes are durable (err 0), or when the turn was lost (err < 0:
 * none of its effects remain). Lives in its owner; may be put only once at a time. */
struct loop_later {
    struct list link;
    u64 ticket; /* the loop's own, as err */
    int err;
    void (*run)(struct loop_later *later, int err);
};
void loop_later(struct loop *l, struct loop_later *later);
/* Runs in this turn, or in the next one when called after the commit, without waiting for any
 * commit. `run` gets err 0. */
void loop_soon(struct loop *l, struct loop_later *later);
/* Cancels it; no effect when it was not put. */
void loop_later_cancel(struct loop *l, struct loop_later *later);
/* This turn changed something that must be committed. */
void loop_dirty(struct loop *l);
/* The store accepted no turn, and new changes go into the open one: background work pauses. */
bool loop_is_held(const struct loop *l);
/* Held, and so much is pending that no more should be read from peers that send without waiting for
 * answers. */
bool loop_is_full(const struct loop *l);
/* No turn is open or in flight: all changes are durable, or lost. */
bool loop_is_settled(const struct loop *l);

/* Called in every turn. True: there is work left, do not wait in the next turn. A hook may be added
 * at start only. */
struct loop_hook {
    struct list link;
    /* Called when all ready input is applied, before the commit, for changes that belong to the
     * same turn. May be NULL. */
    bool (*before_commit)(struct loop_hook *h);
    /* Called after the later callbacks, before the next wait (endpoints send their answers). */
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
/* Instead of loop_run, for callers that run the loop themselves: one turn that waits for at most
 * max_wait_ms (-1: as long as needed); and how many ms the next turn would wait if no descriptor
 * gets ready (-1: for ever). */
void loop_turn(struct loop *l, int max_wait_ms);
i64 loop_wait_ms(struct loop *l);

/* Figures: counts since the start; times of the longest turn (without its wait) and of the longest
 * commit, in the last LOOP_LATELY_S to 2 * LOOP_LATELY_S seconds and ever. */
#define LOOP_LATELY_S 10
struct loop_stats {
    u64 turns, commits, laters;
    u64 events;         /* callbacks of descriptors that were ready */
    i64 commit_last_us; /* what the last commit took */
    u64 held, lost;     /* turns that the store deferred; number of losses */
    i64 longest_us, commit_longest_us;
    i64 longest_ever_us, commit_longest_ever_us;
};
struct loop_stats loop_stats(struct loop *l);

#endif
