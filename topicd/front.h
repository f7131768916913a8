/* The front door for queue calls: finds the queued that owns the queue, sends the call over the
 * link, brings the answer back. With one queued calls go straight on, unread; with several they are
 * read as far as it takes to know the queue. Calls for a queued that is away wait a little for it:
 * at start, and while it is started again, nobody needs to be refused. */
#ifndef TOQUE_FRONT_H
#define TOQUE_FRONT_H

#include "common/aws/call.h"
#include "topicd/directory.h"
#include "topicd/queued_link.h"

struct front {
    struct directory *directory;
    struct queued_link **links;
    u32 link_count;
    struct idmap calls;     /* struct call by number, those that are under way */
    struct list *under_way; /* by peer: struct call, sent */
    struct list *waiting;   /* by peer: struct call, until it is up */
    struct loop *loop;
    u32 wait_max_ms;
    struct loop_timer timer; /* the first of `waiting` is due */
    u64 next_id;
    u64 forwarded, lost; /* ever, for the statistics */
};

void front_init(struct front *f, struct loop *l, const struct map_seed *seed, struct directory *d,
                struct queued_link **links, u32 link_count, u32 wait_max_ms);
/* No call may be under way. */
void front_deinit(struct front *f);

/* SQS as topicd offers it: every action is forwarded. `owner` becomes the service's; front_forward
 * gets the front by `of(owner)`. */
struct service front_service(void *owner, void (*forward)(struct call *c));
void front_forward(struct front *f, struct call *c);
/* An answer came; its body is taken. */
void front_answered(struct front *f, const struct queued_link *p, struct frame_answer *a);
/* The queued is there: what waited for it goes on. */
void front_up(struct front *f, const struct queued_link *p);
/* The queued is away: what is under way there is lost. */
void front_lost(struct front *f, const struct queued_link *p);
/* Everything that is under way is refused. */
void front_refuse(struct front *f);

#endif
