/* The ipc door over a raw nng REP socket: a call's header, which names the client's pipe and its
 * request, goes back with the answer, so any number of calls is under way at once.
 *
 * nng tells of pipes that end on its own threads: their ids go into the ring `ended`, under its
 * lock, and an eventfd wakes the loop, which tells the handler of the calls that came on them. A
 * call that comes up from the socket behind the news of its pipe's end is dropped: nobody would
 * hear the answer, and what it takes would be hidden. */
#include "common/ipc_door.h"

#include <nng/nng.h>
#include <nng/protocol/reqrep0/rep.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "common/ipc_request.h"
#include "common/list.h"
#include "common/mem.h"

/* Calls taken in one turn; the rest waits for the next, so that other sources get theirs. */
#define IPC_CALLS_A_TURN 256
/* Calls and answers inside the socket. */
#define IPC_SOCKET_QUEUE 64
/* Pipes remembered as ended: more than can have calls left in the socket. When more than that end
 * before the loop looks, every call's pipe is checked. */
#define IPC_ENDED_MAX 256

#define IPC_FAULT_ADDRESS 1
#define SENDER_CAP_MIN    16

/* Answers that wait for the socket to take them: it takes at once nearly always. While something
 * waits, the socket's send descriptor is watched for reading (nng's way to say that it takes
 * messages), else for nothing, since it is ready nearly always. */
struct sender {
    struct loop *loop;
    nng_socket sock;
    struct loop_watch watch;
    nng_msg **ring;
    u32 head, n, cap; /* cap is a power of two */
};

struct ipc_door {
    struct loop *loop;
    struct ipc_limits limits;
    struct ipc_handler handler;
    nng_socket sock;
    struct sender sender;
    struct loop_watch receive, wake;
    struct list calls; /* ipc_exchange.link, in the order of arrival */
    u32 waiting;
    struct buf text; /* the answer being written */
    struct {
        pthread_mutex_t lock; /* guards what follows */
        u32 pipes[IPC_ENDED_MAX];
        u32 n; /* ever; the place of the next one modulo IPC_ENDED_MAX */
    } ended;
    u32 ended_seen; /* of ended.n */
};

struct ipc_exchange {
    struct ipc_door *door;
    struct list link;
    nng_msg *call; /* its header goes back with the answer; its body is what rq views */
    u32 pipe;
    bool gone;
    struct ipc_request text;
    struct request rq;
    void *data;
};

/* --- sender ----------------------------------------------------------------------------------- */

static void sender_drop_head(struct sender *s)
{
    s->head = (s->head + 1) & (s->cap - 1);
    s->n--;
}

static void sender_push(struct sender *s, nng_msg *m)
{
    if (s->n == s->cap) {
        u32 cap = MAX(s->cap * 2, SENDER_CAP_MIN);
        nng_msg **ring = mem_array(cap, sizeof(*ring));

        for (u32 i = 0; i < s->n; i++)
            ring[i] = s->ring[(s->head + i) & (s->cap - 1)];
        mem_free(s->ring);
        s->ring = ring;
        s->head = 0;
        s->cap = cap;
    }
    s->ring[(s->head + s->n) & (s->cap - 1)] = m;
    s->n++;
}

/* Whether the socket took the message; it keeps it, or drops it for a reason that will not pass. */
static bool sender_try(struct sender *s, nng_msg *m)
{
    int r = nng_sendmsg(s->sock, m, NNG_FLAG_NONBLOCK);

    if (r == NNG_EAGAIN)
        return false;
    if (r != 0)
        nng_msg_free(m);
    return true;
}

static void sender_ready(struct loop_watch *w, u32 events)
{
    struct sender *s = w->arg;

    while (s->n) {
        if (!sender_try(s, s->ring[s->head]))
            return;
        sender_drop_head(s);
    }
    loop_watch_change(s->loop, w, 0);
}

static int sender_init(struct sender *s, struct loop *l, nng_socket sock)
{
    int fd;

    *s = (struct sender){.loop = l, .sock = sock, .watch = {.fd = -1}};
    if (nng_socket_get_int(sock, NNG_OPT_SENDFD, &fd) != 0)
        return E_IO;
    s->watch = (struct loop_watch){.fd = fd, .ready = sender_ready, .arg = s};
    if (loop_watch(l, &s->watch, 0) < 0) {
        s->watch.fd = -1;
        return E_IO;
    }
    return 0;
}

static void sender_put(struct sender *s, nng_msg *m)
{
    if (!s->n && sender_try(s, m))
        return;
    sender_push(s, m);
    if (s->n == 1)
        loop_watch_change(s->loop, &s->watch, EPOLLIN);
}

/* Before the socket is closed. */
static void sender_deinit(struct sender *s)
{
    if (s->watch.fd >= 0) {
        for (; s->n; sender_drop_head(s))
            nng_msg_free(s->ring[s->head]);
        loop_unwatch(s->loop, &s->watch);
    }
    mem_free(s->ring);
    s->ring = NULL;
}

/* --- answers ---------------------------------------------------------------------------------- */

void ipc_exchange_set_data(struct ipc_exchange *x, void *data)
{
    x->data = data;
}

void *ipc_exchange_data(const struct ipc_exchange *x)
{
    return x->data;
}

/* Sends what stands in d->text as the answer to `call`. */
static void reply(struct ipc_door *d, nng_msg *call)
{
    nng_msg *m;

    if (nng_msg_alloc(&m, d->text.n) != 0 ||
        nng_msg_header_append(m, nng_msg_header(call), nng_msg_header_len(call)) != 0)
        abort(); /* memory has ended, as mem_alloc would say */
    memcpy(nng_msg_body(m), d->text.p, d->text.n);
    sender_put(&d->sender, m);
}

void ipc_answer(struct ipc_exchange *x, struct answer *a)
{
    struct ipc_door *d = x->door;

    if (!x->gone) {
        buf_reset(&d->text);
        ipc_answer_write(&d->text, a);
        reply(d, x->call);
    }
    buf_deinit(&a->body);
    list_remove(&x->link);
    d->waiting--;
    nng_msg_free(x->call);
    mem_free(x);
}

/* Answers a call that never became an exchange; takes the message. */
static void refuse(struct ipc_door *d, nng_msg *call, int status, const char *type,
                   const char *message, const char *code)
{
    buf_reset(&d->text);
    ipc_error_write(&d->text, status, type, message, code);
    reply(d, call);
    nng_msg_free(call);
}

/* --- calls ------------------------------------------------------------------------------------ */

static void take_call(struct ipc_door *d, nng_msg *call)
{
    struct ipc_exchange *x;
    const char *why;

    if (d->waiting >= d->limits.waiting_max) {
        refuse(d, call, 503, "com.amazonaws.sqs#ServiceUnavailable", "Too many calls are under way",
               "ServiceUnavailable");
        return;
    }
    x = mem_alloc(sizeof(*x));
    if (ipc_request_read(str_from(nng_msg_body(call), nng_msg_len(call)), &x->text, &why) < 0) {
        mem_free(x);
        refuse(d, call, 400, "com.amazon.coral.service#SerializationException", why,
               "MalformedInput");
        return;
    }
    x->door = d;
    x->call = call;
    x->pipe = (u32)nng_pipe_id(nng_msg_get_pipe(call));
    x->rq = (struct request){.door = DOOR_IPC,
                             .method = STR("CALL"),
                             .path = STR("/"),
                             .query = STR(""),
                             .host = STR(""),
                             .target = x->text.target,
                             .content_type = STR(""),
                             .accept = STR(""),
                             .authorization = STR(""),
                             .trace_id = STR(""),
                             .account = x->text.account,
                             .region = x->text.region,
                             .body = x->text.input};
    list_push_back(&d->calls, &x->link);
    d->waiting++;
    d->handler.request(d->handler.arg, x, &x->rq);
}

/* --- clients that leave ----------------------------------------------------------------------- */

/* Runs on a thread of nng's. */
static void on_pipe_end(nng_pipe p, nng_pipe_ev ev, void *arg)
{
    struct ipc_door *d = arg;
    u64 one = 1;
    ssize_t n;

    pthread_mutex_lock(&d->ended.lock);
    d->ended.pipes[d->ended.n++ % IPC_ENDED_MAX] = (u32)nng_pipe_id(p);
    n = write(d->wake.fd, &one, sizeof(one));
    (void)n; /* a full counter wakes as well */
    pthread_mutex_unlock(&d->ended.lock);
}

static bool has_ended(struct ipc_door *d, u32 pipe)
{
    bool found = false;

    pthread_mutex_lock(&d->ended.lock);
    for (u32 i = 0; i < MIN(d->ended.n, IPC_ENDED_MAX) && !found; i++)
        found = d->ended.pipes[i] == pipe;
    pthread_mutex_unlock(&d->ended.lock);
    return found;
}

/* Tells of the calls of one pipe, or, with 0, of all pipes that nng knows no more. The handler may
 * answer the call that it is told of, no other. */
static void tell_gone(struct ipc_door *d, u32 pipe)
{
    list_each(item, next, &d->calls)
    {
        struct ipc_exchange *x = list_item(item, struct ipc_exchange, link);

        if (x->gone)
            continue;
        if (pipe ? x->pipe != pipe : nng_socket_id(nng_pipe_socket((nng_pipe){.id = x->pipe})) > 0)
            continue;
        x->gone = true;
        d->handler.gone(d->handler.arg, x);
    }
}

static void wake_ready(struct loop_watch *w, u32 events)
{
    struct ipc_door *d = w->arg;
    u32 pipes[IPC_ENDED_MAX];
    u64 count;
    u32 n;
    ssize_t got = read(w->fd, &count, sizeof(count));

    (void)got; /* empty: another wake was read for it */
    pthread_mutex_lock(&d->ended.lock);
    n = d->ended.n;
    memcpy(pipes, d->ended.pipes, sizeof(pipes));
    pthread_mutex_unlock(&d->ended.lock);
    if (n - d->ended_seen > IPC_ENDED_MAX)
        tell_gone(d, 0);
    else
        for (u32 i = d->ended_seen; i != n; i++)
            tell_gone(d, pipes[i % IPC_ENDED_MAX]);
    d->ended_seen = n;
}

static void receive_ready(struct loop_watch *w, u32 events)
{
    struct ipc_door *d = w->arg;
    nng_msg *m;

    for (int i = 0; i < IPC_CALLS_A_TURN && nng_recvmsg(d->sock, &m, NNG_FLAG_NONBLOCK) == 0; i++) {
        if (has_ended(d, (u32)nng_pipe_id(nng_msg_get_pipe(m))))
            nng_msg_free(m);
        else
            take_call(d, m);
    }
}

/* --- life ------------------------------------------------------------------------------------- */

static int door_watch(struct ipc_door *d)
{
    int fd;

    if (nng_socket_get_int(d->sock, NNG_OPT_RECVFD, &fd) != 0)
        return E_IO;
    d->receive = (struct loop_watch){.fd = fd, .ready = receive_ready, .arg = d};
    d->wake = (struct loop_watch){
        .fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC), .ready = wake_ready, .arg = d};
    if (d->wake.fd < 0 || loop_watch(d->loop, &d->receive, EPOLLIN) < 0 ||
        loop_watch(d->loop, &d->wake, EPOLLIN) < 0 || sender_init(&d->sender, d->loop, d->sock) < 0)
        return E_IO;
    return 0;
}

static void door_set_up(struct ipc_door *d)
{
    int r = 0;

    r |= nng_socket_set_size(d->sock, NNG_OPT_RECVMAXSZ, d->limits.message_size_max);
    r |= nng_socket_set_int(d->sock, NNG_OPT_RECVBUF, IPC_SOCKET_QUEUE);
    r |= nng_socket_set_int(d->sock, NNG_OPT_SENDBUF, IPC_SOCKET_QUEUE);
    r |= nng_pipe_notify(d->sock, NNG_PIPE_EV_REM_POST, on_pipe_end, d);
    assert(r == 0);
}

int ipc_door_open(struct ipc_door **ret, struct loop *l, const char *url,
                  const struct ipc_limits *limits, struct ipc_handler handler, struct fault *f)
{
    struct ipc_door *d = mem_alloc(sizeof(*d));
    int r;

    assert(handler.request && handler.gone);
    d->loop = l;
    d->limits = *limits;
    d->handler = handler;
    d->receive.fd = d->wake.fd = d->sender.watch.fd = -1;
    list_init(&d->calls);
    pthread_mutex_init(&d->ended.lock, NULL);
    r = nng_rep0_open_raw(&d->sock);
    if (r == 0) {
        door_set_up(d);
        r = door_watch(d) < 0 ? NNG_ENOFILES : nng_listen(d->sock, url, NULL, 0);
    }
    if (r != 0) {
        ipc_door_close(d);
        return fault_set(f, IPC_FAULT_ADDRESS, "cannot listen on %s: %s", url, nng_strerror(r));
    }
    *ret = d;
    return 0;
}

u32 ipc_door_waiting(const struct ipc_door *d)
{
    return d->waiting;
}

void ipc_door_close(struct ipc_door *d)
{
    int fd;

    if (!d)
        return;
    assert(d->waiting == 0);
    fd = d->wake.fd;
    sender_deinit(&d->sender);
    loop_unwatch(d->loop, &d->receive);
    if (d->sock.id)
        nng_close(d->sock); /* no callback runs behind it */
    loop_unwatch(d->loop, &d->wake);
    if (fd >= 0)
        close(fd);
    pthread_mutex_destroy(&d->ended.lock);
    buf_deinit(&d->text);
    mem_free(d);
}
