/* Returns free memory to the system.
 *
 * The allocator keeps freed memory that lies below memory in use: after queues were drained that
 * can be nearly all of a daemon's memory. A return costs 0.1 ms a MiB or more and cannot be
 * interrupted. It is therefore done often and in small amounts while the memory in use falls, and
 * once more when the daemon becomes idle. */
#ifndef TOQUE_MEM_RETURN_H
#define TOQUE_MEM_RETURN_H

#include "common/base/clock.h"

/* Decrease of the memory in use that triggers a return. */
#define MEM_RETURN_STEP ((size_t)8 << 20)
/* A daemon with fewer events than this in as many milliseconds is idle: its links always have
 * heartbeats. */
#define MEM_RETURN_REST_MS     1000
#define MEM_RETURN_REST_EVENTS 64

struct mem_return {
    const struct clock *clock;
    size_t highest;    /* use since the last return */
    size_t step;       /* doubled while a return takes long */
    i64 not_before_us; /* the earliest next return while there is work */
    bool fell;         /* the use, by more than a little, since the last return at rest */
    bool stirred;      /* something happened since the last return at rest */
    u64 events;        /* when the present interval began, */
    i64 end_ms;        /* and when it ends (mono) */
    i64 rest_from_ms;  /* no return at rest before */
};

/* Configures the process's allocator: it returns nothing by itself, and large arrays are separate
 * mappings. */
void mem_return_init(struct mem_return *m, const struct clock *clock);
/* Called after every turn with the count of events since the start. */
void mem_return_turn(struct mem_return *m, u64 events);
/* When it is to be called next (monotonic ms); -1: after the next event. It depends on the events
 * only, so that equal runs have equal turns whatever the allocator does. */
i64 mem_return_due_ms(const struct mem_return *m);

#endif
