/* The store of queued, independent of the engine (engine.h defines turns, tickets and engines).
 *
 *   meta     instance id, secret, epoch, manual clock
 *   queue    a queue and its attributes
 *   body     the content of a message, immutable; one row, whichever number of messages hold it
 *   message  one small row per queue that holds it, numbered in the order of arrival (seq)
 *   task     a move task of a queue
 *   history  deliveries of a message that was received and became visible again (history.h)
 *   dedup    recent sends to FIFO queues, numbered by the seqs of the sends
 *   link     last sequence applied per incarnation of a topicd
 *   rejected targets of its DELIVERs that got no message, until topicd is known to have them
 *
 * A message whose `body` is 0 owns the body row of its own seq. Otherwise several may hold the body
 * row `body`; the owner of the index in memory counts the holders (rebuilt at load) and calls
 * queue_store_delete_body with the last one.
 *
 * A message that moves to another queue gets a new seq there: its row is renumbered, its body row
 * stays.
 *
 * Users of a store call the functions; an engine implements the table of operations. */
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

#define MESSAGE_TEXT_MAX UINT16_MAX

/* Texts are "" for none, and MESSAGE_TEXT_MAX bytes at most. */
struct message_row {
    u64 seq; /* order of arrival over all queues; from queue_store_next_id on */
    u64 queue;
    u64 body; /* 0: the body row `seq` */
    i64 sent_ms;
    i64 due_ms;   /* hidden until then: delayed while never received, else in flight */
    i64 first_ms; /* first receive; 0: never received */
    u32 receives;
    u32 flags;    /* the message's own; the store does not read them */
    str origin;   /* subscription that delivered it: its ARN, or the part after the topic's */
    str identity; /* 16 bytes from which its MessageId derives; "": they derive from `seq` */
    str group_id;
    str source;          /* ARN of the queue that it was moved from */
    u32 receives_before; /* of `receives`, those before the move */
};

struct task_row {
    u64 id; /* never used twice */
    u64 queue;
    str state; /* JSON object text */
};

struct applied_row {
    str incarnation;
    u64 sequence;
    u64 use; /* ascends with every change from one incarnation to another */
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
/* Incarnations that are remembered. Each start of a topicd begins one; it is needed while it has
 * unacknowledged frames. */
#define QUEUE_STORE_APPLIED_MAX 10000

/* The callbacks of queue_store_load, none NULL; a negative result stops the load. */
struct queue_store_walk {
    int (*queue)(void *arg, const struct queue_row *q);
    int (*task)(void *arg, const struct task_row *t);
    int (*message)(void *arg, const struct message_row *m);
    int (*history)(void *arg, u64 seq, str deliveries);
    int (*dedup)(void *arg, const struct dedup_row *e);
    void *arg;
};

/* The bodies that one receive needs. It is embedded in its owner, who keeps it until `done`, which
 * is called exactly once, at the latest when the store is closed. */
#define BODY_FETCH_MAX 10
struct body_fetch {
    struct list link; /* the engine's, as is */
    u64 turn;
    u32 n;
    u64 ids[BODY_FETCH_MAX]; /* of body rows */
    /* Called with the body row ids[i] for every i in ascending order; the view is valid for the
     * call. E_NOT_FOUND: there is no such row; E_IO: it cannot be read; E_DOWN: the fetch was
     * cancelled because its turn was lost. The other bodies are reported all the same. It must not
     * use the store. */
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
    void (*forget_applied)(struct queue_store *s, str incarnation); /* and its rejected targets */
    void (*add_rejected)(struct queue_store *s, const struct rejected_row *r);
    void (*forget_rejected)(struct queue_store *s, str incarnation, u64 below);
    /* Passes every applied sequence to queue_store_hold_applied of `into`, which is `s` or wraps
     * it, and all other rows to the walk. */
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
    struct map applied; /* by incarnation; from the last load, and updated since */
    u64 applied_use;    /* the highest `use` among them */
};

/* Opens or creates the store below o->dir. On failure `f` is set. */
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

/* A new id, above every one ever stored, also after a restart when the newest rows are gone.
 * Queues, messages and bodies share one number space. */
static inline u64 queue_store_next_id(const struct queue_store *s)
{
    return s->engine.ids[0].next;
}

/* Lower bound for the ids of this opening: above all ids of earlier ones, even if the store is an
 * older copy without them. It is the opening's epoch (ms), shifted to leave room for more ids a
 * millisecond than a daemon can use. */
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
/* Deletes the queue row only. The caller deletes its messages, a bounded number each turn; those
 * that a crash leaves are loaded as messages of a queue that does not exist. */
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
/* Replaces the row of the message `seq` with `m`, except for its origin and group, which are
 * kept. */
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
/* Delete all existing rows from `first` to `last`: of messages only, of bodies only. */
static inline void queue_store_delete_messages(struct queue_store *s, u64 first, u64 last)
{
    s->ops->delete_messages(s, first, last);
}
static inline void queue_store_delete_bodies(struct queue_store *s, u64 first, u64 last)
{
    s->ops->delete_bodies(s, first, last);
}

/* The history of the message `seq`; insert or replace. The caller deletes it with the message. */
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
/* Deletes all up to that seq. */
static inline void queue_store_delete_dedups(struct queue_store *s, u64 up_to_seq)
{
    s->ops->delete_dedups(s, up_to_seq);
}

/* Reads bodies: within the call if the engine is local; else they arrive later, from the loop,
 * about when the open turn settles. */
static inline void queue_store_fetch(struct queue_store *s, struct body_fetch *f)
{
    s->ops->fetch(s, f);
}

/* The last sequence applied of an incarnation of a topicd (frame.h); 0: none. Held in memory for
 * the QUEUE_STORE_APPLIED_MAX incarnations with the most recent DELIVERs. */
void queue_store_set_applied(struct queue_store *s, str incarnation, u64 sequence);
u64 queue_store_applied(const struct queue_store *s, str incarnation);
/* The rejected targets of an applied DELIVER: if it is sent again, exactly these are reported
 * again, even if their queues exist now. The incarnation is known (set_applied). */
void queue_store_add_rejected(struct queue_store *s, const struct rejected_row *r);
/* "": nothing. The view is valid until the next change. */
str queue_store_rejected(const struct queue_store *s, str incarnation, u64 sequence);
/* A DELIVER arrived in that session (numbered by the caller). topicd no longer has the sequences
 * before the first DELIVER of its incarnation in a session: their rejected targets are
 * forgotten. */
void queue_store_heard(struct queue_store *s, str incarnation, u64 sequence, u32 session);

/* Loads queues and then tasks in the order of ids, messages in the order of arrival, their
 * histories, and deduplication entries in the order of sends. A callback's views are valid for the
 * call; its negative result stops the load and is returned. Reads millions of rows a second. Called
 * at start, and after a failed commit. */
int queue_store_load(struct queue_store *s, const struct queue_store_walk *walk);
/* Damaged places (pages of rows, single rows) that the last load skipped, and rows that could not
 * be changed since because of damage and are not written again. */
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

/* Bytes of the store's file below `dir`; -1: there is none. */
i64 queue_store_sqlite_bytes(const char *dir);
int queue_store_sqlite_open(struct queue_store **ret, const struct store_options *o,
                            struct fault *f) MUST_CHECK;

#endif
