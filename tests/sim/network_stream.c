/* common/io/stream.h over the simulated network. What comes for a port is noted there, and told to
 * its owner in the next turn of his loop, as an eventfd would wake it. */
#include "tests/sim/network_pipe.h"

#include "common/base/mem.h"
#include "tests/sim/chance.h"

/* Bytes that a connection takes before its reader has them. */
#define SOCKET_SIZE (256u << 10)
/* One piece in so many is cut off at some place. */
#define PIECE_ONE_IN 8

struct stream {
    struct list link; /* stream_port.streams */
    struct stream_port *port;
    struct pipe *pipe; /* NULL: severed */
    int end;
    struct buf out, got;
    bool is_told; /* `opened` */
    bool at_end;  /* nothing more comes */
    bool closed;
    void *data;
};

struct stream_port {
    struct list link; /* of its incarnation */
    struct incarnation *owner;
    struct loop *loop;
    struct stream_events events;
    struct list listening; /* on listeners; nobody listens when it is on none */
    char *url;
    u32 timeout_ms;
    struct event dial; /* set while a dial is under way */
    bool dial_failed;
    struct list streams;
    struct loop_timer wake;
};

static struct list listeners;

void network_streams_begin(void)
{
    list_init(&listeners);
}

/* The owner's next turn looks at the port. */
static void port_wake(struct stream_port *p)
{
    loop_timer_set_real(p->loop, &p->wake, 0);
    node_poke(p->owner);
}

/* --- streams ---------------------------------------------------------------------------------- */

static struct stream *stream_new(struct stream_port *p, int end)
{
    struct stream *s = mem_alloc(sizeof(*s));

    s->port = p;
    s->end = end;
    list_push_back(&p->streams, &s->link);
    return s;
}

static void stream_sever(struct stream *s, bool silently)
{
    if (s->pipe)
        pipe_leave(s->pipe, s->end, silently);
    s->pipe = NULL;
}

static void stream_free(struct stream *s)
{
    stream_sever(s, false);
    list_remove(&s->link);
    buf_deinit(&s->out);
    buf_deinit(&s->got);
    mem_free(s);
}

void stream_close(struct stream *s)
{
    if (s->closed)
        return;
    s->closed = true;
    stream_sever(s, false);
    port_wake(s->port);
}

const char *stream_peer(const struct stream *s, char ret[STREAM_NAME_SIZE])
{
    snprintf(ret, STREAM_NAME_SIZE, "the other end");
    return ret;
}

bool stream_peer_uid(const struct stream *s, u64 *ret)
{
    return false;
}

void stream_set_data(struct stream *s, void *data)
{
    s->data = data;
}

void *stream_data(const struct stream *s)
{
    return s->data;
}

struct buf *stream_out(struct stream *s)
{
    return &s->out;
}

u64 stream_waiting(const struct stream *s)
{
    return s->out.n;
}

void stream_flush(struct stream *s)
{
    size_t sent = 0;

    if (s->closed || !s->pipe)
        return;
    while (sent < s->out.n && s->pipe->under_way[s->end] < SOCKET_SIZE) {
        size_t n = MIN(s->out.n - sent, SOCKET_SIZE - s->pipe->under_way[s->end]);

        if (chance_one_in(CHANCE_NETWORK, PIECE_ONE_IN))
            n = (size_t)chance_between(CHANCE_NETWORK, 1, (i64)n);
        pipe_put(s->pipe, s->end, str_from(s->out.p + sent, n));
        sent += n;
    }
    if (sent && sent < s->out.n)
        memmove(s->out.p, s->out.p + sent, s->out.n - sent);
    s->out.n -= sent;
}

void network_arrived(struct stream *to, str bytes, bool end)
{
    buf_str(&to->got, bytes);
    to->at_end = to->at_end || end;
    port_wake(to->port);
}

void network_may_send(struct stream *s)
{
    if (s->out.n)
        port_wake(s->port);
}

/* Tells what came; the stream may be closed by it. */
static void stream_tell(struct stream *s)
{
    struct stream_events *e = &s->port->events;
    size_t want = 0, taken;

    if (!s->is_told) {
        s->is_told = true;
        e->opened(e->arg, s);
    }
    if (!s->closed && s->got.n) {
        taken = e->bytes(e->arg, s, buf_view(&s->got), &want);
        assert(taken <= s->got.n);
        if (taken < s->got.n)
            memmove(s->got.p, s->got.p + taken, s->got.n - taken);
        s->got.n -= taken;
    }
    if (!s->closed && s->at_end) {
        stream_close(s);
        e->closed(e->arg, s);
    }
    stream_flush(s);
}

/* --- ports ------------------------------------------------------------------------------------ */

static void port_due(struct loop_timer *t)
{
    struct stream_port *p = t->arg;

    list_each(at, next, &p->streams) {
        struct stream *s = list_item(at, struct stream, link);

        if (!s->closed)
            stream_tell(s);
    }
    if (p->dial_failed) {
        p->dial_failed = false;
        p->events.failed(p->events.arg);
    }
    list_each(at, next, &p->streams) {
        struct stream *s = list_item(at, struct stream, link);

        if (s->closed)
            stream_free(s);
    }
}

static struct stream_port *listener_of(const char *url)
{
    list_each(at, next, &listeners) {
        struct stream_port *p = list_item(at, struct stream_port, listening);

        if (strcmp(p->url, url) == 0)
            return p;
    }
    return NULL;
}

static void connect_streams(struct stream_port *dialer, struct stream_port *listener)
{
    struct stream *ends[2] = {stream_new(dialer, 0), stream_new(listener, 1)};
    struct pipe *p = pipe_new(network_find(dialer->url), ends[0], ends[1]);

    for (int i = 0; i < 2; i++) {
        ends[i]->pipe = p;
        p->nodes[i] = ends[i]->port->owner->node;
        port_wake(ends[i]->port);
    }
}

struct pipe *network_connect(struct route *r, const char *url)
{
    struct stream_port *listener = listener_of(url);
    struct pipe *p;

    if (!listener)
        return NULL;
    struct stream *end = stream_new(listener, 1);

    p = end->pipe = pipe_new(r, NULL, end);
    p->nodes[1] = listener->owner->node;
    port_wake(listener);
    return p;
}

/* A dial came to its end, well or not. */
static void dial_due(struct event *e)
{
    struct stream_port *p = e->arg, *listener = listener_of(p->url);
    struct route *r = network_find(p->url);

    if (listener && !network_is_closed(r) && !network_is_held(r)) {
        connect_streams(p, listener);
        return;
    }
    p->dial_failed = true;
    port_wake(p);
}

void stream_dial(struct stream_port *p)
{
    const struct route *r = network_find(p->url);

    assert(!world_is_set(&p->dial) && !p->dial_failed);
    if (p->owner->over)
        return;
    world_after(&p->dial,
                network_is_held(r) ? (i64)p->timeout_ms * 1000 : 2 * network_latency_us(r));
}

static struct stream_port *port_new(struct loop *l, const char *url, struct stream_events events)
{
    struct stream_port *p = mem_alloc(sizeof(*p));

    p->owner = node_running();
    p->loop = l;
    p->url = mem_dup(str_of(url));
    p->events = events;
    p->dial = (struct event){.run = dial_due, .arg = p};
    p->wake = (struct loop_timer){.due = port_due, .arg = p};
    list_init(&p->streams);
    list_init(&p->listening);
    list_push_back(&p->owner->ports, &p->link);
    return p;
}

int stream_listen(struct stream_port **ret, struct loop *l, const char *url,
                  struct stream_events events, struct fault *f)
{
    struct stream_port *p = port_new(l, url, events);

    if (!p->owner->over)
        list_push_back(&listeners, &p->listening);
    *ret = p;
    return 0;
}

int stream_dialer(struct stream_port **ret, struct loop *l, const char *url, u32 timeout_ms,
                  struct stream_events events, struct fault *f)
{
    struct stream_port *p = port_new(l, url, events);

    p->timeout_ms = timeout_ms;
    *ret = p;
    return 0;
}

void stream_port_close(struct stream_port *p)
{
    if (!p)
        return;
    list_each(at, next, &p->streams)
        stream_free(list_item(at, struct stream, link));
    world_cancel(&p->dial);
    loop_timer_clear(p->loop, &p->wake);
    list_remove(&p->listening);
    list_remove(&p->link);
    mem_free(p->url);
    mem_free(p);
}

/* --- the end of an incarnation ---------------------------------------------------------------- */

void network_sever(struct incarnation *of, bool silently)
{
    list_each(at, next, &of->ports) {
        struct stream_port *p = list_item(at, struct stream_port, link);

        world_cancel(&p->dial);
        list_remove(&p->listening);
        list_each(item, after, &p->streams)
            stream_sever(list_item(item, struct stream, link), silently);
    }
}

void network_is_up(struct node *n)
{
    network_broken(n);
}
