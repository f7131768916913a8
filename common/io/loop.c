/* See loop.h for the turn and its invariants.
 *
 * Later callbacks pass through three lists: `fresh` while their turn gathers, `waiting` when the
 * turn has its ticket, `running` when that ticket is decided. Callbacks of lost turns keep their
 * place and get the error, so invariant 3 holds whatever the store does.
 *
 * What a later callback or a hook puts or changes belongs to the next turn, which then does not
 * wait. */
#include "common/io/loop.h"

#include <errno.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "common/base/err.h"
#include "common/base/mem.h"

/* Events returned by one wait: enough for a batch of many connections, few enough for the
 * first-level cache. The others are reported again in the next turn. */
#define LOOP_EVENTS_MAX 256
/* Most deadlines of one kind that a turn runs; the rest are run in the next turns, without waiting.
 * Many may be due together, such as long polls that began together. */
#define LOOP_TIMERS_MAX 256
/* Longest wait while wall deadlines exist: our wall time may run a little faster than the monotonic
 * one. */
#define LOOP_WALL_WAIT_MAX_MS 5000
/* A held turn with more callbacks than this is full. */
#define LOOP_HELD_MAX 4096

/* The maximum of a figure: in the current interval, in the previous one, since start. */
struct peak {
    i64 now, before, ever;
};

struct loop {
    int epoll_fd;
    struct clock *clock;
    struct loop_store store;
    struct heap wall, real;
    struct list fresh, waiting, running, soon;
    struct list hooks;
    u64 ticket;  /* of the last turn that was committed */
    u64 decided; /* tickets up to this one are durable or lost */
    bool dirty, held, again, stopped;
    u32 held_laters; /* in `fresh`, of a held turn */
    i64 turn_start_us;
    struct loop_stats stats; /* the counts */
    struct peak turn_peak, commit_peak;
    i64 slice_ms;              /* mono: when the slice of the peaks began */
    int event_count, event_at; /* the current batch; event_at == event_count: none */
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
    list_init(&l->soon);
    list_init(&l->hooks);
    l->turn_start_us = clock_us(l->clock);
    l->slice_ms = clock->mono_ms;
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
    assert(store.commit && store.settled && store.failed);
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
    /* Events for it in the current batch must not reach an owner that may be freed by then. */
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

        if (w) {
            l->stats.events++;
            w->ready(w, ev.events);
        }
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

/* Runs what is due, each timer at most once per turn on average: one that sets itself to a time in
 * the past comes again in the next turn, instead of blocking this one. */
static void run_due(struct loop *l, struct heap *h, const i64 *now)
{
    for (u32 left = MIN(h->n, LOOP_TIMERS_MAX); left > 0; left--) {
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
    l->held_laters += l->held;
}

void loop_soon(struct loop *l, struct loop_later *later)
{
    assert(later->run);
    assert(!later->link.next || list_is_empty(&later->link));
    later->err = 0;
    list_push_back(&l->soon, &later->link);
}

void loop_later_cancel(struct loop *l, struct loop_later *later)
{
    if (later->link.next)
        list_remove(&later->link);
}

bool loop_is_held(const struct loop *l)
{
    return l->held;
}

bool loop_is_full(const struct loop *l)
{
    return l->held && l->held_laters > LOOP_HELD_MAX;
}

bool loop_is_settled(const struct loop *l)
{
    return !l->dirty && l->decided == l->ticket && list_is_empty(&l->fresh);
}

static void peak_note(struct peak *p, i64 value)
{
    p->now = MAX(p->now, value);
    p->ever = MAX(p->ever, value);
}

/* Asks the store for the state of the turns in flight. */
static int loop_ask(struct loop *l)
{
    u64 durable = l->decided;
    int err = l->store.settled(l->store.arg, &durable);

    assert(durable >= l->decided);
    l->decided = MIN(durable, l->ticket); /* the store may have turns of its own */
    return err;
}

static int loop_commit(struct loop *l)
{
    u64 ticket = l->ticket;
    i64 start_us = clock_us(l->clock);
    int err = l->store.commit(l->store.arg, &ticket);

    l->stats.commit_last_us = clock_us(l->clock) - start_us;
    peak_note(&l->commit_peak, l->stats.commit_last_us);
    if (err)
        return err;
    assert(ticket >= l->ticket);
    l->ticket = ticket;
    l->dirty = false;
    l->stats.commits++;
    return loop_ask(l);
}

/* Moves the turn's callbacks behind the waiting ones. */
static void loop_end_turn(struct loop *l, int err)
{
    list_each(item, next, &l->fresh) {
        struct loop_later *later = list_item(item, struct loop_later, link);

        later->ticket = l->ticket;
        later->err = err;
    }
    list_move_all(&l->waiting, &l->fresh);
}

/* All turns after `decided` are lost. */
static void loop_lose(struct loop *l, int err)
{
    for (struct list *item = l->waiting.prev; item != &l->waiting; item = item->prev) {
        struct loop_later *later = list_item(item, struct loop_later, link);

        if (later->ticket <= l->decided)
            break;
        later->err = err;
    }
    loop_end_turn(l, err);
    l->decided = l->ticket;
    l->dirty = l->held = false;
    l->stats.lost++;
    l->store.failed(l->store.arg, err);
}

/* Ends the turn: it is committed, stays open, or is lost. */
static void loop_settle(struct loop *l)
{
    int err = l->decided < l->ticket ? loop_ask(l) : 0;

    if (!err && l->dirty)
        err = loop_commit(l);
    l->stats.held += err == E_AGAIN && !l->held;
    l->held = err == E_AGAIN;
    if (l->held)
        return;
    l->held_laters = 0;
    if (err)
        loop_lose(l, err);
    if (!l->dirty)
        loop_end_turn(l, 0);
}

/* One at a time from the front: a callback may cancel others. */
static void run_later_list(struct loop *l, struct list *list)
{
    while (!list_is_empty(list)) {
        struct loop_later *later = list_item(list->next, struct loop_later, link);

        list_remove(&later->link);
        l->stats.laters++;
        later->run(later, later->err);
    }
}

static void run_laters(struct loop *l)
{
    struct list soon, *end = l->waiting.next;

    list_init(&soon);
    list_move_all(&soon, &l->soon);
    while (end != &l->waiting && list_item(end, struct loop_later, link)->ticket <= l->decided) {
        struct list *item = end;

        end = end->next;
        list_remove(item);
        list_push_back(&l->running, item);
    }
    run_later_list(l, &l->running);
    run_later_list(l, &soon);
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

static i64 wait_sooner(i64 wait_ms, i64 other_ms)
{
    other_ms = MAX(other_ms, 0);
    return wait_ms < 0 ? other_ms : MIN(wait_ms, other_ms);
}

i64 loop_wait_ms(struct loop *l)
{
    i64 spent_ms = (clock_us(l->clock) - l->turn_start_us) / 1000;
    i64 wait = -1;
    const struct heap_node *top;

    if (l->again || !list_is_empty(&l->soon) ||
        (!l->held && (l->dirty || !list_is_empty(&l->fresh))))
        return 0;
    if ((top = heap_top(&l->real)))
        wait = wait_sooner(wait, heap_due(&l->real, top) - l->clock->mono_ms - spent_ms);
    if ((top = heap_top(&l->wall))) {
        i64 left = heap_due(&l->wall, top) - l->clock->now_ms;

        if (left <= 0)
            return 0;
        /* A manual clock is changed by callbacks only: no need to poll it. */
        if (!l->clock->manual)
            wait = wait_sooner(wait, MIN(left - spent_ms, LOOP_WALL_WAIT_MAX_MS));
    }
    list_each(item, next, &l->hooks) {
        struct loop_hook *h = list_item(item, struct loop_hook, link);
        i64 due = h->next_ms ? h->next_ms(h) : -1;

        if (due >= 0)
            wait = wait_sooner(wait, due - l->clock->mono_ms - spent_ms);
    }
    return wait;
}

/* Begins a new interval; after a long wait the previous one was empty. */
static void peaks_next(struct loop *l)
{
    i64 now_ms = l->clock->mono_ms;
    bool skipped = now_ms - l->slice_ms >= 2 * LOOP_LATELY_S * 1000;
    struct peak *all[] = {&l->turn_peak, &l->commit_peak};

    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        all[i]->before = skipped ? 0 : all[i]->now;
        all[i]->now = 0;
    }
    l->slice_ms = now_ms;
}

void loop_turn(struct loop *l, int max_wait_ms)
{
    i64 wait = loop_wait_ms(l);

    if (max_wait_ms >= 0)
        wait = wait_sooner(wait, max_wait_ms);
    l->again = false;
    int n = epoll_wait(l->epoll_fd, l->events, LOOP_EVENTS_MAX, (int)MIN(wait, INT32_MAX));

    assert(n >= 0 || errno == EINTR);
    l->event_at = 0;
    l->event_count = MAX(n, 0);
    l->turn_start_us = clock_us(l->clock);
    clock_tick(l->clock);
    if (l->clock->mono_ms - l->slice_ms >= LOOP_LATELY_S * 1000)
        peaks_next(l);
    loop_dispatch(l);
    run_due(l, &l->wall, &l->clock->now_ms);
    run_due(l, &l->real, &l->clock->mono_ms);
    list_each(item, next, &l->hooks) {
        struct loop_hook *h = list_item(item, struct loop_hook, link);

        if (h->before_commit && h->before_commit(h))
            l->again = true;
    }
    loop_settle(l);
    run_laters(l);
    list_each(item, next, &l->hooks) {
        struct loop_hook *h = list_item(item, struct loop_hook, link);

        if (h->flush(h))
            l->again = true;
    }
    l->stats.turns++;
    peak_note(&l->turn_peak, clock_us(l->clock) - l->turn_start_us);
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

    s.longest_us = MAX(l->turn_peak.now, l->turn_peak.before);
    s.longest_ever_us = l->turn_peak.ever;
    s.commit_longest_us = MAX(l->commit_peak.now, l->commit_peak.before);
    s.commit_longest_ever_us = l->commit_peak.ever;
    return s;
}
