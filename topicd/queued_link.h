/* A link to a `queued` instance: its current session, and the batches that were sent and are not
 * acknowledged.
 *
 *                  link up            WELCOME               outbox sent
 *   DOWN ──────────────────> GREETING ───────> CATCHING_UP <───────────> LIVE
 *    ^  <── link down ──────────┴──────────────────┴──────────────────────┘
 *                            ^                     │                      │
 *                            └── no acknowledgement within the deadline ──┘
 *
 * WELCOME names the instance: its home (home.h). LIVE: a batch is sent at once and kept in memory
 * until it is acknowledged. Otherwise it goes to the home's outbox, in the turn's transaction, and
 * its publishes are safe when that is durable. When a session ends, unacknowledged batches go to
 * the outbox in the same way, and the next session sends the whole outbox. The instance recognises
 * batches that it has applied by incarnation and sequence (frame.h), so each is applied once and in
 * order. Only an acknowledgement of a frame that was sent in the current session deletes it.
 *
 * Invariants: (1) sequences grow in the order in which batches are sent; (2) a batch is in memory
 * or in the outbox, and in the outbox in the order of sequences; (3) the outbox is read only up to
 * its last durable row. */
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
    /* Greeted: its home is known. clock_ms: its manual clock, 0 when its clock is not manual. */
    void (*up)(void *arg, struct queued_link *p, i64 clock_ms);
    void (*down)(void *arg,
                 struct queued_link *p); /* the session has ended: its forwarded calls are lost */
    void (*queues)(void *arg, struct queued_link *p, const struct frame_queues *q);
    /* The instance does not have the queues of some targets of a batch. Comes before the batch's
     * acknowledgement. False: the frame is invalid. */
    bool (*rejected)(void *arg, struct queued_link *p, struct delivery_batch *d,
                     const struct frame_rejected *j);
    /* A batch with rejected targets is acknowledged: they are kept, in the turn that deletes the
     * batch. An E_ code: they cannot be. */
    int (*returned)(void *arg, struct queued_link *p, struct delivery_batch *d);
    void (*answer)(void *arg, struct queued_link *p, struct frame_answer *a); /* takes a's body */
    void (*clock)(void *arg, struct queued_link *p, i64 now_ms);
    void (*freed)(void *arg);   /* memory of acknowledged frames was freed */
    i64 (*clock_ms)(void *arg); /* manual time for a greeting; 0: the clock is not manual */
    void *arg;
};

struct queued_link {
    u32 index;
    char *url;
    struct loop *loop;
    struct homes *homes;
    struct home *home; /* of the instance that greeted last; NULL: none has */
    struct queued_link_limits limits;
    struct queued_link_events events;
    struct link *link;
    enum queued_link_state state;
    u32 session;
    u64 sent, acked;         /* ordinals of this session */
    struct list unacked;     /* struct delivery_batch with ordinals in (acked, sent], in order */
    u64 unacked_bytes;       /* of `unacked` in memory only */
    u64 window_bytes;        /* of `unacked` in the outbox, too */
    u64 cursor;              /* CATCHING_UP: outbox rows up to this one are sent */
    struct outbox_read read; /* CATCHING_UP: reads what is sent next */
    struct list read_rows;   /* struct delivery_batch: read so far */
    bool reading;
    /* SYNC numbers: last one asked, in any session; last one asked before the HELLO; last one
     * answered. */
    u64 asked, greeted_sync, synced;
    i64 progress_ms; /* monotonic: last acknowledgement, or when the wait for one began */
    struct loop_timer timer;
    u64 delivered_frames; /* since start, for the statistics */
    bool is_copy;         /* its instance has the name of another one that is up */
};

int queued_link_open(struct queued_link **ret, struct loop *l, struct homes *homes, u32 index,
                     const char *url, const struct queued_link_limits *limits,
                     struct queued_link_events events, struct fault *f) MUST_CHECK;
/* Nothing may wait in it: call queued_link_flush and let the loop turn first. */
void queued_link_close(struct queued_link *p);

/* Takes a numbered batch; sends it or stores it. */
void queued_link_take(struct queued_link *p, struct delivery_batch *d);
/* The caller is about to add rows to its home's outbox: later batches go behind them. */
void queued_link_use_outbox(struct queued_link *p);
/* Asks for an echo of `n` when all queues created or deleted before are announced. A session that
 * begins later answers every earlier request. */
void queued_link_sync(struct queued_link *p, u64 n);
/* A CALL, CANCEL or CLOCK frame. E_DOWN without a session. Takes the frame's bytes. */
int queued_link_send(struct queued_link *p, struct buf *frame) MUST_CHECK;
static inline bool queued_link_is_up(const struct queued_link *p)
{
    return p->state == QUEUED_LINK_CATCHING_UP || p->state == QUEUED_LINK_LIVE;
}
/* The instance of its home answered at another link. This link must be down. */
void queued_link_leave(struct queued_link *p);
/* Sends from the outbox as far as the window allows; called after the turn's commit. */
void queued_link_pump(struct queued_link *p);
/* The store works again: starts a new session, which sends the rest of the outbox. */
void queued_link_renew(struct queued_link *p);
/* Ends the session for good: unacknowledged batches go to the outbox. */
void queued_link_flush(struct queued_link *p);

#endif
