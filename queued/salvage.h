/* A store read without its daemon: what of it is sound is counted, and copied into a new store where
 * that is wanted. What cannot be read, or is not what its digest says, is left out and told.
 *
 * A copy is a store of its own: another instance, under whose secret earlier receipt handles are not
 * valid. Its messages keep their MessageIds, their order and their receive counts. */
#ifndef TOQUE_SALVAGE_H
#define TOQUE_SALVAGE_H

#include "queued/queue_store.h"

struct salvage {
    u64 queues, messages, tasks;
    u64 places; /* where rows could not be read: pages, or single rows */
    u64 rows;   /* that say what cannot be */
    u64 bodies; /* messages whose body is damaged or missing */
};

/* Reads the store below from->dir; `to_dir` NULL: copies nothing, else it has no store yet. `told` is
 * given a line for each message that is left out. E_ code: `f` says what is wrong, a daemon that uses
 * the store included. */
int salvage_run(const struct store_options *from, const char *to_dir, FILE *told,
                struct salvage *ret, struct fault *f) MUST_CHECK;
static inline bool salvage_is_sound(const struct salvage *s)
{
    return s->places + s->rows + s->bodies == 0;
}

#endif
