/* The one wait point of a daemon. See loop.h for the turn and its invariants.
 *
 * Later callbacks pass through three lists: `fresh` while their turn gathers, `waiting` when the
 * turn's commit was asked for and its ticket is known, `running` when that ticket is durable. A
 * commit that failed keeps its callbacks' place in line and gives them the error instead, so
 * invariant 3 holds with a store that commits asynchronously too.
 *
 * What a later callback or a hook puts or changes belongs to the next turn, which then does not
 * wait. */
#include "common/io/loop.h"

#include <errno.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "common/base/err.h"
#include "common/base/mem.h"

/* Events taken with one wait: enough for a batch of many connections, little enough to keep in
 * the first-level cache. What is more is ready again in the next turn. */
#define LOOP_EVENTS_MAX 256
/* Longest wait while wall deadlines exist: so late is a step of the wall clock noticed. */
#define LOOP_WALL_WAIT_MAX_MS 5000

struct loop {
    int epoll_fd;
    struct clock *clock;
    struct loop_store store;
    struct heap wall, real;
    struct list fresh, waiting, running;
    struct list hooks;
    u64 ticket; /* of the last commit that went well */
    bool dirty, again, stopped;
    i64 turn_start_us;
    struct loop_stats stats;
    int event_count, event_at; /* the batch in hand; event_at == event_count: none */
    struct epoll_event events[LOOP_EVENTS_MAX];
};

struct loop *loop_new(struct clock *clock)
{
    struct loop *l = mem_alloc(sizeof(*l));

    l->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    assert(l->epoll_fd >= 0);
    l->clock = clock;
    heap_init(&l->wall);
    heap_init(&l->real);
    list_init(&l->fresh);
    list_init(&l->waiting);
    list_init(&l->running);
    list_init(&l->hooks);
    l->turn_start_us = clock_us(l->clock);
    return l;
}

void loop_free(struct loop *l)
{
    if (!l)
        return;
    heap_deinit(&l->real);
    heap_deinit(&l->wall);
    close(l->epoll_fd);
    mem_free(l);
}

struct clock *loop_clock(struct loop *l)
{
    return l->clock;
}

void loop_set_store(struct loop *l, struct loop_store store)
{
    assert(store.commit && store.durable);
    l->store = store;
}

/* --- descriptors ------------------------------------------------------------------------------ */

static int watch_ctl(struct loop *l, int op, struct loop_watch *w, u32 events)
{
    struct epoll_event ev = {.events = events, .data.ptr = w};

    if (epoll_ctl(l->epoll_fd, op, w->fd, &ev) == 0)
        return 0;
    return errno == ENOSPC || errno == ENOMEM ? E_FULL : E_IO;
}

int loop_watch(struct loop *l, struct loop_watch *w, u32 events)
{
    assert(w->fd >= 0 && w->ready);
    return watch_ctl(l, EPOLL_CTL_ADD, w, events);
}

int loop_watch_change(struct loop *l, struct loop_watch *w, u32 events)
{
    assert(w->fd >= 0);
    return watch_ctl(l, EPOLL_CTL_MOD, w, events);
}

void loop_unwatch(struct loop *l, struct loop_watch *w)
{
    if (w->fd < 0)
        return;
    watch_ctl(l, EPOLL_CTL_DEL, w, 0);
    w->fd = -1;
    /* What this batch still holds for it must not reach an owner that may be freed by then. */
    for (int i = l->event_at; i < l->event_count; i++) {
        if (l->events[i].data.ptr == w)
            l->events[i].data.ptr = NULL;
    }
}

static void loop_dispatch(struct loop *l)
{
    while (l->event_at < l->event_count) {
        struct epoll_event ev = l->events[l->event_at++];
        struct loop_watch *w = ev.data.ptr;

        if (w)
            w->ready(w, ev.events);
    }
    l->event_at = l->event_count = 0;
}

/* --- deadlines -------------------------------------------------------------------------------- */

void loop_timer_clear(struct loop *l, struct loop_timer *t)
{
    heap_remove(t->real ? &l->real : &l->wall, &t->node);
}

void loop_timer_set(struct loop *l, struct loop_timer *t, i64 due_ms)
{
    assert(t->due);
    if (t->real)
        loop_timer_clear(l, t);
    t->real = false;
    heap_set(&l->wall, &t->node, due_ms);
}

void loop_timer_set_real(struct loop *l, struct loop_timer *t, i64 due_mono_ms)
{
    assert(t->due);
    if (!t->real)
        loop_timer_clear(l, t);
    t->real = true;
    heap_set(&l->real, &t->node, due_mono_ms);
}

/* Runs what is due, each timer at most once a turn on average: one that sets itself to a time that
 * is past already comes again in the next turn, not in this one for ever. */
static void run_due(struct loop *l, struct heap *h, const i64 *now)
{
    for (u32 left = h->n; left > 0; left--) {
        struct heap_node *top = heap_top(h);

        if (!top || heap_due(h, top) > *now)
            return;
        struct loop_timer *t = container_of(top, struct loop_timer, node);

        heap_remove(h, top);
        t->due(t);
    }
}

/* --- commit and what waits for it ------------------------------------------------------------- */

void loop_dirty(struct loop *l)
{
    assert(l->store.commit);
    l->dirty = true;
}

void loop_later(struct loop *l, struct loop_later *later)
{
    assert(later->run);
    assert(!later->link.next || list_is_empty(&later->link));
    list_push_back(&l->fresh, &later->link);
}

void loop_later_cancel(struct loop *l, struct loop_later *later)
{
    if (later->link.next)
        list_remove(&later->link);
}

/* Commits the turn and moves its later callbacks on to `waiting`. */
static void loop_commit(struct loop *l)
{
    int err = 0;

    if (l->dirty) {
        u64 ticket = 0;
        i64 start_us = clock_us(l->clock);

        l->dirty = false;
        err = l->store.commit(l->store.arg, &ticket);
        if (err == 0) {
            assert(ticket >= l->ticket);
            l->ticket = ticket;
        } else if (l->store.failed) {
            l->store.failed(l->store.arg, err);
        }
        l->stats.commits++;
        l->stats.commit_longest_us = MAX(l->stats.commit_longest_us, clock_us(l->clock) - start_us);
    }
    list_each(item, next, &l->fresh) {
        struct loop_later *later = list_item(item, struct loop_later, link);

        later->ticket = l->ticket;
        later->err = err;
    }
    list_move_all(&l->waiting, &l->fresh);
}

static void run_laters(struct loop *l)
{
    if (list_is_empty(&l->waiting))
        return;
    u64 durable = l->store.durable ? l->store.durable(l->store.arg) : l->ticket;
    struct list *end = l->waiting.next;

    while (end != &l->waiting && list_item(end, struct loop_later, link)->ticket <= durable) {
        struct list *item = end;

        end = end->next;
        list_remove(item);
        list_push_back(&l->running, item);
    }
    /* One at a time from the front: a callback may take others back. */
    while (!list_is_empty(&l->running)) {
        struct loop_later *later = list_item(l->running.next, struct loop_later, link);

        list_remove(&later->link);
        l->stats.laters++;
        later->run(later, later->err);
    }
}

/* --- the turn --------------------------------------------------------------------------------- */

void loop_add_hook(struct loop *l, struct loop_hook *h)
{
    assert(h->flush);
    list_push_back(&l->hooks, &h->link);
}

void loop_again(struct loop *l)
{
    l->again = true;
}

static i64 sooner(i64 wait_ms, i64 other_ms)
{
    other_ms = MAX(other_ms, 0);
    return wait_ms < 0 ? other_ms : MIN(wait_ms, other_ms);
}

i64 loop_wait_ms(struct loop *l)
{
    i64 spent_ms = (clock_us(l->clock) - l->turn_start_us) / 1000;
    i64 wait = -1;
    const struct heap_node *top;

    if (l->again || l->dirty || !list_is_empty(&l->fresh))
        return 0;
    if ((top = heap_top(&l->real)))
        wait = sooner(wait, heap_due(&l->real, top) - l->clock->mono_ms - spent_ms);
    if ((top = heap_top(&l->wall))) {
        i64 left = heap_due(&l->wall, top) - l->clock->now_ms;

        if (left <= 0)
            return 0;
        /* A clock that is moved by hand is moved by a callback: no need to look at it. */
        if (!l->clock->manual)
            wait = sooner(wait, MIN(left - spent_ms, LOOP_WALL_WAIT_MAX_MS));
    }
    list_each(item, next, &l->hooks) {
        struct loop_hook *h = list_item(item, struct loop_hook, link);
        i64 due = h->next_ms ? h->next_ms(h) : -1;

        if (due >= 0)
            wait = sooner(wait, due - l->clock->mono_ms - spent_ms);
    }
    return wait;
}

void loop_turn(struct loop *l, int max_wait_ms)
{
    i64 wait = loop_wait_ms(l);

    if (max_wait_ms >= 0)
        wait = sooner(wait, max_wait_ms);
    l->again = false;
    int n = epoll_wait(l->epoll_fd, l->events, LOOP_EVENTS_MAX, (int)MIN(wait, INT32_MAX));

    assert(n >= 0 || errno == EINTR);
    l->event_at = 0;
    l->event_count = MAX(n, 0);
    l->turn_start_us = clock_us(l->clock);
    clock_tick(l->clock);
    loop_dispatch(l);
    run_due(l, &l->wall, &l->clock->now_ms);
    run_due(l, &l->real, &l->clock->mono_ms);
    list_each(item, next, &l->hooks) {
        struct loop_hook *h = list_item(item, struct loop_hook, link);

        if (h->before_commit && h->before_commit(h))
            l->again = true;
    }
    loop_commit(l);
    run_laters(l);
    list_each(item, next, &l->hooks) {
        struct loop_hook *h = list_item(item, struct loop_hook, link);

        if (h->flush(h))
            l->again = true;
    }
    l->stats.turns++;
    l->stats.longest_us = MAX(l->stats.longest_us, clock_us(l->clock) - l->turn_start_us);
}

void loop_run(struct loop *l)
{
    l->stopped = false;
    while (!l->stopped)
        loop_turn(l, -1);
}

void loop_stop(struct loop *l)
{
    l->stopped = true;
}

bool loop_is_stopped(const struct loop *l)
{
    return l->stopped;
}

struct loop_stats loop_stats(struct loop *l)
{
    struct loop_stats s = l->stats;

    l->stats = (struct loop_stats){0};
    return s;
}
