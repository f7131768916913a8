/* Every SQL sentence of queued. Rows lie in the order of arrival, never in the order of queues, so
 * that one publication for a hundred queues dirties a page or two.
 *
 *   meta     instance id, secret, manual clock
 *   queue    a queue and its attributes
 *   body     what a message says, immutable; one row however many messages hold it
 *   message  one small row per queue that holds it: id is the order of arrival
 *   link     last sequence applied per topicd instance
 *
 * A message whose `body` is 0 owns the body row of its own id; otherwise several share the body row
 * `body`, and whoever owns the index in memory counts its holders (rebuilt at load) and calls
 * queue_store_delete_body with the last one.
 *
 * All writes belong to the turn's transaction, which the first of them opens; queue_store_commit
 * ends it and gives a ticket. A write that fails makes the commit of its turn fail, so callers need
 * not check each. After a failed commit nothing of the turn is on disk: load again. */
#ifndef TOQUE_QUEUE_STORE_H
#define TOQUE_QUEUE_STORE_H

#include "common/base/buf.h"
#include "common/io/store.h"

struct queue_store;

struct queue_row {
    u64 id; /* never used twice */
    str account, region, name;
    str attributes; /* JSON object text */
    i64 created_ms, modified_ms;
};

struct message_row {
    u64 id; /* order of arrival over all queues; from queue_store_next_id on */
    u64 queue;
    u64 body; /* 0: the body row `id`, its own; else a shared body row */
    i64 sent_ms;
    i64 due_ms;   /* hidden until then: delayed while never received, else in flight */
    i64 first_ms; /* first receive; 0: never received */
    u32 receives;
    u32 flags; /* the message's own; the store does not read them */
    str extra; /* small per-message bytes (which subscription it came by), "" for none */
};

/* Opens or creates below `dir` (queued.db). `f` says what is wrong. */
int queue_store_open(struct queue_store **ret, const char *dir, enum store_durability durability,
                     u32 cache_kib, struct fault *f) MUST_CHECK;
void queue_store_close(struct queue_store *s);

/* UUID text, made at creation. */
const char *queue_store_instance(const struct queue_store *s);
/* 16 secret bytes, made at creation: message ids and receipt handles derive from them. */
const u8 *queue_store_secret(const struct queue_store *s);

/* Small values of our own. */
int queue_store_meta_get(struct queue_store *s, const char *key, i64 *ret);
void queue_store_meta_set(struct queue_store *s, const char *key, i64 value);

/* Ids above every one ever stored (queues, messages and bodies share one space; also over restarts
 * when the newest rows are gone). Read at open and after a failed commit. */
u64 queue_store_next_id(struct queue_store *s);

void queue_store_put_queue(struct queue_store *s,
                           const struct queue_row *q); /* insert or replace */
/* The queue row only. Its messages are deleted by the caller, in slices of what a turn may cost;
 * what a crash leaves of them is given by queue_store_load as messages of a queue that is not
 * there. */
void queue_store_delete_queue(struct queue_store *s, u64 id);

void queue_store_add_body(struct queue_store *s, u64 id, str content);
void queue_store_add_message(struct queue_store *s, const struct message_row *m);
/* Visibility and receive count. */
void queue_store_update_message(struct queue_store *s, u64 id, i64 due_ms, i64 first_ms,
                                u32 receives);
/* The message row, and with own_body the body row of the same id. */
void queue_store_delete_message(struct queue_store *s, u64 id, bool own_body);
void queue_store_delete_body(struct queue_store *s, u64 id);

/* Appends the content of body row `id` to `out`. E_NOT_FOUND: there is none (a bug or a damaged
 * file: say so, do not stop). */
int queue_store_read_body(struct queue_store *s, u64 id, struct buf *out);

void queue_store_set_applied(struct queue_store *s, str instance, u64 sequence);
u64 queue_store_applied(struct queue_store *s, str instance);

/* Walks everything in the order of ids; a callback's views are valid for the call. Negative from
 * the callback stops the walk and is returned. Fast: millions of rows a second. */
int queue_store_load(struct queue_store *s, int (*on_queue)(void *arg, const struct queue_row *q),
                     int (*on_message)(void *arg, const struct message_row *m), void *arg);

int queue_store_commit(struct queue_store *s, u64 *ret_ticket) MUST_CHECK;
u64 queue_store_durable(const struct queue_store *s);
/* A small write of its own, to learn whether the store works again. 0 when it does; E_AGAIN while a
 * turn is open, whose commit will tell. */
int queue_store_probe(struct queue_store *s);
/* Housekeeping, after every turn; true: there is more, call again without waiting. It keeps out of
 * the way of turns that follow on one another. */
bool queue_store_tidy(struct queue_store *s);
struct store_stats queue_store_stats(struct queue_store *s);
/* What failed last, in one line, for the log; "" for nothing yet. */
const char *queue_store_error(const struct queue_store *s);

#endif
