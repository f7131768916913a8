/* An engine for tests that behaves as a slow and distant one: it wraps SQLite and writes nothing
 * into it before a turn settles, which is some time after its commit. A process that dies loses what
 * is in flight; a turn that is told to fail never happened, nor did those behind it.
 *
 *   writes ──> open turn: a record ──commit──> in flight ──due──> applied to SQLite, settled
 *                                                        └─fate─> lost, with all behind it
 *
 * Turns settle in order. What is read (bodies, frames of an outbox) comes at once, before, with or
 * after the turn in which it was asked for, in any order.
 *
 * Either chance decides, from a seed (delaying_conf), or, with `by_hand`, the test does. */
#ifndef TOQUE_TESTS_DELAYING_H
#define TOQUE_TESTS_DELAYING_H

#include "common/base/buf.h"
#include "common/base/list.h"
#include "common/io/engine.h"
#include "queued/queue_store.h"
#include "topicd/topic_store.h"

struct delaying_conf {
    u64 seed;
    u32 delay_max_ms; /* of a turn, behind the one before it, and of a reading */
    u32 window;       /* turns in flight at most */
    u32 fail_one_in;  /* turns; 0: none fails */
    u64 fence_at;     /* the turn with this ticket finds another owner; 0: none does */
    bool by_hand;     /* turns settle and readings come when the test says so */
};
/* TOQUE_DELAY_SEED, _MS, _WINDOW, _FAIL and _FENCE of the environment. */
struct delaying_conf delaying_conf_of_environment(void);

int delaying_queue_store_open(struct queue_store **ret, const struct store_options *o,
                              const struct delaying_conf *conf, struct fault *f) MUST_CHECK;
int delaying_topic_store_open(struct topic_store **ret, const struct store_options *o,
                              const struct delaying_conf *conf, struct fault *f) MUST_CHECK;

/* By hand. The next turn in flight settles, well or with `err`; false: there is none. */
bool delaying_settle(struct engine *e, int err);
/* The `n`th reading under way (0: the oldest) comes; false: there is none. */
bool delaying_bring(struct engine *e, u32 n);
u32 delaying_in_flight(const struct engine *e);
u32 delaying_readings(const struct engine *e);

/* --- for the two stores ----------------------------------------------------------------------- */

/* Something that was asked for, and what was read for it. */
struct delaying_reading {
    struct list link; /* delaying.readings */
    u64 number;       /* as in its asker's `turn` */
    const void *of;   /* what is read */
    u64 ticket;       /* the turn in which it was asked for */
    bool is_read;
    i64 due_ms;
    struct buf data;
    int err;
};

struct delaying;
struct delaying_ops {
    /* Writes one operation of a turn's record into SQLite, and takes its fields. */
    void (*apply)(struct delaying *d, char op, str *record);
    /* Reads for whoever asked under this number into r->data. False: something of it is only in
     * flight; what is there is read all the same. */
    bool (*read)(struct delaying *d, struct delaying_reading *r);
    /* Gives r->data, or r->err, to the asker, if he is still there. */
    void (*bring)(struct delaying *d, struct delaying_reading *r);
};

struct delaying_turn {
    struct list link; /* delaying.in_flight */
    u64 ticket;
    i64 due_ms;
    int fate;
    struct buf record;
};

struct delaying {
    const struct delaying_ops *ops;
    struct engine *outer, *inner;
    struct delaying_conf conf;
    struct id_source chance;
    struct loop *loop; /* NULL until it is watched: then everything settles at once */
    struct loop_timer timer;
    struct buf record; /* of the open turn */
    struct list in_flight;
    struct list readings;
    u32 flying;
    u64 ticket, durable, numbers;
    int lost;    /* nothing is taken until a probe */
    bool told;   /* engine_settled said so */
    bool fenced; /* for ever */
    char error[64];
};

/* `outer` becomes a wrapper of `inner`, which is open. */
void delaying_init(struct delaying *d, const struct delaying_ops *ops, struct engine *outer,
                   struct engine *inner, const struct delaying_conf *conf);
/* An orderly end: the open turn never happened. Readings under way end with an error. The inner
 * store is closed by the caller. */
void delaying_deinit(struct delaying *d);
/* A new number, for the `turn` of who asks; then, with him where ops->read finds him, the question
 * itself, which may be answered within the call. */
u64 delaying_number(struct delaying *d);
void delaying_ask(struct delaying *d, u64 number, const void *of);
static inline struct delaying *delaying_of(const struct engine *e)
{
    return e->own;
}

/* A record is a sequence of fields; each operation begins with its letter. NULL: nothing is recorded
 * any more. */
struct buf *delaying_record(struct delaying *d, char op);
void delaying_put(struct buf *b, u64 n);
void delaying_put_str(struct buf *b, str s);
u64 delaying_take(str *record);
str delaying_take_str(str *record);

#endif
