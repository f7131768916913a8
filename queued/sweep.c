/* One timer for everything that has a time, set to the earliest. Each kind of work is done piece by
 * piece while the slice lasts. */
#include "queued/sweep.h"

#include "common/base/mem.h"

#define SLICE_US 1000
/* Pieces between two looks at the clock. */
#define PIECES 32

struct slice {
    const struct clock *clock;
    i64 end_us;
    u32 pieces;
};

static bool is_over(struct slice *s)
{
    return ++s->pieces % PIECES == 0 && clock_us(s->clock) >= s->end_us;
}

/* Delays and visibility timeouts that are over. */
static bool show_due(struct queues *qs, struct slice *slice)
{
    struct msg *m;
    while ((m = msg_first_due(&qs->msgs)) && msg_due_ms(&qs->msgs, m) <= qs->clock->now_ms) {
        if (is_over(slice))
            return true;
        queue_return(m);
    }
    return false;
}

/* Messages of one queue past their retention; the node moves to the next one's time. */
static bool retire_queue(struct queue *q, struct slice *slice)
{
    struct queues *qs = q->all;
    struct msg *m;
    while ((m = queue_oldest(q))) {
        i64 expiry_ms = queue_expiry_ms(q, m);
        if (expiry_ms > qs->clock->now_ms) {
            heap_set(&qs->retire, &q->retire, expiry_ms);
            return false;
        }
        if (is_over(slice))
            return true;
        queue_drop(m);
    }
    heap_remove(&qs->retire, &q->retire);
    return false;
}

static bool retire_due(struct queues *qs, struct slice *slice)
{
    struct heap_node *top;
    while ((top = heap_top(&qs->retire)) && heap_due(&qs->retire, top) <= qs->clock->now_ms)
        if (is_over(slice) || retire_queue(container_of(top, struct queue, retire), slice))
            return true;
    return false;
}

/* What is gone for everybody already. */
static bool reap(struct queues *qs, struct slice *slice)
{
    struct msg *m;
    while ((m = queues_first_doomed(qs))) {
        if (is_over(slice))
            return true;
        queues_clear(m);
    }
    return false;
}

bool sweep_run(struct queues *qs)
{
    struct slice slice = {.clock = qs->clock, .end_us = clock_us(qs->clock) + SLICE_US};

    if (qs->failing)
        return false;
    return retire_due(qs, &slice) || show_due(qs, &slice) || reap(qs, &slice);
}

static void timer_due(struct loop_timer *t)
{
    sweep_run(t->arg);
}

void sweep_arm(struct queues *qs)
{
    i64 due = INT64_MAX;
    const struct heap_node *top;
    const struct msg *hidden = msg_first_due(&qs->msgs);
    if (qs->failing) {
        loop_timer_clear(qs->loop, &qs->sweep);
        return;
    }
    if (hidden)
        due = msg_due_ms(&qs->msgs, hidden);
    if ((top = heap_top(&qs->retire)))
        due = MIN(due, heap_due(&qs->retire, top));
    if (heap_top(&qs->reap))
        due = MIN(due, qs->clock->now_ms);
    if (due == INT64_MAX) {
        loop_timer_clear(qs->loop, &qs->sweep);
    } else {
        qs->sweep.due = timer_due;
        qs->sweep.arg = qs;
        loop_timer_set(qs->loop, &qs->sweep, due);
    }
}
