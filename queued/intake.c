/* With one target the message owns its body row; with two or more they share one. So the first
 * target is held back until it is known whether there is a second. */
#include "queued/intake.h"

#include "common/base/mem.h"
#include "queued/access.h"
#include "queued/content.h"

struct delivery {
    struct queues *all;
    const struct frame_publication *publication;
    struct queue *first; /* held back; NULL: none */
    struct frame_target first_target;
    struct dedup_entry first_entry;
    struct msg_body *shared;
};

/* A FIFO topic passes no group to a standard queue. "" also for one that no message may have. */
static str group_of(const struct delivery *d, const struct queue *q)
{
    const struct frame_publication *p = d->publication;
    bool has = (q->attributes.fifo || !p->fifo.n) && message_is_group_id(p->group_id);
    return has ? p->group_id : STR("");
}

/* Whether it is a duplicate in a FIFO queue. If not, *ret is its new entry, without the seq. */
static bool was_here(const struct delivery *d, const struct queue *q, struct dedup_entry *ret)
{
    const struct frame_publication *p = d->publication;
    *ret = (struct dedup_entry){.sent_ms = d->all->clock->now_ms};
    dedup_key(q, p->group_id, frame_dedup_id(p), ret->key);
    return dedup_find(&d->all->dedup, q, ret->key, ret->sent_ms) != 0;
}

/* `e`: the deduplication entry of a FIFO queue's message. */
static void message_put(struct delivery *d, struct queue *q, const struct frame_target *t,
                        struct dedup_entry e)
{
    struct new_message message = {
        .content = buf_view(&d->all->row),
        .shared = d->shared,
        .group_id = group_of(d, q),
        .flags = t->form == PUBLICATION_RAW ? MSG_RAW : 0,
        .delay_ms = q->attributes.delay_s * 1000,
    };
    if (t->form != PUBLICATION_RAW)
        message.origin = content_origin(d->publication->topic, t->subscription);
    else
        message.origin = STR("");
    u64 seq = queue_put(q, &message)->seq;
    if (!q->attributes.fifo)
        return;
    e.seq = seq;
    queues_add_dedup(d->all, &e);
}

static void put_first(struct delivery *d)
{
    if (!d->first)
        return;
    message_put(d, d->first, &d->first_target, d->first_entry);
    d->first = NULL;
}

static void body_share(struct delivery *d)
{
    struct queues *qs = d->all;
    d->shared = msg_body_new(&qs->msgs, qs->next_id++);
    queue_store_add_body(qs->store, d->shared->row, buf_view(&qs->row));
    put_first(d);
}

/* --- what gets no message --------------------------------------------------------------------- */

#define REJECTED_CAP_MIN 16

void intake_deinit(struct intake *in)
{
    mem_free(in->rejected);
}

void intake_reject(struct intake *in, struct frame_place place)
{
    if (in->rejected_n == in->rejected_cap) {
        in->rejected_cap = MAX(2 * in->rejected_cap, (u32)REJECTED_CAP_MIN);
        in->rejected = mem_grow(in->rejected, in->rejected_cap * sizeof(*in->rejected));
    }
    in->rejected[in->rejected_n++] = place;
    in->counts[place.why]++;
}

/* --- delivering ------------------------------------------------------------------------------- */

/* Whether the queue can take the publication in the target's form. */
static bool publication_fits(const struct frame_publication *p, const struct queue *q,
                             const struct frame_target *t)
{
    bool is_of_fifo =
        p->fifo.n && message_is_group_id(p->group_id) && message_is_group_id(frame_dedup_id(p));
    if (t->form == PUBLICATION_RAW && p->attr_count > MESSAGE_ATTRS_MAX)
        return false;
    if (t->subscription.n > MESSAGE_TEXT_MAX)
        return false;
    return !q->attributes.fifo || is_of_fifo;
}

static void put_one(struct delivery *d, struct queue *q, const struct frame_target *t,
                    struct dedup_entry e)
{
    if (!d->first && !d->shared) {
        d->first = q;
        d->first_target = *t;
        d->first_entry = e;
        return;
    }
    if (!d->shared)
        body_share(d);
    message_put(d, q, t, e);
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
        struct dedup_entry e = {.seq = 0};
        if (!q) {
            intake_reject(in, (struct frame_place){number, i, FRAME_REJECTED_NO_QUEUE});
        } else if (!access_check_topic(q, p->topic)) {
            intake_reject(in, (struct frame_place){number, i, FRAME_REJECTED_FORBIDDEN});
        } else if (!publication_fits(p, q, &t)) {
            in->unfit++;
        } else if (!q->attributes.fifo || !was_here(&d, q, &e)) {
            put_one(&d, q, &t, e);
            in->delivered++;
        }
    }
    put_first(&d);
}
