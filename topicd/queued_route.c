#include "topicd/queued_route.h"

#include "common/base/mem.h"

/* Publications of one frame, within the reader's bound. */
#define PUBLICATIONS_A_FRAME (FRAME_PUBLICATIONS_MAX / 2)

static struct queued_route *of_route(const struct route *r)
{
    return container_of(r, struct queued_route, route);
}

/* --- this turn's frames ----------------------------------------------------------------------- */

static void close_frame(struct queued_route *r, u32 link)
{
    struct queued_frames *f = &r->frames[link];

    frame_deliver_end(&f->open->frame);
    r->closed_bytes += f->open->frame.n;
    list_push_back(&f->closed, &f->open->link);
    f->open = NULL;
}

static void begin_publication(struct queued_route *r, u32 link, struct publication *p,
                              struct completion *done)
{
    struct queued_frames *f = &r->frames[link];

    if (!f->open)
        f->open = delivery_batch_new(queued_link_next_sequence(r->links[link]));
    f->begun = true;
    f->open->publications++;
    delivery_batch_wait(f->open, done);
    struct buf *out = &f->open->frame;

    frame_publication_begin(out, &(struct frame_publication){
                                     .topic = p->topic,
                                     .message_id = str_of(p->message_id),
                                     .subject = p->subject.p ? p->subject : STR(""),
                                     .message = publication_text(p, "sqs"),
                                     .group_id = p->group_id.p ? p->group_id : STR(""),
                                     .dedup_id = STR(""),
                                     .trace_header = p->trace,
                                     .public_url = p->public_url,
                                     .time_ms = p->time_ms,
                                 });
    for (size_t i = 0; i < p->attrs.n; i++) {
        const struct filter_attr *a = &p->attrs.items[i];

        frame_put_attr(out, &(struct message_attr){a->name, a->type, a->value});
    }
    frame_publication_targets(out);
}

static void end_publication(struct queued_route *r, u32 link)
{
    struct queued_frames *f = &r->frames[link];

    f->begun = false;
    frame_publication_end(&f->open->frame);
    if (f->open->frame.n >= r->frame_size || f->open->publications >= PUBLICATIONS_A_FRAME)
        close_frame(r, link);
}

/* --- the route -------------------------------------------------------------------------------- */

/* The queue's home is remembered until the directory changes. */
static u32 home_of(struct queued_route *r, struct sub *u)
{
    if (r->link_count == 1)
        return 0;
    if (u->home_version != r->directory->version) {
        u->home = directory_home(r->directory, sub_endpoint(u));
        u->home_version = r->directory->version;
    }
    return u->home;
}

static void put_target(struct queued_route *r, const struct sub *u, u32 link, size_t text_size)
{
    struct buf *out = &r->frames[link].open->frame;

    frame_put_target(
        out, &(struct frame_target){.queue = sub_endpoint(u),
                                    .subscription = u->arn,
                                    .form = u->raw ? PUBLICATION_RAW : PUBLICATION_WRAPPED});
    /* So many targets that the message travels again with the rest of them. */
    if (UNLIKELY(out->n > text_size + 2 * r->frame_size))
        end_publication(r, link);
}

static void queued_route_put(struct route *route, struct publication *p, struct sub *const *subs,
                             size_t n, struct completion *done)
{
    struct queued_route *r = of_route(route);
    size_t text_size = publication_text(p, "sqs").n;
    /* SQS takes no more attributes: the service counts it as the subscriber's mistake and does not
     * try again (Amazon SNS raw message delivery). */
    bool takes_raw = p->attrs.n <= ATTR_RAW_MAX;

    for (size_t i = 0; i < n; i++) {
        struct sub *u = subs[i];

        if (u->raw && !takes_raw) {
            r->refused_raw++;
            continue;
        }
        u32 link = home_of(r, u);

        if (!r->frames[link].begun)
            begin_publication(r, link, p, done);
        put_target(r, u, link, text_size);
    }
    for (u32 i = 0; i < r->link_count; i++)
        if (r->frames[i].begun)
            end_publication(r, i);
}

static void queued_route_flush(struct route *route, int err)
{
    struct queued_route *r = of_route(route);

    for (u32 i = 0; i < r->link_count; i++) {
        struct list *closed = &r->frames[i].closed;

        if (r->frames[i].open)
            close_frame(r, i);
        while (!list_is_empty(closed)) {
            struct delivery_batch *one = list_item(closed->next, struct delivery_batch, link);

            list_remove(&one->link);
            if (err)
                delivery_batch_end(one, err);
            else
                queued_link_take(r->links[i], one);
        }
    }
    r->closed_bytes = 0;
}

static bool queued_route_send_on(struct route *route)
{
    struct queued_route *r = of_route(route);

    for (u32 i = 0; i < r->link_count; i++)
        queued_link_pump(r->links[i]);
    return false; /* what was read calls for the next turn itself */
}

static u64 queued_route_held_bytes(const struct route *route)
{
    const struct queued_route *r = of_route(route);
    u64 n = r->closed_bytes;

    for (u32 i = 0; i < r->link_count; i++)
        n += r->links[i]->unacked_bytes + (r->frames[i].open ? r->frames[i].open->frame.n : 0);
    return n;
}

void queued_route_init(struct queued_route *r, struct directory *d, struct queued_link **links,
                       u32 link_count)
{
    *r = (struct queued_route){.route = {.put = queued_route_put,
                                         .flush = queued_route_flush,
                                         .send_on = queued_route_send_on,
                                         .held_bytes = queued_route_held_bytes},
                               .directory = d,
                               .links = links,
                               .link_count = link_count,
                               .frame_size = QUEUED_ROUTE_FRAME_SIZE};
    r->frames = mem_array(link_count, sizeof(*r->frames));
    for (u32 i = 0; i < link_count; i++)
        list_init(&r->frames[i].closed);
}

void queued_route_deinit(struct queued_route *r)
{
    mem_free(r->frames);
}
