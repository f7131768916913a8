/* A moment of truth: everything is healed and quiet; what is unsure becomes sure; and every message
 * that must be there is found. */
#ifndef TOQUE_SIM_SETTLE_H
#define TOQUE_SIM_SETTLE_H

#include "common/base/base.h"

void settle_begin(void);
/* The workload rests and no fault is in force. Moves time on by some minutes. */
void settle(void);

extern u64 settles;

#endif
