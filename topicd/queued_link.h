/* A queued as topicd sees it: its link, the session that was agreed on it, what was sent and is not
 * acknowledged, and the outbox that holds what cannot be sent.
 *
 *                  link up            WELCOME               outbox sent
 *   DOWN ──────────────────> GREETING ───────> CATCHING_UP ────────────> LIVE
 *    ^  <── link down ──────────┴──────────────────┴──────────────────────┘
 *                            ^                     │                      │
 *                            └── no acknowledgement within the deadline ──┘
 *
 * LIVE: a batch is sent at once and kept in memory until it is acknowledged. Otherwise it goes
 * to the outbox, in the turn's transaction, and its publishes are safe when that is committed. When
 * a session ends, what was sent and not acknowledged goes to the outbox in the same way; the next
 * session goes on behind the last sequence that the queued says it applied. So everything arrives
 * once and in order.
 *
 * Invariants: (1) sequences grow, over restarts too: the store's epoch, then a count; (2) a
 * batch is in memory or in the outbox, and batches are sent in the order of their sequences; (3) the outbox is read only up to what is durable. */
#ifndef TOQUE_QUEUED_LINK_H
#define TOQUE_QUEUED_LINK_H

#include "common/aws/frame.h"
#include "common/io/link.h"
#include "topicd/completion.h"
#include "topicd/topic_store.h"

/* More frames in a millisecond than there can be: a count never reaches the next epoch. */
#define QUEUED_LINK_EPOCH_SHIFT (63 - TOPIC_STORE_EPOCH_BITS)

enum queued_link_state {
    QUEUED_LINK_DOWN,
    QUEUED_LINK_GREETING,
    QUEUED_LINK_CATCHING_UP,
    QUEUED_LINK_LIVE
};

struct queued_link_limits {
    u64 outbox_bytes_max; /* of one queued's frames; beyond it publishes are refused */
    u64 window_bytes_max; /* sent from the outbox and not acknowledged */
    u32 ack_max_ms;       /* no acknowledgement for so long: a new session */
    struct link_limits link;
};

struct queued_link;

/* One DELIVER frame for one queued, and the publishes that wait until it is safe: applied by the
 * queued and durable there, or committed to the outbox here. */
struct delivery_batch {
    struct list link;
    u64 sequence;
    u32 publications;            /* in the frame */
    struct buf frame;            /* session and previous are put in when it is sent */
    struct completion **waiting; /* each once */
    u32 n, cap;
    struct queued_link *owner; /* while it is being stored */
    struct loop_later stored;
};

struct delivery_batch *delivery_batch_new(u64 sequence);
/* `done` waits for it, too; harmless when it was the last that was added. */
void delivery_batch_wait(struct delivery_batch *d, struct completion *done);
/* Ends what waits, and frees it. It is on no list. */
void delivery_batch_end(struct delivery_batch *d, int err);

struct queued_link_events {
    /* Greeted; what its manual clock shows, 0 where it runs by itself. */
    void (*up)(void *arg, struct queued_link *p, i64 clock_ms);
    void (*down)(void *arg,
                 struct queued_link *p); /* the session is over: forwarded calls are lost */
    void (*queues)(void *arg, struct queued_link *p, const struct frame_queues *q);
    void (*answer)(void *arg, struct queued_link *p, struct frame_answer *a); /* takes the body */
    void (*clock)(void *arg, struct queued_link *p, i64 now_ms);
    void (*freed)(void *arg);   /* memory of acknowledged frames came back */
    i64 (*clock_ms)(void *arg); /* the manual clock's time for a greeting; 0: it runs by itself */
    void *arg;
};

struct queued_link {
    u32 index;
    char *url; /* its address names it in the store, too */
    struct loop *loop;
    struct topic_store *store;
    struct queued_link_limits limits;
    struct queued_link_events events;
    struct link *link;
    enum queued_link_state state;
    bool store_failing;
    u32 session;
    u64 next_sequence;
    u64 previous;        /* of the last frame sent in this session, or applied before it */
    struct list unacked; /* struct delivery_batch, sent in this session */
    u64 unacked_bytes;
    const struct topic_outbox *outbox;
    u64 stored_through;       /* the outbox is durable up to this sequence */
    u64 cursor;               /* CATCHING_UP: sent from the outbox up to here */
    struct outbox_read read;  /* CATCHING_UP: what is sent next */
    bool reading;             /* it is under way, */
    u32 read_session;         /* for this session */
    struct outbox_sent *sent; /* ring of frames sent from the outbox and not acknowledged */
    u32 sent_head, sent_n, sent_cap;
    u64 sent_bytes;
    i64 progress_ms; /* mono: when something was acknowledged, or began to wait for it */
    struct loop_timer timer;
    u64 delivered_frames, stored_frames, refused_frames; /* ever, for the statistics */
    bool told_full;
};

int queued_link_open(struct queued_link **ret, struct loop *l, struct topic_store *store, u32 index,
                     const char *url, const struct queued_link_limits *limits,
                     struct queued_link_events events, struct fault *f) MUST_CHECK;
/* Nothing may wait in it: call queued_link_flush and let the loop turn before. */
void queued_link_close(struct queued_link *p);

/* The sequence of the next batch. Batches are handed over in the order of their sequences. */
u64 queued_link_next_sequence(struct queued_link *p);
/* Sends it or stores it; owns it from now on. */
void queued_link_take(struct queued_link *p, struct delivery_batch *d);
/* A CALL, CANCEL or CLOCK frame. E_DOWN unless a session stands. Takes the frame's bytes. */
int queued_link_send(struct queued_link *p, struct buf *frame) MUST_CHECK;
static inline bool queued_link_is_up(const struct queued_link *p)
{
    return p->state == QUEUED_LINK_CATCHING_UP || p->state == QUEUED_LINK_LIVE;
}
/* Sends from the outbox as the window lets; after the turn's commit. */
void queued_link_pump(struct queued_link *p);
/* The store fails, or works again. */
void queued_link_set_failing(struct queued_link *p, bool failing);
/* Ends the session for good: what is not acknowledged goes to the outbox. */
void queued_link_flush(struct queued_link *p);

#endif
