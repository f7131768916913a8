/* The topicd at the other end of the link, as queued sees it.
 *
 *   DOWN ──pipe──> UP ──HELLO──> GREETED ──HELLO──> GREETED, a new session
 *     ^─────────────┴──pipe gone, or hung up────┘
 *
 * HELLO is answered by WELCOME and by all queues. DELIVER frames become messages in the turn's
 * transaction, together with their sequence, and are acknowledged when it is durable; targets whose
 * queue does not exist are rejected. SYNC is echoed after all changes of queues that preceded it.
 * CALL frames are handled by the desk like other requests. Frames are parsed as untrusted input: an
 * invalid one is logged and closes the pipe. */
#ifndef TOQUE_TOPICD_LINK_H
#define TOQUE_TOPICD_LINK_H

#include "common/aws/desk.h"
#include "common/base/id.h"
#include "common/io/link.h"
#include "queued/intake.h"
#include "queued/queues.h"

struct topicd_link_events {
    /* A session has begun. clock_ms: the time of the peer's manual clock, 0 if it has none. */
    void (*greeted)(void *arg, i64 clock_ms);
    /* The peer's manual clock was set to this time. */
    void (*clock)(void *arg, i64 now_ms);
    void (*down)(void *arg);
    /* Returns the time of the own manual clock, 0 if it has none. */
    i64 (*clock_ms)(void *arg);
    void *arg;
};

struct topicd_link {
    struct queues *queues;
    struct desk *desk;
    struct loop *loop;
    struct link *link; /* NULL: there is no link */
    struct topicd_link_events events;
    bool greeted; /* WELCOME was sent or is scheduled */
    char instance[ID_UUID_SIZE];
    u32 session;
    u32 greetings;             /* sessions since the start */
    u64 taken;                 /* ordinal of the last DELIVER accepted in this session */
    bool told_full;            /* it was logged that deliveries are refused */
    struct loop_later welcome; /* waits for the turn's commit */
    struct loop_later announce;
    u32 syncs;          /* SYNC echoes that wait for their turn's commit */
    struct buf changed; /* ARNs of queues created or deleted, each followed by a newline */
    struct idmap calls; /* struct forwarded by topicd's number */
    /* For the statistics: messages made; targets without a queue; those whose queue's policy forbids
     * it; raw ones with too many attributes. */
    u64 delivered, unknown, forbidden, unfit;
};

void topicd_link_init(struct topicd_link *p, struct queues *qs, struct desk *desk,
                      struct topicd_link_events events);
int topicd_link_listen(struct topicd_link *p, const char *url, const struct link_limits *limits,
                       struct fault *f) MUST_CHECK;
/* No call of the link may be unfinished. */
void topicd_link_deinit(struct topicd_link *p);
bool topicd_link_is_up(const struct topicd_link *p);
/* Closes the pipe: topicd sends again what was not acknowledged. */
void topicd_link_hang_up(struct topicd_link *p);
/* Counts answers as sent whose outcome topicd has not reported: the daemon stops and cannot
 * wait. */
void topicd_link_forget(struct topicd_link *p);
/* Sends the manual clock's time to topicd. E_DOWN: the link is down. */
int topicd_link_tell_clock(struct topicd_link *p, i64 now_ms);
/* A queue was created or deleted: announced when the turn is durable. */
void topicd_link_changed(struct topicd_link *p, const struct queue *q);

/* The handlers of the link's events, for tests, which have no pipe. */
void topicd_link_frame(struct topicd_link *p, str frame);
void topicd_link_down(struct topicd_link *p);

#endif
