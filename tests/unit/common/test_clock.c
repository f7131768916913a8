/* clock.[ch]: manual time moves only by hand, and the text forms agree with the C library's. */
#include "common/base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <time.h>
#include <cmocka.h>

static void manual_time(void **state)
{
    struct clock c, real;
    clock_init(&real, false);
    clock_init(&c, true);
    assert_true(c.now_ms >= real.now_ms);
    i64 start = c.now_ms, micros = clock_micros();
    while (clock_micros() - micros < 3000)
        continue;
    clock_tick(&c);
    assert_true(c.now_ms == start);
    assert_true(c.mono_ms > real.mono_ms);
    clock_tick(&real);
    assert_true(real.now_ms > start - 1000 && real.mono_ms >= c.mono_ms);
    clock_advance(&c, 0);
    assert_true(c.now_ms == start);
    clock_advance(&c, 300000);
    assert_true(c.now_ms == start + 300000);
    clock_move_to(&c, start);
    assert_true(c.now_ms == start + 300000);
    clock_move_to(&c, start + 300001);
    assert_true(c.now_ms == start + 300001);
    clock_advance(&c, INT64_MAX); /* stays at the end of time */
    assert_true(c.now_ms == INT64_MAX);
}

/* Time as somebody else has it. */
static i64 given_wall_us(void *arg)
{
    return *(i64 *)arg + 500;
}

static i64 given_mono_us(void *arg)
{
    return *(i64 *)arg / 2;
}

/* A clock has no time but that of its source: manual or not, at a tick and in between. */
static void given_time(void **state)
{
    i64 us = 5000000;
    const struct clock_source source = {given_wall_us, given_mono_us, &us};
    struct clock c, manual;

    clock_init_from(&c, &source, false);
    clock_init_from(&manual, &source, true);
    assert_int_equal(c.now_ms, 5000);
    assert_int_equal(c.mono_ms, 2500);
    us = 7001600;
    assert_int_equal(c.now_ms, 5000);
    assert_int_equal(clock_us(&c), 3500800);
    assert_int_equal(clock_wall_ms(&manual), 7002);
    clock_tick(&c);
    clock_tick(&manual);
    assert_int_equal(c.now_ms, 6001); /* by the monotonic clock, whatever the other one says */
    assert_int_equal(c.mono_ms, 3500);
    assert_int_equal(manual.now_ms, 5000);
    assert_int_equal(manual.mono_ms, 3500);
}

/* The system's two clocks, moved by hand. */
static struct {
    i64 wall_us, mono_us;
} hands;

static i64 hand_wall_us(void *arg)
{
    return hands.wall_us;
}

static i64 hand_mono_us(void *arg)
{
    return hands.mono_us;
}

static void pass(struct clock *c, i64 ms)
{
    hands.wall_us += ms * 1000;
    hands.mono_us += ms * 1000;
    clock_tick(c);
}

/* Steps of an hour or of days, to and fro: time goes on as it was, never back, and follows slowly. */
static void steps(void **state)
{
    static const i64 all_ms[] = {-3600000, 3600000, 5 * 86400000LL, -5 * 86400000LL, 1000, -501};
    const struct clock_source source = {hand_wall_us, hand_mono_us, NULL};
    struct clock c;

    hands.wall_us = INT64_C(1767323045678000);
    hands.mono_us = 77000;
    clock_init_from(&c, &source, false);
    for (size_t i = 0; i < ARRAY_LEN(all_ms); i++) {
        i64 before_ms = c.now_ms;

        hands.wall_us += all_ms[i] * 1000;
        pass(&c, 10);
        assert_int_equal(clock_stepped(&c), all_ms[i]);
        assert_int_equal(clock_stepped(&c), 0);
        for (u32 n = 0; n < 990; n++) {
            i64 last_ms = c.now_ms;

            pass(&c, 10);
            assert_true(c.now_ms >= last_ms && c.now_ms <= last_ms + 11);
        }
        /* Ten seconds were ten seconds, give or take 5 ms. */
        assert_in_range(c.now_ms - before_ms, 9900 - 6, 9910 + 6);
        assert_int_equal(clock_stepped(&c), 0);
        assert_in_range(clock_read_ms(&c) - c.now_ms, 0, 1);
        hands.wall_us -= all_ms[i] * 1000;
        pass(&c, 0);
        clock_stepped(&c);
    }
}

/* What is small is followed to the end, and is no step. */
static void small_differences(void **state)
{
    const struct clock_source source = {hand_wall_us, hand_mono_us, NULL};
    struct clock c;

    hands.wall_us = INT64_C(1767323045678000);
    hands.mono_us = 0;
    clock_init_from(&c, &source, false);
    hands.wall_us += 100000;
    for (u32 n = 0; n < 3000; n++)
        pass(&c, 100);
    assert_int_equal(c.now_ms, hands.wall_us / 1000);
    assert_int_equal(clock_stepped(&c), 0);
}

static void as_the_library(i64 ms)
{
    char got[CLOCK_HTTP_SIZE], want[64];
    time_t t = (time_t)(ms / 1000);
    struct tm tm;
    gmtime_r(&t, &tm);
    size_t n = strftime(want, sizeof want, "%Y-%m-%dT%H:%M:%S", &tm);
    snprintf(want + n, sizeof want - n, ".%03dZ", (int)(ms % 1000));
    assert_string_equal(clock_iso(ms, got), want);
    strftime(want, sizeof want, "%a, %d %b %Y %H:%M:%S GMT", &tm);
    assert_string_equal(clock_http(ms, got), want);
}

static void texts(void **state)
{
    char text[CLOCK_HTTP_SIZE];
    assert_string_equal(clock_iso(1767323045678, text), "2026-01-02T03:04:05.678Z");
    assert_string_equal(clock_http(1767323045678, text), "Fri, 02 Jan 2026 03:04:05 GMT");
    /* Every day from 1970 to 2110, at another second of it, and a few beyond. */
    for (i64 day = 0; day < 51200; day++)
        as_the_library(day * 86400000 + day * 1234567 % 86400000);
    for (i64 year = 2100; year < 9999; year++)
        as_the_library((year - 1970) * INT64_C(31556952000));
    as_the_library(INT64_C(253402300799999));
}

static void out_of_bounds(void **state)
{
    char text[CLOCK_HTTP_SIZE];
    assert_string_equal(clock_iso(-1, text), "1970-01-01T00:00:00.000Z");
    assert_string_equal(clock_iso(INT64_MAX, text), "9999-12-31T23:59:59.999Z");
    assert_string_equal(clock_http(INT64_MAX, text), "Fri, 31 Dec 9999 23:59:59 GMT");
    assert_string_equal(clock_http(INT64_MIN, text), "Thu, 01 Jan 1970 00:00:00 GMT");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(manual_time), cmocka_unit_test(given_time),
        cmocka_unit_test(steps),       cmocka_unit_test(small_differences),
        cmocka_unit_test(texts),       cmocka_unit_test(out_of_bounds),
    };
    return cmocka_run_group_tests_name("clock", tests, NULL, NULL);
}
