#include "topicd/directory.h"

#include "common/aws/arn.h"
#include "common/base/hash.h"
#include "common/base/log.h"
#include "common/base/mem.h"

void directory_init(struct directory *d, struct homes *homes, struct topic_store *store,
                    struct loop *l, const struct map_seed *seed, struct queued_link *const *links,
                    u32 n)
{
    assert(n > 0);
    *d = (struct directory){
        .homes = homes, .store = store, .loop = l, .links = links, .link_count = n, .version = 1};
    map_init(&d->queues, seed);
    skiplist_init(&d->order);
}

void directory_deinit(struct directory *d)
{
    struct directory_queue *q;

    for (size_t at = 0; (q = map_next(&d->queues, &at));)
        mem_free(q);
    skiplist_deinit(&d->order);
    map_deinit(&d->queues);
}

/* --- entries ---------------------------------------------------------------------------------- */

static bool is_single(const struct directory *d)
{
    return d->link_count == 1;
}

static void queue_store_home(struct directory *d, const struct directory_queue *q)
{
    if (d->failing) {
        d->stale = true;
        return;
    }
    topic_store_put_home(d->store, q->arn, q->home->id);
    loop_dirty(d->loop);
}

static void queue_delete_home(struct directory *d, const struct directory_queue *q)
{
    if (d->failing) {
        d->stale = true;
        return;
    }
    topic_store_delete_home(d->store, q->arn);
    loop_dirty(d->loop);
}

/* The queue's entry, created if there is none. */
static struct directory_queue *queue_entry(struct directory *d, str arn)
{
    struct directory_queue *q = map_get(&d->queues, arn);

    if (q)
        return q;
    q = mem_alloc(sizeof(*q) + arn.n);
    memcpy(q + 1, arn.p, arn.n);
    q->arn = str_from(q + 1, arn.n);
    map_put(&d->queues, q->arn, q);
    return q;
}

static void entry_tidy(struct directory *d, struct directory_queue *q)
{
    if (q->home || q->held)
        return;
    map_del(&d->queues, q->arn);
    mem_free(q);
}

static void set_home(struct directory *d, struct directory_queue *q, struct home *h)
{
    if (q->home)
        q->home->queues--;
    if (h)
        h->queues++;
    if (!q->home && h)
        skiplist_put(&d->order, q->arn, q);
    else if (q->home && !h)
        skiplist_del(&d->order, q->arn);
    q->home = h;
    d->version++;
}

/* Returns true when the home changed. */
static bool queue_set_home(struct directory *d, str arn, struct home *h, u32 generation)
{
    struct directory_queue *q = queue_entry(d, arn);
    struct home *was = q->home;

    q->generation = generation;
    if (was == h)
        return false;
    if (was)
        log_warning("two queued instances have the queue %.*s: %s had it, %s takes it over",
                    STR_ARG(arn), was->name, h->name);
    set_home(d, q, h);
    d->news = d->news || q->held;
    return true;
}

static void queue_drop(struct directory *d, struct directory_queue *q)
{
    queue_delete_home(d, q);
    set_home(d, q, NULL);
    entry_tidy(d, q);
}

/* --- announcements ---------------------------------------------------------------------------- */

void directory_greeted(struct directory *d, const struct queued_link *p)
{
    p->home->generation++;
    if (!is_single(d))
        return;
    /* The list is complete. */
    d->version++;
    d->news = d->held > 0;
}

static bool directory_is_full(struct directory *d)
{
    bool full = d->queues.n >= DIRECTORY_QUEUES_MAX;

    if (full && !d->told_full)
        log_error("more than %d queues are announced: the rest are ignored", DIRECTORY_QUEUES_MAX);
    d->told_full = full;
    return full;
}

static bool is_queue(str text)
{
    struct arn arn;

    return arn_read(text, &arn) == 0 && str_is(arn.service, "sqs") && arn_is_account(arn.account) &&
           arn_is_queue_name(arn.resource);
}

static void take_added(struct directory *d, struct home *h, const struct frame_queues *q)
{
    str rest = q->added, arn;

    while (frame_next_str(&rest, &arn) == 1) {
        if (!is_queue(arn) || (!map_get(&d->queues, arn) && directory_is_full(d)))
            continue;
        if (queue_set_home(d, arn, h, h->generation - !q->all))
            queue_store_home(d, map_get(&d->queues, arn));
    }
}

/* The list is complete: queues that it did not name are removed. */
static void drop_unnamed(struct directory *d, struct home *h)
{
    struct directory_queue *q;

    for (size_t at = 0; (q = map_next(&d->queues, &at));)
        if (q->home == h && q->generation != h->generation)
            queue_drop(d, q);
    h->generation++;
}

void directory_announced(struct directory *d, struct home *h, const struct frame_queues *q)
{
    str rest = q->removed, arn;

    if (is_single(d))
        return;
    take_added(d, h, q);
    while (frame_next_str(&rest, &arn) == 1) {
        struct directory_queue *gone = map_get(&d->queues, arn);

        if (gone && gone->home == h)
            queue_drop(d, gone);
    }
    if (q->all && q->last)
        drop_unnamed(d, h);
}

void directory_merged(struct directory *d, struct home *from, struct home *to)
{
    struct directory_queue *q;

    for (size_t at = 0; (q = map_next(&d->queues, &at));)
        if (q->home == from)
            set_home(d, q, to);
    d->version++;
}

/* --- the store -------------------------------------------------------------------------------- */

void directory_set_failing(struct directory *d, bool failing)
{
    struct directory_queue *q;

    d->failing = failing;
    if (is_single(d))
        return;
    /* The changes of the failed turn itself are missing as well. */
    d->stale = d->stale || failing;
    if (failing || !d->stale)
        return;
    d->stale = false;
    topic_store_clear_homes(d->store);
    loop_dirty(d->loop);
    for (size_t at = 0; (q = map_next(&d->queues, &at));)
        if (q->home)
            queue_store_home(d, q);
}

static int load_home(void *arg, str queue_arn, u64 queued)
{
    struct directory *d = arg;
    struct home *h = homes_find_id(d->homes, queued);

    if (h)
        queue_set_home(d, queue_arn, h, h->generation - 1);
    return 0;
}

int directory_load(struct directory *d)
{
    return is_single(d) ? 0 : topic_store_load_homes(d->store, load_home, d);
}

/* --- what is held ----------------------------------------------------------------------------- */

void directory_hold(struct directory *d, str arn)
{
    struct directory_queue *q = queue_entry(d, arn);

    if (q->held++)
        return;
    d->held++;
    d->version++;
}

void directory_release(struct directory *d, str arn)
{
    struct directory_queue *q = map_get(&d->queues, arn);

    if (!q || !q->held || --q->held)
        return;
    d->held--;
    d->version++;
    entry_tidy(d, q);
}

void directory_release_all(struct directory *d)
{
    struct directory_queue *q;

    for (size_t at = 0; (q = map_next(&d->queues, &at));) {
        q->held = 0;
        entry_tidy(d, q);
    }
    d->held = 0;
    d->version++;
}

/* --- questions -------------------------------------------------------------------------------- */

struct home *directory_owner(const struct directory *d, str arn)
{
    if (is_single(d))
        return d->links[0]->home;
    const struct directory_queue *q = map_get(&d->queues, arn);

    return q ? q->home : NULL;
}

u32 directory_home(const struct directory *d, str arn)
{
    const struct directory_queue *q = d->held ? map_get(&d->queues, arn) : NULL;
    const struct home *owner = directory_owner(d, arn);

    return owner && !d->hold_all && !(q && q->held) ? owner->index : HOME_NOWHERE;
}

/* The link to the home with the highest hash of (its name, the queue's). A link whose instance
 * never greeted is waited for: a queue is not placed before all names are known. */
static u32 rendezvous_link(const struct directory *d, str arn)
{
    struct buf text = {0};
    u32 best = 0;
    u8 highest[32], hash[32];

    for (u32 i = 0; i < d->link_count; i++) {
        if (!d->links[i]->home) {
            best = i;
            break;
        }
        buf_reset(&text);
        buf_z(&text, d->links[i]->home->name);
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

u32 directory_link(const struct directory *d, str arn)
{
    if (is_single(d))
        return 0;
    const struct home *owner = directory_owner(d, arn);

    if (!owner)
        return rendezvous_link(d, arn);
    return owner->link ? owner->link->index : DIRECTORY_NO_LINK;
}

str *directory_list(const struct directory *d, str prefix, str after, size_t max, size_t *ret_n,
                    bool *ret_more)
{
    str *found = mem_array(max, sizeof(*found));
    struct skiplist_node *at =
        skiplist_from(&d->order, str_cmp(after, prefix) > 0 ? after : prefix);
    size_t n = 0;

    for (; at; at = skiplist_next(at)) {
        str arn = ((const struct directory_queue *)skiplist_value(at))->arn;

        if (!str_starts(arn, prefix) || n > max)
            break;
        if (str_eq(arn, after))
            continue;
        if (n < max)
            found[n] = arn;
        n++;
    }
    *ret_more = n > max;
    *ret_n = MIN(n, max);
    return found;
}
