/* Access to queues by their policies (the Policy attribute), where the option enforce_policies is
 * on: calls of other accounts and deliveries of topics need a statement that allows them, and a
 * statement that denies applies to every caller. Rules: IAM user guide, "Cross-account policy
 * evaluation logic"; Amazon SNS developer guide, "Fanout to Amazon SQS queues". */
#ifndef TOQUE_ACCESS_H
#define TOQUE_ACCESS_H

#include "common/aws/call.h"
#include "queued/queue.h"

/* Checks whether the caller may perform the call's action on the queue, now: a receive that waits
 * is checked again before messages are given to it. E_FAULT: it may not;
 * c->fault is set, and the reason is logged. */
int access_check_call(struct call *c, struct queue *q) MUST_CHECK;
/* Whether messages of that topic may be delivered to the queue. False: the reason is logged. */
bool access_check_topic(struct queue *q, str topic);
/* The queue's policy has changed: the parsed one is discarded. */
void access_forget(struct queue *q);

#endif
