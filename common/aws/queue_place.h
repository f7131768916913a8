/* Region, account and name of a queue, as stated by a QueueUrl, a path or a call. */
#ifndef TOQUE_QUEUE_PLACE_H
#define TOQUE_QUEUE_PLACE_H

#include "common/aws/call.h"

struct queue_place {
    str region, account, name;
};

/* Fills in what a QueueUrl states and leaves the rest: /ACCOUNT/NAME, /queue/NAME,
 * /queue/REGION/ACCOUNT/NAME, /NAME or NAME, with or without scheme and host, which are ignored,
 * and with trailing slashes. The name is always set, "" if there is none. */
void queue_place_read(str url, struct queue_place *place);
/* Likewise for the queue that an SQS call names by QueueUrl, QueueName, SourceArn or TaskHandle:
 * sets the region, account and resource of *ret that they state. */
void queue_place_of_call(struct call *c, struct arn *ret);

#endif
