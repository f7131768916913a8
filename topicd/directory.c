#include "topicd/directory.h"

#include <stdlib.h>

#include "common/base/hash.h"
#include "common/base/log.h"
#include "common/base/mem.h"

void directory_init(struct directory *d, struct topic_store *store, struct loop *l,
                    const struct map_seed *seed, const char *const *urls, u32 n)
{
    assert(n > 0);
    *d = (struct directory){
        .store = store, .loop = l, .urls = urls, .queued_count = n, .version = 1};
    map_init(&d->queues, seed);
    d->generations = mem_array(n, sizeof(*d->generations));
    for (u32 i = 0; i < n; i++)
        d->generations[i] = 1;
}

void directory_deinit(struct directory *d)
{
    struct directory_queue *q;

    for (size_t at = 0; (q = map_next(&d->queues, &at));)
        mem_free(q);
    map_deinit(&d->queues);
    mem_free(d->generations);
}

/* --- changes ---------------------------------------------------------------------------------- */

static void keep(struct directory *d, const struct directory_queue *q)
{
    if (d->store_failing) {
        d->stale = true;
        return;
    }
    topic_store_put_home(d->store, q->arn, str_of(d->urls[q->queued]));
    loop_dirty(d->loop);
}

/* Returns true when that is news. */
static bool put(struct directory *d, str arn, u32 queued, u32 generation)
{
    struct directory_queue *q = map_get(&d->queues, arn);

    if (q && q->queued == queued) {
        q->generation = generation;
        return false;
    }
    if (!q) {
        q = mem_alloc(sizeof(*q) + arn.n);
        memcpy(q + 1, arn.p, arn.n);
        q->arn = str_from(q + 1, arn.n);
        map_put(&d->queues, q->arn, q);
    } else {
        log_warning("two queueds have the queue %.*s: %s had it, %s takes it", STR_ARG(arn),
                    d->urls[q->queued], d->urls[queued]);
    }
    q->queued = queued;
    q->generation = generation;
    d->version++;
    return true;
}

static void drop(struct directory *d, struct directory_queue *q)
{
    if (d->store_failing) {
        d->stale = true;
    } else {
        topic_store_delete_home(d->store, q->arn);
        loop_dirty(d->loop);
    }
    map_del(&d->queues, q->arn);
    mem_free(q);
    d->version++;
}

void directory_greeted(struct directory *d, u32 queued)
{
    d->generations[queued]++;
}

void directory_announced(struct directory *d, u32 queued, const struct frame_queues *q)
{
    str rest = q->added, arn;

    if (d->queued_count == 1)
        return;
    while (frame_next_str(&rest, &arn) == 1)
        if (put(d, arn, queued, d->generations[queued] - !q->all))
            keep(d, map_get(&d->queues, arn));
    rest = q->removed;
    while (frame_next_str(&rest, &arn) == 1) {
        struct directory_queue *gone = map_get(&d->queues, arn);

        if (gone && gone->queued == queued)
            drop(d, gone);
    }
    if (!q->all || !q->last)
        return;
    /* The list was complete: what it did not name is not there any more. */
    struct directory_queue *old;

    for (size_t at = 0; (old = map_next(&d->queues, &at));)
        if (old->queued == queued && old->generation != d->generations[queued])
            drop(d, old);
    d->generations[queued]++;
}

void directory_set_failing(struct directory *d, bool failing)
{
    struct directory_queue *q;

    d->store_failing = failing;
    if (d->queued_count == 1)
        return;
    /* What the failed turn itself was to store is missing already. */
    d->stale = d->stale || failing;
    if (failing || !d->stale)
        return;
    d->stale = false;
    topic_store_clear_homes(d->store);
    loop_dirty(d->loop);
    for (size_t at = 0; (q = map_next(&d->queues, &at));)
        keep(d, q);
}

static int load_home(void *arg, str queue_arn, str queued)
{
    struct directory *d = arg;

    for (u32 i = 0; i < d->queued_count; i++)
        if (str_is(queued, d->urls[i]))
            put(d, queue_arn, i, d->generations[i] - 1);
    return 0;
}

int directory_load(struct directory *d)
{
    if (d->queued_count == 1)
        return 0;
    return topic_store_load_homes(d->store, load_home, d);
}

/* --- questions -------------------------------------------------------------------------------- */

/* The queued with the highest hash of (its address, the name). */
static u32 rendezvous(const struct directory *d, str arn)
{
    struct buf text = {0};
    u32 best = 0;
    u8 highest[32], hash[32];

    for (u32 i = 0; i < d->queued_count; i++) {
        buf_reset(&text);
        buf_z(&text, d->urls[i]);
        buf_char(&text, ' ');
        buf_str(&text, arn);
        hash_sha256(buf_view(&text), hash);
        if (i == 0 || memcmp(hash, highest, sizeof(hash)) > 0) {
            memcpy(highest, hash, sizeof(hash));
            best = i;
        }
    }
    buf_deinit(&text);
    return best;
}

u32 directory_home(const struct directory *d, str arn)
{
    if (d->queued_count == 1)
        return 0;
    const struct directory_queue *q = map_get(&d->queues, arn);

    return q ? q->queued : rendezvous(d, arn);
}

static int compare(const void *left, const void *right)
{
    return str_cmp(*(const str *)left, *(const str *)right);
}

str *directory_list(const struct directory *d, str prefix, str after, size_t max, size_t *ret_n,
                    bool *ret_more)
{
    str *found = mem_array(d->queues.n + 1, sizeof(*found));
    const struct directory_queue *q;
    size_t n = 0;

    for (size_t at = 0; (q = map_next(&d->queues, &at));)
        if (str_starts(q->arn, prefix) && (!after.n || str_cmp(q->arn, after) > 0))
            found[n++] = q->arn;
    qsort(found, n, sizeof(*found), compare);
    *ret_more = n > max;
    *ret_n = MIN(n, max);
    return found;
}
