#include "topicd/sender.h"

/* Publications of one frame, within the reader's bound. */
#define SENDER_PUBLICATIONS (FRAME_PUBLICATIONS_MAX / 2)

static void flush_run(struct loop_later *later, int err);
static void resume_run(struct loop_later *later, int err);

void sender_init(struct sender *d, struct loop *l, struct queued_link **links, u32 link_count,
                 u64 held_bytes_max)
{
    *d = (struct sender){.loop = l,
                         .links = links,
                         .link_count = link_count,
                         .held_bytes_max = held_bytes_max,
                         .frame_size = SENDER_FRAME_SIZE};
    d->open = mem_array(link_count, sizeof(struct delivery_batch *));
    d->closed = mem_array(link_count, sizeof(*d->closed));
    for (u32 i = 0; i < link_count; i++)
        list_init(&d->closed[i]);
    d->flush.run = flush_run;
    d->resume.run = resume_run;
    list_init(&d->parked);
}

void sender_deinit(struct sender *d)
{
    assert(list_is_empty(&d->parked) && !d->scheduled);
    mem_free(d->open);
    mem_free(d->closed);
}

/* --- this turn's frames ----------------------------------------------------------------------- */

static void close_frame(struct sender *d, u32 peer)
{
    frame_deliver_end(&d->open[peer]->frame);
    d->open_bytes += d->open[peer]->frame.n;
    list_push_back(&d->closed[peer], &d->open[peer]->link);
    d->open[peer] = NULL;
}

/* Everything that was put in this turn goes its way, or, with the turn's commit failed, nowhere. */
static void flush_run(struct loop_later *later, int err)
{
    struct sender *d = container_of(later, struct sender, flush);

    d->scheduled = false;
    for (u32 i = 0; i < d->link_count; i++) {
        if (d->open[i])
            close_frame(d, i);
        while (!list_is_empty(&d->closed[i])) {
            struct delivery_batch *one = list_item(d->closed[i].next, struct delivery_batch, link);

            list_remove(&one->link);
            if (err)
                delivery_batch_end(one, err);
            else
                queued_link_take(d->links[i], one);
        }
    }
    d->open_bytes = 0;
    /* What went to an outbox, or nowhere, is not held any more, and nobody acknowledges it. */
    sender_freed(d);
}

static struct delivery_batch *open_frame(struct sender *d, u32 peer)
{
    if (d->open[peer])
        return d->open[peer];
    d->open[peer] = delivery_batch_new(queued_link_next_sequence(d->links[peer]));
    if (!d->scheduled) {
        d->scheduled = true;
        loop_later(d->loop, &d->flush);
    }
    return d->open[peer];
}

static struct delivery_batch *begin(struct sender *d, u32 peer, const struct frame_publication *p,
                                    const struct attr_list *attrs, struct flight *flight)
{
    struct delivery_batch *one = open_frame(d, peer);

    delivery_batch_wait(one, flight);
    frame_publication_begin(&one->frame, p);
    one->publications++;
    for (size_t i = 0; i < attrs->n; i++) {
        const struct filter_attr *a = &attrs->items[i];

        frame_put_attr(&one->frame, &(struct frame_attr){a->name, a->type, a->value});
    }
    frame_publication_targets(&one->frame);
    return one;
}

static void end(struct sender *d, u32 peer)
{
    struct delivery_batch *one = d->open[peer];

    frame_publication_end(&one->frame);
    if (one->frame.n >= d->frame_size || one->publications >= SENDER_PUBLICATIONS)
        close_frame(d, peer);
}

static void put_for(struct sender *d, u32 peer, const struct frame_publication *p,
                    const struct attr_list *attrs, const struct fanout *plan, struct flight *flight)
{
    struct delivery_batch *one = begin(d, peer, p, attrs, flight);

    for (size_t i = 0; i < plan->n; i++) {
        const struct fanout_target *t = &plan->targets[i];

        if (t->queued != peer)
            continue;
        if (UNLIKELY(!one))
            one = begin(d, peer, p, attrs, flight);
        frame_put_target(
            &one->frame,
            &(struct frame_target){.queue = sub_endpoint(t->sub),
                                   .subscription = t->sub->arn,
                                   .form = t->sub->raw ? PUBLICATION_RAW : PUBLICATION_WRAPPED});
        /* So many targets that the message travels again with the rest of them. */
        if (UNLIKELY(one->frame.n > p->message.n + 2 * d->frame_size)) {
            end(d, peer);
            one = NULL;
        }
    }
    if (one)
        end(d, peer);
}

void sender_put(struct sender *d, const struct frame_publication *p, const struct attr_list *attrs,
                const struct fanout *plan, struct flight *flight)
{
    for (u32 i = 0; i < d->link_count; i++)
        if (plan->counts[i])
            put_for(d, i, p, attrs, plan, flight);
}

/* --- publishes that wait for memory ----------------------------------------------------------- */

u64 sender_held_bytes(const struct sender *d)
{
    u64 n = d->open_bytes;

    for (u32 i = 0; i < d->link_count; i++)
        n += d->links[i]->unacked_bytes + (d->open[i] ? d->open[i]->frame.n : 0);
    return n;
}

static void cancel_parked(struct call *c)
{
    list_remove(&c->link);
    call_done(c);
}

bool sender_park(struct sender *d, struct call *c)
{
    bool full = sender_held_bytes(d) >= d->held_bytes_max;

    if (!full && (d->resuming || list_is_empty(&d->parked)))
        return false;
    /* One that was taken up again and finds memory over goes back to the front of the line. */
    if (d->resuming)
        list_push_front(&d->parked, &c->link);
    else
        list_push_back(&d->parked, &c->link);
    c->cancel = cancel_parked;
    return true;
}

static void resume_run(struct loop_later *later, int err)
{
    struct sender *d = container_of(later, struct sender, resume);

    d->resuming = true;
    while (!list_is_empty(&d->parked) && sender_held_bytes(d) < d->held_bytes_max) {
        struct call *c = list_item(d->parked.next, struct call, link);

        list_remove(&c->link);
        c->cancel = NULL;
        c->action->run(c);
    }
    d->resuming = false;
}

void sender_freed(struct sender *d)
{
    if (list_is_empty(&d->parked) || (d->resume.link.next && !list_is_empty(&d->resume.link)))
        return;
    loop_later(d->loop, &d->resume);
}

void sender_refuse_parked(struct sender *d)
{
    while (!list_is_empty(&d->parked)) {
        struct call *c = list_item(d->parked.next, struct call, link);

        list_remove(&c->link);
        c->cancel = NULL;
        call_fail(c, CALL_FAULT_UNAVAILABLE, "The service is stopping. Try again.");
    }
}
