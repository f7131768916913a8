#include "topicd/home.h"

#include "common/aws/frame.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "topicd/queued_link.h"

/* --- the table -------------------------------------------------------------------------------- */

static struct home *homes_add(struct homes *h, u64 id, str name, str url)
{
    struct home *one = mem_alloc(sizeof(*one));

    one->all = h;
    one->id = id;
    one->index = h->n;
    one->name = mem_dup(name);
    one->url = mem_dup(url);
    one->generation = 1;
    one->outbox = topic_store_outbox(h->store, id);
    one->durable = one->outbox->last;
    h->items = mem_grow(h->items, (h->n + 1) * sizeof(*h->items));
    h->items[h->n++] = one;
    return one;
}

void homes_init(struct homes *h, struct topic_store *store, struct loop *l, struct id_source *ids,
                u64 outbox_bytes_max)
{
    *h = (struct homes){.store = store, .loop = l, .outbox_bytes_max = outbox_bytes_max};
    id_uuid(ids, h->incarnation);
    homes_add(h, 0, STR(""), STR(""));
}

static void home_free(struct home *h)
{
    mem_free(h->name);
    mem_free(h->url);
    mem_free(h);
}

void homes_deinit(struct homes *h)
{
    for (u32 i = 0; i < h->n; i++)
        home_free(h->items[i]);
    mem_free(h->items);
}

static int home_loaded(void *arg, const struct queued_row *q)
{
    homes_add(arg, q->id, q->name, q->url);
    return 0;
}

int homes_load(struct homes *h)
{
    return topic_store_load_queueds(h->store, home_loaded, h);
}

struct home *homes_find(const struct homes *h, str name)
{
    for (u32 i = 1; i < h->n; i++)
        if (str_is(name, h->items[i]->name))
            return h->items[i];
    return NULL;
}

struct home *homes_find_id(const struct homes *h, u64 id)
{
    for (u32 i = 1; i < h->n; i++)
        if (h->items[i]->id == id)
            return h->items[i];
    return NULL;
}

struct home *homes_at(const struct homes *h, const char *url)
{
    for (u32 i = 1; i < h->n; i++)
        if (strcmp(url, h->items[i]->url) == 0)
            return h->items[i];
    return NULL;
}

/* --- meeting ---------------------------------------------------------------------------------- */

bool home_is_unnamed(const struct home *h)
{
    u8 uuid[16];

    return h->index != HOME_NOWHERE && id_uuid_read(str_of(h->name), uuid) != 0;
}

static void set_text(char **text, str to)
{
    char *copy = mem_dup(to);

    mem_free(*text);
    *text = copy;
}

static void home_save(struct home *h)
{
    if (h->all->failing)
        return; /* homes_set_failing writes all when the store works again */
    topic_store_put_queued(
        h->all->store,
        &(struct queued_row){.id = h->id, .name = str_of(h->name), .url = str_of(h->url)});
    loop_dirty(h->all->loop);
}

static u64 homes_next_id(const struct homes *h)
{
    u64 id = 0;

    for (u32 i = 0; i < h->n; i++)
        id = MAX(id, h->items[i]->id);
    return id + 1;
}

static void merge_settled(struct loop_later *later, int err)
{
    struct home *from = container_of(later, struct home, merged);
    struct home *to = home_self(from);

    to->merging--;
    if (!err)
        to->durable = MAX(to->durable, from->durable);
    loop_again(from->all->loop);
}

static void merge_rows(struct home *from, struct home *to)
{
    topic_store_merge_queued(from->all->store, from->id, to->id);
    loop_dirty(from->all->loop);
    to->merging++;
    from->merged.run = merge_settled;
    loop_later(from->all->loop, &from->merged);
}

/* Merges `from` into `to`: they are the same instance. */
static void homes_merge(struct homes *h, struct home *from, struct home *to)
{
    from->same = to;
    from->link = NULL;
    merge_rows(from, to);
    set_text(&from->name, STR(""));
    set_text(&from->url, STR(""));
    h->merged(h->arg, from, to);
}

/* Clears the URL at every home other than `now`. */
static void home_moved_out(struct home *h)
{
    h->link = NULL;
    set_text(&h->url, STR(""));
    home_save(h);
    log_warning("the queued instance %s is not at its last URL, its outbox is kept frames=%" PRIu64
                " bytes=%" PRIu64,
                h->name, h->outbox->frames, h->outbox->bytes);
}

/* The home of that name, or the expected home that has no name yet. */
static struct home *home_named(struct homes *h, struct home *was, str name)
{
    struct home *found = homes_find(h, name);
    bool unnamed = was && home_is_unnamed(was);

    if (!found && unnamed) {
        set_text(&was->name, name);
        return was;
    }
    if (!found)
        return homes_add(h, homes_next_id(h), name, STR(""));
    if (unnamed && h->failing)
        was->link = NULL; /* left for the next start */
    else if (unnamed)
        homes_merge(h, was, found);
    return found;
}

struct home *homes_meet(struct homes *h, struct queued_link *link, const char *url,
                        struct home *was, str name)
{
    struct home *found = homes_find(h, name);

    if (found && found->link && found->link != link && queued_link_is_up(found->link))
        return NULL;
    bool same = was && found == was && strcmp(was->url, url) == 0;

    if (same)
        return was;
    if (was && found != was && !home_is_unnamed(was))
        home_moved_out(was);
    found = home_named(h, was, name);
    if (found->link && found->link != link)
        queued_link_leave(found->link);
    found->link = link;
    set_text(&found->url, str_of(url));
    home_save(found);
    return found;
}

void homes_tidy(struct homes *h)
{
    u32 kept = 1;

    for (u32 i = 1; i < h->n; i++) {
        struct home *one = h->items[i];

        if (!one->link && !one->queues && !one->outbox->frames) {
            topic_store_delete_queued(h->store, one->id);
            home_free(one);
            continue;
        }
        if (!one->link)
            log_warning("no link leads to the queued instance %s, its outbox is kept url=%s"
                        " frames=%" PRIu64 " bytes=%" PRIu64 " queues=%" PRIu64,
                        one->name, one->url, one->outbox->frames, one->outbox->bytes, one->queues);
        one->index = kept;
        h->items[kept++] = one;
    }
    h->n = kept;
}

/* --- outboxes --------------------------------------------------------------------------------- */

void homes_number(struct homes *h, struct delivery_batch *d)
{
    frame_deliver_number(&d->frame, ++h->sequence);
}

/* The turn of its row has settled. A batch that has an owner stays: if the turn was lost it is in
 * memory only again. */
static void batch_stored(struct loop_later *later, int err)
{
    struct delivery_batch *d = container_of(later, struct delivery_batch, stored);
    struct home *h = home_self(d->storing);
    bool owned = !list_is_empty(&d->link);

    d->storing = NULL;
    d->err = err;
    if (err) {
        d->row = 0;
    } else {
        h->stored_frames++;
        h->durable = MAX(h->durable, d->row);
    }
    if (!owned)
        delivery_batch_end(d, err);
    else if (!err)
        delivery_batch_safe(d, 0);
    loop_again(h->all->loop);
}

static int home_check(struct home *h, u64 bytes)
{
    if (h->outbox->bytes + bytes <= h->all->outbox_bytes_max) {
        h->told_full = false;
        return 0;
    }
    if (!h->told_full)
        log_error("the outbox of %s is full: publishes are refused frames=%" PRIu64
                  " bytes=%" PRIu64,
                  h->index == HOME_NOWHERE ? "queues without a known home" : h->name,
                  h->outbox->frames, h->outbox->bytes);
    h->told_full = true;
    return E_FULL;
}

int home_put(struct home *h, struct delivery_batch *d, bool bounded)
{
    struct homes *all = h->all;
    int err = all->failing ? E_IO : bounded ? home_check(h, d->frame.n) : 0;

    assert(!d->row && !d->storing);
    if (err)
        return err;
    d->row = topic_store_next_outbox_id(all->store);
    topic_store_outbox_add(all->store, &(struct outbox_row){.id = d->row,
                                                            .queued = h->id,
                                                            .attempt = d->attempt,
                                                            .frame = buf_view(&d->frame)});
    d->storing = h;
    d->stored.run = batch_stored;
    loop_dirty(all->loop);
    loop_later(all->loop, &d->stored);
    return 0;
}

void home_store(struct home *h, struct delivery_batch *d)
{
    int err = home_put(h, d, true);

    if (!err)
        return;
    h->refused_frames++;
    delivery_batch_end(d, err);
}

void homes_set_failing(struct homes *h, bool failing)
{
    bool was = h->failing;

    h->failing = failing;
    for (u32 i = 0; i < h->n && was && !failing; i++) {
        struct home *one = h->items[i];

        one->durable = one->outbox->last;
        if (one->same)
            merge_rows(one, home_self(one)); /* the turn of a second put may be lost */
        else if (i != HOME_NOWHERE)
            home_save(one);
    }
}
