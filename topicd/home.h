/* Homes of queues: the queueds, each by the name of its store, which stays the same wherever it is
 * reached; what waits for each in its outbox, and the link that leads to it.
 *
 *   link greets as NAME ──homes_meet──> the home of that name is behind that link
 *
 * A home to which no configured link leads is an orphan: it is reported, and what waits for it is
 * kept. Home 0 is nowhere: in its outbox lies what is for queues of which it is not known who has
 * them (held.h).
 *
 * In a store of user_version 1 homes were known by their link URL. Such a home gets its name when
 * the queued at that URL greets for the first time. */
#ifndef TOQUE_HOME_H
#define TOQUE_HOME_H

#include "common/base/id.h"
#include "topicd/delivery_batch.h"
#include "topicd/topic_store.h"

#define HOME_NOWHERE 0

struct queued_link;
struct homes;

struct home {
    struct homes *all;
    u64 id;    /* in the store */
    u32 index; /* in `all` */
    char *name;
    char *url;                /* where it was met last; "": somebody else is there now */
    struct queued_link *link; /* leads there; NULL: none does */
    struct home *same;        /* it turned out to be that one, under its old name */
    u64 queues;               /* of which it is known that they are there */
    u32 generation;           /* of the announcement of all its queues (directory.h) */
    const struct topic_outbox *outbox;
    u64 durable; /* the outbox is durable up to this row */
    u32 merging; /* homes whose rows become its own in a turn that has not settled */
    struct loop_later merged;
    bool told_full;
    u64 stored_frames, refused_frames; /* ever, for the statistics */
};

struct homes {
    struct topic_store *store;
    struct loop *loop;
    struct home **items; /* few; [0]: nowhere */
    u32 n;
    u64 outbox_bytes_max; /* of one home; beyond it publishes are refused */
    bool failing;         /* the store */
    u64 sequence;         /* the last one given */
    char incarnation[ID_UUID_SIZE];
    /* `from` is the same queued as `to`, which takes its place everywhere. */
    void (*merged)(void *arg, struct home *from, struct home *to);
    void *arg;
};

void homes_init(struct homes *h, struct topic_store *store, struct loop *l, struct id_source *ids,
                u64 outbox_bytes_max);
void homes_deinit(struct homes *h);
/* Reads what the store has. */
int homes_load(struct homes *h) MUST_CHECK;
/* The store fails, or works again. */
void homes_set_failing(struct homes *h, bool failing);

/* NULL: there is none. */
struct home *homes_find(const struct homes *h, str name);
struct home *homes_find_id(const struct homes *h, u64 id);
/* The one that was met last at this URL, or NULL. */
struct home *homes_at(const struct homes *h, const char *url);
/* Behind the link (`was` is the home that it led to so far, or NULL) is the queued of that name.
 * NULL: another link leads to it already, and stands: one of the two is a copy. */
struct home *homes_meet(struct homes *h, struct queued_link *link, const char *url,
                        struct home *was, str name);
/* A home that has a URL's name: its queued has not greeted since the store was of user_version 1. */
bool home_is_unnamed(const struct home *h);
/* At start, when it is known which links there are and where queues live: forgets homes that mean
 * nothing any more, and reports the orphans. */
void homes_tidy(struct homes *h);
static inline struct home *home_self(struct home *h)
{
    while (h->same)
        h = h->same;
    return h;
}
/* Rows up to this one can be read. */
static inline u64 home_readable(const struct home *h)
{
    return h->merging ? 0 : h->durable;
}
static inline bool home_is_orphan(const struct home *h)
{
    return h->index != HOME_NOWHERE && !h->link && !h->same;
}

/* The batch is handed over as the next one: frames leave, or are stored, in the order of their
 * sequences. */
void homes_number(struct homes *h, struct delivery_batch *d);
/* Puts it into the outbox; it is safe when that is durable. On failure the batch is as before.
 * `bounded`: E_FULL when too much waits there. E_IO: the store fails. */
int home_put(struct home *h, struct delivery_batch *d, bool bounded) MUST_CHECK;
/* Likewise, bounded, and takes it: what waits is told when it cannot be stored. */
void home_store(struct home *h, struct delivery_batch *d);

#endif
