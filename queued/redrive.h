/* Dead letters: which queue a message goes to that was received too often, and the move there.
 *
 * A queue's RedrivePolicy is parsed once, into its receives_max and dead_letter_arn, and enters the
 * queue in queues.sources. Whether the target allows it is checked when the policy is set, not when
 * a message moves, as the service does. */
#ifndef TOQUE_REDRIVE_H
#define TOQUE_REDRIVE_H

#include "queued/queue.h"

/* Whether the queue of that ARN and kind may have this RedrivePolicy: its target exists, has the
 * same account, region and kind, and permits it. "": it may. */
int redrive_check(struct queues *qs, str source_arn, bool is_fifo, str policy,
                  struct fault *f) MUST_CHECK;
/* The queue's attributes are known, or have changed. */
void redrive_apply(struct queue *q);

/* Where a message goes that was taken although it was received as often as its queue allows. NULL:
 * it is given out; also where its dead-letter queue does not exist any more. The service moves it
 * at this moment and not before: the receive that would be one too many passes it over. */
struct queue *redrive_target(struct queue *q, const struct msg *m);
/* It leaves its queue and arrives in `to`, of the same kind, as a new message does: visible, behind
 * all others. It keeps its MessageId, body, group, times and receive count; retention counts from
 * when it was first sent, in FIFO queues from now. */
void redrive_move(struct msg *m, struct queue *to);
/* It leaves its queue and arrives in `to`, of the same kind, as a new message with its body and
 * group: another MessageId, sent now, never received, delayed as the queue says. */
void redrive_return(struct msg *m, struct queue *to);

#endif
