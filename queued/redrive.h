/* Dead letters: the queue to which a message is moved that was received too often, and the move.
 *
 * A queue's RedrivePolicy is parsed once, into its receives_max and dead_letter_arn, and enters the
 * queue in queues.sources. Whether the target allows it is checked when the policy is set, not when
 * a message moves, as the service does. */
#ifndef TOQUE_REDRIVE_H
#define TOQUE_REDRIVE_H

#include "queued/queue.h"

/* Checks whether the queue of that ARN and type may have this RedrivePolicy: its target exists, has
 * the same account, region and type, and permits the source. A policy "" is always accepted. */
int redrive_check(struct queues *qs, str source_arn, bool is_fifo, str policy,
                  struct fault *f) MUST_CHECK;
/* Applies the RedrivePolicy of the queue's attributes, which were set or have changed. */
void redrive_apply(struct queue *q);

/* The dead-letter queue for a message that is being taken. NULL: it is delivered, because its
 * receive count is below maxReceiveCount, or its dead-letter queue does not exist any more. Like
 * the service, the move happens at the receive that would exceed the count, which skips the
 * message. Only receives from this queue count: a dead-letter queue that has one itself delivers a
 * message before it moves it on, and a message in a cycle of them does not circle unread. */
struct queue *redrive_target(struct queue *q, const struct msg *m);
/* Moves it to `to`, a queue of the same type, where it arrives after all others and is visible. It
 * keeps its MessageId, body, group, times and receive count; retention counts from when it was
 * first sent, in FIFO queues from now. */
void redrive_move(struct msg *m, struct queue *to);
/* Moves it to `to`, a queue of the same type, as a new message with the same body and group: new
 * MessageId, sent now, never received, with the queue's delay. */
void redrive_return(struct msg *m, struct queue *to);

#endif
