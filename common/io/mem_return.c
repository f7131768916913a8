#include "common/io/mem_return.h"

#include "common/base/mem.h"

/* So long may a return take; one that took longer is followed by fewer and larger ones. */
#define COST_MAX_US 4000
/* Share of the time that returns take in the course of work: one part in so many. */
#define SHARE 8
/* And at rest, where nobody waits. */
#define IDLE_SHARE 1000

void mem_return_init(struct mem_return *m, const struct clock *clock)
{
    *m = (struct mem_return){.clock = clock, .highest = mem_used(), .step = MEM_RETURN_STEP};
    mem_keep();
}

/* Says what it took, in microseconds. */
static i64 give_back(struct mem_return *m)
{
    i64 start_us = clock_us(m->clock);

    mem_give_back();
    m->highest = mem_used();
    return clock_us(m->clock) - start_us;
}

static void return_in_work(struct mem_return *m, size_t used)
{
    if (m->highest - used < m->step || clock_us(m->clock) < m->rest_until_us)
        return;
    i64 cost_us = give_back(m);

    m->rest_until_us = clock_us(m->clock) + cost_us * (SHARE - 1);
    m->step = cost_us > COST_MAX_US ? m->step * 2 : MAX(m->step / 2, MEM_RETURN_STEP);
}

/* Where much is in use, so that a look at it takes long, rests are taken for it rarely. */
static void return_at_rest(struct mem_return *m)
{
    i64 now_ms = m->clock->mono_ms;

    if (!m->idle_due_ms || now_ms < m->idle_due_ms)
        return;
    m->idle_due_ms = 0;
    m->idle_not_before_ms = now_ms + give_back(m) * IDLE_SHARE / 1000;
}

void mem_return_turn(struct mem_return *m, bool worked)
{
    size_t used = mem_used();

    m->highest = MAX(m->highest, used);
    if (worked) {
        m->idle_due_ms = MAX(m->clock->mono_ms + MEM_RETURN_IDLE_MS, m->idle_not_before_ms);
        return_in_work(m, used);
    } else {
        return_at_rest(m);
    }
}

i64 mem_return_due_ms(const struct mem_return *m)
{
    return m->idle_due_ms ? m->idle_due_ms : -1;
}
