/* The topics daemon as a value: nothing of it is global, so that several can live in one process.
 *
 *   endpoints ── desk ── api_* ──> catalog ──> topic_store
 *                      └─────> fanout ── route ── queued_link ──> link ──> queued
 *            desk ── front ───────────────────── queued_link ──> link ──> queued
 *
 * What it shares with queued, and what happens when the store fails, is in server.h. */
#ifndef TOQUE_TOPICD_H
#define TOQUE_TOPICD_H

#include "common/aws/server.h"
#include "topicd/captured_route.h"
#include "topicd/catalog.h"
#include "topicd/fanout.h"
#include "topicd/fifo_dedup.h"
#include "topicd/front.h"
#include "topicd/options.h"
#include "topicd/queued_route.h"
#include "topicd/queueds.h"
#include "topicd/assets.h"

struct topicd {
    struct server server;
    const struct topicd_options *options;
    struct topic_store *store;
    struct catalog catalog;
    struct queueds queueds;
    struct fanout fanout;
    struct queued_route queued_route;
    struct fifo_dedup fifo_dedup;
    struct assets assets;
    struct captured captured;
    struct captured_route captured_route;
    struct front front;
    struct service sns, sqs;
    struct loop_hook hook;
};

/* Opens the store, loads it, creates what the topology file names, dials the queued instances,
 * listens. On failure `f` has the whole line for the log, and nothing is left open. `options` lives
 * as long as the daemon; `signals` may be NULL. */
int topicd_open(struct topicd **ret, const struct topicd_options *options,
                const struct environment *env, struct daemon *signals, struct fault *f) MUST_CHECK;
/* NULL accepted. The loop has ended or never ran. */
void topicd_close(struct topicd *t);

/* Adds topicd's own figures to those that every server has. */
void topicd_figures(const struct server *s, struct figures *to);

static inline struct topicd *topicd_of(const struct server *s)
{
    return container_of(s, struct topicd, server);
}

#endif
