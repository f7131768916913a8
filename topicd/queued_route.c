#include "topicd/queued_route.h"

#include "common/base/mem.h"

/* Most publications in one frame; the reader's bound is not lower. */
#define PUBLICATIONS_A_FRAME (FRAME_PUBLICATIONS_MAX / 2)

static struct queued_route *of_route(const struct route *r)
{
    return container_of(r, struct queued_route, route);
}

/* --- this turn's frames ----------------------------------------------------------------------- */

/* Homes may be added between two puts. */
static void make_frames(struct queued_route *r)
{
    if (r->n == r->queueds->homes.n)
        return;
    r->frames = mem_grow(r->frames, r->queueds->homes.n * sizeof(*r->frames));
    while (r->n < r->queueds->homes.n) {
        r->frames[r->n] = mem_alloc(sizeof(**r->frames));
        list_init(&r->frames[r->n++]->closed);
    }
}

static void close_frame(struct queued_route *r, struct queued_frames *f)
{
    frame_deliver_end(&f->open->frame);
    r->closed_bytes += f->open->frame.n;
    list_push_back(&f->closed, &f->open->link);
    f->open = NULL;
}

static struct frame_publication as_frame(struct publication *p)
{
    return (struct frame_publication){
        .topic = p->topic,
        .message_id = str_of(p->message_id),
        .subject = p->subject.p ? p->subject : STR(""),
        .message = publication_text(p, "sqs"),
        .group_id = p->group_id.p ? p->group_id : STR(""),
        .fifo = p->fifo,
        .trace_header = p->trace,
        .public_url = p->public_url,
        .time_ms = p->time_ms,
    };
}

static void begin_publication(struct queued_route *r, struct queued_frames *f,
                              struct publication *p, struct completion *done)
{
    struct frame_publication frame = as_frame(p);

    if (!f->open)
        f->open = delivery_batch_new(str_of(r->queueds->homes.incarnation));
    f->begun = true;
    f->open->publications++;
    delivery_batch_wait(f->open, done);
    frame_publication_begin(&f->open->frame, &frame);
    for (size_t i = 0; i < p->attrs.n; i++) {
        const struct filter_attr *a = &p->attrs.items[i];

        frame_put_attr(&f->open->frame, &(struct message_attr){a->name, a->type, a->value});
    }
    frame_publication_targets(&f->open->frame);
}

static void end_publication(struct queued_route *r, struct queued_frames *f)
{
    f->begun = false;
    frame_publication_end(&f->open->frame);
    if (f->open->frame.n >= r->frame_size || f->open->publications >= PUBLICATIONS_A_FRAME)
        close_frame(r, f);
}

/* --- putting ---------------------------------------------------------------------------------- */

/* Caches the queue's home until the directory changes. */
static u32 home_of(struct queued_route *r, struct sub *u)
{
    if (UNLIKELY(u->home_version != r->queueds->directory.version)) {
        u->home = directory_home(&r->queueds->directory, sub_endpoint(u));
        u->home_version = r->queueds->directory.version;
    }
    return u->home;
}

static struct frame_target target_of(const struct sub *u)
{
    return (struct frame_target){.queue = sub_endpoint(u),
                                 .subscription = u->arn,
                                 .form = u->raw ? PUBLICATION_RAW : PUBLICATION_WRAPPED};
}

/* SQS does not accept its attributes: the service treats it as a client-side error and does not retry
 * (Amazon SNS raw message delivery). */
static void refuse_raw(struct queued_route *r, struct publication *p, const struct sub *u)
{
    struct frame_publication frame = as_frame(p);
    struct frame_target target = target_of(u);

    delivery_failed(&r->queueds->failed,
                    &(struct failed_delivery){FAILURE_ATTRIBUTES, &frame, &target});
}

static void queued_route_put(struct route *route, struct publication *p, struct sub *const *subs,
                             size_t n, struct completion *done)
{
    struct queued_route *r = of_route(route);
    size_t text_size = publication_text(p, "sqs").n;
    bool takes_raw = attr_fits_raw(p->attrs.items, p->attrs.n);

    make_frames(r);
    for (size_t i = 0; i < n; i++) {
        if (UNLIKELY(subs[i]->raw && !takes_raw)) {
            refuse_raw(r, p, subs[i]);
            continue;
        }
        u32 home = home_of(r, subs[i]);
        struct queued_frames *f = r->frames[home];
        struct frame_target target = target_of(subs[i]);

        if (!f->begun)
            begin_publication(r, f, p, done);
        frame_put_target(&f->open->frame, &target);
        if (UNLIKELY(home == HOME_NOWHERE))
            directory_hold(&r->queueds->directory, target.queue);
        /* The frame is full: the message is repeated in the next one for the remaining targets. */
        if (UNLIKELY(f->open->frame.n > text_size + 2 * r->frame_size))
            end_publication(r, f);
    }
    for (u32 i = 0; i < r->n; i++)
        if (r->frames[i]->begun)
            end_publication(r, r->frames[i]);
}

/* --- handing over ----------------------------------------------------------------------------- */

static void frames_hand_over(struct queued_route *r, struct home *h, struct delivery_batch *d,
                             int err)
{
    if (h->index == HOME_NOWHERE) {
        held_take(&r->queueds->held, d, err);
        return;
    }
    if (err) {
        delivery_batch_end(d, err);
        return;
    }
    homes_number(&r->queueds->homes, d);
    if (h->link)
        queued_link_take(h->link, d);
    else
        home_store(h, d);
}

static void queued_route_flush(struct route *route, int err)
{
    struct queued_route *r = of_route(route);

    for (u32 i = 0; i < r->n; i++) {
        struct queued_frames *f = r->frames[i];

        if (f->open)
            close_frame(r, f);
        while (!list_is_empty(&f->closed)) {
            struct delivery_batch *one = list_item(f->closed.next, struct delivery_batch, link);

            list_remove(&one->link);
            frames_hand_over(r, home_self(r->queueds->homes.items[i]), one, err);
        }
    }
    r->closed_bytes = 0;
}

static bool queued_route_send_on(struct route *route)
{
    struct queued_route *r = of_route(route);
    bool more = held_step(&r->queueds->held);

    for (u32 i = 0; i < r->queueds->link_count; i++)
        queued_link_pump(r->queueds->links[i]);
    return more; /* a finished read schedules the next turn itself */
}

static u64 queued_route_held_bytes(const struct route *route)
{
    const struct queued_route *r = of_route(route);
    u64 n = r->closed_bytes;

    for (u32 i = 0; i < r->queueds->link_count; i++)
        n += r->queueds->links[i]->unacked_bytes;
    for (u32 i = 0; i < r->n; i++)
        n += r->frames[i]->open ? r->frames[i]->open->frame.n : 0;
    return n;
}

void queued_route_init(struct queued_route *r, struct queueds *queueds)
{
    *r = (struct queued_route){.route = {.put = queued_route_put,
                                         .flush = queued_route_flush,
                                         .send_on = queued_route_send_on,
                                         .held_bytes = queued_route_held_bytes},
                               .queueds = queueds,
                               .frame_size = QUEUED_ROUTE_FRAME_SIZE};
}

void queued_route_deinit(struct queued_route *r)
{
    for (u32 i = 0; i < r->n; i++)
        mem_free(r->frames[i]);
    mem_free(r->frames);
}
