/* A waiter is on exactly one list from waiter_park until waiter_unpark: its queue's, `orphans`
 * during a reload, or `ending` when it has no queue any more. */
#include "queued/waiter.h"

#include "common/aws/desk.h"

/* Waiters served at one hungry queue before the next queue. */
#define SERVED_AT_ONCE 16

static struct waiter *first_waiter(struct list *head)
{
    return list_item(head->next, struct waiter, link);
}

/* --- waiting ---------------------------------------------------------------------------------- */

/* Only wakes the loop; waiters_serve ends the wait. */
static void time_has_come(struct loop_timer *t)
{
}

/* Sets the timers for the first wait that ends. */
static void waiters_arm(struct queues *qs)
{
    struct waiters *ws = &qs->waiting;
    struct heap_node *top;
    if ((top = heap_top(&ws->due)))
        loop_timer_set(qs->loop, &ws->timer, heap_due(&ws->due, top));
    else
        loop_timer_clear(qs->loop, &ws->timer);
    if ((top = heap_top(&ws->due_real)))
        loop_timer_set_real(qs->loop, &ws->timer_real, heap_due(&ws->due_real, top));
    else
        loop_timer_clear(qs->loop, &ws->timer_real);
}

void waiters_init(struct queues *qs)
{
    struct waiters *ws = &qs->waiting;
    list_init(&ws->hungry);
    list_init(&ws->stopped);
    list_init(&ws->orphans);
    list_init(&ws->ending);
    heap_init(&ws->due);
    heap_init(&ws->due_real);
    ws->timer = (struct loop_timer){.due = time_has_come};
    ws->timer_real = (struct loop_timer){.due = time_has_come};
}

void waiters_deinit(struct queues *qs)
{
    struct waiters *ws = &qs->waiting;
    assert(ws->parked == 0);
    waiters_arm(qs);
    heap_deinit(&ws->due_real);
    heap_deinit(&ws->due);
}

void waiter_unpark(struct waiter *w)
{
    struct waiters *ws = &w->all->waiting;
    heap_remove(&ws->due, &w->due);
    heap_remove(&ws->due_real, &w->due_real);
    list_remove(&w->link);
    assert(ws->parked > 0);
    ws->parked--;
    w->call->cancel = NULL;
    w->call->parked = NULL;
}

static void waiter_finish(struct waiter *w, enum waiter_end why)
{
    waiter_unpark(w);
    w->end(w, why);
}

/* The client left: removes the waiter before a message can be given to it. */
static void client_left(struct call *c)
{
    waiter_finish(c->parked, WAITER_EMPTY);
}

bool waiter_park(struct waiter *w, i64 wait_ms)
{
    struct queues *qs = w->queue->all;
    struct waiters *ws = &qs->waiting;
    if (ws->parked >= qs->limits.parked_max)
        return false;
    w->all = qs;
    w->due = w->due_real = (struct heap_node){0};
    w->call->parked = w;
    w->call->cancel = client_left;
    list_init(&w->link);
    list_push_back(&w->queue->waiters, &w->link);
    ws->parked++;
    ws->serial++;
    heap_set_tied(&ws->due, &w->due, qs->clock->now_ms + wait_ms, ws->serial);
    if (qs->clock->manual)
        heap_set_tied(&ws->due_real, &w->due_real, qs->clock->mono_ms + wait_ms, ws->serial);
    waiters_arm(qs);
    /* The receive may not have examined all messages. */
    if (queue_has_next(w->queue))
        queue_wake(w->queue);
    return true;
}

/* --- ending ----------------------------------------------------------------------------------- */

/* Gives messages to one waiter, or ends it if its client left. False: no messages, it stays parked.
 * */
static bool waiter_serve(struct waiter *w)
{
    if (!queue_has_next(w->queue))
        return false;
    if (desk_is_there(w->call))
        return w->give(w);
    waiter_finish(w, WAITER_EMPTY);
    return true;
}

/* Round-robin over the hungry queues, so that many waiters at one do not delay the others. */
static void serve_hungry(struct queues *qs)
{
    struct list *hungry = &qs->waiting.hungry;
    u32 left = WAITERS_A_TURN;
    while (!list_is_empty(hungry) && left > 0) {
        struct queue *q = list_item(hungry->next, struct queue, hungry);
        list_remove(&q->hungry);
        for (u32 n = 0; !list_is_empty(&q->waiters); n++) {
            if (n == SERVED_AT_ONCE || left == 0) {
                queue_wake(q);
                break;
            }
            left--; /* counts a waiter that finds nothing, too: more messages may have to be examined */
            if (!waiter_serve(first_waiter(&q->waiters)))
                break;
        }
    }
}

static void end_ending(struct queues *qs)
{
    struct list *ending = &qs->waiting.ending;
    for (u32 n = 0; n < WAITERS_A_TURN && !list_is_empty(ending); n++)
        waiter_finish(first_waiter(ending), first_waiter(ending)->why);
}

/* The first waiter whose wait is due; NULL: none. */
static struct waiter *waiter_first_due(const struct queues *qs)
{
    const struct waiters *ws = &qs->waiting;
    struct heap_node *top = heap_top(&ws->due);
    if (top && heap_due(&ws->due, top) <= qs->clock->now_ms)
        return container_of(top, struct waiter, due);
    top = heap_top(&ws->due_real);
    if (top && heap_due(&ws->due_real, top) <= qs->clock->mono_ms)
        return container_of(top, struct waiter, due_real);
    return NULL;
}

static void end_due(struct queues *qs)
{
    struct waiter *w;
    for (u32 n = 0; n < WAITERS_A_TURN && (w = waiter_first_due(qs)); n++)
        /* Waiters before it may not have been served yet, so there may be a message for it. */
        if (qs->failing || !w->queue || !waiter_serve(w))
            waiter_finish(w, WAITER_EMPTY);
}

bool waiters_serve(struct queues *qs)
{
    struct waiters *ws = &qs->waiting;
    if (!qs->failing)
        serve_hungry(qs);
    end_ending(qs);
    end_due(qs);
    list_move_all(&ws->hungry, &ws->stopped);
    waiters_arm(qs);
    return (!qs->failing && !list_is_empty(&ws->hungry)) || !list_is_empty(&ws->ending) ||
           waiter_first_due(qs);
}

void waiters_end(struct queue *q, enum waiter_end why)
{
    list_each(at, after, &q->waiters) {
        struct waiter *w = list_item(at, struct waiter, link);
        w->queue = NULL;
        w->why = why;
    }
    list_move_all(&q->all->waiting.ending, &q->waiters);
    loop_again(q->all->loop);
}

void waiters_end_all(struct queues *qs, enum waiter_end why)
{
    struct queue *q;
    struct waiters *ws = &qs->waiting;
    for (size_t pos = 0; (q = idmap_next(&qs->by_id, &pos));)
        waiters_end(q, why);
    list_each(at, after, &ws->orphans)
        list_item(at, struct waiter, link)->why = why;
    list_move_all(&ws->ending, &ws->orphans);
    loop_again(qs->loop);
}

/* --- queues read anew ------------------------------------------------------------------------- */

void waiters_orphan(struct queue *q)
{
    list_each(at, after, &q->waiters) {
        struct waiter *w = list_item(at, struct waiter, link);
        w->key = arena_dup(&w->call->arena, q->key);
        w->queue = NULL;
    }
    list_move_all(&q->all->waiting.orphans, &q->waiters);
}

void waiters_adopt(struct queues *qs)
{
    struct waiters *ws = &qs->waiting;
    list_each(at, after, &ws->orphans) {
        struct waiter *w = list_item(at, struct waiter, link);
        list_remove(&w->link);
        w->queue = map_get(&qs->by_key, w->key);
        if (w->queue) {
            list_push_back(&w->queue->waiters, &w->link);
            queue_wake(w->queue);
        } else {
            w->why = WAITER_LOST;
            list_push_back(&ws->ending, &w->link);
        }
    }
    loop_again(qs->loop);
}
