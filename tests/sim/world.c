#include "tests/sim/world.h"

#include <stdarg.h>
#include <stdlib.h>

#include "tests/sim/record.h"

static struct heap events;
static u64 order; /* of events of one microsecond */
static i64 now_us, spent_us;
static bool in_turn;
static const char *run_name = "";

void world_begin(void)
{
    heap_init(&events);
    order = 0;
    now_us = spent_us = 0;
    in_turn = false;
}

void world_end(void)
{
    assert(!in_turn);
    heap_deinit(&events);
}

i64 world_now_us(void)
{
    return now_us + spent_us;
}

void world_spend_us(i64 us)
{
    assert(us >= 0);
    if (in_turn)
        spent_us += us;
}

void world_turn_begin(void)
{
    assert(!in_turn);
    in_turn = true;
}

i64 world_turn_end(void)
{
    i64 took_us = spent_us;

    assert(in_turn);
    in_turn = false;
    spent_us = 0;
    return took_us;
}

void world_at(struct event *e, i64 at_us)
{
    assert(e->run);
    heap_set_tied(&events, &e->node, MAX(at_us, now_us), order++);
}

void world_after(struct event *e, i64 delay_us)
{
    world_at(e, world_now_us() + delay_us);
}

void world_cancel(struct event *e)
{
    heap_remove(&events, &e->node);
}

bool world_step(void)
{
    struct heap_node *top = heap_top(&events);

    if (!top)
        return false;
    struct event *e = container_of(top, struct event, node);

    now_us = heap_due(&events, top);
    heap_remove(&events, top);
    e->run(e);
    return true;
}

void world_run_until(i64 us)
{
    const struct heap_node *top;

    while ((top = heap_top(&events)) && heap_due(&events, top) <= us)
        world_step();
    now_us = MAX(now_us, us);
}

void world_name_run(const char *how)
{
    run_name = how;
}

void world_fail(const char *fmt, ...)
{
    va_list args;

    record_print_tail(stderr);
    fprintf(stderr, "\nsim: ");
    va_start(args, fmt);
    vfprintf(stderr, fmt, args);
    va_end(args);
    fprintf(stderr, "\nsim: again with its log: %s\n", run_name);
    exit(1);
}
