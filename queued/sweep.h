/* What queued does in the background: hidden messages whose time has come, messages past their
 * retention, and the rows and memory of all that is gone (expired, purged, or of a deleted queue).
 *
 * Rows are cleared away in their own order, over all queues at once: they lie by arrival, so what is
 * deleted together lies together, and a commit writes few pages. */
#ifndef TOQUE_SWEEP_H
#define TOQUE_SWEEP_H

#include "queued/queues.h"

void sweep_init(struct queues *qs, struct background *background);
/* Memory is about to be forgotten. */
void sweep_stop(struct queues *qs);
/* Wakes what has something to do, and sets the timer for what is due next; once a turn. */
void sweep_arm(struct queues *qs);

#endif
