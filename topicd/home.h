/* Homes of queues: the `queued` instances, each known by the name of its store, which does not
 * depend on its address; the outbox of each, and the link that leads to it.
 *
 *   link greets as NAME ──homes_meet──> the home of that name is behind that link
 *
 * A home to which no configured link leads is an orphan: it is reported, and its outbox is kept.
 * Home 0 is nowhere: its outbox has the deliveries for queues whose home is unknown (held.h).
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
    char *url;                /* last known URL; "": another instance answers there now */
    struct queued_link *link; /* leads to it; NULL: none */
    struct home *same;        /* merged into that one, whose old name this was */
    u64 queues;               /* queues that it is known to have */
    u32 generation;           /* of its last complete announcement (directory.h) */
    const struct topic_outbox *outbox;
    u64 durable; /* outbox rows up to this one are durable */
    u32 merging; /* homes merged into it in turns that have not settled */
    struct loop_later merged;
    bool told_full;
    u64 stored_frames, refused_frames; /* since start, for the statistics */
};

struct homes {
    struct topic_store *store;
    struct loop *loop;
    struct home **items; /* few; [0]: nowhere */
    u32 n;
    u64 outbox_bytes_max; /* of one home; beyond it publishes are refused */
    bool failing;         /* the store */
    u64 sequence;         /* the last one assigned */
    char incarnation[ID_UUID_SIZE];
    /* `from` is the same instance as `to`, which replaces it everywhere. */
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

/* NULL: not known. */
struct home *homes_find(const struct homes *h, str name);
struct home *homes_find_id(const struct homes *h, u64 id);
/* The home last known at this URL, or NULL. */
struct home *homes_at(const struct homes *h, const char *url);
/* The instance of that name answers at the link; `was` is the home that the link led to before, or
 * NULL. Returns its home. NULL: another link with a session leads to it: one of the two is a copy.
 * */
struct home *homes_meet(struct homes *h, struct queued_link *link, const char *url,
                        struct home *was, str name);
/* The home's name is still a URL: its instance has not greeted since the store was of user_version
 * 1. */
bool home_is_unnamed(const struct home *h);
/* At start, when links and directory are loaded: deletes homes without link, queues and outbox, and
 * reports the orphans. */
void homes_tidy(struct homes *h);
static inline struct home *home_self(struct home *h)
{
    while (h->same)
        h = h->same;
    return h;
}
/* Outbox rows up to this one can be read. */
static inline u64 home_readable(const struct home *h)
{
    return h->merging ? 0 : h->durable;
}
static inline bool home_is_orphan(const struct home *h)
{
    return h->index != HOME_NOWHERE && !h->link && !h->same;
}

/* Gives the batch the next sequence: frames are sent, or stored, in the order of their sequences.
 * */
void homes_number(struct homes *h, struct delivery_batch *d);
/* Adds the batch to the outbox; it is safe when its row is durable. On failure the batch is
 * unchanged. `bounded`: E_FULL when the outbox is full. E_IO: the store fails. */
int home_put(struct home *h, struct delivery_batch *d, bool bounded) MUST_CHECK;
/* Likewise, bounded, and takes the batch; when it cannot be stored its completions get the error.
 * */
void home_store(struct home *h, struct delivery_batch *d);

#endif
