/* What time makes due: delays and visibility timeouts that are over, messages past their retention.
 * And what a purge or a deletion left to be cleared away. All of it in slices: a turn of the loop
 * spends no more than about a millisecond here, and goes on in the next. */
#ifndef TOQUE_SWEEP_H
#define TOQUE_SWEEP_H

#include "queued/queues.h"

/* Sets the timer for what is due next; once a turn. */
void sweep_arm(struct queues *qs);
/* Works until nothing is due or the slice is over. True: there is more. Used by the timer. */
bool sweep_run(struct queues *qs);

#endif
