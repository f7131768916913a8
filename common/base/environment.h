/* A daemon's sources of time and randomness. A program passes the system's; a simulation passes its
 * own, so that one seed gives one run. */
#ifndef TOQUE_ENVIRONMENT_H
#define TOQUE_ENVIRONMENT_H

#include "common/base/clock.h"

struct environment {
    const struct clock_source *clock;
    u64 seed; /* of ids, secrets and hash tables; 0: the kernel's random bytes */
};

static const struct environment ENVIRONMENT_SYSTEM = {.clock = &CLOCK_SYSTEM};

#endif
