/* The front endpoint for queue calls: finds the `queued` instance that owns the queue, forwards the
 * call over the link and returns the answer. With one instance calls are forwarded unparsed; with
 * several they are parsed as far as needed to find the queue. Calls for an instance that is down
 * wait up to `wait_max_ms`, so that its start or restart refuses no client. */
#ifndef TOQUE_FRONT_H
#define TOQUE_FRONT_H

#include "common/aws/call.h"
#include "topicd/directory.h"
#include "topicd/queued_link.h"

struct front {
    struct directory *directory;
    struct queued_link **links;
    u32 link_count;
    struct idmap calls;     /* struct call by number: forwarded and not answered */
    struct list *under_way; /* per link: struct call, sent */
    struct list *waiting;   /* per link: struct call, until the link is up */
    struct loop *loop;
    u32 wait_max_ms;
    struct loop_timer timer; /* fires when the first of `waiting` is due */
    u64 next_id;
    u64 forwarded, lost; /* since start, for the statistics */
};

void front_init(struct front *f, struct loop *l, const struct map_seed *seed, struct directory *d,
                struct queued_link **links, u32 link_count, u32 wait_max_ms);
/* No call may be pending. */
void front_deinit(struct front *f);

/* SQS as topicd offers it: every action is passed to `forward`. `owner` becomes the service's
 * owner; `forward` finds the front through it and calls front_forward. */
struct service front_service(void *owner, void (*forward)(struct call *c));
void front_forward(struct front *f, struct call *c);
/* Likewise a page about a queue (queue_page.h). The call's service is SQS. */
void front_page(struct front *f, struct call *c);
/* An answer arrived; takes its body. */
void front_answered(struct front *f, const struct queued_link *p, struct frame_answer *a);
/* The instance is up: sends the calls that waited for it. */
void front_up(struct front *f, const struct queued_link *p);
/* The instance is down: calls that it has not answered fail. */
void front_lost(struct front *f, const struct queued_link *p);
/* Refuses all pending calls. */
void front_refuse(struct front *f);

#endif
