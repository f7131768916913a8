/* mem_return.[ch]: memory that a drain leaves free goes back while it drains and when it is over, in
 * returns of a bounded size that take a bounded share of the time. */
#include "common/io/mem_return.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

#include "common/base/mem.h"

/* Under the sanitizer the allocator is another one. */
#if defined(__SANITIZE_ADDRESS__)
#define OURS 0
#elif defined(__has_feature)
#define OURS (!__has_feature(address_sanitizer))
#else
#define OURS 1
#endif

#define MIB   ((size_t)1 << 20)
#define PIECE 1000
enum { PIECES = 64 * 1024 };

static char *pieces[PIECES];
static i64 now_us;
static u64 events;

static i64 read_us(void *arg)
{
    return now_us;
}

/* Time stands still unless the test moves it: a return costs nothing. */
static void start(struct clock *c, struct mem_return *m)
{
    now_us = 1000000;
    clock_init_from(c, &(struct clock_source){read_us, read_us, NULL}, true);
    mem_return_init(m, c);
    m->events = events;
}

static void pass(struct clock *c, i64 ms)
{
    now_us += ms * 1000;
    clock_tick(c);
}

static size_t resident(void)
{
    unsigned long pages = 0, rest;
    FILE *f = fopen("/proc/self/statm", "r");

    assert_non_null(f);
    assert_int_equal(fscanf(f, "%lu %lu", &rest, &pages), 2);
    fclose(f);
    return pages * (size_t)sysconf(_SC_PAGESIZE);
}

/* About 64 MiB, and something behind it that stays. */
static void fill(void)
{
    for (int i = 0; i < PIECES; i++)
        pieces[i] = memset(mem_alloc(PIECE), i, PIECE);
}

static void use_is_counted(void **state)
{
    size_t before = mem_used();
    char *p = mem_alloc(100);

    assert_in_range(mem_used() - before, 100, 200);
    p = mem_grow(p, MIB);
    assert_in_range(mem_used() - before, MIB, MIB + 8192);
    mem_free(p);
    mem_free(NULL);
    assert_int_equal(mem_used(), before);
}

static void a_drain_gives_back_as_it_goes(void **state)
{
    struct clock clock;
    struct mem_return m;
    size_t before = resident(), most = 0;

    start(&clock, &m);
    fill();
    mem_return_turn(&m, events += 100);
    char *last = mem_alloc(PIECE);
    if (OURS)
        assert_in_range(resident() - before, 60 * MIB, 80 * MIB);
    for (int i = 0; i < PIECES; i++) {
        mem_free(pieces[i]);
        if (i % 64 != 63)
            continue;
        size_t there = resident();

        mem_return_turn(&m, events += 100);
        size_t now = resident();

        most = MAX(most, there > now ? there - now : 0);
    }
    if (OURS) {
        assert_in_range(most, 4 * MIB, MEM_RETURN_STEP + MIB);
        assert_in_range(resident(), 0, before + MEM_RETURN_STEP + 2 * MIB);
    }
    mem_free(last);
}

/* What did not go back in the course of the work goes back when little has happened for a while. */
static void rest_gives_back_what_is_left(void **state)
{
    struct clock clock;
    struct mem_return m;
    size_t before = resident();

    start(&clock, &m);
    mem_return_turn(&m, events);
    assert_int_equal(mem_return_due_ms(&m), -1);
    fill();
    char *last = mem_alloc(PIECE);

    for (int i = 0; i < PIECES; i++)
        mem_free(pieces[i]);
    m.highest = mem_used(); /* as if it were another allocator's, which nobody counts */
    for (int second = 0; second < 10; second++) { /* heartbeats do not stir it */
        pass(&clock, 1000);
        mem_return_turn(&m, events += 2);
        assert_int_equal(mem_return_due_ms(&m), -1);
    }
    if (OURS)
        assert_true(resident() > before + 50 * MIB);
    for (int second = 0; second < 10; second++) { /* it never rests */
        pass(&clock, 100);
        mem_return_turn(&m, events += MEM_RETURN_REST_EVENTS);
        pass(&clock, 900);
    }
    if (OURS)
        assert_true(resident() > before + 50 * MIB);
    assert_in_range(mem_return_due_ms(&m), clock.mono_ms, clock.mono_ms + MEM_RETURN_REST_MS);
    for (int second = 0; second < 2; second++) {
        mem_return_turn(&m, events += 2);
        pass(&clock, MEM_RETURN_REST_MS);
    }
    mem_return_turn(&m, events += 2);
    if (OURS)
        assert_in_range(resident(), 0, before + 2 * MIB);
    assert_int_equal(mem_return_due_ms(&m), -1);
    mem_free(last);
}

/* A fall that is too small for a return in the course of work waits for the next turn at rest. */
static void a_small_fall_makes_no_turn(void **state)
{
    struct clock clock;
    struct mem_return m;

    start(&clock, &m);
    mem_return_turn(&m, events);
    m.highest = mem_used() + MEM_RETURN_STEP / 2;
    mem_return_turn(&m, events);
    assert_int_equal(mem_return_due_ms(&m), -1);
    assert_int_equal(m.highest, mem_used() + MEM_RETURN_STEP / 2);
    pass(&clock, MEM_RETURN_REST_MS);
    mem_return_turn(&m, events += 1);
    assert_int_equal(m.highest, mem_used());
}

/* A clock that moves with every look: each return seems to take 20 ms. */
static i64 read_slow_us(void *arg)
{
    return now_us += 10000;
}

static void costly_returns_are_rare(void **state)
{
    struct clock clock;
    struct mem_return m;

    start(&clock, &m);
    clock.source.mono_us = read_slow_us;
    m.highest = mem_used() + MEM_RETURN_STEP;
    mem_return_turn(&m, events += 100);
    assert_int_equal(m.highest, mem_used());
    assert_int_equal(m.step, 2 * MEM_RETURN_STEP);
    m.highest = mem_used() + 2 * MEM_RETURN_STEP;
    i64 until_us = m.not_before_us;

    assert_in_range(until_us - now_us, 50000, 200000);
    while (now_us + 10000 < until_us) {
        mem_return_turn(&m, events += 100);
        assert_int_equal(m.highest, mem_used() + 2 * MEM_RETURN_STEP);
    }
    now_us = until_us;
    mem_return_turn(&m, events += 100);
    assert_int_equal(m.highest, mem_used());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(use_is_counted),
        cmocka_unit_test(a_drain_gives_back_as_it_goes),
        cmocka_unit_test(rest_gives_back_what_is_left),
        cmocka_unit_test(a_small_fall_makes_no_turn),
        cmocka_unit_test(costly_returns_are_rare),
    };
    return cmocka_run_group_tests_name("mem_return", tests, NULL, NULL);
}
