/* The directory: which home (home.h) owns a queue, as announced by the `queued` instances. New
 * names are placed by rendezvous hashing over the homes' names, so every topicd that knows the same
 * instances decides alike, and adding an instance moves no existing queue. With a single link
 * nothing is recorded: its home owns all queues.
 *
 * A queue whose home is unknown is nowhere. So is a queue for which deliveries are held (held.h),
 * even if its home is known, since later deliveries must follow the held ones.
 *
 * The directory is also stored, so that deliveries for an instance that is down find their outbox
 * after a restart. */
#ifndef TOQUE_DIRECTORY_H
#define TOQUE_DIRECTORY_H

#include "common/aws/frame.h"
#include "common/base/map.h"
#include "common/base/skiplist.h"
#include "topicd/queued_link.h"

/* Further queues are not recorded. */
#define DIRECTORY_QUEUES_MAX 20000000
#define DIRECTORY_NO_LINK    UINT32_MAX

struct directory_queue {
    str arn;           /* own bytes */
    struct home *home; /* NULL: not known */
    u32 generation;    /* of the last complete list that named it; one less: named outside of one */
    u32 held;          /* deliveries held for it */
};

struct directory {
    struct homes *homes;
    struct topic_store *store;
    struct loop *loop;
    struct queued_link *const *links; /* borrowed */
    u32 link_count;
    u32 version;           /* grows when a lookup's result changes; never 0 */
    struct map queues;     /* struct directory_queue by ARN */
    struct skiplist order; /* those with a home, by ARN */
    u32 held;              /* queues with held deliveries */
    bool hold_all;         /* not loaded yet: every queue counts as held */
    bool news;             /* a queue with held deliveries has got a home */
    bool failing;          /* the store */
    bool stale;            /* the store lacks changes made while it failed */
    bool told_full;
};

/* `links` has `n` > 0 items, and lives as long as the directory. */
void directory_init(struct directory *d, struct homes *homes, struct topic_store *store,
                    struct loop *l, const struct map_seed *seed, struct queued_link *const *links,
                    u32 n);
void directory_deinit(struct directory *d);
/* Loads it from the store. */
int directory_load(struct directory *d) MUST_CHECK;
/* A session begins: a list that the previous session left incomplete is void. */
void directory_greeted(struct directory *d, const struct queued_link *p);
/* Applies an announcement of that home's instance. For a queue of another home only "it has it" has
 * an effect. */
void directory_announced(struct directory *d, struct home *h, const struct frame_queues *q);
/* homes.merged */
void directory_merged(struct directory *d, struct home *from, struct home *to);
/* While the store fails changes are kept in memory; they are stored when it works again. */
void directory_set_failing(struct directory *d, bool failing);

/* The queue's home; NULL: not known. */
struct home *directory_owner(const struct directory *d, str arn);
/* Index of the home to which its deliveries go now; HOME_NOWHERE: they are held. */
u32 directory_home(const struct directory *d, str arn);
/* The link to its home, or to where it would be created. DIRECTORY_NO_LINK: no link leads to its
 * home. */
u32 directory_link(const struct directory *d, str arn);

/* Counts one more, or one less, held delivery for the queue. */
void directory_hold(struct directory *d, str arn);
void directory_release(struct directory *d, str arn);
/* Resets the counts of held deliveries. */
void directory_release_all(struct directory *d);

/* ARNs, sorted, of the queues that begin with `prefix` and sort behind `after`, at most `max`. An
 * array that the caller frees; the views live until the directory changes. *ret_more: there are
 * more. Costs what it returns, however many queues there are. */
str *directory_list(const struct directory *d, str prefix, str after, size_t max, size_t *ret_n,
                    bool *ret_more);

#endif
