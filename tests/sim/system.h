/* What the daemons take from their system beside disk and network: the clock, and where their log
 * goes. The linker puts functions of system.c in the place of the log's, and of those that ask for
 * the real clock and the kernel's chance (--wrap): who asks for these within a simulation would make
 * a run that cannot be repeated, and is told so. */
#ifndef TOQUE_SIM_SYSTEM_H
#define TOQUE_SIM_SYSTEM_H

#include "common/base/clock.h"

/* 2026-11-30T00:00:00Z, where every run begins. */
#define SYSTEM_START_MS INT64_C(1795996800000)

/* Its wall clock is so far ahead of the simulation's. */
struct clock_source system_clock(i64 *ahead_us);

static inline i64 system_ms_of(i64 world_us)
{
    return SYSTEM_START_MS + world_us / 1000;
}

#endif
