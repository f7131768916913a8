/* HTTP doors. The only file that sees libmicrohttpd: one MHD daemon a listening socket, run in the
 * loop's own thread (external epoll). A request is handed over when it is whole and within its
 * bounds; its connection is suspended until http_answer. Bodies with Content-Length and chunked,
 * Expect: 100-continue, keep-alive and pipelining are the library's; whatever breaks HTTP itself is
 * answered by it with a 4xx and the connection ends in order.
 *
 * While an exchange waits, its socket is watched: when the client leaves, `gone` is called and the
 * exchange is over (http_answer on it is still allowed once, and goes nowhere). */
#ifndef TOQUE_HTTP_SERVER_H
#define TOQUE_HTTP_SERVER_H

#include "common/base/err.h"
#include "common/io/loop.h"
#include "common/io/http_message.h"

/* Bounds on what a client may make us hold. */
struct http_limits {
    u32 body_size_max;   /* bytes of one request body; above it 413 */
    u32 header_size_max; /* bytes of request line and headers of one connection */
    u32 connections_max;
    u32 idle_timeout_s; /* between requests and while a request trickles in */
    u64 memory_max;     /* bytes of request bodies held at once by all connections; above: 503 */
};

struct http_server;
struct http_exchange;

struct http_handler {
    /* A whole request. The callee answers now or later, exactly once. */
    void (*request)(void *arg, struct http_exchange *x, const struct http_request *rq);
    /* The client left before the answer. `x` stays valid until http_answer is called on it. */
    void (*gone)(void *arg, struct http_exchange *x);
    void *arg;
};

int http_server_new(struct http_server **ret, struct loop *l, const struct http_limits *limits,
                    struct http_handler handler);
/* Host is an address or name; port 0 takes a free one. 0, or a fault text that names the address.
 */
int http_server_listen_tcp(struct http_server *s, const char *host, u16 port, u16 *ret_port,
                           struct fault *f) MUST_CHECK;
/* Replaces a socket that nobody listens on any more. */
int http_server_listen_unix(struct http_server *s, const char *path, struct fault *f) MUST_CHECK;
/* Stops accepting; connections under way go on. */
void http_server_quiesce(struct http_server *s);
/* Exchanges handed over and not yet answered. */
u32 http_server_waiting(const struct http_server *s);
/* Ends all connections. Every exchange must have been answered. */
void http_server_free(struct http_server *s);

/* Whether the client of an unanswered exchange is still there: asks its socket, which knows before
 * any event tells. For who is about to give away what cannot be taken back. */
bool http_exchange_is_there(const struct http_exchange *x);
/* The handler's own pointer on an exchange. */
void http_exchange_set_data(struct http_exchange *x, void *data);
void *http_exchange_data(const struct http_exchange *x);
/* Takes the response's body (r->body is empty afterwards). Writes status, content type, its other
 * fields, Date and Content-Length. */
void http_answer(struct http_exchange *x, struct http_response *r);

#endif
