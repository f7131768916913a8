/* Sending answers. An answer is composed in one buffer that all connections share and sent at once;
 * only what the socket does not accept is kept, as long as there is room for it. */
#include "common/io/http_connection.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/uio.h>

/* --- the head --------------------------------------------------------------------------------- */

static const char *status_text(int status)
{
    static const struct {
        int status;
        const char *text;
    } known[] = {
        {200, "OK"},
        {204, "No Content"},
        {400, "Bad Request"},
        {403, "Forbidden"},
        {404, "Not Found"},
        {405, "Method Not Allowed"},
        {413, "Content Too Large"},
        {417, "Expectation Failed"},
        {431, "Request Header Fields Too Large"},
        {500, "Internal Server Error"},
        {501, "Not Implemented"},
        {503, "Service Unavailable"},
        {505, "HTTP Version Not Supported"},
    };

    for (size_t i = 0; i < ARRAY_LEN(known); i++)
        if (known[i].status == status)
            return known[i].text;
    return "Status";
}

/* Formatted once per second. */
static const char *server_date(struct http_server *s)
{
    i64 now_ms = loop_clock(s->loop)->now_ms;

    if (now_ms / 1000 != s->date_s) {
        s->date_s = now_ms / 1000;
        clock_http(now_ms, s->date);
    }
    return s->date;
}

static void write_field(struct buf *out, str name, str value)
{
    buf_str(out, name);
    buf_str(out, STR(": "));
    buf_str(out, value);
    buf_str(out, STR("\r\n"));
}

static void write_head(struct http_connection *c, const struct http_response *r)
{
    struct http_server *s = c->server;
    struct buf *out = &s->text;

    buf_reset(out);
    buf_str(out, STR("HTTP/1.1 "));
    buf_i64(out, r->status);
    buf_char(out, ' ');
    buf_z(out, status_text(r->status));
    buf_str(out, STR("\r\nDate: "));
    buf_add(out, server_date(s), CLOCK_HTTP_SIZE - 1);
    buf_str(out, STR("\r\n"));
    if (r->content_type)
        write_field(out, STR("Content-Type"), str_of(r->content_type));
    if (r->status != 204) {
        buf_str(out, STR("Content-Length: "));
        buf_u64(out, r->body.n);
        buf_str(out, STR("\r\n"));
    }
    for (u32 i = 0; i < r->field_count; i++)
        write_field(out, r->fields[i].name, r->fields[i].value);
    if (c->exchange.rq.origin.n) {
        write_field(out, STR("Access-Control-Allow-Origin"), c->exchange.rq.origin);
        buf_str(out, STR("Access-Control-Expose-Headers: *\r\nVary: Origin\r\n"));
    }
    if (c->last)
        buf_str(out, STR("Connection: close\r\n"));
    else if (c->old)
        buf_str(out, STR("Connection: keep-alive\r\n"));
    buf_str(out, STR("\r\n"));
}

/* --- sending ---------------------------------------------------------------------------------- */

/* How much of the two the socket accepted; negative: the socket failed. */
static ssize_t send_two(struct http_connection *c, str first, str second)
{
    struct iovec parts[2] = {{(void *)(uintptr_t)first.p, first.n},
                             {(void *)(uintptr_t)second.p, second.n}};
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};
    ssize_t n;

    if (c->tls) {
        n = tls_send(c->tls, first.p, first.n);
        if (n == (ssize_t)first.n && second.n) {
            ssize_t more = tls_send(c->tls, second.p, second.n);

            n += more > 0 ? more : 0; /* the next send reports the error */
        }
        return n < 0 && errno == EAGAIN ? 0 : n;
    }
    do {
        n = second.n ? sendmsg(c->watch.fd, &message, MSG_NOSIGNAL)
                     : send(c->watch.fd, first.p, first.n, MSG_NOSIGNAL);
    } while (n < 0 && errno == EINTR);
    return n < 0 && errno == EAGAIN ? 0 : n;
}

/* The kernel has the whole answer. */
static void answer_done(struct http_connection *c)
{
    if (c->refused || (c->last && c->in.n)) {
        /* Closing with unread input pending could make the client lose the answer. */
        if (c->tls)
            tls_finish(c->tls);
        shutdown(c->watch.fd, SHUT_WR);
        buf_deinit(&c->in);
        http_connection_enter(c, HTTP_LINGER);
    } else if (c->last) {
        if (c->tls)
            tls_finish(c->tls);
        http_connection_close(c);
        return;
    } else {
        http_connection_enter(c, HTTP_IDLE);
        if (c->in.n || c->eof || (c->tls && tls_has_more(c->tls)))
            http_server_ready(c);
    }
    http_connection_watch(c);
}

/* Keeps the unsent part of the head and of the body after it. */
static enum http_outcome answer_keep(struct http_connection *c, str head, struct buf *body,
                                     size_t sent)
{
    struct http_server *s = c->server;

    if (!budget_room(s->budget, head.n + body->cap - MIN(sent, head.n))) {
        http_connection_close(c);
        return sent ? HTTP_CUT : HTTP_LOST;
    }
    c->out_at = c->rest_at = 0;
    if (sent < head.n)
        buf_add(&c->out, head.p + sent, head.n - sent);
    else
        c->rest_at = sent - head.n;
    c->rest = *body;
    *body = (struct buf){0};
    s->sending_count++;
    http_connection_count(c);
    http_connection_enter(c, HTTP_OUT);
    http_connection_watch(c);
    return HTTP_SENDING;
}

static enum http_outcome answer_send(struct http_connection *c, struct http_response *r)
{
    struct buf *text = &c->server->text, none = {0}, *body = &r->body;
    ssize_t n;

    write_head(c, r);
    http_exchange_clear(c); /* the response's fields may have had views into it */
    if (c->is_head || body->n <= HTTP_JOIN_SIZE_MAX) {
        if (!c->is_head)
            buf_str(text, buf_view(body));
        body = &none;
    }
    n = send_two(c, buf_view(text), buf_view(body));
    if (n < 0) {
        http_connection_close(c);
        return HTTP_LOST;
    }
    if ((size_t)n < text->n + body->n)
        return answer_keep(c, buf_view(text), body, (size_t)n);
    answer_done(c);
    return HTTP_SENT;
}

void http_send_rest(struct http_connection *c)
{
    struct http_server *s = c->server;
    str out = str_slice(buf_view(&c->out), c->out_at, c->out.n);
    str rest = str_slice(buf_view(&c->rest), c->rest_at, c->rest.n);
    ssize_t n;

    if (c->state != HTTP_OUT)
        return;
    n = out.n ? send_two(c, out, rest) : send_two(c, rest, STR(""));
    if (n < 0) {
        http_connection_close(c);
        return;
    }
    c->out_at += MIN((size_t)n, out.n);
    c->rest_at += (size_t)n - MIN((size_t)n, out.n);
    if ((size_t)n < out.n + rest.n)
        return;
    buf_deinit(&c->out);
    buf_deinit(&c->rest);
    s->sending_count--;
    if (!c->own && s->handler.sent)
        s->handler.sent(s->handler.arg, &c->exchange, HTTP_SENT);
    answer_done(c);
}

void http_send_continue(struct http_connection *c)
{
    str line = STR("HTTP/1.1 100 Continue\r\n\r\n");

    /* If the socket does not even accept this, the client does not read. */
    if (send_two(c, line, STR("")) != (ssize_t)line.n)
        http_connection_close(c);
}

/* --- exchanges -------------------------------------------------------------------------------- */

void http_exchange_clear(struct http_connection *c)
{
    static const struct http_request none = {.method = STR_INIT(""),
                                             .path = STR_INIT(""),
                                             .query = STR_INIT(""),
                                             .host = STR_INIT(""),
                                             .origin = STR_INIT(""),
                                             .body = STR_INIT("")};
    struct http_exchange *x = &c->exchange;

    x->rq = none;
    pool_give(&c->server->blocks, x->block, x->block_size);
    x->block = NULL;
    x->block_size = 0;
    buf_deinit(&x->body);
    http_connection_count(c);
}

/* The pending answer is available. False: the client is gone. */
static bool exchange_end(struct http_connection *c)
{
    struct http_server *s = c->server;

    assert(c->exchange.owed);
    c->exchange.owed = false;
    s->waiting--;
    if (c->state != HTTP_CLOSED)
        return true;
    list_push_back(&s->closed, &c->link);
    return false;
}

enum http_outcome http_answer(struct http_exchange *x, struct http_response *r)
{
    struct http_connection *c = container_of(x, struct http_connection, exchange);
    enum http_outcome outcome;

    c->own = false;
    outcome = exchange_end(c) ? answer_send(c, r) : HTTP_LOST;

    c->server->stats.lost += outcome == HTTP_LOST || outcome == HTTP_CUT;
    return outcome;
}

void http_abandon(struct http_exchange *x)
{
    struct http_connection *c = container_of(x, struct http_connection, exchange);

    c->server->stats.lost++;
    if (exchange_end(c))
        http_connection_close(c);
}

void http_send_own(struct http_connection *c, struct http_response *r)
{
    c->own = true;
    answer_send(c, r);
}

void http_refuse(struct http_connection *c, int status, const char *why)
{
    struct http_server *s = c->server;
    struct http_response r = {.status = status, .content_type = "text/plain"};

    s->stats.refused++;
    if (s->handler.refused) {
        s->handler.refused(s->handler.arg, &c->exchange.rq, status, why, &r);
    } else {
        buf_z(&r.body, why);
        buf_char(&r.body, '\n');
    }
    c->refused = c->last = true;
    http_send_own(c, &r);
    buf_deinit(&r.body);
}
