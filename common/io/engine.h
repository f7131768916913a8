/* What keeps a daemon's state, as the daemon sees it. queue_store.h and topic_store.h begin with
 * this and add their rows; an engine implements both halves as operation tables. The first engine
 * is SQLite: store_engine.h and the daemons' *_store_sqlite.c.
 *
 *   writes ──> open turn ──commit──> in flight ──settled──> durable
 *                 ^ E_AGAIN: the window    │
 *                 │ is full; it stays open └──settled, an error──> lost: this turn and all behind it
 *
 * All writes belong to the open turn, which the first of them opens. A write that fails makes its
 * turn fail, so callers need not check each. An engine that waits for nobody (SQLite) settles a turn
 * within its commit. Turns settle in order; when one is lost, so are those behind it and the open
 * one. After that the state is to be loaded again, which is what is durable; writes are taken again
 * at the latest when engine_probe says that the engine works.
 *
 * The epoch is part of every turn: when somebody else has taken the store since, a turn is lost with
 * E_FENCED, and so is every later one. The daemon then ends, since another one does its work.
 *
 * Small values and series of ids are read at open and held in memory, so that asking for them never
 * waits for the engine. To add an engine: fill both tables of operations, and name it in
 * queue_store_open.c and topic_store_open.c. */
#ifndef TOQUE_ENGINE_H
#define TOQUE_ENGINE_H

#include "common/base/clock.h"
#include "common/base/err.h"
#include "common/base/id.h"
#include "common/io/loop.h"

enum store_durability { STORE_FULL, STORE_RELAXED };

/* What a daemon opens its store with, whatever the engine. */
struct store_options {
    const char *dir;
    enum store_durability durability;
    u32 cache_kib;             /* page cache */
    const struct clock *clock; /* of the epoch, of slices and figures */
    struct id_source *ids;     /* of a new store's instance and secret */
};

struct store_stats {
    u64 commits, failures; /* turns; checkpoints that failed count as failures too */
    u64 wal_bytes, file_bytes, free_bytes; /* used part of the WAL; database file; its free pages */
    i64 commit_last_us, commit_longest_us;
};

struct engine;
struct engine_ops {
    void (*meta_set)(struct engine *e, const char *key, i64 value);
    int (*commit)(struct engine *e, u64 *ret_ticket);
    int (*settled)(struct engine *e, u64 *ret_ticket);
    int (*flush)(struct engine *e);
    int (*watch)(struct engine *e, struct loop *l); /* NULL: nothing to hang into the loop */
    void (*abandon)(struct engine *e);              /* NULL: nothing is ever in flight */
    int (*probe)(struct engine *e);
    void (*tidy)(struct engine *e);
    bool (*has_free)(const struct engine *e);
    u32 (*give_back)(struct engine *e, u32 pieces);
    bool (*is_behind)(const struct engine *e);
    struct store_stats (*stats)(struct engine *e);
    const char *(*error)(const struct engine *e);
};

/* Ids that only grow and are never used twice, also when the newest rows are gone: the small value
 * `key` is above every id stored. It is raised by many at a time, in the turn of the row that
 * reached it; what a crash leaves of such a reserve is never used. */
struct engine_ids {
    const char *key; /* NULL: the engine has no such series */
    u64 reserve;
    u64 next;  /* above every id seen */
    u64 limit; /* as stored, or 0 when a failed turn may have taken it back */
};
#define ENGINE_IDS_MAX 3

struct engine_value {
    char *key;
    i64 value;
};

struct engine {
    const struct engine_ops *ops;
    void *own;                   /* the implementation's */
    char instance[ID_UUID_SIZE]; /* made with the store */
    u64 epoch;                   /* taken, durably, at every open; grows */
    struct engine_ids ids[ENGINE_IDS_MAX];
    struct engine_value *values;
    u32 value_count;
    u32 losses; /* how often turns were lost: what was read into memory before may not hold */
    void (*failed)(void *arg, int err); /* engine_serve */
    void *failed_arg;
};

/* Every epoch is below 1 << ENGINE_EPOCH_BITS. It is the time of the open, in milliseconds since
 * 2020, or one above the last: so it grows, too, when the store is an old copy. */
#define ENGINE_EPOCH_BITS 41 /* some 70 years */
/* The epoch that follows `last` (0: there was none) by the wall time, which nobody moved by hand; 0:
 * there is none. */
u64 engine_epoch_after(u64 last, const struct clock *clock);

/* Small values. E_NOT_FOUND leaves *ret untouched. */
int engine_meta_get(const struct engine *e, const char *key, i64 *ret);
void engine_meta_set(struct engine *e, const char *key, i64 value);

/* Ends the turn and gives it a ticket. Without changes it is the last one. E_AGAIN: too much is in
 * flight, the turn stays open. Other errors: the turn is lost, as is what is in flight. */
int engine_commit(struct engine *e, u64 *ret_ticket) MUST_CHECK;
/* *ret_ticket: every turn up to it is durable. An E_ code: those behind it are lost. */
int engine_settled(struct engine *e, u64 *ret_ticket) MUST_CHECK;
/* Ends the turn and waits until it and all before it are durable. For the start and the end of a
 * daemon: it blocks. */
int engine_flush(struct engine *e) MUST_CHECK;
/* The loop commits its turns here from now on, and is woken when one settles; `failed` as in struct
 * loop_store. Once, before the loop runs. E_FULL: no descriptors are left. */
int engine_serve(struct engine *e, struct loop *l, void (*failed)(void *arg, int err),
                 void *arg) MUST_CHECK;
/* The end of a daemon that can wait no longer: what is in flight is given up, which is told as a loss
 * (E_DOWN), and who asked for something gets an error. */
static inline void engine_abandon(struct engine *e)
{
    if (e->ops->abandon)
        e->ops->abandon(e);
}
/* Asks whether the engine works again: 0 when it does, and takes turns. E_AGAIN while a turn is
 * open, whose end will tell. */
static inline int engine_probe(struct engine *e)
{
    return e->ops->probe(e);
}
/* Housekeeping, after every turn. */
static inline void engine_tidy(struct engine *e)
{
    e->ops->tidy(e);
}
/* Space was freed by what was deleted, and may be given back. */
static inline bool engine_has_free(const struct engine *e)
{
    return e->ops->has_free(e);
}
/* Gives up to so many pieces of it back, as a part of the turn. Returns how many; fewer than asked:
 * that was all. Work in the background. */
static inline u32 engine_give_back(struct engine *e, u32 pieces)
{
    return e->ops->give_back(e, pieces);
}
/* So much was written that what nobody waits for should be put off for a moment. */
static inline bool engine_is_behind(const struct engine *e)
{
    return e->ops->is_behind(e);
}
static inline struct store_stats engine_stats(struct engine *e)
{
    return e->ops->stats(e);
}
/* What failed last, in one line, for the log; "" for nothing yet. */
static inline const char *engine_error(const struct engine *e)
{
    return e->ops->error(e);
}

void engine_raise_ids(struct engine *e, struct engine_ids *ids);
/* A row with this id is about to be written. */
static inline void engine_note_id(struct engine *e, u32 series, u64 id)
{
    struct engine_ids *ids = &e->ids[series];

    if (id >= ids->next)
        ids->next = id + 1;
    if (UNLIKELY(id >= ids->limit))
        engine_raise_ids(e, ids);
}

/* --- for implementations ---------------------------------------------------------------------- */

/* A small value as it is stored: at open. */
void engine_hold(struct engine *e, str key, i64 value);
/* The series is told by its small value; at open, when those are held. */
void engine_ids_open(struct engine *e, u32 series, const char *key, u64 reserve);
/* An orderly end: the reserves are given back, in a turn that the caller commits. */
void engine_return_ids(struct engine *e);
void engine_deinit(struct engine *e);

#endif
