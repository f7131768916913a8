/* Where queues live: which of several queueds owns a queue, as their announcements say. New names
 * are placed by rendezvous hashing, so that every topicd that knows the same queueds decides alike,
 * and adding one moves nothing that is there. With a single queued nothing is kept.
 *
 * What is known is in the store, too, so that deliveries for a queued that is away find their
 * outbox after a restart. */
#ifndef TOQUE_DIRECTORY_H
#define TOQUE_DIRECTORY_H

#include "common/aws/frame.h"
#include "common/io/loop.h"
#include "common/base/map.h"
#include "topicd/topic_store.h"

struct directory_queue {
    str arn;        /* own bytes */
    u32 queued;     /* index */
    u32 generation; /* of the complete list that named it last; one less: named beside those */
};

struct directory {
    struct topic_store *store;
    struct loop *loop;
    const char *const *urls; /* of the queueds, borrowed: their names in the store */
    u32 queued_count;
    u32 version;       /* grows with every change; never 0 */
    struct map queues; /* struct directory_queue by ARN */
    u32 *generations;  /* of each queued's announcement of all its queues */
    bool store_failing;
    bool stale; /* the store lacks changes that came while it failed */
};

/* `urls` has `n` > 0 items and lives as long as the directory. */
void directory_init(struct directory *d, struct topic_store *store, struct loop *l,
                    const struct map_seed *seed, const char *const *urls, u32 n);
void directory_deinit(struct directory *d);
/* Reads what the store has. */
int directory_load(struct directory *d) MUST_CHECK;
/* A session begins: a list that the last one cut off is void. */
void directory_greeted(struct directory *d, u32 queued);
/* A queued speaks. */
void directory_announced(struct directory *d, u32 queued, const struct frame_queues *q);
/* The owner of a queue, or where it would be made. */
u32 directory_home(const struct directory *d, str arn);
/* Changes while the store fails are kept in memory, and stored when it works again. */
void directory_set_failing(struct directory *d, bool failing);

/* ARNs, sorted, of the queues that begin with `prefix` and sort behind `after`, at most `max`. An
 * array that the caller frees; the views live until the directory changes. *ret_more: there are
 * more. */
str *directory_list(const struct directory *d, str prefix, str after, size_t max, size_t *ret_n,
                    bool *ret_more);

#endif
