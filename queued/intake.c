/* With one target the body is that message's own; from the second target on it is shared. So the
 * first one waits until it is known whether there is a second. */
#include "queued/intake.h"

#include "common/base/mem.h"
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

/* --- what is not here ------------------------------------------------------------------------- */

#define UNKNOWN_CAP_MIN 16

void intake_deinit(struct intake *in)
{
    mem_free(in->unknown);
}

void intake_note_unknown(struct intake *in, struct frame_place place)
{
    if (in->unknown_n == in->unknown_cap) {
        in->unknown_cap = MAX(2 * in->unknown_cap, (u32)UNKNOWN_CAP_MIN);
        in->unknown = mem_grow(in->unknown, in->unknown_cap * sizeof(*in->unknown));
    }
    in->unknown[in->unknown_n++] = place;
}

/* --- delivering ------------------------------------------------------------------------------- */

static void put_one(struct delivery *d, struct queue *q, const struct frame_target *t)
{
    if (!d->first && !d->shared) {
        d->first = q;
        d->first_target = *t;
        return;
    }
    if (!d->shared)
        share(d);
    put(d, q, t);
}

void intake_publication(struct intake *in, struct queues *qs, const struct frame_publication *p,
                        u32 number)
{
    struct delivery d = {.all = qs, .publication = p};
    struct frame_target t;
    str rest = p->targets;
    content_write_publication(&qs->row, p);
    for (u32 i = 0; frame_next_target(&rest, &t) > 0; i++) {
        struct queue *q = queues_find_arn(qs, t.queue);
        if (!q) {
            intake_note_unknown(in, (struct frame_place){number, i});
        } else if (q->attributes.fifo ||
                   (t.form == PUBLICATION_RAW && p->attr_count > MESSAGE_ATTRS_MAX)) {
            in->unfit++;
        } else {
            put_one(&d, q, &t);
            in->delivered++;
        }
    }
    put_first(&d);
}
