/* The topicd at the other end of the link, as queued sees it.
 *
 *   DOWN ──pipe──> UP ──HELLO──> GREETED ──HELLO──> GREETED, a new session
 *     ^─────────────┴──pipe gone, or hung up────┘
 *
 * HELLO is answered by WELCOME and by all queues. DELIVER frames become messages in the turn's
 * transaction, together with their sequence, and are acknowledged when it is durable; targets whose
 * queue is not here are rejected. SYNC is echoed behind all queues that came or went before. CALL frames go to the desk as any other request. Everything that
 * comes from the link is read as hostile input: what makes no sense is logged and ends the pipe. */
#ifndef TOQUE_TOPICD_LINK_H
#define TOQUE_TOPICD_LINK_H

#include "common/aws/desk.h"
#include "common/base/id.h"
#include "common/io/link.h"
#include "queued/intake.h"
#include "queued/queues.h"

struct topicd_link_events {
    /* A session stands; what the other side's manual clock shows, 0 where it runs by itself. */
    void (*greeted)(void *arg, i64 clock_ms);
    /* The other side's manual clock shows this time. */
    void (*clock)(void *arg, i64 now_ms);
    void (*down)(void *arg);
    /* The manual clock's time, 0 where time runs by itself. */
    i64 (*clock_ms)(void *arg);
    void *arg;
};

struct topicd_link {
    struct queues *queues;
    struct desk *desk;
    struct loop *loop;
    struct link *link; /* NULL: there is no link */
    struct topicd_link_events events;
    bool greeted; /* WELCOME is out, or on its way */
    char instance[ID_UUID_SIZE];
    u32 session;
    u32 greetings;             /* ever: sessions, whoever began them */
    u64 taken;                 /* ordinal of the last DELIVER that was taken in this session */
    bool told_full;            /* the log knows that nothing more is taken */
    struct loop_later welcome; /* waits for the turn's commit */
    struct loop_later announce;
    u32 syncs;          /* answers that wait for their turn */
    struct buf changed; /* ARNs of queues that came or went, each with a newline behind it */
    struct idmap calls; /* struct forwarded by topicd's number */
    /* For the statistics: messages made; targets without a queue; those whose queue's policy forbids
     * it; raw ones with too many attributes. */
    u64 delivered, unknown, forbidden, unfit;
};

void topicd_link_init(struct topicd_link *p, struct queues *qs, struct desk *desk,
                      struct topicd_link_events events);
int topicd_link_listen(struct topicd_link *p, const char *url, const struct link_limits *limits,
                       struct fault *f) MUST_CHECK;
/* No call of its may be under way. */
void topicd_link_deinit(struct topicd_link *p);
bool topicd_link_is_up(const struct topicd_link *p);
/* Cuts the pipe: what was applied and not acknowledged is to be sent again. */
void topicd_link_hang_up(struct topicd_link *p);
/* Answers whose fate topicd was to tell count as sent: there is no time left to wait for that. */
void topicd_link_forget(struct topicd_link *p);
/* Tells the other side the manual clock's time. E_DOWN. */
int topicd_link_tell_clock(struct topicd_link *p, i64 now_ms);
/* A queue came or went: told when the turn is durable. */
void topicd_link_changed(struct topicd_link *p, const struct queue *q);

/* What the link's events do; for tests, which have no pipe. */
void topicd_link_frame(struct topicd_link *p, str frame);
void topicd_link_down(struct topicd_link *p);

#endif
