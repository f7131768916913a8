/* The pages that show a queue's messages without receiving them (peek.h, common/aws/queue_page.h):
 *
 *   GET /_toque/queues/NAME/messages      all messages, with their states and times, as JSON
 *   GET /_aws/sqs/messages?QueueUrl=…     visible ones, as an answer of ReceiveMessage in XML, or JSON
 *                                         (Accept: application/json); also POST, in both protocols
 *
 * Parameters: limit, after (from the previous page), ShowInvisible and ShowDelayed (for the second
 * kind). Shown to clients of this machine only, unless the option peek_remote is on. */
#ifndef TOQUE_PEEK_PAGE_H
#define TOQUE_PEEK_PAGE_H

#include "common/aws/call.h"
#include "queued/queues.h"

struct peek_pages {
    struct queues *queues;
    const struct service *service; /* whose errors the AWS-shaped pages return */
    bool remote;                   /* clients of other machines may read them, too */
};

/* `p` must outlive the desk. */
void peek_pages_add(struct peek_pages *p, struct desk *d);

#endif
