/* Fan-out: one run of the topic's matcher selects the subscriptions that get a message; each gets
 * it by its route. The publications of a turn are sent after the turn's commit. When the commit
 * fails they are dropped, and their publishes are refused.
 *
 * Memory: the bytes that routes hold are bounded. Beyond the bound publishes wait (fanout_park)
 * until some bytes are acknowledged or stored. */
#ifndef TOQUE_FANOUT_H
#define TOQUE_FANOUT_H

#include "common/aws/call.h"
#include "topicd/route.h"
#include "topicd/topic.h"

/* The matched subscriptions of one route. */
struct fanout_group {
    struct sub **subs;
    size_t n, cap;
};

struct fanout {
    struct loop *loop;
    struct route *routes[ROUTE_KINDS]; /* NULL: no route of this kind */
    struct fanout_group groups[ROUTE_KINDS];
    struct filter_hits hits;
    u64 held_bytes_max;
    bool scheduled; /* something was put in this turn */
    struct loop_later flush;
    struct list parked; /* struct call: publishes that wait for memory */
    struct loop_later resume;
    bool resuming;
    u64 published, matched, filtered_out; /* since start, for the statistics */
};

void fanout_init(struct fanout *f, struct loop *l, u64 held_bytes_max);
/* No publish may be pending. */
void fanout_deinit(struct fanout *f);
void fanout_add_route(struct fanout *f, enum route_kind kind, struct route *r);

/* Puts the publication into the routes of all matching subscriptions; `done` waits for them. */
void fanout_publish(struct fanout *f, struct topic *t, struct publication *p,
                    struct completion *done);
/* Sends from the routes' backlogs. True: more can be sent at once. */
bool fanout_send_on(struct fanout *f);

/* True: the call was parked, since the memory limit is reached or other calls are parked already;
 * its action is run again later, from the beginning. */
bool fanout_park(struct fanout *f, struct call *c);
/* A route holds less than before. */
void fanout_freed(struct fanout *f);
/* Refuses all parked calls. */
void fanout_refuse_parked(struct fanout *f);
u64 fanout_held_bytes(const struct fanout *f);

#endif
