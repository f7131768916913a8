/* All clients together: they work until a time that is set, then they rest. */
#ifndef TOQUE_SIM_WORKLOAD_H
#define TOQUE_SIM_WORKLOAD_H

#include "common/base/base.h"

void workload_begin(void);
void workload_end(void);
/* They begin now, and begin no call after until_us. */
void workload_until(i64 until_us);
bool workload_rests(void);
/* What was called how often, with what outcome. */
void workload_counts(FILE *out);

#endif
