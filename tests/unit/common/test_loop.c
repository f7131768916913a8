/* loop.[ch]: nobody hears "stored" before it is stored, later callbacks keep their order whatever
 * the store does, timers follow their clock, and what was unwatched is never heard of again. */
#include "common/io/loop.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include <cmocka.h>

#include "common/base/err.h"

/* A store whose turns settle when the test says so, and fail on order. */
struct store {
    u64 ticket, durable;
    bool async;
    u64 window; /* turns in flight at most; 0: any number */
    int fail;   /* what the next commit answers */
    int lost;   /* what is not durable is lost, with this error */
    int commits, failed;
    struct loop *dirties; /* bringing the memory back changes something */
    i64 commit_us;        /* what a commit takes, by the test's own time */
};

static char journal[256]; /* what happened, a letter each */

static void note(char c)
{
    size_t n = strlen(journal);

    assert_true(n + 1 < sizeof(journal));
    journal[n] = c;
    journal[n + 1] = '\0';
}

static i64 own_us; /* the time of test_time */

static i64 test_us(void *arg)
{
    return own_us;
}

static const struct clock_source test_time = {test_us, test_us, NULL};

static int store_commit(void *arg, u64 *ret_ticket)
{
    struct store *s = arg;
    int r = s->fail;

    own_us += s->commit_us;
    if (s->window && s->ticket - s->durable >= s->window)
        return E_AGAIN;
    s->commits++;
    note('C');
    if (r < 0) {
        s->fail = 0;
        return r;
    }
    *ret_ticket = ++s->ticket;
    if (!s->async)
        s->durable = s->ticket;
    return 0;
}

static int store_settled(void *arg, u64 *ret_ticket)
{
    struct store *s = arg;
    int r = s->lost;

    *ret_ticket = s->durable;
    if (r) {
        s->lost = 0;
        s->durable = s->ticket;
    }
    return r;
}

static void store_failed(void *arg, int err)
{
    struct store *s = arg;

    s->failed = err;
    note('F');
    if (s->dirties)
        loop_dirty(s->dirties);
    s->dirties = NULL;
}

struct item {
    struct loop *loop;
    struct loop_later later;
    char name;
    int err;
    struct item *then; /* put by this one, with a change */
    struct item *unput;
};

static void item_run(struct loop_later *later, int err)
{
    struct item *i = container_of(later, struct item, later);

    i->err = err;
    note(i->name);
    if (i->unput)
        loop_later_cancel(i->loop, &i->unput->later);
    if (i->then) {
        loop_dirty(i->loop);
        loop_later(i->loop, &i->then->later);
    }
}

static struct clock the_clock;
static struct store the_store;

static struct loop *loop_of_test(bool manual)
{
    journal[0] = '\0';
    the_store = (struct store){0};
    clock_init(&the_clock, manual);
    struct loop *l = loop_new(&the_clock);

    loop_set_store(l, (struct loop_store){store_commit, store_settled, store_failed, &the_store});
    return l;
}

static struct item item_of(struct loop *l, char name)
{
    return (struct item){.loop = l, .name = name, .later.run = item_run, .err = 1};
}

static void commits_before_it_tells(void **state)
{
    struct loop *l = loop_of_test(false);
    struct item a = item_of(l, 'a'), b = item_of(l, 'b'), c = item_of(l, 'c'), d = item_of(l, 'd');

    loop_dirty(l);
    loop_later(l, &a.later);
    loop_later(l, &b.later);
    b.then = &d;
    loop_later(l, &c.later);
    loop_turn(l, 0);
    assert_string_equal(journal, "Cabc");
    assert_int_equal(b.err, 0);
    /* What a later callback puts belongs to the next turn, which does not wait for anything. */
    loop_turn(l, -1);
    assert_string_equal(journal, "CabcCd");
    /* Nothing changed: no commit, and the callback runs all the same. */
    loop_later(l, &a.later);
    loop_turn(l, -1);
    assert_string_equal(journal, "CabcCda");
    struct loop_stats s = loop_stats(l);
    assert_int_equal(s.turns, 3);
    assert_int_equal(s.commits, 2);
    assert_int_equal(s.laters, 5);
    assert_int_equal(loop_stats(l).turns, 3); /* looking takes nothing away */
    loop_free(l);
}

static void commit_fails(void **state)
{
    struct loop *l = loop_of_test(false);
    struct item a = item_of(l, 'a'), b = item_of(l, 'b');

    the_store.fail = E_FULL;
    loop_dirty(l);
    loop_later(l, &a.later);
    loop_turn(l, 0);
    assert_string_equal(journal, "CFa");
    assert_int_equal(the_store.failed, E_FULL);
    assert_int_equal(a.err, E_FULL);
    loop_dirty(l);
    loop_later(l, &b.later);
    loop_turn(l, 0);
    assert_string_equal(journal, "CFaCb");
    assert_int_equal(b.err, 0);
    loop_free(l);
}

/* A turn of one change, behind which this item waits. */
static void change(struct loop *l, struct item *i)
{
    loop_dirty(l);
    loop_later(l, &i->later);
    loop_turn(l, 0);
}

static void settles_later(void **state)
{
    struct loop *l = loop_of_test(false);
    struct item a = item_of(l, 'a'), b = item_of(l, 'b'), c = item_of(l, 'c'), d = item_of(l, 'd');

    the_store.async = true;
    assert_true(loop_is_settled(l));
    change(l, &a);
    change(l, &b);
    change(l, &c);
    loop_later(l, &d.later); /* changes nothing itself, but has seen what is not durable */
    loop_turn(l, 0);
    assert_string_equal(journal, "CCC");
    assert_int_equal(loop_wait_ms(l), -1); /* the store wakes the loop, nothing is polled */
    assert_false(loop_is_settled(l));
    the_store.durable = 1;
    loop_turn(l, 0);
    assert_string_equal(journal, "CCCa");
    the_store.durable = 3;
    loop_turn(l, 0);
    assert_string_equal(journal, "CCCabcd");
    assert_int_equal(b.err | c.err | d.err, 0);
    assert_true(loop_is_settled(l));
    loop_free(l);
}

/* What was durable before is told so, everything behind it is lost, the open turn too. */
static void lost_in_the_middle(void **state)
{
    struct loop *l = loop_of_test(false);
    struct item a = item_of(l, 'a'), b = item_of(l, 'b'), c = item_of(l, 'c'), d = item_of(l, 'd'),
                e = item_of(l, 'e'), f = item_of(l, 'f');

    the_store.async = true;
    change(l, &a);
    change(l, &b);
    change(l, &c);
    loop_later(l, &d.later);
    loop_turn(l, 0);
    the_store.durable = 1;
    the_store.lost = E_FULL;
    e.then = &f; /* after the loss a new turn begins */
    change(l, &e);
    assert_string_equal(journal, "CCCFabcde"); /* the open turn was not committed */
    assert_int_equal(the_store.failed, E_FULL);
    assert_int_equal(a.err, 0);
    assert_int_equal(b.err, E_FULL);
    assert_int_equal(c.err, E_FULL);
    assert_int_equal(d.err, E_FULL);
    assert_int_equal(e.err, E_FULL);
    loop_turn(l, 0);
    assert_string_equal(journal, "CCCFabcdeC");
    the_store.durable = the_store.ticket;
    loop_turn(l, 0);
    assert_string_equal(journal, "CCCFabcdeCf");
    assert_int_equal(f.err, 0);
    assert_int_equal(loop_stats(l).lost, 1);
    loop_free(l);
}

/* Bringing memory back may change something: that is a turn of its own. */
static void a_loss_begins_a_new_turn(void **state)
{
    struct loop *l = loop_of_test(false);
    struct item a = item_of(l, 'a'), b = item_of(l, 'b');

    the_store.fail = E_IO;
    the_store.dirties = l;
    change(l, &a);
    assert_string_equal(journal, "CFa");
    assert_int_equal(a.err, E_IO);
    assert_int_equal(loop_wait_ms(l), 0);
    loop_later(l, &b.later);
    loop_turn(l, -1);
    assert_string_equal(journal, "CFaCb");
    assert_int_equal(b.err, 0);
    loop_free(l);
}

/* The store is full: the turn stays open, takes in what comes, and is one turn in the end. */
static void held_turns_grow(void **state)
{
    struct loop *l = loop_of_test(false);
    struct item a = item_of(l, 'a'), b = item_of(l, 'b'), c = item_of(l, 'c'), d = item_of(l, 'd');

    the_store.async = true;
    the_store.window = 1;
    change(l, &a);
    assert_false(loop_is_held(l));
    change(l, &b);
    assert_true(loop_is_held(l));
    assert_int_equal(loop_wait_ms(l), -1); /* it does not turn in vain */
    change(l, &c);
    loop_later(l, &d.later);
    loop_turn(l, 0);
    assert_string_equal(journal, "C");
    assert_int_equal(loop_stats(l).held, 1);
    the_store.durable = 1;
    loop_turn(l, 0);
    assert_string_equal(journal, "CCa");
    assert_false(loop_is_held(l));
    the_store.durable = 2;
    loop_turn(l, 0);
    assert_string_equal(journal, "CCabcd");
    assert_int_equal(the_store.commits, 2);
    loop_free(l);
}

/* What waits for no turn runs in this one, whatever is in flight or open. */
static void soon_waits_for_no_turn(void **state)
{
    struct loop *l = loop_of_test(false);
    struct item a = item_of(l, 'a'), b = item_of(l, 'b'), s = item_of(l, 's');

    the_store.async = true;
    the_store.window = 1;
    change(l, &a);
    loop_soon(l, &s.later);
    assert_int_equal(loop_wait_ms(l), 0);
    change(l, &b);
    assert_true(loop_is_held(l));
    assert_string_equal(journal, "Cs");
    assert_int_equal(s.err, 0);
    loop_soon(l, &s.later);
    loop_later_cancel(l, &s.later);
    the_store.lost = E_IO;
    loop_soon(l, &s.later);
    loop_turn(l, 0);
    assert_string_equal(journal, "CsFabs");
    assert_int_equal(s.err, 0);
    loop_free(l);
}

static void held_and_lost(void **state)
{
    struct loop *l = loop_of_test(false);
    struct item a = item_of(l, 'a'), b = item_of(l, 'b'), c = item_of(l, 'c');

    the_store.async = true;
    the_store.window = 1;
    change(l, &a);
    change(l, &b);
    loop_later(l, &c.later);
    loop_later_cancel(l, &b.later); /* out of a held turn, too */
    the_store.lost = E_FENCED;
    loop_turn(l, 0);
    assert_string_equal(journal, "CFac");
    assert_int_equal(a.err, E_FENCED);
    assert_int_equal(c.err, E_FENCED);
    assert_false(loop_is_held(l));
    assert_true(loop_is_settled(l));
    loop_free(l);
}

static void held_turns_are_full_some_day(void **state)
{
    struct loop *l = loop_of_test(false);
    static struct item many[10000];
    u32 n = 0;

    the_store.async = true;
    the_store.window = 1;
    many[n] = item_of(l, 'C');
    change(l, &many[n++]);
    while (!loop_is_full(l)) {
        assert_true(n < ARRAY_LEN(many));
        many[n] = item_of(l, 'x');
        loop_dirty(l);
        loop_later(l, &many[n++].later);
        loop_turn(l, 0);
    }
    assert_true(n > 1000);
    for (u32 i = 1; i < n; i++)
        loop_later_cancel(l, &many[i].later);
    the_store.durable = 1;
    loop_turn(l, 0);
    assert_false(loop_is_full(l));
    loop_free(l);
}

static void check_peaks(struct loop *l, i64 lately_us, i64 ever_us)
{
    struct loop_stats s = loop_stats(l);

    assert_int_equal(s.longest_us, lately_us);
    assert_int_equal(s.commit_longest_us, lately_us);
    assert_int_equal(s.longest_ever_us, ever_us);
    assert_int_equal(s.commit_longest_ever_us, ever_us);
}

/* The longest turn is told for a while, to whoever asks, and then forgotten. */
static void peaks_are_of_lately(void **state)
{
    i64 slice_us = LOOP_LATELY_S * INT64_C(1000000);

    own_us = 0;
    the_store = (struct store){.commit_us = 5000};
    clock_init_from(&the_clock, &test_time, false);
    struct loop *l = loop_new(&the_clock);
    struct item a = item_of(l, 'a');

    loop_set_store(l, (struct loop_store){store_commit, store_settled, store_failed, &the_store});
    change(l, &a);
    check_peaks(l, 5000, 5000);
    check_peaks(l, 5000, 5000);
    the_store.commit_us = 3000;
    own_us = slice_us + 1000;
    change(l, &a);
    check_peaks(l, 5000, 5000);
    own_us = 2 * slice_us + 2000;
    loop_turn(l, 0);
    check_peaks(l, 3000, 5000);
    own_us = 5 * slice_us; /* nothing for a long time */
    loop_turn(l, 0);
    check_peaks(l, 0, 5000);
    loop_free(l);
}

static void taken_back(void **state)
{
    struct loop *l = loop_of_test(false);
    struct item a = item_of(l, 'a'), b = item_of(l, 'b'), c = item_of(l, 'c');

    loop_later_cancel(l, &a.later); /* harmless */
    a.unput = &b;
    loop_later(l, &a.later);
    loop_later(l, &b.later);
    loop_later(l, &c.later);
    loop_later_cancel(l, &c.later);
    loop_turn(l, 0);
    assert_string_equal(journal, "a");
    loop_later(l, &b.later);
    loop_turn(l, 0);
    assert_string_equal(journal, "ab");
    loop_free(l);
}

/* --- timers ----------------------------------------------------------------------------------- */

struct alarm {
    struct loop *loop;
    struct loop_timer timer;
    char name;
    bool again;
};

static void alarm_due(struct loop_timer *t)
{
    struct alarm *a = t->arg;

    note(a->name);
    if (a->again)
        loop_timer_set(a->loop, t, 0);
}

static struct alarm alarm_of(struct loop *l, char name)
{
    return (struct alarm){.loop = l, .name = name, .timer.due = alarm_due};
}

static void wall_timers_follow_the_hand(void **state)
{
    struct loop *l = loop_of_test(true);
    struct alarm a = alarm_of(l, 'a'), b = alarm_of(l, 'b'), c = alarm_of(l, 'c');

    a.timer.arg = &a;
    b.timer.arg = &b;
    c.timer.arg = &c;
    loop_timer_clear(l, &a.timer); /* harmless */
    loop_timer_set(l, &a.timer, the_clock.now_ms + 2000);
    loop_timer_set(l, &b.timer, the_clock.now_ms + 1000);
    loop_timer_set(l, &c.timer, the_clock.now_ms + 3000);
    loop_turn(l, 0);
    assert_string_equal(journal, "");
    clock_advance(&the_clock, 2000);
    loop_turn(l, -1); /* due already: does not wait */
    assert_string_equal(journal, "ba");
    loop_timer_set(l, &a.timer, the_clock.now_ms + 10);
    loop_timer_clear(l, &a.timer);
    clock_advance(&the_clock, 100000);
    loop_turn(l, -1);
    assert_string_equal(journal, "bac");
    loop_free(l);
}

static void real_timers_wake_the_loop(void **state)
{
    struct loop *l = loop_of_test(true);
    struct alarm a = alarm_of(l, 'a');

    a.timer.arg = &a;
    loop_timer_set(l, &a.timer, the_clock.now_ms + 5); /* stands still */
    loop_timer_set_real(l, &a.timer, the_clock.mono_ms + 3);
    while (!journal[0])
        loop_turn(l, -1); /* would wait for ever if nothing were to come */
    assert_string_equal(journal, "a");
    clock_advance(&the_clock, 10);
    loop_turn(l, 0);
    assert_string_equal(journal, "a");
    loop_free(l);
}

static void due_again_at_once(void **state)
{
    struct loop *l = loop_of_test(true);
    struct alarm a = alarm_of(l, 'a');

    a.timer.arg = &a;
    a.again = true;
    loop_timer_set(l, &a.timer, 0);
    loop_turn(l, -1);
    assert_string_equal(journal, "a");
    loop_turn(l, -1);
    assert_string_equal(journal, "aa");
    loop_free(l);
}

/* --- descriptors ------------------------------------------------------------------------------ */

struct source {
    struct loop *loop;
    struct loop_watch watch;
    struct source *other; /* unwatched when this one is heard */
    char name;
    int fd;
};

static void source_ready(struct loop_watch *w, u32 events)
{
    struct source *s = w->arg;

    note(s->name);
    if (s->other)
        loop_unwatch(s->loop, &s->other->watch);
}

static void source_open(struct source *s, struct loop *l, char name)
{
    *s = (struct source){.loop = l, .name = name, .fd = eventfd(1, EFD_NONBLOCK)};
    s->watch = (struct loop_watch){.fd = s->fd, .ready = source_ready, .arg = s};
    assert_int_equal(loop_watch(l, &s->watch, EPOLLIN), 0);
}

enum { MANY = 1000 };

static void count_due(struct loop_timer *t)
{
    ++*(u32 *)t->arg;
}

/* Many that end together do not make one long turn, and a descriptor is served in between. */
static void many_due_at_once(void **state)
{
    struct loop *l = loop_of_test(false);
    struct loop_timer *timers = calloc(2 * MANY, sizeof(*timers));
    u32 done = 0, turns = 0, before = 0;
    i64 now_ms = loop_clock(l)->now_ms, mono_ms = loop_clock(l)->mono_ms;

    assert_non_null(timers);
    for (int i = 0; i < 2 * MANY; i++) {
        timers[i] = (struct loop_timer){.due = count_due, .arg = &done};
        if (i % 2)
            loop_timer_set(l, &timers[i], now_ms);
        else
            loop_timer_set_real(l, &timers[i], mono_ms);
    }
    for (; done < 2 * MANY; turns++) {
        assert_int_equal(loop_wait_ms(l), 0);
        loop_turn(l, -1);
        assert_in_range(done - before, 1, 512);
        before = done;
    }
    assert_in_range(turns, 4, 20);
    assert_int_equal(loop_wait_ms(l), -1);
    assert_int_equal(loop_stats(l).events, 0);
    free(timers);
    loop_free(l);
}

static void unwatched_in_the_same_batch(void **state)
{
    struct loop *l = loop_of_test(false);
    struct source a, b;

    source_open(&a, l, 'a');
    source_open(&b, l, 'b');
    a.other = &b;
    b.other = &a;
    loop_turn(l, -1); /* both are ready; whoever comes first takes the other away */
    assert_int_equal(strlen(journal), 1);
    struct source *left = journal[0] == 'a' ? &a : &b;

    assert_int_equal(left->other->watch.fd, -1);
    loop_unwatch(l, &left->other->watch); /* harmless */
    loop_turn(l, -1);
    assert_int_equal(strlen(journal), 2);
    assert_int_equal(loop_watch_change(l, &left->watch, 0), 0);
    loop_turn(l, 0);
    assert_int_equal(strlen(journal), 2);
    loop_unwatch(l, &left->watch);
    close(a.fd);
    close(b.fd);
    loop_free(l);
}

static void unwatches_itself_and_watches_anew(void **state)
{
    struct loop *l = loop_of_test(false);
    struct source a;

    source_open(&a, l, 'a');
    a.other = &a;
    loop_turn(l, -1);
    assert_string_equal(journal, "a");
    loop_turn(l, 0);
    assert_string_equal(journal, "a");
    a.watch.fd = a.fd;
    assert_int_equal(loop_watch(l, &a.watch, EPOLLIN), 0);
    loop_turn(l, -1);
    assert_string_equal(journal, "aa");
    close(a.fd);
    loop_free(l);
}

/* --- hooks ------------------------------------------------------------------------------------ */

struct hook {
    struct loop_hook hook;
    struct loop *loop;
    int more;
    i64 due_ms;
};

static bool hook_flush(struct loop_hook *h)
{
    struct hook *k = container_of(h, struct hook, hook);

    note('H');
    return k->more-- > 0;
}

static i64 hook_next(struct loop_hook *h)
{
    return container_of(h, struct hook, hook)->due_ms;
}

static void hooks_run_last(void **state)
{
    struct loop *l = loop_of_test(false);
    struct hook k = {.hook = {.flush = hook_flush, .next_ms = hook_next}, .loop = l, .more = 1};
    struct item a = item_of(l, 'a');

    k.due_ms = -1;
    loop_add_hook(l, &k.hook);
    loop_dirty(l);
    loop_later(l, &a.later);
    loop_turn(l, 0);
    assert_string_equal(journal, "CaH");
    loop_turn(l, -1); /* the hook has more to do: no wait */
    assert_string_equal(journal, "CaHH");
    loop_again(l);
    loop_turn(l, -1);
    k.due_ms = the_clock.mono_ms + 2;
    loop_turn(l, -1); /* its deadline ends the wait */
    assert_true(the_clock.mono_ms >= k.due_ms - 1);
    assert_string_equal(journal, "CaHHHH");
    loop_free(l);
}

/* It belongs to its turn: what it changes is in that turn's commit. */
static bool hook_before_commit(struct loop_hook *h)
{
    struct hook *k = container_of(h, struct hook, hook);

    note('B');
    loop_dirty(k->loop);
    return k->more-- > 0;
}

static void a_hook_before_the_commit(void **state)
{
    struct loop *l = loop_of_test(false);
    struct hook first = {.hook = {.flush = hook_flush}, .loop = l};
    struct hook k = {
        .hook = {.before_commit = hook_before_commit, .flush = hook_flush}, .loop = l, .more = 1};
    struct item a = item_of(l, 'a');
    struct alarm t = alarm_of(l, 't');

    t.timer.arg = &t;
    loop_add_hook(l, &first.hook);
    loop_add_hook(l, &k.hook);
    loop_timer_set(l, &t.timer, the_clock.now_ms);
    loop_later(l, &a.later);
    loop_turn(l, 0);
    assert_string_equal(journal, "tBCaHH");
    loop_turn(l, -1); /* there was more to do: no wait */
    assert_string_equal(journal, "tBCaHHBCHH");
    loop_free(l);
}

static void stop_due(struct loop_timer *t)
{
    loop_stop(t->arg);
}

static void runs_until_stopped(void **state)
{
    struct loop *l = loop_of_test(false);
    struct loop_timer t = {.due = stop_due, .arg = l};
    i64 due_ms = the_clock.now_ms + 2;

    loop_timer_set(l, &t, due_ms);
    loop_run(l);
    assert_true(the_clock.now_ms >= due_ms);
    assert_ptr_equal(loop_clock(l), &the_clock);
    loop_free(l);
    loop_free(NULL);
}

static void turned_by_hand(void **state)
{
    struct loop *l = loop_of_test(true);
    struct loop_timer t = {.due = stop_due, .arg = l};

    assert_int_equal(loop_wait_ms(l), -1);
    loop_timer_set_real(l, &t, the_clock.mono_ms + 100000);
    assert_in_range(loop_wait_ms(l), 90000, 100000);
    loop_again(l);
    assert_int_equal(loop_wait_ms(l), 0);
    loop_timer_set(l, &t, the_clock.now_ms + 1000); /* by hand: no need to look */
    loop_turn(l, 0);
    assert_int_equal(loop_wait_ms(l), -1);
    assert_false(loop_is_stopped(l));
    clock_advance(&the_clock, 1000);
    assert_int_equal(loop_wait_ms(l), 0);
    loop_turn(l, -1);
    assert_true(loop_is_stopped(l));
    loop_free(l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(commits_before_it_tells),
        cmocka_unit_test(commit_fails),
        cmocka_unit_test(settles_later),
        cmocka_unit_test(lost_in_the_middle),
        cmocka_unit_test(a_loss_begins_a_new_turn),
        cmocka_unit_test(held_turns_grow),
        cmocka_unit_test(soon_waits_for_no_turn),
        cmocka_unit_test(held_and_lost),
        cmocka_unit_test(held_turns_are_full_some_day),
        cmocka_unit_test(peaks_are_of_lately),
        cmocka_unit_test(taken_back),
        cmocka_unit_test(wall_timers_follow_the_hand),
        cmocka_unit_test(real_timers_wake_the_loop),
        cmocka_unit_test(due_again_at_once),
        cmocka_unit_test(many_due_at_once),
        cmocka_unit_test(unwatched_in_the_same_batch),
        cmocka_unit_test(unwatches_itself_and_watches_anew),
        cmocka_unit_test(hooks_run_last),
        cmocka_unit_test(a_hook_before_the_commit),
        cmocka_unit_test(runs_until_stopped),
        cmocka_unit_test(turned_by_hand),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
