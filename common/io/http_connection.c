/* Receiving requests: bytes are read from the socket into one buffer that all connections share,
 * parsed there, and, once the head is complete, copied once into a block of the request's size. A
 * connection that waits for its next request holds no memory. */
#include "common/io/http_connection.h"

#include <errno.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "common/base/mem.h"

/* Reads of one connection in one turn, so that others get their share. */
#define READS_MAX 16

/* --- the request's memory --------------------------------------------------------------------- */

/* Accounts for what the connection holds. If the budget has no room, its request is refused, or the
 * connection is closed if a request is already pending. */
static bool connection_fits(struct http_connection *c)
{
    u64 holds = http_connection_holds(c);
    bool fits = holds <= c->charged || budget_room(c->server->budget, holds - c->charged);

    if (c->state == HTTP_CLOSED)
        return false;
    if (!fits && (c->state == HTTP_CALL || c->state == HTTP_OUT))
        http_connection_close(c);
    else if (!fits)
        http_refuse(c, 503, "Too much is under way. Try again.");
    else
        http_connection_count(c);
    return fits;
}

/* Moves the head, `size` bytes at `from`, into a block owned by the exchange, with room for `more`
 * bytes after it. */
static bool exchange_hold(struct http_connection *c, const char *from, size_t size, size_t more)
{
    struct http_exchange *x = &c->exchange;
    struct http_head *h = &c->server->head;
    size_t fields = h->rq.field_count * sizeof(struct http_field);

    x->block_size = fields + size + more;
    if (!budget_room(c->server->budget, x->block_size)) {
        x->block_size = 0;
        http_refuse(c, 503, "Too much is under way. Try again.");
        return false;
    }
    x->block = pool_take(&c->server->blocks, &x->block_size);
    char *to = (char *)x->block + fields;

    memcpy(to, from, size);
    http_head_move(h, from, to);
    if (fields)
        memcpy(x->block, h->fields, fields);
    x->rq = h->rq;
    x->rq.fields = x->block;
    x->rq.kind = c->kind;
    x->rq.peer = c->peer;
    x->rq.body = str_from(to + size, 0);
    return connection_fits(c);
}

/* --- bodies ----------------------------------------------------------------------------------- */

static void request_hand_over(struct http_connection *c)
{
    struct http_server *s = c->server;
    struct http_exchange *x = &c->exchange;

    if (x->body.n)
        x->rq.body = buf_view(&x->body);
    http_connection_enter(c, HTTP_CALL);
    x->owed = true;
    x->told = false;
    s->waiting++;
    s->stats.requests++;
    s->handler.request(s->handler.arg, x, &x->rq);
}

static bool is_large(const struct http_connection *c)
{
    return c->chunked || c->exchange.body.cap;
}

/* Adds a piece to the body. */
static bool body_add(struct http_connection *c, str piece)
{
    struct http_exchange *x = &c->exchange;

    if (!is_large(c)) {
        memcpy((char *)(uintptr_t)x->rq.body.p + x->rq.body.n, piece.p, piece.n);
        x->rq.body.n += piece.n;
        return true;
    }
    if (x->body.n + piece.n > c->server->limits.body_size_max) {
        http_refuse(c, 413, "The request body is too large.");
        return false;
    }
    buf_add(&x->body, piece.p, piece.n);
    return connection_fits(c);
}

static size_t take_sized(struct http_connection *c, str bytes)
{
    size_t n = (size_t)MIN(c->body_left, bytes.n);

    if (n && !body_add(c, str_slice(bytes, 0, n)))
        return n;
    c->body_left -= n;
    if (!c->body_left)
        request_hand_over(c);
    return n;
}

static size_t take_chunked(struct http_connection *c, str bytes)
{
    str piece;
    ptrdiff_t n = http_chunks_read(&c->chunks, bytes, &piece);

    if (n < 0) {
        http_refuse(c, 400, "The chunked body is malformed.");
        return bytes.n;
    }
    if (piece.n && !body_add(c, piece))
        return (size_t)n;
    if (http_chunks_done(&c->chunks))
        request_hand_over(c);
    return (size_t)n;
}

/* --- heads ------------------------------------------------------------------------------------ */

/* Whether the page that sent the request, if any, is accepted; otherwise the request is
 * answered. */
static bool guard_lets_in(struct http_connection *c)
{
    struct http_head *h = &c->server->head;
    struct http_response r = {.status = 204};
    const char *why;

    switch (http_browser_judge(&c->server->browsers, h, &why)) {
    case HTTP_NO_BROWSER:
    case HTTP_BROWSER: return true;
    case HTTP_BROWSER_OUT: http_refuse(c, 403, why); return false;
    case HTTP_PREFLIGHT: break;
    }
    http_browser_allow(h, &r);
    c->exchange.rq.origin = h->rq.origin;
    c->last |= h->chunked || h->content_length; /* nothing reads that */
    http_send_own(c, &r);
    return false;
}

/* The head is complete, `size` bytes of `bytes`. Returns how many were consumed: a small body that
 * came with its head is included. */
static size_t begin_request(struct http_connection *c, str bytes, size_t size)
{
    struct http_server *s = c->server;
    const struct http_head *h = &s->head;
    bool small = !h->chunked && h->content_length <= HTTP_RESERVE_SIZE_MAX;
    bool expects = h->expects && bytes.n == size;

    c->exchange.rq = h->rq;
    c->old = h->old;
    c->last = !h->keeps;
    c->is_head = str_is(h->rq.method, "HEAD");
    c->chunked = h->chunked;
    c->chunks = (struct http_chunks){0};
    c->body_left = h->content_length;
    if (s->guarded && !guard_lets_in(c))
        return size;
    if (h->content_length > s->limits.body_size_max) {
        http_refuse(c, 413, "The request body is too large.");
        return size;
    }
    if (!exchange_hold(c, bytes.p, size, small ? (size_t)h->content_length : 0))
        return size;
    if (small && bytes.n - size >= h->content_length)
        return size + take_sized(c, str_slice(bytes, size, bytes.n));
    if (!small && !h->chunked)
        buf_room(&c->exchange.body, HTTP_RESERVE_SIZE_MAX);
    if (c->state != HTTP_HEAD)
        http_connection_enter(c, HTTP_HEAD); /* its deadline counts from now */
    c->state = HTTP_BODY;
    if (expects)
        http_send_continue(c);
    return size;
}

static size_t take_head(struct http_connection *c, str bytes)
{
    struct http_server *s = c->server;
    ptrdiff_t size = http_head_read(&s->head, bytes, &c->scanned, s->limits.header_size_max);

    if (size > 0) {
        c->scanned = 0;
        return begin_request(c, bytes, (size_t)size);
    }
    if (size < 0) {
        c->exchange.rq = s->head.rq;
        http_refuse(c, s->head.status, s->head.why);
        return bytes.n;
    }
    if (c->state == HTTP_IDLE)
        http_connection_enter(c, HTTP_HEAD);
    return 0;
}

/* --- bytes ------------------------------------------------------------------------------------ */

/* Parses as much of `bytes` as possible; returns how many were consumed. The rest is the beginning
 * of a head, or waits until the previous request is answered. */
static size_t connection_take(struct http_connection *c, str bytes)
{
    size_t at = 0;

    while (at < bytes.n) {
        str left = str_slice(bytes, at, bytes.n);
        size_t n = 0;

        switch (c->state) {
        case HTTP_IDLE:
        case HTTP_HEAD: n = take_head(c, left); break;
        case HTTP_BODY: n = c->chunked ? take_chunked(c, left) : take_sized(c, left); break;
        case HTTP_CALL:
        case HTTP_OUT: return c->refused ? bytes.n : at;
        case HTTP_LINGER: c->dropped += left.n; return bytes.n;
        case HTTP_CLOSED: return bytes.n;
        }
        if (n == 0)
            return at;
        at += n;
    }
    return at;
}

/* Parses as much as possible of the kept bytes and of `bytes` after them; keeps the rest. */
static void connection_feed(struct http_connection *c, str bytes)
{
    struct buf in = c->in; /* the connection may be closed meanwhile */
    size_t taken;

    c->in = (struct buf){0};
    if (in.n) {
        buf_str(&in, bytes);
        bytes = buf_view(&in);
    }
    taken = connection_take(c, bytes);
    if (in.n && !taken && c->state != HTTP_CLOSED) {
        c->in = in;
        return;
    }
    if (taken < bytes.n && c->state != HTTP_CLOSED)
        buf_add(&c->in, bytes.p + taken, bytes.n - taken);
    buf_deinit(&in);
}

/* Called after everything that may have changed its state: accounts for its memory, reports a
 * client that left, and sets the watched events. */
static void connection_settle(struct http_connection *c)
{
    struct http_server *s = c->server;

    if (c->state == HTTP_CLOSED || !connection_fits(c))
        return;
    if (c->left && c->exchange.owed && !c->exchange.told) {
        c->exchange.told = true;
        s->handler.gone(s->handler.arg, &c->exchange);
    }
    if (c->eof && c->state != HTTP_CALL && c->state != HTTP_OUT)
        http_connection_close(c);
    else
        http_connection_watch(c);
}

/* One read. False when there is no more input for now. */
static bool connection_read(struct http_connection *c)
{
    struct http_server *s = c->server;
    ssize_t n = c->tls ? tls_recv(c->tls, s->bytes, sizeof(s->bytes))
                       : recv(c->watch.fd, s->bytes, sizeof(s->bytes), 0);

    if (n > 0) {
        connection_feed(c, str_from(s->bytes, (size_t)n));
        return (n == sizeof(s->bytes) || c->left || c->tls) && c->state != HTTP_CLOSED &&
               c->in.n < s->limits.header_size_max && c->dropped < HTTP_DROP_SIZE_MAX;
    }
    if (n == 0)
        c->eof = c->left = true;
    else if (errno == EINTR)
        return true;
    else if (errno != EAGAIN)
        http_connection_close(c);
    return false;
}

/* Reads what is available, within the turn's limit. */
static void connection_read_all(struct http_connection *c)
{
    for (int i = 0; i < READS_MAX && connection_read(c); i++)
        ;
    if (c->dropped >= HTTP_DROP_SIZE_MAX)
        http_connection_close(c);
    /* Bytes that are already decrypted raise no event. */
    if (c->state != HTTP_CLOSED && c->state != HTTP_CALL && c->state != HTTP_OUT && c->tls &&
        tls_has_more(c->tls))
        http_server_ready(c);
}

void http_connection_go_on(struct http_connection *c)
{
    connection_feed(c, STR(""));
    if (c->tls && tls_has_more(c->tls) &&
        (c->state == HTTP_IDLE || c->state == HTTP_HEAD || c->state == HTTP_BODY ||
         c->state == HTTP_LINGER))
        connection_read_all(c);
    connection_settle(c);
}

/* False: the handshake is not complete, or failed. */
static bool connection_shake(struct http_connection *c)
{
    int err = tls_handshake(c->tls);

    if (err == E_AGAIN) {
        http_connection_watch(c);
        return false;
    }
    if (err) {
        c->server->stats.refused++;
        http_connection_close(c);
        return false;
    }
    c->shaking = false;
    http_connection_enter(c, HTTP_IDLE);
    return true;
}

void http_connection_ready(struct loop_watch *w, u32 events)
{
    struct http_connection *c = w->arg;

    if (c->shaking && !connection_shake(c))
        return;
    if (events & EPOLLOUT)
        http_send_rest(c);
    if (events & EPOLLRDHUP)
        c->left = true;
    if (c->state != HTTP_CLOSED && events & EPOLLIN)
        connection_read_all(c);
    else if (events & (EPOLLERR | EPOLLHUP))
        http_connection_close(c);
    connection_settle(c);
}

/* --- whether the client is there -------------------------------------------------------------- */

bool http_exchange_is_there(const struct http_exchange *x)
{
    const struct http_connection *c = container_of(x, struct http_connection, exchange);
    struct pollfd socket = {.fd = c->watch.fd, .events = POLLRDHUP};

    return c->state != HTTP_CLOSED && !c->left && poll(&socket, 1, 0) <= 0;
}
