/* A link over a byte stream: after the greeting every frame is sent as its u32 length,
 * little-endian, and its bytes. The heartbeat is a length of zero without bytes.
 *
 *     stream ──opened──> guest ──greeted──> pipe ──closed, silent, hung up──> gone
 *                          └──wrong key, too late, replaced by newer ones──> gone
 *
 * Invariants: (1) up and down are reported alternately, and frames only between them, of that pipe
 * only; (2) after link_hang_up no event of the pipe is reported and nothing is sent on it; (3) a
 * stream is the pipe or has a guest, which is on `guests` in order of arrival. */
#include "common/io/link.h"

#include <endian.h>
#include <unistd.h>

#include "common/base/list.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/io/link_greeting.h"
#include "common/io/stream.h"

#define LINK_LENGTH_SIZE 4
/* Streams in the greeting at once; one more replaces the oldest. */
#define LINK_GUESTS_MAX 16
/* Interval between log lines about refused peers. */
#define LINK_TELL_MS 1000

const struct link_limits LINK_LIMITS_DEFAULT = {
    .frame_size_max = 64u << 20,
    .heartbeat_ms = 1000,
    .silence_max_ms = 5000,
    .reconnect_min_ms = 10,
    .reconnect_max_ms = 250,
    .waiting_size_max = 64u << 20,
    .greeting_max_ms = 2000,
    .key = STR_INIT(""),
};

/* A stream whose greeting is not complete. */
struct guest {
    struct list link; /* link.guests */
    struct stream *stream;
    i64 due_ms; /* mono: closed then */
    struct link_greeting greeting;
};

struct link {
    struct loop *loop;
    struct link_limits limits;
    struct link_events events;
    struct stream_port *port;
    char *url;
    struct id_source own_chance; /* used unless one is given */
    struct list guests;
    u32 guest_count;
    struct loop_timer guests_end; /* the oldest is due */
    i64 told_ms;                  /* mono: when a refusal was last logged */
    u64 refused, refused_told;    /* since start; those of them that were logged or counted in a
                                   * line */
    struct stream *pipe;          /* the present one; NULL: down */
    bool dials;
    bool hung_up;            /* on that pipe */
    bool sent;               /* something was sent since the last tick */
    i64 heard_ms;            /* mono */
    u32 retry_ms;            /* before the next dial */
    struct loop_timer retry; /* dials again */
    struct loop_timer tick;  /* heartbeat and silence */
    struct loop_timer end;   /* reports the pipe that was hung up */
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

/* --- guests ----------------------------------------------------------------------------------- */

/* Repeated refusals are logged at a bounded rate; those in between are counted. */
static void link_tell(struct link *k, const struct stream *s, const char *why)
{
    char name[STREAM_NAME_SIZE];
    i64 now = mono_ms(k);

    k->refused++;
    if (k->told_ms && now - k->told_ms < LINK_TELL_MS)
        return;
    log_warning("a peer is refused on the link url=%s peer=%s refused=%" PRIu64 ": %s", k->url,
                stream_peer(s, name), k->refused - k->refused_told, why);
    k->told_ms = now;
    k->refused_told = k->refused;
}

static void guests_arm(struct link *k)
{
    if (list_is_empty(&k->guests))
        loop_timer_clear(k->loop, &k->guests_end);
    else
        loop_timer_set_real(k->loop, &k->guests_end,
                            list_item(k->guests.next, struct guest, link)->due_ms);
}

/* Its stream is the caller's to close, or to keep. */
static void guest_free(struct link *k, struct guest *g)
{
    list_remove(&g->link);
    k->guest_count--;
    mem_free(g);
    guests_arm(k);
}

static void guest_refuse(struct link *k, struct guest *g, const char *why)
{
    struct stream *s = g->stream;

    link_tell(k, s, why);
    guest_free(k, g);
    stream_close(s);
    if (k->dials)
        retry_later(k);
}

static void guests_due(struct loop_timer *t)
{
    struct link *k = t->arg;

    while (!list_is_empty(&k->guests)) {
        struct guest *g = list_item(k->guests.next, struct guest, link);

        if (loop_is_full(k->loop)) /* nothing is read at the moment, so no greeting can arrive */
            g->due_ms = mono_ms(k) + k->limits.greeting_max_ms;
        if (g->due_ms > mono_ms(k))
            break;
        guest_refuse(k, g, "it did not greet in time");
    }
    guests_arm(k);
}

/* Whether a process of another user is at the other end of a Unix-domain socket. */
static bool is_foreign(const struct link *k, const struct stream *s)
{
    u64 uid;

    if (k->limits.key.n || link_is_open_to_all(k->url))
        return false;
    return stream_peer_uid(s, &uid) && uid != geteuid() && uid != 0;
}

static void link_on_opened(void *arg, struct stream *s)
{
    struct link *k = arg;
    struct guest *g = mem_alloc(sizeof(*g));

    g->stream = s;
    g->due_ms = mono_ms(k) + k->limits.greeting_max_ms;
    list_push_back(&k->guests, &g->link);
    k->guest_count++;
    stream_set_data(s, g);
    if (is_foreign(k, s)) {
        guest_refuse(k, g, "its process belongs to another user");
        return;
    }
    link_greeting_begin(&g->greeting, k->dials, k->limits.key,
                        k->limits.chance ? k->limits.chance : &k->own_chance, stream_out(s));
    stream_flush(s);
    if (k->guest_count > LINK_GUESTS_MAX)
        guest_refuse(k, list_item(k->guests.next, struct guest, link),
                     "newer ones connected before it had greeted");
    guests_arm(k);
}

static void link_begin(struct link *k, struct stream *s)
{
    k->pipe = s;
    k->hung_up = k->sent = false;
    k->heard_ms = mono_ms(k);
    k->retry_ms = k->limits.reconnect_min_ms;
    loop_timer_set_real(k->loop, &k->tick, k->heard_ms + k->limits.heartbeat_ms);
    k->events.up(k->events.arg);
}

/* Reads the greeting; returns the bytes consumed; *ret_up: the stream is the pipe now. */
static size_t guest_read(struct link *k, struct guest *g, str got, bool *ret_up)
{
    struct stream *s = g->stream;
    enum link_greeting_state state;
    size_t taken, all = 0;

    *ret_up = false;
    do { /* the dialer receives two messages, perhaps at once */
        state = link_greeting_read(&g->greeting, str_slice(got, all, got.n), &taken, stream_out(s));
        all += taken;
    } while (state == LINK_GREETING_MORE && taken);
    stream_flush(s);
    if (state == LINK_GREETING_ALIEN)
        guest_refuse(k, g, "it uses another protocol or version");
    else if (state == LINK_GREETING_KEY)
        guest_refuse(k, g, "its key differs");
    else if (state == LINK_GREETING_DONE && k->pipe)
        guest_refuse(k, g, "the link already has a peer");
    else if (state == LINK_GREETING_DONE)
        *ret_up = true;
    if (!*ret_up)
        return all;
    guest_free(k, g);
    stream_set_data(s, NULL);
    link_begin(k, s);
    return all;
}

/* --- down ------------------------------------------------------------------------------------- */

/* The pipe is closed already, or closed here. */
static void link_pipe_down(struct link *k)
{
    stream_close(k->pipe);
    k->pipe = NULL;
    loop_timer_clear(k->loop, &k->tick);
    loop_timer_clear(k->loop, &k->end);
    if (k->dials)
        retry_later(k);
    k->events.down(k->events.arg);
}

static void link_on_closed(void *arg, struct stream *s)
{
    struct link *k = arg;
    struct guest *g = stream_data(s);

    if (!g) {
        assert(s == k->pipe);
        link_pipe_down(k);
        return;
    }
    guest_free(k, g);
    if (k->dials)
        retry_later(k);
}

static void link_end_due(struct loop_timer *t)
{
    link_pipe_down(t->arg);
}

void link_hang_up(struct link *k)
{
    if (!k->pipe || k->hung_up)
        return;
    k->hung_up = true;
    loop_timer_set_real(k->loop, &k->end, mono_ms(k));
}

/* --- frames ----------------------------------------------------------------------------------- */

/* Passes every complete frame to the owner. */
static size_t pipe_read(struct link *k, str got, size_t *want)
{
    str rest = got;
    u32 size;

    k->heard_ms = mono_ms(k);
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

static size_t link_on_bytes(void *arg, struct stream *s, str got, size_t *want)
{
    struct link *k = arg;
    struct guest *g = stream_data(s);
    size_t greeting = 0;
    bool up = true;

    if (g)
        greeting = guest_read(k, g, got, &up);
    return up ? greeting + pipe_read(k, str_slice(got, greeting, got.n), want) : greeting;
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
        k->heard_ms = now; /* nothing is read at the moment, so silence means nothing */
    if (now - k->heard_ms > k->limits.silence_max_ms) {
        link_pipe_down(k);
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

bool link_is_open_to_all(const char *url)
{
    static const char *const local[] = {"ipc://", "unix://", "abstract://", "inproc://"};

    for (size_t i = 0; i < ARRAY_LEN(local); i++)
        if (str_starts(str_of(url), str_of(local[i])))
            return false;
    return true;
}

static struct link *link_new(struct loop *l, const char *url, const struct link_limits *limits,
                             struct link_events events)
{
    struct link *k = mem_alloc(sizeof(*k));

    assert(events.up && events.down && events.frame);
    assert(limits->heartbeat_ms > 0 && limits->silence_max_ms > limits->heartbeat_ms);
    assert(limits->reconnect_min_ms > 0);
    assert(limits->greeting_max_ms > 0);
    k->loop = l;
    k->url = mem_dup(str_of(url));
    k->limits = *limits;
    list_init(&k->guests);
    if (!limits->chance)
        id_init(&k->own_chance, 0);
    k->guests_end = (struct loop_timer){.due = guests_due, .arg = k};
    k->events = events;
    k->retry_ms = limits->reconnect_min_ms;
    k->tick = (struct loop_timer){.due = tick_due, .arg = k};
    k->retry = (struct loop_timer){.due = retry_due, .arg = k};
    k->end = (struct loop_timer){.due = link_end_due, .arg = k};
    return k;
}

static struct stream_events events_of(struct link *k)
{
    return (struct stream_events){.opened = link_on_opened,
                                  .bytes = link_on_bytes,
                                  .closed = link_on_closed,
                                  .failed = k->dials ? on_failed : NULL,
                                  .arg = k};
}

int link_dial(struct link **ret, struct loop *l, const char *url, const struct link_limits *limits,
              struct link_events events, struct fault *f)
{
    struct link *k = link_new(l, url, limits, events);
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
    struct link *k = link_new(l, url, limits, events);
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
    while (!list_is_empty(&k->guests))
        guest_free(k, list_item(k->guests.next, struct guest, link));
    loop_timer_clear(k->loop, &k->guests_end);
    mem_free(k->url);
    mem_free(k);
}
