/* A link over a byte stream: every frame goes as its u32 length, little-endian, and its bytes. The
 * heartbeat is a length of zero without bytes.
 *
 * Invariants: (1) the owner hears up and down in turns, and frames only between them, of that pipe
 * only; (2) behind link_hang_up nothing of the pipe is heard and nothing is sent on it. */
#include "common/io/link.h"

#include <endian.h>

#include "common/base/mem.h"
#include "common/io/stream.h"

#define LINK_LENGTH_SIZE 4

const struct link_limits LINK_LIMITS_DEFAULT = {
    .frame_size_max = 64u << 20,
    .heartbeat_ms = 1000,
    .silence_max_ms = 5000,
    .reconnect_min_ms = 10,
    .reconnect_max_ms = 250,
    .waiting_size_max = 64u << 20,
};

struct link {
    struct loop *loop;
    struct link_limits limits;
    struct link_events events;
    struct stream_port *port;
    struct stream *pipe; /* the one that stands; NULL: down */
    bool dials;
    bool hung_up;            /* on that pipe */
    bool sent;               /* something, since the last tick */
    i64 heard_ms;            /* mono */
    u32 retry_ms;            /* before the next dial */
    struct loop_timer retry; /* dials again */
    struct loop_timer tick;  /* heartbeat and silence */
    struct loop_timer end;   /* tells of what was hung up */
};

/* --- up and down ------------------------------------------------------------------------------ */

static i64 mono_ms(const struct link *k)
{
    return loop_clock(k->loop)->mono_ms;
}

static void retry_due(struct loop_timer *t)
{
    struct link *k = t->arg;

    stream_dial(k->port);
}

static void retry_later(struct link *k)
{
    loop_timer_set_real(k->loop, &k->retry, mono_ms(k) + k->retry_ms);
    k->retry_ms = MIN(k->retry_ms * 2, k->limits.reconnect_max_ms);
}

static void on_failed(void *arg)
{
    retry_later(arg);
}

static void on_opened(void *arg, struct stream *s)
{
    struct link *k = arg;

    if (k->pipe) {
        stream_close(s);
        return;
    }
    k->pipe = s;
    k->hung_up = k->sent = false;
    k->heard_ms = mono_ms(k);
    loop_timer_set_real(k->loop, &k->tick, k->heard_ms + k->limits.heartbeat_ms);
    k->events.up(k->events.arg);
}

/* The pipe is closed already, or closed here. */
static void link_down(struct link *k)
{
    stream_close(k->pipe);
    k->pipe = NULL;
    loop_timer_clear(k->loop, &k->tick);
    loop_timer_clear(k->loop, &k->end);
    if (k->dials)
        retry_later(k);
    k->events.down(k->events.arg);
}

static void on_closed(void *arg, struct stream *s)
{
    struct link *k = arg;

    assert(s == k->pipe);
    link_down(k);
}

static void end_due(struct loop_timer *t)
{
    link_down(t->arg);
}

void link_hang_up(struct link *k)
{
    if (!k->pipe || k->hung_up)
        return;
    k->hung_up = true;
    loop_timer_set_real(k->loop, &k->end, mono_ms(k));
}

/* --- frames ----------------------------------------------------------------------------------- */

/* Lets the owner hear every whole frame. */
static size_t on_bytes(void *arg, struct stream *s, str got, size_t *want)
{
    struct link *k = arg;
    str rest = got;
    u32 size;

    k->heard_ms = mono_ms(k);
    k->retry_ms = k->limits.reconnect_min_ms; /* there is somebody, not just an open door */
    while (!k->hung_up && rest.n >= LINK_LENGTH_SIZE) {
        memcpy(&size, rest.p, sizeof(size));
        size = le32toh(size);
        if (size > k->limits.frame_size_max) {
            link_hang_up(k);
            break;
        }
        if (rest.n - LINK_LENGTH_SIZE < size) {
            *want = LINK_LENGTH_SIZE + size - rest.n;
            break;
        }
        str frame = str_slice(rest, LINK_LENGTH_SIZE, LINK_LENGTH_SIZE + size);

        rest = str_slice(rest, LINK_LENGTH_SIZE + size, rest.n);
        if (frame.n)
            k->events.frame(k->events.arg, frame);
    }
    return k->hung_up ? got.n : got.n - rest.n;
}

static void link_put(struct link *k, str frame)
{
    struct buf *out = stream_out(k->pipe);
    u32 size = htole32((u32)frame.n);

    buf_add(out, &size, sizeof(size));
    buf_str(out, frame);
    k->sent = true;
    stream_flush(k->pipe);
}

int link_send(struct link *k, struct buf *frame)
{
    assert(frame->n > 0);
    int r = !k->pipe ? E_DOWN : frame->n > k->limits.frame_size_max ? E_TOO_LARGE : 0;

    if (r == 0 && !k->hung_up)
        link_put(k, buf_view(frame));
    buf_deinit(frame);
    return r;
}

static void tick_due(struct loop_timer *t)
{
    struct link *k = t->arg;
    i64 now = mono_ms(k);

    if (loop_is_full(k->loop))
        k->heard_ms = now; /* nothing is read at the moment, so nobody is silent */
    if (now - k->heard_ms > k->limits.silence_max_ms) {
        link_down(k);
        return;
    }
    if (!k->sent && !k->hung_up)
        link_put(k, STR(""));
    k->sent = false;
    loop_timer_set_real(k->loop, t, now + k->limits.heartbeat_ms);
}

bool link_is_up(const struct link *k)
{
    return k->pipe != NULL;
}

bool link_is_full(const struct link *k)
{
    return k->pipe && stream_waiting(k->pipe) > k->limits.waiting_size_max;
}

/* --- life ------------------------------------------------------------------------------------- */

static struct link *link_new(struct loop *l, const struct link_limits *limits,
                             struct link_events events)
{
    struct link *k = mem_alloc(sizeof(*k));

    assert(events.up && events.down && events.frame);
    assert(limits->heartbeat_ms > 0 && limits->silence_max_ms > limits->heartbeat_ms);
    assert(limits->reconnect_min_ms > 0);
    k->loop = l;
    k->limits = *limits;
    k->events = events;
    k->retry_ms = limits->reconnect_min_ms;
    k->tick = (struct loop_timer){.due = tick_due, .arg = k};
    k->retry = (struct loop_timer){.due = retry_due, .arg = k};
    k->end = (struct loop_timer){.due = end_due, .arg = k};
    return k;
}

static struct stream_events events_of(struct link *k)
{
    return (struct stream_events){.opened = on_opened,
                                  .bytes = on_bytes,
                                  .closed = on_closed,
                                  .failed = k->dials ? on_failed : NULL,
                                  .arg = k};
}

int link_dial(struct link **ret, struct loop *l, const char *url, const struct link_limits *limits,
              struct link_events events, struct fault *f)
{
    struct link *k = link_new(l, limits, events);
    int r;

    k->dials = true;
    r = stream_dialer(&k->port, l, url, limits->silence_max_ms, events_of(k), f);
    if (r < 0) {
        link_close(k);
        return r;
    }
    stream_dial(k->port);
    *ret = k;
    return 0;
}

int link_listen(struct link **ret, struct loop *l, const char *url,
                const struct link_limits *limits, struct link_events events, struct fault *f)
{
    struct link *k = link_new(l, limits, events);
    int r = stream_listen(&k->port, l, url, events_of(k), f);

    if (r < 0) {
        link_close(k);
        return r;
    }
    *ret = k;
    return 0;
}

void link_close(struct link *k)
{
    if (!k)
        return;
    loop_timer_clear(k->loop, &k->tick);
    loop_timer_clear(k->loop, &k->retry);
    loop_timer_clear(k->loop, &k->end);
    stream_port_close(k->port);
    mem_free(k);
}
