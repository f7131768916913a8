/* A connection and its server: shared by http_server.c (life, endpoints), http_room.c (limits and
 * deadlines), http_connection.c (requests) and http_answer.c (answers), and private to them.
 *
 *   IDLE ──> HEAD ──> BODY ──hand over──> CALL ──http_answer──> IDLE
 *    └────────┴─────────┴─refused─┐         └──> SENDING ──all sent──^
 *                                 └──> SENDING ──> LINGER ──> CLOSED
 *
 * Invariants:
 * 1. A connection is on exactly one list, by its state: `kept` (IDLE, CALL), `reading` (HEAD,
 *    BODY), `sending`, `lingering`; CLOSED on `closed` once no answer is owed to it, otherwise on
 *    none.
 * 2. `kept` is ordered by listed_ms, the others by since_ms: the earliest deadline comes first. An
 *    idle connection's since_ms may be later than its position suggests: it is moved when it is
 *    looked at, so that a request needs no list operation.
 * 3. A closed connection frees its buffers at once, and its struct when the server flushes: callers
 *    up the stack may still read its state.
 * 4. `charged` is exactly what the connection holds and what the budget counts for it. */
#ifndef TOQUE_HTTP_CONNECTION_H
#define TOQUE_HTTP_CONNECTION_H

#include "common/base/map.h"
#include "common/base/pool.h"
#include "common/base/slab.h"
#include "common/io/http_browser.h"
#include "common/io/http_chunks.h"
#include "common/io/http_head.h"
#include "common/io/http_server.h"
#include "common/io/tls.h"

/* Sockets that listen: TCP, TLS and Unix. */
#define HTTP_ENDPOINTS_MAX 40
/* Bytes requested with one recv; many connections share a turn. */
#define HTTP_READ_SIZE (64u << 10)
/* Memory reserved for a body by its Content-Length before any of it has arrived. */
#define HTTP_RESERVE_SIZE_MAX (32u << 10)
/* A body of up to this size is copied behind the head and sent with it; a larger one is sent from
 * where it lies. */
#define HTTP_JOIN_SIZE_MAX (32u << 10)
/* Bytes that are read and dropped after a refusal, so that the client receives the answer. */
#define HTTP_DROP_SIZE_MAX (64u << 20)

enum http_state {
    HTTP_IDLE,
    HTTP_HEAD,
    HTTP_BODY,
    HTTP_CALL,
    HTTP_OUT,    /* an answer is being sent */
    HTTP_LINGER, /* the last answer is sent: further input is read and dropped */
    HTTP_CLOSED
};

struct http_endpoint {
    struct http_server *server;
    struct loop_watch watch;
    enum http_kind kind;
    char *unix_path;          /* NULL: TCP */
    struct tls_identity *tls; /* NULL: plain */
    bool paused;              /* not watched: the connections are at their limit */
};

struct http_exchange {
    struct http_request rq;
    void *block; /* fields, head, and the body where it is small */
    size_t block_size;
    struct buf body; /* a large or chunked one */
    void *data;
    bool owed; /* handed over, not answered */
    bool told; /* `gone` was called */
};

struct http_connection {
    struct loop_watch watch;
    struct list link;
    struct http_server *server;
    enum http_state state;
    bool left;    /* the client sends no more, though unread input may remain */
    bool eof;     /* all its input was read */
    bool last;    /* close it after the pending answer */
    bool own;     /* the pending answer is the server's own */
    bool refused; /* and announces that the connection is closed */
    bool is_head; /* no body in the answer */
    bool old;     /* HTTP/1.0 */
    bool queued;  /* on the server's list of those to continue in the next flush */
    u32 interest; /* events that are watched */
    i64 since_ms; /* mono: begin of the state; of CALL: of the request */
    i64 listed_ms;
    struct address peer;
    enum http_kind kind;
    struct tls *tls; /* NULL: plain */
    bool shaking;    /* handshake in progress; the state is HEAD meanwhile */
    struct buf in;   /* received but not consumed: part of a head, or further requests */
    size_t scanned;
    struct http_chunks chunks;
    bool chunked;
    u64 body_left;
    u64 dropped;          /* bytes, while lingering */
    struct buf out, rest; /* not sent yet: bytes from out_at of `out`, then `rest` from rest_at */
    size_t out_at, rest_at;
    u64 charged;
    struct http_connection *next_ready;
    struct http_exchange exchange;
};

struct http_server {
    struct loop *loop;
    struct http_limits limits;
    struct budget *budget;
    struct http_handler handler;
    struct loop_hook hook;
    struct http_endpoint endpoints[HTTP_ENDPOINTS_MAX];
    u32 endpoint_count;
    struct slab connections;
    struct pool blocks;
    struct list kept, reading, sending, lingering, closed;
    u32 idle_count; /* of those on `kept` */
    u32 waiting, sending_count;
    struct http_connection *ready, **ready_end; /* answered, with more input to parse */
    struct map addresses;                       /* struct http_address, if connections per address
                                                 * are limited */
    i64 resume_ms; /* time to accept again after descriptors ran out; -1: accepting */
    struct http_stats stats;
    struct http_browsers browsers;
    bool guarded;
    i64 date_s; /* the second that `date` shows */
    char date[CLOCK_HTTP_SIZE];
    struct buf text;       /* the answer being written */
    struct http_head head; /* the head being read */
    char bytes[HTTP_READ_SIZE];
};

/* --- http_server.c ---------------------------------------------------------------------------- */

static inline i64 http_now_ms(struct http_server *s)
{
    return loop_clock(s->loop)->mono_ms;
}
/* Changes to `state`, at the end of the state's list. */
void http_connection_enter(struct http_connection *c, enum http_state state);
/* Sets the watched events for the state. */
void http_connection_watch(struct http_connection *c);
/* Closes it at once in any state, and reports that to whoever waits for it. */
void http_connection_close(struct http_connection *c);
/* Bytes that it holds, all of which count against the budget from now on. */
u64 http_connection_holds(const struct http_connection *c);
void http_connection_count(struct http_connection *c);

/* --- http_room.c --------------------------------------------------------------------------------- */

/* Counts one more connection of this address; false if it has as many as allowed. */
bool http_address_add(struct http_server *s, const struct address *a);
void http_address_remove(struct http_server *s, const struct address *a);
/* Whether another connection can be accepted, if necessary after http_evict. */
bool http_has_room(struct http_server *s);
/* Closes the most dispensable connection; http_has_room has ensured that there is one. */
void http_evict(struct http_server *s);
/* Aborts the answer that has been in progress longest. False: there is none. As in struct budget. */
bool http_reclaim(void *server);
/* Closes the connections whose deadlines have passed, a bounded number of idle ones. */
void http_expire(struct http_server *s);
/* When the next deadline may pass (mono); -1: there is none. */
i64 http_next_deadline_ms(const struct http_server *s);

static inline struct http_connection *http_first_of(const struct list *list)
{
    return list_is_empty(list) ? NULL : list_item(list->next, struct http_connection, link);
}

/* --- http_connection.c ------------------------------------------------------------------------ */

/* Events of its socket. */
void http_connection_ready(struct loop_watch *w, u32 events);
/* The previous request was answered: parses the kept bytes. */
void http_connection_go_on(struct http_connection *c);

/* --- http_answer.c ---------------------------------------------------------------------------- */

/* Refuses a request in the server itself; the connection is closed after the answer. */
void http_refuse(struct http_connection *c, int status, const char *why);
/* Sends an answer of the server's own. */
void http_send_own(struct http_connection *c, struct http_response *r);
void http_send_continue(struct http_connection *c);
/* The socket accepts more. */
void http_send_rest(struct http_connection *c);
/* Schedules it for the next flush. */
void http_server_ready(struct http_connection *c);

/* Releases the request: its views, its block, its body. */
void http_exchange_clear(struct http_connection *c);

#endif
