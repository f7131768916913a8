/* With one target the body is that message's own; from the second target on it is shared. So the
 * first one waits until it is known whether there is a second. */
#include "queued/intake.h"

#include "queued/content.h"

struct delivery {
    struct queues *all;
    const struct frame_publication *publication;
    struct queue *first; /* waits */
    struct frame_target first_target;
    struct msg_body *shared;
};

static void put(struct delivery *d, struct queue *q, const struct frame_target *t)
{
    struct new_message message = {
        .content = buf_view(&d->all->row),
        .shared = d->shared,
        .group_id = d->publication->group_id,
        .dedup_id = d->publication->dedup_id,
        .flags = t->form == PUBLICATION_RAW ? MSG_RAW : 0,
        .delay_ms = q->attributes.delay_s * 1000,
    };
    if (t->form != PUBLICATION_RAW)
        message.origin = content_origin(d->publication->topic, t->subscription);
    else
        message.origin = STR("");
    queue_put(q, &message);
}

static void put_first(struct delivery *d)
{
    if (!d->first)
        return;
    put(d, d->first, &d->first_target);
    d->first = NULL;
}

static void share(struct delivery *d)
{
    struct queues *qs = d->all;
    d->shared = msg_body_new(&qs->msgs, qs->next_id++);
    queue_store_add_body(qs->store, d->shared->row, buf_view(&qs->row));
    put_first(d);
}

static struct queue *fit(struct delivery *d, const struct frame_target *t,
                         struct intake_count *count)
{
    struct queue *q = queues_find_arn(d->all, t->queue);
    if (!q) {
        count->unknown++;
        return NULL;
    }
    if (t->form == PUBLICATION_RAW && d->publication->attr_count > MESSAGE_ATTRS_MAX) {
        count->unfit++;
        return NULL;
    }
    return q;
}

void intake_publication(struct queues *qs, const struct frame_publication *p,
                        struct intake_count *count)
{
    struct delivery d = {.all = qs, .publication = p};
    struct frame_target t;
    str rest = p->targets;
    content_write_publication(&qs->row, p);
    while (frame_next_target(&rest, &t) > 0) {
        struct queue *q = fit(&d, &t, count);
        if (!q)
            continue;
        count->delivered++;
        if (!d.first && !d.shared) {
            d.first = q;
            d.first_target = t;
            continue;
        }
        if (!d.shared)
            share(&d);
        put(&d, q, &t);
    }
    put_first(&d);
}
