/* A link over nng's byte streams: every frame goes as its u32 length, little-endian, and its bytes.
 *
 * Streams and not a pair1 socket, for two reasons seen with nng 1.5.2. A socket that closes a pipe
 * on which messages are under way can wait for ever for an operation that was lost between its
 * parts: nng_close hangs, or the thread that clears pipes away does, and then nothing is ever
 * dialed again. And what waits inside a socket when its pipe dies goes out first on the next one.
 * With streams every operation is ours, ends when its stream is closed, and belongs to one pipe.
 *
 * nng completes operations on threads of its own. All that happens there is that the operation is
 * marked as done, under the link's lock, and an eventfd wakes the loop, where the result is taken.
 *
 * Invariants: (1) the owner hears up and down in turns, and frames only between them, of that pipe
 * only; (2) a pipe's buffers belong to nng while `reading` or `writing`, and it is freed when it is
 * neither; (3) at most one operation of each kind is under way. */
#include "common/link.h"

#include <endian.h>
#include <nng/nng.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "common/frame.h"
#include "common/mem.h"

/* Bytes asked for with one read, at least: many small frames, or a piece of a large one. */
#define LINK_READ_SIZE (64u << 10)
/* A buffer that grew beyond this for large frames is given back when it is empty. */
#define LINK_KEEP_SIZE   (1u << 20)
#define LINK_LENGTH_SIZE 4

#define LINK_FAULT_ADDRESS 1

const struct link_limits LINK_LIMITS_DEFAULT = {
    .frame_size_max = 64u << 20,
    .heartbeat_ms = 1000,
    .silence_max_ms = 5000,
    .reconnect_min_ms = 10,
    .reconnect_max_ms = 250,
    .waiting_size_max = 64u << 20,
};

/* One operation that nng carries out. */
struct op {
    struct link *link;
    nng_aio *aio;
    bool under_way; /* the loop's: begun, and its result not taken */
    bool done;      /* guarded by the link's lock */
};

struct pipe {
    struct list link; /* link.pipes */
    nng_stream *stream;
    struct op read, write;
    struct buf got;     /* what was read and not heard yet */
    struct buf sending; /* in nng's hands, from byte `sent` on */
    struct buf next;    /* waits for `sending` */
    size_t sent;
    bool closed;
};

struct link {
    struct loop *loop;
    struct link_limits limits;
    struct link_events events;
    nng_stream_dialer *dialer; /* one of the two */
    nng_stream_listener *listener;
    struct op connect; /* dial or accept */
    struct loop_timer retry;
    u32 retry_ms;
    struct loop_watch wake;
    struct loop_timer tick;
    struct list pipes; /* those that nng still works on, closed ones among them */
    struct pipe *pipe; /* the one that stands; NULL: down */
    bool hung_up;      /* on that pipe: nothing is heard or sent any more */
    bool sent;         /* something, since the last tick */
    i64 heard_ms;      /* mono */
    pthread_mutex_t lock;
};

/* --- operations ---------------------------------------------------------------------------------
 */

static void wake(struct link *k)
{
    u64 one = 1;
    ssize_t n = write(k->wake.fd, &one, sizeof(one));

    (void)n; /* a full counter wakes as well */
}

/* Runs on a thread of nng's. */
static void op_done(void *arg)
{
    struct op *op = arg;

    pthread_mutex_lock(&op->link->lock);
    op->done = true;
    wake(op->link);
    pthread_mutex_unlock(&op->link->lock);
}

static void op_init(struct op *op, struct link *k)
{
    *op = (struct op){.link = k};
    if (nng_aio_alloc(&op->aio, op_done, op) != 0)
        abort(); /* memory has ended, as mem_alloc would say */
    nng_aio_set_timeout(op->aio, NNG_DURATION_INFINITE);
}

static void op_deinit(struct op *op)
{
    nng_aio_wait(op->aio); /* its callback may still be on its way out */
    nng_aio_free(op->aio);
}

/* Whether the operation came to its end since it was begun; the result is then in its aio. */
static bool op_take(struct op *op)
{
    bool done;

    pthread_mutex_lock(&op->link->lock);
    done = op->done;
    op->done = false;
    pthread_mutex_unlock(&op->link->lock);
    if (done)
        op->under_way = false;
    return done;
}

/* --- pipes --------------------------------------------------------------------------------------
 */

static struct pipe *pipe_new(struct link *k, nng_stream *stream)
{
    struct pipe *p = mem_alloc(sizeof(*p));

    p->stream = stream;
    op_init(&p->read, k);
    op_init(&p->write, k);
    list_push_back(&k->pipes, &p->link);
    return p;
}

static void pipe_close(struct pipe *p)
{
    if (p->closed)
        return;
    p->closed = true;
    nng_stream_close(p->stream); /* ends the operations, each with its callback */
}

static void pipe_free(struct pipe *p)
{
    list_remove(&p->link);
    op_deinit(&p->read);
    op_deinit(&p->write);
    nng_stream_free(p->stream);
    buf_deinit(&p->got);
    buf_deinit(&p->sending);
    buf_deinit(&p->next);
    mem_free(p);
}

/* Length of the frame at the front of what was read; 0 when not even that is there. */
static size_t frame_size(str got)
{
    u32 n;

    if (got.n < LINK_LENGTH_SIZE)
        return 0;
    memcpy(&n, got.p, sizeof(n));
    return le32toh(n);
}

/* Asks for more. A large frame's memory grows with what has come of it, not by its word alone. */
static void pipe_read(struct pipe *p)
{
    size_t whole = LINK_LENGTH_SIZE + frame_size(buf_view(&p->got));
    size_t want = whole > p->got.n ? MIN(whole - p->got.n, p->got.n) : 0;
    nng_iov iov = {.iov_len = MAX(want, LINK_READ_SIZE)};

    iov.iov_buf = buf_room(&p->got, iov.iov_len);
    nng_aio_set_iov(p->read.aio, 1, &iov);
    p->read.under_way = true;
    nng_stream_recv(p->stream, p->read.aio);
}

static void recycle(struct buf *b)
{
    if (b->cap > LINK_KEEP_SIZE)
        buf_deinit(b);
    else
        buf_reset(b);
}

/* Hands what waits to nng, unless it is busy. */
static void pipe_write(struct pipe *p)
{
    nng_iov iov;

    if (p->write.under_way)
        return;
    if (p->sent == p->sending.n) {
        struct buf done = p->sending;

        recycle(&done);
        p->sending = p->next;
        p->next = done;
        p->sent = 0;
    }
    if (p->sending.n == 0)
        return;
    iov = (nng_iov){.iov_buf = p->sending.p + p->sent, .iov_len = p->sending.n - p->sent};
    nng_aio_set_iov(p->write.aio, 1, &iov);
    p->write.under_way = true;
    nng_stream_send(p->stream, p->write.aio);
}

/* --- up and down --------------------------------------------------------------------------------
 */

static void link_connect(struct link *k)
{
    k->connect.under_way = true;
    if (k->dialer)
        nng_stream_dialer_dial(k->dialer, k->connect.aio);
    else
        nng_stream_listener_accept(k->listener, k->connect.aio);
}

static void retry_later(struct link *k)
{
    loop_timer_set_real(k->loop, &k->retry, loop_clock(k->loop)->mono_ms + k->retry_ms);
    k->retry_ms = MIN(k->retry_ms * 2, k->limits.reconnect_max_ms);
}

static void retry_due(struct loop_timer *t)
{
    link_connect(t->arg);
}

static void link_up(struct link *k, nng_stream *stream)
{
    k->pipe = pipe_new(k, stream);
    k->hung_up = k->sent = false;
    k->heard_ms = loop_clock(k->loop)->mono_ms;
    loop_timer_set_real(k->loop, &k->tick, k->heard_ms + k->limits.heartbeat_ms);
    pipe_read(k->pipe);
    k->events.up(k->events.arg);
}

static void link_down(struct link *k)
{
    pipe_close(k->pipe);
    k->pipe = NULL;
    loop_timer_clear(k->loop, &k->tick);
    if (k->dialer)
        retry_later(k);
    k->events.down(k->events.arg);
}

/* A dial or an accept came to its end. */
static void connect_done(struct link *k)
{
    nng_stream *stream;

    if (nng_aio_result(k->connect.aio) != 0) {
        retry_later(k);
        return;
    }
    stream = nng_aio_get_output(k->connect.aio, 0);
    if (k->listener)
        link_connect(k);
    if (!k->pipe) {
        link_up(k, stream);
        return;
    }
    nng_stream_close(stream);
    nng_stream_free(stream);
}

void link_hang_up(struct link *k)
{
    if (!k->pipe || k->hung_up)
        return;
    k->hung_up = true;
    wake(k);
}

/* --- frames -------------------------------------------------------------------------------------
 */

/* Lets the owner hear every whole frame of what was read. */
static void hear(struct link *k, struct pipe *p)
{
    str rest = buf_view(&p->got);
    enum frame_kind kind;

    while (!k->hung_up && rest.n >= LINK_LENGTH_SIZE) {
        size_t size = frame_size(rest);

        if (size > k->limits.frame_size_max) {
            link_hang_up(k);
            return;
        }
        if (rest.n - LINK_LENGTH_SIZE < size)
            break;
        str frame = str_slice(rest, LINK_LENGTH_SIZE, LINK_LENGTH_SIZE + size);

        rest = str_slice(rest, LINK_LENGTH_SIZE + size, rest.n);
        if (frame_kind(frame, &kind) < 0 || kind != FRAME_PING)
            k->events.frame(k->events.arg, frame);
    }
    if (rest.n == 0)
        recycle(&p->got);
    else if (rest.n < p->got.n) {
        memmove(p->got.p, rest.p, rest.n);
        p->got.n = rest.n;
    }
}

static void read_done(struct link *k, struct pipe *p)
{
    size_t n = nng_aio_count(p->read.aio);

    if (p != k->pipe)
        return;
    if (nng_aio_result(p->read.aio) != 0 || n == 0) {
        link_down(k);
        return;
    }
    p->got.n += n;
    k->heard_ms = loop_clock(k->loop)->mono_ms;
    k->retry_ms = k->limits.reconnect_min_ms; /* there is somebody, not just an open door */
    hear(k, p);
    if (!k->hung_up)
        pipe_read(p);
}

static void write_done(struct link *k, struct pipe *p)
{
    if (p != k->pipe)
        return;
    if (nng_aio_result(p->write.aio) != 0) {
        link_down(k);
        return;
    }
    p->sent += nng_aio_count(p->write.aio);
    pipe_write(p);
}

static void wake_ready(struct loop_watch *w, u32 events)
{
    struct link *k = w->arg;
    u64 count;
    ssize_t n = read(w->fd, &count, sizeof(count));

    (void)n; /* empty: another wake was read for it */
    list_each(item, next, &k->pipes)
    {
        struct pipe *p = list_item(item, struct pipe, link);

        if (op_take(&p->write))
            write_done(k, p);
        if (op_take(&p->read))
            read_done(k, p);
    }
    if (k->pipe && k->hung_up)
        link_down(k);
    if (op_take(&k->connect))
        connect_done(k);
    list_each(item, next, &k->pipes)
    {
        struct pipe *p = list_item(item, struct pipe, link);

        if (p->closed && !p->read.under_way && !p->write.under_way)
            pipe_free(p);
    }
}

static void link_put(struct link *k, str frame)
{
    struct buf *next = &k->pipe->next;
    u32 size = htole32((u32)frame.n);

    buf_add(next, &size, sizeof(size));
    buf_str(next, frame);
    k->sent = true;
    pipe_write(k->pipe);
}

int link_send(struct link *k, struct buf *frame)
{
    int r = !k->pipe ? E_DOWN : frame->n > k->limits.frame_size_max ? E_TOO_LARGE : 0;

    if (r == 0 && !k->hung_up)
        link_put(k, buf_view(frame));
    buf_deinit(frame);
    return r;
}

static void tick_due(struct loop_timer *t)
{
    struct link *k = t->arg;
    i64 now = loop_clock(k->loop)->mono_ms;

    if (now - k->heard_ms > k->limits.silence_max_ms) {
        link_down(k);
        return;
    }
    if (!k->sent && !k->hung_up) {
        struct buf ping = {0};

        frame_write_ping(&ping);
        link_put(k, buf_view(&ping));
        buf_deinit(&ping);
    }
    k->sent = false;
    loop_timer_set_real(k->loop, t, now + k->limits.heartbeat_ms);
}

bool link_is_up(const struct link *k)
{
    return k->pipe != NULL;
}

bool link_is_full(const struct link *k)
{
    const struct pipe *p = k->pipe;

    return p && p->next.n + p->sending.n - p->sent > k->limits.waiting_size_max;
}

/* --- life ---------------------------------------------------------------------------------------
 */

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
    k->wake = (struct loop_watch){
        .fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC), .ready = wake_ready, .arg = k};
    list_init(&k->pipes);
    pthread_mutex_init(&k->lock, NULL);
    op_init(&k->connect, k);
    return k;
}

/* Starts the link, or closes it again when `r`, an error of nng's, says that it cannot be. */
static int link_start(struct link *k, struct link **ret, int r, const char *what, const char *url,
                      struct fault *f)
{
    if (r == 0 && (k->wake.fd < 0 || loop_watch(k->loop, &k->wake, EPOLLIN) < 0))
        r = NNG_ENOFILES;
    if (r != 0) {
        link_close(k);
        return fault_set(f, LINK_FAULT_ADDRESS, "cannot %s %s: %s", what, url, nng_strerror(r));
    }
    link_connect(k);
    *ret = k;
    return 0;
}

int link_dial(struct link **ret, struct loop *l, const char *url, const struct link_limits *limits,
              struct link_events events, struct fault *f)
{
    struct link *k = link_new(l, limits, events);
    int r = nng_stream_dialer_alloc(&k->dialer, url);

    nng_aio_set_timeout(k->connect.aio, (nng_duration)limits->silence_max_ms);
    return link_start(k, ret, r, "dial", url, f);
}

int link_listen(struct link **ret, struct loop *l, const char *url,
                const struct link_limits *limits, struct link_events events, struct fault *f)
{
    struct link *k = link_new(l, limits, events);
    int r = nng_stream_listener_alloc(&k->listener, url);

    if (r == 0)
        r = nng_stream_listener_listen(k->listener);
    return link_start(k, ret, r, "listen on", url, f);
}

/* Ends the dial or accept under way, and lets go of the stream that it may have brought. */
static void connect_close(struct link *k)
{
    if (k->dialer)
        nng_stream_dialer_close(k->dialer);
    if (k->listener)
        nng_stream_listener_close(k->listener);
    nng_aio_wait(k->connect.aio);
    if (k->connect.under_way && nng_aio_result(k->connect.aio) == 0) {
        nng_stream *stream = nng_aio_get_output(k->connect.aio, 0);

        nng_stream_close(stream);
        nng_stream_free(stream);
    }
    op_deinit(&k->connect);
    nng_stream_dialer_free(k->dialer);
    nng_stream_listener_free(k->listener);
}

void link_close(struct link *k)
{
    int fd;

    if (!k)
        return;
    fd = k->wake.fd;
    loop_timer_clear(k->loop, &k->tick);
    loop_timer_clear(k->loop, &k->retry);
    connect_close(k);
    list_each(item, next, &k->pipes)
    {
        struct pipe *p = list_item(item, struct pipe, link);

        pipe_close(p);
        pipe_free(p);
    }
    loop_unwatch(k->loop, &k->wake);
    if (fd >= 0)
        close(fd);
    pthread_mutex_destroy(&k->lock);
    mem_free(k);
}
