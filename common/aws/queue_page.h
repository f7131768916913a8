/* Pages about one queue, beside its API: which queue a request for one means. Both daemons serve them;
 * topicd forwards them to the queued that owns the queue.
 *
 *   /_toque/queues/NAME/…                            NAME in the caller's account and region
 *   /_aws/sqs/messages?QueueUrl=…                    as other implementations have it, also with the
 *   /_aws/sqs/messages/REGION/ACCOUNT/NAME           queue as parameter or member of a POST
 *
 * The parameters account and region say which, where the queue's name or URL does not. */
#ifndef TOQUE_QUEUE_PAGE_H
#define TOQUE_QUEUE_PAGE_H

#include "common/aws/call.h"
#include "common/aws/queue_place.h"
#include "common/base/form.h"

struct desk;

#define QUEUE_PAGE_BODY_MAX 65536 /* bytes of a POST */

struct queue_page {
    struct queue_place place; /* name "": the request names no queue */
    struct form params;       /* of the query, and of a form in the body */
};

/* Adds the pages about queues to the desk, those that show or change that ("messages", "aids", "redrive"), or all
 * (NULL); `run` finishes their calls. */
void queue_page_add(struct desk *d, const char *what, void (*run)(struct call *c, void *arg),
                    void *arg);
/* What the request means. E_INVALID: its parameters or its body cannot be read; E_TOO_LARGE. */
int queue_page_read(struct call *c, struct queue_page *ret) MUST_CHECK;
/* A parameter that is "true", or is there without a value. */
bool queue_page_flag(const struct queue_page *p, const char *name);
/* Finishes the call: there is no such queue. Names the account and the region that were searched. */
void queue_page_absent(struct call *c, const struct queue_page *p);
/* Whether the path is one of /_aws/sqs/messages. */
bool queue_page_is_aws(const struct call *c);
/* Whether the client is on this machine. */
bool queue_page_is_local(const struct call *c);

#endif
