/* The page that changes a dead letter and sends it back:
 *
 *   POST /_toque/queues/NAME/redrive
 *   {"MessageId": …, "MessageBody": …, "MessageAttributes": {…}, "DestinationArn": …}
 *
 * What is left out stays as it is; without a DestinationArn it goes to the queue that it came from.
 * There it is a new message, as after a move task, in the commit in which the dead letter goes. For
 * clients of this machine alone, unless the option peek_remote is on. */
#ifndef TOQUE_REDRIVE_PAGE_H
#define TOQUE_REDRIVE_PAGE_H

#include "common/aws/call.h"
#include "queued/queues.h"

struct redrive_pages {
    struct queues *queues;
    const struct service *service; /* by whose rules its members are read */
    bool remote;
};

/* `p` must outlive the desk. */
void redrive_pages_add(struct redrive_pages *p, struct desk *d);

#endif
