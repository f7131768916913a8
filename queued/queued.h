/* The queues daemon as a value: nothing of it is global, so that several can live in one process.
 *
 *   doors ── desk ── api_* ──> queues ── queue ──> queue_store
 *   link ─── peer ── deliver ──────────────^
 *   timers ─ sweep ────────────────────────^
 *
 * The store fails: memory is brought back to what is on disk, calls that write are refused, and a
 * probe each second tries whether it works again. */
#ifndef TOQUE_QUEUED_H
#define TOQUE_QUEUED_H

#include "common/base/environment.h"
#include "common/io/daemon.h"
#include "common/aws/desk.h"
#include "queued/options.h"
#include "queued/topicd_link.h"

struct queued {
    const struct queued_options *options;
    struct clock clock;
    struct id_source ids;
    struct map_seed seed; /* of its tables */
    struct loop *loop;
    struct queue_store *store;
    struct queues queues;
    struct service service;
    struct desk *desk;
    struct topicd_link topicd;
    struct budget clients; /* memory held for them */
    struct http_server *http;
    struct ipc_door *ipc;
    struct loop_hook hook;
    struct loop_timer probe;    /* while the store fails */
    struct loop_timer deadline; /* while stopping */
    struct loop_watch signals;
    struct daemon *daemon;
    u16 http_port;
    bool failing, stopping;
    bool lingering;          /* stopping: all is answered, the last words are on their way */
    bool reloaded;           /* memory is what is on disk */
    i64 started_ms;          /* mono */
    struct list clock_waits; /* struct call: POST /_toque/clock that waits for the echo */
};

/* Opens the store, loads it, creates what the topology file names, listens. On failure `f` has the
 * whole line for the log, and nothing is left open. `options` lives as long as the daemon;
 * `signals` may be NULL. */
int queued_open(struct queued **ret, const struct queued_options *options,
                const struct environment *env, struct daemon *signals, struct fault *f) MUST_CHECK;
/* Runs until queued_stop, or a signal, and the orderly end that follows. */
void queued_run(struct queued *d);
/* Refuse new calls, answer parked long polls, let the others end, then stop the loop. */
void queued_stop(struct queued *d);
void queued_close(struct queued *d);

/* Hangs the pages that are no API calls on the desk. */
void queued_add_pages(struct queued *d);
/* The clock by hand: what topicd says its time is; or it is gone. */
void queued_clock_seen(struct queued *d, i64 now_ms);
void queued_clock_gone(struct queued *d);

#endif
