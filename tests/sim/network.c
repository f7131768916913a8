/* Routes, and the pipes on them: two ends and a way in each direction. See network_stream.c for the
 * ends as the daemons see them.
 *
 * Invariants: (1) segments of one way arrive in the order in which they were sent; (2) an end that
 * is NULL is gone, and what arrives there is dropped; (3) a pipe lives as long as its ends and the
 * segments that are under way on it. */
#include "tests/sim/network_pipe.h"

#include "common/base/mem.h"
#include "tests/sim/chance.h"
#include "tests/sim/record.h"

#define LATENCY_MIN_US 30
#define LATENCY_MAX_US 400
/* Bytes a microsecond: 1 GB/s. */
#define BANDWIDTH 1000
#define CUT_US    2000

struct route {
    struct list link;
    char *url;
    bool cut;
    bool hold[2];
    i64 slow_us;
    struct buf opening;  /* how the last connection began */
    struct list held[2]; /* struct segment, in their order */
    struct list pipes;
};

struct segment {
    struct event arrive;
    struct list link;
    struct pipe *pipe;
    int way;
    bool end; /* the last one: the sender closed */
    struct buf bytes;
};

u64 network_bytes, network_connections, network_truncated, network_doubled;
static struct list routes;

void network_begin(void)
{
    list_init(&routes);
    network_streams_begin();
}

void network_route(const char *url)
{
    struct route *r = mem_alloc(sizeof(*r));

    r->url = mem_dup(str_of(url));
    list_init(&r->held[0]);
    list_init(&r->held[1]);
    list_init(&r->pipes);
    list_push_back(&routes, &r->link);
}

struct route *network_find(const char *url)
{
    list_each(at, next, &routes) {
        struct route *r = list_item(at, struct route, link);

        if (strcmp(r->url, url) == 0)
            return r;
    }
    world_fail("nobody knows the address %s", url);
}

bool network_is_closed(const struct route *r)
{
    return r->cut;
}

bool network_is_held(const struct route *r)
{
    return r->hold[0] || r->hold[1];
}

i64 network_latency_us(const struct route *r)
{
    return r->slow_us + chance_between(CHANCE_NETWORK, LATENCY_MIN_US, LATENCY_MAX_US);
}

/* --- pipes ------------------------------------------------------------------------------------ */

struct pipe *pipe_new(struct route *r, struct stream *dialer, struct stream *listener)
{
    struct pipe *p = mem_alloc(sizeof(*p));

    p->route = r;
    p->ends[0] = dialer;
    p->ends[1] = listener;
    p->refs = 2;
    list_push_back(&r->pipes, &p->link);
    network_connections++;
    return p;
}

static void pipe_unref(struct pipe *p)
{
    if (--p->refs > 0)
        return;
    list_remove(&p->link);
    mem_free(p);
}

static void segment_free(struct segment *s)
{
    struct pipe *p = s->pipe;

    world_cancel(&s->arrive);
    if (s->link.next)
        list_remove(&s->link);
    p->under_way[s->way] -= s->bytes.n;
    buf_deinit(&s->bytes);
    mem_free(s);
    pipe_unref(p);
}

static void segment_arrives(struct event *e)
{
    struct segment *s = e->arg;
    struct pipe *p = s->pipe;
    struct stream *to = p->ends[!s->way];

    if (p->route->hold[s->way]) {
        list_push_back(&p->route->held[s->way], &s->link);
        return;
    }
    if (to && !p->broken)
        network_arrived(to, buf_view(&s->bytes), s->end);
    if (p->ends[s->way])
        network_may_send(p->ends[s->way]);
    segment_free(s);
}

static void pipe_send(struct pipe *p, int way, str bytes, bool end)
{
    struct segment *s = mem_alloc(sizeof(*s));
    i64 at_us = world_now_us() + network_latency_us(p->route) + (i64)bytes.n / BANDWIDTH;

    *s = (struct segment){
        .arrive = {.run = segment_arrives, .arg = s}, .pipe = p, .way = way, .end = end};
    buf_str(&s->bytes, bytes);
    p->under_way[way] += bytes.n;
    p->last_us[way] = MAX(p->last_us[way], at_us);
    p->refs++;
    network_bytes += bytes.n;
    record_fold_bytes(bytes.p, bytes.n);
    world_at(&s->arrive, p->last_us[way]);
}

static void pipe_put_truncated(struct pipe *p, int way, str bytes)
{
    network_truncated++;
    p->truncated[way] = true;
    pipe_send(p, way, str_slice(bytes, 0, chance_below(CHANCE_NETWORK, bytes.n + 1)), true);
}

void pipe_put(struct pipe *p, int way, str bytes)
{
    if (way == NETWORK_FROM_DIALER && !p->opened) {
        p->opened = true;
        buf_reset(&p->route->opening);
        buf_str(&p->route->opening, bytes);
    }
    if (p->truncated[way])
        return;
    if (p->truncate[way])
        pipe_put_truncated(p, way, bytes);
    else
        pipe_send(p, way, bytes, false);
}

void pipe_leave(struct pipe *p, int end, bool silently)
{
    p->ends[end] = NULL;
    if (silently)
        p->silent = true;
    else
        pipe_send(p, end, STR(""), true);
    pipe_unref(p);
}

/* Both ends learn that it is over; what is under way is lost. */
static void pipe_break(struct pipe *p)
{
    p->broken = true;
    for (int end = 0; end < 2; end++)
        if (p->ends[end])
            network_arrived(p->ends[end], STR(""), true);
}

void network_broken(struct node *n)
{
    list_each(at, next, &routes) {
        struct route *r = list_item(at, struct route, link);

        list_each(item, after, &r->pipes) {
            struct pipe *p = list_item(item, struct pipe, link);

            if (p->silent && (p->nodes[0] == n || p->nodes[1] == n))
                pipe_break(p);
        }
    }
}

/* --- trouble ---------------------------------------------------------------------------------- */

void network_cut(const char *url, bool cut)
{
    struct route *r = network_find(url);

    record(url, cut ? "is cut" : "is whole again");
    r->cut = cut;
    list_each(at, next, &r->pipes)
        if (cut)
            pipe_break(list_item(at, struct pipe, link));
}

void network_hold(const char *url, enum network_way way, bool hold)
{
    struct route *r = network_find(url);

    record(url, hold ? "holds back what goes %s" : "lets through what goes %s",
           way == NETWORK_FROM_DIALER ? "there" : "back");
    r->hold[way] = hold;
    while (!hold && !list_is_empty(&r->held[way])) {
        struct segment *s = list_item(r->held[way].next, struct segment, link);

        list_remove(&s->link);
        segment_arrives(&s->arrive);
    }
}

void network_truncate(const char *url, enum network_way way)
{
    record(url, "is cut off in what goes %s next", way == NETWORK_FROM_DIALER ? "there" : "back");
    list_each(at, next, &network_find(url)->pipes)
        list_item(at, struct pipe, link)->truncate[way] = true;
}

void network_double(const char *url)
{
    struct route *r = network_find(url);
    struct pipe *p = r->cut || network_is_held(r) ? NULL : network_connect(r, url);
    str bytes = buf_view(&r->opening);
    bool silently = chance_one_in(CHANCE_NETWORK, 2);

    if (!p)
        return;
    network_doubled++;
    bytes = str_slice(bytes, 0, chance_below(CHANCE_NETWORK, bytes.n + 1));
    record(url, "has another connection, of %zu bytes, which %s", bytes.n,
           silently ? "falls silent" : "ends");
    pipe_send(p, 0, bytes, false);
    pipe_leave(p, 0, silently);
}

void network_slow(const char *url, i64 latency_us)
{
    record(url, "takes %" PRId64 " us more", latency_us);
    network_find(url)->slow_us = latency_us;
}

static void route_free(struct route *r)
{
    for (int way = 0; way < 2; way++)
        list_each(at, next, &r->held[way])
            segment_free(list_item(at, struct segment, link));
    assert(list_is_empty(&r->pipes));
    list_remove(&r->link);
    buf_deinit(&r->opening);
    mem_free(r->url);
    mem_free(r);
}

void network_end(void)
{
    list_each(at, next, &routes)
        route_free(list_item(at, struct route, link));
}
