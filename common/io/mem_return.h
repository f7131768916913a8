/* Returns memory that work has left free to the system.
 *
 * The allocator keeps what is freed below something that is still in use: after a drain that can be
 * nearly all of a daemon's memory. To return it costs 0.1 ms a MiB and more, in one piece. So it is
 * done often while the use falls, a little each time, and once more when a daemon comes to rest. */
#ifndef TOQUE_MEM_RETURN_H
#define TOQUE_MEM_RETURN_H

#include "common/base/clock.h"

/* The use has fallen by so much since the last return. */
#define MEM_RETURN_STEP ((size_t)8 << 20)
/* A daemon with fewer events than this in as many milliseconds is at rest: its links have heartbeats. */
#define MEM_RETURN_REST_MS     1000
#define MEM_RETURN_REST_EVENTS 64

struct mem_return {
    const struct clock *clock;
    size_t highest;    /* use since the last return */
    size_t step;       /* doubled while a return takes long */
    i64 not_before_us; /* the next return in the course of work */
    bool fell;         /* the use, by more than a little, since the last return at rest */
    bool stirred;      /* something happened since the last return at rest */
    u64 events;        /* when the present interval began, */
    i64 end_ms;        /* and when it ends (mono) */
    i64 rest_from_ms;  /* no return at rest before */
};

/* Changes how the process's allocator works: of itself it returns nothing any more, and large arrays
 * are mappings of their own. */
void mem_return_init(struct mem_return *m, const struct clock *clock);
/* After every turn, with the count of events since the start. */
void mem_return_turn(struct mem_return *m, u64 events);
/* When it wants to be called next (mono ms); -1: when something has happened. It follows from the
 * events alone, so that equal runs have equal turns whatever the allocator does. */
i64 mem_return_due_ms(const struct mem_return *m);

#endif
