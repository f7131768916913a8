/* An exchange belongs to its server until it is answered; its call belongs to its client. Either may
 * be gone before the other: then the pointer between them is NULL. */
#include "tests/sim/endpoint.h"

#include "common/base/mem.h"
#include "common/io/http_server.h"
#include "tests/sim/chance.h"
#include "tests/sim/record.h"

#define LATENCY_MIN_US 20
#define LATENCY_MAX_US 300
/* Answers that leave in more than one piece, and how long that takes. */
#define SENDING_ONE_IN 20
#define SENDING_MAX_US 500000

struct http_server {
    struct incarnation *owner;
    struct loop *loop;
    struct http_handler handler;
    struct list exchanges; /* all of them, in the order in which they came */
    u32 waiting, sending;  /* handed over and not answered; answered and not all sent */
    bool quiet;
    struct loop_timer wake; /* something came */
};

struct http_exchange {
    struct list link;
    struct http_server *server;
    struct client_call *call; /* NULL: the client is gone */
    bool is_handed, is_told_gone;
    bool is_sending;   /* its answer is on its way out, */
    struct event sent; /* until then */
    char *target;
    struct http_field fields[4];
    struct buf body;
    void *data;
};

static i64 latency_us(void)
{
    return chance_between(CHANCE_NETWORK, LATENCY_MIN_US, LATENCY_MAX_US);
}

static void call_end(struct client_call *c, enum client_end end)
{
    c->exchange = NULL;
    c->end = end;
    world_after(&c->arrive, latency_us());
}

/* --- the server's side ------------------------------------------------------------------------ */

static void server_wake(struct http_server *s)
{
    loop_timer_set_real(s->loop, &s->wake, 0);
    node_poke(s->owner);
}

static void exchange_hand_over(struct http_exchange *x)
{
    struct http_server *s = x->server;
    struct http_request rq = {.kind = HTTP_TCP,
                              .method = STR("POST"),
                              .path = STR("/"),
                              .query = STR(""),
                              .host = STR("localhost"),
                              .fields = x->fields,
                              .body = buf_view(&x->body)};

    x->fields[rq.field_count++] = (struct http_field){STR("Host"), STR("localhost")};
    x->fields[rq.field_count++] = (struct http_field){
        STR("Content-Type"),
        x->target ? STR("application/x-amz-json-1.0") : STR("application/x-www-form-urlencoded")};
    if (x->target)
        x->fields[rq.field_count++] = (struct http_field){STR("X-Amz-Target"), str_of(x->target)};
    x->is_handed = true;
    s->waiting++;
    s->handler.request(s->handler.arg, x, &rq);
}

static void exchange_free(struct http_exchange *x)
{
    list_remove(&x->link);
    world_cancel(&x->sent);
    buf_deinit(&x->body);
    mem_free(x->target);
    mem_free(x);
}

/* The answer left as a whole, or its client did before. */
static void exchange_sent(struct http_exchange *x)
{
    struct http_server *s = x->server;
    enum http_outcome outcome = x->call                            ? HTTP_SENT
                                : chance_one_in(CHANCE_NETWORK, 2) ? HTTP_LOST
                                                                   : HTTP_CUT;

    if (x->call)
        call_end(x->call, CLIENT_ANSWERED);
    s->sending--;
    if (s->handler.sent)
        s->handler.sent(s->handler.arg, x, outcome);
    exchange_free(x);
}

static void exchange_tell_gone(struct http_exchange *x)
{
    x->is_told_gone = true;
    x->server->handler.gone(x->server->handler.arg, x);
}

/* What came since the last turn: who is new, and who is gone. */
static void server_due(struct loop_timer *t)
{
    struct http_server *s = t->arg;

    list_each(at, next, &s->exchanges) {
        struct http_exchange *x = list_item(at, struct http_exchange, link);

        if (!x->is_handed)
            exchange_hand_over(x);
        if (x->is_sending && (!x->call || !world_is_set(&x->sent)))
            exchange_sent(x);
        else if (!x->is_sending && !x->call && !x->is_told_gone)
            exchange_tell_gone(x);
    }
}

int http_server_new(struct http_server **ret, struct loop *l, const struct http_limits *limits,
                    struct budget *budget, struct http_handler handler)
{
    struct http_server *s = mem_alloc(sizeof(*s));

    *s = (struct http_server){.owner = node_running(), .loop = l, .handler = handler};
    s->wake = (struct loop_timer){.due = server_due, .arg = s};
    list_init(&s->exchanges);
    *ret = s;
    return 0;
}

int http_server_listen_tcp(struct http_server *s, const char *const *hosts, u32 host_count,
                           u16 port, u16 *ret_port, struct fault *f)
{
    s->owner->http = s;
    *ret_port = port;
    return 0;
}

/* The simulated world has no TLS. */
int http_server_listen_tls(struct http_server *s, const char *const *hosts, u32 host_count,
                           u16 port, struct tls_identity *id, u16 *ret_port, struct fault *f)
{
    assert(id == NULL);
    return http_server_listen_tcp(s, hosts, host_count, port, ret_port, f);
}

void http_server_guard(struct http_server *s, const struct http_browsers *browsers)
{
}

int http_server_listen_unix(struct http_server *s, const char *path, struct fault *f)
{
    return 0;
}

void http_server_quiesce(struct http_server *s)
{
    s->quiet = true;
}

/* What is being sent here is sent soon. */
void http_server_cut(struct http_server *s)
{
}

u32 http_server_waiting(const struct http_server *s)
{
    return s->waiting;
}

bool http_exchange_is_there(const struct http_exchange *x)
{
    return x->call != NULL;
}

void http_exchange_set_data(struct http_exchange *x, void *data)
{
    x->data = data;
}

void *http_exchange_data(const struct http_exchange *x)
{
    return x->data;
}

static void sent_due(struct event *e)
{
    server_wake(((struct http_exchange *)e->arg)->server);
}

/* One answer in some is not taken by its socket at once. */
enum http_outcome http_answer(struct http_exchange *x, struct http_response *r)
{
    struct client_call *c = x->call;

    assert(x->is_handed && x->server->waiting > 0);
    x->server->waiting--;
    if (!c) {
        exchange_free(x);
        return HTTP_LOST;
    }
    c->status = r->status;
    buf_str(&c->answer, buf_view(&r->body));
    c->left(c, r->status, buf_view(&r->body));
    if (chance_one_in(CHANCE_NETWORK, SENDING_ONE_IN)) {
        x->is_sending = true;
        x->server->sending++;
        x->sent = (struct event){.run = sent_due, .arg = x};
        world_after(&x->sent, chance_skewed(CHANCE_NETWORK, 1, SENDING_MAX_US));
        return HTTP_SENDING;
    }
    call_end(c, CLIENT_ANSWERED);
    exchange_free(x);
    return HTTP_SENT;
}

void http_abandon(struct http_exchange *x)
{
    assert(x->is_handed && x->server->waiting > 0);
    x->server->waiting--;
    if (x->call)
        call_end(x->call, CLIENT_LOST);
    exchange_free(x);
}

u32 http_server_sending(const struct http_server *s)
{
    return s->sending;
}

struct http_stats http_server_stats(const struct http_server *s)
{
    return (struct http_stats){0};
}

void http_server_free(struct http_server *s)
{
    if (!s)
        return;
    assert(s->waiting == 0);
    list_each(at, next, &s->exchanges) {
        struct http_exchange *x = list_item(at, struct http_exchange, link);

        if (x->call)
            call_end(x->call, CLIENT_LOST);
        exchange_free(x);
    }
    loop_timer_clear(s->loop, &s->wake);
    s->owner->http = NULL;
    mem_free(s);
}

/* --- the client's side ------------------------------------------------------------------------ */

static void request_arrives(struct client_call *c)
{
    struct http_server *s = c->to->life ? c->to->life->http : NULL;
    struct http_exchange *x;

    if (!s || s->quiet) {
        call_end(c, CLIENT_REFUSED);
        return;
    }
    x = mem_alloc(sizeof(*x));
    *x = (struct http_exchange){.server = s, .call = c};
    x->target = c->target ? mem_dup(str_of(c->target)) : NULL;
    buf_str(&x->body, buf_view(&c->body));
    list_push_back(&s->exchanges, &x->link);
    c->exchange = x;
    server_wake(s);
}

static void call_arrives(struct event *e)
{
    struct client_call *c = e->arg;

    if (c->end == CLIENT_UNDER_WAY)
        request_arrives(c);
    else
        c->done(c);
}

void client_send(struct client_call *c)
{
    c->issued_us = world_now_us();
    c->end = CLIENT_UNDER_WAY; /* on its way there */
    c->status = 0;
    buf_reset(&c->answer);
    c->exchange = NULL;
    c->arrive = (struct event){.run = call_arrives, .arg = c};
    world_after(&c->arrive, latency_us());
}

void client_hang_up(struct client_call *c)
{
    struct http_exchange *x = c->exchange;

    if (!x)
        return;
    x->call = NULL;
    server_wake(x->server);
    call_end(c, CLIENT_LOST);
}

void client_call_deinit(struct client_call *c)
{
    assert(!client_is_under_way(c));
    buf_deinit(&c->body);
    buf_deinit(&c->answer);
}

/* --- the end of an incarnation ---------------------------------------------------------------- */

void endpoint_sever(struct incarnation *of)
{
    if (!of->http)
        return;
    list_each(at, next, &of->http->exchanges) {
        struct http_exchange *x = list_item(at, struct http_exchange, link);

        if (x->call)
            call_end(x->call, CLIENT_LOST);
        x->call = NULL;
    }
}

void endpoint_leave(struct incarnation *of)
{
    if (!of->http)
        return;
    of->http->quiet = true;
    server_due(&of->http->wake);
    loop_timer_clear(of->http->loop, &of->http->wake);
}
