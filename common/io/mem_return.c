#include "common/io/mem_return.h"

#include "common/base/mem.h"

/* The target duration of a return; after a longer one, returns are fewer and larger. */
#define COST_MAX_US 5000
#define STEP_MAX    (8 * MEM_RETURN_STEP)
/* Share of the time that returns may take while there is work: 1 / n. */
#define SHARE 8
/* The same when idle, so that a large heap is not scanned all the time. */
#define REST_SHARE 1000
/* Smaller amounts are left to the next return. */
#define LITTLE ((size_t)1 << 20)

void mem_return_init(struct mem_return *m, const struct clock *clock)
{
    *m = (struct mem_return){.clock = clock, .highest = mem_used(), .step = MEM_RETURN_STEP};
    mem_keep();
}

/* Returns its duration in microseconds. */
static i64 give_back(struct mem_return *m)
{
    i64 start_us = clock_us(m->clock);

    mem_give_back();
    m->highest = mem_used();
    return clock_us(m->clock) - start_us;
}

static void return_in_work(struct mem_return *m)
{
    if (m->highest - mem_used() < m->step || clock_us(m->clock) < m->not_before_us)
        return;
    i64 cost_us = give_back(m);

    m->not_before_us = clock_us(m->clock) + cost_us * (SHARE - 1);
    m->step =
        cost_us > COST_MAX_US ? MIN(m->step * 2, STEP_MAX) : MAX(m->step / 2, MEM_RETURN_STEP);
}

static bool is_busy(const struct mem_return *m, u64 events)
{
    return events - m->events >= MEM_RETURN_REST_EVENTS;
}

/* An interval has ended. */
static void return_at_rest(struct mem_return *m, u64 events)
{
    i64 now_ms = m->clock->mono_ms;
    bool wanted = m->stirred || m->fell;
    bool rests = wanted && !is_busy(m, events) && now_ms >= m->rest_from_ms;

    m->events = events;
    m->end_ms = now_ms + MEM_RETURN_REST_MS;
    if (!rests)
        return;
    m->stirred = m->fell = false;
    m->rest_from_ms = now_ms + give_back(m) * REST_SHARE / 1000;
}

void mem_return_turn(struct mem_return *m, u64 events)
{
    size_t used = mem_used();

    m->highest = MAX(m->highest, used);
    return_in_work(m);
    m->stirred = m->stirred || is_busy(m, events);
    m->fell = m->fell || m->highest - used > LITTLE;
    if (m->clock->mono_ms >= m->end_ms)
        return_at_rest(m, events);
}

i64 mem_return_due_ms(const struct mem_return *m)
{
    return m->stirred ? m->end_ms : -1;
}
