/* A waiter is on exactly one list from waiter_park until `end`: its queue's, or the orphans'. */
#include "queued/waiter.h"

#include "common/aws/desk.h"

/* Takes it off and tells it why. */
static void finish(struct waiter *w, enum waiter_end why)
{
    loop_timer_clear(w->all->loop, &w->due);
    loop_timer_clear(w->all->loop, &w->due_real);
    list_remove(&w->link);
    assert(w->all->parked > 0);
    w->all->parked--;
    w->call->cancel = NULL;
    w->call->parked = NULL;
    w->end(w, why);
}

static void time_is_over(struct loop_timer *t)
{
    finish(t->arg, WAITER_EMPTY);
}

/* The client left: it is off the list before anything can be given to it. */
static void client_left(struct call *c)
{
    finish(c->parked, WAITER_EMPTY);
}

bool waiter_park(struct waiter *w, i64 wait_ms)
{
    struct queues *qs = w->queue->all;
    if (qs->parked >= qs->limits.parked_max)
        return false;
    w->all = qs;
    w->due = (struct loop_timer){.due = time_is_over, .arg = w};
    w->due_real = (struct loop_timer){.due = time_is_over, .arg = w};
    w->call->parked = w;
    w->call->cancel = client_left;
    list_init(&w->link);
    list_push_back(&w->queue->waiters, &w->link);
    qs->parked++;
    loop_timer_set(qs->loop, &w->due, qs->clock->now_ms + wait_ms);
    if (qs->clock->manual)
        loop_timer_set_real(qs->loop, &w->due_real, qs->clock->mono_ms + wait_ms);
    return true;
}

void waiters_serve(struct queues *qs)
{
    while (!list_is_empty(&qs->hungry) && !qs->failing) {
        struct queue *q = list_item(qs->hungry.next, struct queue, hungry);
        list_remove(&q->hungry);
        while (!list_is_empty(&q->waiters) && queue_has_next(q)) {
            struct waiter *w = list_item(q->waiters.next, struct waiter, link);
            finish(w, desk_is_there(w->call) ? WAITER_READY : WAITER_EMPTY);
        }
    }
}

void waiters_end(struct queue *q, enum waiter_end why)
{
    while (!list_is_empty(&q->waiters))
        finish(list_item(q->waiters.next, struct waiter, link), why);
}

void waiters_end_all(struct queues *qs, enum waiter_end why)
{
    struct queue *q;
    for (size_t pos = 0; (q = idmap_next(&qs->by_id, &pos));)
        waiters_end(q, why);
    while (!list_is_empty(&qs->orphans))
        finish(list_item(qs->orphans.next, struct waiter, link), why);
}

void waiters_orphan(struct queue *q)
{
    list_each(at, after, &q->waiters) {
        struct waiter *w = list_item(at, struct waiter, link);
        w->key = arena_dup(&w->call->arena, q->key);
        w->queue = NULL;
    }
    list_move_all(&q->all->orphans, &q->waiters);
}

void waiters_adopt(struct queues *qs)
{
    struct list orphans;
    list_init(&orphans);
    list_move_all(&orphans, &qs->orphans);
    while (!list_is_empty(&orphans)) {
        struct waiter *w = list_item(orphans.next, struct waiter, link);
        w->queue = map_get(&qs->by_key, w->key);
        if (!w->queue) {
            finish(w, WAITER_LOST);
            continue;
        }
        list_remove(&w->link);
        list_push_back(&w->queue->waiters, &w->link);
        if (list_is_empty(&w->queue->hungry))
            list_push_back(&qs->hungry, &w->queue->hungry);
    }
}
