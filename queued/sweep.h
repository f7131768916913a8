/* queued's background work: makes due messages visible, expires messages past their retention, and
 * removes the rows and memory of messages that are gone (expired, purged, or of a deleted queue).
 *
 * Rows are deleted in the order of arrival over all queues, which is their order in the file, so
 * that a commit writes few pages. */
#ifndef TOQUE_SWEEP_H
#define TOQUE_SWEEP_H

#include "queued/queues.h"

void sweep_init(struct queues *qs, struct background *background);
/* Stops the jobs: the queues in memory are about to be freed. */
void sweep_stop(struct queues *qs);
/* Wakes the jobs that have work, and sets the timer for the next due time. Called once a turn. */
void sweep_arm(struct queues *qs);

#endif
