/* The queues that a topology file names, created at start if they do not exist:
 *
 *   {"queues": [{"QueueName": "orders", "Attributes": {"VisibilityTimeout": "60"},
 *                "tags": {"team": "billing"}}], …}
 *
 * Names and shapes are the API's own; topicd reads the topics and subscriptions of the same file.
 * Members that begin with "//" are comments. Queues that exist are left unchanged. */
#ifndef TOQUE_QUEUED_TOPOLOGY_H
#define TOQUE_QUEUED_TOPOLOGY_H

#include "common/base/json.h"
#include "queued/queues.h"

#define TOPOLOGY_FILE_MAX (64 * 1024 * 1024) /* bytes */

/* E_FAULT: `f` has file, line, column and reason; some queues may have been created in this turn.
 * */
int queued_topology_create(struct queues *qs, const char *path, str account, str region,
                           struct fault *f) MUST_CHECK;
/* The same for a parsed document. */
int queued_topology_apply(struct queues *qs, const struct json_doc *doc, str account, str region,
                          struct fault *f) MUST_CHECK;

#endif
