/* Time. The two text forms are written by hand, since every answer and every message contains
 * them. */
#include "common/base/clock.h"

#include <time.h>

#define MS_PER_DAY INT64_C(86400000)
/* So far apart two readings are still of one moment. */
#define CLOCK_APART_US 10000
/* 9999-12-31T23:59:59.999Z; later times are written as this one, times before 1970 as 1970. */
#define CLOCK_TEXT_MAX_MS INT64_C(253402300799999)

static i64 system_us(clockid_t which)
{
    struct timespec t;

    clock_gettime(which, &t);
    return (i64)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static i64 system_wall_us(void *arg)
{
    return system_us(CLOCK_REALTIME);
}

static i64 system_mono_us(void *arg)
{
    return system_us(CLOCK_BOOTTIME);
}

const struct clock_source CLOCK_SYSTEM = {system_wall_us, system_mono_us, NULL};

void clock_init(struct clock *c, bool manual)
{
    clock_init_from(c, &CLOCK_SYSTEM, manual);
}

void clock_init_from(struct clock *c, const struct clock_source *source, bool manual)
{
    *c = (struct clock){.manual = manual, .source = *source};
    c->tick_us = clock_us(c);
    c->base_us = c->source.wall_us(c->source.arg) - c->tick_us;
    c->now_ms = (c->base_us + c->tick_us) / 1000;
    c->mono_ms = c->tick_us / 1000;
}

/* Follows the system's wall clock, `passed_us` after the last tick. Two clocks cannot be read at
 * once: a reading that was interrupted tells nothing. */
static void clock_follow(struct clock *c, i64 passed_us)
{
    i64 wall_us = c->source.wall_us(c->source.arg), after_us = clock_us(c);

    if (after_us - c->tick_us > CLOCK_APART_US)
        return;
    i64 ahead_us = wall_us - c->base_us - c->tick_us, moved_us = ahead_us - c->ahead_us;
    i64 most_us = passed_us * CLOCK_SLEW_PPM / 1000000;

    if (moved_us >= CLOCK_STEP_MIN_MS * 1000 || moved_us <= -CLOCK_STEP_MIN_MS * 1000)
        c->stepped_us += moved_us;
    i64 slew_us = MAX(MIN(ahead_us, most_us), -most_us);

    c->base_us += slew_us;
    c->ahead_us = ahead_us - slew_us;
}

void clock_tick(struct clock *c)
{
    i64 us = clock_us(c), passed_us = us - c->tick_us;

    c->tick_us = us;
    c->mono_ms = us / 1000;
    if (c->manual)
        return;
    clock_follow(c, passed_us);
    c->now_ms = MAX(c->now_ms, (c->base_us + us) / 1000);
}

i64 clock_stepped(struct clock *c)
{
    i64 ms = c->stepped_us / 1000;

    c->stepped_us = 0;
    return ms;
}

i64 clock_us(const struct clock *c)
{
    return c->source.mono_us(c->source.arg);
}

i64 clock_read_ms(const struct clock *c)
{
    return c->manual ? c->now_ms : MAX(c->now_ms, (c->base_us + clock_us(c)) / 1000);
}

i64 clock_wall_ms(const struct clock *c)
{
    return c->source.wall_us(c->source.arg) / 1000;
}

void clock_advance(struct clock *c, i64 ms)
{
    assert(c->manual && ms >= 0);
    if (__builtin_add_overflow(c->now_ms, ms, &c->now_ms))
        c->now_ms = INT64_MAX;
}

void clock_move_to(struct clock *c, i64 ms)
{
    assert(c->manual);
    c->now_ms = MAX(c->now_ms, ms);
}

i64 clock_micros(void)
{
    return system_us(CLOCK_BOOTTIME);
}

struct date {
    u32 year, month, day; /* month and day from 1 */
    u32 hour, minute, second, ms;
    u32 weekday; /* 0 is Sunday */
};

/* Civil date of a day count: years begin in March, so that the leap day comes last, in cycles of
 * 400 years. */
static struct date date_of(i64 ms)
{
    u64 t = (u64)(ms < 0 ? 0 : MIN(ms, CLOCK_TEXT_MAX_MS));
    u64 days = t / MS_PER_DAY;
    u32 in_day = (u32)(t % MS_PER_DAY);
    u64 z = days + 719468; /* days from 0000-03-01 to 1970-01-01 */
    u32 in_cycle = (u32)(z % 146097);
    u32 year = (in_cycle - in_cycle / 1460 + in_cycle / 36524 - in_cycle / 146096) / 365;
    u32 in_year = in_cycle - (365 * year + year / 4 - year / 100);
    u32 march_month = (5 * in_year + 2) / 153;
    struct date d = {.day = in_year - (153 * march_month + 2) / 5 + 1,
                     .month = march_month < 10 ? march_month + 3 : march_month - 9,
                     .hour = in_day / 3600000,
                     .minute = in_day / 60000 % 60,
                     .second = in_day / 1000 % 60,
                     .ms = in_day % 1000,
                     .weekday = (u32)((days + 4) % 7)};

    d.year = year + (u32)(z / 146097) * 400 + (d.month <= 2);
    return d;
}

/* `width` decimal digits of v, followed by the character `then`. */
static char *put_digits(char *p, u32 v, int width, char then)
{
    for (int i = width - 1; i >= 0; i--) {
        p[i] = (char)('0' + v % 10);
        v /= 10;
    }
    p[width] = then;
    return p + width + 1;
}

char *clock_iso(i64 ms, char *buf)
{
    struct date d = date_of(ms);
    char *p = put_digits(buf, d.year, 4, '-');

    p = put_digits(p, d.month, 2, '-');
    p = put_digits(p, d.day, 2, 'T');
    p = put_digits(p, d.hour, 2, ':');
    p = put_digits(p, d.minute, 2, ':');
    p = put_digits(p, d.second, 2, '.');
    p = put_digits(p, d.ms, 3, 'Z');
    *p = '\0';
    return buf;
}

char *clock_http(i64 ms, char *buf)
{
    struct date d = date_of(ms);

    memcpy(buf, &"SunMonTueWedThuFriSat"[3 * d.weekday], 3);
    buf[3] = ',';
    buf[4] = ' ';
    char *p = put_digits(buf + 5, d.day, 2, ' ');
    memcpy(p, &"JanFebMarAprMayJunJulAugSepOctNovDec"[3 * (d.month - 1)], 3);
    p[3] = ' ';
    p = put_digits(p + 4, d.year, 4, ' ');
    p = put_digits(p, d.hour, 2, ':');
    p = put_digits(p, d.minute, 2, ':');
    p = put_digits(p, d.second, 2, ' ');
    memcpy(p, "GMT", 4);
    return buf;
}
