#include "topicd/held.h"

#include "common/base/log.h"
#include "common/base/mem.h"

/* Bounds of what is read and placed in one turn. */
#define ROWS_A_TURN  256
#define BYTES_A_TURN ((u64)1 << 20)
/* Rejections after which a delivery fails. */
#define ATTEMPTS_MAX 8

static struct delivery_batch *batch_of_row(struct list *item)
{
    return list_item(item, struct delivery_batch, link);
}

static struct home *held_home(const struct held *h)
{
    return h->homes->items[HOME_NOWHERE];
}

/* Calls `each` for every target of the frame, which was checked before. */
static void each_target(str frame, struct held *h,
                        void (*each)(struct held *h, const struct frame_target *t))
{
    struct frame_deliver deliver;
    struct frame_publication p;
    struct frame_target t;

    if (frame_read_deliver(frame, &deliver))
        return;
    while (frame_next_publication(&deliver.publications, &p) == 1)
        while (frame_next_target(&p.targets, &t) == 1)
            each(h, &t);
}

static void hold_target(struct held *h, const struct frame_target *t)
{
    directory_hold(h->directory, t->queue);
}

static void release_target(struct held *h, const struct frame_target *t)
{
    directory_release(h->directory, t->queue);
}

/* --- taking ----------------------------------------------------------------------------------- */

/* Takes a batch whose targets are counted by directory_hold; on failure, or with `err`, releases
 * them. */
static int batch_hold(struct held *h, struct delivery_batch *d, bool bounded, int err)
{
    homes_number(h->homes, d);
    if (!err)
        err = home_put(held_home(h), d, bounded);
    if (!err) {
        list_push_back(&h->recent, &d->link);
        h->held++;
        return 0;
    }
    each_target(buf_view(&d->frame), h, release_target);
    held_home(h)->refused_frames++;
    delivery_batch_end(d, err);
    return err;
}

void held_take(struct held *h, struct delivery_batch *d, int err)
{
    batch_hold(h, d, true, err);
}

/* --- placing ---------------------------------------------------------------------------------- */

/* Adds a publication with some of its targets for one home, or for none. */
static void put_target(struct delivery_batch **to, str incarnation,
                       const struct frame_publication *p, u32 number, const struct frame_target *t)
{
    if (!*to)
        *to = delivery_batch_new(incarnation);
    if ((*to)->publications != number) {
        if ((*to)->publications)
            frame_publication_end(&(*to)->frame);
        frame_publication_copy(&(*to)->frame, p);
        (*to)->publications = number;
    }
    frame_put_target(&(*to)->frame, t);
}

static void end_frame(struct delivery_batch *d)
{
    frame_publication_end(&d->frame);
    frame_deliver_end(&d->frame);
}

/* No instance has the queue, as known from a SYNC sent after the delivery was held. */
static bool is_answered(const struct held *h, const struct delivery_batch *d)
{
    return h->link_count > 1 && d->row <= h->answered_row;
}

struct placement {
    struct held *held;
    const struct delivery_batch *batch;
    struct delivery_batch **to; /* by home; [0]: stays held */
    bool changed;               /* some targets are not held any more */
};

static void place_target(struct placement *to, const struct frame_publication *p, u32 number,
                         const struct frame_target *t)
{
    struct held *h = to->held;
    struct home *owner = directory_owner(h->directory, t->queue);
    u32 home = owner ? owner->index : HOME_NOWHERE;

    if (owner || !is_answered(h, to->batch))
        put_target(&to->to[home], str_of(h->homes->incarnation), p, number, t);
    else
        delivery_failed(h->failed, &(struct failed_delivery){FAILURE_NO_QUEUE, p, t});
    if (!owner && !is_answered(h, to->batch))
        return;
    to->changed = true;
    directory_release(h->directory, t->queue);
}

static void batch_hand_over(struct home *to, struct delivery_batch *d, u32 attempt)
{
    end_frame(d);
    homes_number(to->all, d);
    d->attempt = attempt;
    if (to->link)
        queued_link_use_outbox(to->link);
    int err = home_put(to, d, false);

    assert(!err); /* nothing is placed while the store fails */
}

/* Replaces the batch by the targets that stay, in the store and, if it has an owner, in memory. */
static void keep_rest(struct held *h, struct delivery_batch *d, struct delivery_batch *rest)
{
    struct topic_store *store = h->homes->store;

    if (!rest) {
        topic_store_outbox_acked(store, 0, d->row - 1, d->row);
        return;
    }
    struct buf frame = d->frame;

    end_frame(rest);
    homes_number(h->homes, rest);
    topic_store_outbox_set(store, 0, d->row, buf_view(&rest->frame));
    d->frame = rest->frame;
    rest->frame = frame;
    delivery_batch_end(rest, 0);
}

static void placed_settled(struct loop_later *later, int err)
{
    struct held *h = container_of(later, struct held, placed);

    h->settling = h->settle_again;
    h->settle_again = false;
    if (h->settling)
        loop_later(h->homes->loop, later);
    else
        loop_again(h->homes->loop);
}

static void placed_settle(struct held *h)
{
    loop_dirty(h->homes->loop);
    h->settle_again = h->settling;
    if (h->settling)
        return;
    h->settling = true;
    loop_later(h->homes->loop, &h->placed);
}

/* True: none of its targets is held any more. */
static bool place_batch(struct held *h, struct delivery_batch *d)
{
    struct frame_deliver deliver;
    struct frame_publication p;
    struct frame_target t;
    u32 n = h->homes->n, number = 0;
    struct placement to = {.held = h, .batch = d};

    if (frame_read_deliver(buf_view(&d->frame), &deliver))
        return false; /* logged when it was read */
    to.to = mem_array(n, sizeof(*to.to));
    while (frame_next_publication(&deliver.publications, &p) == 1) {
        number++;
        while (frame_next_target(&p.targets, &t) == 1)
            place_target(&to, &p, number, &t);
    }
    struct delivery_batch *rest = to.to[HOME_NOWHERE];
    bool all = !rest;

    for (u32 i = 1; i < n; i++)
        if (to.to[i])
            batch_hand_over(h->homes->items[i], to.to[i], d->attempt);
    if (to.changed || !rest) {
        keep_rest(h, d, rest);
        placed_settle(h);
    } else {
        delivery_batch_end(rest, 0);
    }
    mem_free(to.to);
    return all;
}

static void row_read(struct outbox_read *r, const struct outbox_row *row)
{
    struct held *h = container_of(r, struct held, read);
    struct frame_deliver deliver;

    h->cursor = row->id;
    if (frame_read_deliver(row->frame, &deliver)) {
        log_error("a held frame is damaged and skipped row=%" PRIu64, row->id);
        return;
    }
    struct delivery_batch *d = delivery_batch_new(deliver.incarnation);

    buf_reset(&d->frame);
    buf_str(&d->frame, row->frame);
    d->row = row->id;
    d->attempt = row->attempt;
    list_push_back(&h->rows, &d->link);
}

static void rows_end(struct held *h, void (*each)(struct held *h, struct delivery_batch *d))
{
    while (!list_is_empty(&h->rows)) {
        struct delivery_batch *d = batch_of_row(h->rows.next);

        list_remove(&d->link);
        if (each)
            each(h, d);
        delivery_batch_end(d, 0);
    }
}

static void place_row(struct held *h, struct delivery_batch *d)
{
    place_batch(h, d);
}

static void load_row(struct held *h, struct delivery_batch *d)
{
    each_target(buf_view(&d->frame), h, hold_target);
}

/* A failed read is tried again in a later turn. */
static void rows_read(struct outbox_read *r, int err)
{
    struct held *h = container_of(r, struct held, read);

    h->reading = false;
    if (!err && h->cursor == r->after)
        h->cursor = r->through; /* no rows are left up to there */
    if (h->homes->failing)
        h->cursor = r->after;
    rows_end(h, h->homes->failing ? NULL : h->loading ? load_row : place_row);
    if (!err)
        loop_again(h->homes->loop);
}

static void read_rows(struct held *h)
{
    h->reading = true;
    h->read.after = h->cursor;
    h->read.through = held_home(h)->durable;
    topic_store_outbox_read(h->homes->store, 0, &h->read);
}

/* Batches whose rows were not read, since they may not be durable yet. */
static void place_recent(struct held *h)
{
    list_each(item, next, &h->recent) {
        struct delivery_batch *d = batch_of_row(item);

        if (d->row <= h->cursor || !place_batch(h, d))
            continue;
        list_remove(&d->link);
        if (!d->storing)
            delivery_batch_end(d, 0);
    }
}

static void place_again(struct held *h)
{
    h->again = true;
}

/* True: more can be done at once. */
static bool held_place(struct held *h)
{
    if (h->again && !h->placing && !h->settling) {
        h->again = false;
        h->placing = true;
        h->cursor = 0;
    }
    if (!h->placing || h->reading)
        return false;
    if (h->cursor < held_home(h)->durable) {
        read_rows(h);
        return false;
    }
    place_recent(h);
    h->placing = false;
    return h->again && !h->settling;
}

/* --- asking ----------------------------------------------------------------------------------- */

static bool have_all_answered(const struct held *h)
{
    for (u32 i = 0; i < h->link_count; i++)
        if (h->links[i]->synced < h->asked)
            return false;
    return true;
}

static void held_ask(struct held *h)
{
    u64 last = held_home(h)->outbox->last;

    if (h->link_count == 1 || !held_home(h)->outbox->frames)
        return;
    if (h->answered_row < h->asked_row && have_all_answered(h)) {
        h->answered_row = h->asked_row;
        place_again(h);
    }
    if (h->answered_row < h->asked_row || last <= h->asked_row)
        return;
    h->asked_row = last;
    h->asked++;
    for (u32 i = 0; i < h->link_count; i++)
        queued_link_sync(h->links[i], h->asked);
}

/* The turn of the placed rows has settled. */
static void forget_recent(struct held *h)
{
    list_each(item, next, &h->recent) {
        struct delivery_batch *d = batch_of_row(item);

        if (d->storing)
            return;
        list_remove(&d->link);
        delivery_batch_end(d, d->row ? 0 : d->err);
    }
}

bool held_step(struct held *h)
{
    forget_recent(h);
    if (h->homes->failing)
        return false;
    if (h->loading) {
        if (h->reading)
            return false;
        if (h->cursor < held_home(h)->durable) {
            read_rows(h);
            return false;
        }
        h->loading = h->directory->hold_all = false;
        h->directory->version++;
        place_again(h);
    }
    if (h->directory->news) {
        h->directory->news = false;
        place_again(h);
    }
    held_ask(h);
    return held_place(h);
}

/* --- rejected targets ------------------------------------------------------------------------- */

/* What a batch's rejected targets become. */
struct rejection {
    struct held *held;
    const struct delivery_batch *batch;
    struct delivery_batch *to; /* held; NULL: none so far */
};

/* That its queue was deleted has been announced already; it may have been created again since. */
static void reject_target(struct rejection *r, const struct frame_publication *p, u32 number,
                          const struct frame_target *t, enum frame_rejection why)
{
    struct held *h = r->held;
    struct failed_delivery failed = {FAILURE_NO_QUEUE, p, t};

    if (why == FRAME_REJECTED_FORBIDDEN)
        failed.why = FAILURE_FORBIDDEN;
    else if (r->batch->attempt + 1 >= ATTEMPTS_MAX)
        failed.why = FAILURE_WANDERING;
    if (h->link_count == 1 || failed.why != FAILURE_NO_QUEUE) {
        delivery_failed(h->failed, &failed);
        return;
    }
    directory_hold(h->directory, t->queue);
    put_target(&r->to, str_of(h->homes->incarnation), p, number, t);
}

/* Walks the rejected targets; with `r` NULL only to see whether they are there. The places must
 * ascend. */
static bool walk_rejected(const struct delivery_batch *d, struct rejection *r)
{
    struct frame_deliver deliver;
    struct frame_publication p;
    struct frame_target t;
    struct frame_place place;
    str places = buf_view(&d->rejected);
    int more = frame_read_deliver(buf_view(&d->frame), &deliver) == 0
                   ? frame_next_place(&places, &place)
                   : 0;

    for (u32 i = 0; more == 1 && frame_next_publication(&deliver.publications, &p) == 1; i++)
        for (u32 k = 0; more == 1 && frame_next_target(&p.targets, &t) == 1; k++) {
            if (place.publication != i || place.target != k)
                continue;
            if (r)
                reject_target(r, &p, i + 1, &t, place.why);
            more = frame_next_place(&places, &place);
        }
    return more == 0;
}

bool held_rejected(struct delivery_batch *d, const struct frame_rejected *j)
{
    buf_str(&d->rejected, j->places);
    return walk_rejected(d, NULL);
}

int held_returned(struct held *h, struct delivery_batch *d)
{
    struct rejection r = {.held = h, .batch = d};

    walk_rejected(d, &r);
    if (!r.to)
        return 0;
    end_frame(r.to);
    r.to->attempt = d->attempt + 1;
    place_again(h);
    return batch_hold(h, r.to, false, 0);
}

/* --- life ------------------------------------------------------------------------------------- */

void held_init(struct held *h, struct homes *homes, struct directory *d,
               struct failed_deliveries *failed, struct queued_link *const *links, u32 link_count)
{
    *h = (struct held){
        .homes = homes, .directory = d, .failed = failed, .links = links, .link_count = link_count};
    list_init(&h->recent);
    list_init(&h->rows);
    h->placed.run = placed_settled;
    h->read = (struct outbox_read){
        .frames_max = ROWS_A_TURN, .bytes_max = BYTES_A_TURN, .row = row_read, .done = rows_read};
}

void held_deinit(struct held *h)
{
    topic_store_outbox_cancel(&h->read);
    loop_later_cancel(h->homes->loop, &h->placed);
    rows_end(h, NULL);
    forget_recent(h);
    assert(list_is_empty(&h->recent));
}

void held_load(struct held *h)
{
    topic_store_outbox_cancel(&h->read);
    rows_end(h, NULL);
    h->reading = h->placing = h->again = false;
    h->cursor = 0;
    directory_release_all(h->directory);
    h->loading = h->directory->hold_all = held_home(h)->outbox->frames > 0;
}
