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
/* A daemon without work for so long is at rest. */
#define MEM_RETURN_IDLE_MS 1000

struct mem_return {
    const struct clock *clock;
    size_t highest;    /* use since the last return */
    size_t step;       /* doubled while a return takes long */
    i64 rest_until_us; /* after a return in the course of work */
    i64 idle_due_ms;   /* mono; 0: nothing happened since the last one at rest */
    i64 idle_not_before_ms;
};

/* Changes how the process's allocator works: of itself it returns nothing any more, and large arrays
 * are mappings of their own. */
void mem_return_init(struct mem_return *m, const struct clock *clock);
/* After every turn; `worked`: it was not an idle one. */
void mem_return_turn(struct mem_return *m, bool worked);
/* When it wants to be called next (mono ms); -1: when something has happened. */
i64 mem_return_due_ms(const struct mem_return *m);

#endif
