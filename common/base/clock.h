/* The only source of time. A daemon has one clock and reads it once a turn of the loop
 * (clock_tick); all other code uses that reading. The clock's source is given to it: the system's
 * clocks, or those of a simulation.
 *
 * The system's wall clock may be stepped while the daemon runs. now_ms is not: it is the wall time of
 * the start and what the monotonic clock has counted since then, and follows the system's wall clock
 * by CLOCK_SLEW_PPM at most. So it never goes back, and what waits or expires does so after the time
 * that has really passed. A step is reported once (clock_stepped). The monotonic clock is
 * CLOCK_BOOTTIME: while a machine is suspended time passes, as it does for its clients.
 *
 * With a manual clock the wall time changes only by clock_advance: visibility, delay, retention and
 * retries are then tested without waiting. */
#ifndef TOQUE_CLOCK_H
#define TOQUE_CLOCK_H

#include "common/base/base.h"

struct clock_source {
    i64 (*wall_us)(void *arg); /* microseconds since the Unix epoch */
    i64 (*mono_us)(void *arg); /* microseconds, monotonic */
    void *arg;
};
extern const struct clock_source CLOCK_SYSTEM;

struct clock {
    i64 now_ms; /* wall time as of the last tick, Unix epoch, milliseconds */
    i64 mono_ms; /* monotonic time, for idle limits and heartbeats; real also when the clock is manual */
    bool manual;
    struct clock_source source;
    i64 tick_us;  /* monotonic: of the last tick */
    i64 base_us;  /* our wall time is the monotonic time and this */
    i64 ahead_us; /* the system's wall clock before ours, at the last tick */
    i64 stepped_us;
};

/* Parts in a million by which our wall time runs faster or slower to follow the system's. */
#define CLOCK_SLEW_PPM 500
/* What the system's wall clock moves at once, from which on it is a step and no inaccuracy. */
#define CLOCK_STEP_MIN_MS 500

void clock_init(struct clock *c, bool manual); /* over CLOCK_SYSTEM */
void clock_init_from(struct clock *c, const struct clock_source *source, bool manual);
void clock_tick(struct clock *c);
/* The time at this moment: now_ms, and what has passed since the tick unless the clock is manual. */
i64 clock_read_ms(const struct clock *c);
/* Real monotonic microseconds at this moment, also when the clock is manual: for budgets of work
 * and for figures. */
i64 clock_us(const struct clock *c);
/* By how much the system's wall clock was stepped since the last call, in ms; 0: it was not. */
i64 clock_stepped(struct clock *c);
/* The system's wall time at this moment, steps and all, also when the clock is manual. */
i64 clock_wall_ms(const struct clock *c);
/* Manual clocks only. Moves to now + ms; ms must be 0 or more. */
void clock_advance(struct clock *c, i64 ms);
/* Manual clocks only. Moves to `ms` unless it is already later. */
void clock_move_to(struct clock *c, i64 ms);
/* clock_us of the system, for programs that have no clock: the command line, tests and benches. */
i64 clock_micros(void);

/* "2026-01-02T03:04:05.678Z"; buf holds CLOCK_ISO_SIZE bytes. */
#define CLOCK_ISO_SIZE 25
char *clock_iso(i64 ms, char *buf);
/* RFC 9110 date for the HTTP header, "Fri, 02 Jan 2026 03:04:05 GMT". */
#define CLOCK_HTTP_SIZE 30
char *clock_http(i64 ms, char *buf);

#endif
