/* A link over one nng pair1 socket.
 *
 * nng tells of pipes on its own threads. What they say goes into `seen`, under its lock, and an
 * eventfd wakes the loop, which compares: `pipe` is the pipe that the owner knows as up,
 * `seen.pipe` the one that stands. A frame can be there before nng has told of its pipe: a pipe
 * that is neither known nor buried is new, and up. Frames of buried pipes, still in the socket's
 * queue, are dropped.
 *
 * Invariants: (1) the owner hears up and down in turns, and frames only between them; (2) every
 * frame that the owner hears came on the pipe that is up; (3) nothing waits for the socket while
 * the link is down. */
#include "common/link.h"

#include <nng/nng.h>
#include <nng/protocol/pair1/pair.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "common/frame.h"
#include "common/mem.h"
#include "common/nng_sender.h"

/* Messages inside the socket, each way: enough to keep a pipe busy; what is in there when the pipe
 * dies is lost and sent again, so no more than that. */
#define LINK_SOCKET_QUEUE 16
/* Frames taken in one turn; the rest waits for the next, so that other sources get theirs. */
#define LINK_FRAMES_A_TURN 256
/* Pipes remembered as gone: more than can have frames left in the socket's queue. */
#define LINK_BURIED 64

#define LINK_FAULT_ADDRESS 1

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
    nng_socket sock;
    struct nng_sender sender;
    struct loop_watch receive, wake;
    struct loop_timer tick;
    u32 pipe;     /* 0: down */
    bool hung_up; /* on that pipe: nothing is heard or sent any more */
    bool sent;    /* something, since the last tick */
    i64 heard_ms; /* mono */
    struct {
        pthread_mutex_t lock; /* guards what follows */
        u32 pipe;             /* 0: none */
        u32 buried[LINK_BURIED];
        u32 buried_n; /* ever; the place of the next one modulo LINK_BURIED */
    } seen;
};

/* --- pipes come and go ------------------------------------------------------------------------ */

/* With the lock held. */
static bool is_buried(const struct link *k, u32 pipe)
{
    for (u32 i = 0; i < MIN(k->seen.buried_n, LINK_BURIED); i++) {
        if (k->seen.buried[i] == pipe)
            return true;
    }
    return false;
}

/* With the lock held. */
static void bury(struct link *k, u32 pipe)
{
    if (k->seen.pipe == pipe)
        k->seen.pipe = 0;
    if (!is_buried(k, pipe))
        k->seen.buried[k->seen.buried_n++ % LINK_BURIED] = pipe;
}

static void wake(struct link *k)
{
    u64 one = 1;
    ssize_t n = write(k->wake.fd, &one, sizeof(one));

    (void)n; /* a full counter wakes as well */
}

/* Runs on a thread of nng's. */
static void on_pipe(nng_pipe p, nng_pipe_ev ev, void *arg)
{
    struct link *k = arg;
    u32 pipe = (u32)nng_pipe_id(p);

    pthread_mutex_lock(&k->seen.lock);
    if (ev == NNG_PIPE_EV_REM_POST)
        bury(k, pipe);
    else if (!is_buried(k, pipe))
        k->seen.pipe = pipe;
    wake(k);
    pthread_mutex_unlock(&k->seen.lock);
}

static void tell_up(struct link *k, u32 pipe)
{
    k->pipe = pipe;
    k->hung_up = false;
    k->sent = false;
    k->heard_ms = loop_clock(k->loop)->mono_ms;
    loop_timer_set_real(k->loop, &k->tick, k->heard_ms + k->limits.heartbeat_ms);
    k->events.up(k->events.arg);
}

static void tell_down(struct link *k)
{
    k->pipe = 0;
    nng_sender_clear(&k->sender);
    loop_timer_clear(k->loop, &k->tick);
    k->events.down(k->events.arg);
}

/* Brings what the owner knows up to what stands. */
static void link_sync(struct link *k)
{
    u32 pipe;

    pthread_mutex_lock(&k->seen.lock);
    pipe = k->seen.pipe;
    if (k->pipe && pipe != k->pipe)
        bury(k, k->pipe); /* its end may not have been told yet */
    pthread_mutex_unlock(&k->seen.lock);
    if (pipe == k->pipe)
        return;
    if (k->pipe)
        tell_down(k);
    if (pipe)
        tell_up(k, pipe);
}

static void wake_ready(struct loop_watch *w, u32 events)
{
    struct link *k = w->arg;
    u64 count;
    ssize_t n = read(w->fd, &count, sizeof(count));

    (void)n; /* empty: another wake was read for it */
    link_sync(k);
}

void link_hang_up(struct link *k)
{
    if (!k->pipe || k->hung_up)
        return;
    k->hung_up = true;
    pthread_mutex_lock(&k->seen.lock);
    bury(k, k->pipe);
    wake(k);
    pthread_mutex_unlock(&k->seen.lock);
    nng_pipe_close((nng_pipe){.id = k->pipe});
}

/* --- frames ----------------------------------------------------------------------------------- */

/* Whether a frame of that pipe may be heard. */
static bool is_heard(struct link *k, u32 pipe)
{
    bool buried;

    if (pipe == k->pipe)
        return !k->hung_up;
    pthread_mutex_lock(&k->seen.lock);
    buried = is_buried(k, pipe);
    if (!buried)
        k->seen.pipe = pipe;
    pthread_mutex_unlock(&k->seen.lock);
    if (buried)
        return false;
    link_sync(k);
    return k->pipe == pipe;
}

static void receive_ready(struct loop_watch *w, u32 events)
{
    struct link *k = w->arg;
    nng_msg *m;

    link_sync(k);
    for (int i = 0; i < LINK_FRAMES_A_TURN && nng_recvmsg(k->sock, &m, NNG_FLAG_NONBLOCK) == 0;
         i++) {
        str frame = str_from(nng_msg_body(m), nng_msg_len(m));
        enum frame_kind kind;

        if (is_heard(k, (u32)nng_pipe_id(nng_msg_get_pipe(m)))) {
            k->heard_ms = loop_clock(k->loop)->mono_ms;
            if (frame_kind(frame, &kind) < 0 || kind != FRAME_PING)
                k->events.frame(k->events.arg, frame);
        }
        nng_msg_free(m);
    }
}

static void send_now(struct link *k, str frame)
{
    nng_msg *m;

    if (nng_msg_alloc(&m, frame.n) != 0)
        abort(); /* memory has ended, as mem_alloc would say */
    memcpy(nng_msg_body(m), frame.p, frame.n);
    k->sent = true;
    nng_sender_put(&k->sender, m);
}

int link_send(struct link *k, struct buf *frame)
{
    int r = !k->pipe ? E_DOWN : frame->n > k->limits.frame_size_max ? E_TOO_LARGE : 0;

    if (r == 0 && !k->hung_up)
        send_now(k, buf_view(frame));
    buf_deinit(frame);
    return r;
}

static void tick_due(struct loop_timer *t)
{
    struct link *k = t->arg;
    i64 now = loop_clock(k->loop)->mono_ms;

    if (now - k->heard_ms > k->limits.silence_max_ms) {
        link_hang_up(k);
        link_sync(k);
        return;
    }
    if (!k->sent) {
        struct buf ping = {0};

        frame_write_ping(&ping);
        send_now(k, buf_view(&ping));
        buf_deinit(&ping);
    }
    k->sent = false;
    loop_timer_set_real(k->loop, t, now + k->limits.heartbeat_ms);
}

bool link_is_up(const struct link *k)
{
    return k->pipe != 0;
}

bool link_is_full(const struct link *k)
{
    return k->sender.size > k->limits.waiting_size_max;
}

/* --- life ------------------------------------------------------------------------------------- */

static int link_watch(struct link *k)
{
    int fd;

    if (nng_socket_get_int(k->sock, NNG_OPT_RECVFD, &fd) != 0)
        return E_IO;
    k->receive = (struct loop_watch){.fd = fd, .ready = receive_ready, .arg = k};
    k->wake = (struct loop_watch){
        .fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC), .ready = wake_ready, .arg = k};
    if (k->wake.fd < 0 || loop_watch(k->loop, &k->receive, EPOLLIN) < 0 ||
        loop_watch(k->loop, &k->wake, EPOLLIN) < 0 ||
        nng_sender_init(&k->sender, k->loop, k->sock) < 0)
        return E_IO;
    return 0;
}

static void link_set_up(struct link *k)
{
    const struct link_limits *m = &k->limits;
    int r = 0;

    r |= nng_socket_set_size(k->sock, NNG_OPT_RECVMAXSZ, m->frame_size_max);
    r |= nng_socket_set_int(k->sock, NNG_OPT_SENDBUF, LINK_SOCKET_QUEUE);
    r |= nng_socket_set_int(k->sock, NNG_OPT_RECVBUF, LINK_SOCKET_QUEUE);
    r |= nng_socket_set_ms(k->sock, NNG_OPT_RECONNMINT, (nng_duration)m->reconnect_min_ms);
    r |= nng_socket_set_ms(k->sock, NNG_OPT_RECONNMAXT, (nng_duration)m->reconnect_max_ms);
    r |= nng_pipe_notify(k->sock, NNG_PIPE_EV_ADD_POST, on_pipe, k);
    r |= nng_pipe_notify(k->sock, NNG_PIPE_EV_REM_POST, on_pipe, k);
    assert(r == 0);
}

static int link_new(struct link **ret, struct loop *l, const char *url,
                    const struct link_limits *limits, struct link_events events, bool dials,
                    struct fault *f)
{
    struct link *k = mem_alloc(sizeof(*k));
    int r;

    assert(events.up && events.down && events.frame);
    assert(limits->heartbeat_ms > 0 && limits->silence_max_ms > limits->heartbeat_ms);
    k->loop = l;
    k->limits = *limits;
    k->events = events;
    k->tick = (struct loop_timer){.due = tick_due, .arg = k};
    k->receive.fd = k->wake.fd = k->sender.watch.fd = -1;
    pthread_mutex_init(&k->seen.lock, NULL);
    r = nng_pair1_open(&k->sock);
    if (r == 0) {
        link_set_up(k);
        if (link_watch(k) < 0)
            r = NNG_ENOFILES;
        else
            r = dials ? nng_dial(k->sock, url, NULL, NNG_FLAG_NONBLOCK)
                      : nng_listen(k->sock, url, NULL, 0);
    }
    if (r != 0) {
        link_close(k);
        return fault_set(f, LINK_FAULT_ADDRESS, "cannot %s %s: %s", dials ? "dial" : "listen on",
                         url, nng_strerror(r));
    }
    *ret = k;
    return 0;
}

int link_dial(struct link **ret, struct loop *l, const char *url, const struct link_limits *limits,
              struct link_events events, struct fault *f)
{
    return link_new(ret, l, url, limits, events, true, f);
}

int link_listen(struct link **ret, struct loop *l, const char *url,
                const struct link_limits *limits, struct link_events events, struct fault *f)
{
    return link_new(ret, l, url, limits, events, false, f);
}

void link_close(struct link *k)
{
    int fd;

    if (!k)
        return;
    fd = k->wake.fd;
    loop_timer_clear(k->loop, &k->tick);
    nng_sender_deinit(&k->sender);
    loop_unwatch(k->loop, &k->receive);
    if (k->sock.id)
        nng_close(k->sock); /* no callback runs behind it */
    loop_unwatch(k->loop, &k->wake);
    if (fd >= 0)
        close(fd);
    pthread_mutex_destroy(&k->seen.lock);
    mem_free(k);
}
