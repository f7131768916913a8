/* Clients at the daemons' HTTP endpoints. It takes the place of common/io/http_server.c: a request
 * goes to a node, its answer comes back, and there is no HTTP between. */
#ifndef TOQUE_SIM_ENDPOINT_H
#define TOQUE_SIM_ENDPOINT_H

#include "common/base/buf.h"
#include "tests/sim/node.h"

struct http_exchange;

enum client_end {
    CLIENT_UNDER_WAY,
    CLIENT_ANSWERED,
    CLIENT_REFUSED, /* nobody listened: it was not even begun */
    CLIENT_LOST,    /* the connection ended before the answer */
};

/* One call. Lives in its client until `done`. */
struct client_call {
    struct node *to;
    const char *target; /* X-Amz-Target; NULL: a form */
    struct buf body;    /* kept until `done` */
    /* The answer leaves the daemon, in the daemon's turn; it may still be lost on its way. */
    void (*left)(struct client_call *c, int status, str body);
    void (*done)(struct client_call *c);
    void *arg;

    i64 issued_us;
    enum client_end end; /* as of `done` */
    int status;
    struct buf answer;
    struct http_exchange *exchange; /* at the other end; NULL: none */
    struct event arrive;            /* its request there, or its end here */
};

/* c->to, target, body, left, done and arg are set, the rest is zeroed. */
void client_send(struct client_call *c);
/* The client closes its connection: `done` follows with CLIENT_LOST. */
void client_hang_up(struct client_call *c);
static inline bool client_is_under_way(const struct client_call *c)
{
    return c->exchange || world_is_set(&c->arrive);
}
void client_call_deinit(struct client_call *c);

/* The incarnation was killed: its clients are told. */
void endpoint_sever(struct incarnation *of);
/* Every client of a ghost leaves, as its daemon sees it. */
void endpoint_leave(struct incarnation *of);

#endif
