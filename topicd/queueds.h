/* All `queued` instances that topicd knows: the links to them, their homes, the directory of
 * queues, and the deliveries that are held until the home of their queue is known. */
#ifndef TOQUE_QUEUEDS_H
#define TOQUE_QUEUEDS_H

#include "topicd/directory.h"
#include "topicd/failed_delivery.h"
#include "topicd/held.h"
#include "topicd/home.h"
#include "topicd/queued_link.h"

/* Events for the daemon, as in struct queued_link_events. */
struct queueds_events {
    void (*up)(void *arg, struct queued_link *p, i64 clock_ms);
    void (*down)(void *arg, struct queued_link *p);
    void (*answer)(void *arg, struct queued_link *p, struct frame_answer *a);
    void (*clock)(void *arg, struct queued_link *p, i64 now_ms);
    void (*freed)(void *arg);
    i64 (*clock_ms)(void *arg);
    void *arg;
};

struct queueds {
    struct homes homes;
    struct directory directory;
    struct held held;
    struct failed_deliveries failed;
    struct queued_link **links;
    u32 link_count;
    struct queueds_events events;
};

struct queueds_conf {
    struct loop *loop;
    struct topic_store *store;
    struct id_source *ids;
    const struct map_seed *seed;
    const char *const *urls; /* of the links */
    u32 link_count;
    u64 outbox_bytes_max;
    struct queued_link_limits limits;
    struct queueds_events events;
};

/* Loads the store; dials nothing yet. An E_ code: it cannot be read. */
int queueds_load(struct queueds *q, const struct queueds_conf *conf) MUST_CHECK;
/* Dials all links. */
int queueds_open(struct queueds *q, const struct queueds_conf *conf, struct fault *f) MUST_CHECK;
/* Nothing may be pending. No effect when it was not loaded. */
void queueds_close(struct queueds *q);

/* The store fails, or works again. */
void queueds_set_failing(struct queueds *q, bool failing);
/* Ends the sessions for good: unacknowledged batches go to the outboxes. */
void queueds_flush(struct queueds *q);
/* Links that have a session. */
u32 queueds_up(const struct queueds *q);
/* No sent batch is unacknowledged. */
bool queueds_are_idle(const struct queueds *q);

#endif
