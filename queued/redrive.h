/* Messages that move from one queue to another of this store: to a dead-letter queue, and back. */
#ifndef TOQUE_REDRIVE_H
#define TOQUE_REDRIVE_H

#include "queued/queue.h"

/* Where a message goes that was taken although it was received as often as its queue allows. NULL:
 * it is given out; also where its dead-letter queue is not there any more. The service moves it at
 * this moment and not before: the receive that would be one too many passes it over. */
struct queue *redrive_target(const struct queue *q, const struct msg *m);
/* It leaves its queue and arrives in `to`, of the same kind, as a new message does: visible, behind
 * all others. It keeps its MessageId, body, group, times and receive count; retention counts from
 * when it was first sent, in FIFO queues from now. */
void redrive_move(struct msg *m, struct queue *to);

#endif
