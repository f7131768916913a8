/* A place where a daemon runs: its name, its disk, and one incarnation after the other. Between two
 * of them the place is down; whoever ends one says when the next one starts.
 *
 * A killed daemon cannot be taken off the stack in mid-turn. So it goes on as a ghost: its disk is
 * copied as it is at the moment of death, its connections are cut, and what it does from then on is
 * seen by nobody. When its turn is over the ghost is stopped in good order and freed; what leaks in
 * that is found by the sanitizers. */
#ifndef TOQUE_SIM_NODE_H
#define TOQUE_SIM_NODE_H

#include "common/base/environment.h"
#include "common/base/err.h"
#include "common/io/loop.h"
#include "tests/sim/disk.h"
#include "tests/sim/ledger.h"
#include "tests/sim/world.h"

struct node;
struct http_server;
struct server;

/* What kinds of daemons there are: node_kinds.c. */
struct node_kind {
    const char *name;
    /* Opens one in the node's environment. *ret_server is part of it. On failure `f` tells. */
    int (*open)(struct node *n, void **ret, struct server **ret_server, struct fault *f);
    void (*close)(void *daemon);
    /* Asserts what must be true of its memory between two turns. */
    void (*check)(const void *daemon);
};
extern const struct node_kind NODE_TOPICD, NODE_QUEUED;

struct incarnation {
    struct node *node;
    struct disk *disk;
    void *daemon; /* NULL while it opens, as is */
    struct server *server;
    struct http_server *http; /* endpoint.c */
    struct list ports;        /* network.c */
    bool over;                /* killed: a ghost */
    bool was_inside;          /* killed in its own turn: freed at the end of it */
};

enum node_state { NODE_DOWN, NODE_UP, NODE_STOPPING };

struct node {
    const struct node_kind *kind;
    const char *name;
    const char *link_url; /* a queued: where it listens */
    enum node_state state;
    struct incarnation *life; /* NULL: down */
    struct disk *disk;        /* while it is down */
    struct disk *copy;        /* an older copy of its disk; NULL: there is none */
    struct ledger_moment copied;
    bool paused; /* as by SIGSTOP */
    i64 busy_until_us, wake_us;
    i64 down_us; /* after an orderly stop */
    u64 changes_until_kill;
    enum disk_end kill_end;
    i64 kill_down_us;
    struct event wake, start;
    struct environment env; /* its system's clock, and the seed of this incarnation */
    i64 clock_ahead_us;     /* its wall clock, of the world's, */
    i64 started_with_us;    /* and when it started last */
    struct clock_source clock;
    u32 starts;
    i64 second; /* its turns in this second */
    u32 second_turns;
};

void node_init(struct node *n, const struct node_kind *kind, const char *name,
               const char *link_url);
void node_deinit(struct node *n);

/* Now, if it is down. A start that fails is tried again a second later. */
void node_start(struct node *n);
/* Asks for an orderly stop; it starts again down_us after its end. */
void node_stop(struct node *n, i64 down_us);
/* Ends its incarnation on the spot; the next one starts after down_us. */
void node_kill(struct node *n, enum disk_end end, i64 down_us);
/* The same in the middle of the changes that it makes to its disk: so many are done before. */
void node_kill_at_change(struct node *n, u64 changes, enum disk_end end, i64 down_us);
/* Keeps a copy of its disk as it is now, and forgets the one before. */
void node_keep_copy(struct node *n);
/* Killed, and its disk becomes the copy, which stays; the ledger is told by the caller. */
void node_restore(struct node *n, i64 down_us);
/* Its wall clock is so far ahead from now on, or behind. */
void node_set_clock(struct node *n, i64 ahead_us);
/* It does not run until it is told to go on. */
void node_pause(struct node *n, bool paused);
/* Asserts what must be true of its daemon's memory. */
void node_check(const struct node *n);
static inline bool node_is_up(const struct node *n)
{
    return n->state == NODE_UP;
}
/* Its present disk, up or down. */
struct disk *node_disk(struct node *n);

/* Something came for the incarnation: its loop gets a turn as soon as it is free. */
void node_poke(struct incarnation *of);
/* Whose turn it is; NULL: nobody's. */
struct incarnation *node_running(void);
/* Runs `work` as that incarnation does beside its loop. Put off while it is paused: E_AGAIN. */
int node_aside(struct incarnation *of, void (*work)(void *arg), void *arg);

extern u64 node_turns, node_kills_in_change, node_starts_failed, node_ends; /* in all runs */

#endif
