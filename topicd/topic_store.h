/* What topicd stores, whatever engine keeps it (engine.h says what turns, tickets and engines are).
 *
 *   meta          instance id, epoch, manual clock
 *   topic         a topic and its attributes
 *   subscription  a subscription and its attributes, the filter policy's text among them
 *   queued        a `queued` instance: the name of its store, and its last known URL
 *   outbox        DELIVER frames not acknowledged yet, in the order of their ids;
 *                 those of queued 0 wait until the home of their queues is known
 *   dedup         a publish to a FIFO topic within the last minutes (fifo_dedup.h)
 *   asset         whatever else accounts have (assets.h), and captured messages (captured.h)
 *   home          which `queued` instance owns a queue, as announced
 *
 * While all instances are up a publish to a standard topic writes nothing here. Users of a store call the functions; an
 * engine fills the table of operations. */
#ifndef TOQUE_TOPIC_STORE_H
#define TOQUE_TOPIC_STORE_H

#include "common/base/list.h"
#include "common/io/engine.h"

struct topic_row {
    u64 id;
    str arn;
    str attributes; /* JSON object text: what was set */
    i64 created_ms;
};

struct sub_row {
    u64 id;    /* never used twice */
    u64 topic; /* topic id */
    str arn, protocol, endpoint, owner;
    str attributes; /* JSON object text: what was set, FilterPolicy in its compact form among it */
    i64 created_ms;
};

struct queued_row {
    u64 id;   /* never 0 */
    str name; /* the instance of its store; in what user_version 1 left, its link URL */
    str url;  /* last known URL; "": another instance answers there now */
};

struct outbox_row {
    u64 id; /* from topic_store_next_outbox_id */
    u64 queued;
    u32 attempt; /* how often an instance rejected it */
    str frame;
};

struct fifo_row {
    u64 sequence;   /* of the message, from topic_store_next_sequence */
    str key;        /* bytes */
    str message_id; /* of the first publish */
    i64 sent_ms;
};

struct asset_row {
    u64 id; /* from topic_store_next_asset_id */
    u32 kind;
    str group, name, alias, value;
};

/* What waits for one `queued` instance. */
struct topic_outbox {
    u64 queued;
    u64 frames, bytes; /* including turns that are not durable yet */
    u64 last;          /* highest id added, 0: none */
};

/* Rows read from an outbox: those above `after`, up to `through`, in the order of their ids, until
 * one of the bounds is reached; one row at least. Owned by the caller; must stay valid until `done`
 * or topic_store_outbox_cancel. */
struct outbox_read {
    struct list link; /* for the engine, as is */
    u64 turn;
    u64 after, through;
    u64 bytes_max;
    u32 frames_max;
    /* The views are valid during the call. It must not call the store. */
    void (*row)(struct outbox_read *r, const struct outbox_row *row);
    /* 0: all rows within the bounds were read. E_ code: the rest cannot be read now. */
    void (*done)(struct outbox_read *r, int err);
};

struct topic_store;
struct topic_store_ops {
    void (*put_topic)(struct topic_store *s, const struct topic_row *t);
    void (*delete_topic)(struct topic_store *s, u64 id);
    void (*put_sub)(struct topic_store *s, const struct sub_row *u);
    void (*delete_sub)(struct topic_store *s, u64 id);
    int (*load)(struct topic_store *s, int (*on_topic)(void *arg, const struct topic_row *t),
                int (*on_sub)(void *arg, const struct sub_row *u), void *arg);
    void (*put_queued)(struct topic_store *s, const struct queued_row *q);
    void (*delete_queued)(struct topic_store *s, u64 id);
    void (*merge_queued)(struct topic_store *s, u64 from, u64 to);
    int (*load_queueds)(struct topic_store *s,
                        int (*on_queued)(void *arg, const struct queued_row *q), void *arg);
    void (*outbox_add)(struct topic_store *s, const struct outbox_row *r);
    /* Both call topic_store_outbox_gone when the amount deleted is known. */
    void (*outbox_set)(struct topic_store *s, struct topic_outbox *o, u64 id, str frame);
    void (*outbox_acked)(struct topic_store *s, struct topic_outbox *o, u64 after, u64 up_to);
    void (*outbox_read)(struct topic_store *s, u64 queued, struct outbox_read *r);
    /* Hands every outbox that is not empty to topic_store_hold_outbox of `into`, which is `s` or
     * wraps it. */
    int (*load_outboxes)(struct topic_store *s, struct topic_store *into);
    void (*put_home)(struct topic_store *s, str queue_arn, u64 queued);
    void (*delete_home)(struct topic_store *s, str queue_arn);
    void (*clear_homes)(struct topic_store *s);
    int (*load_homes)(struct topic_store *s, int (*on_home)(void *arg, str queue_arn, u64 queued),
                      void *arg);
    void (*put_dedup)(struct topic_store *s, const struct fifo_row *r);
    void (*delete_dedups)(struct topic_store *s, u64 up_to);
    int (*load_dedups)(struct topic_store *s, int (*on_row)(void *arg, const struct fifo_row *r),
                       void *arg);
    void (*put_asset)(struct topic_store *s, const struct asset_row *r);
    void (*delete_asset)(struct topic_store *s, u64 id);
    int (*load_assets)(struct topic_store *s, u32 first, u32 last,
                       int (*on_row)(void *arg, const struct asset_row *r), void *arg);
    void (*close)(struct topic_store *s);
};

enum {
    TOPIC_STORE_TOPIC_IDS,
    TOPIC_STORE_SUB_IDS,
    TOPIC_STORE_OUTBOX_IDS,
    TOPIC_STORE_SEQUENCES,
    TOPIC_STORE_ASSET_IDS,
};

struct topic_store {
    struct engine engine;
    const struct topic_store_ops *ops;
    struct topic_outbox **outboxes; /* few */
    u32 outbox_count;
    u32 counted_losses; /* engine's count of losses when the outboxes were counted */
};

/* Opens or creates topicd.db in o->dir. */
int topic_store_open(struct topic_store **ret, const struct store_options *o,
                     struct fault *f) MUST_CHECK;
/* NULL accepted. */
static inline void topic_store_close(struct topic_store *s)
{
    if (s)
        s->ops->close(s);
}
static inline const char *topic_store_instance(const struct topic_store *s)
{
    return s->engine.instance;
}

/* --- topics and subscriptions ----------------------------------------------------------------- */

/* Ids above every one ever stored. */
static inline u64 topic_store_next_topic_id(const struct topic_store *s)
{
    return s->engine.ids[TOPIC_STORE_TOPIC_IDS].next;
}
static inline u64 topic_store_next_sub_id(const struct topic_store *s)
{
    return s->engine.ids[TOPIC_STORE_SUB_IDS].next;
}
/* Insert or replace. */
static inline void topic_store_put_topic(struct topic_store *s, const struct topic_row *t)
{
    engine_note_id(&s->engine, TOPIC_STORE_TOPIC_IDS, t->id);
    s->ops->put_topic(s, t);
}
/* Deletes the topic's row only. The caller deletes its subscriptions in bounded steps; after a
 * crash topic_store_load reports the rest as subscriptions of a missing topic. */
static inline void topic_store_delete_topic(struct topic_store *s, u64 id)
{
    s->ops->delete_topic(s, id);
}
/* Insert or replace. */
static inline void topic_store_put_sub(struct topic_store *s, const struct sub_row *u)
{
    engine_note_id(&s->engine, TOPIC_STORE_SUB_IDS, u->id);
    s->ops->put_sub(s, u);
}
static inline void topic_store_delete_sub(struct topic_store *s, u64 id)
{
    s->ops->delete_sub(s, id);
}
/* Everything in the order of ids; negative from a callback stops the walk and is returned. */
static inline int topic_store_load(struct topic_store *s,
                                   int (*on_topic)(void *arg, const struct topic_row *t),
                                   int (*on_sub)(void *arg, const struct sub_row *u), void *arg)
{
    return s->ops->load(s, on_topic, on_sub, arg);
}

/* --- queueds ---------------------------------------------------------------------------------- */

/* Insert or replace. */
static inline void topic_store_put_queued(struct topic_store *s, const struct queued_row *q)
{
    s->ops->put_queued(s, q);
}
/* Its outbox must be empty, and it must own no queue. */
static inline void topic_store_delete_queued(struct topic_store *s, u64 id)
{
    s->ops->delete_queued(s, id);
}
/* Moves the outbox and the queues of `from` to `to`, and deletes `from`. */
void topic_store_merge_queued(struct topic_store *s, u64 from, u64 to);
/* In the order of ids. */
static inline int topic_store_load_queueds(struct topic_store *s,
                                           int (*on_queued)(void *arg, const struct queued_row *q),
                                           void *arg)
{
    return s->ops->load_queueds(s, on_queued, arg);
}

/* --- outboxes --------------------------------------------------------------------------------- */

/* Never NULL; lives as long as the store. */
const struct topic_outbox *topic_store_outbox(struct topic_store *s, u64 queued);
/* Ids only grow: they are the order in which frames are to be sent. */
static inline u64 topic_store_next_outbox_id(const struct topic_store *s)
{
    return s->engine.ids[TOPIC_STORE_OUTBOX_IDS].next;
}
void topic_store_outbox_add(struct topic_store *s, const struct outbox_row *r);
/* Replaces the frame of a row. */
void topic_store_outbox_set(struct topic_store *s, u64 queued, u64 id, str frame);
/* Deletes the rows above `after`, up to `up_to`. */
void topic_store_outbox_acked(struct topic_store *s, u64 queued, u64 after, u64 up_to);
/* Calls r->row and r->done during the call if the engine has the rows at hand, else later from the
 * loop. */
static inline void topic_store_outbox_read(struct topic_store *s, u64 queued, struct outbox_read *r)
{
    s->ops->outbox_read(s, queued, r);
}
/* Cancels a read: none of its callbacks is called any more. No effect when it is done. */
static inline void topic_store_outbox_cancel(struct outbox_read *r)
{
    if (r->link.next)
        list_remove(&r->link);
}
/* Recounts the outboxes when turns were lost since the last count. Call it before anything is added
 * again. */
int topic_store_recount(struct topic_store *s) MUST_CHECK;

/* --- homes of queues -------------------------------------------------------------------------- */

static inline void topic_store_put_home(struct topic_store *s, str queue_arn, u64 queued)
{
    s->ops->put_home(s, queue_arn, queued);
}
static inline void topic_store_delete_home(struct topic_store *s, str queue_arn)
{
    s->ops->delete_home(s, queue_arn);
}
static inline void topic_store_clear_homes(struct topic_store *s)
{
    s->ops->clear_homes(s);
}
static inline int topic_store_load_homes(struct topic_store *s,
                                         int (*on_home)(void *arg, str queue_arn, u64 queued),
                                         void *arg)
{
    return s->ops->load_homes(s, on_home, arg);
}

/* --- FIFO topics ------------------------------------------------------------------------------ */

static inline u64 topic_store_next_sequence(const struct topic_store *s)
{
    return s->engine.ids[TOPIC_STORE_SEQUENCES].next;
}
/* Reserves the number, and some that follow, in this turn. True: that changed the store. */
static inline bool topic_store_note_sequence(struct topic_store *s, u64 sequence)
{
    u64 limit = s->engine.ids[TOPIC_STORE_SEQUENCES].limit;

    engine_note_id(&s->engine, TOPIC_STORE_SEQUENCES, sequence);
    return s->engine.ids[TOPIC_STORE_SEQUENCES].limit != limit;
}
static inline void topic_store_put_dedup(struct topic_store *s, const struct fifo_row *r)
{
    s->ops->put_dedup(s, r);
}
/* Those whose sequence is not above `up_to`. */
static inline void topic_store_delete_dedups(struct topic_store *s, u64 up_to)
{
    s->ops->delete_dedups(s, up_to);
}
/* In the order of their sequences. */
static inline int topic_store_load_dedups(struct topic_store *s,
                                          int (*on_row)(void *arg, const struct fifo_row *r),
                                          void *arg)
{
    return s->ops->load_dedups(s, on_row, arg);
}

/* --- assets ----------------------------------------------------------------------------------- */

static inline u64 topic_store_next_asset_id(const struct topic_store *s)
{
    return s->engine.ids[TOPIC_STORE_ASSET_IDS].next;
}
/* Insert or replace. */
static inline void topic_store_put_asset(struct topic_store *s, const struct asset_row *r)
{
    engine_note_id(&s->engine, TOPIC_STORE_ASSET_IDS, r->id);
    s->ops->put_asset(s, r);
}
static inline void topic_store_delete_asset(struct topic_store *s, u64 id)
{
    s->ops->delete_asset(s, id);
}
/* Those of the kinds from `first` to `last`, in the order of their ids. */
static inline int topic_store_load_assets(struct topic_store *s, u32 first, u32 last,
                                          int (*on_row)(void *arg, const struct asset_row *r),
                                          void *arg)
{
    return s->ops->load_assets(s, first, last, on_row, arg);
}

/* --- what every engine has: engine.h ---------------------------------------------------------- */

static inline int topic_store_meta_get(const struct topic_store *s, const char *key, i64 *ret)
{
    return engine_meta_get(&s->engine, key, ret);
}
static inline void topic_store_meta_set(struct topic_store *s, const char *key, i64 value)
{
    engine_meta_set(&s->engine, key, value);
}
static inline int MUST_CHECK topic_store_commit(struct topic_store *s, u64 *ret_ticket)
{
    return engine_commit(&s->engine, ret_ticket);
}
static inline int MUST_CHECK topic_store_serve(struct topic_store *s, struct loop *l,
                                               void (*failed)(void *arg, int err), void *arg)
{
    return engine_serve(&s->engine, l, failed, arg);
}
static inline int topic_store_probe(struct topic_store *s)
{
    return engine_probe(&s->engine);
}
static inline struct store_stats topic_store_stats(struct topic_store *s)
{
    return engine_stats(&s->engine);
}
static inline const char *topic_store_error(const struct topic_store *s)
{
    return engine_error(&s->engine);
}

/* --- for engines ------------------------------------------------------------------------------ */

/* Called at open, after the meta values are loaded. An E_ code: the outboxes cannot be counted. */
int topic_store_init(struct topic_store *s, const struct topic_store_ops *ops) MUST_CHECK;
void topic_store_hold_outbox(struct topic_store *s, const struct topic_outbox *counted);
void topic_store_outbox_gone(struct topic_store *s, u64 queued, u64 frames, u64 bytes);
void topic_store_deinit(struct topic_store *s);

int topic_store_sqlite_open(struct topic_store **ret, const struct store_options *o,
                            struct fault *f) MUST_CHECK;

#endif
