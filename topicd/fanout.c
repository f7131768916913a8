#include "topicd/fanout.h"

#define FANOUT_CAP_MIN 64

static void flush_run(struct loop_later *later, int err);
static void resume_run(struct loop_later *later, int err);

void fanout_init(struct fanout *f, struct loop *l, u64 held_bytes_max)
{
    *f = (struct fanout){.loop = l, .held_bytes_max = held_bytes_max};
    f->flush.run = flush_run;
    f->resume.run = resume_run;
    list_init(&f->parked);
}

void fanout_deinit(struct fanout *f)
{
    assert(list_is_empty(&f->parked) && !f->scheduled);
    filter_hits_deinit(&f->hits);
    for (u32 k = 0; k < ROUTE_KINDS; k++)
        mem_free(f->groups[k].subs);
}

void fanout_add_route(struct fanout *f, enum route_kind kind, struct route *r)
{
    assert(kind < ROUTE_KINDS && !f->routes[kind]);
    f->routes[kind] = r;
}

/* --- publishing ------------------------------------------------------------------------------- */

static void group_add(struct fanout_group *g, struct sub *u)
{
    if (UNLIKELY(g->n == g->cap)) {
        g->cap = MAX(2 * g->cap, (size_t)FANOUT_CAP_MIN);
        g->subs = mem_grow(g->subs, g->cap * sizeof(*g->subs));
    }
    g->subs[g->n++] = u;
}

/* Groups the matching subscriptions by route. */
static void group_hits(struct fanout *f, const struct topic *t)
{
    const struct filter_hits *hits = &f->hits;

    for (u32 k = 0; k < ROUTE_KINDS; k++)
        f->groups[k].n = 0;
    for (size_t i = 0; i < hits->n; i++) {
        const struct filter_span *span = &hits->spans[i];

        for (u32 k = 0; k < span->n; k++) {
            struct sub *u = slots_get(&t->subs, span->ids[k]);

            assert(u);
            group_add(&f->groups[u->route], u);
        }
    }
}

void fanout_publish(struct fanout *f, struct topic *t, struct publication *p,
                    struct completion *done)
{
    f->published++;
    if (t->subs.n == 0)
        return;
    /* A policy on the body is matched against the text for the sqs protocol. */
    struct filter_message message = {p->attrs.items, p->attrs.n, publication_text(p, "sqs")};

    matcher_match(t->matcher, &message, &f->hits);
    f->matched += f->hits.total;
    f->filtered_out += t->subs.n - t->pending_count - f->hits.total;
    if (f->hits.total == 0)
        return;
    group_hits(f, t);
    for (u32 k = 0; k < ROUTE_KINDS; k++)
        if (f->routes[k] && f->groups[k].n)
            f->routes[k]->put(f->routes[k], p, f->groups[k].subs, f->groups[k].n, done);
    if (!f->scheduled)
        loop_later(f->loop, &f->flush);
    f->scheduled = true;
}

/* Sends everything that was put in this turn, or drops it when the turn's commit failed. */
static void flush_run(struct loop_later *later, int err)
{
    struct fanout *f = container_of(later, struct fanout, flush);

    f->scheduled = false;
    for (u32 k = 0; k < ROUTE_KINDS; k++)
        if (f->routes[k])
            f->routes[k]->flush(f->routes[k], err);
    /* Stored and dropped batches free memory without an acknowledgement. */
    fanout_freed(f);
}

bool fanout_send_on(struct fanout *f)
{
    bool more = false;

    for (u32 k = 0; k < ROUTE_KINDS; k++)
        if (f->routes[k])
            more = f->routes[k]->send_on(f->routes[k]) || more;
    return more;
}

/* --- publishes that wait for memory ----------------------------------------------------------- */

u64 fanout_held_bytes(const struct fanout *f)
{
    u64 n = 0;

    for (u32 k = 0; k < ROUTE_KINDS; k++)
        if (f->routes[k])
            n += f->routes[k]->held_bytes(f->routes[k]);
    return n;
}

static void cancel_parked(struct call *c)
{
    list_remove(&c->link);
    call_done(c);
}

bool fanout_park(struct fanout *f, struct call *c)
{
    bool full = fanout_held_bytes(f) >= f->held_bytes_max;

    if (!full && (f->resuming || list_is_empty(&f->parked)))
        return false;
    /* A resumed call that meets the limit again keeps its place at the head. */
    if (f->resuming)
        list_push_front(&f->parked, &c->link);
    else
        list_push_back(&f->parked, &c->link);
    c->cancel = cancel_parked;
    return true;
}

static struct call *take_parked(struct fanout *f)
{
    struct call *c = list_item(f->parked.next, struct call, link);

    list_remove(&c->link);
    c->cancel = NULL;
    return c;
}

static void resume_run(struct loop_later *later, int err)
{
    struct fanout *f = container_of(later, struct fanout, resume);

    f->resuming = true;
    while (!list_is_empty(&f->parked) && fanout_held_bytes(f) < f->held_bytes_max) {
        struct call *c = take_parked(f);

        c->action->run(c);
    }
    f->resuming = false;
}

void fanout_freed(struct fanout *f)
{
    if (list_is_empty(&f->parked) || (f->resume.link.next && !list_is_empty(&f->resume.link)))
        return;
    loop_later(f->loop, &f->resume);
}

void fanout_refuse_parked(struct fanout *f)
{
    while (!list_is_empty(&f->parked))
        call_fail(take_parked(f), CALL_FAULT_UNAVAILABLE, "The service is stopping. Try again.");
}
