/* The part that all daemons share: clock and randomness, loop, the desk with its endpoints,
 * handling of a failing store, the manual clock, health, and an orderly stop.
 *
 *     server_open ── the daemon opens its store ── server_serve_store ── the daemon loads ──
 *     server_listen ── server_run … server_stop ── server_close_endpoints ── the daemon closes ──
 *     server_close
 *
 * When the store fails: memory is reloaded from disk, calls that write are refused, and the store
 * is probed every second. When another process has taken over the store: the daemon ends with an
 * exit status of its own.
 *
 * Stop: new calls are refused, pending ones end within stop_max_ms or are cancelled; then, if
 * something is sent through nng, its threads get a moment; then the daemon stores what is in memory
 * only.
 *
 *     RUNS ──server_stop──> STOPS ──nothing under way──> LINGERS ──LINGER_MS──> DRAINS ──> the loop
 *                             └──────nothing left through nng──────────────────────^      stops */
#ifndef TOQUE_SERVER_H
#define TOQUE_SERVER_H

#include "common/aws/desk.h"
#include "common/aws/manual_clock.h"
#include "common/aws/server_options.h"
#include "common/base/environment.h"
#include "common/base/figures.h"
#include "common/base/map.h"
#include "common/io/background.h"
#include "common/io/mem_return.h"
#include "common/io/daemon.h"
#include "common/io/link.h"
#include "common/io/tls.h"

struct server;

/* A daemon's own functions; all but `reload` may be NULL. */
struct server_ops {
    /* Reloads memory from disk as far as a lost turn has changed it. Called when the store failed,
     * and again until it succeeds. */
    int (*reload)(struct server *s);
    /* The store fails, or works again. */
    void (*failing)(struct server *s, bool failing);
    /* The disk is full, or has room again. NULL: it makes no difference. */
    void (*full)(struct server *s, bool full);
    /* The stop begins: end long waits now. */
    void (*stop)(struct server *s);
    /* stop_max_ms has passed: end everything that waits now. */
    void (*cut)(struct server *s);
    /* While it stops: whether something is pending besides the calls of the desk. */
    bool (*is_busy)(const struct server *s);
    /* Nothing is pending: store what is in memory only. True: something was stored. */
    bool (*drain)(struct server *s);
    /* Whether a peer is up: sent data may still be with nng's threads. */
    bool (*is_linked)(const struct server *s);
    /* Whether the daemon is impaired although the store works. */
    bool (*is_degraded)(const struct server *s);
    void (*figures)(const struct server *s, struct figures *to);
};

enum server_end { SERVER_RUNS, SERVER_STOPS, SERVER_LINGERS, SERVER_DRAINS };

struct server {
    const struct server_options *options;
    const struct server_ops *ops;
    struct clock clock;
    struct id_source ids;
    struct map_seed seed; /* of the daemon's tables */
    struct loop *loop;
    struct background *background;
    struct background_job space; /* returns free space of the store */
    i64 space_ms;                /* mono: next check */
    struct mem_return memory;
    struct engine *engine;
    struct manual_clock manual_clock;
    char *public_url; /* base of the URLs that it issues, no slash at the end; "" before it listens,
                     * unless configured */
    struct desk *desk;
    struct budget clients; /* memory held for them */
    struct http_server *http;
    struct ipc_door *ipc;
    u16 http_port, tls_port;
    struct tls_identity *tls; /* NULL: none */
    char *listens;            /* its addresses, for the log */
    struct daemon *daemon;    /* NULL: no signals */
    struct loop_watch signals;
    struct loop_hook hook;
    struct loop_timer probe; /* while the store fails */
    struct loop_timer look;  /* at whether the store is in its place */
    u64 looked_commits;      /* commits at the last look */
    bool look_is_soon;
    bool full;                  /* the disk */
    struct loop_timer deadline; /* while stopping */
    struct buf link_key;        /* key shared by the ends of its links; empty: none */
    bool failing;               /* the store */
    bool lost;                  /* memory is not what is on disk */
    bool fenced;                /* another process owns the store */
    enum server_end end;
    i64 started_ms; /* mono */
};

/* Everything that needs no store. `options` live as long as the server, and the desk is ready for
 * services and pages. `signals` may be NULL. */
void server_open(struct server *s, const struct server_ops *ops,
                 const struct server_options *options, const struct environment *env,
                 struct daemon *signals);
/* How the daemon opens its store. */
struct store_options server_store_options(struct server *s);
/* Commits turns to this engine from now on. A manual clock continues with the stored time. */
int server_serve_store(struct server *s, struct engine *e, struct fault *f) MUST_CHECK;
/* The limits of the daemon's links at these addresses, with their shared key. E_FAULT: the key
 * cannot be read, or there is none and anybody may connect to one of the addresses. Valid as long
 * as the server. */
int server_link_limits(struct server *s, const char *const *urls, size_t n, struct link_limits *ret,
                       struct fault *f) MUST_CHECK;
/* Makes everything so far durable, then opens the endpoints. */
int server_listen(struct server *s, struct fault *f) MUST_CHECK;
/* Runs until server_stop, or a signal, and the orderly stop that follows. SIGHUP reads the access
 * keys again. */
void server_run(struct server *s);
void server_stop(struct server *s);
/* Safe on a partly opened server, like all functions of the stop. */
void server_close_endpoints(struct server *s);
/* Call it after the daemon has closed its own parts and its store. */
void server_close(struct server *s);

#endif
