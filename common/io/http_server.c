/* Endpoints and the life of connections. */
#include "common/io/http_connection.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/io/http_listen.h"

/* Connections accepted from one endpoint in one turn. */
#define ACCEPTS_MAX 64
/* Pause before accepting again when no descriptor was left. */
#define ACCEPT_PAUSE_MS 100
/* Blocks of requests that are kept for the next ones. */
#define BLOCKS_SIZE_MAX (2u << 20)

/* --- connections ------------------------------------------------------------------------------ */

static struct list *list_of(struct http_server *s, enum http_state state)
{
    switch (state) {
    case HTTP_IDLE:
    case HTTP_CALL: return &s->kept;
    case HTTP_HEAD:
    case HTTP_BODY: return &s->reading;
    case HTTP_OUT: return &s->sending;
    case HTTP_LINGER: return &s->lingering;
    case HTTP_CLOSED: break;
    }
    return &s->closed;
}

void http_connection_enter(struct http_connection *c, enum http_state state)
{
    struct http_server *s = c->server;
    struct list *to = list_of(s, state);

    s->idle_count -= c->state == HTTP_IDLE;
    s->idle_count += state == HTTP_IDLE;
    c->since_ms = http_now_ms(s);
    if (to != list_of(s, c->state)) {
        list_remove(&c->link);
        list_push_back(to, &c->link);
        c->listed_ms = c->since_ms;
    }
    c->state = state;
}

void http_connection_watch(struct http_connection *c)
{
    bool held = (c->state == HTTP_CALL || c->state == HTTP_OUT) &&
                c->in.n >= c->server->limits.header_size_max;
    u32 want = 0;

    if (c->state == HTTP_CLOSED)
        return;
    if (!c->eof && !held)
        want |= EPOLLIN;
    if (!c->left)
        want |= EPOLLRDHUP;
    if (c->state == HTTP_OUT || (c->shaking && tls_wants_write(c->tls)))
        want |= EPOLLOUT;
    if (want == c->interest)
        return;
    c->interest = want;
    if (loop_watch_change(c->server->loop, &c->watch, want) < 0)
        http_connection_close(c);
}

u64 http_connection_holds(const struct http_connection *c)
{
    return c->exchange.block_size + c->exchange.body.cap + c->in.cap + c->out.cap + c->rest.cap;
}

void http_connection_count(struct http_connection *c)
{
    u64 holds = http_connection_holds(c);

    budget_give(c->server->budget, c->charged);
    budget_take(c->server->budget, holds);
    c->charged = holds;
}

/* Frees all memory except that of a request whose answer is owed. */
static void connection_drop(struct http_connection *c)
{
    buf_deinit(&c->in);
    buf_deinit(&c->out);
    buf_deinit(&c->rest);
    if (!c->exchange.owed)
        http_exchange_clear(c);
    http_connection_count(c);
}

void http_connection_close(struct http_connection *c)
{
    struct http_server *s = c->server;
    struct http_exchange *x = &c->exchange;
    bool was_sending = c->state == HTTP_OUT;
    int fd = c->watch.fd;

    if (c->state == HTTP_CLOSED)
        return;
    s->idle_count -= c->state == HTTP_IDLE;
    s->stats.connections--;
    http_address_remove(s, &c->peer);
    list_remove(&c->link);
    c->state = HTTP_CLOSED;
    loop_unwatch(s->loop, &c->watch);
    tls_close(c->tls);
    c->tls = NULL;
    close(fd);
    connection_drop(c);
    if (was_sending) {
        s->sending_count--;
        s->stats.lost += !c->own;
        if (!c->own && s->handler.sent)
            s->handler.sent(s->handler.arg, x, HTTP_CUT);
    }
    if (x->owed && !x->told) {
        x->told = true;
        s->handler.gone(s->handler.arg, x);
    }
    if (!x->owed && list_is_empty(&c->link))
        list_push_back(&s->closed, &c->link);
}

static void connection_free(struct http_connection *c)
{
    struct http_server *s = c->server;

    assert(c->state == HTTP_CLOSED && !c->exchange.owed && !c->queued);
    list_remove(&c->link);
    connection_drop(c);
    assert(c->charged == 0);
    slab_give(&s->connections, c);
}

static void connection_open(struct http_endpoint *e, int fd, const struct sockaddr *from)
{
    struct http_server *s = e->server;
    struct address peer = address_of_socket(from);
    struct http_connection *c;
    int on = 1;

    if (!http_address_add(s, &peer)) {
        s->stats.refused++;
        close(fd);
        return;
    }
    /* Head and body of an answer may be two segments: neither waits for the other's ACK. */
    if (e->kind != HTTP_UNIX)
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    c = slab_take(&s->connections);
    c->server = s;
    http_exchange_clear(c);
    c->kind = e->kind;
    c->peer = peer;
    c->interest = EPOLLIN | EPOLLRDHUP;
    c->watch = (struct loop_watch){.fd = fd, .ready = http_connection_ready, .arg = c};
    c->since_ms = c->listed_ms = http_now_ms(s);
    list_init(&c->link);
    list_push_back(&s->kept, &c->link);
    s->idle_count++;
    s->stats.connections++;
    s->stats.accepted++;
    if (e->tls) {
        c->tls = tls_open(e->tls, fd);
        c->shaking = true;
        http_connection_enter(c, HTTP_HEAD);
    }
    if (loop_watch(s->loop, &c->watch, c->interest) < 0 || (e->tls && !c->tls))
        http_connection_close(c);
}

void http_server_ready(struct http_connection *c)
{
    struct http_server *s = c->server;

    if (c->queued)
        return;
    c->queued = true;
    c->next_ready = NULL;
    *s->ready_end = c;
    s->ready_end = &c->next_ready;
}

/* --- accepting -------------------------------------------------------------------------------- */

static void endpoint_pause(struct http_endpoint *e)
{
    if (!e->paused && e->watch.fd >= 0)
        e->paused = loop_watch_change(e->server->loop, &e->watch, 0) == 0;
}

static void endpoint_resume(struct http_endpoint *e)
{
    if (e->paused && e->watch.fd >= 0)
        e->paused = loop_watch_change(e->server->loop, &e->watch, EPOLLIN) < 0;
}

/* Handles accept4's errors. False: do not try again in this turn. */
static bool accept_failed(struct http_endpoint *e, int err)
{
    struct http_server *s = e->server;

    if (err == EAGAIN)
        return false;
    if (err != EMFILE && err != ENFILE && err != ENOBUFS && err != ENOMEM)
        return true; /* that client left again */
    if (s->resume_ms < 0)
        log_warning("no descriptor for another connection: %s connections=%u", strerror(err),
                    s->stats.connections);
    http_evict(s);
    s->resume_ms = http_now_ms(s) + ACCEPT_PAUSE_MS;
    endpoint_pause(e);
    return false;
}

static void endpoint_ready(struct loop_watch *w, u32 events)
{
    struct http_endpoint *e = w->arg;
    struct http_server *s = e->server;

    for (int i = 0; i < ACCEPTS_MAX; i++) {
        struct sockaddr_storage from = {.ss_family = AF_UNSPEC};
        socklen_t size = sizeof(from);
        int fd;

        if (!http_has_room(s)) {
            endpoint_pause(e);
            return;
        }
        fd = accept4(w->fd, (struct sockaddr *)&from, &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0) {
            if (!accept_failed(e, errno))
                return;
            continue;
        }
        if (s->stats.connections >= s->limits.connections_max)
            http_evict(s);
        connection_open(e, fd, (struct sockaddr *)&from);
    }
}

/* Accepts again where it was paused, if there is room now. */
static void server_resume(struct http_server *s)
{
    if (s->resume_ms >= 0 && http_now_ms(s) < s->resume_ms)
        return;
    s->resume_ms = -1;
    if (!http_has_room(s))
        return;
    for (u32 i = 0; i < s->endpoint_count; i++)
        endpoint_resume(&s->endpoints[i]);
}

/* --- after each turn --------------------------------------------------------------------------- */

static void server_go_on(struct http_server *s)
{
    struct http_connection *c = s->ready;

    s->ready = NULL;
    s->ready_end = &s->ready;
    while (c) {
        struct http_connection *next = c->next_ready;

        c->queued = false;
        if (c->state != HTTP_CLOSED)
            http_connection_go_on(c);
        c = next;
    }
}

static bool http_server_flush_hook(struct loop_hook *h)
{
    struct http_server *s = container_of(h, struct http_server, hook);

    server_go_on(s);
    http_expire(s);
    list_each(item, next, &s->closed) {
        struct http_connection *c = list_item(item, struct http_connection, link);

        if (!c->queued)
            connection_free(c);
    }
    server_resume(s);
    return s->ready != NULL;
}

static i64 http_server_next_ms(struct loop_hook *h)
{
    return http_next_deadline_ms(container_of(h, struct http_server, hook));
}

/* --- life ------------------------------------------------------------------------------------- */

int http_server_new(struct http_server **ret, struct loop *l, const struct http_limits *limits,
                    struct budget *budget, struct http_handler handler)
{
    struct http_server *s = mem_alloc(sizeof(*s));

    assert(handler.request && handler.gone);
    s->loop = l;
    s->limits = *limits;
    s->budget = budget;
    budget->reclaim = http_reclaim;
    budget->arg = s;
    s->handler = handler;
    s->resume_ms = s->date_s = -1;
    s->ready_end = &s->ready;
    slab_init(&s->connections, sizeof(struct http_connection));
    pool_init(&s->blocks, BLOCKS_SIZE_MAX);
    list_init(&s->kept);
    list_init(&s->reading);
    list_init(&s->sending);
    list_init(&s->lingering);
    list_init(&s->closed);
    map_init(&s->addresses, NULL);
    s->hook = (struct loop_hook){.flush = http_server_flush_hook, .next_ms = http_server_next_ms};
    loop_add_hook(l, &s->hook);
    *ret = s;
    return 0;
}

void http_server_guard(struct http_server *s, const struct http_browsers *browsers)
{
    s->browsers = *browsers;
    s->guarded = true;
}

/* Takes `fd` and `unix_path`. */
static int endpoint_open(struct http_server *s, int fd, char *unix_path, struct tls_identity *tls,
                         struct fault *f)
{
    struct http_endpoint *e = &s->endpoints[s->endpoint_count];

    assert(s->endpoint_count < HTTP_ENDPOINTS_MAX);
    *e = (struct http_endpoint){.server = s,
                                .kind = unix_path ? HTTP_UNIX
                                        : tls     ? HTTP_TLS
                                                  : HTTP_TCP,
                                .unix_path = unix_path,
                                .tls = tls,
                                .watch = {.fd = fd, .ready = endpoint_ready, .arg = e}};
    if (loop_watch(s->loop, &e->watch, EPOLLIN) < 0) {
        close(fd);
        mem_free(unix_path);
        return fault_set(f, HTTP_FAULT_LISTEN, "cannot watch a listening socket");
    }
    s->endpoint_count++;
    return 0;
}

int http_server_listen_tcp(struct http_server *s, const char *const *hosts, u32 host_count,
                           u16 port, u16 *ret_port, struct fault *f)
{
    return http_server_listen_tls(s, hosts, host_count, port, NULL, ret_port, f);
}

int http_server_listen_tls(struct http_server *s, const char *const *hosts, u32 host_count,
                           u16 port, struct tls_identity *id, u16 *ret_port, struct fault *f)
{
    struct http_sockets sockets;
    int r = http_listen_tcp(hosts, host_count, port, &sockets, f);

    if (r < 0)
        return r;
    for (u32 i = 0; i < sockets.n; i++) {
        if (r == 0)
            r = endpoint_open(s, sockets.fds[i], NULL, id, f);
        else
            close(sockets.fds[i]);
    }
    if (r == 0 && ret_port)
        *ret_port = sockets.port;
    return r;
}

int http_server_listen_unix(struct http_server *s, const char *path, struct fault *f)
{
    int fd = -1;
    int r;

    r = http_listen_unix(path, &fd, f);
    return r < 0 ? r : endpoint_open(s, fd, mem_dup(str_of(path)), NULL, f);
}

void http_server_quiesce(struct http_server *s)
{
    for (u32 i = 0; i < s->endpoint_count; i++) {
        struct http_endpoint *e = &s->endpoints[i];
        int fd = e->watch.fd;

        if (fd < 0)
            continue;
        loop_unwatch(s->loop, &e->watch);
        close(fd);
        if (e->unix_path)
            unlink(e->unix_path);
    }
}

void http_server_cut(struct http_server *s)
{
    while (!list_is_empty(&s->sending))
        http_connection_close(http_first_of(&s->sending));
}

u32 http_server_waiting(const struct http_server *s)
{
    return s->waiting;
}

u32 http_server_sending(const struct http_server *s)
{
    return s->sending_count;
}

struct http_stats http_server_stats(const struct http_server *s)
{
    return s->stats;
}

void http_server_free(struct http_server *s)
{
    struct list *lists[] = {&s->kept, &s->reading, &s->sending, &s->lingering};

    if (!s)
        return;
    assert(s->waiting == 0);
    http_server_quiesce(s);
    for (size_t i = 0; i < ARRAY_LEN(lists); i++)
        while (!list_is_empty(lists[i]))
            http_connection_close(http_first_of(lists[i]));
    list_each(item, next, &s->closed) {
        struct http_connection *c = list_item(item, struct http_connection, link);

        c->queued = false;
        connection_free(c);
    }
    for (u32 i = 0; i < s->endpoint_count; i++)
        mem_free(s->endpoints[i].unix_path);
    list_remove(&s->hook.link);
    s->budget->reclaim = NULL;
    map_deinit(&s->addresses);
    pool_deinit(&s->blocks);
    slab_deinit(&s->connections);
    buf_deinit(&s->text);
    mem_free(s);
}

/* --- exchanges -------------------------------------------------------------------------------- */

void http_exchange_set_data(struct http_exchange *x, void *data)
{
    x->data = data;
}

void *http_exchange_data(const struct http_exchange *x)
{
    return x->data;
}
