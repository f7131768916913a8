/* A link to a queued: the session that was agreed on it, and what was sent and is not acknowledged.
 *
 *                  link up            WELCOME               outbox sent
 *   DOWN ──────────────────> GREETING ───────> CATCHING_UP <───────────> LIVE
 *    ^  <── link down ──────────┴──────────────────┴──────────────────────┘
 *                            ^                     │                      │
 *                            └── no acknowledgement within the deadline ──┘
 *
 * WELCOME says which queued is there: its home (home.h). LIVE: a batch is sent at once and kept in
 * memory until it is acknowledged. Otherwise it goes to the home's outbox, in the turn's
 * transaction, and its publishes are safe when that is durable. When a session ends, what was sent
 * and not acknowledged goes to the outbox in the same way, and the next session sends all that is
 * there; what was applied already the queued knows by its incarnation and sequence (frame.h), so
 * everything arrives once and in order. Nothing that a queued says deletes a frame but its
 * acknowledgement of what was sent to it in this session.
 *
 * Invariants: (1) sequences grow in the order in which batches are sent; (2) a batch is in memory
 * or in the outbox, and in the outbox in the order of sequences; (3) the outbox is read only up to
 * what is durable. */
#ifndef TOQUE_QUEUED_LINK_H
#define TOQUE_QUEUED_LINK_H

#include "common/aws/frame.h"
#include "common/io/link.h"
#include "topicd/home.h"

enum queued_link_state {
    QUEUED_LINK_DOWN,
    QUEUED_LINK_GREETING,
    QUEUED_LINK_CATCHING_UP,
    QUEUED_LINK_LIVE
};

struct queued_link_limits {
    u64 window_bytes_max; /* sent from the outbox and not acknowledged */
    u32 ack_max_ms;       /* no acknowledgement for so long: a new session */
    struct link_limits link;
};

struct queued_link;
struct queued_link_events {
    /* Greeted: its home is known; what its manual clock shows, 0 where it runs by itself. */
    void (*up)(void *arg, struct queued_link *p, i64 clock_ms);
    void (*down)(void *arg,
                 struct queued_link *p); /* the session is over: forwarded calls are lost */
    void (*queues)(void *arg, struct queued_link *p, const struct frame_queues *q);
    /* Targets of a batch that was sent are not there. Before its acknowledgement. False: what is
     * said makes no sense. */
    bool (*rejected)(void *arg, struct queued_link *p, struct delivery_batch *d,
                     const struct frame_rejected *j);
    void (*answer)(void *arg, struct queued_link *p, struct frame_answer *a); /* takes the body */
    void (*clock)(void *arg, struct queued_link *p, i64 now_ms);
    void (*freed)(void *arg);   /* memory of acknowledged frames came back */
    i64 (*clock_ms)(void *arg); /* the manual clock's time for a greeting; 0: it runs by itself */
    void *arg;
};

struct queued_link {
    u32 index;
    char *url;
    struct loop *loop;
    struct homes *homes;
    struct home *home; /* where it leads, or led when it was up last; NULL: not known yet */
    struct queued_link_limits limits;
    struct queued_link_events events;
    struct link *link;
    enum queued_link_state state;
    u32 session;
    u64 sent, acked;         /* ordinals of this session */
    struct list unacked;     /* struct delivery_batch, those between them, in order */
    u64 unacked_bytes;       /* of those that are in memory alone */
    u64 window_bytes;        /* of those that are in the outbox, too */
    u64 cursor;              /* CATCHING_UP: what the outbox has up to here is sent */
    struct outbox_read read; /* CATCHING_UP: what is sent next */
    struct list read_rows;   /* struct delivery_batch: read so far */
    bool reading;
    /* SYNC: what was asked last, in whichever session, and before its HELLO; what is answered. */
    u64 asked, greeted_sync, synced;
    i64 progress_ms; /* mono: when something was acknowledged, or began to wait for it */
    struct loop_timer timer;
    u64 delivered_frames; /* ever, for the statistics */
    bool is_copy;         /* the queued there has the name of another one that is up */
};

int queued_link_open(struct queued_link **ret, struct loop *l, struct homes *homes, u32 index,
                     const char *url, const struct queued_link_limits *limits,
                     struct queued_link_events events, struct fault *f) MUST_CHECK;
/* Nothing may wait in it: call queued_link_flush and let the loop turn before. */
void queued_link_close(struct queued_link *p);

/* Sends it or stores it; owns it from now on. It was numbered. */
void queued_link_take(struct queued_link *p, struct delivery_batch *d);
/* Rows are about to be put into its home's outbox by somebody else: what follows goes behind them. */
void queued_link_use_outbox(struct queued_link *p);
/* Asks for an echo of `n` when all queues that came or went before are announced. A session that
 * begins later answers all that was asked before. */
void queued_link_sync(struct queued_link *p, u64 n);
/* A CALL, CANCEL or CLOCK frame. E_DOWN unless a session stands. Takes the frame's bytes. */
int queued_link_send(struct queued_link *p, struct buf *frame) MUST_CHECK;
static inline bool queued_link_is_up(const struct queued_link *p)
{
    return p->state == QUEUED_LINK_CATCHING_UP || p->state == QUEUED_LINK_LIVE;
}
/* The queued whose home it has was met elsewhere. It is down. */
void queued_link_leave(struct queued_link *p);
/* Sends from the outbox as the window lets; after the turn's commit. */
void queued_link_pump(struct queued_link *p);
/* The store works again. A new session sends what the outbox still has. */
void queued_link_renew(struct queued_link *p);
/* Ends the session for good: what is not acknowledged goes to the outbox. */
void queued_link_flush(struct queued_link *p);

#endif
