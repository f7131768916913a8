/* Where a queue is: what a QueueUrl, a queue's path or a call says of it. */
#ifndef TOQUE_QUEUE_PLACE_H
#define TOQUE_QUEUE_PLACE_H

#include "common/aws/call.h"

struct queue_place {
    str region, account, name;
};

/* Fills in what a QueueUrl states and leaves the rest: /ACCOUNT/NAME, /queue/NAME,
 * /queue/REGION/ACCOUNT/NAME, /NAME or NAME, with or without scheme and host, which say nothing,
 * and with slashes at the end. The name is always set, "" where there is none. */
void queue_place_read(str url, struct queue_place *place);
/* The same for the queue that a call of SQS is about, by its QueueUrl, QueueName or SourceArn: of
 * *ret, what they state of region, account and resource. */
void queue_place_of_call(const struct call *c, struct arn *ret);

#endif
