/* Every SQL sentence of topicd.
 *
 *   meta          instance id, epoch, manual clock
 *   topic         a topic and its attributes
 *   subscription  a subscription and its attributes, the filter policy's text among them
 *   outbox        DELIVER frames that a queued has not acknowledged, in the order of sequences
 *   home          which queued owns a queue, as its announcements say
 *
 * Writes belong to the turn's transaction, as in every store of toque: the first opens it,
 * topic_store_commit ends it, a write that fails makes the commit fail. When all is well a publish
 * writes nothing here. */
#ifndef TOQUE_TOPIC_STORE_H
#define TOQUE_TOPIC_STORE_H

#include "common/base/buf.h"
#include "common/io/store.h"

struct topic_store;

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

/* Opens or creates below `dir` (topicd.db). Every successful open takes a new epoch, durably. */
int topic_store_open(struct topic_store **ret, const char *dir, enum store_durability durability,
                     u32 cache_kib, struct fault *f) MUST_CHECK;
void topic_store_close(struct topic_store *s);
const char *topic_store_instance(const struct topic_store *s);
/* Grows with every open: the high part of every sequence, so that sequences only grow. It is the
 * time of the open, in milliseconds: so it grows, too, when this store is an old copy, and what is
 * published then is not taken for what a queued had long ago. */
#define TOPIC_STORE_EPOCH_BITS 41 /* some 70 years */
u64 topic_store_epoch(const struct topic_store *s);
int topic_store_meta_get(struct topic_store *s, const char *key, i64 *ret);
void topic_store_meta_set(struct topic_store *s, const char *key, i64 value);

/* Ids above every one ever stored. */
u64 topic_store_next_topic_id(struct topic_store *s);
u64 topic_store_next_sub_id(struct topic_store *s);
void topic_store_put_topic(struct topic_store *s,
                           const struct topic_row *t);        /* insert or replace */
void topic_store_delete_topic(struct topic_store *s, u64 id); /* and its subscriptions */
void topic_store_put_sub(struct topic_store *s, const struct sub_row *u);
void topic_store_delete_sub(struct topic_store *s, u64 id);
int topic_store_load(struct topic_store *s, int (*on_topic)(void *arg, const struct topic_row *t),
                     int (*on_sub)(void *arg, const struct sub_row *u), void *arg);

/* The outbox of one queued, named by its link address. */
void topic_store_outbox_add(struct topic_store *s, str queued, u64 sequence, str frame);
/* Forgets everything up to `sequence`. */
void topic_store_outbox_acked(struct topic_store *s, str queued, u64 sequence);
/* The first frame above `after`: appends it to `out`; E_NOT_FOUND at the end. */
int topic_store_outbox_next(struct topic_store *s, str queued, u64 after, u64 *ret_sequence,
                            struct buf *out);
/* Frames and bytes that wait; for the statistics and the bound on the outbox. */
int topic_store_outbox_size(struct topic_store *s, str queued, u64 *ret_frames, u64 *ret_bytes);

void topic_store_put_home(struct topic_store *s, str queue_arn, str queued);
void topic_store_delete_home(struct topic_store *s, str queue_arn);
void topic_store_clear_homes(struct topic_store *s);
int topic_store_load_homes(struct topic_store *s,
                           int (*on_home)(void *arg, str queue_arn, str queued), void *arg);

int topic_store_commit(struct topic_store *s, u64 *ret_ticket) MUST_CHECK;
u64 topic_store_durable(const struct topic_store *s);
int topic_store_probe(struct topic_store *s);
/* Housekeeping, after every turn; true: there is more, call again without waiting. */
bool topic_store_tidy(struct topic_store *s);
struct store_stats topic_store_stats(struct topic_store *s);
/* What failed last, in one line, for the log; "" for nothing yet. */
const char *topic_store_error(const struct topic_store *s);

#endif
