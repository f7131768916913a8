/* What every daemon is, whatever it serves: its time and chance, its loop, the desk with its
 * endpoints, a store that may fail, the clock by hand, health, and an orderly end.
 *
 *     server_open ── the daemon opens its store ── server_serve_store ── the daemon loads ──
 *     server_listen ── server_run … server_stop ── server_close_endpoints ── the daemon closes ──
 *     server_close
 *
 * The store fails: memory is brought back to what is on disk, calls that write are refused, and a
 * probe each second asks whether it works again. Somebody else has taken the store: this is the end,
 * with an exit status of its own.
 *
 * The end: new calls are refused, those under way end, within stop_max_ms or by force; then, where
 * something leaves through nng, a moment for its threads; then what the daemon still has to store.
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
#include "common/io/daemon.h"
#include "common/io/link.h"
#include "common/io/tls.h"

struct server;

/* What a daemon does of its own; all but `reload` may be NULL. */
struct server_ops {
    /* Memory is brought back to what is on disk, as far as a lost turn has changed it. Called when
     * the store failed, and again while it said that it could not. */
    int (*reload)(struct server *s);
    /* The store fails, or works again. */
    void (*failing)(struct server *s, bool failing);
    /* The end begins: what waits for a long time ends now. */
    void (*stop)(struct server *s);
    /* Time is over: everything that waits ends now. */
    void (*cut)(struct server *s);
    /* While it ends: something is under way beside the calls of the desk. */
    bool (*is_busy)(const struct server *s);
    /* Nothing is under way: what is only in memory is stored. True when it was something. */
    bool (*drain)(struct server *s);
    /* A peer is there: something of what was sent may still be with nng's threads. */
    bool (*is_linked)(const struct server *s);
    /* Not all is well, though the store is. */
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
    struct background_job space; /* gives back what the store has free */
    i64 space_ms;                /* mono: when it is looked at next */
    struct engine *engine;
    struct manual_clock manual_clock;
    char *
        public_url; /* base of the URLs that it gives out, no slash at the end; "" before it listens,
                         unless it is configured */
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
    struct loop_timer probe;    /* while the store fails */
    struct loop_timer deadline; /* while stopping */
    struct buf link_key;        /* what the ends of its links know; empty: none */
    bool failing;               /* the store */
    bool lost;                  /* memory is not what is on disk */
    bool fenced;                /* the store is somebody else\'s */
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
/* The turns are this engine's from now on. A manual clock takes over the time that is kept. */
int server_serve_store(struct server *s, struct engine *e, struct fault *f) MUST_CHECK;
/* The limits of the daemon's links at these addresses, with the key that both ends know. E_FAULT:
 * it cannot be read, or there is none and an address is one to which anybody may connect. Good as
 * long as the server. */
int server_link_limits(struct server *s, const char *const *urls, size_t n, struct link_limits *ret,
                       struct fault *f) MUST_CHECK;
/* What was done so far is made durable, then the endpoints let callers in. */
int server_listen(struct server *s, struct fault *f) MUST_CHECK;
/* Runs until server_stop, or a signal, and the orderly end that follows. SIGHUP reads the access
 * keys again. */
void server_run(struct server *s);
void server_stop(struct server *s);
/* Harmless on a server that was opened half, as everything of the end. */
void server_close_endpoints(struct server *s);
/* The daemon's own is closed, its store too. */
void server_close(struct server *s);

#endif
