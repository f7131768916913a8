/* One run: a seed, and some hours of what the daemons live through. */
#ifndef TOQUE_SIM_RUN_H
#define TOQUE_SIM_RUN_H

#include "common/base/base.h"

/* Ends the program when a promise is broken. `log`: where the event log goes, NULL: nowhere.
 * Returns the digest of the event log. */
u64 run(u64 seed, i64 hours, FILE *log);

#endif
