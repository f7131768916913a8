/* What queued stores, whatever engine keeps it (engine.h says what turns, tickets and engines are).
 *
 *   meta     instance id, secret, epoch, manual clock
 *   queue    a queue and its attributes
 *   body     what a message says, immutable; one row however many messages hold it
 *   message  one small row per queue that holds it, numbered in the order of arrival (seq)
 *   task     a move task of a queue
 *   history  deliveries of a message that was received and became visible again (history.h)
 *   dedup    what was sent to FIFO queues lately, numbered by the seqs of the sends
 *   link     last sequence applied per incarnation of a topicd
 *   rejected targets of its DELIVERs whose queue was not here, until it has surely heard of them
 *
 * A message whose `body` is 0 owns the body row of its own seq. Otherwise several may hold the body
 * row `body`, and whoever owns the index in memory counts its holders (rebuilt at load) and calls
 * queue_store_delete_body with the last one.
 *
 * A message that moves to another queue arrives there: its row is deleted and added with a new seq,
 * its body row stays.
 *
 * Who uses a store calls the functions; the table of operations is what an engine fills. */
#ifndef TOQUE_QUEUE_STORE_H
#define TOQUE_QUEUE_STORE_H

#include "common/base/list.h"
#include "common/base/map.h"
#include "common/io/engine.h"

struct queue_row {
    u64 id; /* never used twice */
    str account, region, name;
    str attributes; /* JSON object text */
    i64 created_ms, modified_ms;
};

/* Texts are "" for none. */
struct message_row {
    u64 seq; /* order of arrival over all queues; from queue_store_next_id on */
    u64 queue;
    u64 body; /* 0: the body row `seq` */
    i64 sent_ms;
    i64 due_ms;   /* hidden until then: delayed while never received, else in flight */
    i64 first_ms; /* first receive; 0: never received */
    u32 receives;
    u32 flags;    /* the message's own; the store does not read them */
    str origin;   /* subscription by which it came: its ARN, or the part behind the topic's */
    str identity; /* 16 bytes that its MessageId is made of; "": they derive from `seq` */
    str group_id;
    str source; /* ARN of the queue that it was moved from */
};

struct task_row {
    u64 id; /* never used twice */
    u64 queue;
    str state; /* JSON object text */
};

struct applied_row {
    str incarnation;
    u64 sequence;
    u64 use; /* grows with every change from one incarnation to another */
};

struct dedup_row {
    u64 seq;
    str key; /* 16 bytes */
    i64 sent_ms;
};

struct rejected_row {
    str incarnation;
    u64 sequence;
    str places; /* as in a REJECTED frame (frame.h) */
};
/* DELIVERs of one incarnation that are remembered, at least; more are never on their way. */
#define QUEUE_STORE_REJECTED_MAX 4096

#define QUEUE_STORE_SECRET_SIZE 16
/* An incarnation begins with every start of a topicd, and is asked for while it has unacknowledged
 * frames. */
#define QUEUE_STORE_APPLIED_MAX 10000

/* Who is told what queue_store_load reads; negative from a callback stops the walk. */
struct queue_store_walk {
    int (*queue)(void *arg, const struct queue_row *q);
    int (*task)(void *arg, const struct task_row *t);
    int (*message)(void *arg, const struct message_row *m);
    int (*history)(void *arg, u64 seq, str deliveries);
    int (*dedup)(void *arg, const struct dedup_row *e);
    void *arg;
};

/* Bodies that one receive wants. Lives in its owner until `done`, which is called exactly once, at
 * the latest when the store is closed. */
#define BODY_FETCH_MAX 10
struct body_fetch {
    struct list link; /* the engine's, as is */
    u64 turn;
    u32 n;
    u64 ids[BODY_FETCH_MAX]; /* of body rows */
    /* The body row ids[i], for every i in this order; the view is valid for the call. E_NOT_FOUND:
     * there is none, E_IO: it cannot be read, E_DOWN: it was given up, as its turn was lost; the
     * others come all the same. No more is asked of the store from here. */
    void (*body)(struct body_fetch *f, u32 i, int err, str content);
    void (*done)(struct body_fetch *f);
};

struct queue_store;
struct queue_store_ops {
    void (*put_queue)(struct queue_store *s, const struct queue_row *q);
    void (*delete_queue)(struct queue_store *s, u64 id);
    void (*put_task)(struct queue_store *s, const struct task_row *t);
    void (*delete_task)(struct queue_store *s, u64 id);
    void (*add_body)(struct queue_store *s, u64 id, str content);
    void (*add_message)(struct queue_store *s, const struct message_row *m);
    void (*move_message)(struct queue_store *s, u64 seq, const struct message_row *m);
    void (*update_message)(struct queue_store *s, u64 seq, i64 due_ms, i64 first_ms, u32 receives);
    void (*delete_message)(struct queue_store *s, u64 seq, bool own_body);
    void (*delete_body)(struct queue_store *s, u64 id);
    void (*delete_messages)(struct queue_store *s, u64 first, u64 last);
    void (*delete_bodies)(struct queue_store *s, u64 first, u64 last);
    void (*put_history)(struct queue_store *s, u64 seq, str deliveries);
    void (*delete_history)(struct queue_store *s, u64 seq);
    void (*add_dedup)(struct queue_store *s, const struct dedup_row *e);
    void (*delete_dedups)(struct queue_store *s, u64 up_to_seq);
    void (*fetch)(struct queue_store *s, struct body_fetch *f);
    void (*set_applied)(struct queue_store *s, const struct applied_row *a);
    void (*forget_applied)(struct queue_store *s, str incarnation); /* and what is rejected of it */
    void (*add_rejected)(struct queue_store *s, const struct rejected_row *r);
    void (*forget_rejected)(struct queue_store *s, str incarnation, u64 below);
    /* Hands every applied sequence to queue_store_hold_applied of `into`, which is `s` or wraps it,
     * and the rest to the walk. */
    int (*load)(struct queue_store *s, struct queue_store *into,
                const struct queue_store_walk *walk);
    /* Frees all, queue_store_deinit included. */
    void (*close)(struct queue_store *s);
};

struct queue_store {
    struct engine engine;
    const struct queue_store_ops *ops;
    u64 unreadable; /* queue_store_unreadable */
    u8 secret[QUEUE_STORE_SECRET_SIZE];
    struct map applied; /* by incarnation; as the last load found it, and set since */
    u64 applied_use;    /* the highest `use` among them */
};

/* Opens or creates below o->dir. `f` says what is wrong. */
int queue_store_open(struct queue_store **ret, const struct store_options *o,
                     struct fault *f) MUST_CHECK;
/* NULL accepted. */
static inline void queue_store_close(struct queue_store *s)
{
    if (s)
        s->ops->close(s);
}

/* UUID text, made at creation. */
static inline const char *queue_store_instance(const struct queue_store *s)
{
    return s->engine.instance;
}
/* QUEUE_STORE_SECRET_SIZE secret bytes, made at creation: message ids and receipt handles derive
 * from them. */
static inline const u8 *queue_store_secret(const struct queue_store *s)
{
    return s->secret;
}

/* Ids above every one ever stored (queues, messages and bodies share one space; also over restarts
 * when the newest rows are gone). */
static inline u64 queue_store_next_id(const struct queue_store *s)
{
    return s->engine.ids[0].next;
}

/* Ids of this opening begin here at the earliest: above all that an earlier one made, also when the
 * store is an older copy that knows nothing of them. It is the opening's epoch with room for so many
 * ids a millisecond as no daemon makes. */
#define QUEUE_STORE_IDS_BITS 22
static_assert(ENGINE_EPOCH_BITS + QUEUE_STORE_IDS_BITS < 64, "an id is a positive i64");
static inline u64 queue_store_first_id(const struct queue_store *s)
{
    return s->engine.epoch << QUEUE_STORE_IDS_BITS;
}

/* Insert or replace. */
static inline void queue_store_put_queue(struct queue_store *s, const struct queue_row *q)
{
    engine_note_id(&s->engine, 0, q->id);
    s->ops->put_queue(s, q);
}
/* The queue row only. Its messages are deleted by the caller, in slices of what a turn may cost;
 * what a crash leaves of them is given by queue_store_load as messages of a queue that is not
 * there. */
static inline void queue_store_delete_queue(struct queue_store *s, u64 id)
{
    s->ops->delete_queue(s, id);
}

/* Insert or replace. */
static inline void queue_store_put_task(struct queue_store *s, const struct task_row *t)
{
    engine_note_id(&s->engine, 0, t->id);
    s->ops->put_task(s, t);
}
static inline void queue_store_delete_task(struct queue_store *s, u64 id)
{
    s->ops->delete_task(s, id);
}

static inline void queue_store_add_body(struct queue_store *s, u64 id, str content)
{
    engine_note_id(&s->engine, 0, id);
    s->ops->add_body(s, id, content);
}
static inline void queue_store_add_message(struct queue_store *s, const struct message_row *m)
{
    engine_note_id(&s->engine, 0, m->seq);
    s->ops->add_message(s, m);
}
/* The message `seq` is the row `m` from now on, but for its origin and group, which stay what they
 * are. */
static inline void queue_store_move_message(struct queue_store *s, u64 seq,
                                            const struct message_row *m)
{
    engine_note_id(&s->engine, 0, m->seq);
    s->ops->move_message(s, seq, m);
}
/* Visibility and receive count. */
static inline void queue_store_update_message(struct queue_store *s, u64 seq, i64 due_ms,
                                              i64 first_ms, u32 receives)
{
    s->ops->update_message(s, seq, due_ms, first_ms, receives);
}
/* The message row, and with own_body the body row of the same number. */
static inline void queue_store_delete_message(struct queue_store *s, u64 seq, bool own_body)
{
    s->ops->delete_message(s, seq, own_body);
}
static inline void queue_store_delete_body(struct queue_store *s, u64 id)
{
    s->ops->delete_body(s, id);
}
/* Whatever rows there are from `first` to `last`: of messages alone, of bodies alone. */
static inline void queue_store_delete_messages(struct queue_store *s, u64 first, u64 last)
{
    s->ops->delete_messages(s, first, last);
}
static inline void queue_store_delete_bodies(struct queue_store *s, u64 first, u64 last)
{
    s->ops->delete_bodies(s, first, last);
}

/* Of the message `seq`; insert or replace. Its owner deletes it with the message. */
static inline void queue_store_put_history(struct queue_store *s, u64 seq, str deliveries)
{
    s->ops->put_history(s, seq, deliveries);
}
static inline void queue_store_delete_history(struct queue_store *s, u64 seq)
{
    s->ops->delete_history(s, seq);
}

static inline void queue_store_add_dedup(struct queue_store *s, const struct dedup_row *e)
{
    s->ops->add_dedup(s, e);
}
/* All up to that one. */
static inline void queue_store_delete_dedups(struct queue_store *s, u64 up_to_seq)
{
    s->ops->delete_dedups(s, up_to_seq);
}

/* Reads bodies: within the call where the engine has them at hand, else later, from the loop, and
 * then about when the open turn settles, on its way with it. */
static inline void queue_store_fetch(struct queue_store *s, struct body_fetch *f)
{
    s->ops->fetch(s, f);
}

/* The last sequence applied of an incarnation of a topicd (frame.h); 0: none. Held in memory: of the
 * QUEUE_STORE_APPLIED_MAX incarnations that were heard last. */
void queue_store_set_applied(struct queue_store *s, str incarnation, u64 sequence);
u64 queue_store_applied(const struct queue_store *s, str incarnation);
/* What was rejected of a DELIVER that was applied: it is said again when that comes again, and
 * nothing else, whatever has become of its queues. The incarnation is known (set_applied). */
void queue_store_add_rejected(struct queue_store *s, const struct rejected_row *r);
/* "": nothing. The view is valid until the next change. */
str queue_store_rejected(const struct queue_store *s, str incarnation, u64 sequence);
/* A DELIVER came in that session (a number of the caller's). What the first of its incarnation in a
 * session leaves out, topicd does not have any more: that is forgotten. */
void queue_store_heard(struct queue_store *s, str incarnation, u64 sequence, u32 session);

/* Walks queues in the order of ids, then tasks likewise, then messages in the order of arrival, then their histories, then deduplication in the
 * order of sends; a callback's views are valid for the call. Negative from the callback stops the
 * walk and is returned. Fast: millions of rows a second. Called at start, and after a failed
 * commit. */
int queue_store_load(struct queue_store *s, const struct queue_store_walk *walk);
/* Damaged places (pages of rows, single rows) that the last load passed over, and rows that no turn
 * could change since then because of damage: they are left alone. */
static inline u64 queue_store_unreadable(const struct queue_store *s)
{
    return s->unreadable;
}

/* --- what every engine has: engine.h ---------------------------------------------------------- */

static inline int queue_store_meta_get(const struct queue_store *s, const char *key, i64 *ret)
{
    return engine_meta_get(&s->engine, key, ret);
}
static inline void queue_store_meta_set(struct queue_store *s, const char *key, i64 value)
{
    engine_meta_set(&s->engine, key, value);
}
static inline int MUST_CHECK queue_store_commit(struct queue_store *s, u64 *ret_ticket)
{
    return engine_commit(&s->engine, ret_ticket);
}
static inline int MUST_CHECK queue_store_flush(struct queue_store *s)
{
    return engine_flush(&s->engine);
}
static inline int MUST_CHECK queue_store_serve(struct queue_store *s, struct loop *l,
                                               void (*failed)(void *arg, int err), void *arg)
{
    return engine_serve(&s->engine, l, failed, arg);
}
static inline int queue_store_probe(struct queue_store *s)
{
    return engine_probe(&s->engine);
}
static inline void queue_store_tidy(struct queue_store *s)
{
    engine_tidy(&s->engine);
}
static inline struct store_stats queue_store_stats(struct queue_store *s)
{
    return engine_stats(&s->engine);
}
static inline const char *queue_store_error(const struct queue_store *s)
{
    return engine_error(&s->engine);
}

/* --- for engines ------------------------------------------------------------------------------ */

/* At open, when the small values are held. */
void queue_store_init(struct queue_store *s, const struct queue_store_ops *ops);
void queue_store_hold_applied(struct queue_store *s, const struct applied_row *a);
void queue_store_hold_rejected(struct queue_store *s, const struct rejected_row *r);
void queue_store_deinit(struct queue_store *s);

int queue_store_sqlite_open(struct queue_store **ret, const struct store_options *o,
                            struct fault *f) MUST_CHECK;

#endif
