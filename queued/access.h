/* Access to queues by their policies (the Policy attribute), where the option enforce_policies is
 * on: calls of other accounts and deliveries of topics need a statement that allows them, and what a
 * statement denies is denied to everybody. Rules: IAM user guide, "Cross-account policy evaluation
 * logic"; Amazon SNS developer guide, "Fanout to Amazon SQS queues". */
#ifndef TOQUE_ACCESS_H
#define TOQUE_ACCESS_H

#include "common/aws/call.h"
#include "queued/queue.h"

/* Whether the call may do to the queue what its action does. E_FAULT: c->fault is set, and the reason
 * is logged. */
int access_check_call(struct call *c, struct queue *q) MUST_CHECK;
/* Whether messages of that topic may be delivered to the queue. False: the reason is logged. */
bool access_check_topic(struct queue *q, str topic);
/* The queue has another policy. */
void access_forget(struct queue *q);

#endif
