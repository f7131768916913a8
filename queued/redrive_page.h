/* The page that changes a dead letter and sends it back:
 *
 *   POST /_toque/queues/NAME/redrive
 *   {"MessageId": …, "MessageBody": …, "MessageAttributes": {…}, "DestinationArn": …}
 *
 * Members that are left out stay unchanged; without a DestinationArn the message goes to the queue
 * that it came from. There it is a new message, as after a move task, added in the commit that
 * removes the dead letter. For clients of this machine only, unless the option peek_remote is
 * on. */
#ifndef TOQUE_REDRIVE_PAGE_H
#define TOQUE_REDRIVE_PAGE_H

#include "common/aws/call.h"
#include "queued/queues.h"

struct redrive_pages {
    struct queues *queues;
    const struct service *service; /* by whose rules the request is read */
    bool remote;
};

/* `p` must outlive the desk. */
void redrive_pages_add(struct redrive_pages *p, struct desk *d);

#endif
