/* HTTP/1.1 endpoints in the daemon's own loop: connections over TCP and Unix sockets, requests
 * without their framing, answers. A request is handed over when it is complete and within its
 * bounds; its answer may come at any later time. Each connection has one pending request at a time;
 * pipelined ones wait.
 *
 * A disconnect is detected at once in every state of the connection: if a request is pending it is
 * reported by `gone` (http_answer must still be called once on the exchange).
 *
 * The resources that a client can occupy are bounded: each request has a total deadline, an idle
 * connection a limit, an unread answer a deadline; at the limit of connections the one that was
 * idle longest is closed for a new one. */
#ifndef TOQUE_HTTP_SERVER_H
#define TOQUE_HTTP_SERVER_H

#include "common/base/err.h"
#include "common/io/budget.h"
#include "common/io/http_message.h"
#include "common/io/loop.h"

struct http_limits {
    u32 body_size_max;   /* bytes of one request body; above it 413 */
    u32 header_size_max; /* bytes of one request's line and header fields; above it 431 */
    u32 connections_max;
    u32 connections_per_address_max; /* 0: no such limit */
    u32 idle_timeout_s;              /* between requests */
    u32 request_timeout_s;           /* from a request's first byte to its last */
    u32 answer_timeout_s;            /* for sending the whole answer */
};

struct http_server;
struct http_browsers;
struct tls_identity;
struct http_exchange;

/* What happened to an answer: the kernel has all of it; or not yet, and `sent` reports the end. Or
 * it failed, since the client is gone, does not read, or the budget has no room for what it does
 * not read: then none of it was sent, or only a part. */
enum http_outcome { HTTP_SENT, HTTP_SENDING, HTTP_LOST, HTTP_CUT };

struct http_handler {
    /* A whole request. The callee answers now or later, exactly once. */
    void (*request)(void *arg, struct http_exchange *x, const struct http_request *rq);
    /* The client left before the answer. `x` stays valid until http_answer is called on it. */
    void (*gone)(void *arg, struct http_exchange *x);
    /* An answer that was HTTP_SENDING is sent, lost or cut. `x` ends with the call. May be NULL. */
    void (*sent)(void *arg, struct http_exchange *x, enum http_outcome outcome);
    /* A request that the server itself refuses, with as much of it as is known (method "" when it
     * could not be read): fills content type, fields and body. May be NULL: plain text then. */
    void (*refused)(void *arg, const struct http_request *rq, int status, const char *why,
                    struct http_response *r);
    void *arg;
};

/* `budget` is what all that is held counts against, and the server reclaims for it; it lives as long
 * as the server. */
int http_server_new(struct http_server **ret, struct loop *l, const struct http_limits *limits,
                    struct budget *budget, struct http_handler handler);
/* Sets which web pages are accepted, and answers preflights. Without this call requests of pages
 * are not distinguished. */
void http_server_guard(struct http_server *s, const struct http_browsers *browsers);
/* Addresses or names, see http_listen_tcp; port 0 takes a free one. 0, or a fault text that names the
 * address. */
int http_server_listen_tcp(struct http_server *s, const char *const *hosts, u32 host_count,
                           u16 port, u16 *ret_port, struct fault *f) MUST_CHECK;
/* The same with TLS; `id` lives as long as the server. */
int http_server_listen_tls(struct http_server *s, const char *const *hosts, u32 host_count,
                           u16 port, struct tls_identity *id, u16 *ret_port,
                           struct fault *f) MUST_CHECK;
/* Replaces a socket on which no process listens any more. */
int http_server_listen_unix(struct http_server *s, const char *path, struct fault *f) MUST_CHECK;
/* Stops accepting; open connections continue. */
void http_server_quiesce(struct http_server *s);
/* Closes the connections whose answers are still being sent: there is no time left. */
void http_server_cut(struct http_server *s);
/* Exchanges handed over and not yet answered. */
u32 http_server_waiting(const struct http_server *s);
/* Answers that are not completely sent. */
u32 http_server_sending(const struct http_server *s);
/* Ends all connections. Every exchange must have been answered. NULL accepted. */
void http_server_free(struct http_server *s);

/* Counted since start, except `connections`, which is the present number. */
struct http_stats {
    u32 connections;
    u64 accepted, requests;
    u64 refused; /* requests that the server answered itself */
    u64 evicted; /* connections closed to make room for others */
    u64 expired; /* connections closed at one of their deadlines */
    u64 lost;    /* answers that were not sent */
};
struct http_stats http_server_stats(const struct http_server *s);

/* Whether the client of an unanswered exchange is still there: asks its socket, which knows before
 * any event. For callers that are about to do something that cannot be undone. */
bool http_exchange_is_there(const struct http_exchange *x);
/* A pointer that belongs to the handler. */
void http_exchange_set_data(struct http_exchange *x, void *data);
void *http_exchange_data(const struct http_exchange *x);
/* Writes status, Date, content type, length and the response's fields, and the body unless the
 * request was a HEAD. A body that cannot be sent at once is taken; otherwise it is the caller's to
 * use again. Unless it is HTTP_SENDING the exchange ends with the call. */
enum http_outcome http_answer(struct http_exchange *x, struct http_response *r);
/* Ends the exchange without an answer and closes its connection. */
void http_abandon(struct http_exchange *x);

#endif
