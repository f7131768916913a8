/* The page that sets a queue's test aids (aids.h): /_toque/queues/NAME/aids. GET shows them, POST sets what
 * its JSON says, DELETE ends them. */
#ifndef TOQUE_AIDS_PAGE_H
#define TOQUE_AIDS_PAGE_H

#include "common/aws/call.h"
#include "queued/queues.h"

struct aids_pages {
    struct queues *queues;
    const struct service *service; /* whose errors may be ordered */
};

/* `p` lives as long as the desk. */
void aids_pages_add(struct aids_pages *p, struct desk *d);

#endif
