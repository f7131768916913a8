/* The time line of a simulation: events, one after the other, and nothing between them. Time jumps
 * from event to event; events of the same microsecond run in the order in which they were set. */
#ifndef TOQUE_SIM_WORLD_H
#define TOQUE_SIM_WORLD_H

#include "common/base/heap.h"

#define WORLD_SECOND_US INT64_C(1000000)
#define WORLD_HOUR_US   (3600 * WORLD_SECOND_US)

/* Lives in its owner, zeroed before its first use. */
struct event {
    struct heap_node node;
    void (*run)(struct event *e);
    void *arg;
};

void world_begin(void);
void world_end(void);

/* Microseconds since the beginning. Within a turn of a daemon: the turn's beginning and what it has
 * taken so far. */
i64 world_now_us(void);
/* What happens now takes so long. Within a turn only. */
void world_spend_us(i64 us);
/* Brackets around a turn; returns what it took. */
void world_turn_begin(void);
i64 world_turn_end(void);

/* Sets the event, or moves it; a time that is past means now. */
void world_at(struct event *e, i64 at_us);
void world_after(struct event *e, i64 delay_us);
/* Harmless when it is not set. */
void world_cancel(struct event *e);
static inline bool world_is_set(const struct event *e)
{
    return e->node.place != 0;
}
/* Runs all events up to that time. */
void world_run_until(i64 us);
/* Runs the next event; false: there is none. */
bool world_step(void);

/* What no daemon may do was seen: prints the seed and the last events, and ends the program. */
NORETURN void world_fail(const char *fmt, ...) PRINTF_LIKE(1, 2);
/* What world_fail prints first: how to see this run again. */
void world_name_run(const char *how);

#endif
