/* The topics daemon as a value: nothing of it is global, so that several can live in one process.
 *
 *   doors ── desk ── api_* ──> catalog ──> topic_store
 *                      └─────> fanout ── route ── queued_link ──> link ──> queued
 *            desk ── front ───────────────────── queued_link ──> link ──> queued
 *
 * The store fails: memory is brought back to what is on disk, calls that write are refused, and a
 * probe each second tries whether it works again. */
#ifndef TOQUE_TOPICD_H
#define TOQUE_TOPICD_H

#include "common/base/environment.h"
#include "common/io/daemon.h"
#include "common/aws/desk.h"
#include "topicd/catalog.h"
#include "topicd/directory.h"
#include "topicd/front.h"
#include "topicd/fanout.h"
#include "topicd/options.h"
#include "topicd/queued_route.h"

struct topicd {
    const struct topicd_options *options;
    struct clock clock;
    struct id_source ids;
    struct map_seed seed; /* of its tables */
    struct loop *loop;
    struct topic_store *store;
    struct catalog catalog;
    struct directory directory;
    struct fanout fanout;
    struct queued_route queued_route;
    struct front front;
    struct queued_link **links;
    const char **urls;
    u32 link_count;
    struct desk *desk;
    struct budget clients; /* memory held for them */
    struct http_server *http;
    struct ipc_door *ipc;
    struct service sns, sqs;
    char *public_url; /* base of the URLs in notifications, no slash at the end */
    struct loop_hook hook;
    struct loop_timer probe;    /* while the store fails */
    struct loop_timer deadline; /* while stopping */
    struct loop_watch signals;
    struct daemon *daemon;
    bool failing, stopping, flushed;
    bool untidy;             /* something was committed since the store had nothing to tidy */
    u64 tidied;              /* commits, when that was looked at */
    i64 started_ms;          /* mono */
    struct list clock_waits; /* struct call: POST /_toque/clock that waits for echoes */
};

/* Opens the store, loads it, creates what the topology file names, dials the queueds, opens the
 * doors. On failure `f` has the whole line for the log, and nothing is left open. `options` lives
 * as long as the daemon; `signals` may be NULL. */
int topicd_open(struct topicd **ret, const struct topicd_options *options,
                const struct environment *env, struct daemon *signals, struct fault *f) MUST_CHECK;
/* Runs until topicd_stop, or a signal, and the orderly end that follows. */
void topicd_run(struct topicd *t);
/* Refuse new calls, let those under way end, then stop the loop. */
void topicd_stop(struct topicd *t);
void topicd_close(struct topicd *t);

/* Hangs the pages that are no API calls on the desk. */
void pages_add(struct topicd *t);
/* The clock by hand: a queued says what time it is there; or it is gone. */
void pages_clock_seen(struct topicd *t, struct queued_link *p, i64 now_ms);
void pages_clock_gone(struct topicd *t, struct queued_link *p);
void pages_clock_refuse(struct topicd *t);

#endif
