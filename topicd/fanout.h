/* Who gets a message: the topic's matcher, asked once, says which subscriptions; each gets it by
 * its route. What one turn published leaves when the turn's commit is done; with a commit that
 * failed it is dropped, and its publishes are refused.
 *
 * Memory: what the routes hold is bounded. Beyond it publishes wait (fanout_park) until some of it
 * is acknowledged or stored. */
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
    struct route *routes[ROUTE_KINDS]; /* NULL: nothing is delivered by this kind */
    struct fanout_group groups[ROUTE_KINDS];
    struct filter_hits hits;
    u64 held_bytes_max;
    bool scheduled; /* this turn put something */
    struct loop_later flush;
    struct list parked; /* struct call: publishes that wait for memory */
    struct loop_later resume;
    bool resuming;
    u64 published, matched, filtered_out; /* ever, for the statistics */
};

void fanout_init(struct fanout *f, struct loop *l, u64 held_bytes_max);
/* No publish may be under way. */
void fanout_deinit(struct fanout *f);
void fanout_add_route(struct fanout *f, enum route_kind kind, struct route *r);

/* Gives the publication to the routes of all subscriptions that match; `done` waits for them. */
void fanout_publish(struct fanout *f, struct topic *t, struct publication *p,
                    struct completion *done);
/* Sends from the routes' backlogs. True: there is more to send at once. */
bool fanout_send_on(struct fanout *f);

/* True: the call was parked, since the limit on memory is reached or others wait already; its
 * action is run again later, from the beginning. */
bool fanout_park(struct fanout *f, struct call *c);
/* A route holds less than before. */
void fanout_freed(struct fanout *f);
/* Refuses all that wait. */
void fanout_refuse_parked(struct fanout *f);
u64 fanout_held_bytes(const struct fanout *f);

#endif
