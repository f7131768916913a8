/* Reads a store without its daemon: counts what is sound and, on request, copies it into a new
 * store. What cannot be read, or does not match its digest, is left out and reported. The store is
 * opened as by the daemon: an older schema is migrated.
 *
 * A copy is a store of its own: another instance, under whose secret earlier receipt handles are not
 * valid. Its messages keep their MessageIds, their order, their receive counts and the histories of
 * their deliveries. A send that repeats one from before the copy is recognized, but answered with a
 * MessageId of the copy's. */
#ifndef TOQUE_SALVAGE_H
#define TOQUE_SALVAGE_H

#include "queued/queue_store.h"

struct salvage {
    u64 queues, messages, tasks;
    u64 places; /* places where rows could not be read: pages, or single rows */
    u64 rows;   /* rows with invalid values */
    u64 bodies; /* messages whose body is damaged or missing */
};

/* Whether there is a store to read, and room for a copy: run it before anything is created. E_ code:
 * `f` is set. */
int salvage_check(const char *from_dir, const char *to_dir, struct fault *f) MUST_CHECK;
/* Reads the store below from->dir; `to_dir`: where to create the copy, which must not contain a
 * store; NULL: copies nothing. A line for each message that is left out is written to `told`. E_
 * code: `f` is set, also when a daemon uses the store. */
int salvage_run(const struct store_options *from, const char *to_dir, FILE *told,
                struct salvage *ret, struct fault *f) MUST_CHECK;
static inline bool salvage_is_sound(const struct salvage *s)
{
    return s->places + s->rows + s->bodies == 0;
}

#endif
