/* The interface of storage engines, common part. queue_store.h and topic_store.h extend it by their
 * rows; an engine implements both parts as operation tables. The first engine is SQLite:
 * store_engine.h and the daemons' *_store_sqlite.c.
 *
 *   writes ──> open turn ──commit──> in flight ──settled──> durable
 *                 ^ E_AGAIN: the window    │
 *                 │ is full; it stays open └──settled, an error──> lost: this turn and all behind it
 *
 * All writes belong to the open turn; the first write opens it. A failed write makes its turn fail,
 * so callers need not check each write. A synchronous engine (SQLite) settles a turn within its
 * commit. Turns settle in order; when one is lost, so are all later ones and the open one. Then the
 * durable state must be loaded again; writes are accepted again at the latest when engine_probe
 * succeeds.
 *
 * The epoch is part of every turn: once another process has taken over the store, every turn is
 * lost with E_FENCED. The daemon then ends, since the other one has replaced it.
 *
 * Small values (meta) and series of ids are read at open and kept in memory, so that reading them
 * never waits for the engine. To add an engine: fill both tables of operations, and name it in
 * queue_store_open.c and topic_store_open.c. */
#ifndef TOQUE_ENGINE_H
#define TOQUE_ENGINE_H

#include "common/base/clock.h"
#include "common/base/err.h"
#include "common/base/id.h"
#include "common/io/loop.h"

enum store_durability { STORE_FULL, STORE_RELAXED };

/* Options for opening a store of any engine. */
struct store_options {
    const char *dir;
    enum store_durability durability;
    u32 cache_kib;             /* page cache */
    u64 reserve_bytes;         /* disk space kept for when there is no other */
    const struct clock *clock; /* of the epoch, of slices and figures */
    struct id_source *ids;     /* of a new store's instance and secret */
};

struct store_stats {
    u64 commits, failures;                 /* turns; failed checkpoints count as failures, too */
    u64 wal_bytes, file_bytes, free_bytes; /* used part of the WAL; database file; its free pages */
    i64 commit_last_us, commit_longest_us;
};

struct engine;
struct engine_ops {
    void (*meta_set)(struct engine *e, const char *key, i64 value);
    int (*commit)(struct engine *e, u64 *ret_ticket);
    int (*settled)(struct engine *e, u64 *ret_ticket);
    int (*flush)(struct engine *e);
    int (*watch)(struct engine *e, struct loop *l); /* NULL: needs nothing from the loop */
    void (*abandon)(struct engine *e);              /* NULL: nothing is ever in flight */
    int (*probe)(struct engine *e);
    bool (*is_full)(struct engine *e);          /* NULL: never */
    bool (*is_damaged)(const struct engine *e); /* NULL: never */
    int (*look)(struct engine *e);              /* NULL: nothing can become of what is stored */
    void (*tidy)(struct engine *e);
    bool (*has_free)(const struct engine *e);
    u32 (*give_back)(struct engine *e, u32 pieces);
    bool (*is_behind)(const struct engine *e);
    struct store_stats (*stats)(struct engine *e);
    const char *(*error)(const struct engine *e);
};

/* Ids that only grow and are never reused, even when the newest rows are deleted: the small value
 * `key` is above every stored id. It is raised in steps, in the turn of the row that reaches it; a
 * crash skips the rest of a step. */
struct engine_ids {
    const char *key; /* NULL: the engine has no such series */
    u64 reserve;
    u64 next;  /* above every id seen */
    u64 limit; /* as stored, or 0 when a lost turn may have undone it */
};
#define ENGINE_IDS_MAX 5

struct engine_value {
    char *key;
    i64 value;
};

struct engine {
    const struct engine_ops *ops;
    void *own;                   /* the implementation's */
    char instance[ID_UUID_SIZE]; /* created with the store */
    u64 epoch;                   /* assigned, durably, at every open; grows */
    struct engine_ids ids[ENGINE_IDS_MAX];
    struct engine_value *values;
    u32 value_count;
    i64 last_ms;  /* engine_last_ms */
    i64 noted_ms; /* of the last note */
    u32 losses; /* number of losses of turns: what was loaded before the last one may be outdated */
    void (*failed)(void *arg, int err); /* engine_serve */
    void *failed_arg;
};

/* Every epoch is below 1 << ENGINE_EPOCH_BITS. It is the time of the open, in milliseconds since
 * 2020, or above the last: so it grows, too, when the store is an old copy. */
#define ENGINE_EPOCH_BITS 41 /* about 70 years */
/* The epoch that follows `last` (0: there was none), by the real wall time; 0: the epochs are used
 * up. */
u64 engine_epoch_after(u64 last, const struct clock *clock);

/* The last time that the store knows of from before it was opened, Unix ms; 0: none. It is noted at
 * open, at an orderly end, and once a minute while turns are committed. */
i64 engine_last_ms(const struct engine *e);
/* True: it was noted, in the open turn. */
bool engine_note_time(struct engine *e, i64 now_ms);

/* Small values. E_NOT_FOUND leaves *ret untouched. */
int engine_meta_get(const struct engine *e, const char *key, i64 *ret);
void engine_meta_set(struct engine *e, const char *key, i64 value);

/* Ends the turn and returns its ticket; without changes, the last ticket. E_AGAIN: too much is in
 * flight, the turn stays open. Other errors: the turn and all turns in flight are lost. */
int engine_commit(struct engine *e, u64 *ret_ticket) MUST_CHECK;
/* *ret_ticket: every turn up to it is durable. An E_ code: later turns are lost. */
int engine_settled(struct engine *e, u64 *ret_ticket) MUST_CHECK;
/* Ends the turn and waits until it and all earlier ones are durable. Blocks: only for the start and
 * the end of a daemon. */
int engine_flush(struct engine *e) MUST_CHECK;
/* Makes the loop commit its turns here and wake up when one settles; `failed` as in struct
 * loop_store. Call it once, before the loop runs. E_FULL: no descriptors are left. */
int engine_serve(struct engine *e, struct loop *l, void (*failed)(void *arg, int err),
                 void *arg) MUST_CHECK;
/* For the end of a daemon that can wait no longer: turns in flight are abandoned and reported as
 * lost (E_DOWN), and pending reads get an error. */
static inline void engine_abandon(struct engine *e)
{
    if (e->ops->abandon)
        e->ops->abandon(e);
}
/* Tests whether the engine works again: 0 when it accepts turns. E_AGAIN while a turn is open,
 * whose end will tell. */
static inline int engine_probe(struct engine *e)
{
    return e->ops->probe(e);
}
/* Whether there is no room for more: what makes the store grow should be refused until there is. */
static inline bool engine_is_full(struct engine *e)
{
    return e->ops->is_full && e->ops->is_full(e);
}
/* The last failure was one of a damaged place, which is known now and left alone: the next turn may
 * succeed. */
static inline bool engine_is_damaged(const struct engine *e)
{
    return e->ops->is_damaged && e->ops->is_damaged(e);
}
/* Whether what is stored is still in its place. An E_ code: it is not, this turn and all that
 * follow are lost until it is again. */
static inline int engine_look(struct engine *e)
{
    return e->ops->look ? e->ops->look(e) : 0;
}
/* Housekeeping, after every turn. */
static inline void engine_tidy(struct engine *e)
{
    e->ops->tidy(e);
}
/* Whether deletions have freed space that can be returned. */
static inline bool engine_has_free(const struct engine *e)
{
    return e->ops->has_free(e);
}
/* Returns up to `pieces` pieces of free space, in the open turn. Returns how many; fewer than
 * asked: that was all. Background work. */
static inline u32 engine_give_back(struct engine *e, u32 pieces)
{
    return e->ops->give_back(e, pieces);
}
/* So much was written that background work should pause for a moment. */
static inline bool engine_is_behind(const struct engine *e)
{
    return e->ops->is_behind(e);
}
static inline struct store_stats engine_stats(struct engine *e)
{
    return e->ops->stats(e);
}
/* The last failure, in one line, for the log; "" if none. */
static inline const char *engine_error(const struct engine *e)
{
    return e->ops->error(e);
}

/* Rows with ids from here on are damaged. */
#define ENGINE_ID_END (UINT64_C(1) << 62)
/* A stored row has this id: also where the small value is damaged, the next ones are above it. */
static inline void engine_saw_id(struct engine *e, u32 series, u64 id)
{
    if (id < ENGINE_ID_END)
        e->ids[series].next = MAX(e->ids[series].next, id + 1);
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

/* For engines, at open: a small value as stored. */
void engine_hold(struct engine *e, str key, i64 value);
/* For engines, at open, after the small values: starts the series from its small value. */
void engine_ids_open(struct engine *e, u32 series, const char *key, u64 reserve);
/* An orderly end: returns the unused parts of the reserved ids, in a turn that the caller commits.
 * */
void engine_return_ids(struct engine *e);
/* At open, after the small values, and at an orderly end, in a turn that the caller commits. */
void engine_open_time(struct engine *e, i64 now_ms);
void engine_end_time(struct engine *e, i64 now_ms);
void engine_deinit(struct engine *e);

#endif
