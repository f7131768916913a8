/* The page that sets a queue's test aids (aids.h): /_toque/queues/NAME/aids. GET returns them, POST
 * sets them from its JSON body, DELETE ends them. */
#ifndef TOQUE_AIDS_PAGE_H
#define TOQUE_AIDS_PAGE_H

#include "common/aws/call.h"
#include "queued/queues.h"

struct aids_pages {
    struct queues *queues;
    const struct service *service; /* whose errors can be requested */
};

/* `p` must outlive the desk. */
void aids_pages_add(struct aids_pages *p, struct desk *d);

#endif
