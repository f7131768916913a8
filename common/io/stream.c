/* nng completes operations on its own threads. All that happens there is that the operation is
 * marked as done, under the port's lock, and an eventfd wakes the loop, which takes the result.
 *
 * Invariants: (1) at most one operation of each kind is pending on a stream; (2) its buffers belong
 * to nng meanwhile; (3) no operation is begun on a closed stream, and closing ends those pending,
 * each with its callback; then the stream is freed. */
#include "common/io/stream.h"

#include <arpa/inet.h>
#include <nng/nng.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "common/base/mem.h"

/* Minimum bytes requested with one read: many small frames, or a piece of a large one. */
#define STREAM_READ_SIZE (64u << 10)
/* A buffer that grew beyond this is freed when it is empty. */
#define STREAM_KEEP_SIZE (1u << 20)
/* Interval at which a full loop is asked whether reading may continue. */
#define STREAM_PAUSE_MS 5
/* Pause before accepting again when no descriptor was left. */
#define STREAM_ACCEPT_PAUSE_MS 100

#define STREAM_FAULT_ADDRESS 1

/* One operation carried out by nng. */
struct op {
    struct stream_port *port;
    nng_aio *aio;
    bool under_way; /* the loop's: begun, and its result not taken */
    bool done;      /* guarded by the port's lock */
};

struct stream {
    struct list link; /* stream_port.streams */
    struct stream_port *port;
    nng_stream *stream;
    struct op read, write;
    struct buf got;     /* received and not consumed yet */
    struct buf sending; /* in nng's hands, from byte `sent` on */
    struct buf next;    /* waits for `sending` */
    size_t sent;
    bool closed;
    bool paused; /* reading continues, with so many bytes, when the loop is no longer full */
    size_t want;
    void *data;
};

struct stream_port {
    struct loop *loop;
    struct stream_events events;
    nng_stream_dialer *dialer; /* one of the two */
    nng_stream_listener *listener;
    struct op connect; /* dial or accept */
    struct loop_timer accept_again, read_again;
    struct loop_watch wake;
    struct list streams; /* those that nng still uses, closed ones included */
    pthread_mutex_t lock;
};

/* --- operations ------------------------------------------------------------------------------- */

/* Runs on a thread of nng. */
static void op_done(void *arg)
{
    struct op *op = arg;
    u64 one = 1;
    ssize_t n;

    pthread_mutex_lock(&op->port->lock);
    op->done = true;
    n = write(op->port->wake.fd, &one, sizeof(one));
    (void)n; /* a full counter also wakes */
    pthread_mutex_unlock(&op->port->lock);
}

static void op_init(struct op *op, struct stream_port *p)
{
    *op = (struct op){.port = p};
    if (nng_aio_alloc(&op->aio, op_done, op) != 0)
        abort(); /* out of memory, reported as mem_alloc does */
    nng_aio_set_timeout(op->aio, NNG_DURATION_INFINITE);
}

static void op_deinit(struct op *op)
{
    nng_aio_wait(op->aio); /* its callback may still be returning */
    nng_aio_free(op->aio);
}

/* Whether the operation has finished since it was begun; the result is then in its aio. */
static bool op_take(struct op *op)
{
    bool done;

    if (!op->under_way)
        return false;
    pthread_mutex_lock(&op->port->lock);
    done = op->done;
    op->done = false;
    pthread_mutex_unlock(&op->port->lock);
    if (done)
        op->under_way = false;
    return done;
}

/* --- streams ---------------------------------------------------------------------------------- */

static struct stream *stream_new(struct stream_port *p, nng_stream *stream)
{
    struct stream *s = mem_alloc(sizeof(*s));

    s->port = p;
    s->stream = stream;
    op_init(&s->read, p);
    op_init(&s->write, p);
    list_push_back(&p->streams, &s->link);
    return s;
}

static void stream_free(struct stream *s)
{
    list_remove(&s->link);
    op_deinit(&s->read);
    op_deinit(&s->write);
    nng_stream_free(s->stream);
    buf_deinit(&s->got);
    buf_deinit(&s->sending);
    buf_deinit(&s->next);
    mem_free(s);
}

void stream_close(struct stream *s)
{
    u64 one = 1;
    ssize_t n;

    if (s->closed)
        return;
    s->closed = true;
    nng_stream_close(s->stream);
    n = write(s->port->wake.fd, &one, sizeof(one)); /* it is freed in a later turn */
    (void)n;
}

bool stream_peer_uid(const struct stream *s, u64 *ret)
{
    uint64_t uid;

    if (nng_stream_get_uint64(s->stream, NNG_OPT_IPC_PEER_UID, &uid) != 0)
        return false;
    *ret = uid;
    return true;
}

const char *stream_peer(const struct stream *s, char ret[STREAM_NAME_SIZE])
{
    nng_sockaddr at;
    char ip[INET6_ADDRSTRLEN] = "";
    uint64_t pid, uid;

    snprintf(ret, STREAM_NAME_SIZE, "unknown");
    if (nng_stream_get_uint64(s->stream, NNG_OPT_IPC_PEER_PID, &pid) == 0 &&
        nng_stream_get_uint64(s->stream, NNG_OPT_IPC_PEER_UID, &uid) == 0) {
        snprintf(ret, STREAM_NAME_SIZE, "process %" PRIu64 " of user %" PRIu64, pid, uid);
    } else if (nng_stream_get_addr(s->stream, NNG_OPT_REMADDR, &at) == 0) {
        if (at.s_family == NNG_AF_INET && inet_ntop(AF_INET, &at.s_in.sa_addr, ip, sizeof ip))
            snprintf(ret, STREAM_NAME_SIZE, "%s:%u", ip, ntohs(at.s_in.sa_port));
        if (at.s_family == NNG_AF_INET6 && inet_ntop(AF_INET6, at.s_in6.sa_addr, ip, sizeof ip))
            snprintf(ret, STREAM_NAME_SIZE, "[%s]:%u", ip, ntohs(at.s_in6.sa_port));
    }
    return ret;
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
    return &s->next;
}

u64 stream_waiting(const struct stream *s)
{
    return s->next.n + s->sending.n - s->sent;
}

static void buf_recycle(struct buf *b)
{
    if (b->cap > STREAM_KEEP_SIZE)
        buf_deinit(b);
    else
        buf_reset(b);
}

void stream_flush(struct stream *s)
{
    nng_iov iov;

    if (s->closed || s->write.under_way)
        return;
    if (s->sent == s->sending.n) {
        struct buf done = s->sending;

        buf_recycle(&done);
        s->sending = s->next;
        s->next = done;
        s->sent = 0;
    }
    if (s->sending.n == 0)
        return;
    iov = (nng_iov){.iov_buf = s->sending.p + s->sent, .iov_len = s->sending.n - s->sent};
    nng_aio_set_iov(s->write.aio, 1, &iov);
    s->write.under_way = true;
    nng_stream_send(s->stream, s->write.aio);
}

/* Requests more. Memory grows with what has arrived, not with an announced size alone. */
static void stream_read(struct stream *s, size_t want)
{
    nng_iov iov = {.iov_len = MAX(MIN(want, s->got.n), STREAM_READ_SIZE)};

    iov.iov_buf = buf_room(&s->got, iov.iov_len);
    nng_aio_set_iov(s->read.aio, 1, &iov);
    s->read.under_way = true;
    nng_stream_recv(s->stream, s->read.aio);
}

static void stream_lost(struct stream *s)
{
    struct stream_events *e = &s->port->events;

    stream_close(s);
    e->closed(e->arg, s);
}

/* The store is behind: more input would only fill memory. The peer is slowed down, in the end, by
 * its own full buffers. */
static void stream_pause(struct stream *s, size_t want)
{
    struct stream_port *p = s->port;

    s->paused = true;
    s->want = want;
    loop_timer_set_real(p->loop, &p->read_again, loop_clock(p->loop)->mono_ms + STREAM_PAUSE_MS);
}

static void read_again_due(struct loop_timer *t)
{
    struct stream_port *p = t->arg;

    if (loop_is_full(p->loop)) {
        loop_timer_set_real(p->loop, t, loop_clock(p->loop)->mono_ms + STREAM_PAUSE_MS);
        return;
    }
    list_each(item, next, &p->streams) {
        struct stream *s = list_item(item, struct stream, link);

        if (s->paused && !s->closed)
            stream_read(s, s->want);
        s->paused = false;
    }
}

static void read_done(struct stream *s)
{
    struct stream_events *e = &s->port->events;
    size_t n = nng_aio_count(s->read.aio), taken, want = 0;

    if (nng_aio_result(s->read.aio) != 0 || n == 0) {
        stream_lost(s);
        return;
    }
    s->got.n += n;
    taken = e->bytes(e->arg, s, buf_view(&s->got), &want);
    if (s->closed)
        return;
    assert(taken <= s->got.n);
    if (taken == s->got.n)
        buf_recycle(&s->got);
    else if (taken) {
        memmove(s->got.p, s->got.p + taken, s->got.n - taken);
        s->got.n -= taken;
    }
    if (UNLIKELY(loop_is_full(s->port->loop)))
        stream_pause(s, want);
    else
        stream_read(s, want);
}

static void write_done(struct stream *s)
{
    if (nng_aio_result(s->write.aio) != 0) {
        stream_lost(s);
        return;
    }
    s->sent += nng_aio_count(s->write.aio);
    stream_flush(s);
    if (s->port->events.taken)
        s->port->events.taken(s->port->events.arg, s);
}

/* --- ports ------------------------------------------------------------------------------------ */

static void port_accept(struct stream_port *p)
{
    p->connect.under_way = true;
    nng_stream_listener_accept(p->listener, p->connect.aio);
}

static void accept_again_due(struct loop_timer *t)
{
    port_accept(t->arg);
}

void stream_dial(struct stream_port *p)
{
    assert(p->dialer && !p->connect.under_way);
    p->connect.under_way = true;
    nng_stream_dialer_dial(p->dialer, p->connect.aio);
}

/* A dial or an accept has finished. */
static void connect_done(struct stream_port *p)
{
    bool ok = nng_aio_result(p->connect.aio) == 0;
    nng_stream *stream = ok ? nng_aio_get_output(p->connect.aio, 0) : NULL;

    if (p->listener && ok)
        port_accept(p);
    else if (p->listener)
        loop_timer_set_real(p->loop, &p->accept_again,
                            loop_clock(p->loop)->mono_ms + STREAM_ACCEPT_PAUSE_MS);
    if (ok) {
        struct stream *s = stream_new(p, stream);

        p->events.opened(p->events.arg, s);
        if (!s->closed)
            stream_read(s, 0);
    } else if (p->events.failed) {
        p->events.failed(p->events.arg);
    }
}

static void wake_ready(struct loop_watch *w, u32 events)
{
    struct stream_port *p = w->arg;
    u64 count;
    ssize_t n = read(w->fd, &count, sizeof(count));

    (void)n; /* empty: another wake-up was read for it */
    list_each(item, next, &p->streams) {
        struct stream *s = list_item(item, struct stream, link);

        if (op_take(&s->write) && !s->closed)
            write_done(s);
        if (op_take(&s->read) && !s->closed)
            read_done(s);
    }
    if (op_take(&p->connect))
        connect_done(p);
    list_each(item, next, &p->streams) {
        struct stream *s = list_item(item, struct stream, link);

        if (s->closed && !s->read.under_way && !s->write.under_way)
            stream_free(s);
    }
}

static struct stream_port *port_new(struct loop *l, struct stream_events events)
{
    struct stream_port *p = mem_alloc(sizeof(*p));

    assert(events.opened && events.bytes && events.closed);
    p->loop = l;
    p->events = events;
    p->accept_again = (struct loop_timer){.due = accept_again_due, .arg = p};
    p->read_again = (struct loop_timer){.due = read_again_due, .arg = p};
    p->wake = (struct loop_watch){
        .fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC), .ready = wake_ready, .arg = p};
    list_init(&p->streams);
    pthread_mutex_init(&p->lock, NULL);
    op_init(&p->connect, p);
    return p;
}

/* Watches a new port, or closes it again when `r`, an nng error, is set. */
static int port_start(struct stream_port *p, int r, const char *what, const char *url,
                      struct fault *f)
{
    if (r == 0 && (p->wake.fd < 0 || loop_watch(p->loop, &p->wake, EPOLLIN) < 0))
        r = NNG_ENOFILES;
    if (r == 0)
        return 0;
    stream_port_close(p);
    return fault_set(f, STREAM_FAULT_ADDRESS, "cannot %s %s: %s", what, url, nng_strerror(r));
}

int stream_listen(struct stream_port **ret, struct loop *l, const char *url,
                  struct stream_events events, struct fault *f)
{
    struct stream_port *p = port_new(l, events);
    int r = nng_stream_listener_alloc(&p->listener, url);

    if (r == 0)
        r = nng_stream_listener_listen(p->listener);
    r = port_start(p, r, "listen on", url, f);
    if (r < 0)
        return r;
    port_accept(p);
    *ret = p;
    return 0;
}

int stream_dialer(struct stream_port **ret, struct loop *l, const char *url, u32 timeout_ms,
                  struct stream_events events, struct fault *f)
{
    struct stream_port *p = port_new(l, events);
    int r = nng_stream_dialer_alloc(&p->dialer, url);

    nng_aio_set_timeout(p->connect.aio, (nng_duration)timeout_ms);
    r = port_start(p, r, "dial", url, f);
    if (r == 0)
        *ret = p;
    return r;
}

/* Ends the pending dial or accept, and frees the stream that it may have opened. */
static void connect_close(struct stream_port *p)
{
    if (p->dialer)
        nng_stream_dialer_close(p->dialer);
    if (p->listener)
        nng_stream_listener_close(p->listener);
    nng_aio_wait(p->connect.aio);
    if (p->connect.under_way && nng_aio_result(p->connect.aio) == 0) {
        nng_stream *stream = nng_aio_get_output(p->connect.aio, 0);

        nng_stream_close(stream);
        nng_stream_free(stream);
    }
    op_deinit(&p->connect);
    nng_stream_dialer_free(p->dialer);
    nng_stream_listener_free(p->listener);
}

void stream_port_close(struct stream_port *p)
{
    int fd;

    if (!p)
        return;
    fd = p->wake.fd;
    loop_timer_clear(p->loop, &p->accept_again);
    loop_timer_clear(p->loop, &p->read_again);
    connect_close(p);
    list_each(item, next, &p->streams) {
        struct stream *s = list_item(item, struct stream, link);

        stream_close(s);
        stream_free(s);
    }
    loop_unwatch(p->loop, &p->wake);
    if (fd >= 0)
        close(fd);
    pthread_mutex_destroy(&p->lock);
    mem_free(p);
}
