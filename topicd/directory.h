/* Where queues live: which home (home.h) has a queue, as the queueds' announcements say. New names
 * are placed by rendezvous hashing over the homes' names, so that every topicd that knows the same
 * queueds decides alike, and adding one moves nothing that is there. With a single link nothing is
 * kept: its home has all queues.
 *
 * A queue of which it is not known who has it is nowhere; so is one for which deliveries are held
 * (held.h), whoever has it, since what is published next must come behind them.
 *
 * What is known is in the store, too, so that deliveries for a queued that is away find their
 * outbox after a restart. */
#ifndef TOQUE_DIRECTORY_H
#define TOQUE_DIRECTORY_H

#include "common/aws/frame.h"
#include "common/base/map.h"
#include "topicd/queued_link.h"

/* More queues than that are not taken note of. */
#define DIRECTORY_QUEUES_MAX 20000000
#define DIRECTORY_NO_LINK    UINT32_MAX

struct directory_queue {
    str arn;           /* own bytes */
    struct home *home; /* NULL: not known */
    u32 generation;    /* of the complete list that named it last; one less: named beside those */
    u32 held;          /* deliveries that are held for it */
};

struct directory {
    struct homes *homes;
    struct topic_store *store;
    struct loop *loop;
    struct queued_link *const *links; /* borrowed */
    u32 link_count;
    u32 version;       /* grows with every change of an answer; never 0 */
    struct map queues; /* struct directory_queue by ARN */
    u32 held;          /* queues for which something is held */
    bool hold_all;     /* it is not known yet which */
    bool news;         /* one of them has a home now */
    bool failing;      /* the store */
    bool stale;        /* the store lacks changes that came while it failed */
    bool told_full;
};

/* `links` has `n` > 0 items, and lives as long as the directory. */
void directory_init(struct directory *d, struct homes *homes, struct topic_store *store,
                    struct loop *l, const struct map_seed *seed, struct queued_link *const *links,
                    u32 n);
void directory_deinit(struct directory *d);
/* Reads what the store has. */
int directory_load(struct directory *d) MUST_CHECK;
/* A session begins behind the link: a list that the last one cut off is void. */
void directory_greeted(struct directory *d, const struct queued_link *p);
/* The queued of that home speaks. What it says of another one's queue changes nothing, but that it
 * has it. */
void directory_announced(struct directory *d, struct home *h, const struct frame_queues *q);
/* The queued of that home was given something for a queue that is not there. */
void directory_missed(struct directory *d, const struct home *h, str arn);
/* homes.merged */
void directory_merged(struct directory *d, struct home *from, struct home *to);
/* Changes while the store fails are kept in memory, and stored when it works again. */
void directory_set_failing(struct directory *d, bool failing);

/* Who has the queue; NULL: nobody that is known. */
struct home *directory_owner(const struct directory *d, str arn);
/* The index of the home to which its deliveries go now; HOME_NOWHERE: they are held. */
u32 directory_home(const struct directory *d, str arn);
/* The link that leads to its owner, or to where it would be made. DIRECTORY_NO_LINK: none leads
 * to its owner. */
u32 directory_link(const struct directory *d, str arn);

/* A delivery for it is held, or is not any more. */
void directory_hold(struct directory *d, str arn);
void directory_release(struct directory *d, str arn);
/* Nothing is held that is known of. */
void directory_release_all(struct directory *d);

/* ARNs, sorted, of the queues that begin with `prefix` and sort behind `after`, at most `max`. An
 * array that the caller frees; the views live until the directory changes. *ret_more: there are
 * more. */
str *directory_list(const struct directory *d, str prefix, str after, size_t max, size_t *ret_n,
                    bool *ret_more);

#endif
