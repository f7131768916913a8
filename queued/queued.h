/* The queues daemon as a value: it has no global state, so that one process can run several.
 *
 *   endpoints ── desk ── api_* ──────> queues ── queue ──> queue_store
 *   link ─────── topicd_link ── intake ──^
 *   timers ───── sweep ──────────────────^
 *
 * What it shares with topicd, and how it handles a failing store, is in server.h. */
#ifndef TOQUE_QUEUED_H
#define TOQUE_QUEUED_H

#include "common/aws/server.h"
#include "queued/aids_page.h"
#include "queued/options.h"
#include "queued/peek_page.h"
#include "queued/redrive_page.h"
#include "queued/topicd_link.h"

struct queued {
    struct server server;
    const struct queued_options *options;
    struct queue_store *store;
    struct queues queues;
    struct service service;
    struct peek_pages peek;
    struct redrive_pages redrive;
    struct aids_pages aids;
    struct topicd_link topicd;
    struct loop_hook hook;
    struct loop_timer grace; /* until the clock is trusted */
};

/* Opens and loads the store, creates the queues of the topology file, and listens. On failure `f`
 * holds the complete log text, and nothing is left open. `options` must outlive the daemon;
 * `signals` may be NULL. */
int queued_open(struct queued **ret, const struct queued_options *options,
                const struct environment *env, struct daemon *signals, struct fault *f) MUST_CHECK;
/* NULL accepted. The loop must have ended, or never have run. */
void queued_close(struct queued *d);

/* Adds queued's own figures to those that every server has. */
void queued_figures(const struct server *s, struct figures *to);

static inline struct queued *queued_of(const struct server *s)
{
    return container_of(s, struct queued, server);
}

#endif
