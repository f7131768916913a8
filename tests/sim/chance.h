/* Chance of the simulation: every draw comes from the seed. Each kind of decision has a series of
 * its own, so that a change of one (another workload, another fault) leaves the others' draws as
 * they were. */
#ifndef TOQUE_SIM_CHANCE_H
#define TOQUE_SIM_CHANCE_H

#include "common/base/base.h"

enum chance {
    CHANCE_DISK,
    CHANCE_NETWORK,
    CHANCE_NODE, /* what daemons draw themselves is not here: their ids have seeds from this one */
    CHANCE_WORK,
    CHANCE_FAULT,
    CHANCE_COUNT,
};

void chance_init(u64 seed);
u64 chance_u64(enum chance of);
/* 0 to n - 1. */
u64 chance_below(enum chance of, u64 n);
/* low to high, both included. */
i64 chance_between(enum chance of, i64 low, i64 high);
/* One time in n. */
bool chance_one_in(enum chance of, u64 n);
/* low to high, small ones more often: each power of two is as likely as the next. */
i64 chance_skewed(enum chance of, i64 low, i64 high);

#endif
